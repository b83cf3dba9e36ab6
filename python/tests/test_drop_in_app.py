"""Code written for the SDK that this replaces: apps as its README, its guides and its users write them."""

from functools import lru_cache
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.testclient import TestClient
from starlette.middleware.base import BaseHTTPMiddleware

from fastapi_plugin import Auth0FastAPI, BaseAuthError, DomainsResolverContext
from fastapi_plugin.fast_api_client import Auth0FastAPI as Auth0FastAPIOfTheOlderPath
from fastapi_plugin.utils import http_exception
from support import AUDIENCE, Tenant


def test_the_quick_start(tenant):
    app = FastAPI()
    auth0 = Auth0FastAPIOfTheOlderPath(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)

    @app.get("/api/public")
    def public():
        return {"message": "for everybody"}

    @app.get("/api/private")
    async def private(claims: dict = Depends(auth0.require_auth())):
        return {"sub": claims["sub"], "permissions": claims.get("permissions", [])}

    @app.get("/api/scoped")
    def scoped(claims=Depends(auth0.require_auth(scopes="read:messages"))):
        return {"sub": claims["sub"]}

    @app.delete("/api/admin", dependencies=[Depends(auth0.require_auth(scopes=["delete:data", "admin:access"]))])
    async def admin():
        return {"message": "deleted"}

    client = TestClient(app)
    headers = tenant.authorization(permissions=["a"])
    assert client.get("/api/public").json() == {"message": "for everybody"}
    assert client.get("/api/private").status_code == 400
    assert client.get("/api/private").json()["detail"]["error"] == "invalid_request"
    assert client.get("/api/private", headers=headers).json() == {"sub": "auth0|1234", "permissions": ["a"]}
    assert client.get("/api/scoped", headers=headers).status_code == 200
    refused = client.delete("/api/admin", headers=headers)
    assert refused.status_code == 403
    assert refused.json() == {"detail": {"error": "insufficient_scope", "error_description": "Insufficient scopes"}}
    granted = tenant.authorization(scope="admin:access delete:data")
    assert client.delete("/api/admin", headers=granted).status_code == 200


def test_custom_fetch_with_an_httpx_client(https_issuer):
    asked = []

    async def fetch(url: str, **kwargs: Any) -> httpx.Response:
        asked.append(url)
        async with httpx.AsyncClient(timeout=5, headers={"User-Agent": "our-api"}) as client:
            response = await client.get(url, **kwargs)
            response.raise_for_status()
            return response

    tenant = https_issuer.tenant
    client = TestClient(app_of(Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch)))
    for _ in range(3):
        assert client.get("/", headers=tenant.authorization()).status_code == 200
    assert asked == [tenant.discovery_url, tenant.jwks_url]


def test_an_exception_handler_sees_the_refusals(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)
    app = app_of(auth0)

    @app.exception_handler(HTTPException)
    async def on_refusal(request: Request, refusal: HTTPException):
        error = refusal.detail["error"] if isinstance(refusal.detail, dict) else str(refusal.detail)
        return JSONResponse({"code": error}, status_code=refusal.status_code, headers=refusal.headers)

    answer = TestClient(app).get("/", headers=tenant.authorization(exp=1))
    assert (answer.status_code, answer.json()) == (401, {"code": "invalid_token"})
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')


def test_guards_of_an_app_a_router_and_a_dependency_of_a_dependency(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)

    class User:
        def __init__(self, claims: dict = Depends(auth0.require_auth())):
            self.sub = claims["sub"]

    async def current_user(claims: dict = Security(auth0.require_auth())):
        claims["seen"] = True
        return claims

    router = APIRouter(prefix="/users", dependencies=[Depends(auth0.require_auth("read:messages"))])

    @router.get("/me")
    async def me(user: User = Depends(), claims: dict = Depends(current_user)):
        return {"sub": user.sub, "seen": claims["seen"]}

    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.include_router(router)
    client = TestClient(app)
    assert client.get("/users/me", headers=tenant.authorization()).json() == {"sub": "auth0|1234", "seen": True}
    assert client.get("/users/me", headers=tenant.authorization(scope="openid")).status_code == 403
    assert client.get("/users/me").status_code == 400


def test_the_dependency_called_by_hand(tenant):
    """Users wrap it, to turn 400 into 401 or to let a request through without a token."""

    @lru_cache(maxsize=1)
    def auth0() -> Auth0FastAPI:
        return Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)

    async def user(request: Request) -> dict:
        try:
            return await auth0().require_auth()(request)
        except HTTPException as refusal:
            if refusal.status_code == 400:
                raise HTTPException(401, refusal.detail, headers={"WWW-Authenticate": "Bearer"}) from refusal
            raise

    async def user_if_any(request: Request):
        try:
            return await auth0().require_auth()(request)
        except HTTPException:
            return None

    app = FastAPI()

    @app.get("/user")
    async def of_user(claims: dict = Depends(user)):
        return claims["sub"]

    @app.get("/anybody")
    async def of_anybody(claims=Depends(user_if_any)):
        return claims and claims["sub"]

    client = TestClient(app)
    assert client.get("/user").status_code == 401
    assert client.get("/user").headers["www-authenticate"] == "Bearer"
    assert client.get("/user", headers=tenant.authorization()).json() == "auth0|1234"
    assert client.get("/anybody").json() is None
    assert client.get("/anybody", headers=tenant.authorization()).json() == "auth0|1234"


def test_beside_an_http_bearer_of_the_users(tenant):
    """Users add one for the Authorize button of the docs."""
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)
    app, bearer = FastAPI(), HTTPBearer(auto_error=False)

    @app.get("/")
    async def route(
        claims: dict = Depends(auth0.require_auth()), credentials: HTTPAuthorizationCredentials = Depends(bearer)
    ):
        return [claims["sub"], credentials.scheme]

    client = TestClient(app)
    assert client.get("/", headers=tenant.authorization()).json() == ["auth0|1234", "Bearer"]
    assert "HTTPBearer" in client.get("/openapi.json").json()["components"]["securitySchemes"]


def test_a_middleware_that_verifies_by_itself(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)

    class Guard(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            try:
                request.state.claims = await auth0.api_client.verify_request(
                    headers=dict(request.headers), http_method=request.method, http_url=str(request.url)
                )
            except BaseAuthError as error:
                refusal = http_exception(
                    error.get_status_code(), error.get_error_code(), error.get_error_description(), error.get_headers()
                )
                return JSONResponse(refusal.detail, refusal.status_code, headers=refusal.headers)
            return await call_next(request)

    app = FastAPI()
    app.add_middleware(Guard)

    @app.get("/")
    async def route(request: Request):
        return request.state.claims["sub"]

    client = TestClient(app)
    assert client.get("/", headers=tenant.authorization()).json() == "auth0|1234"
    refused = client.get("/", headers=tenant.authorization(aud="other"))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_token")
    assert "www-authenticate" in refused.headers


def test_dependency_overrides_by_the_object_in_use(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)
    require_auth = auth0.require_auth()
    app = FastAPI()

    @app.get("/")
    async def route(claims: dict = Depends(require_auth)):
        return claims

    app.dependency_overrides[require_auth] = lambda: {"sub": "tester"}
    assert TestClient(app).get("/").json() == {"sub": "tester"}
    app.dependency_overrides = {}
    assert TestClient(app).get("/").status_code == 400


def test_trust_proxy(tenant, prover):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_required=True)
    app = app_of(auth0)
    app.state.trust_proxy = True
    behind_nginx = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Forwarded-Prefix": "/api"}
    client = TestClient(app)
    for headers, status in (
        ({**prover.headers("https://shop.example/api/"), **behind_nginx}, 200),
        (prover.headers("https://shop.example/api/"), 400),
        (prover.headers("http://testserver/"), 200),
    ):
        assert client.get("/", headers=headers).status_code == status
    app.state.trust_proxy = False
    headers = {**prover.headers("https://shop.example/api/"), **behind_nginx}
    assert client.get("/", headers=headers).status_code == 400


def by_host(context: DomainsResolverContext) -> list:
    host = (context.get("request_headers") or {}).get("host")
    return ["brand.example"] if host == "shop.example" else ["tenant.example"]


async def by_host_async(context: DomainsResolverContext) -> list:
    return by_host(context)


@pytest.mark.parametrize("resolver", [by_host, by_host_async, lambda context: by_host(context)])
def test_a_resolver(resolver):
    tenants = {tenant.domain: tenant for tenant in (Tenant("tenant.example"), Tenant("brand.example"))}
    documents = {url: document for tenant in tenants.values() for url, document in tenant.documents().items()}

    async def fetch(url, **kwargs):
        return documents[url]

    client = TestClient(app_of(Auth0FastAPI(domains=resolver, audience=AUDIENCE, custom_fetch=fetch)))
    for host, domain, status in (
        ("shop.example", "brand.example", 200),
        ("shop.example", "tenant.example", 401),
        ("api.example", "tenant.example", 200),
        ("api.example", "brand.example", 401),
    ):
        answer = client.get("/", headers={"Host": host, **tenants[domain].authorization()})
        assert answer.status_code == status, (host, domain)
    assert answer.json()["detail"]["error_description"] == "Token issuer is not in the list of allowed domains"


def test_dpop_settings_of_the_guide(tenant, prover):
    plain = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch}
    bearer = tenant.authorization()
    for options, bearer_status, dpop_status in (
        ({}, 200, 200),
        ({"dpop_enabled": True, "dpop_required": False}, 200, 200),
        ({"dpop_required": True}, 400, 200),
        ({"dpop_enabled": False}, 200, 400),
        ({"dpop_enabled": True, "dpop_iat_leeway": 30, "dpop_iat_offset": 300}, 200, 200),
    ):
        client = TestClient(app_of(Auth0FastAPI(**plain, **options)))
        assert client.get("/", headers=bearer).status_code == bearer_status
        assert client.get("/", headers=prover.headers("http://testserver/")).status_code == dpop_status


def app_of(auth0):
    app = FastAPI()

    @app.get("/")
    async def route(claims: dict = Depends(auth0.require_auth())):
        return claims

    return app
