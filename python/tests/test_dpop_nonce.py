"""Nonces of the server: a client that is asked for one, and retries. RFC 9449 sections 8 and 9."""

import base64
import time

import httpx
import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions, UseDpopNonceError
from bearward import client as client_module
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, running

URL = "http://testserver/private"
TEXT = "Resource server requires nonce in DPoP proof"


class Clock:
    """Takes the place of `time` in `bearward.client`."""

    def __init__(self):
        self.ahead = 0.0

    def time(self):
        return time.time() + self.ahead


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(client_module, "time", clock)
    return clock


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
        f'Bearer realm="api", DPoP error="use_dpop_nonce", error_description="{TEXT}", algs="ES256"'
    ]
    (nonce,) = asked.headers.get_list("dpop-nonce")
    for _ in range(3):  # it is good for many requests
        answer = get(nonces, prover, nonce)
        assert answer.status_code == 200
        assert "dpop-nonce" not in answer.headers


def test_over_a_real_server(tenant, prover):
    with running(nonce_app(tenant, dpop_required=True, rfc_status_codes=True)) as port:
        url = f"http://127.0.0.1:{port}/private"
        asked = httpx.get(url, headers=prover.headers(url))
        assert (asked.status_code, asked.json()["detail"]["error"]) == (401, "use_dpop_nonce")
        challenge = f'DPoP error="use_dpop_nonce", error_description="{TEXT}", algs="ES256"'
        assert asked.headers["www-authenticate"] == challenge
        again = httpx.get(url, headers=prover.headers(url, nonce=asked.headers["dpop-nonce"]))
        assert again.status_code == 200


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


def test_forged_nonces(nonces, prover):
    nonce = get(nonces, prover).headers["dpop-nonce"]
    raw = base64.urlsafe_b64decode(nonce)
    later = base64.urlsafe_b64encode((int.from_bytes(raw[:8], "big") + 100).to_bytes(8, "big") + raw[8:]).decode()
    twisted = nonce[:-1] + ("A" if nonce[-1] != "A" else "B")
    for forged in (later, twisted, nonce + "=", nonce + "A", nonce[:-4], nonce.lower(), "", "x", "A" * 32, 5, [nonce]):
        answer = get(nonces, prover, forged)
        assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "use_dpop_nonce"), forged
        assert get(nonces, prover, answer.headers["dpop-nonce"]).status_code == 200


def test_a_nonce_of_another_guard(tenant, prover):
    clients = [TestClient(nonce_app(tenant)) for _ in range(2)]
    nonce = get(clients[0], prover).headers["dpop-nonce"]
    assert get(clients[1], prover, nonce).status_code == 401
    shared = [TestClient(nonce_app(tenant, dpop_nonce_key=b"k" * 32)) for _ in range(2)]
    nonce = get(shared[0], prover).headers["dpop-nonce"]
    assert [get(client, prover, nonce).status_code for client in shared] == [200, 200]


def test_a_proof_without_a_nonce_is_not_used_up_and_one_with_is(nonces, prover):
    nonce = get(nonces, prover, jti="once").headers["dpop-nonce"]
    assert [get(nonces, prover, nonce, jti="once").status_code for _ in range(2)] == [200, 400]


def test_no_nonce_for_who_sends_a_bad_proof(nonces, prover):
    for proof in ({"htm": "POST"}, {"ath": "x"}, {"header": {"typ": "JWT"}}):
        nonce = get(nonces, prover).headers["dpop-nonce"]
        answer = get(nonces, prover, nonce, **proof)
        assert answer.status_code == 400
        assert "dpop-nonce" not in answer.headers


def test_bearer_needs_none(nonces, tenant):
    answer = nonces.get("/private", headers=tenant.authorization())
    assert answer.status_code == 200
    assert "dpop-nonce" not in answer.headers


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
    await api_client.verify_request(headers, "GET", URL)
    assert api_client.fresh_nonce(headers) is None
    clock.ahead = 200
    assert api_client.fresh_nonce(headers) not in {None, nonce}
    with pytest.raises(UseDpopNonceError) as refusal:
        await api_client.verify_dpop_proof("t", prover.proof("t", URL), "GET", URL)
    assert refusal.value.get_headers()["DPoP-Nonce"]
