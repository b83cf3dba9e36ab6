"""Ways to write a guarded route: as FastAPI's documentation shows them, and with what is easily forgotten."""

import copy
import dataclasses
import functools
import inspect
import json
from typing import Annotated

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Response, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from bearward.fastapi import Auth0FastAPI, RequireAuth
from guards import CALL_FORGOTTEN, FORGED, GUARDS

# A route, router or app, each written with `guard` as the guard; `claims` are what the route answers.


def parameter_default(guard):
    app = FastAPI()

    @app.post("/")
    async def route(claims: dict = guard):
        return claims

    return app


def annotated_parameter(guard):
    app = FastAPI()

    @app.post("/")
    async def route(claims: Annotated[dict, guard]):
        return claims

    return app


def annotated_parameter_of_a_sync_route(guard):
    app = FastAPI()

    @app.post("/")
    def route(claims: Annotated[dict, guard]):
        return claims

    return app


def annotated_parameter_with_a_body_beside_it(guard):
    app = FastAPI()

    @app.post("/")
    async def route(claims: Annotated[dict, guard], body: dict):
        return claims

    return app


def alias_of_an_annotated_type(guard):
    Claims = Annotated[dict, guard]  # noqa: N806 - a type
    app = FastAPI()

    @app.post("/")
    async def route(claims: Claims):
        return claims

    return app


def dependencies_of_a_route(guard):
    app = FastAPI()

    @app.post("/", dependencies=[guard])
    async def route():
        return {"sub": "auth0|1234"}

    return app


def dependencies_of_a_router(guard):
    app, router = FastAPI(), APIRouter(dependencies=[guard])

    @router.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    app.include_router(router)
    return app


def dependencies_of_an_included_router(guard):
    app, router = FastAPI(), APIRouter()

    @router.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    app.include_router(router, dependencies=[guard])
    return app


def dependencies_of_an_app(guard):
    app = FastAPI(dependencies=[guard])

    @app.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    return app


def a_dependency_of_a_dependency(guard):
    app = FastAPI()

    def user(claims: dict = guard):
        return claims["sub"]

    @app.post("/")
    async def route(sub: str = Depends(user)):
        return {"sub": sub}

    return app


def a_dependency_that_is_a_class(guard):
    class User:
        def __init__(self, claims: Annotated[dict, guard]):
            self.sub = claims["sub"]

    app = FastAPI()

    @app.post("/")
    async def route(user: Annotated[User, Depends()]):
        return {"sub": user.sub}

    return app


def a_dependency_that_yields(guard):
    app = FastAPI()

    async def user(claims: dict = guard):
        yield claims["sub"]

    @app.post("/")
    async def route(sub: str = Depends(user)):
        return {"sub": sub}

    return app


def an_instance_that_is_called(guard):
    class Checker:
        async def __call__(self, claims: dict = guard):
            return claims

    app = FastAPI()

    @app.post("/")
    async def route(claims: dict = Depends(Checker())):
        return claims

    return app


def add_api_route(guard):
    async def route(claims: dict = guard):
        return claims

    app = FastAPI()
    app.add_api_route("/", route, methods=["POST"])
    return app


def a_mounted_app(guard):
    inner, app = FastAPI(dependencies=[guard]), FastAPI()

    @inner.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    app.mount("", inner)
    return app


def annotated_parameter_with_a_default(guard):
    app = FastAPI()

    @app.post("/")
    async def route(claims: Annotated[dict, guard] = None):  # noqa: RUF013 - as people write it
        return claims

    return app


def keyword_only_parameter(guard):
    app = FastAPI()

    @app.post("/")
    async def route(*, body: dict, claims: dict = guard):
        return claims

    return app


def annotations_that_are_strings(guard):
    app = FastAPI()
    names = {"app": app, "guard": guard, "Annotated": Annotated}
    text = "@app.post('/')\nasync def route(claims: 'Annotated[dict, guard]'):\n    return claims\n"
    exec(text, names)  # noqa: S102 - names of a module, as annotations need them
    return app


def a_dependency_that_is_a_dataclass(guard):
    @dataclasses.dataclass
    class User:
        claims: Annotated[dict, guard]
        page: int = 0

    app = FastAPI()

    @app.post("/")
    async def route(user: Annotated[User, Depends()]):
        return user.claims

    return app


def a_dependency_of_a_dependency_that_is_not_cached(guard):
    app = FastAPI()

    async def outer(claims: dict = guard):
        return claims

    async def inner(claims: Annotated[dict, Depends(outer, use_cache=False)]):
        return claims

    @app.post("/")
    async def route(claims: Annotated[dict, Depends(inner, use_cache=False)]):
        return claims

    return app


def an_endpoint_that_is_a_partial_function(guard):
    async def route(number, claims: dict = guard):
        return claims

    app = FastAPI()
    app.post("/")(functools.partial(route, 1))
    return app


def an_endpoint_that_is_a_method(guard):
    class View:
        async def post(self, claims: dict = guard):
            return claims

    app = FastAPI()
    app.add_api_route("/", View().post, methods=["POST"])
    return app


def a_route_class_of_its_own(guard):
    class Route(APIRoute):
        def get_route_handler(self):
            handle = super().get_route_handler()

            async def timed(request):
                return await handle(request)

            return timed

    app, router = FastAPI(), APIRouter(route_class=Route)

    @router.post("/")
    async def route(claims: dict = guard):
        return claims

    app.include_router(router)
    return app


def routers_in_routers(guard):
    app, outer, inner = FastAPI(), APIRouter(prefix="", dependencies=[guard]), APIRouter()

    @inner.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    outer.include_router(inner)
    app.include_router(outer)
    return app


def routes_that_are_given_to_the_app(guard):
    async def route():
        return {"sub": "auth0|1234"}

    return FastAPI(routes=[APIRoute("/", route, methods=["POST"], dependencies=[guard])])


def a_background_task(guard):
    app = FastAPI()

    @app.post("/")
    async def route(tasks: BackgroundTasks, response: Response, claims: dict = guard):
        tasks.add_task(str)
        response.headers["X-More"] = "1"
        return claims

    return app


def a_stream(guard):
    app = FastAPI()

    @app.post("/")
    async def route(claims: dict = guard):
        async def parts():
            yield json.dumps(claims)

        return StreamingResponse(parts())

    return app


WAYS = [
    parameter_default,
    annotated_parameter,
    annotated_parameter_of_a_sync_route,
    annotated_parameter_with_a_body_beside_it,
    alias_of_an_annotated_type,
    dependencies_of_a_route,
    dependencies_of_a_router,
    dependencies_of_an_included_router,
    dependencies_of_an_app,
    a_dependency_of_a_dependency,
    a_dependency_that_is_a_class,
    a_dependency_that_yields,
    an_instance_that_is_called,
    add_api_route,
    a_mounted_app,
    annotated_parameter_with_a_default,
    keyword_only_parameter,
    annotations_that_are_strings,
    a_dependency_that_is_a_dataclass,
    a_dependency_of_a_dependency_that_is_not_cached,
    an_endpoint_that_is_a_partial_function,
    an_endpoint_that_is_a_method,
    a_route_class_of_its_own,
    routers_in_routers,
    routes_that_are_given_to_the_app,
    a_background_task,
    a_stream,
]


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
        assert way in (dependencies_of_an_included_router, routers_in_routers)
        TestClient(app).post("/")

    with pytest.raises(TypeError, match=r"Write `Depends\(auth0.require_auth\(\)\)`"):
        make()


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
