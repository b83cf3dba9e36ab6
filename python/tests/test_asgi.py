"""`bearward.asgi`: one guard around apps of all frameworks, over real servers."""

import json
import subprocess
import sys

import anyio
import httpx
import pytest
import websockets.exceptions
import websockets.sync.client
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

import bearward._asgi.streams
from asgi_apps import APPS, plain
from bearward import ApiClient, ApiClientOptions, ConfigurationError, ProtectedResource
from bearward.asgi import AuthMiddleware, current_principal
from bearward.fastapi import Auth0FastAPI
from servers import SANSIO
from support import AUDIENCE, Clock, raw_exchange, running
from test_resource import METADATA, PATHS, RESOURCE, challenged


@pytest.fixture
def api_client(tenant):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))


def guarded(app, api_client, **options):
    return AuthMiddleware(app, api_client, **{"scopes": ["read:messages"], **options})


@pytest.fixture
def at(api_client):
    """A client of the plain app, guarded with these options."""
    return lambda **options: TestClient(guarded(plain, api_client, **options))


@pytest.mark.parametrize("framework", APPS)
def test_every_framework(framework, tenant, prover):
    options = ApiClientOptions(
        issuer=tenant.issuer, audience=AUDIENCE, custom_fetch=tenant.fetch, rfc_status_codes=True
    )
    app = guarded(APPS[framework](), ApiClient(options))
    with running(app, lifespan="auto") as port, httpx.Client(trust_env=False) as client:
        url = f"http://127.0.0.1:{port}/show"
        answer = client.get(url)
        assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_request")
        assert answer.headers["www-authenticate"] == 'Bearer realm="api", DPoP algs="ES256"'
        answer = client.get(url, headers=tenant.authorization(permissions=["p"], azp="app"))
        assert (answer.status_code, answer.json()) == (
            200,
            {
                "subject": "auth0|1234",
                "client_id": "app",
                "scopes": ["read:messages", "openid"],
                "permissions": ["p"],
                "jkt": None,
                "resource": AUDIENCE,
                "authenticated": True,
            },
        )
        bound = prover.token()
        answer = client.get(f"{url}?a=b", headers=prover.headers(f"{url}?a=b", bound))
        assert (answer.status_code, answer.json()["jkt"]) == (200, prover.jkt)
        answer = client.get(url, headers={"Authorization": f"Bearer {bound}"})
        assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_token")
        answer = client.get(url, headers=tenant.authorization(scope="openid"))
        assert answer.status_code == 403
        assert 'scope="read:messages"' in answer.headers["www-authenticate"]


def test_no_framework_is_imported():
    code = "import sys, bearward.asgi; print([n for n in ('starlette', 'fastapi', 'django') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_the_metadata_document_is_served_without_a_token(at, tenant):
    client = at(resource=ProtectedResource(RESOURCE))
    for headers in ({}, tenant.authorization(exp=1), tenant.authorization(scope="")):
        challenge = client.get("/mcp", headers=headers).headers["www-authenticate"]
        assert challenged(challenge) == METADATA
        assert challenge.count('scope="read:messages"') == 2
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert challenged(client.get("/mcp", headers=evil).headers["www-authenticate"]) == METADATA
    for path in PATHS:
        assert client.get(path, headers=evil).json()["resource"] == RESOURCE


def test_optional(at, tenant):
    client = at(optional=True)
    assert client.get("/").json() == {"subject": None, "authenticated": False}
    assert client.get("/", headers=tenant.authorization()).json()["authenticated"]
    for bad in ({"Authorization": "Bearer x"}, {"Authorization": ""}, {"DPoP": "x"}, tenant.authorization(exp=1)):
        assert client.get("/", headers=bad).status_code in (400, 401)


def test_exempt_paths(api_client):
    async def ok(scope, receive, send):
        await PlainTextResponse("in")(scope, receive, send)

    client = TestClient(guarded(ok, api_client, exempt=["/health", "/public/*"]))
    for path in ("/health", "/public/", "/public/a/b"):
        assert client.get(path).status_code == 200, path
    closed = [
        "/",
        "/health/",
        "/healthy",
        "/Health",
        "/public",
        "/publicly",
        "/public/../admin",
        "/public/%2e%2e/admin",
    ]
    # As Java servers, parsers of URLs, and Windows read them.
    closed += [
        "/public/..;/admin",
        "/public/..;a=b/admin",
        "/public/.%09./admin",
        "/public/.%0a./admin",
        "/public/..%20/admin",
    ]
    closed += ["/public/a/%2e%2e/%2e%2e/admin", "/public//admin", "/public/..%5cadmin", "/public/%252e%252e/admin"]
    # A client of ours would remove dot segments.
    with running(guarded(ok, api_client, exempt=["/health", "/public/*"])) as port:
        assert {path: raw_status(port, path) for path in closed} == dict.fromkeys(closed, 400)


def raw_status(port, path):
    return raw_exchange(port, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())[0]


def test_exempt_by_a_function(at):
    client = at(exempt=lambda scope: scope["path"] == "/open")
    assert client.get("/closed").status_code == 400
    # Only `True` is yes: a coroutine is true, too.
    assert at(exempt=lambda scope: "yes").get("/").status_code == 400


def test_preflights_pass_and_nothing_that_looks_similar(api_client):
    async def ok(scope, receive, send):
        await PlainTextResponse("in")(scope, receive, send)

    client = TestClient(guarded(ok, api_client))
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    assert client.options("/", headers=asked).status_code == 200
    assert client.options("/").status_code == 400
    assert client.options("/", headers={"Origin": "https://a.example"}).status_code == 400
    assert client.get("/", headers=asked).status_code == 400


def test_cors_around_the_guard(api_client, tenant):
    app = CORSMiddleware(
        guarded(plain, api_client), allow_origins=["https://a.example"], expose_headers=["WWW-Authenticate"]
    )
    answer = TestClient(app).get("/", headers={"Origin": "https://a.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (400, "https://a.example")


def test_two_guards_of_one_client_take_one_proof(api_client, prover):
    url = "https://api.example.com/show"
    options = {"public_origin": "https://api.example.com"}
    app = FastAPI()
    auth0 = Auth0FastAPI.from_client(api_client, **options)
    app.get("/show")(lambda claims=Depends(auth0.require_auth("openid")): {"sub": claims["sub"]})
    client = TestClient(guarded(guarded(app, api_client, **options), api_client, **options))
    headers = prover.headers(url)
    assert client.get("/show", headers=headers).json() == {"sub": "auth0|1234"}
    assert client.get("/show", headers=headers).json()["detail"]["error"] == "invalid_dpop_proof"


def test_a_proof_for_the_url_that_proxies_say(api_client, prover):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.com"}
    headers = {**prover.headers("https://api.example.com/show"), **forwarded}
    believing = TestClient(guarded(plain, api_client, trusted_hops=1))
    assert TestClient(guarded(plain, api_client)).get("/show", headers=headers).status_code == 400
    assert believing.get("/show", headers=headers).status_code == 200


def test_a_nonce_reaches_the_client(tenant, prover, clock):
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_nonce=True)
    client, url = TestClient(guarded(plain, ApiClient(options))), "http://testserver/"
    asked = client.get("/", headers=prover.headers(url))
    assert asked.status_code == 401
    nonce = asked.headers["dpop-nonce"]
    assert "dpop-nonce" not in client.get("/", headers=prover.headers(url, nonce=nonce)).headers
    clock.ahead = 200
    answer = client.get("/", headers=prover.headers(url, nonce=nonce))
    assert (answer.status_code, answer.headers["dpop-nonce"] != nonce) == (200, True)


def test_guards_inside_of_each_other_give_one_nonce(tenant, prover, clock):
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_nonce=True)
    api_client, url, app = ApiClient(options), "http://testserver/", FastAPI()
    auth0 = Auth0FastAPI.from_client(api_client)
    app.get("/")(lambda claims=Depends(auth0.require_auth("openid")): claims)
    app.get("/more")(lambda claims=Depends(auth0.require_auth("admin")): claims)
    client = TestClient(guarded(app, api_client))
    nonce = client.get("/", headers=prover.headers(url)).headers["dpop-nonce"]
    clock.ahead = 200
    for path, status in (("", 200), ("more", 403)):
        answer = client.get(f"/{path}", headers=prover.headers(url + path, nonce=nonce, ahead=200))
        assert (answer.status_code, len(answer.headers.get_list("dpop-nonce"))) == (status, 1)


def test_outages_are_503(tenant):
    async def down(url):
        raise OSError

    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=down))
    answer = TestClient(guarded(plain, client)).get("/", headers=tenant.authorization())
    assert (answer.status_code, answer.json()["detail"]["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert "www-authenticate" not in answer.headers


def test_a_defect_is_a_500_that_names_no_token(tenant, caplog):
    def broken(claim):
        raise RuntimeError(token)

    token = tenant.token()
    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))
    answer = TestClient(guarded(plain, client, claims={"sub": broken})).get(
        "/", headers={"Authorization": f"Bearer {token}"}
    )
    assert (answer.status_code, answer.json()["detail"]["error"]) == (500, "internal_server_error")
    assert "unexpected error" in caplog.text
    assert token not in caplog.text
    assert token[-40:] not in caplog.text


def test_decisions_are_told(at, tenant):
    seen = []
    client = at(on_decision=seen.append)
    client.get("/")
    client.get("/", headers=tenant.authorization())
    assert [(decision.code, decision.scheme) for decision in seen] == [
        ("missing_authorization", None),
        (None, "Bearer"),
    ]


def test_an_observer_that_can_not_be_called_is_an_error(at):
    async def observer(decision):
        pass

    for wrong in (observer, 5):
        with pytest.raises(ConfigurationError, match="on_decision"):
            at(on_decision=wrong)


def test_nobody_is_left_behind(at, tenant):
    client = at()
    assert client.get("/", headers=tenant.authorization()).status_code == 200
    assert current_principal() is None


def test_a_guard_in_a_mount_warns_once(api_client, tenant, caplog):
    inner = Starlette(routes=[Route("/mcp", lambda request: PlainTextResponse("in"))])
    mounted = guarded(inner, api_client, resource=ProtectedResource(RESOURCE))
    client = TestClient(Starlette(routes=[Mount("/sub", mounted)]))
    for _ in range(2):
        assert challenged(client.get("/sub/mcp").headers["www-authenticate"]) == METADATA
    assert client.get(PATHS[0]).status_code == 404
    warnings = [record.getMessage() for record in caplog.records if "mounted in another" in record.getMessage()]
    assert len(warnings) == 1
    assert METADATA in warnings[0]


def test_around_the_mount_nobody_warns(api_client, caplog):
    outer = Starlette(routes=[Mount("/sub", Starlette())])
    client = TestClient(guarded(outer, api_client, resource=ProtectedResource(RESOURCE)))
    assert client.get(PATHS[0]).status_code == 200
    client.get("/sub/mcp")
    assert "mounted in another" not in caplog.text


@pytest.mark.parametrize(
    "options",
    [
        {"scopes": [""]},
        {"trusted_hops": None},
        {"trusted_hops": ""},
        {"exempt": "/health"},
        {"exempt": ["health"]},
        {"exempt": ["/a/*/b"]},
        {"trusted_hops": -1},
        {"public_origin": "api.example.com"},
        {"resource": ProtectedResource(RESOURCE), "public_origin": "https://other.example"},
        {"resource": ProtectedResource(RESOURCE), "scopes": ["offline_access"]},
        {"websocket_subprotocol": "a b"},
    ],
)
def test_what_cannot_be_used(api_client, options):
    with pytest.raises(ConfigurationError):
        AuthMiddleware(plain, api_client, **options)
    with pytest.raises(ConfigurationError, match="ApiClient"):
        AuthMiddleware(plain, api_client.options)


async def test_an_unknown_kind_of_connection_is_no_way_in(api_client):
    async def nothing(*_):
        raise AssertionError

    with pytest.raises(RuntimeError, match="type"):
        await guarded(nothing, api_client)({"type": "webtransport", "headers": []}, nothing, nothing)


# WebSockets


@pytest.fixture(params=[SANSIO, "wsproto"])
def socket_server(request, api_client):
    with running(guarded(plain, api_client, websocket_subprotocol="bearer"), ws=request.param) as port:
        yield port


def connected(port, **options):
    return websockets.sync.client.connect(f"ws://127.0.0.1:{port}/chat", proxy=None, **options)


def test_a_websocket(socket_server, tenant, prover):
    for headers in (tenant.authorization(), prover.headers(f"http://127.0.0.1:{socket_server}/chat")):
        with connected(socket_server, additional_headers=headers) as socket:
            assert json.loads(socket.recv())["subject"] == "auth0|1234"
    with connected(socket_server, subprotocols=["bearer", tenant.token()]) as socket:
        assert (json.loads(socket.recv())["subject"], socket.subprotocol) == ("auth0|1234", "bearer")


def test_a_websocket_that_is_refused(socket_server, tenant, prover):
    wrong_method = prover.headers(f"http://127.0.0.1:{socket_server}/chat", htm="POST")
    for headers, status in [
        ({}, 400),
        (tenant.authorization(exp=1), 401),
        (tenant.authorization(scope=""), 403),
        (wrong_method, 400),
    ]:
        with (
            pytest.raises(websockets.exceptions.InvalidStatus) as refusal,
            connected(socket_server, additional_headers=headers),
        ):
            pass
        assert refusal.value.response.status_code == status
        assert "www-authenticate" in refusal.value.response.headers


async def test_a_websocket_on_a_server_without_denial_responses(api_client):
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "scheme": "ws", "subprotocols": []}
    await guarded(plain, api_client)(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 4401, "reason": "invalid_request"}]


# Streams that outlive their token


@pytest.fixture
def ends_in(monkeypatch):
    """For what is sent behind the guard, a new token of the tenant's ends in so many seconds, or up to one later."""

    def set_clock(seconds):
        clock = Clock()
        clock.ahead = 3599 - seconds
        monkeypatch.setattr(bearward._asgi.streams, "time", clock)

    return set_clock


async def endless(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    while True:
        await send({"type": "http.response.body", "body": b"tick\n", "more_body": True})
        await anyio.sleep(0.01)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_stream_ends_with_its_token(api_client, tenant, backend, ends_in):
    ends_in(0.3)
    app = guarded(endless, api_client, end_streams_at_expiry=True)
    client = TestClient(app, backend=backend)
    answer = client.get("/", headers=tenant.authorization())
    assert answer.status_code == 200
    assert set(answer.text.split()) == {"tick"}


def test_a_websocket_ends_with_its_token(api_client, tenant, ends_in):
    ends_in(0.3)
    with running(guarded(plain, api_client, end_streams_at_expiry=True), ws="wsproto") as port:
        with connected(port, additional_headers=tenant.authorization()) as socket:
            assert json.loads(socket.recv())["authenticated"]
            with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
                socket.recv()
        assert closed.value.rcvd.code == 4401


def test_an_answer_of_known_length_is_sent_as_a_whole(api_client, tenant, ends_in):
    async def slow(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await anyio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"ok"})

    client = TestClient(guarded(slow, api_client, end_streams_at_expiry=True))
    ends_in(-1)
    assert client.get("/", headers=tenant.authorization()).text == "ok"
