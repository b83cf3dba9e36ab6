import asyncio
import itertools
import time

import httpx
import pytest
import respx
from starlette.datastructures import Headers

from bearward import (
    ApiClient,
    ApiClientOptions,
    BaseAuthError,
    IssuerUnavailableError,
    MissingRequiredArgumentError,
    VerifyAccessTokenError,
)
from support import AUDIENCE


@pytest.fixture
def api_client(tenant):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))


def plain_client(tenant, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, **options))


async def test_a_good_request_gives_the_claims(api_client, tenant):
    claims = await api_client.verify_request(headers=tenant.authorization())
    assert type(claims) is dict
    assert (claims["iss"], claims["sub"], claims["aud"]) == (tenant.issuer, "auth0|1234", AUDIENCE)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]


async def test_the_claims_are_the_callers_own(api_client, tenant):
    headers = tenant.authorization(permissions=["read"])
    first = await api_client.verify_request(headers)
    first["permissions"].append("write")
    first["sub"] = "changed"
    second = await api_client.verify_request(headers)
    assert (second["permissions"], second["sub"]) == (["read"], "auth0|1234")


@pytest.mark.parametrize("kind", [dict, httpx.Headers, lambda fields: Headers(fields)])
async def test_header_names_in_any_case(api_client, tenant, kind):
    for name in ("authorization", "Authorization", "AUTHORIZATION"):
        fields = kind({name: f"Bearer {tenant.token()}", "X-Other": "1"})
        assert (await api_client.verify_request(fields))["sub"] == "auth0|1234"


async def test_a_repeated_field_is_seen_behind_a_mapping(api_client, tenant):
    pair = (b"authorization", f"Bearer {tenant.token()}".encode())
    with pytest.raises(BaseAuthError) as refusal:
        await api_client.verify_request(Headers(raw=[pair, pair]))
    assert refusal.value.get_status_code() == 400


@pytest.mark.parametrize("token", ["", None])
async def test_verify_access_token_needs_one(api_client, token):
    with pytest.raises(MissingRequiredArgumentError, match="access_token"):
        await api_client.verify_access_token(token)


@pytest.mark.parametrize("token", ["\udcff", "a.b.\ud800"])
async def test_a_surrogate_in_the_token_is_a_refusal(api_client, token):
    with pytest.raises(VerifyAccessTokenError):
        await api_client.verify_access_token(token)


async def test_pytest_httpx_mocks_work(httpx_mock, tenant):
    api_client = plain_client(tenant)
    for url, document in tenant.documents().items():
        httpx_mock.add_response(url=url, json=document)
    assert (await api_client.verify_request(tenant.authorization()))["sub"] == "auth0|1234"
    await api_client.verify_request(tenant.authorization())
    assert len(httpx_mock.get_requests()) == 2


async def test_respx_mocks_work_also_when_installed_late(tenant):
    api_client = plain_client(tenant)
    with respx.mock:
        respx.get(tenant.discovery_url).mock(side_effect=httpx.ConnectError("down"))
        with pytest.raises(IssuerUnavailableError):
            await api_client.verify_request(tenant.authorization())
    other = plain_client(tenant)
    with respx.mock:
        for url, document in tenant.documents().items():
            respx.get(url).respond(json=document)
        assert (await other.verify_request(tenant.authorization()))["sub"] == "auth0|1234"


async def test_an_unreachable_issuer_is_503_with_retry_after(tenant, caplog):
    async def fetch(url):
        raise OSError("no route")

    with pytest.raises(IssuerUnavailableError) as refusal:
        await plain_client(tenant, custom_fetch=fetch).verify_request(tenant.authorization())
    error = refusal.value
    assert (error.get_status_code(), error.get_error_code()) == (503, "temporarily_unavailable")
    assert int(error.get_headers()["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in error.get_headers()
    assert "tenant.example" in caplog.text
    assert "OSError: no route" in caplog.text


async def test_a_caller_that_gives_up_does_not_take_the_others_down(tenant):
    started, go_on = asyncio.Event(), asyncio.Event()

    async def fetch(url):
        started.set()
        await go_on.wait()
        return await tenant.fetch(url)

    api_client = plain_client(tenant, custom_fetch=fetch)
    first, second = (asyncio.ensure_future(api_client.verify_request(tenant.authorization())) for _ in range(2))
    await started.wait()
    first.cancel()
    await asyncio.sleep(0)
    go_on.set()
    assert (await second)["sub"] == "auth0|1234"
    assert first.cancelled()
    assert len(tenant.fetched) == 2


async def test_an_issuer_that_never_settles_is_given_up(tenant, clock):
    places = itertools.count()

    async def fetch(url):
        clock.ahead += 700
        if url.endswith("openid-configuration"):
            return {**tenant.documents()[url], "jwks_uri": f"https://{tenant.domain}/jwks/{next(places)}"}
        return await tenant.fetch(f"https://{tenant.domain}/.well-known/jwks.json")

    api_client = plain_client(tenant, custom_fetch=fetch)
    with pytest.raises(IssuerUnavailableError) as refusal:
        await api_client.verify_access_token(tenant.token(exp=time.time() + 1e6))
    assert refusal.value.code == "issuer_unsettled"
    assert refusal.value.get_headers() == {"Retry-After": "5"}
    assert len(tenant.fetched) < 10
