"""What `/docs` shows, and that showing it costs a request nothing."""

import threading
from unittest.mock import patch

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from bearward.fastapi.openapi import LoginScheme
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE

LOGIN = "Auth0-api.example.com"


@pytest.fixture
def other(tenant):
    return Auth0FastAPI(domain=tenant.domain, audience="https://other.example/", custom_fetch=tenant.fetch)


@pytest.fixture
def nested(auth0, other):
    """Guards of two APIs on every level: app, router in a router, route, parameter, dependency of a dependency."""

    async def user(claims: dict = Depends(auth0.require_auth("openid"))):
        return claims["sub"]

    inner = APIRouter(prefix="/inner", dependencies=[Depends(auth0.require_auth("read:messages"))])

    @inner.get("/route", dependencies=[Depends(other.require_auth("other"))])
    async def route(sub: str = Depends(user), claims: dict = Depends(auth0.require_auth())):
        return {"sub": sub}

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.include_router(outer)
    app.include_router(outer, prefix="/again")
    return app


@pytest.fixture
def token(tenant):
    return tenant.authorization(aud=[AUDIENCE, "https://other.example/"], scope="openid read:messages other")


def scopes_of(operation):
    """All scopes of an operation, per scheme; FastAPI before 0.116 lists a scheme once per dependency."""
    found = {}
    for requirement in operation["get"].get("security", []):
        for name, scopes in requirement.items():
            found.setdefault(name, set()).update(scopes)
    return found


def test_schemes_and_scopes(app, client):
    document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["Bearer"]["type"] == "http"
    assert schemes["Bearer"]["scheme"] == "bearer"
    assert schemes[LOGIN] == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "https://tenant.example/authorize?audience=https%3A%2F%2Fapi.example.com",
                "tokenUrl": "https://tenant.example/oauth/token",
                "scopes": {"read:messages": "", "write:messages": ""},
            }
        },
    }
    paths = document["paths"]
    assert "security" not in paths["/public"]["get"]
    assert paths["/private"]["get"]["security"] == [{"Bearer": []}, {LOGIN: []}]
    assert paths["/messages"]["get"]["security"] == [{"Bearer": []}, {LOGIN: ["read:messages"]}]
    assert paths["/both"]["get"]["security"] == [{"Bearer": []}, {LOGIN: ["read:messages", "write:messages"]}]
    assert all("parameters" not in operation["get"] for operation in paths.values())
    assert client.get("/docs").status_code == 200


@pytest.mark.parametrize(
    ("options", "name", "scheme", "dpop"),
    [
        ({}, "Bearer", "bearer", True),
        ({"dpop_enabled": False}, "Bearer", "bearer", False),
        ({"dpop_required": True}, "DPoP", "dpop", True),
    ],
)
def test_dpop(tenant, options, name, scheme, dpop):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
    document = guarded_app(auth0).openapi()
    shown = document["components"]["securitySchemes"][name]
    assert (shown["type"], shown["scheme"], "DPoP" in shown["description"]) == ("http", scheme, dpop)
    assert document["paths"]["/messages"]["get"]["security"] == [{name: []}, {LOGIN: ["read:messages"]}]
    nonces = Auth0FastAPI(
        domain=tenant.domain, audience=AUDIENCE, **{**options, "dpop_nonce": options.get("dpop_enabled", True)}
    )
    assert guarded_app(nonces).openapi() == document


def test_two_apis_in_one_app(nested):
    document = nested.openapi()
    assert set(document["components"]["securitySchemes"]) == {"Bearer", LOGIN, "Auth0-other.example"}
    for path in ("/outer/inner/route", "/again/outer/inner/route"):
        scopes = scopes_of(document["paths"][path])
        assert scopes == {"Bearer": set(), LOGIN: {"openid", "read:messages"}, "Auth0-other.example": {"other"}}


@pytest.mark.parametrize("docs_first", [True, False])
def test_requests_do_not_change_the_document(nested, token, docs_first):
    fresh = nested.openapi() if docs_first else None
    client = TestClient(nested)
    for _ in range(3):
        for path in ("/outer/inner/route", "/again/outer/inner/route"):
            assert client.get(path, headers=token).json() == {"sub": "auth0|1234"}
    nested.openapi_schema = None
    after = nested.openapi()
    assert fresh is None or after == fresh
    assert scopes_of(after["paths"]["/outer/inner/route"])[LOGIN] == {"openid", "read:messages"}


def test_after_the_first_request_a_scheme_is_no_more_in_the_way(nested, app, token):
    calls = []

    async def counted(self, request):
        calls.append(request.url.path)
        await original(self, request)

    original = LoginScheme.__call__
    with patch.object(LoginScheme, "__call__", counted):
        for served, path in (
            (app, "/messages"),
            (app, "/both"),
            (nested, "/outer/inner/route"),
            (nested, "/again/outer/inner/route"),
        ):
            client = TestClient(served)
            client.get(path, headers=token)
            calls.clear()
            for _ in range(3):
                client.get(path, headers=token)
            assert calls == [], path


def test_guards_still_guard_after_the_first_request(nested, tenant, token):
    client = TestClient(nested)
    for _ in range(3):
        assert client.get("/outer/inner/route", headers=token).status_code == 200
        assert client.get("/outer/inner/route").status_code == 400
        for lacking in ("openid read:messages", "openid other", "read:messages other"):
            weak = tenant.authorization(aud=[AUDIENCE, "https://other.example/"], scope=lacking)
            assert client.get("/outer/inner/route", headers=weak).status_code == 403
        single = tenant.authorization(scope="openid read:messages other")
        assert client.get("/outer/inner/route", headers=single).status_code == 401


def test_overrides_work_before_and_after(nested, auth0, token):
    client = TestClient(nested)
    assert client.get("/outer/inner/route", headers=token).status_code == 200
    nested.dependency_overrides[auth0.require_auth("openid")] = lambda: {"sub": "nobody"}
    assert client.get("/outer/inner/route", headers=token).json() == {"sub": "nobody"}
    nested.dependency_overrides.clear()
    assert client.get("/outer/inner/route", headers=token).json() == {"sub": "auth0|1234"}


def test_first_requests_from_many_threads(nested, token):
    before = nested.openapi()
    statuses = []

    def work():
        statuses.append(TestClient(nested).get("/outer/inner/route", headers=token).status_code)

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert statuses == [200] * 8
    nested.openapi_schema = None
    assert nested.openapi() == before
