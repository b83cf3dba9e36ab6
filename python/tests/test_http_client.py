"""`http_client=`: requests to issuers by a client of the user's, of httpx or of httpx2."""

import pickle
import ssl

import certifi
import httpx
import pytest

from bearward import ApiClient, ApiClientOptions, ApiError, ConfigurationError, IssuerUnavailableError
from exchanges import ENDPOINT, FLOWS, SECRET, ExchangeTenant
from support import AUDIENCE, Tenant, in_new_loop

try:
    import httpx2
except ImportError:  # Python 3.9
    httpx2 = None

LIBRARIES = [
    httpx,
    pytest.param(httpx2, marks=pytest.mark.skipif(httpx2 is None, reason="httpx2 needs Python 3.10")),
]
pytestmark = pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: getattr(library, "__name__", "none"))


class Network:
    """What a `MockTransport` asks: answers with the documents of a tenant, and grants tokens."""

    def __init__(self, library, tenant):
        self.library, self.tenant = library, tenant
        self.requests = []
        self.failure = None

    def __call__(self, request):
        self.requests.append(request)
        if self.failure is not None:
            raise self.failure
        url = str(request.url)
        if url == ENDPOINT:
            return self.library.Response(
                200, json={"access_token": "granted", "expires_in": 60, "token_type": "Bearer"}
            )
        return self.library.Response(200, json=self.tenant.documents()[url])

    def client(self, **options):
        return self.library.AsyncClient(transport=self.library.MockTransport(self), **options)


@pytest.fixture
def tenant():
    return ExchangeTenant()


@pytest.fixture
def network(library, tenant):
    return Network(library, tenant)


def client_of(tenant, http_client, **options):
    options = {"client_id": "client", "client_secret": SECRET, "http_client": http_client, **options}
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, **options))


async def test_documents_come_through_it(network, tenant):
    async with network.client(headers={"X-Gateway": "mine"}) as given:
        assert await client_of(tenant, given).verify_request(tenant.authorization())
    assert [str(request.url) for request in network.requests] == [tenant.discovery_url, tenant.jwks_url]
    assert {request.headers["x-gateway"] for request in network.requests} == {"mine"}


@pytest.mark.parametrize("flow", FLOWS)
async def test_tokens_come_through_it(network, tenant, flow):
    async with network.client(auth=("somebody", "else")) as given:
        assert (await flow(client_of(tenant, given)))["access_token"] == "granted"
    expected = httpx.Request("GET", "https://a", headers={"Authorization": "Basic Y2xpZW50OmNsaWVudC1zZWNyZXQt"})
    assert network.requests[-1].headers["authorization"].startswith(expected.headers["authorization"])


def test_a_function_makes_one_for_each_loop_which_is_closed_with_it(network, tenant):
    made = []

    def make():
        made.append(network.client())
        return made[-1]

    client = client_of(tenant, make)

    async def verify():
        assert await client.verify_request(tenant.authorization())
        assert (await FLOWS[0](client))["access_token"] == "granted"
        assert not made[-1].is_closed

    for _ in range(2):
        in_new_loop(verify())
    assert [it.is_closed for it in made] == [True, True]


def test_a_client_that_was_given_stays_open(network, tenant):
    given = network.client()
    client = client_of(tenant, given)

    async def verify():
        await client.verify_request(tenant.authorization())

    in_new_loop(verify())
    assert not given.is_closed
    in_new_loop(given.aclose())


async def test_no_redirect_is_followed(network, library, tenant):
    def redirect(request):
        network.requests.append(request)
        return library.Response(302, headers={"Location": "https://evil.example/"})

    async with library.AsyncClient(transport=library.MockTransport(redirect), follow_redirects=True) as given:
        client = client_of(tenant, given)
        with pytest.raises(IssuerUnavailableError):
            await client.verify_request(tenant.authorization())
        assert {request.url.host for request in network.requests} == {tenant.domain}
    # Nor is a form with the secret sent on.
    posted = []

    def moved(request):
        posted.append(request)
        if str(request.url) == ENDPOINT:
            return library.Response(307, headers={"Location": "https://evil.example/"})
        return library.Response(200, json=tenant.documents()[str(request.url)])

    async with library.AsyncClient(transport=library.MockTransport(moved), follow_redirects=True) as given:
        with pytest.raises(ApiError):
            await FLOWS[0](client_of(tenant, given))
    assert {request.url.host for request in posted} == {tenant.domain}


FAILURES = {"ConnectError": "network_error", "ReadTimeout": "timeout_error", "InvalidURL": "network_error"}


@pytest.mark.parametrize("name", FAILURES)
async def test_its_errors_are_outages(network, library, tenant, name):
    async with network.client() as given:
        client = client_of(tenant, given)
        await client.warm()
        network.failure = getattr(library, name)(f"with {SECRET}")
        for flow in FLOWS:
            with pytest.raises(ApiError) as failed:
                await flow(client)
            assert failed.value.code == FAILURES[name]
            assert SECRET not in f"{failed.value!r} {failed.value.detail} {failed.value.__context__!r}"
        with pytest.raises(IssuerUnavailableError):
            await client_of(tenant, given).verify_request(tenant.authorization())


async def test_a_connection_that_the_server_dropped_meanwhile(https_issuer, library):
    """Over real https, with the user's own trust."""
    trust = ssl.create_default_context(cafile=str(https_issuer.ca_file))
    tenant = https_issuer.tenant

    def hang_up(handler):
        https_issuer.answers.clear()
        handler.connection.close()

    async with library.AsyncClient(verify=trust) as given:
        client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, http_client=given))
        https_issuer.answers["/.well-known/jwks.json"] = hang_up
        assert await client.verify_request(tenant.authorization())
    assert https_issuer.requests.count("/.well-known/jwks.json") == 2


async def test_without_that_trust_there_is_no_connection(https_issuer, library, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    tenant = https_issuer.tenant
    async with library.AsyncClient() as given:
        client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, http_client=given))
        with pytest.raises(IssuerUnavailableError):
            await client.verify_request(tenant.authorization())
    assert https_issuer.requests == []


async def test_what_a_function_makes_instead_of_a_client(library, tenant, caplog):
    for wrong in (None, library.Client(), "client"):
        with pytest.raises(IssuerUnavailableError):
            await client_of(tenant, lambda: wrong).verify_request(tenant.authorization())  # noqa: B023
    assert "http_client made a NoneType, which is no AsyncClient" in caplog.text


def test_what_is_no_client(library):
    async def make():
        return library.AsyncClient()

    for wrong in (library.Client(), make, "https://proxy", 5):
        with pytest.raises(ConfigurationError, match="http_client must be"):
            client_of(Tenant(), wrong)
    with pytest.raises(ConfigurationError, match="ca_file"):
        client_of(Tenant(), library.AsyncClient, ca_file=certifi.where())


def test_a_copy_in_another_process_makes_its_own(library, tenant):
    client = pickle.loads(pickle.dumps(client_of(tenant, library.AsyncClient)))  # noqa: S301 - our own
    assert client.options.http_client is library.AsyncClient
