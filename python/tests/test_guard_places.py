"""Places where FastAPI doesn't look for a guard."""

import dataclasses
from typing import Annotated, Optional

import pytest
from fastapi import Body, Depends, FastAPI, Query, WebSocket
from fastapi.testclient import TestClient
from pydantic import BaseModel

from guards import CALL_FORGOTTEN, FORGED, GUARDS

# Where FastAPI doesn't look for dependencies: it would take the claims from the request.


def inside_a_union(guard):
    async def route(claims: Optional[Annotated[dict, guard]] = None):
        return claims

    FastAPI().post("/")(route)


def inside_a_list(guard):
    async def route(claims: list[Annotated[dict, guard]] = ()):
        return claims

    FastAPI().post("/")(route)


def before_a_body(guard):
    async def route(claims: Annotated[dict, guard, Body()]):
        return claims

    FastAPI().post("/")(route)


def inside_a_query_parameter(guard):
    async def route(claims: Annotated[Optional[Annotated[str, guard]], Query()] = None):
        return claims

    FastAPI().get("/")(route)


def in_a_body_that_is_a_model(guard):
    class Order(BaseModel):
        claims: Annotated[dict, guard]

    async def route(order: Order):
        return order

    FastAPI().post("/")(route)


def in_a_body_that_is_a_dataclass(guard):
    @dataclasses.dataclass
    class Order:
        claims: Annotated[dict, guard]

    async def route(order: Order):
        return order

    FastAPI().post("/")(route)


def in_a_model_of_query_parameters(guard):
    class Filter(BaseModel):
        claims: Annotated[str, guard] = ""

    async def route(filter: Annotated[Filter, Query()]):  # noqa: A002 - a name of the query
        return filter

    FastAPI().get("/")(route)


def on_a_web_socket_inside_a_union(guard):
    async def route(websocket: WebSocket, claims: Optional[Annotated[str, guard]] = None):
        return claims

    FastAPI().websocket("/")(route)


MISPLACED = [
    inside_a_union,
    inside_a_list,
    before_a_body,
    inside_a_query_parameter,
    in_a_body_that_is_a_model,
    in_a_body_that_is_a_dataclass,
    in_a_model_of_query_parameters,
    on_a_web_socket_inside_a_union,
]


@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
@pytest.mark.parametrize("place", MISPLACED, ids=lambda place: place.__name__)
def test_a_guard_that_fastapi_does_not_see_is_an_error_when_the_route_is_made(auth0, place, guard):
    # Python itself takes no `Security`, which holds a list, into a union.
    with pytest.raises(TypeError, match=r"Write `|unhashable"):
        place({**GUARDS, **CALL_FORGOTTEN}[guard](auth0))


def test_other_dependencies_may_stand_anywhere():
    class Order(BaseModel):
        number: Annotated[int, Depends(lambda: 1)]

    assert Order(number=2).number == 2


def test_optional_claims_as_the_error_says_to_write_them(auth0, tenant):
    app = FastAPI()

    @app.post("/")
    async def route(claims: Annotated[Optional[dict], Depends(auth0.require_auth(optional=True))]):
        return claims

    client = TestClient(app)
    assert client.post("/", json=FORGED).json() is None
    assert client.post("/", json=FORGED, headers=tenant.authorization()).json()["sub"] == "auth0|1234"
    assert client.post("/", json=FORGED, headers=tenant.authorization(exp=1)).status_code == 401
