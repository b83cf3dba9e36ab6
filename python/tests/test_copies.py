"""Clients and guards that are copied, pickled, and handed to another process."""

import asyncio
import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions, VerifyAccessTokenError
from bearward.fastapi import Auth0FastAPI
from conftest import guarded_app
from support import AUDIENCE

COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle_{n}": lambda it, n=n: pickle.loads(pickle.dumps(it, n)) for n in range(2, 6)},  # noqa: S301
}


@pytest.fixture(params=COPIES)
def copied(request):
    return COPIES[request.param]


class Served:
    """A user's `custom_fetch` that can be pickled: another process has the documents of this one."""

    def __init__(self, documents):
        self.documents = documents

    async def __call__(self, url):
        return self.documents[url]


@pytest.fixture
def auth0(tenant):
    return Auth0FastAPI(
        domain=tenant.domain,
        audience=AUDIENCE,
        custom_fetch=Served(tenant.documents()),
        public_origin="https://api.example.com",
        leeway=5,
    )


def test_a_copied_guard_guards(auth0, copied, tenant, prover):
    again = copied(auth0)
    assert again is not auth0
    assert again.api_client.options.leeway == 5
    client = TestClient(guarded_app(again))
    assert client.get("/messages", headers=tenant.authorization()).status_code == 200
    assert client.get("/messages", headers=tenant.authorization(scope="")).status_code == 403
    assert client.get("/private", headers=tenant.authorization(exp=1)).status_code == 401
    url = "https://api.example.com/private"
    assert client.get("/private", headers=prover.headers(url)).status_code == 200


async def test_a_copied_client_verifies(auth0, copied, tenant):
    again = copied(auth0.api_client)
    assert again._engine is not auth0.api_client._engine
    assert (await again.verify_request(tenant.authorization()))["sub"] == "auth0|1234"
    with pytest.raises(VerifyAccessTokenError):
        await again.verify_request(tenant.authorization(exp=1))


def test_a_copied_dependency_belongs_to_the_copied_guard(auth0):
    guard = auth0.require_auth("read:messages")
    again, guards = copy.deepcopy((auth0, [guard, guard]))
    assert guards[0] is guards[1] is again.require_auth("read:messages")
    assert guard is not guards[0]


def test_subclasses_keep_what_they_added(tenant):
    class Client(ApiClient):
        def __init__(self, domain):
            super().__init__(ApiClientOptions(domain=domain, audience=AUDIENCE))
            self.added = ["kept"]

    again = copy.deepcopy(Client("tenant.example"))
    assert type(again) is Client
    assert again.added == ["kept"]


def verified_elsewhere(api_client, headers):
    return asyncio.run(api_client.verify_request(headers))["sub"]


def test_a_spawned_process_gets_a_working_client(auth0, tenant):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as processes:
        sub = processes.submit(verified_elsewhere, auth0.api_client, tenant.authorization()).result(60)
    assert sub == "auth0|1234"
