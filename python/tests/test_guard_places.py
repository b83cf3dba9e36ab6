"""Places where FastAPI doesn't look for a guard."""

import dataclasses
import logging
import sys
from typing import Annotated, Any, Generic, NamedTuple, NewType, Optional, TypeVar, Union

import pytest
from fastapi import Body, Depends, FastAPI, Query, WebSocket
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, RootModel
from pydantic_core import core_schema
from typing_extensions import TypeAliasType, TypedDict

from bearward.fastapi import Auth0FastAPI, RequireAuth, misplaced
from guards import CALL_FORGOTTEN, FORGED, GUARDS, takes
from support import AUDIENCE
from test_guard_defaults import of_a_dataclass, of_a_field, of_a_model

_T = TypeVar("_T")


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


def inside_a_union_of_two(guard):
    takes(Union[Annotated[dict, guard], Annotated[list, guard]])


def inside_a_union_with_a_bar(guard):
    if sys.version_info < (3, 10):
        pytest.skip("Python 3.9 has no unions with a bar")
    takes(Annotated[dict, guard] | None)


def inside_a_dict(guard):
    takes(dict[str, Annotated[dict, guard]])


def inside_a_new_type(guard):
    takes(NewType("Claims", Annotated[dict, guard]))


def inside_an_alias_inside_a_list(guard):
    takes(list[TypeAliasType("Claims", Annotated[dict, guard])])


def in_a_generic_model(guard):
    class Page(BaseModel, Generic[_T]):
        item: _T

    takes(Page[Annotated[dict, guard]])


def in_a_typed_dict(guard):
    takes(TypedDict("Order", {"claims": Annotated[dict, guard]}))


def in_a_named_tuple(guard):
    # FastAPI would take it for a list of files.
    takes(NamedTuple("Order", [("claims", Annotated[dict, guard])]), Body())


def in_a_model_in_a_model(guard):
    @dataclasses.dataclass
    class Inner:
        claims: Annotated[dict, guard]

    class Order(BaseModel):
        lines: list[Inner]

    takes(Optional[Order])


def in_a_root_model(guard):
    takes(RootModel[Annotated[dict, guard]])


def in_a_model_that_a_dependency_takes(guard):
    @dataclasses.dataclass
    class Order:
        claims: Annotated[dict, guard]

    async def ordered(order: Order):
        return order

    FastAPI().post("/", dependencies=[Depends(ordered)])(lambda: {})


def as_the_type_of_the_answer(guard):
    async def route() -> Annotated[dict, guard]:
        return {}

    FastAPI().post("/")(route)


MISPLACED = [
    inside_a_union,
    inside_a_list,
    before_a_body,
    inside_a_query_parameter,
    in_a_body_that_is_a_model,
    in_a_body_that_is_a_dataclass,
    in_a_model_of_query_parameters,
    on_a_web_socket_inside_a_union,
    inside_a_union_of_two,
    inside_a_union_with_a_bar,
    inside_a_dict,
    inside_a_new_type,
    inside_an_alias_inside_a_list,
    in_a_generic_model,
    in_a_typed_dict,
    in_a_named_tuple,
    in_a_model_in_a_model,
    in_a_root_model,
    in_a_model_that_a_dependency_takes,
    as_the_type_of_the_answer,
]


@pytest.mark.parametrize("guard", [*GUARDS, *CALL_FORGOTTEN])
@pytest.mark.parametrize("place", MISPLACED, ids=lambda place: place.__name__)
def test_a_guard_that_fastapi_does_not_see_is_an_error_when_the_route_is_made(auth0, place, guard):
    # Python itself takes no `Security`, which holds a list, into a union.
    with pytest.raises(TypeError, match=r"Write `|unhashable"):
        place({**GUARDS, **CALL_FORGOTTEN}[guard](auth0))


# `auth0` itself, where only `auth0.require_auth()` is a guard.


def itself_in_annotated(auth0):
    takes(dict, auth0)


def itself_as_a_default(auth0):
    async def route(claims: dict = auth0):
        return claims

    FastAPI().post("/")(route)


def itself_as_a_dependency(auth0):
    takes(dict, Depends(auth0))


def its_class_in_annotated(auth0):
    takes(dict, type(auth0))


def the_class_of_guards_in_annotated(auth0):
    takes(dict, RequireAuth)


@pytest.mark.parametrize(
    "place",
    [
        itself_in_annotated,
        itself_as_a_default,
        itself_as_a_dependency,
        its_class_in_annotated,
        the_class_of_guards_in_annotated,
        of_a_model,
        of_a_field,
        of_a_dataclass,
        inside_a_list,
    ],
    ids=lambda place: place.__name__,
)
def test_what_makes_guards_is_none_itself(auth0, place):
    with pytest.raises(TypeError, match=r"Write `|not a callable"):
        place(auth0)


def test_a_guard_is_no_decorator(auth0):
    app = FastAPI()

    async def route():
        return {}

    with pytest.raises(TypeError, match="no decorator"):
        auth0.require_auth()(route)
    with pytest.raises(TypeError, match="no decorator"):
        auth0.require_auth()(app.get("/")(route))
    with pytest.raises(TypeError, match="no decorator"):

        @auth0.require_auth()
        class View:
            pass


def test_a_forgotten_call_of_a_method_of_ones_own_is_an_error(tenant):
    class Own(Auth0FastAPI):
        def require_auth(self, scopes=None):
            return super().require_auth(scopes or "read:messages")

        async def verify(self, connection):
            return await super().verify(connection, "read:messages")

    own = Own(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)
    for forgotten in (own.require_auth, own.verify):
        with pytest.raises(TypeError, match=r"Write `Depends\("):
            takes(dict, Depends(forgotten))
    app = FastAPI()
    app.get("/", dependencies=[Depends(own.require_auth())])(lambda: {})
    answers = [TestClient(app).get("/", headers=tenant.authorization(scope=it)) for it in ("", "read:messages")]
    assert [answer.status_code for answer in answers] == [403, 200]


# What is no mistake.


def test_other_dependencies_may_stand_anywhere():
    class Order(BaseModel):
        number: Annotated[int, Depends(lambda: 1)]
        other: Any = Depends(lambda: 2)

    assert Order(number=2).number == 2


def test_guards_may_be_kept_in_classes_and_models(auth0, tenant):
    class Guards:
        reader = auth0.require_auth("read:messages")

    class Services(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        first: Auth0FastAPI
        other: Optional[Auth0FastAPI] = None
        usual: Auth0FastAPI = auth0
        reader: RequireAuth = Guards.reader

    services = Services(first=auth0)
    assert services.first is services.usual is auth0
    app = FastAPI()
    app.get("/", dependencies=[Depends(services.reader)])(lambda: {})
    assert TestClient(app).get("/").status_code == 400
    assert TestClient(app).get("/", headers=tenant.authorization()).status_code == 200


def test_a_pydantic_that_makes_schemas_in_another_way_is_noticed(monkeypatch, caplog):
    with caplog.at_level(logging.WARNING, logger="bearward"):
        misplaced._check(RequireAuth)
        assert caplog.records == []
        monkeypatch.setattr(core_schema, "with_default_schema", core_schema.with_default_schema.__wrapped__)
        misplaced._check(RequireAuth)
    (record,) = caplog.records
    assert "schemas in another way" in record.getMessage()


def test_optional_claims_as_the_error_says_to_write_them(auth0, tenant):
    app = FastAPI()

    @app.post("/")
    async def route(claims: Annotated[Optional[dict], Depends(auth0.require_auth(optional=True))]):
        return claims

    client = TestClient(app)
    assert client.post("/", json=FORGED).json() is None
    assert client.post("/", json=FORGED, headers=tenant.authorization()).json()["sub"] == "auth0|1234"
    assert client.post("/", json=FORGED, headers=tenant.authorization(exp=1)).status_code == 401
