"""Against the product's own local tenant: real https, its own keys and tokens, and misbehaviour on request."""

import asyncio
import gc
import time

import httpx
import pytest

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError, VerifyAccessTokenError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, KINDS, at_its_best, running_tenant, settled

# Where the time limit is what ends a fetch; elsewhere it is the usual one, which a busy machine doesn't reach.
SHORT = 1.0
# Documents of the local tenant are good for 15 s: who comes this much later waits for news.
LATER = 1000


@pytest.fixture(scope="module")
def shared_tenant(tmp_path_factory):
    with running_tenant(tmp_path_factory.mktemp("tenant")) as tenant:
        yield tenant


@pytest.fixture
def tenant(shared_tenant, monkeypatch):
    return at_its_best(shared_tenant, monkeypatch)


@pytest.fixture
def own_tenant(tmp_path, monkeypatch):
    """For tests that change its keys for good."""
    with running_tenant(tmp_path) as tenant:
        yield at_its_best(tenant, monkeypatch)


def client_of(tenant, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, **options))


def app_of(tenant):
    """A guarded app, and a client of it on this event loop."""
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
    transport = httpx.ASGITransport(guarded_app(auth0))
    return auth0, httpx.AsyncClient(transport=transport, base_url="http://app", trust_env=False)


async def test_a_thousand_first_requests_make_one_request_for_each_document(tenant):
    tenant.behave("both", {"latency_ms": 100})
    (_, app), headers = app_of(tenant), tenant.authorization()
    answers = await asyncio.gather(*(app.get("/private", headers=headers) for _ in range(1000)))
    assert [answer.status_code for answer in answers] == [200] * 1000
    assert tenant.asked() == {"discovery": 1, "jwks": 1}


async def test_the_first_tokens_of_a_new_key_are_good_with_one_request_more(own_tenant):
    api_client = client_of(own_tenant)
    await api_client.verify_access_token(own_tenant.token())
    own_tenant.admin("rotate-keys")
    token = own_tenant.token()
    await asyncio.gather(*(api_client.verify_access_token(token) for _ in range(20)))
    assert own_tenant.asked() == {"discovery": 1, "jwks": 2}


async def test_a_withdrawn_key_is_refused_after_the_next_refresh(own_tenant, clock):
    api_client, old = client_of(own_tenant), own_tenant.token()
    await api_client.verify_access_token(old)
    own_tenant.admin("rotate-keys")
    own_tenant.admin("withdraw-key", {})
    new = own_tenant.token()
    clock.ahead = LATER
    await api_client.verify_access_token(new)
    await settled(api_client)
    with pytest.raises(VerifyAccessTokenError, match="No matching key found in JWKS"):
        await api_client.verify_access_token(old)


async def test_an_outage_longer_than_max_age_fails_no_request(tenant, clock):
    (auth0, app), headers = app_of(tenant), tenant.authorization()
    assert (await app.get("/private", headers=headers)).status_code == 200

    async def statuses(seconds):
        answers = []
        for clock.ahead in seconds:
            answers += await asyncio.gather(*(app.get("/private", headers=headers) for _ in range(5)))
            await settled(auth0.api_client)
        return [answer.status_code for answer in answers]

    tenant.admin("down")
    assert await statuses(range(10, 600, 10)) == [200] * 5 * 59
    assert tenant.asked() == {"discovery": 1, "jwks": 1}
    assert tenant.admin("requests", method="GET")["refused_connections"] >= 2
    assert auth0.api_client.status()[0]["key_set"]["last_error"] is not None

    tenant.admin("recover")
    assert await statuses(range(600, 1200, 10)) == [200] * 5 * 60
    assert min(tenant.asked().values()) >= 2
    status = auth0.api_client.status()[0]
    assert status["key_set"]["last_error"] is status["discovery"]["last_error"] is None


# httpcore leaves a connection whose TLS handshake is cancelled to the garbage collector, which is called here so that
# no later test is blamed.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("connections", ["reset", "silent"])
async def test_down_from_the_start_is_503_until_it_is_up(tenant, clock, connections):
    headers = tenant.authorization()
    tenant.admin("down", {} if connections == "reset" else {"connections": connections})
    api_client = client_of(tenant, **({"fetch_timeout": SHORT} if connections == "silent" else {}))
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_request(headers)
    assert refusal.value.get_status_code() == 503
    assert int(refusal.value.get_headers()["Retry-After"]) >= 1
    tenant.admin("recover")
    clock.ahead = 60
    assert await api_client.verify_request(headers)
    del refusal
    gc.collect()


async def test_the_app_passes_on_when_to_come_back(tenant):
    tenant.behave("jwks", {"status": 429, "headers": {"Retry-After": "40"}})
    _, app = app_of(tenant)
    answer = await app.get("/private", headers=tenant.authorization())
    assert answer.status_code == 503
    assert 30 < int(answer.headers["Retry-After"]) <= 40


MISBEHAVIOUR = {
    "html": {"body": {"text": "<!doctype html><p>Sign in to the hotel's network"}},
    "no_keys": {"body": {"json": {"keys": []}}},
    "error": {"body": {"json": {"error": "too_many_requests"}}},
    "500": {"status": 500},
    "404": {"status": 404},
    "429": {"status": 429, "headers": {"Retry-After": "2"}},
    # Who follows this asks the tenant again, which shows.
    "redirect": {"status": 302, "headers": {"Location": "?again"}},
    "huge": {"body": {"padded_to": 150_000_000}},
    "bomb": {"body": {"gzip_bomb_mib": 150}},
    "close": {"fault": "close"},
    "break_off": {"fault": "break_off"},
    "hang": {"fault": "hang"},
    "drip": {"drip_ms": 20},
}
MISBEHAVIOUR_OF_DISCOVERY = {
    "other_issuer": {"body": {"members": {"issuer": "https://other.example/"}}},
    "no_jwks_uri": {"body": {"members": {"jwks_uri": None}}},
    "plain_http": {"body": {"members": {"jwks_uri": "http://DOMAIN/.well-known/jwks.json"}}},
    "file": {"body": {"members": {"jwks_uri": "file:///etc/passwd"}}},
}
misbehaviour = pytest.mark.parametrize(
    ("document", "behaviour", "timeout"),
    [
        pytest.param(document, behaviour, SHORT if name in ("hang", "drip") else 5.0, id=f"{document}-{name}")
        for document, behaviours in [
            ("jwks", MISBEHAVIOUR),
            ("discovery", {**MISBEHAVIOUR, **MISBEHAVIOUR_OF_DISCOVERY}),
        ]
        for name, behaviour in behaviours.items()
    ],
)


@misbehaviour
async def test_misbehaviour_from_the_start_is_503_in_time(tenant, caplog, document, behaviour, timeout):
    tenant.behave(document, behaviour)
    api_client, headers = client_of(tenant, fetch_timeout=timeout), tenant.authorization()
    begin = time.monotonic()
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_request(headers)
    assert time.monotonic() - begin < 2 * timeout + 1
    assert int(refusal.value.get_headers()["Retry-After"]) >= 1
    said = [record.getMessage() for record in caplog.records if record.name == "bearward"]
    assert [text.split(":")[0] for text in said] == [f"no usable {KINDS[document]} document from 127.0.0.1"]
    assert ("no answer within" in said[0]) == (timeout == SHORT), said
    assert tenant.asked() == {"discovery": 1, "jwks": 1 if document == "jwks" else 0}


@misbehaviour
async def test_good_keys_stay_in_use(tenant, clock, document, behaviour, timeout):
    api_client, headers = client_of(tenant, fetch_timeout=timeout), tenant.authorization()
    await api_client.verify_request(headers)
    tenant.behave(document, behaviour)
    # Past its time, so the request waits for news, which is none.
    clock.ahead = LATER
    assert await api_client.verify_request(headers)
    await settled(api_client)
    assert await api_client.verify_request(headers)
    assert api_client.status()[0][KINDS[document]]["last_error"] is not None
    assert tenant.asked() == {"discovery": 2, "jwks": 2}


JUNK = ["unknown_kty", "missing_n", "wrong_types", "not_an_object", "oct", "private_rsa", "rsa_1024", "for_encryption"]
TWINS = ["duplicate_kid", "duplicate_kid_other_kty"]


@pytest.mark.parametrize("kinds", [*([kind] for kind in JUNK), [TWINS[1]], [*JUNK, TWINS[1]]], ids="+".join)
async def test_junk_beside_the_good_keys_changes_nothing(tenant, kinds):
    tenant.admin("junk-keys", {"kinds": kinds, "keys": [{"kty": "RSA"}, 5]})
    api_client = client_of(tenant)
    good = tenant.admin("token", {})
    assert await api_client.verify_access_token(good["access_token"])
    for header in ({}, {"kid": good["kid"]}):
        with pytest.raises(VerifyAccessTokenError):
            await api_client.verify_access_token(tenant.token(key="unpublished", header=header))
    assert await api_client.verify_access_token(good["access_token"])


async def test_a_twin_of_the_good_keys_kid_does_not_hide_it(tenant):
    # The twin is published, so tokens of it are good too; nothing is said of them here.
    tenant.admin("junk-keys", {"kinds": TWINS})
    assert await client_of(tenant).verify_access_token(tenant.token())
