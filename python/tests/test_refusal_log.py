"""What operators see of refused requests: something, whatever they configured, and never a flood."""

import json
import logging
import subprocess
import sys
import textwrap

import httpx
import pytest
from fastapi import HTTPException, Request
from fastapi.requests import HTTPConnection

from bearward._asgi.refusal_log import RefusalLog
from bearward.errors import VerifyAccessTokenError
from support import AUDIENCE, OTHER_KEY, free_port, process, raw_exchange


def lines(caplog, level):
    return [record for record in caplog.records if record.name == "bearward" and record.levelno == level]


def connection(path="/a", headers=(), method="GET"):
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return HTTPConnection({"type": "http", "method": method, "path": path, "headers": raw})


def refusal(code="token_expired", detail=None):
    return VerifyAccessTokenError("Token is expired", code=code, detail=detail)


class Seconds:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_first_of_each_code_within_a_minute_is_a_warning(caplog):
    caplog.set_level(logging.INFO, "bearward")
    clock = Seconds()
    log = RefusalLog(clock)
    for code in ["a", "a", "b", "a"]:
        log.refused(refusal(code), connection(), None)
    assert len(lines(caplog, logging.INFO)) == 4
    assert [record.bearward["code"] for record in lines(caplog, logging.WARNING)] == ["a", "b"]
    assert "more" not in lines(caplog, logging.WARNING)[0].getMessage()
    clock.now = 59.9
    log.refused(refusal("a"), connection(), None)
    assert len(lines(caplog, logging.WARNING)) == 2
    clock.now = 60.0
    log.refused(refusal("a"), connection(), None)
    assert "; 3 more since the last warning" in lines(caplog, logging.WARNING)[-1].getMessage()


async def test_a_flood_is_some_lines(auth0, tenant, caplog):
    caplog.set_level(logging.WARNING, "bearward")
    bad = [{}, tenant.authorization(exp=1), tenant.authorization(aud="x"), {"Authorization": "Basic x"}]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b""}
    for number in range(2000):
        fields = [(name.lower().encode(), value.encode()) for name, value in bad[number % 4].items()]
        with pytest.raises(HTTPException):
            await auth0.require_auth()(Request({**scope, "headers": fields}))
    codes = [record.bearward["code"] for record in lines(caplog, logging.WARNING)]
    assert set(codes) == {"missing_authorization", "token_expired", "audience_mismatch", "unknown_scheme"}
    assert len(codes) <= 8


def test_codes_of_a_deployers_own_do_not_pile_up(caplog):
    log = RefusalLog(Seconds())
    for number in range(1000):
        log.refused(refusal(f"own_{number}"), connection(), None)
    assert len(log._warned) <= 200


def test_fields_for_structured_logs(client, tenant, caplog):
    caplog.set_level(logging.INFO, "bearward")
    client.get("/private?a=b", headers=tenant.authorization(exp=1))
    client.get("/both", headers=tenant.authorization())
    expired, lacking = (record.bearward for record in lines(caplog, logging.INFO))
    assert {**expired, "detail": ""} == {
        "code": "token_expired",
        "status": 401,
        "scheme": "Bearer",
        "method": "GET",
        "path": "/private",
        "detail": "",
    }
    assert "the token expired at 1" in expired["detail"]
    assert (lacking["code"], lacking["status"], lacking["issuer"]) == ("insufficient_scope", 403, tenant.issuer)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a\nb\r\x1b[31m", "/a\\nb\\r\\x1b[31m"),
        ("/\u202eevil\\", "/\\u202eevil\\\\"),
        ("/items/eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln", "/items/[redacted]"),
        ("/items/opaque-secret-1", "/items/[redacted]"),
        ("/" + "a" * 5000, "/" + "a" * 199),
    ],
)
def test_what_a_stranger_writes_is_not_logged_raw(caplog, path, shown):
    log = RefusalLog(Seconds())
    log.refused(refusal(), connection(path, [("authorization", "Bearer opaque-secret-1")]), None)
    (record,) = lines(caplog, logging.WARNING)
    assert record.bearward["path"] == shown


@pytest.mark.parametrize("method", ["GET\nX", "A" * 50, "", "G\u00cbT"])
def test_a_method_that_is_none_is_not_logged(caplog, method):
    RefusalLog(Seconds()).refused(refusal(), connection(method=method), None)
    assert lines(caplog, logging.WARNING)[0].bearward["method"] is None


class Broken(logging.Handler):
    def emit(self, record):
        raise OSError("disk full")


def test_no_answer_depends_on_a_log_line(client, monkeypatch):
    handler = Broken()
    logging.getLogger("bearward").addHandler(handler)
    try:
        assert client.get("/private").status_code == 400
    finally:
        logging.getLogger("bearward").removeHandler(handler)


APP = """
import logging
from fastapi import Depends, FastAPI

from bearward.fastapi import Auth0FastAPI

{configured}
auth0 = Auth0FastAPI(domain="tenant.example", audience="https://api.example.com")
app = FastAPI()

@app.get("/", dependencies=[Depends(auth0.require_auth())])
async def route():
    return {{}}
"""


def stderr_of(tmp_path, configured):
    """What an app prints on stderr under a plain `uvicorn main:app` when it refuses two requests."""
    (tmp_path / "main.py").write_text(textwrap.dedent(APP).format(configured=configured))
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)]
    printed = tmp_path / "log"
    with printed.open("w") as stderr, process(command, port, cwd=tmp_path, stderr=stderr, stdout=subprocess.DEVNULL):
        for _ in range(2):
            answer = raw_exchange(port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert answer[0] == 400
    return [line for line in printed.read_text().splitlines() if "missing_authorization" in line]


@pytest.mark.parametrize(
    ("configured", "count"),
    [
        ("", 1),
        ("logging.basicConfig(level=logging.INFO)", 3),
        ("logging.basicConfig(level=logging.ERROR)", 0),
        ("logging.getLogger('bearward').setLevel(logging.CRITICAL)", 0),
    ],
    ids=["as_installed", "info", "error_only", "switched_off"],
)
def test_under_a_plain_uvicorn(tmp_path, configured, count):
    assert len(stderr_of(tmp_path, configured)) == count


FLOODED = """
import json
from fastapi import FastAPI
from bearward.fastapi import Guard

auth0 = Guard("{issuer}", "{audience}", jwks=json.loads({jwks!r}))
app = FastAPI()
app.get("/", dependencies=[auth0.require_auth("read:messages")])(lambda: {{}})
app.get("/acr", dependencies=[auth0.require_auth(acr="mfa", claims={{"tier": "gold"}})])(lambda: {{}})
"""


def test_two_thousand_bad_requests_are_some_lines(tmp_path, tenant, prover):
    """As installed, whatever is bad about them."""
    jwks = json.dumps({"keys": [tenant.key.as_dict(private=False)]})
    (tmp_path / "main.py").write_text(FLOODED.format(issuer=tenant.issuer, audience=AUDIENCE, jwks=jwks))
    port, printed = free_port(), tmp_path / "log"
    url = f"http://127.0.0.1:{port}"
    replayed, bound = prover.headers(f"{url}/"), prover.token()
    kinds = [
        ("/", lambda number: {}),
        ("/", lambda number: {"Authorization": "Basic x"}),
        ("/", lambda number: {"Authorization": f"Bearer opaque{number}"}),
        ("/", lambda number: {"Authorization": f"Bearer {number}.{number}.{number}"}),
        ("/", lambda number: tenant.authorization(exp=1)),
        ("/", lambda number: tenant.authorization(aud=f"{number}")),
        ("/", lambda number: tenant.authorization(iss=f"https://{number}.example/")),
        ("/", lambda number: tenant.authorization(header={"kid": f"{number}"})),
        ("/", lambda number: tenant.authorization(key=OTHER_KEY)),
        ("/", lambda number: tenant.authorization(scope=f"s{number}")),
        ("/acr", lambda number: tenant.authorization(jti=f"{number}")),
        ("/acr", lambda number: tenant.authorization(jti=f"{number}", acr="mfa")),
        ("/", lambda number: replayed),
        ("/", lambda number: {"Authorization": f"Bearer {bound}"}),
        ("/", lambda number: prover.headers(f"https://{number}.example/")),
        ("/", lambda number: prover.headers(f"{url}/", htm="POST")),
        ("/", lambda number: prover.headers(f"{url}/", iat=number)),
    ]
    requests = [(path, headers(number)) for number in range(10) for path, headers in kinds]
    command = [sys.executable, "-m", "uvicorn", "main:app", "--port", str(port)]
    with (
        printed.open("w") as stderr,
        process(command, port, cwd=tmp_path, stderr=stderr, stdout=subprocess.DEVNULL),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        assert client.get("/", headers=replayed).status_code == 200
        for number in range(2000):
            path, headers = requests[number % len(requests)]
            assert client.get(path, headers=headers).status_code in (400, 401, 403)
    said = [line for line in printed.read_text().splitlines() if "bearward" in line]
    codes = [line.split("bearward refuses requests: ")[1].split()[1] for line in said]
    assert len(set(codes)) >= len(kinds) - 1
    assert len(codes) <= 3 * len(kinds)
