import asyncio
import logging
from unittest.mock import AsyncMock, patch

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Security
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI, ConfigurationError
from fastapi_plugin.utils import get_canonical_url, http_exception, validate_scopes
from support import AUDIENCE, raw_exchange, running


def body(error, description=""):
    return {"detail": {"error": error, "error_description": description}}


def test_the_facade_has_the_classes_of_the_package():
    import bearward.fastapi
    from fastapi_plugin import fast_api_client, utils

    assert Auth0FastAPI is fast_api_client.Auth0FastAPI is bearward.fastapi.Auth0FastAPI
    assert get_canonical_url is utils.get_canonical_url is bearward.fastapi.get_canonical_url


def test_a_good_token(client, tenant):
    for path in ("/private", "/sync"):
        answer = client.get(path, headers=tenant.authorization())
        assert answer.status_code == 200
        assert answer.json()["sub"] == "auth0|1234"


def test_no_token(client):
    answer = client.get("/private")
    assert (answer.status_code, answer.json()) == (400, body("invalid_request"))
    assert answer.headers["www-authenticate"].startswith('Bearer realm="api"')
    assert client.get("/public").status_code == 200


def test_an_expired_token(client, tenant):
    answer = client.get("/private", headers=tenant.authorization(exp=1))
    assert (answer.status_code, answer.json()) == (401, body("invalid_token", "Token is expired"))
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_scopes(client, tenant):
    assert client.get("/messages", headers=tenant.authorization()).status_code == 200
    assert client.get("/both", headers=tenant.authorization(scope="write:messages read:messages")).status_code == 200
    answer = client.get("/both", headers=tenant.authorization())
    assert (answer.status_code, answer.json()) == (403, body("insufficient_scope", "Insufficient scopes"))
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="read:messages write:messages"' in challenge


@pytest.mark.parametrize(
    "scope", [None, "", ["read:messages"], {"read:messages": 1}, 5, True, "read:message", "xread:messages"]
)
def test_a_scope_claim_that_grants_nothing(client, tenant, scope):
    answer = client.get("/messages", headers=tenant.authorization(scope=scope))
    assert answer.status_code == 403


def test_an_unreachable_issuer(tenant):
    async def fetch(url):
        raise OSError

    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.get("/")(lambda: {})
    answer = TestClient(app).get("/", headers=tenant.authorization())
    assert answer.status_code == 503
    assert answer.json()["detail"]["error"] == "temporarily_unavailable"
    assert int(answer.headers["retry-after"]) >= 1


def test_rfc_status_codes(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, rfc_status_codes=True)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.get("/")(lambda: {})
    assert TestClient(app).get("/").status_code == 401


def test_equal_arguments_are_one_dependency(auth0, tenant):
    assert auth0.require_auth() is auth0.require_auth(None) is auth0.require_auth([]) is auth0.require_auth("")
    assert auth0.require_auth("a") is auth0.require_auth(["a"]) is auth0.require_auth(scopes=("a", "a"))
    assert auth0.require_auth("a b") is auth0.require_auth(["a", "b"])
    assert auth0.require_auth("a") != auth0.require_auth("b")
    assert hash(auth0.require_auth("a")) == hash(auth0.require_auth(["a"]))
    other = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
    assert auth0.require_auth() != other.require_auth()


@pytest.mark.parametrize("scopes", [[""], ["a", ""], [" "], " ", [None], [5], ("a", None)])
def test_an_empty_name_does_not_become_no_scope(auth0, scopes):
    with pytest.raises(ConfigurationError):
        auth0.require_auth(scopes)


def test_one_verification_per_request(auth0, tenant):
    router = APIRouter(dependencies=[Depends(auth0.require_auth())])

    @router.get("/", dependencies=[Depends(auth0.require_auth())])
    async def route(claims: dict = Depends(auth0.require_auth())):
        return claims

    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.include_router(router)
    verify = AsyncMock(wraps=auth0.api_client.verify_request)
    with patch.object(auth0.api_client, "verify_request", verify):
        assert TestClient(app).get("/", headers=tenant.authorization()).status_code == 200
    assert verify.await_count == 1


def test_verify_request_is_called_with_keywords_that_mocks_can_inspect(client, auth0):
    with patch.object(auth0.api_client, "verify_request", AsyncMock(return_value={"sub": "mocked"})) as verify:
        assert client.get("/private?a=b", headers={"Authorization": "Bearer x"}).json() == {"sub": "mocked"}
    keywords = verify.await_args.kwargs
    assert keywords["headers"]["authorization"] == "Bearer x"
    assert (keywords["http_method"], keywords["http_url"]) == ("GET", "http://testserver/private?a=b")


def test_an_unexpected_error_is_a_500_and_logged_with_a_traceback(client, auth0, caplog):
    with patch.object(auth0.api_client, "verify_request", AsyncMock(side_effect=RuntimeError("broken"))):
        answer = client.get("/private")
    expected = body("internal_server_error", "An unexpected error occurred during authentication")
    assert (answer.status_code, answer.json()) == (500, expected)
    assert "RuntimeError: broken" in caplog.text
    assert "Traceback" in caplog.text


def test_refusals_are_logged_with_their_reason(client, tenant, caplog):
    with caplog.at_level(logging.INFO, logger="bearward"):
        client.get("/private", headers=tenant.authorization(exp=1))
    records = [record for record in caplog.records if record.name == "bearward"]
    assert [record.levelno for record in records] == [logging.INFO, logging.WARNING]
    assert all("token_expired" in record.getMessage() for record in records)


def test_a_guard_of_a_client_that_exists(auth0, tenant):
    class Guard(Auth0FastAPI):
        pass

    guard = Guard.from_client(auth0.api_client, public_origin="https://api.example.com")
    assert type(guard) is Guard
    assert guard.api_client is auth0.api_client
    for own in (auth0, guard):
        client = TestClient(guarded_app(own))
        assert client.get("/messages", headers=tenant.authorization()).json() == {"sub": "auth0|1234"}
        assert client.get("/messages", headers=tenant.authorization(scope="")).status_code == 403
    # The documents, once for both.
    assert len(tenant.fetched) == 2
    assert guarded_app(guard).openapi() == guarded_app(auth0).openapi()


async def test_a_guard_of_a_client_has_its_own_origin_and_the_clients_nonces(tenant, prover):
    options = ApiClientOptions(tenant.domain, AUDIENCE, custom_fetch=tenant.fetch, dpop_nonce=True)
    guard = Auth0FastAPI.from_client(ApiClient(options), public_origin="https://api.example.com")
    client = TestClient(guarded_app(guard))
    url = "https://api.example.com/private"
    refused = client.get("/private", headers=prover.headers(htu=url))
    assert (refused.status_code, refused.json()["detail"]["error"]) == (401, "use_dpop_nonce")
    nonce = refused.headers["dpop-nonce"]
    assert client.get("/private", headers=prover.headers(htu=url, nonce=nonce)).status_code == 200
    elsewhere = prover.headers(htu="http://testserver/private", nonce=nonce)
    assert client.get("/private", headers=elsewhere).status_code == 400


def test_security_scopes_are_required_too(auth0, tenant):
    app = FastAPI()

    @app.get("/", dependencies=[Security(auth0.require_auth(), scopes=["write:messages"])])
    async def route():
        return {}

    async def user(claims: dict = Depends(auth0.require_auth("read:messages"))):
        return claims

    @app.get("/nested")
    async def nested(claims: dict = Security(user, scopes=["write:messages"])):
        return claims

    client = TestClient(app)
    for path in ("/", "/nested"):
        assert client.get(path, headers=tenant.authorization()).status_code == 403
        assert client.get(path, headers=tenant.authorization(scope="write:messages read:messages")).status_code == 200
    assert client.get("/nested", headers=tenant.authorization(scope="write:messages")).status_code == 403


async def test_a_dependency_can_be_called_by_hand(auth0, tenant):
    headers = [(b"authorization", f"Bearer {tenant.token()}".encode())]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": headers, "query_string": b""}
    assert (await auth0.require_auth()(Request(scope)))["sub"] == "auth0|1234"
    with pytest.raises(HTTPException) as refusal:
        await auth0.require_auth("admin")(Request(scope))
    assert refusal.value.status_code == 403
    assert refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ({"raw_path": b"/a%2Fb", "query_string": b"x=%20"}, "http://api.example/a%2Fb?x=%20"),
        ({"path": "/a b"}, "http://api.example/a%20b"),
        ({"scheme": "https"}, "https://api.example/"),
        ({"headers": [], "server": ("10.0.0.1", 8000)}, "http://10.0.0.1:8000/"),
        ({"headers": [], "server": None}, ""),
        ({"headers": [], "server": ("::1", 8000)}, "http://[::1]:8000/"),
        ({"headers": [], "server": ("/run/app.sock", None)}, ""),
        ({"headers": [(b"host", b"\xff"), (b"x-forwarded-host", b"evil")]}, ""),
        ({"headers": [(b"host", b"a"), (b"host", b"a")]}, ""),
    ],
    ids=lambda value: str(value),
)
def test_canonical_url(scope, url):
    base = {"type": "http", "scheme": "http", "path": "/", "query_string": b"", "headers": [(b"host", b"api.example")]}
    assert get_canonical_url(Request({**base, **scope})) == url


def test_helpers():
    answer = http_exception(status_code=401, error="e", error_desc="d", headers={"A": "b"})
    assert (answer.status_code, answer.headers) == (401, {"A": "b"})
    assert answer.detail == {"error": "e", "error_description": "d"}
    assert http_exception(400, "e", "d").headers == {}
    granted = [validate_scopes({"scope": "a b"}, required) for required in (["a"], ["b", "a"], ["c"], ["a", "c"])]
    assert granted == [True, True, False, False]
    assert not validate_scopes({}, [])


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_over_a_real_server(app, tenant, http):
    with running(app, http=http) as port:

        def get(*lines):
            request = "\r\n".join(["GET /private HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""])
            return raw_exchange(port, request.encode())

        token = tenant.token()
        status, answer = get(f"Authorization: Bearer {token}")
        assert status == 200
        assert b'"sub":"auth0|1234"' in answer
        assert get(f"authorization: bearer {token}")[0] == 200
        assert get()[0] == 400
        assert get(f"Authorization: Bearer {token}", f"Authorization: Bearer {token}")[0] == 400
        assert get(f"Authorization: Bearer {tenant.token(exp=1)}")[0] == 401


async def test_requests_side_by_side(app, tenant):
    import httpx

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = await asyncio.gather(*(client.get("/private", headers=tenant.authorization()) for _ in range(30)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(tenant.fetched) == 2
