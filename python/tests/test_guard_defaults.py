"""Guards as defaults, where FastAPI would take the claims from the request."""

import dataclasses
import functools
from typing import Annotated, Generic, NamedTuple, Optional, TypeVar

import pydantic.dataclasses
import pytest
from fastapi import Body, Cookie, Depends, FastAPI, File, Form, Header, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from guards import CALL_FORGOTTEN, FORGED, GUARDS, takes

_T = TypeVar("_T")

# No client has to leave a default as it is.


def of_a_model(guard):
    class Order(BaseModel):
        claims: dict = guard

    takes(Order)


def of_a_field(guard):
    class Order(BaseModel):
        claims: dict = Field(guard)

    takes(Order)


def of_an_annotated_field(guard):
    class Order(BaseModel):
        claims: Annotated[dict, Field(default=guard)]

    takes(Order)


def of_a_field_by_a_factory(guard):
    class Order(BaseModel):
        claims: dict = Field(default_factory=guard)

    takes(Order)


def of_a_field_by_a_factory_with_arguments(guard):
    class Order(BaseModel):
        claims: dict = Field(default_factory=functools.partial(guard, "read:messages"))

    takes(Order)


def of_a_model_that_is_made(guard):
    takes(create_model("Order", claims=(dict, guard)))


def of_a_generic_model(guard):
    class Page(BaseModel, Generic[_T]):
        item: _T = guard

    takes(Page[dict])


def of_a_root_model(guard):
    class Order(RootModel):
        root: dict = guard

    takes(Order)


def of_a_dataclass(guard):
    @dataclasses.dataclass
    class Order:
        claims: dict = guard

    takes(Order)


def of_a_dataclass_by_a_factory(guard):
    @dataclasses.dataclass
    class Order:
        claims: dict = dataclasses.field(default_factory=guard)

    takes(Order)


def of_a_dataclass_of_pydantic(guard):
    @pydantic.dataclasses.dataclass
    class Order:
        claims: dict = guard

    takes(Order)


def of_a_named_tuple(guard):
    class Order(NamedTuple):
        claims: dict = guard

    # FastAPI would take it for a list of files.
    takes(Order, Body())


def of_a_model_in_a_model(guard):
    @dataclasses.dataclass
    class Inner:
        claims: dict = guard

    class Order(BaseModel):
        lines: list[Inner]

    takes(Optional[Order])


def of_a_model_of_query_parameters(guard):
    class Filter(BaseModel):
        claims: str = guard

    takes(Filter, Query())


def of_a_model_of_headers(guard):
    class Headers(BaseModel):
        claims: str = guard

    takes(Headers, Header())


def of_a_model_of_cookies(guard):
    class Cookies(BaseModel):
        claims: str = guard

    takes(Cookies, Cookie())


def of_a_form(guard):
    class Order(BaseModel):
        claims: str = guard

    takes(Order, Form())


def of_a_model_that_is_a_class_of_dependencies(guard):
    class User(BaseModel):
        claims: dict = guard

    takes(User, Depends())


def of_a_parameter(source):
    def of_a_parameter_with_a_source(guard):
        async def route(claims: str = source(guard)):
            return claims

        FastAPI().post("/")(route)

    return of_a_parameter_with_a_source


DEFAULTS = [
    of_a_model,
    of_a_field,
    of_an_annotated_field,
    of_a_model_that_is_made,
    of_a_generic_model,
    of_a_root_model,
    of_a_dataclass,
    of_a_dataclass_of_pydantic,
    of_a_named_tuple,
    of_a_model_in_a_model,
    of_a_model_of_query_parameters,
    of_a_model_of_headers,
    of_a_model_of_cookies,
    of_a_form,
    of_a_model_that_is_a_class_of_dependencies,
    *map(of_a_parameter, (Body, Query, Header, Cookie)),
]
FACTORIES = [of_a_field_by_a_factory, of_a_field_by_a_factory_with_arguments, of_a_dataclass_by_a_factory]


@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
@pytest.mark.parametrize("place", DEFAULTS, ids=lambda place: place.__name__)
def test_a_guard_as_a_default_is_an_error_when_the_route_is_made(auth0, place, guard):
    with pytest.raises(TypeError, match="Write `"):
        place({**GUARDS, **CALL_FORGOTTEN}[guard](auth0))


@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
@pytest.mark.parametrize("credentials", ["none", "good"])
def test_a_model_whose_schema_is_made_later_lets_nobody_in(auth0, tenant, guard, credentials):
    made = {**GUARDS, **CALL_FORGOTTEN}[guard](auth0)
    headers = tenant.authorization() if credentials == "good" else {}
    app = FastAPI()

    def make():
        class Order(BaseModel):
            model_config = ConfigDict(defer_build=True)
            claims: dict = made

        @app.post("/")
        async def route(order: Order):
            return order

    # With the route, or with each of its requests: that depends on pydantic.
    def ask():
        if not any(route.path == "/" for route in app.routes):
            make()
        TestClient(app).post("/", json=FORGED, headers=headers)

    for _ in range(2):
        with pytest.raises(TypeError, match="Write `"):
            ask()


@pytest.mark.parametrize("guard", ["depends_forgotten", "with_a_scope"])
@pytest.mark.parametrize("place", FACTORIES, ids=lambda place: place.__name__)
def test_a_guard_as_a_factory_of_defaults_is_an_error_when_the_route_is_made(auth0, place, guard):
    with pytest.raises(TypeError, match="Write `"):
        place(GUARDS[guard](auth0))


@pytest.mark.parametrize("guard", ["nothing", "verify_alone"])
@pytest.mark.parametrize("place", FACTORIES, ids=lambda place: place.__name__)
def test_a_forgotten_call_as_a_factory_of_defaults_is_an_error_when_the_route_is_made(auth0, place, guard):
    with pytest.raises(TypeError, match="Write `"):
        place(CALL_FORGOTTEN[guard](auth0))


@pytest.mark.parametrize("source", [Body, Query, Header, Cookie, Form, File])
@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
def test_fastapi_itself_refuses_a_guard_beside_another_source(auth0, guard, source):
    made = {**GUARDS, **CALL_FORGOTTEN}[guard](auth0)

    async def route(claims: Annotated[str, source()] = made):
        return claims

    with pytest.raises((AssertionError, TypeError)):
        FastAPI().post("/")(route)
