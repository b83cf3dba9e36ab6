"""Ways to write a guarded route: as FastAPI's documentation shows them, and with what is easily forgotten."""

import copy
import inspect

import fastapi.dependencies.utils
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bearward.fastapi import Auth0FastAPI, RequireAuth
from guards import CALL_FORGOTTEN, FORGED, GUARDS
from ways import (
    WAYS,
    a_dependency_that_overrides_another,
    an_alias_that_is_an_object,
    dependencies_of_an_included_router,
    parameter_default,
    routers_in_routers,
)


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_the_route_is_guarded(auth0, tenant, way, guard):
    client = TestClient(way(GUARDS[guard](auth0)))
    for query in ("", "?claims=x&scopes=&request=x&self=x"):
        assert client.post(f"/{query}", json=FORGED).status_code == 400
        assert client.post(f"/{query}", json=FORGED, headers=tenant.authorization(exp=1)).status_code == 401
    answer = client.post("/", json={"anything": 1}, headers=tenant.authorization())
    assert (answer.status_code, answer.json()["sub"]) == (200, "auth0|1234")


@pytest.mark.parametrize("guard", CALL_FORGOTTEN)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_forgotten_call_is_an_error_when_the_route_is_made(auth0, way, guard):
    def make():
        app = way(CALL_FORGOTTEN[guard](auth0))
        # Newer FastAPI makes the routes of an included router with the first request.
        # What overrides another dependency is looked at with each request.
        assert way in (dependencies_of_an_included_router, routers_in_routers, a_dependency_that_overrides_another)
        TestClient(app).post("/")

    with pytest.raises(TypeError, match=r"Write `Depends\(auth0.require_auth\(\)\)`"):
        make()


@pytest.mark.parametrize("guard", GUARDS)
def test_an_alias_that_is_an_object_is_guarded_or_an_error(auth0, tenant, guard):
    # FastAPI looks into such an alias since it knows the statement `type`.
    made = GUARDS[guard](auth0)
    if not hasattr(fastapi.dependencies.utils, "is_typealiastype"):
        with pytest.raises(TypeError, match="Write `"):
            an_alias_that_is_an_object(made)
        return
    app = an_alias_that_is_an_object(made)
    assert TestClient(app).post("/", json=FORGED).status_code == 400
    assert TestClient(app).post("/", headers=tenant.authorization()).json()["sub"] == "auth0|1234"


METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]


@pytest.mark.parametrize("method", METHODS)
def test_each_method(auth0, tenant, method):
    app = FastAPI()
    getattr(app, method)("/", dependencies=[auth0.require_auth()])(lambda: {})
    client = TestClient(app)
    assert client.request(method, "/").status_code == 400
    assert client.request(method, "/", headers=tenant.authorization()).status_code == 200


def on_the_app(guard, route):
    app = FastAPI(dependencies=[guard])
    app.websocket("/")(route)
    return app


def on_the_router(guard, route):
    app, router = FastAPI(), APIRouter(dependencies=[guard])
    router.websocket("/")(route)
    app.include_router(router)
    return app


def on_the_route(guard, route):
    app = FastAPI()
    app.websocket("/", dependencies=[guard])(route)
    return app


def by_add_api_websocket_route(guard, route):
    app, router = FastAPI(), APIRouter(dependencies=[guard])
    router.add_api_websocket_route("/", route)
    app.include_router(router)
    return app


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("way", [on_the_app, on_the_router, on_the_route, by_add_api_websocket_route])
def test_web_sockets_that_are_guarded_from_outside(auth0, tenant, way, guard):
    async def route(websocket: WebSocket):
        await websocket.accept()
        await websocket.send_text("in")
        await websocket.close()

    client = TestClient(way(GUARDS[guard](auth0), route))
    with client.websocket_connect("/", headers=tenant.authorization()) as websocket:
        assert websocket.receive_text() == "in"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
def test_web_sockets(auth0, tenant, guard):
    app = FastAPI()
    made = {**GUARDS, **CALL_FORGOTTEN}[guard](auth0)

    def make():
        @app.websocket("/")
        async def route(websocket: WebSocket, claims: dict = made):
            await websocket.accept()
            await websocket.send_text(claims["sub"])
            await websocket.close()

    if guard in CALL_FORGOTTEN:
        with pytest.raises(TypeError, match="Write"):
            make()
        return
    make()
    client = TestClient(app)
    with client.websocket_connect("/", headers=tenant.authorization()) as websocket:
        assert websocket.receive_text() == "auth0|1234"
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


def test_the_methods_are_methods_to_everything_else(auth0):
    assert auth0.require_auth == auth0.require_auth
    assert auth0.require_auth != auth0.verify
    assert auth0.require_auth("a") is Auth0FastAPI.require_auth(auth0, "a")
    assert list(inspect.signature(Auth0FastAPI.require_auth).parameters)[:2] == ["self", "scopes"]
    assert next(iter(inspect.signature(auth0.require_auth).parameters)) == "scopes"
    assert "Equal arguments" in inspect.getdoc(auth0.require_auth)

    class Own(Auth0FastAPI):
        def require_auth(self, scopes=None):
            return super().require_auth("read:messages")

    own = Own(domain="tenant.example", audience="a")
    assert isinstance(own.require_auth(), RequireAuth)
    assert own.require_auth().scopes == ("read:messages",)
    assert copy.copy(own.require_auth()) is own.require_auth()
    assert hash(auth0.require_auth) == hash(auth0.require_auth)


def test_a_guard_is_one_object_to_fastapi(auth0):
    guard = auth0.require_auth("a")
    assert guard.dependency is guard
    assert {guard: 1}[auth0.require_auth("a")] == 1
    assert repr(guard) == "RequireAuth(requirement=Requirement(scopes=('a',)), optional=False, model=None)"


def test_overrides(auth0):
    app = parameter_default(auth0.require_auth())
    app.dependency_overrides[auth0.require_auth()] = lambda: {"sub": "tests"}
    assert TestClient(app).post("/").json() == {"sub": "tests"}
