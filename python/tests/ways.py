"""Ways to write a guarded route, as FastAPI's documentation shows them.

Each is given a guard and makes an app. Its route answers with the claims, or with those of the usual token.
"""

import dataclasses
import functools
import json
from typing import Annotated, NamedTuple

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from typing_extensions import TypeAliasType


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


def a_dependency_that_is_a_dataclass_with_a_default(guard):
    @dataclasses.dataclass
    class User:
        claims: dict = guard

    app = FastAPI()

    @app.post("/")
    async def route(user: Annotated[User, Depends()]):
        return user.claims

    return app


def a_dependency_that_is_a_named_tuple(guard):
    class User(NamedTuple):
        claims: dict = guard

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


def a_mounted_router(guard):
    app, router = FastAPI(), APIRouter(dependencies=[guard])

    @router.post("/")
    async def route():
        return {"sub": "auth0|1234"}

    app.mount("", router)
    return app


def an_alias_that_is_an_object(guard):
    Claims = TypeAliasType("Claims", Annotated[dict, guard])  # noqa: N806 - a type
    app = FastAPI()

    @app.post("/")
    async def route(claims: Claims):
        return claims

    return app


def a_dependency_that_overrides_another(guard):
    app = FastAPI()

    async def nobody():
        return {"sub": "nobody"}

    async def somebody(claims: dict = guard):
        return claims

    @app.post("/")
    async def route(claims: dict = Depends(nobody)):
        return claims

    app.dependency_overrides[nobody] = somebody
    return app


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
    a_dependency_that_is_a_dataclass_with_a_default,
    a_dependency_that_is_a_named_tuple,
    a_dependency_of_a_dependency_that_is_not_cached,
    an_endpoint_that_is_a_partial_function,
    an_endpoint_that_is_a_method,
    a_route_class_of_its_own,
    routers_in_routers,
    routes_that_are_given_to_the_app,
    a_mounted_router,
    a_dependency_that_overrides_another,
    a_background_task,
    a_stream,
]
