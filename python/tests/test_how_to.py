"""The pages in docs/how-to: their Python is run as it is written, and answers as the page says."""

import contextlib
import logging
import os
import time

import httpx
import pytest
from fastapi.testclient import TestClient

from bearward.testing import TestTenant
from support import AUDIENCE, running
from walkthrough import ROOT, blocks

PAGES = ROOT / "docs" / "how-to"
TIER = "https://api.example.com/tier"
# Servers of the tests are real.
pytestmark = pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")


@pytest.fixture
def run(tenant, httpx_mock, monkeypatch):
    """Runs the Python of a page, or of its first blocks; gives what it defines."""
    monkeypatch.setenv("AUTH0_DOMAIN", tenant.domain)
    monkeypatch.setenv("AUTH0_AUDIENCE", AUDIENCE)
    for url, document in tenant.documents().items():
        httpx_mock.add_response(url=url, json=document, is_optional=True, is_reusable=True)

    def run_page(name, most=None):
        names = {"__name__": name}
        code = [block.text for block in blocks((PAGES / f"{name}.md").read_text()) if block.kind == "python"]
        for text in code[:most]:
            exec(compile(text, f"{name}.md", "exec"), names)  # noqa: S102 - our own page
        return names

    return run_page


@pytest.mark.parametrize(
    ("method", "path", "good", "bad", "status"),
    [
        ("get", "/messages", {}, {"scope": ""}, 403),
        ("get", "/reports", {"scope": "admin"}, {}, 403),
        ("delete", "/messages", {"permissions": ["delete:messages"]}, {}, 403),
        ("get", "/acme", {"org_id": "org_1", "org_name": "ACME"}, {"org_id": "org_bar"}, 403),
        ("get", "/gold", {TIER: "gold"}, {TIER: "blue"}, 403),
        ("post", "/transfer", {"acr": "mfa", "auth_time": time.time}, {"acr": "mfa", "auth_time": 1}, 401),
    ],
)
def test_requirements(run, tenant, method, path, good, bad, status):
    client = TestClient(run("requirements")["app"])
    good = {name: int(value()) if callable(value) else value for name, value in good.items()}
    assert client.request(method, path, headers=tenant.authorization(**good)).status_code == 200
    assert client.request(method, path, headers=tenant.authorization(**bad)).status_code == status
    assert client.request(method, path).status_code == 400


def test_optional_and_typed_claims(run, tenant):
    client = TestClient(run("optional-and-typed-claims")["app"])
    assert client.get("/news").json() == {"hello": "stranger"}
    assert client.get("/news", headers=tenant.authorization()).json() == {"hello": "auth0|1234"}
    assert client.get("/news", headers=tenant.authorization(exp=1)).status_code == 401
    assert client.get("/me", headers=tenant.authorization(**{TIER: "gold"})).json()["tier"] == "gold"
    assert client.get("/me", headers=tenant.authorization(sub=None)).status_code == 401


def test_websockets(run, tenant):
    client = TestClient(run("websockets")["app"])
    for given in ({"headers": tenant.authorization()}, {"subprotocols": ["bearer", tenant.token()]}):
        with client.websocket_connect("/chat", **given) as socket:
            assert socket.receive_text() == "Hello, auth0|1234."


def test_middleware(run, prover):
    names = run("middleware")
    client = TestClient(names["app"])
    assert client.get("/health").status_code == 200
    answer = client.get("/messages", headers=prover.headers("http://testserver/messages"))
    assert (answer.status_code, answer.json()) == (200, {"for": "auth0|1234"})
    refused = client.get("/messages")
    assert (refused.status_code, refused.json()["detail"]["error"]) == (400, "invalid_request")
    assert "www-authenticate" in refused.headers
    assert names["seen"] == [("/health", None), ("/messages", "auth0|1234")]


def test_logging(run, tenant, caplog):
    before = logging.getLogger("bearward").handlers[:]
    try:
        names = run("logging")
        client = TestClient(names["app"])
        refused = client.get("/messages", headers=tenant.authorization(exp=1))
        assert (refused.status_code, refused.headers["x-reason"]) == (401, "token_expired")
        assert names["facts"][-1]["code"] == "token_expired"
        assert "at most one warning per code and minute" in caplog.text
    finally:
        logging.getLogger("bearward").handlers[:] = before


def test_metrics_and_readiness(run, tenant):
    names = run("metrics-and-readiness")
    with TestClient(names["app"]) as client:
        assert client.get("/messages", headers=tenant.authorization()).status_code == 200
        assert client.get("/messages").status_code == 400
        shown = client.get("/metrics/").text
    names["provider"].shutdown()
    assert [decision.code for decision in names["decisions"]] == [None, "missing_authorization"]
    assert 'bearward_requests_total{code="missing_authorization"' in shown


def test_readiness(run):
    names = run("metrics-and-readiness", 1)
    with TestTenant() as tenant:
        tenant.serve(names["auth0"])
        tenant.down()
        with TestClient(names["app"]) as client:
            assert [client.get(path).status_code for path in ("/live", "/ready")] == [200, 503]
            tenant.up()
            # Nothing but the probe has the documents fetched.
            assert client.get("/ready").status_code == 200
            tenant.down()
            assert client.get("/ready").status_code == 200


@pytest.mark.parametrize(("name", "server"), [("app", {"root_path": "/v1"}), ("tenants", {})])
def test_behind_a_proxy(run, prover, caplog, name, server):
    caplog.set_level(logging.INFO, "bearward")
    by_proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example.com", "X-Forwarded-Prefix": "/v1"}

    with running(run("behind-a-proxy")[name], proxy_headers=False, **server) as port:
        url = f"http://127.0.0.1:{port}/orders"

        def ask(htu, **fields):
            headers = {**prover.headers(htu), **by_proxy, **fields}
            return httpx.get(url, headers=headers, trust_env=False).status_code

        assert ask("https://api.example.com/v1/orders") == 200
        assert ask(url) == 400
        assert ask("https://evil.example/v1/orders", **{"X-Forwarded-Host": "evil.example, api.example.com"}) == 400
    assert caplog.text.count("request refused: 400 proof_url_mismatch") == 2


def test_nginx_as_the_page_says(run, prover, nginx):
    (location,) = (block.text for block in blocks((PAGES / "behind-a-proxy.md").read_text()) if block.kind == "nginx")
    with running(run("behind-a-proxy")["tenants"], proxy_headers=False) as app:
        location = location.replace(":8000", f":{app}").replace("{", "{{").replace("}", "}}")
        port = nginx(NGINX.replace("LOCATION", location))
        url = f"http://127.0.0.1:{port}/v1/orders"
        forged = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example;proto=https"}
        for fields in ({}, forged):
            for htu, status in ((url, 200), ("https://evil.example/v1/orders", 400)):
                headers = {**prover.headers(htu), **fields}
                assert httpx.get(url, headers=headers, trust_env=False).status_code == status


NGINX = """
daemon off; master_process off; error_log stderr warn; pid {folder}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    LOCATION
  }}
}}
"""


def test_cors(run, tenant):
    client = TestClient(run("cors")["app"])
    page = {"Origin": "https://app.example.com"}
    asked = {**page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,dpop"}
    assert client.options("/orders", headers=asked).status_code == 200
    other = client.options("/orders", headers={**asked, "Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers
    for headers, status in ((tenant.authorization(), 200), ({}, 400), (tenant.authorization(exp=1), 401)):
        answer = client.get("/orders", headers={**headers, **page})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, page["Origin"])
        assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


def test_several_workers(run, tenant, prover, redis_server, monkeypatch):
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{redis_server[0]}")
    monkeypatch.setenv("DPOP_NONCE_KEY", os.urandom(32).hex())
    url = "http://testserver/orders"
    with contextlib.ExitStack() as stack:
        workers = []
        for names in (run("several-workers") for _ in range(2)):
            workers.append(stack.enter_context(TestClient(names["app"])))
            # In the event loop that opened its connections.
            stack.callback(workers[-1].portal.call, names["auth0"].api_client.options.dpop_replay.aclose)
        asked = workers[0].get("/orders", headers=prover.headers(url))
        assert asked.status_code == 401
        proof = prover.headers(url, nonce=asked.headers["dpop-nonce"])
        assert [worker.get("/orders", headers=proof).status_code for worker in reversed(workers)] == [200, 400]


def test_asgi(run, prover):
    names = run("asgi")
    client = TestClient(names["app"])
    assert client.get("/health").status_code == 200
    assert client.get("/messages").status_code == 401
    answer = client.get("/messages", headers=prover.headers("http://testserver/messages"))
    assert (answer.status_code, answer.json()) == (200, {"for": "auth0|1234"})
    described = TestClient(names["described"])
    metadata = "https://api.example.com/.well-known/oauth-protected-resource/v1"
    assert f'resource_metadata="{metadata}"' in described.get("/messages").headers["www-authenticate"]
    assert described.get("/.well-known/oauth-protected-resource/v1").json()["resource_name"] == "Messages"
    with TestClient(names["api"]) as published:
        assert published.get("/.well-known/oauth-protected-resource/v1").json()["resource_name"] == "Messages"


def test_mcp(run, tenant, prover):
    pytest.importorskip("fastmcp", reason="FastMCP is not installed: it needs Python 3.10 and a newer FastAPI")
    from mcp_servers import HELLO, call

    names = run("mcp")
    url = "https://mcp.example.com/mcp"
    for app in (names["app"], names["fast_app"], names["verified_app"]):
        has_dpop = app is not names["verified_app"]
        with TestClient(app, base_url="https://mcp.example.com") as client:

            def send(message, headers, client=client):
                accept = {"Accept": "application/json, text/event-stream"}
                return client.post("/mcp", json=message, headers={**accept, **headers})

            bearer = tenant.authorization(aud=url, scope="invoices:read")
            assert send(HELLO, {}).status_code == 401
            session = {"Mcp-Session-Id": send(HELLO, bearer).headers["mcp-session-id"]}
            if has_dpop:
                token = prover.token(aud=url, scope="invoices:read")
                bound = {**prover.headers(url, token, htm="POST"), **session}
                answer = send(call("list_invoices"), bound)
                assert answer.json()["result"]["content"][0]["text"] == "Invoices of auth0|1234"
                assert send(call("pay", number=1), {**bearer, **session}).status_code == 403
            else:
                bound = tenant.authorization(aud=url, scope="invoices:read", cnf={"jkt": prover.jkt})
                assert send(HELLO, bound).status_code == 401
    assert type(names["key"])(names["kept"]).jkt == names["key"].jkt


def test_every_page_is_tested():
    tested = {name[5:].replace("_", "-") for name in globals() if name.startswith("test_")}
    # Of pages that have another test.
    tested -= {"nginx-as-the-page-says", "readiness"}
    # By `test_issuers.py`, `test_several_machines.py`, `test_testing.py`, `test_wsgi.py` and `test_docs_login.py`.
    elsewhere = {"issuers", "several-machines", "testing", "flask-and-django", "log-in-from-docs"}
    assert {page.stem for page in PAGES.glob("*.md")} == (tested | elsewhere) - {"every-page-is-tested"}
