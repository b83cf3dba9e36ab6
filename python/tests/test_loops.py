"""One pooled client per event loop, and nothing left when a loop ends."""

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE


@pytest.fixture
def fresh(https_issuer):
    """Makes guards that have fetched nothing yet."""
    return lambda: Auth0FastAPI(domain=https_issuer.tenant.domain, audience=AUDIENCE)


def in_new_loop(work):
    """`asyncio.run` in a thread: in the main thread it would drop pytest-asyncio's own loop, unclosed."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


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
        needed = api_client._engine.verify_access_token(tenant.token(), [], 1.0)
        loop.run_until_complete(api_client._documents.bring(needed))
        loop.close()
    assert len(api_client._documents._loops._loops) == 1
