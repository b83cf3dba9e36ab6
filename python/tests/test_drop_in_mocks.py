"""Code written for the SDK that this replaces: the ways in which users' tests do without an issuer."""

from unittest.mock import AsyncMock, MagicMock, Mock, patch

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from fastapi_plugin import Auth0FastAPI, VerifyAccessTokenError
from support import AUDIENCE, OTHER_KEY


@pytest.fixture
def auth0(tenant):
    return Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)


@pytest.fixture
def client(auth0):
    app = FastAPI()

    @app.get("/")
    async def route(claims: dict = Depends(auth0.require_auth())):
        return claims

    @app.get("/scoped")
    async def scoped(claims: dict = Depends(auth0.require_auth(scopes=["read:messages"]))):
        return claims

    return TestClient(app)


@pytest.fixture
def documents(httpx_mock, tenant):
    """Discovery and keys, each mocked for one fetch, as pytest-httpx does it unless told otherwise."""
    for url, document in tenant.documents().items():
        httpx_mock.add_response(method="GET", url=url, json=document)


def test_verify_request_replaced(client, auth0):
    with patch.object(auth0.api_client, "verify_request", new_callable=AsyncMock) as verify:
        verify.return_value = {"sub": "tester", "scope": "read:messages"}
        assert client.get("/").json()["sub"] == "tester"
        assert client.get("/scoped", headers={"Authorization": "Bearer whatever"}).status_code == 200
        verify.return_value = {"sub": "tester"}
        assert client.get("/scoped").status_code == 403
        verify.side_effect = VerifyAccessTokenError("Token is expired")
        answer = client.get("/")
    assert (answer.status_code, answer.json()["detail"]["error_description"]) == (401, "Token is expired")
    assert client.get("/").status_code == 400


def test_verify_request_replaced_on_the_class(client):
    with patch("fastapi_plugin.fast_api_client.ApiClient.verify_request", new_callable=AsyncMock) as verify:
        verify.return_value = {"sub": "tester"}
        assert client.get("/").json() == {"sub": "tester"}


def test_require_auth_replaced(tenant):
    with patch.object(Auth0FastAPI, "require_auth", return_value=lambda: {"sub": "tester"}):
        auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
        app = FastAPI()

        @app.get("/")
        async def route(claims: dict = Depends(auth0.require_auth())):
            return claims

    assert TestClient(app).get("/").json() == {"sub": "tester"}


@pytest.mark.usefixtures("documents")
def test_a_good_token_with_both_documents_mocked(client, tenant):
    assert client.get("/scoped", headers=tenant.authorization()).status_code == 200
    assert client.get("/", headers=tenant.authorization()).json()["sub"] == "auth0|1234"


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"exp": 1}, "Token is expired"),
        ({"exp": None}, "Token is expired"),
        ({"iat": None}, "Missing 'iat' claim in token"),
        ({"aud": "other"}, "Audience mismatch (single aud)"),
        ({"aud": ["other"]}, "Audience mismatch (not in token's aud array)"),
        ({"key": OTHER_KEY}, "Signature verification failed"),
        ({"header": {"kid": "unknown"}}, "No matching key found in JWKS"),
    ],
)
@pytest.mark.usefixtures("documents")
def test_a_bad_token_with_both_documents_mocked(client, tenant, claims, text):
    """Each document is asked for once, though a `kid` is not there: pytest-httpx fails a test that asks for more."""
    answer = client.get("/", headers=tenant.authorization(**claims))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_token")
    assert answer.json()["detail"]["error_description"].lower() == text.lower()


def test_without_a_token_nothing_is_fetched(client, httpx_mock):
    assert client.get("/").status_code == 400
    assert not httpx_mock.get_requests()


@pytest.mark.parametrize("claims", [{"iss": "https://other.example/"}, {"iss": None}])
def test_a_token_of_another_issuer_is_refused_before_anything_is_fetched(client, tenant, httpx_mock, claims):
    """The old SDK fetched the documents first, where there was one domain."""
    answer = client.get("/", headers=tenant.authorization(**claims))
    assert (answer.status_code, answer.json()["detail"]["error"]) == (401, "invalid_token")
    assert not httpx_mock.get_requests()


def test_dpop_with_both_documents_mocked(client, documents, prover):
    headers = prover.headers("http://testserver/")
    assert client.get("/", headers=headers).json()["cnf"] == {"jkt": prover.jkt}


def test_documents_mocked_by_a_callback(client, httpx_mock, tenant):
    def answer(request):
        return httpx.Response(200, json=tenant.documents()[str(request.url)])

    httpx_mock.add_callback(answer, is_reusable=True)
    assert client.get("/", headers=tenant.authorization()).status_code == 200
    assert [str(request.url) for request in httpx_mock.get_requests()] == [tenant.discovery_url, tenant.jwks_url]


@pytest.mark.parametrize("kind", [Mock, MagicMock])
async def test_a_custom_fetch_that_gives_mocks(tenant, kind):
    async def fetch(url):
        response = kind()
        response.json.return_value = tenant.documents()[url]
        return response

    custom_fetch = AsyncMock(side_effect=fetch)
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=custom_fetch)
    assert (await auth0.api_client.verify_request(headers=tenant.authorization()))["sub"] == "auth0|1234"
    assert [call.args for call in custom_fetch.await_args_list] == [(tenant.discovery_url,), (tenant.jwks_url,)]
