"""What guards may require of a valid token; the rules themselves are in `vectors/requirement.json`."""

import contextlib
import copy
import dataclasses
import enum
import functools
import gc
import logging
import pickle
import subprocess
import sys
import time
from typing import Any, Optional
from unittest.mock import AsyncMock, patch

import httpx
import pydantic
import pytest
from fastapi import Depends, FastAPI, Security
from fastapi.testclient import TestClient
from typing_extensions import TypedDict

from bearward import ApiClient, ApiClientOptions, ConfigurationError, Requirement
from bearward.fastapi import RequireAuth
from servers import under_hypercorn
from support import AUDIENCE, running

TIER = "https://api.example.com/tier"


def client_for(auth0, *args, **required):
    app = FastAPI()

    @app.get("/")
    async def route(claims: Any = Depends(auth0.require_auth(*args, **required))):
        return claims

    return TestClient(app)


def challenge(answer):
    return answer.headers.get("www-authenticate")


REFUSED = [
    ({"scopes": "a b"}, 403, "insufficient_scope", 'scope="a b"'),
    ({"any_scope": ["a", "b"]}, 403, "insufficient_scope", 'scope="a b"'),
    ({"permissions": ["a"], "any_scope": ["read:messages"]}, 403, "insufficient_scope", 'scope="read:messages a"'),
    ({"any_permission": "a b"}, 403, "insufficient_scope", 'scope="a b"'),
    ({"organization": "org_1"}, 403, "access_denied", None),
    ({"organization": ["acme", "org_1"]}, 403, "access_denied", None),
    ({"claims": {TIER: "gold"}}, 403, "access_denied", None),
    ({"claims": {"sub": lambda sub: sub.startswith("google|")}}, 403, "access_denied", None),
    ({"claims": {"missing": lambda it: True}}, 403, "access_denied", None),
    ({"acr": "mfa"}, 401, "insufficient_user_authentication", 'acr_values="mfa"'),
    ({"max_age": 60}, 401, "insufficient_user_authentication", 'max_age="60"'),
    ({"acr": ["a", "b"], "max_age": 0}, 401, "insufficient_user_authentication", 'acr_values="a b", max_age="0"'),
]


@pytest.mark.parametrize(("required", "status", "error", "parameter"), REFUSED)
def test_what_is_not_met_is_refused(auth0, tenant, prover, required, status, error, parameter):
    client = client_for(auth0, **required)
    for headers, scheme in ((tenant.authorization(), "Bearer"), (prover.headers("http://testserver/"), "DPoP")):
        answer = client.get("/", headers=headers)
        assert (answer.status_code, answer.json()["detail"]["error"]) == (status, error)
        if parameter is None:
            assert challenge(answer) is None
        else:
            assert f'{scheme} error="{error}"' in challenge(answer)
            assert parameter in challenge(answer)


MET = [
    ({"any_scope": ["a", "read:messages"]}, {}),
    ({"permissions": ["a", "b"]}, {"permissions": ["b", "a"]}),
    ({"any_permission": ["a", "b"]}, {"permissions": ["b"]}),
    ({"organization": "Acme"}, {"org_id": "org_1", "org_name": "acme"}),
    ({"claims": {TIER: {"gold", "silver"}}}, {TIER: "gold"}),
    ({"claims": {TIER: ("gold", "silver")}}, {TIER: ["silver"]}),
    ({"claims": {"sub": lambda sub: sub.startswith("auth0|")}}, {}),
    ({"acr": ["mfa"], "max_age": 60}, {"acr": "mfa", "auth_time": time.time}),
]


@pytest.mark.parametrize(("required", "claims"), MET)
def test_what_is_met_is_let_in(auth0, tenant, required, claims):
    claims = {name: int(value()) if callable(value) else value for name, value in claims.items()}
    answer = client_for(auth0, **required).get("/", headers=tenant.authorization(**claims))
    assert (answer.status_code, answer.json()["sub"]) == (200, "auth0|1234")


SERVERS = {
    "uvicorn-h11": functools.partial(running, http="h11"),
    "uvicorn-httptools": functools.partial(running, http="httptools"),
    "hypercorn-asyncio": functools.partial(under_hypercorn, worker="asyncio"),
    "hypercorn-trio": functools.partial(under_hypercorn, worker="trio"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_each_row_over_real_servers(auth0, tenant, prover, server):
    app = FastAPI()
    for number, (required, *_) in enumerate([*REFUSED, *MET]):
        app.get(f"/{number}", dependencies=[auth0.require_auth(**required)])(lambda: {})
    with SERVERS[server](app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for number, (_, status, error, parameter) in enumerate(REFUSED):
            bound = prover.headers(f"http://127.0.0.1:{port}/{number}")
            for headers, scheme in ((tenant.authorization(), "Bearer"), (bound, "DPoP")):
                answer = client.get(f"/{number}", headers=headers)
                assert (answer.status_code, answer.json()["detail"]["error"]) == (status, error)
                said = challenge(answer)
                assert said is None if parameter is None else f'{scheme} error="{error}"' in said and parameter in said
        for number, (_, claims) in enumerate(MET, len(REFUSED)):
            given = {name: int(value()) if callable(value) else value for name, value in claims.items()}
            bound = prover.headers(f"http://127.0.0.1:{port}/{number}", prover.token(**given))
            for headers in (tenant.authorization(**given), bound):
                assert client.get(f"/{number}", headers=headers).status_code == 200


def test_scopes_of_security_are_added_to_all_that_is_required(auth0, tenant):
    app = FastAPI()

    @app.get("/")
    async def route(claims: dict = Security(auth0.require_auth(permissions="p"), scopes=["s"])):
        return claims

    client = TestClient(app)
    for claims, code in [
        ({"scope": "s", "permissions": ["p"]}, 200),
        ({"scope": "s", "permissions": []}, 403),
        ({"scope": "x", "permissions": ["p"]}, 403),
    ]:
        answer = client.get("/", headers=tenant.authorization(**claims))
        assert answer.status_code == code
    assert 'scope="s p"' in challenge(answer)


WRONG = [
    {"any_scope": []},
    {"any_scope": ""},
    {"any_permission": ()},
    {"permissions": [5]},
    {"permissions": ["a", ""]},
    {"permissions": ""},
    {"permissions": ["\ud800"]},
    {"max_age": 10**400},
    {"permissions": 5},
    {"organization": []},
    {"organization": ""},
    {"organization": [None]},
    {"acr": []},
    {"acr": 2},
    {"max_age": -1},
    {"max_age": 1.5},
    {"max_age": True},
    {"max_age": "60"},
    {"claims": ["a"]},
    {"claims": {"a": None}},
    {"claims": {"a": []}},
    {"claims": {"a": set()}},
    {"claims": {"a": ["b", None]}},
    {"claims": {"a": float("nan")}},
    {"claims": {"a": object()}},
    {"claims": {"": 1}},
    {"claims": {5: 1}},
    {"model": 5},
    {"model": int},
    {"model": "User"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_what_no_token_could_meet_is_an_error_at_start(auth0, wrong):
    with pytest.raises(ConfigurationError):
        auth0.require_auth(**wrong)


def test_an_async_function_would_always_be_true(auth0, tenant):
    async def refuses(claim):
        return False

    with pytest.raises(ConfigurationError, match="async"):
        auth0.require_auth(claims={"sub": refuses})
    answer = client_for(auth0, claims={"sub": lambda claim: refuses(claim)}).get("/", headers=tenant.authorization())
    assert answer.status_code == 500


def test_a_function_that_raises_lets_nobody_in(auth0, tenant, caplog):
    answer = client_for(auth0, claims={"sub": lambda claim: claim["x"]}).get("/", headers=tenant.authorization())
    assert answer.status_code == 500
    assert "unexpected error" in caplog.text


def test_equal_arguments_are_one_guard(auth0):
    def is_good(claim):
        return True

    one = auth0.require_auth("a", permissions=["p", "q"], claims={"a": [1, 2], "b": is_good}, acr="x", max_age=5)
    assert one is auth0.require_auth(
        ["a"], permissions="p q", claims={"b": is_good, "a": (1, 2)}, acr=["x"], max_age=5, optional=False
    )
    for other in (
        auth0.require_auth("a", permissions=["p"]),
        auth0.require_auth("p q", permissions=["a"]),
        auth0.require_auth(any_scope="a"),
        auth0.require_auth("a", optional=True),
        auth0.require_auth("a", model=Model),
    ):
        assert other != one
        assert other is not auth0.require_auth("a")


def test_requirements_without_a_framework(tenant):
    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE))
    requirement = Requirement("a", permissions=["p"])
    assert requirement == Requirement(["a"], permissions="p")
    assert hash(requirement) == hash(Requirement(["a"], permissions="p"))
    assert not Requirement()
    for again in (copy.deepcopy(requirement), pickle.loads(pickle.dumps(requirement))):  # noqa: S301
        assert again == requirement
        assert client.unmet({"scope": "a", "permissions": ["p"]}, again) is None
        error = client.unmet({"scope": "a", "permissions": []}, again, "DPoP x")
        assert (error.code, error.get_status_code()) == ("permission_missing", 403)
        assert 'DPoP error="insufficient_scope"' in error.get_headers()["WWW-Authenticate"]
    assert repr(requirement) == "Requirement(scopes=('a',), permissions=('p',))"


@pytest.mark.parametrize("claims", [{"scope": object()}, {"scope": float("nan")}, {"scope": {1, 2}}, {}])
def test_a_stand_in_for_claims_that_is_no_json_meets_nothing(auth0, claims):
    client = client_for(auth0, "a")
    with patch.object(auth0.api_client, "verify_request", AsyncMock(return_value=claims)):
        assert client.get("/").status_code == 403


# Optional


@pytest.mark.parametrize("headers", [{}, {"Cookie": "a=b"}, {"X-Api-Key": "x"}])
def test_without_any_credentials_an_optional_guard_gives_none(auth0, headers):
    answer = client_for(auth0, "admin", optional=True).get("/", headers=headers)
    assert (answer.status_code, answer.json()) == (200, None)


def test_credentials_that_are_no_good_are_refused_all_the_same(auth0, tenant, prover):
    client = client_for(auth0, "read:messages", optional=True)
    assert client.get("/", headers=tenant.authorization()).json()["sub"] == "auth0|1234"
    for headers, status in [
        ({"Authorization": ""}, 400),
        ({"Authorization": "Basic YTpi"}, 400),
        ({"Authorization": "Bearer"}, 400),
        ({"DPoP": "x"}, 400),
        (tenant.authorization(exp=1), 401),
        (tenant.authorization(scope=""), 403),
        ({"Authorization": f"Bearer {prover.token()}"}, 401),
    ]:
        assert client.get("/", headers=headers).status_code == status


# Models


class Model(pydantic.BaseModel):
    sub: str
    tier: Optional[str] = pydantic.Field(None, alias=TIER)


@dataclasses.dataclass
class Record:
    sub: str
    scope: str = ""


class Typed(TypedDict):
    sub: str


class Own:
    def __init__(self, sub):
        self.sub = sub

    @classmethod
    def from_claims(cls, claims):
        return cls(claims["sub"])


class Level(enum.Enum):
    GOLD = "gold"


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")
    sub: str
    level: Level


@pytest.mark.parametrize("model", [Model, Record, Own])
def test_claims_become_the_model(auth0, tenant, model):
    app = FastAPI()
    seen = []

    @app.get("/")
    async def route(user: Any = Depends(auth0.require_auth(model=model))):
        seen.append(user)

    client = TestClient(app)
    assert client.get("/", headers=tenant.authorization()).status_code == 200
    assert type(seen[0]) is model
    assert seen[0].sub == "auth0|1234"


def test_claims_become_a_typed_dict(auth0, tenant):
    assert client_for(auth0, model=Typed).get("/", headers=tenant.authorization()).json() == {"sub": "auth0|1234"}


def test_claims_become_a_struct(auth0, tenant):
    msgspec = pytest.importorskip("msgspec", reason="msgspec is not installed")
    user = msgspec.defstruct("User", [("sub", str), ("scope", str)])
    app = FastAPI()

    @app.get("/")
    async def route(user: Any = Depends(auth0.require_auth(model=user))):
        return user.sub

    client = TestClient(app)
    assert client.get("/", headers=tenant.authorization()).json() == "auth0|1234"
    answer = client.get("/", headers=tenant.authorization(scope=5, sub=None))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_token")


@pytest.mark.parametrize("model", [Model, Record, Typed, Own, Strict])
def test_claims_that_do_not_fit_are_refused_and_only_the_log_has_the_member(auth0, tenant, caplog, model):
    caplog.set_level(logging.INFO, "bearward")
    client = client_for(auth0, model=model)
    answer = client.get("/", headers=tenant.authorization(sub=None, level="SECRET-VALUE"))
    assert (answer.status_code, answer.json()["detail"]) == (
        401,
        {"error": "invalid_token", "error_description": "Token claims can't be used"},
    )
    assert 'error="invalid_token"' in challenge(answer)
    (record,) = [record for record in caplog.records if record.levelno == logging.INFO and record.name == "bearward"]
    assert record.bearward["code"] == "claims_unusable"
    assert ("sub" in record.bearward["detail"]) or model is Own
    assert "SECRET-VALUE" not in caplog.text


def test_a_model_that_breaks_is_a_defect(auth0, tenant, caplog):
    class Broken:
        @classmethod
        def from_claims(cls, claims):
            raise RuntimeError("broken")

    assert client_for(auth0, model=Broken).get("/", headers=tenant.authorization()).status_code == 500
    assert "RuntimeError: broken" in caplog.text


def test_optional_with_a_model(auth0, tenant):
    client = client_for(auth0, model=Record, optional=True)
    assert client.get("/").json() is None
    assert client.get("/", headers=tenant.authorization()).json()["sub"] == "auth0|1234"


def test_requirements_come_before_the_model(auth0, tenant):
    client = client_for(auth0, "admin", model=Strict)
    assert client.get("/", headers=tenant.authorization()).status_code == 403


async def test_what_verify_requires_of_a_request_is_not_kept_for_ever(auth0, tenant):
    from fastapi import HTTPException, Request

    field = (b"authorization", tenant.authorization(org_id="org_1")["Authorization"].encode())
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b"", "headers": [field]}
    # As in a route `/{organization}/...`: whoever sends the request chooses.
    for number in range(300):
        with contextlib.suppress(HTTPException):
            await auth0.verify(Request(scope), organization=f"org_{number}", claims={"sub": lambda sub: True})
    gc.collect()
    kept = [guard for guard in gc.get_objects() if type(guard) is RequireAuth and guard._auth0 is auth0]
    assert len(kept) <= 100
    assert await auth0.verify(Request(scope), organization="org_1")


async def test_verify_takes_the_same_arguments(auth0, tenant):
    from fastapi import HTTPException, Request

    field = (b"authorization", tenant.authorization()["Authorization"].encode())
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b"", "headers": [field]}
    assert (await auth0.verify(Request(scope), model=Record)).sub == "auth0|1234"
    with pytest.raises(HTTPException) as refusal:
        await auth0.verify(Request(scope), permissions="admin")
    assert refusal.value.code == "permission_missing"
    assert await auth0.verify(Request({**scope, "headers": []}), optional=True) is None


WITHOUT_A_FRAMEWORK = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("fastapi", "starlette", "pydantic", "flask", "django"):
            raise ImportError(f"{name} is not to be imported")

sys.meta_path.insert(0, Blocker())

import bearward
from bearward import *
from bearward.errors import InsufficientScopeError
from bearward.scopes import validate_scopes

assert validate_scopes({"scope": "a b"}, ["a"])
client = ApiClient(ApiClientOptions(domain="tenant.example", audience="api"))
unmet = client.unmet({"scope": "a"}, Requirement("b"))
assert isinstance(unmet, InsufficientScopeError)
assert (unmet.get_status_code(), unmet.code) == (403, "insufficient_scope")
try:
    client.verify_request_sync({})
except MissingAuthorizationError as error:
    assert "WWW-Authenticate" in error.get_headers()
else:
    raise AssertionError
"""


def test_requirements_scopes_and_errors_need_no_framework():
    subprocess.run([sys.executable, "-c", WITHOUT_A_FRAMEWORK], check=True)  # noqa: S603 - our own arguments
