"""WebSocket routes behind a guard, with a client that we did not write, over real servers."""

import contextlib
import json
from typing import Optional

import pytest
import websockets.exceptions
import websockets.sync.client
from fastapi import Depends, FastAPI, WebSocket, WebSocketException
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from bearward import ConfigurationError
from bearward.fastapi import Auth0FastAPI, AuthHTTPException, claims_of
from servers import SANSIO, under_hypercorn
from support import AUDIENCE, running


def echoing_app(auth0, **options):
    """Says who is connected, then repeats what it hears."""
    app = FastAPI(**options)

    @app.websocket("/chat")
    async def chat(websocket: WebSocket, claims: dict = Depends(auth0.require_auth("read:messages"))):
        await websocket.accept()
        await websocket.send_text(claims["sub"])
        await websocket.send_text(claims_of(websocket)["sub"])
        await websocket.close()

    @app.websocket("/open")
    async def open_to_all(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text("hello")
        await websocket.close()

    return app


@pytest.fixture(params=[SANSIO, "wsproto", "hypercorn-asyncio", "hypercorn-trio"])
def served(request):
    """Runs an app under uvicorn, with either of its implementations, or under hypercorn; gives the port."""

    def serve(app):
        server, _, worker = request.param.partition("-")
        return under_hypercorn(app, worker) if server == "hypercorn" else running(app, ws=request.param)

    return serve


@contextlib.contextmanager
def connected(port, path="/chat", headers=None, **options):
    url = f"ws://127.0.0.1:{port}{path}"
    with websockets.sync.client.connect(url, additional_headers=headers, proxy=None, **options) as socket:
        yield socket
        # All routes close. If the client did that at the same moment, hypercorn under trio would end.
        for _ in socket:
            pass


def refused(port, **options):
    with pytest.raises(websockets.exceptions.InvalidStatus) as refusal, connected(port, **options):
        pass
    return refusal.value.response


def test_a_good_token(auth0, tenant, served):
    with served(echoing_app(auth0)) as port, connected(port, headers=tenant.authorization()) as socket:
        assert [socket.recv(), socket.recv()] == ["auth0|1234", "auth0|1234"]


def test_a_bound_token_with_a_proof_for_the_http_spelling_of_the_url(auth0, prover, served):
    with served(echoing_app(auth0)) as port:
        headers = prover.headers(f"http://127.0.0.1:{port}/chat")
        with connected(port, headers=headers) as socket:
            assert socket.recv() == "auth0|1234"
        again = refused(port, headers=headers)
        assert (again.status_code, error_of(again)) == (400, "invalid_dpop_proof")
        for bad in (
            prover.headers(f"http://127.0.0.1:{port}/chat", htm="POST"),
            prover.headers(f"http://127.0.0.1:{port}/open"),
        ):
            assert refused(port, headers=bad).status_code == 400


def error_of(response):
    return json.loads(response.body)["detail"]["error"]


def test_refusals_have_status_body_and_challenge(auth0, tenant, prover, served):
    with served(echoing_app(auth0)) as port:
        for headers, status, error in [
            ({}, 400, "invalid_request"),
            (tenant.authorization(exp=1), 401, "invalid_token"),
            ({"Authorization": f"Bearer {prover.token()}"}, 401, "invalid_token"),
            (tenant.authorization(scope="other"), 403, "insufficient_scope"),
        ]:
            response = refused(port, headers=headers)
            assert (response.status_code, error_of(response)) == (status, error)
            assert response.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_whole_app_with_web_sockets(auth0, tenant, served):
    app = echoing_app(auth0, dependencies=[Depends(auth0.require_auth())])
    with served(app) as port:
        assert refused(port, path="/open").status_code == 400
        with connected(port, path="/open", headers=tenant.authorization()) as socket:
            assert socket.recv() == "hello"


def test_without_denial_responses_it_is_closed_before_it_is_accepted(auth0, tenant):
    app = echoing_app(auth0)

    async def without_extension(scope, receive, send):
        await app({**scope, "extensions": {}}, receive, send)

    client = TestClient(without_extension)
    with pytest.raises(WebSocketDisconnect) as refusal, client.websocket_connect("/chat"):
        pass
    assert (refusal.value.code, refusal.value.reason) == (1008, "invalid_request")


@pytest.mark.parametrize("extensions", [{}, None, {"websocket.http.response": {}}])
async def test_verify_of_a_web_socket(auth0, tenant, prover, extensions):
    scope = {"type": "websocket", "path": "/a", "scheme": "wss", "query_string": b"", "extensions": extensions}
    fields = [(name.lower().encode(), value.encode()) for name, value in prover.headers("https://a.example/a").items()]
    scope["headers"] = [(b"host", b"a.example"), *fields]
    good = WebSocket(scope, receive=None, send=None)
    assert (await auth0.verify(good))["sub"] == "auth0|1234"
    assert (await auth0.verify(good))["sub"] == "auth0|1234"
    bad = WebSocket({**scope, "headers": []}, receive=None, send=None)
    kind = AuthHTTPException if extensions else WebSocketException
    with pytest.raises(kind):
        await auth0.verify(bad)


@pytest.mark.parametrize(
    "origin", ["https://api.example.com", "https://api.example.com:8443"], ids=["plain", "with_a_port"]
)
def test_public_origin(tenant, prover, origin):
    auth0 = Auth0FastAPI(
        domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, public_origin=origin, dpop_required=True
    )
    client = TestClient(echoing_app(auth0))
    with client.websocket_connect("/chat", headers=prover.headers(f"{origin}/chat")) as socket:
        assert socket.receive_text() == "auth0|1234"


# Browsers: the token among the subprotocols


@pytest.fixture
def for_browsers(tenant):
    options = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch}
    return Auth0FastAPI(**options, websocket_subprotocol="bearer")


def test_a_browser_offers_its_token_as_a_subprotocol(for_browsers, tenant, served):
    with served(echoing_app(for_browsers)) as port:
        with connected(port, subprotocols=["bearer", tenant.token()]) as socket:
            assert (socket.subprotocol, socket.recv(), socket.recv()) == ("bearer", "auth0|1234", "auth0|1234")
        with connected(port, subprotocols=["chat", "bearer", tenant.token()]) as socket:
            assert socket.subprotocol == "bearer"
        for token, status in [(tenant.token(exp=1), 401), (tenant.token(scope=""), 403)]:
            assert refused(port, subprotocols=["bearer", token]).status_code == status


def test_a_route_may_accept_with_another_subprotocol(for_browsers, tenant):
    app = FastAPI()

    @app.websocket("/")
    async def route(websocket: WebSocket, claims: dict = Depends(for_browsers.require_auth())):
        await websocket.accept(subprotocol="chat", headers=[(b"x-a", b"b")])
        await websocket.close()

    client = TestClient(app)
    with client.websocket_connect("/", subprotocols=["chat", "bearer", tenant.token()]) as socket:
        assert socket.accepted_subprotocol == "chat"


@pytest.mark.parametrize(
    "offered",
    [
        lambda token: ["bearer"],
        lambda token: [token, "bearer"],
        lambda token: ["Bearer", token],
        lambda token: ["bearer", "bearer", token],
        lambda token: ["bearer", "x", token],
        lambda token: [token],
    ],
)
def test_what_is_no_token_among_the_subprotocols(for_browsers, tenant, offered):
    client = TestClient(echoing_app(for_browsers))
    with (
        pytest.raises(WebSocketDenialResponse) as refusal,
        client.websocket_connect("/chat", subprotocols=offered(tenant.token())),
    ):
        pass
    assert refusal.value.status_code in (400, 401)


@pytest.mark.parametrize("offered", [["bearer"], ["bearer", "x"], ["bearer", "x", "bearer"]])
def test_a_bad_token_is_not_taken_for_none(for_browsers, offered):
    app = FastAPI()

    @app.websocket("/")
    async def route(websocket: WebSocket, claims: Optional[dict] = Depends(for_browsers.require_auth(optional=True))):
        await websocket.accept()
        await websocket.close()

    client = TestClient(app)
    with pytest.raises(WebSocketDenialResponse) as refusal, client.websocket_connect("/", subprotocols=offered):
        pass
    assert refusal.value.status_code in (400, 401)
    with client.websocket_connect("/", subprotocols=["chat", "Bearer"]) as socket:
        assert socket.accepted_subprotocol is None


def test_a_token_in_both_places_is_refused(for_browsers, tenant, served):
    with served(echoing_app(for_browsers)) as port:
        both = refused(port, subprotocols=["bearer", tenant.token()], headers=tenant.authorization())
        assert (both.status_code, error_of(both)) == (400, "invalid_request")


def test_a_bound_token_is_none_for_browsers(for_browsers, prover, served):
    with served(echoing_app(for_browsers)) as port:
        assert refused(port, subprotocols=["bearer", prover.token()]).status_code == 401


def test_only_on_request_and_for_web_sockets_only(auth0, for_browsers, tenant):
    protocols = ["bearer", tenant.token()]
    with (
        pytest.raises(WebSocketDenialResponse),
        TestClient(echoing_app(auth0)).websocket_connect("/chat", subprotocols=protocols),
    ):
        pass
    app = FastAPI(dependencies=[Depends(for_browsers.require_auth())])

    @app.get("/")
    async def route():
        return {}

    assert TestClient(app).get("/", headers={"Sec-WebSocket-Protocol": ", ".join(protocols)}).status_code == 400


def test_the_token_is_in_no_log_and_in_no_context_of_a_resolver(tenant, caplog):
    caplog.set_level("DEBUG")
    contexts = []

    def resolve(context):
        contexts.append(context)
        return [tenant.domain]

    auth0 = Auth0FastAPI(domains=resolve, audience=AUDIENCE, custom_fetch=tenant.fetch, websocket_subprotocol="bearer")
    token = tenant.token(scope="")
    with (
        pytest.raises(WebSocketDenialResponse),
        TestClient(echoing_app(auth0)).websocket_connect("/chat", subprotocols=["bearer", token]),
    ):
        pass
    assert "insufficient_scope" in caplog.text
    assert token not in f"{contexts}{[record.getMessage() for record in caplog.records if record.name == 'bearward']}"


@pytest.mark.parametrize("name", ["", "a b", "a,b", "b\u00e9arer", 5])
def test_what_is_no_subprotocol(name):
    with pytest.raises(ConfigurationError):
        Auth0FastAPI(domain="tenant.example", audience="a", websocket_subprotocol=name)
