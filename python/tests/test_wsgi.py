"""`verify_request_sync`: for Flask and Django, under threads and in processes that are forked."""

import asyncio
import contextlib
import contextvars
import gc
import os
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
import django.test
import httpx
import pytest
from joserfc.jwk import RSAKey

from bearward import (
    ApiClient,
    ApiClientOptions,
    InvalidDpopProofError,
    IssuerUnavailableError,
    UseDpopNonceError,
    VerifyAccessTokenError,
)
from support import AUDIENCE, Tenant, configure_django, free_port, process
from walkthrough import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "flask-and-django.md"
APPS = Path(__file__).parent / "apps"
THREADS = 16
WORKERS = 3

DJANGO = """
import os, sys
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], MIDDLEWARE=["auth.BearerMiddleware"], ROOT_URLCONF=__name__, SECRET_KEY="x")
urlpatterns = [
    path("health", lambda request: HttpResponse()),
    path("me", lambda request: JsonResponse({"sub": request.claims["sub"], "pid": os.getpid()})),
]
app = get_wsgi_application()
"""

FLASK = """
import os
from main import app, client, g, require_auth

@app.get("/pid")
@require_auth()
def pid():
    return {"sub": g.claims["sub"], "pid": os.getpid()}

if "TOKEN" in os.environ:
    client.verify_request_sync({"Authorization": "Bearer " + os.environ["TOKEN"]})
"""


def client_of(tenant, **options):
    options = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch, **options}
    return ApiClient(ApiClientOptions(**options))


@pytest.fixture
def of_page(tenant, httpx_mock, monkeypatch):
    """Runs one of the page's two apps; gives what it defines."""
    monkeypatch.setenv("AUTH0_DOMAIN", tenant.domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    for url, document in tenant.documents().items():
        httpx_mock.add_response(url=url, json=document, is_reusable=True)

    def run(number):
        names = {"__name__": "page"}
        exec(compile(python_blocks()[number], PAGE.name, "exec"), names)  # noqa: S102 - our own page
        return names

    return run


def python_blocks():
    return [block.text for block in blocks(PAGE.read_text()) if block.kind == "python"]


# The page


def test_flask(of_page, tenant, prover):
    client = of_page(0)["app"].test_client()
    answer = client.get("/me", headers=tenant.authorization())
    assert (answer.status_code, answer.json) == (200, {"sub": "auth0|1234"})
    assert client.get("/me", headers=prover.headers("http://localhost/me")).status_code == 200
    assert client.get("/messages", headers=tenant.authorization()).status_code == 200
    refused = client.get("/messages", headers=tenant.authorization(scope=""))
    assert (refused.status_code, refused.json["error"]) == (403, "insufficient_scope")
    assert 'scope="read:messages"' in refused.headers["WWW-Authenticate"]
    for headers, status in (({}, 400), (tenant.authorization(exp=1), 401), (prover.headers("http://evil/me"), 400)):
        assert client.get("/me", headers=headers).status_code == status


def test_django(of_page, tenant, prover):
    configure_django()
    requests = django.test.RequestFactory()
    guard = of_page(1)["BearerMiddleware"](lambda request: django.http.HttpResponse(getattr(request, "claims", "none")))
    assert guard(requests.get("/health")).content == b"none"
    assert b"sub" in guard(requests.get("/me", headers=tenant.authorization())).content
    assert b"sub" in guard(requests.get("/me", headers=prover.headers("http://testserver/me"))).content
    for headers, status in (({}, 400), (tenant.authorization(exp=1), 401)):
        refused = guard(requests.get("/me", headers=headers))
        assert (refused.status_code, "WWW-Authenticate" in refused.headers) == (status, True)


# Servers

SERVERS = {
    "forked": [],
    "preload": ["--preload"],
    "preload, with the parent's loop running": ["--preload"],
    "threads": ["-k", "gthread", "--threads", "8", "--preload"],
}


@contextlib.contextmanager
def gunicorn(app, tmp_path, arguments, environment):
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-w", str(WORKERS), *arguments]
    with (tmp_path / "log").open("wb") as log:
        given = {"cwd": tmp_path, "env": {**os.environ, **environment}, "stdout": log, "stderr": log}
        with process([*command, "-b", f"127.0.0.1:{port}", app], port, **given) as server:
            yield port
            server.terminate()
            server.wait(15)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
@pytest.mark.parametrize("kind", SERVERS)
@pytest.mark.parametrize("framework", ["flask", "django"])
def test_each_worker_verifies(https_issuer, tmp_path, framework, kind):
    tenant = https_issuer.tenant
    flask, django = python_blocks()
    for name, text in {"main": flask, "auth": django, "served_flask": FLASK, "served_django": DJANGO}.items():
        (tmp_path / f"{name}.py").write_text(text)
    environment = {"AUTH0_DOMAIN": tenant.domain, "AUTH0_AUDIENCE": AUDIENCE, "PYTHONUNBUFFERED": "1"}
    if "running" in kind:
        environment["TOKEN"] = tenant.token()
    path = "pid" if framework == "flask" else "me"
    with gunicorn(f"served_{framework}:app", tmp_path, SERVERS[kind], environment) as port:

        def ask(headers):
            return httpx.get(f"http://127.0.0.1:{port}/{path}", headers=headers, timeout=20)

        # Each worker starts without keys, or with those of the parent; and then meets a key that it has to fetch.
        for number in range(2):
            pids, deadline = set(), time.monotonic() + 60
            header = {"kid": tenant.key.kid}
            while len(pids) < WORKERS:
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                with ThreadPoolExecutor(THREADS) as threads:
                    headers = [tenant.authorization(header=header, jti=f"{number}") for _ in range(THREADS)]
                    answers = list(threads.map(ask, headers))
                assert [answer.status_code for answer in answers] == [200] * THREADS, (tmp_path / "log").read_text()
                pids |= {answer.json()["pid"] for answer in answers}
            tenant.key = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})
        assert ask({}).status_code == 400
        assert ask(tenant.authorization(aud="other")).status_code == 401
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said, said
    assert "Exception ignored" not in said, said


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_children_fetch_for_themselves_and_leave_the_parents_loop_alone():
    command = [sys.executable, "-W", "error", "-W", "ignore:This process:DeprecationWarning"]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, str(APPS / "forking.py")], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["2", "3", "5", "3", "3"]


# Threads


def test_threads_that_come_at_once_share_one_fetch(tenant):
    client, barrier = client_of(tenant), threading.Barrier(THREADS)

    def verify(_):
        barrier.wait(10)
        return client.verify_request_sync(tenant.authorization())["sub"]

    with ThreadPoolExecutor(THREADS) as threads:
        assert list(threads.map(verify, range(THREADS))) == ["auth0|1234"] * THREADS
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]
    assert len(client._background._loops) == 1


def test_nothing_is_started_where_nothing_has_to_be_fetched():
    tenant = Tenant()
    keys = {"keys": [tenant.key.as_dict(private=False)]}
    client = ApiClient(ApiClientOptions(issuer=tenant.issuer, audience=AUDIENCE, jwks=keys))
    assert client.verify_request_sync(tenant.authorization())["iss"] == tenant.issuer
    assert not client._background._loops


def test_documents_are_fetched_ahead(tenant, clock):
    client = client_of(tenant)
    client.verify_request_sync(tenant.authorization())
    clock.ahead = 550
    assert client.verify_request_sync(tenant.authorization(exp=2**33))
    deadline = time.monotonic() + 10
    while len(tenant.fetched) == 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_proof_and_a_nonce(tenant, prover):
    client = client_of(tenant, dpop_nonce=True, dpop_required=True)
    url = "https://api.example.com/orders"
    with pytest.raises(UseDpopNonceError) as asked:
        client.verify_request_sync(prover.headers(url), "GET", url)
    headers = prover.headers(url, nonce=asked.value.get_headers()["DPoP-Nonce"])
    assert client.verify_sync(headers, "GET", url).claims["cnf"] == {"jkt": prover.jkt}
    with pytest.raises(InvalidDpopProofError):
        client.verify_sync(headers, "GET", url)


def test_a_fetch_has_the_context_of_its_caller(tenant):
    request = contextvars.ContextVar("request")
    seen = []

    async def fetch(url):
        seen.append(request.get())
        return tenant.documents()[url]

    request.set("mine")
    client_of(tenant, custom_fetch=fetch).verify_request_sync(tenant.authorization())
    assert seen == ["mine", "mine"]


# Limits of time, and what errors hold


def test_an_issuer_that_never_answers(tenant):
    async def fetch(url):
        await never.wait()

    never = asyncio.Event()
    client = client_of(tenant, custom_fetch=fetch, fetch_timeout=0.05)
    with pytest.raises(IssuerUnavailableError) as refused:
        client.verify_request_sync(tenant.authorization())
    assert refused.value.code == "issuer_unavailable"


def test_code_that_blocks_the_loop_does_not_make_requests_hang(tenant, monkeypatch):
    monkeypatch.setattr("bearward.client._GRACE_SECONDS", 0.05)
    blocked = threading.Event()

    async def fetch(url):
        blocked.wait(60)
        return tenant.documents()[url]

    client = client_of(tenant, custom_fetch=fetch, fetch_timeout=0.05, store_timeout=0.05)
    with pytest.raises(IssuerUnavailableError) as refused:
        client.verify_request_sync(tenant.authorization())
    error = refused.value
    assert (error.get_status_code(), error.code) == (503, "event_loop_blocked")
    assert error.get_headers()["Retry-After"] == "1"
    blocked.set()
    # The loop goes on, and the next request with it, as soon as the issuer's back-off is over.
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(IssuerUnavailableError):
            assert client.verify_request_sync(tenant.authorization())["sub"] == "auth0|1234"
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("call", ["verify_request_sync", "verify_sync"])
def test_no_frame_of_an_error_holds_the_token(tenant, call):
    async def fails(url):
        raise OSError

    for client, claims in ((client_of(tenant), {"exp": 1}), (client_of(tenant, custom_fetch=fails), {})):
        token = tenant.token(**claims)
        report = reported(lambda: {"Authorization": f"Bearer {token}"}, getattr(client, call))  # noqa: B023
        assert "VerifyAccessTokenError" in report or "IssuerUnavailableError" in report
        assert not any(part in report for part in token.split("."))


def reported(headers, verify):
    try:
        verify(headers())
    except VerifyAccessTokenError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    raise AssertionError


# The thread


def test_the_thread_ends_with_the_client(tenant):
    client = client_of(tenant)
    client.verify_request_sync(tenant.authorization())
    (loop,) = client._background._loops.values()
    del client
    deadline = time.monotonic() + 10
    while not loop.is_closed():
        gc.collect()
        assert time.monotonic() < deadline


def test_another_thread_begins_where_the_first_one_was_stopped(tenant):
    client = client_of(tenant)
    client.verify_request_sync(tenant.authorization())
    (loop,) = client._background._loops.values()
    loop.call_soon_threadsafe(loop.stop)
    deadline = time.monotonic() + 10
    while not loop.is_closed():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    tenant.key = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})
    assert client.verify_request_sync(tenant.authorization(header={"kid": "key-2"}))["sub"] == "auth0|1234"


def test_a_program_ends_without_a_word():
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from support import *\nfrom bearward import *\ntenant = Tenant()\n"
        "client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))\n"
        "client.verify_request_sync(tenant.authorization())\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=APPS.parents[1], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
