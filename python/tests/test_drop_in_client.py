"""Code written for the SDK that this replaces: the client without FastAPI, its caches, resolvers and errors."""

import json
from typing import Any, Optional

import pytest
from joserfc.jwk import ECKey

from bearward import ApiClient, ApiClientOptions
from fastapi_plugin import (
    BaseAuthError,
    CacheAdapter,
    DomainsResolverError,
    InMemoryCache,
    MissingRequiredArgumentError,
    VerifyAccessTokenError,
    get_current_actor,
    get_delegation_chain,
)
from support import AUDIENCE, b64, in_new_loop

URL = "https://api.example.com/items"


def client_of(tenant, **options):
    options = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch, **options}
    return ApiClient(ApiClientOptions(**options))


class FakeRedis:
    """A redis client as far as it matters: keeps bytes, and takes whole seconds only."""

    def __init__(self):
        self.kept: dict[str, bytes] = {}
        self.lives: dict[str, Optional[int]] = {}

    def get(self, name):
        return self.kept.get(name)

    def set(self, name, value, ex=None):
        assert ex is None or (isinstance(ex, int) and ex > 0), "redis refuses other lives"
        self.kept[name] = value.encode() if isinstance(value, str) else value
        self.lives[name] = ex

    def delete(self, name):
        self.kept.pop(name, None)

    def flushdb(self):
        self.kept.clear()


class RedisLikeCache(CacheAdapter):
    """As the old SDK's guide tells to write one."""

    def __init__(self, client):
        self.client = client

    def get(self, key: str) -> Optional[Any]:
        kept = self.client.get(f"auth:{key}")
        return json.loads(kept) if kept else None

    def set(self, key: str, value: Any, ttl_seconds: Optional[int] = None) -> None:
        self.client.set(f"auth:{key}", json.dumps(value), ex=ttl_seconds)

    def delete(self, key: str) -> None:
        self.client.delete(f"auth:{key}")

    def clear(self) -> None:
        self.client.flushdb()


async def test_a_cache_over_redis_is_shared_between_workers(tenant):
    redis = FakeRedis()
    for _ in range(3):
        worker = client_of(tenant, cache_adapter=RedisLikeCache(redis), cache_ttl_seconds=300)
        assert (await worker.verify_access_token(tenant.token()))["sub"] == "auth0|1234"
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]
    assert set(redis.kept) == {f"auth:{tenant.issuer}", f"auth:{tenant.jwks_url}"}
    assert all(0 < life <= 300 for life in redis.lives.values())


async def test_an_in_memory_cache_of_the_users(tenant):
    cache = InMemoryCache(max_entries=50)
    first, second = (client_of(tenant, cache_adapter=cache) for _ in range(2))
    await first.verify_access_token(tenant.token())
    await second.verify_access_token(tenant.token())
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]
    assert cache.get(tenant.issuer)["jwks_uri"] == tenant.jwks_url
    assert cache.get(tenant.jwks_url)["keys"][0]["kid"] == "key-1"
    cache.clear()
    assert cache.get(tenant.issuer) is None


def test_the_in_memory_cache_alone():
    cache = InMemoryCache(max_entries=2)
    cache.set("a", {"x": 1}, ttl_seconds=60)
    cache.set("b", 2)
    assert cache.get("a") == {"x": 1}
    cache.set("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c")) == ({"x": 1}, None, 3)
    cache.delete("a")
    cache.delete("never there")
    assert cache.get("a") is None


async def test_every_method_of_verification(tenant, prover):
    api_client = client_of(tenant)
    token = tenant.token()
    assert (await api_client.verify_request(headers={"authorization": f"Bearer {token}"}))["sub"] == "auth0|1234"
    assert (await api_client.verify_access_token(access_token=token, required_claims=["scope"]))["aud"] == AUDIENCE
    bound = prover.token()
    proof = prover.proof(bound, URL, "POST")
    claims = await api_client.verify_dpop_proof(access_token=bound, proof=proof, http_method="POST", http_url=URL)
    assert (claims["htm"], claims["htu"]) == ("POST", URL)
    headers = {"Authorization": f"DPoP {bound}", "DPoP": proof}
    assert (await api_client.verify_request(headers, "POST", URL))["cnf"] == {"jkt": prover.jkt}
    assert not api_client.is_dpop_required()
    assert client_of(tenant, dpop_required=True).is_dpop_required()


def test_one_client_in_a_program_without_a_loop_of_its_own(tenant):
    """Flask users call it through `asyncio.run`, a loop for each request."""
    api_client = client_of(tenant)
    for _ in range(3):
        assert in_new_loop(api_client.verify_access_token(tenant.token()))["sub"] == "auth0|1234"
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]


async def test_errors_say_what_to_answer(tenant):
    api_client = client_of(tenant)
    with pytest.raises(BaseAuthError) as caught:
        await api_client.verify_request({"authorization": f"Bearer {tenant.token(exp=1)}"})
    error = caught.value
    assert isinstance(error, VerifyAccessTokenError)
    assert (error.get_status_code(), error.get_error_code()) == (401, "invalid_token")
    assert (error.name, str(error), error.message) == ("VerifyAccessTokenError", *["Token is expired"] * 2)
    expected = 'Bearer error="invalid_token", error_description="Token is expired", DPoP algs="ES256"'
    assert error.get_headers() == {"WWW-Authenticate": expected}


async def test_arguments_that_are_missing(tenant):
    api_client = client_of(tenant)
    with pytest.raises(MissingRequiredArgumentError) as caught:
        await api_client.verify_access_token("")
    assert caught.value.argument == "access_token"
    assert str(caught.value) == "The argument 'access_token' is required but was not provided."
    for arguments in (("", "b", "GET", URL), ("a", "", "GET", URL), ("a", "b", "", URL), ("a", "b", "GET", "")):
        with pytest.raises(MissingRequiredArgumentError):
            await api_client.verify_dpop_proof(*arguments)
    with pytest.raises(MissingRequiredArgumentError):
        ApiClient(ApiClientOptions(domain=tenant.domain))


async def test_a_failing_issuer_is_caught_where_it_was(tenant):
    """It is a 503 now, and still a `VerifyAccessTokenError`."""

    async def fetch(url, **kwargs):
        raise ConnectionError

    with pytest.raises(VerifyAccessTokenError) as caught:
        await client_of(tenant, custom_fetch=fetch).verify_access_token(tenant.token())
    assert str(caught.value).startswith("Failed to fetch OIDC discovery metadata")
    assert caught.value.get_status_code() == 503


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "Domains resolver must return a list"),
        ("tenant.example", "Domains resolver must return a list"),
        ([], "Domains resolver returned an empty list"),
        ([5], "Domains resolver must return a list of non-empty strings"),
        (["http://tenant.example"], "Domains resolver returned invalid domain"),
    ],
)
async def test_a_resolver_that_gives_something_else(tenant, answer, text):
    api_client = client_of(tenant, domain=None, domains=lambda context: answer)
    with pytest.raises(DomainsResolverError, match=text) as caught:
        await api_client.verify_access_token(tenant.token(), request_url=URL, request_headers={"host": "a"})
    assert (caught.value.get_status_code(), caught.value.get_error_code()) == (500, "domains_resolver_error")


async def test_a_resolver_is_told_what_it_was_told(tenant):
    told = []

    def resolver(context):
        told.append(context)
        return [tenant.domain]

    api_client = client_of(tenant, domain=None, domains=resolver)
    await api_client.verify_access_token(tenant.token(), request_url=URL, request_headers={"host": "api.example.com"})
    await api_client.verify_access_token(tenant.token())
    assert [context["unverified_iss"] for context in told] == [tenant.issuer] * 2
    assert [context["request_url"] for context in told] == [URL, None]
    assert told[0]["request_headers"] == {"host": "api.example.com"}


async def test_who_acts_for_whom(tenant):
    act = {"sub": "mcp-server", "act": {"sub": "agent"}}
    claims = await client_of(tenant).verify_access_token(tenant.token(act=act))
    assert get_current_actor(claims) == "mcp-server"
    assert get_delegation_chain(claims) == ["mcp-server", "agent"]
    assert (get_current_actor({}), get_delegation_chain({})) == (None, [])
    with pytest.raises(VerifyAccessTokenError, match="Invalid act claim"):
        get_current_actor({"act": "mcp-server"})


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"htm": "GET"}, "DPoP Proof htm mismatch"),
        ({"htu": "https://other.example/"}, "DPoP Proof htu mismatch"),
        ({"iat": 1}, "DPoP Proof iat is too old"),
        ({"jti": ""}, "jti claim must not be empty"),
        ({"jti": 5}, "jti claim must be a string"),
        ({"ath": b64(bytes(32))}, "DPoP Proof ath mismatch"),
        ({"header": {"typ": "JWT"}}, "Unexpected JWT 'typ' header parameter value"),
        ({"header": {"alg": "RS256"}}, "Unsupported algorithm in DPoP proof"),
        ({"header": {"jwk": None}}, "Missing or invalid jwk in header"),
        ({"key": ECKey.generate_key("P-256")}, "JWT signature verification failed"),
    ],
)
async def test_what_is_said_of_a_bad_proof(tenant, prover, change, text):
    token = prover.token()
    proof = prover.proof(**{"token": token, "htu": URL, "htm": "POST", **change})
    with pytest.raises(BaseAuthError, match=text) as caught:
        await client_of(tenant).verify_dpop_proof(token, proof, "POST", URL)
    assert (caught.value.get_status_code(), caught.value.get_error_code()) == (400, "invalid_dpop_proof")
