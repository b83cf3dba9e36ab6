"""Documents never get in the way of requests: fetched once, ahead of time, and kept through outages. Real https."""

import asyncio
import base64
import json
import time
import uuid

import pytest
from joserfc.jwk import RSAKey

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError, VerifyAccessTokenError
from support import AUDIENCE, KEY, Tenant, settled

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
NEW_KEY = RSAKey.generate_key(2048, {"kid": "key-2", "use": "sig", "alg": "RS256"})
# Engine: `limits.rs`.
FLOOR_SECONDS, COOLDOWN_SECONDS = 5, 30


def client_of(issuer, **options):
    return ApiClient(ApiClientOptions(domain=issuer.tenant.domain, audience=AUDIENCE, **options))


def publish(issuer, *keys, headers=None):
    body = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()
    issuer.answers[KEYS] = (200, headers or {}, body)


def by_new_key(tenant):
    return tenant.token(key=NEW_KEY, header={"kid": "key-2"})


def with_kid(token, kid):
    """The token under another `kid`. No key is found for it, so nobody sees that its signature is wrong."""
    header = json.dumps({"alg": "RS256", "typ": "JWT", "kid": kid}).encode()
    return ".".join([base64.urlsafe_b64encode(header).rstrip(b"=").decode(), *token.split(".")[1:]])


class Waits:
    """Counts the requests of an `ApiClient` that wait for a fetch."""

    def __init__(self, api_client):
        self.count = 0
        self._bring = api_client._documents.bring
        api_client._documents.bring = self

    async def __call__(self, needed, seconds):
        self.count += 1
        return await self._bring(needed, seconds)


async def test_a_thousand_first_requests_make_one_fetch_of_each_document(https_issuer):
    https_issuer.latency = 0.1
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    answers = await asyncio.gather(*(api_client.verify_request(headers) for _ in range(1000)))
    assert [claims["sub"] for claims in answers] == ["auth0|1234"] * 1000
    assert https_issuer.requests == [DISCOVERY, KEYS]


async def test_no_request_waits_after_the_first(https_issuer, clock):
    """A minute of 100 users, with documents that are refreshed every few seconds."""
    https_issuer.cache_control = "max-age=1"
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    begin = clock.stopped_at = time.time()
    await api_client.verify_request(headers)
    waits = Waits(api_client)
    for second in range(60):
        clock.stopped_at = begin + second
        await asyncio.gather(*(api_client.verify_request(headers) for _ in range(100)))
        await settled(api_client)
    assert waits.count == 0
    assert len(https_issuer.requests) >= 2 + 60 // FLOOR_SECONDS


async def test_a_refresh_is_one_fetch_however_many_ask(https_issuer, clock):
    https_issuer.latency = 0.05
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    await api_client.verify_request(headers)
    waits = Waits(api_client)
    clock.ahead = 500
    await asyncio.gather(*(api_client.verify_request(headers) for _ in range(200)))
    await settled(api_client)
    assert waits.count == 0
    assert sorted(https_issuer.requests) == sorted([DISCOVERY, KEYS] * 2)


async def test_the_first_token_by_a_new_key_is_good_with_one_fetch_more(https_issuer):
    api_client, tenant = client_of(https_issuer), https_issuer.tenant
    await api_client.verify_access_token(tenant.token())
    publish(https_issuer, KEY, NEW_KEY)
    tokens = [by_new_key(tenant)] * 20
    await asyncio.gather(*(api_client.verify_access_token(token) for token in tokens))
    assert https_issuer.requests == [DISCOVERY, KEYS, KEYS]


async def test_a_withdrawn_key_is_refused_after_the_next_refresh(https_issuer, clock):
    api_client, tenant = client_of(https_issuer), https_issuer.tenant
    await api_client.verify_access_token(tenant.token())
    publish(https_issuer, NEW_KEY)
    assert await api_client.verify_access_token(tenant.token()), "not asked for again yet"
    clock.ahead = 500
    assert await api_client.verify_access_token(tenant.token()), "refreshed behind this request"
    await settled(api_client)
    with pytest.raises(VerifyAccessTokenError, match="No matching key found in JWKS"):
        await api_client.verify_access_token(tenant.token())
    assert await api_client.verify_access_token(by_new_key(tenant))


async def test_a_flood_of_unknown_kids(https_issuer, clock):
    tenant, clock.stopped_at = https_issuer.tenant, time.time()
    api_client, good = client_of(https_issuer), tenant.token()
    await api_client.verify_access_token(good)

    async def attack():
        with pytest.raises(VerifyAccessTokenError, match="No matching key found in JWKS"):
            await api_client.verify_access_token(with_kid(good, uuid.uuid4().hex))

    await asyncio.gather(*(attack() for _ in range(100)))
    publish(https_issuer, KEY, NEW_KEY)
    await asyncio.gather(*(attack() for _ in range(100)))
    assert https_issuer.requests == [DISCOVERY, KEYS, KEYS]
    assert await api_client.verify_access_token(good)
    # The flood goes on: it doesn't keep the key that was published meanwhile from being found.
    clock.stopped_at += COOLDOWN_SECONDS + 1
    await asyncio.gather(*(attack() for _ in range(100)))
    assert await api_client.verify_access_token(by_new_key(tenant))


def down(handler):
    handler.connection.close()


async def test_an_outage_longer_than_max_age_fails_no_request(https_issuer, clock, caplog):
    caplog.set_level("INFO", "bearward")
    https_issuer.cache_control = "max-age=15"
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    await api_client.verify_request(headers)
    https_issuer.answers = {DISCOVERY: down, KEYS: down}
    for second in range(1, 600):
        clock.ahead = second
        assert await api_client.verify_request(headers)
        await settled(api_client)
    while_down = len(https_issuer.requests)
    assert 10 < while_down < 100, "tried again and again, ever more rarely"
    status = api_client.status()[0]
    assert status["key_set"]["last_error"] is not None
    assert status["key_set"]["age"] > 590

    https_issuer.answers = {}
    for second in range(600, 720):
        clock.ahead = second
        assert await api_client.verify_request(headers)
        await settled(api_client)
    status = api_client.status()[0]
    assert status["key_set"]["last_error"] is status["discovery"]["last_error"] is None
    assert status["key_set"]["age"] < 16
    said = [record.getMessage().split(":")[0] for record in caplog.records if record.name == "bearward"]
    assert sorted(said) == [
        "a usable discovery document from localhost again",
        "a usable key_set document from localhost again",
        "no usable discovery document from localhost",
        "no usable key_set document from localhost",
    ], "once per change, whatever the number of tries"


async def test_who_comes_after_a_quiet_outage_is_served_too(https_issuer, clock):
    https_issuer.cache_control = "max-age=15"
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    await api_client.verify_request(headers)
    https_issuer.answers = {DISCOVERY: down, KEYS: down}
    clock.ahead = 3000
    assert await api_client.verify_request(headers)


async def test_stale_documents_are_not_used_for_ever(https_issuer, clock):
    api_client = client_of(https_issuer)
    headers = https_issuer.tenant.authorization(exp=int(time.time()) + 1_000_000)
    await api_client.verify_request(headers)
    https_issuer.answers = {DISCOVERY: down, KEYS: down}
    clock.ahead = 86_400
    assert await api_client.verify_request(headers)
    await settled(api_client)
    clock.ahead = 2 * 86_400
    with pytest.raises(IssuerUnavailableError):
        await api_client.verify_request(headers)


async def test_an_issuer_that_comes_up_late_is_found(https_issuer, clock):
    https_issuer.answers = {DISCOVERY: down}
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    for _ in range(20):
        with pytest.raises(IssuerUnavailableError) as refusal:
            await api_client.verify_request(headers)
        assert int(refusal.value.get_headers()["Retry-After"]) >= 1
    assert len(https_issuer.requests) == 1, "backed off"
    https_issuer.answers = {}
    clock.ahead = 1.1
    assert await api_client.verify_request(headers)


@pytest.mark.parametrize(
    ("status", "field", "expected"),
    [
        (503, "40", 40),
        (429, "40", 40),
        (503, "999999999999999999999", 300),
        (503, "Sun, 06 Nov 1994 08:49:37 GMT", 1),
        (503, "in a while", 1),
        (503, "-5", 1),
        (503, "\u0662", 1),
        (500, "40", 1),
        (404, "40", 1),
    ],
)
async def test_retry_after_is_honoured_within_reason(tenant, status, field, expected):
    class Response:
        status_code = status
        headers = {"Retry-After": field}  # noqa: RUF012 - a stand-in

    async def fetch(url):
        tenant.fetched.append(url)
        return Response()

    api_client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch))
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_access_token(tenant.token())
    assert int(refusal.value.get_headers()["Retry-After"]) == expected
    assert len(tenant.fetched) == 1


async def test_retry_after_may_be_a_date(https_issuer, clock):
    until = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    https_issuer.answers[DISCOVERY] = (503, {"Retry-After": until}, b"")
    api_client, headers = client_of(https_issuer), https_issuer.tenant.authorization()
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_request(headers)
    assert 98 <= int(refusal.value.get_headers()["Retry-After"]) <= 100
    https_issuer.answers = {}
    clock.ahead = 90
    with pytest.raises(IssuerUnavailableError):
        await api_client.verify_request(headers)
    clock.ahead = 101
    assert await api_client.verify_request(headers)


async def test_status_tells_how_the_documents_are(https_issuer, clock):
    api_client = client_of(https_issuer)
    (status,) = api_client.status()
    assert (status["key_set"]["age"], status["key_set"]["fetched"], status["keys"]) == (None, 0, [])
    publish(https_issuer, KEY, NEW_KEY, headers={"Cache-Control": "max-age=60"})
    await api_client.verify_request(https_issuer.tenant.authorization())
    clock.ahead = 10
    (status,) = api_client.status()
    assert status["issuer"] == https_issuer.tenant.issuer
    assert status["keys"] == [{"kid": "key-1", "problem": None}, {"kid": "key-2", "problem": None}]
    assert 10 <= status["key_set"]["age"] < 11
    assert 34 < status["key_set"]["next_fetch_in"] <= 35
    assert (status["discovery"]["fetched"], status["discovery"]["failed"]) == (1, 0)


async def test_no_more_issuers_are_kept_than_configured(clock):
    tenants = [Tenant(f"tenant-{number}.example") for number in range(5)]
    documents = {url: document for tenant in tenants for url, document in tenant.documents().items()}

    async def fetch(url):
        return documents[url]

    domains = [tenant.domain for tenant in tenants]
    common = {"audience": AUDIENCE, "custom_fetch": fetch, "cache_max_entries": 2}
    configured = ApiClient(ApiClientOptions(domains=domains, **common))
    resolved = ApiClient(ApiClientOptions(domains=lambda context: domains, **common))
    for tenant in tenants:
        clock.ahead += 1
        for api_client in (configured, resolved):
            await api_client.verify_access_token(tenant.token())
    issuers = [tenant.issuer for tenant in tenants]
    assert [status["issuer"] for status in configured.status()] == issuers, "there is room for what is configured"
    kept = [status["issuer"] for status in resolved.status() if status["key_set"]["age"] is not None]
    assert kept == issuers[-2:]
