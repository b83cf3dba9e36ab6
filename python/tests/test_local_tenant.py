"""Against the product's own local tenant: its keys, its outages. `test_keys.py` has another issuer."""

import gc

import httpx
import local
import pytest

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError, VerifyAccessTokenError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from local_tenant import LocalTenant, at_its_best
from support import AUDIENCE, free_port, settled

# Where the time limit is what ends a fetch; elsewhere it is the usual one, which a busy machine doesn't reach.
SHORT = 1.0


@pytest.fixture
def tenant(local_tenant):
    return local_tenant


def client_of(tenant, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, **options))


async def test_its_keys_come_and_go(tenant, clock):
    api_client, old = client_of(tenant), tenant.token()
    await api_client.verify_access_token(old)
    tenant.admin("rotate-keys")
    await api_client.verify_access_token(tenant.token())
    assert tenant.asked() == {"discovery": 1, "jwks": 2}
    tenant.admin("withdraw-key", {})
    # Its documents are good for 15 s.
    clock.ahead = 1000
    await api_client.verify_access_token(tenant.token())
    await settled(api_client)
    with pytest.raises(VerifyAccessTokenError, match="No matching key found in JWKS"):
        await api_client.verify_access_token(old)


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


async def test_a_running_app_goes_on_when_its_tenant_starts_again(tmp_path, monkeypatch, clock):
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    arguments, port = ["--state", str(tmp_path / "state")], free_port()
    with (tmp_path / "log").open("w") as log:
        with local.tenant(log, *arguments, port=port) as started:
            first = at_its_best(LocalTenant(*started), monkeypatch)
            api_client, before = client_of(first), first.token()
            await api_client.verify_access_token(before)
        # Its documents are good for 15 s, and nobody gives new ones.
        clock.ahead = 1000
        await api_client.verify_access_token(before)
        await settled(api_client)
        with local.tenant(log, *arguments, port=port) as started:
            second = at_its_best(LocalTenant(*started), monkeypatch)
            assert second.issuer == first.issuer
            clock.ahead = 2000
            for token in (before, second.token()):
                for of_an_app in (api_client, client_of(second)):
                    assert await of_an_app.verify_access_token(token)
                    await settled(of_an_app)
            assert api_client.status()[0]["key_set"]["age"] < 15


async def test_the_app_passes_on_when_to_come_back(tenant):
    tenant.behave("jwks", {"status": 429, "headers": {"Retry-After": "40"}})
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
    transport = httpx.ASGITransport(guarded_app(auth0))
    async with httpx.AsyncClient(transport=transport, base_url="http://app", trust_env=False) as app:
        answer = await app.get("/private", headers=tenant.authorization())
    assert answer.status_code == 503
    assert 30 < int(answer.headers["Retry-After"]) <= 40
