"""MCP servers behind each of the three fronts, over real servers."""

import json
import socket
import subprocess
import sys

import httpx2
import pytest
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

import bearward._asgi.streams
import bearward.mcp
from bearward import ApiClient, ApiClientOptions, ConfigurationError, ProtectedResource
from bearward.fastmcp import BearwardProvider
from bearward.testing import act_as
from mcp_servers import HELLO, OPEN, OPERATIONS, begun, call, fast_app, post, sdk_app, told
from support import Clock, Prover, free_port, running
from test_resource import challenged

FRONTS = ["sdk", "fastmcp"]


class Front:
    """A server behind one of the fronts, before it runs."""

    def __init__(self, kind, tenant, fetch=None, **options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        given = {"issuer": tenant.issuer, "custom_fetch": fetch or tenant.fetch, **options}
        given.setdefault("operations", OPERATIONS)
        if kind == "sdk":
            app = bearward.mcp.guard(sdk_app(), resource=self.url, scopes=["invoices:read"], **given)
        else:
            base = f"http://127.0.0.1:{self.port}"
            app = fast_app(BearwardProvider(base_url=base, required_scopes=["invoices:read"], **given))
        self.app = app

    def running(self):
        return running(self.app, port=self.port, lifespan="on")

    def token(self, maker, scope="invoices:read", **claims):
        return maker.token(aud=self.url, scope=scope, azp="app", **claims)

    def bearer(self, tenant, **claims):
        return {"Authorization": f"Bearer {self.token(tenant, **claims)}"}


@pytest.fixture(params=FRONTS)
def front(request, tenant):
    front = Front(request.param, tenant)
    with front.running():
        yield front


@pytest.mark.parametrize("kind", FRONTS)
def test_acting_as_somebody(kind, tenant):
    front = Front(kind, tenant)
    with front.running():
        with act_as(front.app, sub="auth0|ann", scope="invoices:read", azp="app"):
            session = begun(front.url, {})
            assert json.loads(told(post(front.url, call(), {}, session)))["subject"] == "auth0|ann"
            assert post(front.url, call("pay"), {}, session).status_code == 403
        # FastMCP itself asks for this scope.
        with act_as(front.app, checks=False, scope="invoices:read", azp="app"):
            session = begun(front.url, {})
            assert told(post(front.url, call("pay"), {}, session)) == "paid by auth0|test"
        assert post(front.url, HELLO, {}).status_code == 401


@pytest.fixture
def get():
    with httpx2.Client(trust_env=False) as client:
        yield client.get


def test_without_a_token(front, get, tenant):
    for headers in ({}, {"Authorization": "Basic YTpi"}, front.bearer(tenant, exp=1)):
        answer = post(front.url, HELLO, headers)
        challenge = answer.headers["www-authenticate"]
        assert answer.status_code == 401
        assert challenge.count('scope="invoices:read"') == 2
        document = get(challenged(challenge)).json()
        assert (document["resource"], document["authorization_servers"]) == (front.url, [tenant.issuer])
        assert set(document["scopes_supported"]) == {"invoices:read", "invoices:pay", "docs:read"}
        assert document["dpop_signing_alg_values_supported"] == ["ES256"]
    assert get(f"http://127.0.0.1:{front.port}/.well-known/oauth-protected-resource").json() == document


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_a_tool_knows_who_calls(front, tenant, prover, scheme):
    maker = prover if scheme == "DPoP" else tenant
    token = front.token(maker)

    def headers():
        if scheme == "Bearer":
            return {"Authorization": f"Bearer {token}"}
        return prover.headers(front.url, token, htm="POST")

    session = begun(front.url, headers())
    who = json.loads(told(post(front.url, call(), headers(), session)))
    assert who == {
        "subject": "auth0|1234",
        "client_id": "app",
        "scopes": ["invoices:read"],
        "resource": front.url,
        "expires_at": "int",
        "issuer": tenant.issuer,
        "jkt": prover.jkt if scheme == "DPoP" else None,
    }


def test_a_bound_token_as_bearer(front, prover):
    answer = post(front.url, HELLO, {"Authorization": f"Bearer {front.token(prover)}"})
    assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_token")


def test_a_proof_by_another_key_or_for_another_url_or_used(front, tenant, prover):
    token = front.token(prover)
    stranger = Prover(tenant)
    bad = [
        stranger.headers(front.url, token, htm="POST"),
        prover.headers(front.url, token, htm="GET"),
        prover.headers(f"{front.url}/other", token, htm="POST"),
    ]
    once = prover.headers(front.url, token, htm="POST")
    assert post(front.url, HELLO, once).status_code == 200
    for headers in (*bad, once):
        assert post(front.url, HELLO, headers).status_code == 401


def test_an_operation_needs_more_scopes(front, tenant):
    few, many = front.bearer(tenant), front.bearer(tenant, scope="invoices:read invoices:pay")
    session = begun(front.url, few)
    answer = post(front.url, call("pay"), few, session)
    assert answer.status_code == 403
    # All scopes of the operation: both official clients then ask for these.
    assert 'scope="invoices:read invoices:pay"' in answer.headers["www-authenticate"]
    assert challenged(answer.headers["www-authenticate"])
    assert told(post(front.url, call("pay"), many, session)) == "paid by auth0|1234"
    # The session goes on with the newer token, and tools see that one.
    assert json.loads(told(post(front.url, call(), many, session)))["scopes"] == ["invoices:read", "invoices:pay"]


def test_a_session_is_of_who_has_begun_it(front, tenant):
    session = begun(front.url, front.bearer(tenant))
    assert post(front.url, call(), front.bearer(tenant, sub="mallory"), session).status_code == 404


def deep(levels):
    return b'{"method":"tools/call","params":' + b"[" * levels + b"]" * levels + b"}"


PAY = json.dumps(call("pay")).encode()
HOSTILE = {
    "duplicate method": (b'{"jsonrpc":"2.0","id":1,"method":"tools/list",' + PAY[1:], 400),
    "duplicate method, escaped": (b'{"jsonrpc":"2.0","id":1,"m\\u0065thod":"tools/list",' + PAY[1:], 400),
    "duplicate name": (PAY.replace(b'"name"', b'"name":"who","name"'), 400),
    "escaped names": (PAY.replace(b"pay", b"p\\u0061y").replace(b"tools/call", b"tools\\/call"), 403),
    "escaped members": (PAY.replace(b'"name"', b'"n\\u0061me"').replace(b'"method"', b'"\\u006dethod"'), 403),
    "batch": (b"[" + json.dumps(call()).encode() + b"," + PAY + b"]", 403),
    "empty batch": (b"[]", 400),
    "5 MB": (PAY[:-1] + b" " * 5_000_000 + b"}", 413),
    "invalid UTF-8": (PAY.replace(b"pay", b"pay\xff"), 400),
    "UTF-16": (PAY.decode().encode("utf-16"), 400),
    "UTF-32": (PAY.decode().encode("utf-32"), 400),
    "byte order mark": (b"\xef\xbb\xbf" + PAY, 400),
    "NaN": (PAY.replace(b'"id": 1', b'"id": NaN'), 400),
    "Infinity": (PAY.replace(b'"id": 1', b'"id": -Infinity'), 400),
    "depth 10 000": (deep(10_000), 400),
    "two messages": (PAY + PAY, 400),
    "a lone surrogate": (PAY.replace(b"pay", b"pay\\ud800"), 400),
    "a comment": (PAY[:-1] + b"/**/}", 400),
    "no JSON": (b"pay", 400),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bodies(front, tenant, name):
    body, status = HOSTILE[name]
    headers = front.bearer(tenant)
    assert post(front.url, body, headers).status_code == status


def test_headers_say_nothing_about_the_operation(front, tenant):
    told_otherwise = {**front.bearer(tenant), "Mcp-Method": "tools/list", "Mcp-Name": "who"}
    assert post(front.url, call("pay"), told_otherwise).status_code == 403
    packed = {**front.bearer(tenant), "Content-Encoding": "gzip"}
    assert post(front.url, b"\x1f\x8b\x08\x00", packed).status_code == 400


def test_a_chunked_body(front, tenant):
    few, many = front.bearer(tenant), front.bearer(tenant, scope="invoices:read invoices:pay")
    session = begun(front.url, few)

    def chunks():
        for byte in PAY:
            yield bytes([byte])

    with httpx2.Client(trust_env=False) as client:
        for headers, status in [(few, 403), (many, 200)]:
            accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
            every = {**accept, **headers, "Mcp-Session-Id": session}
            assert client.post(front.url, content=chunks(), headers=every).status_code == status


def test_a_client_that_goes_away_while_its_body_is_read(front, tenant, caplog):
    head = f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n{authorization(front, tenant)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", front.port)) as connection:
        connection.sendall(head.encode() + PAY[:20])
    assert begun(front.url, front.bearer(tenant))
    assert "unexpected error" not in caplog.text


def authorization(front, tenant):
    return "Authorization: " + front.bearer(tenant)["Authorization"]


async def test_an_operation_that_needs_scopes_needs_a_token_where_others_need_none(tenant):
    options = ApiClientOptions(
        issuer=tenant.issuer, audience="https://mcp.example.com/mcp", custom_fetch=tenant.fetch, rfc_status_codes=True
    )
    bodies = []

    async def app(scope, receive, send):
        bodies.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200})

    guarded = bearward.mcp.McpGuard(app, ApiClient(options), operations=OPERATIONS, optional=True)

    async def status(body):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        await guarded({"type": "http", "method": "POST", "path": "/mcp", "headers": []}, receive, send)
        return sent[0]["status"]

    free = b'{"method":"tools/call","params":{"name":"who"}}'
    assert (await status(free), bodies) == (200, [free])
    assert await status(free.replace(b"who", b"pay")) == 401
    assert await status(b"[") == 400
    assert bodies == [free]


async def test_operations_in_a_websocket_are_refused(tenant):
    """Its messages come after it is accepted, so nobody would look at them."""
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    async def app(*_):
        raise AssertionError

    options = {"issuer": tenant.issuer, "custom_fetch": tenant.fetch, "operations": OPERATIONS}
    guarded = bearward.mcp.guard(app, resource="https://mcp.example.com/mcp", **options)
    token = tenant.token(aud="https://mcp.example.com/mcp").encode()
    scope = {"type": "websocket", "path": "/mcp", "scheme": "wss", "headers": [(b"authorization", b"Bearer " + token)]}
    await guarded(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("kind", FRONTS)
def test_a_stream_ends_with_its_token(kind, tenant, monkeypatch):
    front = Front(kind, tenant, end_streams_at_expiry=True)
    with front.running():
        headers = front.bearer(tenant)
        session = begun(front.url, headers)
        # For what is sent behind the guard, the token ends at once.
        clock = Clock()
        clock.ahead = 3600
        monkeypatch.setattr(bearward._asgi.streams, "time", clock)
        every = {**headers, "Mcp-Session-Id": session, "Accept": "text/event-stream"}
        with httpx2.Client(trust_env=False, timeout=20) as client:
            answer = client.get(front.url, headers=every)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")


@pytest.mark.parametrize("kind", FRONTS)
def test_an_outage_is_503(kind, tenant):
    async def down(url):
        raise OSError

    front = Front(kind, tenant, fetch=down)
    with front.running():
        answer = post(front.url, HELLO, front.bearer(tenant))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_a_guard_in_a_mount_warns(tenant, caplog):
    """The metadata document would have to be at the root of the server, which the mounted guard never sees."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/inner/mcp"
    options = {"issuer": tenant.issuer, "custom_fetch": tenant.fetch}
    guarded = bearward.mcp.guard(sdk_app(), resource=url, **options)
    with running(Starlette(routes=[Mount("/inner", guarded)]), port=port), httpx2.Client(trust_env=False) as client:
        challenge = client.post(url, json=HELLO).headers["www-authenticate"]
        assert client.get(challenged(challenge)).status_code == 404
    assert [r.levelname for r in caplog.records if "mounted in another" in r.getMessage()] == ["WARNING"]


@pytest.mark.parametrize("outside", [True, False])
def test_a_page_reads_why_it_is_refused_only_if_cors_is_outside(tenant, outside):
    port = free_port()
    url, page = f"http://127.0.0.1:{port}/mcp", {"Origin": "https://page.example"}
    options = {"issuer": tenant.issuer, "custom_fetch": tenant.fetch}
    cors = {"allow_origins": [page["Origin"]], "expose_headers": ["WWW-Authenticate", "DPoP-Nonce"]}
    if outside:
        app = CORSMiddleware(bearward.mcp.guard(sdk_app(), resource=url, **options), **cors)
    else:
        app = bearward.mcp.guard(CORSMiddleware(sdk_app(), **cors), resource=url, **options)
    with running(app, port=port, lifespan="on"), httpx2.Client(trust_env=False, headers=page) as client:
        refused = client.post(url, json=HELLO)
        document = client.get(challenged(refused.headers["www-authenticate"]))
    exposed = refused.headers.get("access-control-expose-headers", "")
    assert (refused.status_code, "WWW-Authenticate" in exposed) == (401, outside)
    # Public, wherever CORS is.
    assert document.headers["access-control-allow-origin"] in ("*", page["Origin"])


def test_custom_routes_of_fastmcp_stay_open(tenant, get):
    front = Front("fastmcp", tenant)
    with front.running():
        url = f"http://127.0.0.1:{front.port}/health"
        assert get(url).text == "well"
        assert get(url, headers={"Authorization": "Bearer x"}).status_code == 401


def test_the_sse_transport_of_fastmcp(tenant, get):
    port = free_port()
    provider = BearwardProvider(
        base_url=f"http://127.0.0.1:{port}", issuer=tenant.issuer, custom_fetch=tenant.fetch, audience="a"
    )
    with running(fast_app(provider, transport="sse"), port=port, lifespan="on"):
        for path in ("/sse", "/messages/?session_id=0"):
            url = f"http://127.0.0.1:{port}{path}"
            assert get(url).status_code == 401
            assert get(url, headers=tenant.authorization(aud="b")).status_code == 401


async def test_fastmcp_verifies_a_token_alone(tenant, prover):
    provider = BearwardProvider(base_url="https://mcp.example.com", issuer=tenant.issuer, custom_fetch=tenant.fetch)
    with pytest.raises(ConfigurationError):
        await provider.verify_token("x")
    provider.set_mcp_path("/mcp")
    aud = "https://mcp.example.com/mcp"
    assert (await provider.verify_token(tenant.token(aud=aud))).resource == aud
    for bad in ("x", tenant.token(), prover.token(aud=aud)):
        assert await provider.verify_token(bad) is None


# The verifier, for the SDK's own middleware


def verifier_app(tenant, url, fetch=None, **more):
    options = ApiClientOptions(issuer=tenant.issuer, audience=url, custom_fetch=fetch or tenant.fetch, **more)
    verifier = bearward.mcp.BearwardTokenVerifier(ApiClient(options))
    settings = AuthSettings(
        issuer_url=tenant.issuer,
        resource_server_url=url,
        required_scopes=["invoices:read"],
        validate_token_resource=True,
    )
    server = MCPServer("verified", token_verifier=verifier, auth=settings)
    app = server.streamable_http_app(json_response=True, transport_security=OPEN)
    return verifier.outages_as_503(app)


@pytest.fixture
def own_url():
    return f"http://127.0.0.1:{free_port()}/mcp"


def running_at(url, app):
    return running(app, port=httpx2.URL(url).port, lifespan="on")


def test_the_verifier(tenant, prover, own_url):
    with running_at(own_url, verifier_app(tenant, own_url)):

        def status(maker=tenant, **claims):
            claims = {"aud": own_url, "scope": "invoices:read", **claims}
            return post(own_url, HELLO, {"Authorization": f"Bearer {maker.token(**claims)}"}).status_code

        assert status() == 200
        assert status(scope="") == 403
        assert status(exp=1) == 401
        assert status(aud="https://other.example") == 401
        assert status(prover) == 401
        assert status(aud=["https://other.example", own_url]) == 200


def test_the_verifier_takes_no_bound_token_whatever_its_client_does(tenant, prover, own_url):
    """The SDK checks no proof, so the token alone would be enough."""
    with running_at(own_url, verifier_app(tenant, own_url, dpop_enabled=False)):
        answers = [
            post(own_url, HELLO, {"Authorization": f"Bearer {maker.token(aud=own_url, scope='invoices:read')}"})
            for maker in (prover, tenant)
        ]
    assert [answer.status_code for answer in answers] == [401, 200]


def test_the_verifier_in_an_outage(tenant, own_url):
    async def down(url):
        raise OSError

    with running_at(own_url, verifier_app(tenant, own_url, down)):
        answer = post(own_url, HELLO, tenant.authorization())
    assert (answer.status_code, answer.json()["detail"]["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_verifier_alone_warns_of_an_outage_once(tenant, caplog):
    """The SDK has no answer for it but 401."""

    async def down(url):
        raise OSError

    options = ApiClientOptions(issuer=tenant.issuer, audience="a", custom_fetch=down)
    verifier = bearward.mcp.BearwardTokenVerifier(ApiClient(options))
    for _ in range(2):
        assert await verifier.verify_token(tenant.token(aud="a")) is None
    assert [record.levelname for record in caplog.records if "outages_as_503" in record.getMessage()] == ["WARNING"]
    assert await verifier.verify_token("x") is None


# Nobody sees a token


async def test_no_token_in_reprs(tenant):
    options = ApiClientOptions(issuer=tenant.issuer, audience="a", custom_fetch=tenant.fetch)
    token = tenant.token(aud="a")
    found = await bearward.mcp.BearwardTokenVerifier(ApiClient(options)).verify_token(token)
    assert found.token == token
    for text in (repr(found), str(found), repr(bearward.mcp.DpopKey.generate())):
        assert token not in text
        assert "PRIVATE" not in text


@pytest.mark.parametrize(
    "options",
    [
        {"resource": "mcp.example.com"},
        {"rfc_status_codes": False},
        {"operations": ["pay"]},
        {"operations": {"resources/read": {"name": ["a"]}}},
        {"operations": {"tools/call": {"pay": [""]}}},
        {"client": ApiClient(ApiClientOptions(domain="a.example", audience="b"))},
        {"issuer": "http://tenant.example/"},
    ],
)
def test_what_cannot_be_used(options):
    given = {"resource": "https://mcp.example.com/mcp", "issuer": "https://tenant.example/", **options}
    with pytest.raises(ConfigurationError):
        bearward.mcp.guard(sdk_app(), **given)


def test_a_client_with_compatible_statuses_is_refused():
    client = ApiClient(ApiClientOptions(domain="a.example", audience="b"))
    with pytest.raises(ConfigurationError, match="rfc_status_codes"):
        bearward.mcp.guard(sdk_app(), resource=ProtectedResource("https://mcp.example.com/mcp"), client=client)


@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        ("mcp", "import bearward.mcp; bearward.mcp.guard", "bearward[mcp]"),
        ("httpx2", "from bearward.mcp import DpopAuth", "bearward[mcp]"),
        ("fastmcp", "import bearward.fastmcp", "bearward[fastmcp]"),
    ],
)
def test_without_the_extra_the_error_says_what_to_install(missing, code, extra):
    program = f"import sys; sys.modules[{missing!r}] = None; {code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    assert f"needs the package {missing!r}: pip install '{extra}'" in done.stderr.splitlines()[-1]


def test_the_package_is_imported_without_either_sdk():
    program = "import sys; sys.modules['mcp'] = sys.modules['httpx2'] = None; import bearward.mcp, bearward.asgi"
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603
