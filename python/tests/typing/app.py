"""A user's app, for the type checkers: never run."""

from dataclasses import dataclass
from typing import Annotated, Any, Optional

import httpx
import redis.asyncio
from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection

from bearward import (
    ApiClient,
    ApiClientOptions,
    ApiError,
    AsyncCacheAdapter,
    IssuerUnavailableError,
    ProtectedResource,
    RedisCache,
    RedisReplayStore,
    ReplayStore,
    Requirement,
)
from bearward.asgi import AuthMiddleware, Principal, current_principal
from bearward.fastapi import Guard, claims_of
from bearward.testing import TestTenant, act_as
from fastapi_plugin import (
    Auth0FastAPI,
    BaseAuthError,
    CacheAdapter,
    DomainsResolver,
    DomainsResolverContext,
    InMemoryCache,
    OnBehalfOfTokenResult,
    get_current_actor,
    get_delegation_chain,
)
from fastapi_plugin.utils import validate_scopes


async def fetch(url: str) -> dict[str, Any]:
    return {"url": url}


def resolve(context: DomainsResolverContext) -> list[str]:
    return [context["unverified_iss"]]


async def resolve_later(context: DomainsResolverContext) -> list[str]:
    return resolve(context)


auth0 = Auth0FastAPI()
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", custom_fetch=fetch, leeway=5, algorithms=["RS256"])
auth0 = Auth0FastAPI(domains=["a.example", "b.example"], audience="api", cache_adapter=InMemoryCache())
auth0 = Auth0FastAPI(domains=resolve_later, audience="api", cache_ttl_seconds=1.5)


class Store:
    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        return len(key) == ttl_seconds


auth0 = Auth0FastAPI(audience="api", dpop_replay=Store(), on_store_error="local", dpop_algorithms=["ES256"])
auth0 = Auth0FastAPI(dpop_replay=RedisReplayStore(redis.asyncio.Redis()), public_origin="https://api.example")
auth0 = Auth0FastAPI(dpop_nonce=True, dpop_nonce_key=[b"", b""], dpop_nonce_lifetime=60, trusted_hops=2)
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", http_client=httpx.AsyncClient(http2=False))
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", http_client=lambda: httpx.AsyncClient())
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", http_client=httpx.AsyncClient)
store: ReplayStore = Store()
auth0 = Auth0FastAPI(domains=resolve, audience="api", resolver_timeout=1, resolver_ttl_seconds=0.5, fetch_timeout=2)
resolver: DomainsResolver = resolve
cache: CacheAdapter = InMemoryCache(max_entries=5)
shared: AsyncCacheAdapter = RedisCache(redis.asyncio.Redis(), prefix="app:")
auth0 = Auth0FastAPI(domain="tenant.example", audience="api", cache_adapter=shared)
app = FastAPI(dependencies=[Depends(auth0.require_auth())])


@app.get("/")
async def route(claims: dict[str, Any] = Depends(auth0.require_auth(scopes=["a", "b"]))) -> dict[str, Any]:
    actor: Optional[str] = get_current_actor(claims)
    chain: list[str] = get_delegation_chain(claims)
    return {"actor": actor, "chain": chain, "ok": validate_scopes(claims, ["c"])}


@dataclass
class User:
    sub: str


@app.get("/me")
async def me(user: Annotated[User, auth0.require_auth(model=User, any_permission=["a"], max_age=60)]) -> str:
    return user.sub


def of_wsgi(client: ApiClient) -> dict[str, Any]:
    nonce: Optional[str] = client.verify_sync({}, "GET", "https://api.example/").dpop_nonce
    return client.verify_request_sync({"Authorization": nonce or ""})


def of_tests() -> str:
    with TestTenant("tenant.example") as tenant, act_as(app, checks=False, sub="me"):
        tenant.serve(auth0, auth0.api_client)
        headers: dict[str, str] = tenant.headers(dpop=True, url="/", scope="a")
        return tenant.token(sub=None) + headers["DPoP"]


async def by_hand(connection: HTTPConnection) -> list[Optional[str]]:
    claims: dict[str, Any] = await auth0.verify(connection, scopes="a", organization="org_1", claims={"a": 1})
    maybe: Optional[dict[str, Any]] = await auth0.verify(connection, optional=True)
    user: User = await auth0.verify(connection, model=User, acr=["mfa"])
    perhaps: Optional[User] = await auth0.require_auth(model=User, optional=True)(connection)
    later: Optional[dict[str, Any]] = claims_of(connection)
    unmet: Optional[BaseAuthError] = auth0.api_client.unmet(claims, Requirement("a", any_scope=["b"]))
    return [
        user.sub,
        perhaps.sub if perhaps else None,
        (maybe or later or {}).get("sub"),
        unmet.code if unmet else None,
    ]


guards = [
    Guard("https://kc.example.com/realms/acme", "api"),
    Guard(issuer=["https://a.example/", "https://b.example/"], audience=["a", "b"], scope_claim="roles"),
    Guard(issuer="https://a.example/", audience=None, client_ids=["app"], jwks={"keys": []}, rfc_status_codes=False),
    Guard(audience="api", domains=lambda context: ["https://kc.example.com/realms/acme"]),
    Auth0FastAPI(issuer="https://a.example/", audience="api", jwks_uri="https://a.example/k", allow_private_jwks=True),
]


async def verify(client: ApiClient, token: str) -> dict[str, Any]:
    try:
        return await client.verify_access_token(token, required_claims=["sub"])
    except IssuerUnavailableError as error:
        return {"retry": error.get_headers()["Retry-After"]}
    except BaseAuthError as error:
        return {"status": error.get_status_code(), "code": error.code, "detail": error.detail}


async def prove(client: ApiClient, token: str, proof: str) -> Optional[str]:
    claims: dict[str, Any] = await client.verify_dpop_proof(token, proof, "GET", "https://api.example/")
    verified = await client.verify({"authorization": f"DPoP {token}", "dpop": proof}, "GET", "https://api.example/")
    return verified.dpop_nonce if claims else None


def ages(client: ApiClient) -> list[Optional[float]]:
    return [status["key_set"]["age"] for status in client.status()]


async def onward(client: ApiClient, token: str) -> OnBehalfOfTokenResult:
    account = await client.get_access_token_for_connection({"connection": "google", "access_token": token})
    profile: dict[str, Any] = await client.get_token_by_exchange_profile(
        token, "urn:t", audience="api", extra={"a": "b", "c": ["d", "e"]}
    )
    try:
        result = await client.get_token_on_behalf_of(account["access_token"], audience="other", scope="read")
    except ApiError as error:
        raise RuntimeError(error.code, error.status_code, profile) from None
    scope: Optional[str] = result.get("scope")
    return {**result, "access_token": result["access_token"], "scope": scope or ""}


auth0 = Auth0FastAPI(client_id="id", client_secret="secret", token_cache=True, timeout=5)
auth0 = Auth0FastAPI(client_id="id", client_assertion_key=b"pem", client_assertion_algorithm="PS256")


api_client = ApiClient(ApiClientOptions(domain="tenant.example", audience="api"))
auth0 = Auth0FastAPI.from_client(api_client, public_origin="https://api.example.com")
leeway: float = api_client.options.leeway


resource = ProtectedResource("https://api.example.com/v1", scopes_supported=["read"], resource_name="API")
guard = Guard("https://a.example/", "api", resource=resource, implies={"admin": ["read"]}, scope_claim=("scope", "scp"))
guard.publish(FastAPI())
guarded = AuthMiddleware(
    FastAPI(), api_client, scopes=["read"], any_permission=["p"], resource=resource, exempt=["/up"]
)


async def published(client: ApiClient) -> dict[str, Any]:
    return await resource.document(client)


def who() -> Optional[str]:
    principal: Optional[Principal] = current_principal()
    return None if principal is None else principal.subject
