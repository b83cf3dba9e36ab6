"""How long a request waits: a second where something usable is kept, and never beyond its own time."""

import asyncio
import logging
import time

import pytest

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError
from support import AUDIENCE, Tenant


class Hangs:
    """A tenant some of whose documents come only when a test lets them."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.hanging = set()
        self.go_on = asyncio.Event()
        self.asked = []

    async def fetch(self, url):
        self.asked.append(url)
        if url in self.hanging:
            await self.go_on.wait()
        return self.tenant.documents()[url]


@pytest.fixture
def hangs(tenant):
    return Hangs(tenant)


def client_of(hangs, **options):
    return ApiClient(
        ApiClientOptions(domain=hangs.tenant.domain, audience=AUDIENCE, custom_fetch=hangs.fetch, **options)
    )


def token_of(tenant, **header):
    return tenant.token(exp=int(time.time()) + 100_000, header=header)


@pytest.mark.parametrize("what", [["discovery_url"], ["jwks_url"], ["discovery_url", "jwks_url"]])
async def test_after_a_quiet_time_the_kept_keys_are_used_while_the_issuer_hangs(hangs, tenant, clock, what):
    api_client, token = client_of(hangs), token_of(tenant)
    await api_client.verify_access_token(token)
    hangs.hanging = {getattr(tenant, name) for name in what}
    clock.ahead = 5000
    begin = time.monotonic()
    assert await api_client.verify_access_token(token)
    assert 0.5 < time.monotonic() - begin < 2.5
    # The others don't wait at all: the issuer has had its second.
    begin = time.monotonic()
    await asyncio.gather(*(api_client.verify_access_token(token) for _ in range(50)))
    assert time.monotonic() - begin < 0.9
    # What comes after all is used.
    hangs.go_on.set()
    await asyncio.sleep(0.05)
    assert api_client.status()[0]["discovery" if "discovery_url" in what else "key_set"]["age"] < 100


async def test_an_unknown_kid_waits_for_one_deadline(hangs, tenant, clock):
    api_client = client_of(hangs, fetch_timeout=0.5)
    await api_client.verify_access_token(token_of(tenant))
    hangs.hanging = {tenant.discovery_url, tenant.jwks_url}
    clock.ahead = 5000
    begin = time.monotonic()
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_access_token(token_of(tenant, kid="new"))
    assert time.monotonic() - begin < 1.5, "discovery, key set, and key set once more would be 1.5 s"
    assert int(refusal.value.get_headers()["Retry-After"]) >= 1


async def test_a_cold_start_has_one_deadline_for_all_documents(hangs, tenant):
    api_client = client_of(hangs, fetch_timeout=0.6)
    hangs.hanging = {tenant.discovery_url, tenant.jwks_url}
    waiting = asyncio.ensure_future(api_client.verify_access_token(token_of(tenant)))
    await asyncio.sleep(0.4)
    # The discovery document comes at last; the key set's own 0.6 s are too many for this request.
    hangs.hanging = {tenant.jwks_url}
    hangs.go_on.set()
    hangs.go_on = asyncio.Event()
    begin = time.monotonic()
    with pytest.raises(IssuerUnavailableError):
        await waiting
    assert time.monotonic() - begin < 0.59
    # The fetch that it gave up waiting for was not in vain.
    hangs.go_on.set()
    assert await api_client.verify_access_token(token_of(tenant))
    assert hangs.asked == [tenant.discovery_url, tenant.jwks_url]


async def test_a_slow_resolver_leaves_no_more_time_for_documents(hangs, tenant):
    async def resolve(context):
        await asyncio.sleep(0.4)
        return [tenant.domain]

    hangs.hanging = {tenant.discovery_url}
    options = ApiClientOptions(
        domains=resolve, audience=AUDIENCE, custom_fetch=hangs.fetch, fetch_timeout=0.5, resolver_timeout=0.5
    )
    begin = time.monotonic()
    with pytest.raises(IssuerUnavailableError):
        await ApiClient(options).verify_access_token(token_of(tenant))
    assert time.monotonic() - begin < 0.9


class Raises(logging.Handler):
    """A log handler with a defect."""

    def __init__(self, error):
        super().__init__()
        self.error = error
        self.count = 0

    def emit(self, record):
        self.count += 1
        raise self.error


@pytest.fixture(params=[OSError("disk full"), KeyError("x"), RecursionError()], ids=lambda error: type(error).__name__)
def broken_log(request):
    handler, logger = Raises(request.param), logging.getLogger("bearward")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel("DEBUG")
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def test_a_document_that_cannot_be_fetched_is_a_503_whatever_the_log_does(tenant, broken_log, capfd):
    async def fetch(url):
        raise OSError("secret-of-the-reason")

    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch))
    answers = await asyncio.gather(
        *(client.verify_access_token(tenant.token()) for _ in range(5)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {IssuerUnavailableError}
    assert broken_log.count > 0
    said = capfd.readouterr().err
    assert f"a log handler raised {type(broken_log.error).__name__}" in said
    assert "secret-of-the-reason" not in said


async def test_that_it_works_again_is_no_failure_either(tenant, broken_log, clock):
    fails = [True]

    async def fetch(url):
        if fails:
            raise OSError
        return tenant.documents()[url]

    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch))
    with pytest.raises(IssuerUnavailableError):
        await client.verify_access_token(tenant.token())
    fails.clear()
    clock.ahead = 60
    before = broken_log.count
    assert await client.verify_access_token(tenant.token())
    assert broken_log.count > before


def test_a_refusal_is_answered_whatever_the_log_does(client, tenant, broken_log):
    assert client.get("/private").status_code == 400
    assert client.get("/private", headers=Tenant("evil.example").authorization()).status_code == 401
    assert broken_log.count >= 2
