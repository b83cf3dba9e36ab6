"""Nonces of the server: a client that is asked for one, and retries. RFC 9449 sections 8 and 9."""

import time

import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions, UseDpopNonceError
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE

URL = "http://testserver/private"
TEXT = "Resource server requires nonce in DPoP proof"


def nonce_app(tenant, **options):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_nonce=True, **options)
    app = FastAPI()

    @app.get("/private")
    async def private(claims: dict = Depends(auth0.require_auth())):
        return {}

    @app.get("/own-headers")
    async def own_headers(response: Response, claims: dict = Depends(auth0.require_auth())):
        response.headers["X-Own"] = "1"
        return {}

    @app.get("/own-response")
    async def own_response(claims: dict = Depends(auth0.require_auth())):
        return JSONResponse({})

    @app.get("/scope")
    async def scope(claims: dict = Depends(auth0.require_auth("admin"))):
        return {}

    return app


@pytest.fixture
def nonces(tenant):
    return TestClient(nonce_app(tenant))


def get(client, prover, nonce=None, path="/private", ahead=0.0, **proof):
    iat = int(time.time() + ahead)
    return client.get(path, headers=prover.headers(f"http://testserver{path}", nonce=nonce, iat=iat, **proof))


def test_a_client_without_a_nonce_is_given_one_and_comes_back(nonces, prover):
    asked = get(nonces, prover)
    assert (asked.status_code, asked.json()["detail"]) == (
        401,
        {"error": "use_dpop_nonce", "error_description": TEXT},
    )
    assert asked.headers.get_list("www-authenticate") == [
        f'DPoP error="use_dpop_nonce", error_description="{TEXT}", algs="ES256", Bearer realm="api"'
    ]
    (nonce,) = asked.headers.get_list("dpop-nonce")
    for _ in range(3):  # it is good for many requests
        answer = get(nonces, prover, nonce)
        assert answer.status_code == 200
        assert "dpop-nonce" not in answer.headers


def test_an_ageing_nonce_is_followed_by_a_fresh_one(nonces, prover, clock):
    first = get(nonces, prover).headers["dpop-nonce"]
    clock.ahead = 140
    assert "dpop-nonce" not in get(nonces, prover, first, ahead=140).headers
    clock.ahead = 160
    answer = get(nonces, prover, first, ahead=160)
    assert answer.status_code == 200
    second = answer.headers["dpop-nonce"]
    assert second != first
    clock.ahead = 310
    assert get(nonces, prover, second, ahead=310).status_code == 200
    refused = get(nonces, prover, first, ahead=310)
    assert (refused.status_code, refused.json()["detail"]["error"]) == (401, "use_dpop_nonce")
    assert refused.headers["dpop-nonce"] not in {first, second}


def test_the_lifetime_can_be_set(tenant, prover, clock):
    client = TestClient(nonce_app(tenant, dpop_nonce_lifetime=20))
    nonce = get(client, prover).headers["dpop-nonce"]
    clock.ahead = 19
    assert get(client, prover, nonce, ahead=19).status_code == 200
    clock.ahead = 21
    assert get(client, prover, nonce, ahead=21).status_code == 401


def test_a_nonce_of_another_guard(tenant, prover):
    clients = [TestClient(nonce_app(tenant)) for _ in range(2)]
    nonce = get(clients[0], prover).headers["dpop-nonce"]
    assert get(clients[1], prover, nonce).status_code == 401
    shared = [TestClient(nonce_app(tenant, dpop_nonce_key=b"k" * 32)) for _ in range(2)]
    nonce = get(shared[0], prover).headers["dpop-nonce"]
    assert [get(client, prover, nonce).status_code for client in shared] == [200, 200]


def test_a_key_is_exchanged_while_old_and_new_workers_run(tenant, prover):
    old, new = b"o" * 32, b"n" * 32
    lists = [[old, new], [new, old]]
    workers = [TestClient(nonce_app(tenant, dpop_nonce_key=keys)) for keys in lists]
    for maker in workers:
        nonce = get(maker, prover).headers["dpop-nonce"]
        assert [get(client, prover, nonce).status_code for client in workers] == [200, 200]
    # The first key makes them.
    done = TestClient(nonce_app(tenant, dpop_nonce_key=[new]))
    assert get(done, prover, get(workers[1], prover).headers["dpop-nonce"]).status_code == 200
    assert get(done, prover, get(workers[0], prover).headers["dpop-nonce"]).status_code == 401


def test_routes_keep_their_own_answers(nonces, prover, clock):
    nonce = get(nonces, prover).headers["dpop-nonce"]
    clock.ahead = 200
    answer = get(nonces, prover, nonce, "/own-headers", ahead=200)
    assert (answer.headers["x-own"], "dpop-nonce" in answer.headers) == ("1", True)
    # A response of the route's own goes out as it is; the client is asked later.
    answer = get(nonces, prover, nonce, "/own-response", ahead=200)
    assert (answer.status_code, "dpop-nonce" in answer.headers) == (200, False)
    assert get(nonces, prover, nonce, "/scope", ahead=200).status_code == 403


async def test_api_client(tenant, prover, clock):
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_nonce=True)
    api_client = ApiClient(options)
    with pytest.raises(UseDpopNonceError) as refusal:
        await api_client.verify_request(prover.headers(URL), "GET", URL)
    nonce = refusal.value.get_headers()["DPoP-Nonce"]
    headers = prover.headers(URL, nonce=nonce)
    assert (await api_client.verify(headers, "GET", URL)).dpop_nonce is None
    clock.ahead = 200
    verified = await api_client.verify(prover.headers(URL, nonce=nonce, ahead=200), "GET", URL)
    assert verified.dpop_nonce not in {None, nonce}
    with pytest.raises(UseDpopNonceError) as refusal:
        await api_client.verify_dpop_proof("t", prover.proof("t", URL), "GET", URL)
    assert refusal.value.get_headers()["DPoP-Nonce"]
