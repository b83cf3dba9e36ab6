"""DPoP as only Python shows it: answers over HTTP, guards of one request, arguments. The vectors have the rules."""

import logging
from contextlib import ExitStack

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions, BaseAuthError, InvalidDpopProofError, MissingRequiredArgumentError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, Prover, Tenant, running

MIXED, REQUIRED = {}, {"dpop_required": True}


@pytest.fixture(scope="module")
def server():
    """An app under uvicorn per set of options; gives its URL."""
    tenant, started = Tenant(), {}
    with ExitStack() as stack:

        def server(**options):
            key = repr(sorted(options.items()))
            if key not in started:
                auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
                started[key] = stack.enter_context(running(guarded_app(auth0)))
            return f"http://127.0.0.1:{started[key]}"

        server.prover = Prover(tenant)
        yield server


WRONG_URL = "DPoP Proof htu mismatch"


# The vectors have every answer; these show that it reaches a client whole.
@pytest.mark.parametrize(
    ("options", "status", "challenge"),
    [
        ({"dpop_enabled": False}, 400, 'Bearer realm="api"'),
        (
            MIXED,
            400,
            f'Bearer realm="api", DPoP error="invalid_dpop_proof", error_description="{WRONG_URL}", algs="ES256"',
        ),
        (REQUIRED, 400, f'DPoP error="invalid_dpop_proof", error_description="{WRONG_URL}", algs="ES256"'),
        (
            {**REQUIRED, "rfc_status_codes": True},
            401,
            f'DPoP error="invalid_dpop_proof", error_description="{WRONG_URL}", algs="ES256"',
        ),
    ],
    ids=["off", "mixed", "required", "rfc"],
)
def test_a_refusal_over_http(server, options, status, challenge):
    url, prover = server(**options), server.prover
    answer = httpx.get(f"{url}/private", headers=prover.headers(f"{url}/sync"))
    error = {"error": "invalid_dpop_proof", "error_description": WRONG_URL}
    if "dpop_enabled" in options:
        error = {"error": "invalid_request", "error_description": ""}
    assert (answer.status_code, answer.json()) == (status, {"detail": error})
    assert answer.headers.get_list("www-authenticate") == [challenge]
    assert "dpop-nonce" not in answer.headers


@pytest.mark.parametrize("options", [MIXED, REQUIRED], ids=["mixed", "required"])
def test_a_proof_is_good_once_and_is_not_used_up_by_other_routes(server, options):
    url, headers = server(**options), server.prover.headers(f"{server(**options)}/private")
    answers = [httpx.request(method, url + path, headers=headers) for method, path in TRIES]
    assert [answer.status_code for answer in answers] == [405, 400, 200, 400]
    assert answers[3].json()["detail"]["error_description"] == "DPoP Proof was already used"


TRIES = [("POST", "/private"), ("GET", "/sync"), ("GET", "/private"), ("GET", "/private")]


def test_a_token_that_lacks_a_scope_over_http(server):
    url, prover = f"{server()}/messages", server.prover
    answer = httpx.get(url, headers=prover.headers(url, token=prover.token(scope="openid")))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (403, "insufficient_scope")
    words = 'error="insufficient_scope", error_description="Insufficient scopes", scope="read:messages"'
    assert answer.headers["www-authenticate"] == f'Bearer realm="api", DPoP {words}, algs="ES256"'


def test_several_guards_of_one_request_use_the_proof_up_once(auth0, tenant, prover):
    async def user(claims: dict = Depends(auth0.require_auth("openid"))):
        claims["cnf"]["jkt"] = claims["sub"] = "changed"
        return claims

    app = FastAPI(dependencies=[Depends(auth0.require_auth())])

    @app.get("/several")
    async def several(user: dict = Depends(user), claims: dict = Depends(auth0.require_auth("read:messages"))):
        return claims

    @app.get("/admin")
    async def admin(claims: dict = Depends(auth0.require_auth("admin"))):
        return claims

    client = TestClient(app)
    headers = prover.headers("http://testserver/several")
    answer = client.get("/several", headers=headers)
    assert (answer.status_code, answer.json()["sub"], answer.json()["cnf"]) == (200, "auth0|1234", {"jkt": prover.jkt})
    assert client.get("/several", headers=headers).status_code == 400
    assert client.get("/admin", headers=prover.headers("http://testserver/admin")).status_code == 403


async def test_what_one_guard_found_out_counts_for_the_same_credentials_and_guard_only(auth0, tenant, prover):
    def fields(headers):
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "query_string": b""}
    scope["headers"] = [(b"host", b"a.example"), *fields(prover.headers("http://a.example/"))]
    for _ in range(2):
        assert (await auth0.require_auth("openid")(Request(scope)))["sub"] == "auth0|1234"
    other = Auth0FastAPI(domain=tenant.domain, audience="other", custom_fetch=tenant.fetch)
    with pytest.raises(HTTPException, match="Audience"):
        await other.require_auth()(Request(scope))
    for headers in ({}, {"Authorization": "DPoP x", "DPoP": "y"}, prover.headers("http://b.example/")):
        scope["headers"] = [(b"host", b"a.example"), *fields(headers)]
        with pytest.raises(HTTPException):
            await auth0.require_auth()(Request(scope))


# ApiClient, without HTTP


@pytest.fixture
def api_client(tenant):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))


URL = "https://api.example/a"


@pytest.mark.parametrize(
    ("method", "url", "argument", "text"),
    [
        (None, URL, "http_method", "DPoP authentication requires http_method"),
        ("GET", None, "http_url", "DPoP authentication requires http_url"),
        (None, None, "http_method/http_url", "DPoP authentication requires http_method and http_url"),
    ],
)
async def test_verify_request_needs_to_know_the_target(api_client, prover, method, url, argument, text):
    with pytest.raises(MissingRequiredArgumentError) as refusal:
        await api_client.verify_request(prover.headers(URL), method, url)
    assert (refusal.value.argument, str(refusal.value)) == (argument, text)


async def test_verify_dpop_proof(api_client, prover):
    token = prover.token()
    proof = prover.proof(token, URL, jti="the-id")
    for _ in range(2):  # it isn't used up
        claims = await api_client.verify_dpop_proof(token, proof, "GET", URL)
        assert (type(claims), claims["jti"], claims["htu"]) == (dict, "the-id", URL)
    for wrong, text in (
        ((token, "\udcff", "\udcff", "\udcff"), "Failed to verify DPoP proof"),
        (("\udcff", proof, "GET", URL), "ath"),
        ((token, proof, "GET\udcff", URL), "htm"),
        ((token, proof, "GET", URL + "\udcff"), "htu"),
    ):
        with pytest.raises(InvalidDpopProofError, match=text) as refusal:
            await api_client.verify_dpop_proof(*wrong)
        assert refusal.value.get_status_code() == 400


@pytest.mark.parametrize("empty", ["", None])
async def test_verify_dpop_proof_needs_its_arguments(api_client, prover, empty):
    good = {"access_token": "t", "proof": "p", "http_method": "GET", "http_url": URL}
    for argument, name in (
        ("access_token", "access_token"),
        ("proof", "dpop_proof"),
        ("http_method", "http_method/http_url"),
        ("http_url", "http_method/http_url"),
    ):
        with pytest.raises(MissingRequiredArgumentError) as refusal:
            await api_client.verify_dpop_proof(**{**good, argument: empty})
        assert refusal.value.argument == name


def test_is_dpop_required():
    options = {"domain": "t.example", "audience": AUDIENCE}
    for mode, required in (({"dpop_enabled": False}, False), (MIXED, False), (REQUIRED, True)):
        assert ApiClient(ApiClientOptions(**options, **mode)).is_dpop_required() is required


async def test_with_dpop_off_a_bound_token_is_taken_and_told_once(tenant, prover, caplog):
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_enabled=False)
    api_client = ApiClient(options)
    caplog.set_level(logging.DEBUG, "bearward")
    await api_client.verify_request(tenant.authorization())
    assert caplog.records == []
    for _ in range(3):
        assert (await api_client.verify_request({"authorization": f"Bearer {prover.token()}"}))["cnf"]
    (record,) = caplog.records
    assert (record.levelname, "DPoP is disabled" in record.getMessage()) == ("WARNING", True)


async def test_a_surrogate_in_the_url_is_a_refusal(api_client, prover):
    with pytest.raises(BaseAuthError) as refusal:
        await api_client.verify_request(prover.headers(URL), "GET\udcff", URL + "\udcff")
    assert refusal.value.get_status_code() == 400
