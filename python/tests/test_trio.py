"""Under trio as under asyncio: cold, warm, and when a refresh is due."""

import asyncio
import sys
import threading
import time
import types

import pytest
import trio
import trio.lowlevel
from fastapi.testclient import TestClient
from hypercorn.config import Config
from hypercorn.trio import serve

import bearward._driver.bounded_store
from bearward import (
    ApiClient,
    ApiClientOptions,
    ApiError,
    DomainsResolverError,
    InMemoryCache,
    IssuerUnavailableError,
    ReplayCheckUnavailableError,
)
from conftest import guarded_app
from exchanges import ENDPOINT, ExchangeTenant, on_behalf_of, profile
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, Clock, Prover, in_new_loop, raw_exchange


def client_of(tenant, **options):
    return ApiClient(ApiClientOptions(**{"domain": tenant.domain, "audience": AUDIENCE, **options}))


@pytest.fixture
def app_client(https_issuer):
    auth0 = Auth0FastAPI(domain=https_issuer.tenant.domain, audience=AUDIENCE)
    return TestClient(guarded_app(auth0), backend="trio")


def test_cold_warm_and_when_a_refresh_is_due(https_issuer, app_client, clock):
    headers = https_issuer.tenant.authorization()
    with app_client as client:
        for ahead, requests in ((0, 2), (0, 2), (500, None), (2000, None)):
            clock.ahead = ahead
            assert client.get("/private", headers=headers).status_code == 200
            assert client.get("/sync", headers=headers).status_code == 200
            assert requests in (None, len(https_issuer.requests))
    assert len(https_issuer.requests) >= 4


def test_a_run_for_each_request(https_issuer, app_client):
    for _ in range(5):
        assert app_client.get("/private", headers=https_issuer.tenant.authorization()).status_code == 200
        assert app_client.get("/private").status_code == 400
    assert len(https_issuer.requests) == 2


def test_dpop(https_issuer, app_client):
    headers = Prover(https_issuer.tenant).headers("http://testserver/private")
    assert app_client.get("/private", headers=headers).status_code == 200
    assert app_client.get("/private", headers=headers).status_code == 400, "used"


class FailingStore:
    """A store of the deployer's own: those of redis-py need asyncio."""

    def __init__(self):
        self.fails = True

    async def remember(self, key, ttl_seconds):
        await trio.lowlevel.checkpoint()
        if self.fails:
            raise OSError("down")
        return True


def test_a_shared_store_that_fails_and_works_again(https_issuer, monkeypatch):
    prober, store, clock = Prover(https_issuer.tenant), FailingStore(), Clock()
    monkeypatch.setattr(bearward._driver.bounded_store, "time", clock)
    api_client, url = client_of(https_issuer.tenant, dpop_replay=store), "https://api.example/"

    async def ask():
        try:
            return (await api_client.verify_request(prober.headers(url), "GET", url))["sub"]
        except ReplayCheckUnavailableError:
            return None

    async def main():
        assert [await ask() for _ in range(25)] == [None] * 25
        assert api_client.status().replay_store["breaker"] == "open"
        store.fails = False
        clock.monotonic = lambda: time.monotonic() + 1
        assert await ask() == "auth0|1234"
        assert api_client.status().replay_store["breaker"] == "closed"

    trio.run(main)


def test_hypercorn_with_trio(https_issuer):
    auth0 = Auth0FastAPI(domain=https_issuer.tenant.domain, audience=AUDIENCE)
    bound, stopped = threading.Event(), []
    token = https_issuer.tenant.authorization()["Authorization"]
    request = f"GET /private HTTP/1.1\r\nHost: a\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n".encode()

    async def main():
        config, end = Config(), trio.Event()
        config.bind, config.errorlog, config.accesslog = ["127.0.0.1:0"], None, None
        stopped.append((trio.lowlevel.current_trio_token(), end))
        async with trio.open_nursery() as nursery:

            def run(**options):
                return serve(guarded_app(auth0), config, shutdown_trigger=end.wait, **options)

            (address,) = await nursery.start(lambda task_status: run(task_status=task_status))
            stopped.append(int(str(address).rsplit(":", 1)[1].strip("/")))
            bound.set()

    serving = threading.Thread(target=trio.run, args=(main,))
    serving.start()
    assert bound.wait(20)
    answers = [raw_exchange(stopped[1], request)[0] for _ in range(3)]
    trio_token, end = stopped[0]
    trio_token.run_sync_soon(end.set)
    serving.join(20)
    assert not serving.is_alive()
    assert answers == [200, 200, 200]
    assert len(https_issuer.requests) == 2


def test_many_wait_for_one_fetch_and_one_that_gives_up_ends_nothing(https_issuer):
    https_issuer.latency = 0.1
    api_client, headers = client_of(https_issuer.tenant), https_issuer.tenant.authorization()
    good = []

    async def ask():
        good.append((await api_client.verify_request(headers))["sub"])

    async def main():
        with trio.move_on_after(0.02):
            await ask()
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(ask)
        assert len(api_client._documents._loops._loops) == 1

    trio.run(main)
    assert good == ["auth0|1234"] * 50
    assert len(https_issuer.requests) == 2
    assert api_client._documents._loops._loops == {}


def test_a_fetch_that_hangs_ends_in_time_or_with_the_run(tenant):
    async def fetch(url):
        await trio.sleep_forever()

    api_client = client_of(tenant, custom_fetch=fetch, fetch_timeout=0.05)

    async def main():
        with pytest.raises(IssuerUnavailableError):
            await api_client.verify_access_token(tenant.token())

    trio.run(main)
    slow = client_of(tenant, custom_fetch=fetch)

    async def give_up():
        with trio.move_on_after(0.02):
            await slow.verify_access_token(tenant.token())

    trio.run(give_up)
    assert slow._documents._loops._loops == {}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_resolver(tenant, kind):
    async def later(context):
        await trio.lowlevel.checkpoint()
        return [tenant.domain]

    resolve = later if kind == "async" else lambda context: [tenant.domain]
    api_client = client_of(tenant, domain=None, domains=resolve, custom_fetch=tenant.fetch, resolver_ttl_seconds=5)

    async def main():
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(api_client.verify_access_token, tenant.token())

    trio.run(main)


@pytest.mark.parametrize("error", [KeyError("of the deployer"), asyncio.CancelledError(), SystemExit()])
def test_a_resolver_that_raises_or_hangs(tenant, error):
    async def raises(context):
        raise error

    async def hangs(context):
        await trio.sleep_forever()

    async def ask(resolve):
        api_client = client_of(
            tenant, domain=None, domains=resolve, custom_fetch=tenant.fetch, resolver_timeout=0.05, fetch_timeout=0.05
        )
        expected = type(error) if isinstance(error, SystemExit) and resolve is raises else DomainsResolverError
        with pytest.raises(expected):
            await api_client.verify_access_token(tenant.token())

    trio.run(ask, raises)
    trio.run(ask, hangs)


@pytest.mark.parametrize("token_cache", [False, True])
def test_client_flows(httpx_mock, token_cache):
    tenant = ExchangeTenant()
    api_client = client_of(
        tenant, client_id="client", client_secret="s", custom_fetch=tenant.fetch, token_cache=token_cache
    )
    httpx_mock.add_response(url=ENDPOINT, json={"access_token": "t"}, is_reusable=True)

    async def main():
        assert (await on_behalf_of(api_client))["access_token"] == "t"
        httpx_mock.reset()
        httpx_mock.add_response(url=ENDPOINT, status_code=403, json={"error": "e"})
        with pytest.raises(ApiError):
            await profile(api_client)

    trio.run(main)


def test_the_same_client_under_both(https_issuer):
    api_client, headers = client_of(https_issuer.tenant), https_issuer.tenant.authorization()
    for _ in range(3):
        assert trio.run(api_client.verify_request, headers)
        assert in_new_loop(api_client.verify_request(headers))
    assert len(https_issuer.requests) == 2


def test_a_shared_cache(tenant):
    cache = InMemoryCache()
    for _ in range(2):
        trio.run(client_of(tenant, custom_fetch=tenant.fetch, cache_adapter=cache).verify_access_token, tenant.token())
    assert len(tenant.fetched) == 2


def test_trio_that_another_thread_is_importing_is_not_running(monkeypatch, https_issuer):
    monkeypatch.setitem(sys.modules, "trio", types.ModuleType("trio"))
    headers = https_issuer.tenant.authorization()
    assert in_new_loop(client_of(https_issuer.tenant).verify_request(headers))["sub"]
