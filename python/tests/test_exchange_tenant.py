"""The client flows against the product's own local tenant: real https, its grants and refusals, and misbehaviour."""

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import bearward._driver.client_auth
from bearward import (
    ApiClient,
    ApiClientOptions,
    ApiError,
    GetTokenByExchangeProfileError,
    get_current_actor,
    get_delegation_chain,
)
from local_tenant import CLIENT_KEY, OTHER_AUDIENCE, PROFILE, SCOPE
from support import AUDIENCE

ANN = "auth0|ann"
# Where the time limit is what ends a call; elsewhere it is the usual one, which a busy machine doesn't reach.
SHORT = 1.0

OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def tenant(local_tenant):
    return local_tenant


def client_of(tenant, **options):
    by_secret = {"client_id": tenant.client_id, "client_secret": tenant.client_secret}
    given = {"domain": tenant.domain, "audience": AUDIENCE, **by_secret, **options}
    return ApiClient(ApiClientOptions(**given))


def by_key(key=CLIENT_KEY, algorithm="RS256"):
    return {"client_secret": None, "client_assertion_key": pem(key), "client_assertion_algorithm": algorithm}


def token_of(tenant, user=ANN, *, claims=None, **order):
    """A user's token, as a web app gets one for our API."""
    return tenant.token(claims={"sub": user, "azp": "web-app", "gty": None, **(claims or {})}, **order)


@pytest.fixture
def other_api(tenant):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=OTHER_AUDIENCE))


async def claims_at(api, granted):
    """What an API finds in a token that was granted for it."""
    return await api.verify_access_token(granted["access_token"])


def vault(client, token, connection="google-oauth2"):
    return client.get_access_token_for_connection({"connection": connection, "access_token": token})


def profile(client, token, subject_token_type=PROFILE, audience=OTHER_AUDIENCE, **more):
    return client.get_token_by_exchange_profile(token, subject_token_type, audience, **more)


def on_behalf_of(client, token, audience=OTHER_AUDIENCE, **more):
    return client.get_token_on_behalf_of(token, audience, **more)


@contextmanager
def refused(code, status):
    """For an `ApiError` that says so."""
    with pytest.raises(ApiError) as raised:
        yield raised
    assert (raised.value.get_error_code(), raised.value.get_status_code()) == (code, status), raised.value


@pytest.fixture(params=["secret", "RS256", "RS384", "PS256"])
def client(request, tenant):
    return client_of(tenant, **({} if request.param == "secret" else by_key(algorithm=request.param)))


class TestGranted:
    async def test_on_behalf_of(self, tenant, client, other_api):
        granted = await on_behalf_of(client, token_of(tenant))
        assert granted.keys() == {
            "access_token",
            "expires_in",
            "expires_at",
            "scope",
            "token_type",
            "issued_token_type",
        }
        assert granted["scope"] == SCOPE
        claims = await claims_at(other_api, granted)
        assert claims["sub"] == ANN
        assert abs(claims["exp"] - granted["expires_at"]) <= 2
        assert get_current_actor(claims) == tenant.client_id
        assert get_delegation_chain(claims) == [tenant.client_id, "web-app"]

    async def test_profile(self, tenant, client, other_api):
        granted = await profile(client, ANN, scope=f"openid {SCOPE}")
        assert granted["id_token"].count(".") == 2
        assert granted["token_type"] == "Bearer"
        claims = await claims_at(other_api, granted)
        assert (claims["sub"], claims["scope"]) == (ANN, f"openid {SCOPE}")
        assert get_current_actor(claims) is None

    async def test_vault(self, tenant, client):
        before = int(time.time())
        granted = await vault(client, token_of(tenant))
        assert granted.keys() == {"access_token", "expires_at", "scope"}
        assert granted["scope"] == "openid calendar"
        assert before + 3600 <= granted["expires_at"] <= time.time() + 3600

    async def test_each_service_on_the_way_is_in_the_chain(self, tenant):
        client = client_of(tenant)
        first = await on_behalf_of(client, token_of(tenant))
        second = await on_behalf_of(client, first["access_token"], audience=AUDIENCE)
        claims = await client.verify_access_token(second["access_token"])
        assert get_delegation_chain(claims) == [tenant.client_id, tenant.client_id, "web-app"]


async def test_no_assertion_is_sent_twice(tenant, monkeypatch):
    client, token = client_of(tenant, **by_key()), token_of(tenant)
    await asyncio.gather(*(on_behalf_of(client, token) for _ in range(20)))
    # The tenant would have said so.
    monkeypatch.setattr(bearward._driver.client_auth.secrets, "token_hex", lambda _: "always-the-same")
    await on_behalf_of(client, token)
    with refused("invalid_client", 401) as refusal:
        await on_behalf_of(client, token)
    assert "used before" in str(refusal.value)


class TestRefused:
    @pytest.mark.parametrize("flow", [vault, on_behalf_of])
    @pytest.mark.parametrize(
        ("order", "reason"),
        [
            ({"claims": {"cnf": {"jkt": "A" * 43}}}, "bound to a key"),
            ({"expires_in": -60}, "expired"),
            ({"key": "unpublished"}, "Invalid subject token"),
            ({"claims": {"aud": "https://elsewhere.example.com"}}, "not an access token for an API of this tenant"),
            ({"claims": {"iss": "https://elsewhere.example.com/"}}, "Invalid subject token"),
        ],
        ids=["bound", "expired", "foreign_key", "foreign_audience", "foreign_issuer"],
    )
    async def test_a_users_token_that_is_not_good_there(self, tenant, flow, order, reason):
        token = token_of(tenant, **order)
        with refused("invalid_request", 401) as refusal:
            await flow(client_of(tenant, token_cache=True), token)
        assert reason in str(refusal.value)
        assert token not in str(refusal.value)

    @pytest.mark.parametrize(
        ("call", "code", "status"),
        [
            (
                lambda client, token: vault(client, token, connection="github"),
                "federated_connection_refresh_token_not_found",
                401,
            ),
            (lambda client, _: profile(client, ANN, subject_token_type="urn:acme:unknown"), "invalid_request", 400),
            (lambda client, _: profile(client, ANN, requested_token_type="urn:x"), "invalid_request", 400),
            (lambda client, _: profile(client, "not a user"), "invalid_request", 400),
            (lambda client, _: profile(client, ANN, audience=None), "access_denied", 403),
            (lambda client, _: profile(client, ANN, audience="https://unknown"), "access_denied", 403),
            (
                lambda client, token: on_behalf_of(client, token, audience="https://unknown"),
                "access_denied",
                403,
            ),
        ],
        ids=[
            "unknown_connection",
            "unknown_profile",
            "profile_with_requested_type",
            "profile_of_nobody",
            "profile_without_audience",
            "profile_with_unknown_audience",
            "unknown_audience",
        ],
    )
    async def test_what_the_tenant_does_not_know(self, tenant, call, code, status):
        with refused(code, status):
            await call(client_of(tenant), token_of(tenant))

    @pytest.mark.parametrize("flow", [vault, profile, on_behalf_of])
    @pytest.mark.parametrize(
        ("credentials", "code"),
        [
            ({"client_secret": "a-wrong-secret"}, "access_denied"),
            ({"client_id": "somebody-else"}, "access_denied"),
            (by_key(OTHER_KEY), "invalid_client"),
            ({**by_key(), "client_id": "somebody-else"}, "invalid_client"),
        ],
        ids=["wrong_secret", "wrong_client", "wrong_key", "key_of_another_client"],
    )
    async def test_a_client_that_it_does_not_know(self, tenant, flow, credentials, code):
        with refused(code, 401) as refusal:
            await flow(client_of(tenant, **credentials), token_of(tenant))
        assert "a-wrong-secret" not in str(refusal.value)


HTML = {"headers": {"Content-Type": "text/html"}, "body": {"text": "<h1>Slow down</h1>"}}
MISBEHAVIOUR = {
    "hang": ({"fault": "hang"}, "timeout_error", 504),
    "drip": ({"drip_ms": 20}, "timeout_error", 504),
    "close": ({"fault": "close"}, "network_error", 502),
    "break_off": ({"fault": "break_off"}, "network_error", 502),
    "429": (
        {"status": 429, "body": {"json": {"error": "too_many_requests", "error_description": "Slow down."}}},
        "too_many_requests",
        429,
    ),
    "429_html": ({"status": 429, **HTML}, "token_exchange_error", 429),
    "html": (HTML, "invalid_json", 502),
    "error_with_200": ({"body": {"json": {"error": "denied"}}}, "invalid_response", 502),
    "token_with_500": ({"status": 500}, "token_exchange_error", 500),
    # Who follows this asks the tenant again, which shows.
    "redirect": ({"status": 307, "headers": {"Location": "?again"}}, "token_exchange_error", 307),
    "bomb": ({"body": {"gzip_bomb_mib": 150}}, "invalid_response", 502),
    "huge": ({"body": {"padded_to": 150_000_000}}, "invalid_response", 502),
    "expires_soon": ({"body": {"members": {"expires_in": "soon"}}}, "invalid_response", 502),
    "no_token": ({"body": {"members": {"access_token": None}}}, "invalid_response", 502),
}


@pytest.mark.parametrize("token_cache", [False, True])
@pytest.mark.parametrize("name", MISBEHAVIOUR)
async def test_misbehaviour_is_told_in_time_and_not_remembered(tenant, other_api, name, token_cache):
    behaviour, code, status = MISBEHAVIOUR[name]
    timeout = SHORT if code == "timeout_error" else 10.0
    client, token = client_of(tenant, timeout=timeout, token_cache=token_cache), token_of(tenant)
    tenant.behave("token", behaviour)
    begin = time.monotonic()
    with refused(code, status) as refusal:
        await on_behalf_of(client, token)
    assert time.monotonic() - begin < 2 * timeout + 1
    assert tenant.exchanges() == 1
    assert token not in str(refusal.value)
    tenant.behave("token", {})
    assert (await claims_at(other_api, await on_behalf_of(client, token)))["sub"] == ANN


async def test_an_endpoint_that_leads_to_the_link_is_none(tenant):
    tenant.behave("discovery", {"body": {"members": {"token_endpoint": "https://169.254.169.254/token"}}})
    with pytest.raises(GetTokenByExchangeProfileError, match="Token endpoint missing"):
        await on_behalf_of(client_of(tenant), token_of(tenant))
    assert tenant.exchanges() == 0


class TestTokenCache:
    async def test_threads_that_share_a_client_give_each_user_their_own(self, tenant, other_api):
        client, users = client_of(tenant, token_cache=True), [f"auth0|user-{n}" for n in range(20)]
        tokens = [token_of(tenant, user) for user in users]

        async def call_for_all():
            return await asyncio.gather(*(on_behalf_of(client, token) for token in tokens * 3))

        with ThreadPoolExecutor(4) as threads:
            run = asyncio.get_running_loop().run_in_executor
            answers = await asyncio.gather(*(run(threads, asyncio.run, call_for_all()) for _ in range(4)))
        assert tenant.exchanges() <= 4 * len(users)
        for given in answers:
            assert [(await claims_at(other_api, granted))["sub"] for granted in given] == users * 3

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
    # What forks here has one thread that waits, and holds nothing.
    @pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
    def test_a_process_forked_while_an_exchange_is_under_way_makes_its_own(self, tenant, other_api):
        client, token = client_of(tenant, token_cache=True), token_of(tenant)
        tenant.behave("token", {"fault": "hang"})
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(asyncio.run, on_behalf_of(client, token))
            while tenant.exchanges() == 0:
                assert not waiting.done(), waiting.result()
            child = os.fork()
            if child == 0:
                try:
                    tenant.behave("token", {})
                    granted = asyncio.run(on_behalf_of(client, token))
                    assert asyncio.run(claims_at(other_api, granted))["sub"] == ANN
                    os._exit(0)
                finally:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            assert waiting.result()["access_token"]
        assert tenant.exchanges() == 2
