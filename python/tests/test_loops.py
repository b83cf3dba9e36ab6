"""One pooled client per event loop, and nothing left when a loop ends."""

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time

import pytest
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, in_new_loop


@pytest.fixture
def fresh(https_issuer):
    """Makes guards that have fetched nothing yet."""
    return lambda: Auth0FastAPI(domain=https_issuer.tenant.domain, audience=AUDIENCE)


def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


# Warnings are errors here: an unclosed socket or a loop used after its end would fail these tests.
@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files by /proc")
def test_a_loop_per_request_leaves_nothing_open(fresh, https_issuer):
    token = https_issuer.tenant.authorization()
    TestClient(guarded_app(fresh())).get("/private", headers=token)
    before = open_files()
    for _ in range(50):
        # A guard of its own each time, so that each of the loops fetches.
        auth0 = fresh()
        client = TestClient(guarded_app(auth0))
        assert client.get("/private", headers=token).status_code == 200
        assert client.get("/private", headers=token).status_code == 200
        assert auth0.api_client._documents._loops._loops == {}
    assert open_files() <= before + 2
    assert len(https_issuer.requests) == 2 * 51


def test_one_guard_over_a_hundred_loops(fresh, https_issuer):
    client = TestClient(guarded_app(fresh()))
    token = https_issuer.tenant.authorization()
    for _ in range(100):
        assert client.get("/private", headers=token).status_code == 200
    assert len(https_issuer.requests) == 2


def test_asyncio_run_again_and_again(https_issuer):
    tenant = https_issuer.tenant
    for _ in range(20):
        api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE))
        in_new_loop(api_client.verify_access_token(tenant.token()))
        assert api_client._documents._loops._loops == {}
    gc.collect()


def test_loops_in_threads_side_by_side(https_issuer):
    tenant = https_issuer.tenant
    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE))
    seen = []

    def work():
        seen.append(in_new_loop(api_client.verify_access_token(tenant.token()))["sub"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert seen == ["auth0|1234"] * 8
    assert api_client._documents._loops._loops == {}


def test_a_loop_that_ends_in_the_middle_of_a_fetch(tenant):
    started = threading.Event()

    async def fetch(url):
        started.set()
        await asyncio.Event().wait()

    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch))

    async def give_up():
        await asyncio.wait_for(api_client.verify_access_token(tenant.token()), 0.01)

    with pytest.raises(asyncio.TimeoutError):
        in_new_loop(give_up())
    assert started.is_set()

    # Nothing was learnt of the issuer, so the next loop may ask at once.
    api_client._documents._custom_fetch = tenant.fetch
    assert in_new_loop(api_client.verify_access_token(tenant.token()))["sub"] == "auth0|1234"


def test_a_loop_closed_without_ceremony_is_swept(tenant):
    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))
    for _ in range(3):
        loop = asyncio.new_event_loop()
        needed = api_client._engine.verify_access_token(tenant.token(), [], 1.0).next(1.0)
        loop.run_until_complete(api_client._documents.bring(needed, 5.0))
        loop.close()
    assert len(api_client._documents._loops._loops) == 1


class Hanging:
    """A tenant whose documents come at first, and then never."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.cancelled = 0
        self.started = 0

    async def fetch(self, url):
        if self.tenant.fetched.count(url) > 0:
            self.started += 1
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        return await self.tenant.fetch(url)


@pytest.fixture
def hanging(tenant):
    return Hanging(tenant)


@pytest.fixture
def unraisable(monkeypatch, caplog):
    """What is said where nothing can be raised: by the garbage collector, by a task that is dropped."""
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda it: said.append(repr(it.exc_value)))

    def all_said():
        gc.collect()
        return said + [record.getMessage() for record in caplog.records if record.name == "asyncio"]

    return all_said


def test_loops_that_end_while_a_refresh_is_under_way(hanging, tenant, clock, unraisable):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=hanging.fetch)
    client, api_client = TestClient(guarded_app(auth0)), auth0.api_client
    for step in range(30):
        # Each of these loops begins a refresh, which the end of the loop cuts off.
        clock.ahead = 460 + 11 * (step % 10) if step < 10 else 600 * step
        if step < 10:
            assert client.get("/private", headers=tenant.authorization()).status_code == 200
        else:
            with contextlib.suppress(asyncio.TimeoutError):
                in_new_loop(asyncio.wait_for(api_client.verify_access_token(tenant.token()), 0.01))
        assert api_client._documents._loops._loops == {}
    assert hanging.started == hanging.cancelled > 10
    assert unraisable() == []


def test_a_refresh_outlives_the_request_and_not_the_loop(hanging, tenant, clock, unraisable):
    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=hanging.fetch))

    async def use():
        await api_client.verify_access_token(tenant.token())
        clock.ahead += 460
        await api_client.verify_access_token(tenant.token())
        await asyncio.sleep(0.01)

    # Without what `asyncio.run` does before this step: cancelling all tasks.
    loop = asyncio.new_event_loop()
    loop.run_until_complete(use())
    assert (hanging.started, hanging.cancelled) == (1, 0)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert (hanging.started, hanging.cancelled) == (1, 1)
    assert unraisable() == []


def test_a_loop_closed_without_ceremony_says_nothing(hanging, tenant, clock, unraisable):
    for _ in range(3):
        api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=hanging.fetch))

        async def use(api_client=api_client):
            tenant.fetched.clear()
            await api_client.verify_access_token(tenant.token())
            clock.ahead += 460
            await api_client.verify_access_token(tenant.token())
            await asyncio.sleep(0)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(use())
        loop.close()
        del api_client, use, loop
    assert hanging.started == 3
    assert unraisable() == []


def test_refreshing_happens_on_later_requests_where_no_loop_lasts(tenant, clock):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)
    client = TestClient(guarded_app(auth0))
    for step in range(40):
        clock.ahead = 100 * step
        assert client.get("/private", headers=tenant.authorization(exp=int(time.time()) + 10_000)).status_code == 200
    ages = [auth0.api_client.status()[0][document]["age"] for document in ("discovery", "key_set")]
    assert max(ages) < 650


async def test_tasks_do_not_pile_up(tenant, clock):
    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))
    for step in range(200):
        clock.ahead = 500 * step
        await api_client.verify_access_token(tenant.token(exp=int(time.time()) + 1_000_000))
        await asyncio.sleep(0)
    loop = await api_client._documents._loops.current()
    await asyncio.sleep(0.01)
    assert (loop._tasks, loop.flights) == (set(), {})
    assert len(asyncio.all_tasks()) == 1
    assert len(tenant.fetched) > 200


def test_threads_of_a_resolver_end_with_the_loop(tenant):
    api_client = ApiClient(
        ApiClientOptions(domains=lambda context: [tenant.domain], audience=AUDIENCE, custom_fetch=tenant.fetch)
    )
    for _ in range(20):
        in_new_loop(api_client.verify_access_token(tenant.token()))
    deadline = time.monotonic() + 5
    while any("bearward" in thread.name for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
