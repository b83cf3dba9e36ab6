"""Documents in a cache that several processes share: a second level, believed in nothing."""

import asyncio
import json
import socket
import time

import pytest
import redis.asyncio
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from bearward import (
    ApiClient,
    ApiClientOptions,
    AsyncCacheAdapter,
    CacheAdapter,
    InMemoryCache,
    IssuerUnavailableError,
    RedisCache,
    VerifyAccessTokenError,
)
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, KEY, OTHER_KEY, Clock, Tenant, settled

NEW_KEY = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})


class DictCache(CacheAdapter):
    """As users wrote them for the old SDK."""

    def __init__(self):
        self.entries = {}
        self.calls = []

    def get(self, key):
        self.calls.append(("get", key))
        return self.entries.get(key)

    def set(self, key, value, ttl_seconds=None):
        self.calls.append(("set", key, ttl_seconds))
        self.entries[key] = value

    def delete(self, key):
        self.entries.pop(key, None)

    def clear(self):
        self.entries.clear()


class JsonCache(DictCache):
    """The kind that talks to Redis: all it keeps is text."""

    def get(self, key):
        text = super().get(key)
        return None if text is None else json.loads(text)

    def set(self, key, value, ttl_seconds=None):
        assert isinstance(ttl_seconds, int)
        super().set(key, json.dumps(value), ttl_seconds)


class SlowCache(AsyncCacheAdapter):
    def __init__(self):
        self.inner = JsonCache()

    async def get(self, key):
        await asyncio.sleep(0.001)
        return self.inner.get(key)

    async def set(self, key, value, ttl_seconds=None):
        await asyncio.sleep(0.001)
        self.inner.set(key, value, ttl_seconds)

    async def delete(self, key):
        self.inner.delete(key)

    async def clear(self):
        self.inner.clear()


class DuckCache:
    """Of no class of ours."""

    def __init__(self):
        self.entries = {}

    def get(self, key):
        return self.entries.get(key)

    def set(self, key, value, ttl_seconds=None):
        self.entries[key] = value


def client_of(tenant, adapter, **options):
    return ApiClient(
        ApiClientOptions(
            domain=tenant.domain,
            audience=AUDIENCE,
            **{"cache_adapter": adapter, "custom_fetch": tenant.fetch, **options},
        )
    )


@pytest.mark.parametrize("kind", [DictCache, JsonCache, SlowCache, DuckCache, InMemoryCache])
async def test_a_second_process_needs_no_fetch(tenant, kind):
    adapter = kind()
    first, second = client_of(tenant, adapter), client_of(tenant, adapter)
    await first.verify_access_token(tenant.token())
    await settled(first)
    await second.verify_access_token(tenant.token())
    await settled(second)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]


async def test_keys_values_and_times(https_issuer):
    tenant, adapter = https_issuer.tenant, DictCache()
    https_issuer.cache_control = "max-age=15"
    api_client = client_of(tenant, adapter, custom_fetch=None)
    await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    assert adapter.entries == {
        tenant.issuer: tenant.documents()[tenant.discovery_url],
        tenant.jwks_url: tenant.documents()[tenant.jwks_url],
    }
    # A document is put there when it has been handed on: maybe after the next one was looked up.
    assert sorted(adapter.calls) == [
        ("get", tenant.issuer),
        ("get", tenant.jwks_url),
        ("set", tenant.issuer, 15),
        ("set", tenant.jwks_url, 15),
    ]


@pytest.mark.parametrize(("ttl", "expected"), [(600, 600), (60.9, 60), (0, 5)])
async def test_the_time_to_live_is_a_whole_number(tenant, ttl, expected):
    adapter = JsonCache()
    api_client = client_of(tenant, adapter, cache_ttl_seconds=ttl)
    await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    assert [call[2] for call in adapter.calls if call[0] == "set"] == [expected] * 2


async def test_it_is_not_asked_for_every_request(tenant):
    adapter = DictCache()
    api_client = client_of(tenant, adapter)
    for _ in range(100):
        await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    assert len(adapter.calls) == 4


async def test_what_was_found_there_is_looked_up_again_soon(tenant, clock):
    """It may have been put there long ago, and keys may be withdrawn."""
    adapter = DictCache()
    first, second = client_of(tenant, adapter), client_of(tenant, adapter)
    await first.verify_access_token(tenant.token())
    await settled(first)
    await second.verify_access_token(tenant.token())
    tenant.key = NEW_KEY
    adapter.entries[tenant.jwks_url] = tenant.documents()[tenant.jwks_url]
    clock.ahead = 4.5
    assert await second.verify_access_token(tenant.token(key=KEY)), "looked up behind this request"
    await settled(second)
    with pytest.raises(VerifyAccessTokenError, match="No matching key"):
        await second.verify_access_token(tenant.token(key=KEY))


@pytest.mark.parametrize("past_life", [False, True])
async def test_an_unknown_kid_is_looked_up_at_the_issuer(tenant, past_life, clock):
    adapter = SlowCache()
    api_client = client_of(tenant, adapter)
    await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    tenant.key = NEW_KEY
    if past_life:
        # A refresh that asks the cache is under way: the one who has an unknown kid must not be content with that.
        clock.ahead = 500
        await asyncio.gather(
            api_client.verify_access_token(tenant.token(key=KEY)),
            api_client.verify_access_token(tenant.token(header={"kid": "key-2"})),
        )
    else:
        await api_client.verify_access_token(tenant.token(header={"kid": "key-2"}))
    await settled(api_client)
    assert tenant.fetched.count(tenant.jwks_url) == 2
    assert adapter.inner.get(tenant.jwks_url)["keys"][0]["kid"] == "key-2", "and put there for the others"


def circular():
    value = {}
    value["keys"] = value
    return value


def deep():
    value = {}
    for _ in range(100_000):
        value = {"keys": value}
    return value


POISON = {
    "text": '{"keys": []}',
    "bytes": b"{}",
    "number": 5,
    "list": [{"keys": []}],
    "empty": {},
    "no_keys": {"keys": []},
    "error": {"error": "x"},
    "object": {"issuer": object()},
    "nan": {"issuer": float("nan")},
    "surrogate": {"issuer": "\ud800"},
    "circular": circular(),
    "deep": deep(),
    "huge": {"keys": ["x" * 2_000_000]},
    "other_issuer": {"issuer": "https://evil.example/", "jwks_uri": "https://evil.example/keys"},
    "metadata_address": {"issuer": "https://tenant.example/", "jwks_uri": "https://169.254.169.254/"},
    "http": {"issuer": "https://tenant.example/", "jwks_uri": "http://tenant.example/keys"},
    "hmac_key": {"keys": [{"kty": "oct", "k": "AAAA", "kid": "key-1", "alg": "HS256"}]},
}


@pytest.mark.parametrize("poison", POISON)
async def test_a_poisoned_entry_is_a_miss(tenant, poison, caplog):
    caplog.set_level("INFO", "bearward")
    adapter = DictCache()
    adapter.entries = {tenant.issuer: POISON[poison], tenant.jwks_url: POISON[poison]}
    for _ in range(2):
        api_client = client_of(tenant, adapter)
        assert await api_client.verify_access_token(tenant.token())
        await settled(api_client)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url], "and it is overwritten by a good one"
    assert "cache adapter" in caplog.text
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) <= 2


async def test_an_entry_under_another_key_is_of_no_use(tenant):
    """Another issuer's documents, or its keys, don't vouch for this one."""
    adapter, other = DictCache(), Tenant("other.example", OTHER_KEY)
    adapter.entries = {
        tenant.issuer: other.documents()[other.discovery_url],
        other.jwks_url: other.documents()[other.jwks_url],
    }
    api_client = client_of(tenant, adapter)
    with pytest.raises(VerifyAccessTokenError):
        await api_client.verify_access_token(tenant.token(key=OTHER_KEY))
    assert await api_client.verify_access_token(tenant.token())


class FailingCache(DictCache):
    failing = True

    def get(self, key):
        if self.failing:
            raise ConnectionError("connection refused\nby the cache")
        return super().get(key)

    def set(self, key, value, ttl_seconds=None):
        if self.failing:
            raise ConnectionError("connection refused")
        super().set(key, value, ttl_seconds)


async def test_an_adapter_that_fails_is_a_miss_and_told_once(tenant, clock, caplog):
    caplog.set_level("INFO", "bearward")
    adapter = FailingCache()
    api_client = client_of(tenant, adapter)
    for step in range(5):
        clock.ahead = 500 * step
        assert await api_client.verify_access_token(tenant.token())
        await settled(api_client)
        # Discovery document and key set are refreshed one after the other.
        assert await api_client.verify_access_token(tenant.token())
        await settled(api_client)
    assert len(tenant.fetched) == 10
    adapter.failing = False
    clock.ahead = 3000
    await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    said = [record.getMessage() for record in caplog.records if record.name == "bearward"]
    assert said == [
        "the cache adapter's get failed: 'ConnectionError: connection refused\\nby the cache'",
        "the cache adapter's set failed: 'ConnectionError: connection refused'",
        "the cache adapter's get works again",
        "the cache adapter's set works again",
    ]


async def test_an_adapter_that_hangs_holds_nobody_up_for_long(tenant, monkeypatch, caplog):
    class HangingCache(SlowCache):
        async def get(self, key):
            await asyncio.Event().wait()

        async def set(self, key, value, ttl_seconds=None):
            await asyncio.Event().wait()

    monkeypatch.setattr("bearward._driver.shared_cache._TIMEOUT_SECONDS", 0.05)
    api_client = client_of(tenant, HangingCache())
    begin = time.monotonic()
    assert await api_client.verify_access_token(tenant.token())
    assert time.monotonic() - begin < 1
    await settled(api_client)
    assert "the cache adapter's get failed: 'no answer in time'" in caplog.text
    assert "the cache adapter's set failed: 'no answer in time'" in caplog.text


async def test_nobody_waits_until_a_document_is_put_there(tenant):
    going_on = asyncio.Event()

    class SluggishCache(SlowCache):
        async def set(self, key, value, ttl_seconds=None):
            await going_on.wait()
            await super().set(key, value, ttl_seconds)

    adapter = SluggishCache()
    api_client = client_of(tenant, adapter)
    assert await api_client.verify_access_token(tenant.token())
    assert adapter.inner.entries == {}
    going_on.set()
    await settled(api_client)
    assert len(adapter.inner.entries) == 2


async def test_what_the_issuer_sends_wrong_is_not_put_there(tenant):
    async def fetch(url):
        return {"error": "x"}

    adapter = DictCache()
    api_client = client_of(tenant, adapter, custom_fetch=fetch)
    with pytest.raises(IssuerUnavailableError):
        await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    assert adapter.entries == {}


async def test_an_outage_with_documents_in_the_cache(tenant):
    async def fetch(url):
        raise OSError("no route")

    adapter = DictCache()
    first = client_of(tenant, adapter)
    await first.verify_access_token(tenant.token())
    await settled(first)
    assert await client_of(tenant, adapter, custom_fetch=fetch).verify_access_token(tenant.token())


async def test_entries_are_not_ours_to_count_with_an_adapter():
    tenants = [Tenant(f"tenant-{number}.example") for number in range(4)]
    documents = {url: document for tenant in tenants for url, document in tenant.documents().items()}

    async def fetch(url):
        return documents[url]

    domains = [tenant.domain for tenant in tenants]
    options = {"domains": domains, "audience": AUDIENCE, "custom_fetch": fetch, "cache_max_entries": 2}
    api_client = ApiClient(ApiClientOptions(cache_adapter=InMemoryCache(), **options))
    for tenant in tenants:
        await api_client.verify_access_token(tenant.token())
    assert len(api_client.status()) == 4


def test_in_an_app(tenant):
    adapter = SlowCache()
    for _ in range(2):
        auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, cache_adapter=adapter)
        with TestClient(guarded_app(auth0)) as client:
            assert client.get("/private", headers=tenant.authorization()).status_code == 200
            for _ in range(200):
                if len(adapter.inner.entries) == 2:
                    break
                time.sleep(0.01)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]


async def test_redis(redis_client, tenant):
    first, second = (client_of(tenant, RedisCache(redis_client)) for _ in range(2))
    await first.verify_access_token(tenant.token())
    await settled(first)
    await second.verify_access_token(tenant.token())
    await settled(second)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]
    name = f"bearward:1:documents:{tenant.jwks_url}"
    kept = json.loads(await redis_client.get(name))
    assert kept["document"] == tenant.documents()[tenant.jwks_url]
    assert 590 <= kept["fresh_until"] - kept["fetched"] <= 600
    # As long as it may be used when the issuer can't be reached.
    assert 86_000 < await redis_client.ttl(name) <= 86_400


async def test_redis_cache_alone(redis_client, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("bearward.redis_cache.time", clock)
    cache = RedisCache(redis_client, prefix="a*[")
    other = RedisCache(redis_client, prefix="ab[")
    assert await cache.get("key") is None
    await cache.set("key", {"a": [1]}, 0.5)
    assert await cache.get("key") == {"a": [1]}
    assert (await cache.entry("key")).is_fresh
    clock.ahead = 1.1
    assert await cache.get("key") is None
    assert not (await cache.entry("key")).is_fresh
    clock.ahead = 0
    await cache.set("for ever", {"b": 2})
    assert await redis_client.ttl("a*[for ever") == -1
    await other.set("key", {})
    await cache.delete("key")
    await cache.delete("key")
    assert await cache.get("key") is None
    for number in range(2000):
        await redis_client.set(f"a*[{number}", "1")
    await cache.clear()
    assert await redis_client.keys("*") == [b"ab[key"], "only what has the prefix"


@pytest.mark.parametrize("poison", ["not JSON", "5", "[]", '{"keys": []}', "\xff"])
async def test_rubbish_in_redis_is_a_miss(redis_client, tenant, poison):
    for key in (tenant.issuer, tenant.jwks_url):
        await redis_client.set(f"bearward:1:documents:{key}", poison.encode("latin-1"))
    assert await client_of(tenant, RedisCache(redis_client)).verify_access_token(tenant.token())


async def test_a_redis_that_is_down_is_a_miss(tenant, caplog):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = redis.asyncio.Redis(port=free.getsockname()[1], socket_timeout=1)
        api_client = client_of(tenant, RedisCache(client))
        assert await api_client.verify_access_token(tenant.token())
        await settled(api_client)
        await client.aclose()
    # Newer clients go on trying for longer than we wait.
    assert "the cache adapter's get failed: " in caplog.text


class SlowTenant(Tenant):
    """Answers after a while, or not at all."""

    is_down = False

    async def fetch(self, url):
        self.fetched.append(url)
        await asyncio.sleep(0.05)
        if self.is_down:
            raise OSError("no route")
        return self.documents()[url]


async def test_one_worker_fetches_for_all(redis_client):
    tenant = SlowTenant()
    workers = [client_of(tenant, RedisCache(redis_client)) for _ in range(12)]
    token = tenant.token()
    assert all(await asyncio.gather(*(worker.verify_access_token(token) for worker in workers)))
    for worker in workers:
        await settled(worker)
    # Once each. On a machine so slow that the patience of the others ends, a second worker may fetch, too.
    assert all(1 <= tenant.fetched.count(url) <= 2 for url in (tenant.discovery_url, tenant.jwks_url))


async def test_one_worker_fetches_a_new_key_for_all(redis_client):
    tenant = SlowTenant()
    workers = [client_of(tenant, RedisCache(redis_client)) for _ in range(8)]
    old, tenant_key = tenant.token(), tenant.key
    await asyncio.gather(*(worker.verify_access_token(old) for worker in workers))
    for worker in workers:
        await settled(worker)
    tenant.fetched.clear()
    tenant.key = NEW_KEY
    new = tenant.token(header={"kid": "key-2"})
    assert tenant_key is not NEW_KEY
    assert all(await asyncio.gather(*(worker.verify_access_token(new) for worker in workers)))
    for worker in workers:
        await settled(worker)
    assert set(tenant.fetched) == {tenant.jwks_url}
    assert len(tenant.fetched) <= 2, "see above"
    # A kid that doesn't exist is not looked for in the cache alone.
    made_up = tenant.token(header={"kid": "key-3"})
    with pytest.raises(VerifyAccessTokenError):
        await workers[0].verify_access_token(made_up)


async def test_a_worker_that_starts_while_the_issuer_is_down(redis_client, clock, monkeypatch):
    """The documents are older than their time, and the issuer doesn't answer."""
    monkeypatch.setattr("bearward.redis_cache.time", clock)
    monkeypatch.setattr("bearward._driver.shared_cache.time", clock)
    tenant = SlowTenant()
    first = client_of(tenant, RedisCache(redis_client), cache_ttl_seconds=15)
    assert await first.verify_access_token(tenant.token())
    await settled(first)
    tenant.is_down = True
    clock.ahead = 600
    born = client_of(tenant, RedisCache(redis_client), cache_ttl_seconds=15)
    assert await born.verify_access_token(tenant.token())
    assert len(tenant.fetched) > 2, "the issuer was asked"
    # A day later it is over. Redis has the time of this host, so the entry is still there.
    clock.ahead = 90_000
    late = client_of(tenant, RedisCache(redis_client), cache_ttl_seconds=15)
    with pytest.raises(IssuerUnavailableError):
        await late.verify_access_token(tenant.token(exp=int(time.time()) + 200_000))


async def test_a_worker_that_claimed_and_died_holds_nobody_up_for_long(redis_client, tenant):
    cache = RedisCache(redis_client)
    assert await cache.claim(tenant.issuer)
    assert not await cache.claim(tenant.issuer)
    begin = time.monotonic()
    assert await client_of(tenant, RedisCache(redis_client)).verify_access_token(tenant.token())
    assert time.monotonic() - begin < 5
    await cache.release(tenant.issuer)
    await asyncio.sleep(0.01)
    assert await cache.claim(tenant.issuer)
