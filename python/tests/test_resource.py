"""Protected resource metadata (RFC 9728): the document, where it is served, and what challenges say of it."""

import contextlib
import copy
import pickle
import re

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.testclient import TestClient
from starlette.applications import Starlette

from bearward import ApiClient, ApiClientOptions, ConfigurationError, ProtectedResource
from bearward.asgi import AuthMiddleware
from bearward.fastapi import Auth0FastAPI, Guard
from support import AUDIENCE, Tenant, free_port, running

RESOURCE = "https://api.example.com/mcp"
METADATA = "https://api.example.com/.well-known/oauth-protected-resource/mcp"
PATHS = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]


def challenged(challenge):
    """The URL of the metadata document; the challenges of one answer name the same one."""
    (url,) = set(re.findall(r'resource_metadata="([^"]*)"', challenge))
    return url


def answered():
    return {}


def app_of(auth0):
    app = FastAPI()

    @app.get("/mcp")
    async def mcp(claims: dict = Depends(auth0.require_auth(["read:messages", "write:messages"]))):
        return claims["sub"]

    @app.get("/{path:path}")
    async def everything(path: str):
        return "not the document"

    auth0.publish(app)
    return app


@pytest.mark.parametrize("path", PATHS)
def test_the_document_is_served_where_challenges_say(tenant, path):
    resource = ProtectedResource(RESOURCE, scopes_supported=["read:messages"], resource_name="Messages")
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, resource=resource)
    client = TestClient(app_of(auth0))
    answer = client.get("/mcp", headers=tenant.authorization(exp=1))
    assert (answer.status_code, challenged(answer.headers["www-authenticate"])) == (401, METADATA)
    assert answer.headers["www-authenticate"].count('scope="read:messages write:messages"') == 2
    answer = client.get("/mcp", headers=tenant.authorization())
    assert (answer.status_code, challenged(answer.headers["www-authenticate"])) == (403, METADATA)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")
    assert answer.json() == {
        "resource": RESOURCE,
        "authorization_servers": [tenant.issuer],
        "scopes_supported": ["read:messages"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "resource_name": "Messages",
    }
    assert client.head(path).status_code == 200
    assert client.post(path).status_code == 405
    assert client.options(path).headers["access-control-allow-headers"] == "*"


def test_the_document_over_a_socket(tenant):
    port = free_port()
    resource = ProtectedResource(f"http://127.0.0.1:{port}/mcp")
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, resource=resource)
    with (
        running(app_of(auth0), port=port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        url = challenged(client.get("/mcp").headers["www-authenticate"])
        assert client.get(url).json()["resource"] == resource.resource


# Who serves it


def api_of(tenant, port, **app_options):
    """A guarded app that publishes nothing yet, and its guard."""
    resource = ProtectedResource(f"http://127.0.0.1:{port}/mcp")
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, resource=resource)
    app = FastAPI(**{name: make(auth0) for name, make in app_options.items()})
    app.get("/mcp", dependencies=[Depends(auth0.require_auth())])(answered)
    app.get("/{path:path}")(answered)
    return auth0, app


def own_lifespan(auth0):
    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with auth0.lifespan(app):
            yield {"mine": 1}

    return lifespan


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if "nobody serves" in record.getMessage()]


@pytest.mark.parametrize("lifespan", [lambda auth0: auth0.lifespan, own_lifespan])
def test_the_lifespan_publishes_before_the_first_request(tenant, lifespan, caplog):
    port = free_port()
    _, app = api_of(tenant, port, lifespan=lifespan)
    base = f"http://127.0.0.1:{port}"
    with running(app, port=port, lifespan="on"), httpx.Client(base_url=base, trust_env=False) as client:
        for path in PATHS:
            assert client.get(path).json()["resource"] == f"{base}/mcp"
        url = challenged(client.get("/mcp").headers["www-authenticate"])
        assert client.get(url).json()["resource"] == f"{base}/mcp"
    assert warnings_of(caplog) == []


def test_a_document_that_nobody_serves_is_warned_of_once(tenant, caplog):
    port = free_port()
    _, app = api_of(tenant, port)
    with running(app, port=port, lifespan="on"), httpx.Client(trust_env=False) as client:
        for _ in range(2):
            url = challenged(client.get(f"http://127.0.0.1:{port}/mcp").headers["www-authenticate"])
    (warning,) = warnings_of(caplog)
    assert url in warning
    assert "auth0.publish(app)" in warning
    assert "lifespan=auth0.lifespan" in warning


def test_it_is_published_once_however_often_it_is_asked_for(tenant):
    auth0, app = api_of(tenant, 1, lifespan=lambda auth0: auth0.lifespan)
    auth0.publish(app)
    auth0.publish(app)
    with TestClient(app) as client:
        assert client.get(PATHS[0]).status_code == 200
        assert [getattr(route, "path", "") for route in app.routes].count(PATHS[0]) == 1


@pytest.mark.parametrize("by", ["publish", "routes", "own route", "middleware"])
def test_nobody_warns_where_somebody_serves_it(tenant, by, caplog):
    auth0, app = api_of(tenant, 1)
    resource, outer = auth0.api_client.options.resource, app
    if by == "publish":
        auth0.publish(app)
    elif by == "routes":
        app.router.routes[:0] = resource.routes(auth0.api_client)
    elif by == "own route":
        app.get(PATHS[0])(answered)
    else:
        outer = AuthMiddleware(app, auth0.api_client, optional=True)
    assert TestClient(outer).get("/mcp").status_code == 400
    assert warnings_of(caplog) == []


def test_a_mounted_app_cannot_serve_it(tenant, caplog):
    auth0, inner = api_of(tenant, 1)
    auth0.publish(inner)
    outer = FastAPI()
    outer.mount("/sub", inner)
    assert TestClient(outer).get("/sub/mcp").status_code == 400
    (warning,) = warnings_of(caplog)
    assert "mounted in another" in warning
    caplog.clear()

    auth0, inner = api_of(tenant, 1)
    outer = FastAPI()
    auth0.publish(outer)
    outer.mount("/sub", inner)
    client = TestClient(outer)
    assert (client.get("/sub/mcp").status_code, client.get(PATHS[0]).status_code) == (400, 200)
    assert warnings_of(caplog) == []


def test_a_copy_of_a_guard_publishes_for_itself(tenant, caplog):
    auth0, app = api_of(tenant, 1)
    auth0.publish(app)
    again = copy.copy(auth0)
    own = FastAPI(lifespan=again.lifespan)
    own.get("/mcp", dependencies=[Depends(again.require_auth())])(answered)
    with TestClient(own) as client:
        assert (client.get("/mcp").status_code, client.get(PATHS[0]).status_code) == (400, 200)
    assert warnings_of(caplog) == []


class Spelling(Tenant):
    """A tenant whose `iss` has no final slash."""

    def documents(self):
        own = self.issuer.rstrip("/")
        return {
            url: {**document, "issuer": own} if url == self.discovery_url else document
            for url, document in super().documents().items()
        }


@pytest.mark.parametrize("tenant", [Tenant(), Spelling()])
async def test_issuers_are_spelled_as_they_spell_themselves(tenant):
    """A wrong final slash stops clients: they compare octet for octet."""
    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch))
    document = await ProtectedResource(RESOURCE).document(client)
    assert document["authorization_servers"] == [tenant.documents()[tenant.discovery_url]["issuer"]]
    assert tenant.fetched == [tenant.discovery_url]


async def test_issuers_in_the_order_of_the_options():
    hosts = [f"t{n}.example" for n in range(6)]
    tenants = {tenant.discovery_url: tenant for tenant in map(Tenant, hosts)}

    async def fetch(url):
        return tenants[url].documents()[url]

    client = ApiClient(ApiClientOptions(domains=hosts, audience=AUDIENCE, custom_fetch=fetch))
    document = await ProtectedResource(RESOURCE).document(client)
    assert document["authorization_servers"] == [f"https://{host}/" for host in hosts]


def test_an_issuer_that_cannot_be_reached_is_503(tenant):
    async def down(url):
        raise OSError

    resource = ProtectedResource(RESOURCE)
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=down, resource=resource)
    answer = TestClient(app_of(auth0)).get(PATHS[0])
    assert (answer.status_code, answer.json()["detail"]["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("options", "required", "algorithms"),
    [
        ({"dpop_enabled": False}, None, None),
        ({"dpop_algorithms": ["EdDSA", "ES256"]}, None, {"EdDSA", "ES256"}),
        ({"dpop_required": True}, True, {"ES256"}),
    ],
)
async def test_the_document_says_what_the_options_do(tenant, options, required, algorithms):
    client = ApiClient(ApiClientOptions(issuer=tenant.issuer, audience=AUDIENCE, **options))
    document = await ProtectedResource(RESOURCE).document(client)
    assert document.get("dpop_bound_access_tokens_required") is required
    assert set(document.get("dpop_signing_alg_values_supported", ())) == (algorithms or set())
    assert "jwks_uri" not in document


def test_routes_for_starlette(tenant):
    client = ApiClient(ApiClientOptions(issuer=tenant.issuer, audience=AUDIENCE))
    app = Starlette(routes=ProtectedResource(RESOURCE).routes(client))
    assert [TestClient(app).get(path).json()["resource"] for path in PATHS] == [RESOURCE] * 2


async def test_a_resolver_needs_servers_by_name():
    client = ApiClient(ApiClientOptions(domains=lambda _: ["t.example"], audience=AUDIENCE))
    with pytest.raises(ConfigurationError, match="authorization_servers"):
        await ProtectedResource(RESOURCE).document(client)
    named = ProtectedResource(RESOURCE, ["https://t.example/a"])
    assert (await named.document(client))["authorization_servers"] == ["https://t.example/a"]


def test_the_origin_of_the_resource_is_the_public_one(tenant, prover):
    options = {"audience": AUDIENCE, "custom_fetch": tenant.fetch, "resource": ProtectedResource(RESOURCE)}
    client = TestClient(app_of(Auth0FastAPI(domain=tenant.domain, **options)))
    token = prover.token(scope="read:messages write:messages")
    assert client.get("/mcp", headers=prover.headers(RESOURCE, token)).status_code == 200
    spoofed = {**prover.headers("https://evil.example/mcp", token), "Host": "evil.example"}
    assert client.get("/mcp", headers=spoofed).status_code == 400
    with pytest.raises(ConfigurationError, match="public_origin"):
        Auth0FastAPI(domain=tenant.domain, public_origin="https://other.example", **options)


def test_each_guard_names_the_scopes_that_it_asks_for(tenant):
    auth0 = Auth0FastAPI(
        domain=tenant.domain,
        audience=AUDIENCE,
        custom_fetch=tenant.fetch,
        resource=ProtectedResource(RESOURCE),
    )
    app = FastAPI(dependencies=[Depends(auth0.require_auth("read:messages"))])
    app.get("/admin", dependencies=[Depends(auth0.require_auth("admin"))])(answered)
    app.get("/more", dependencies=[Security(auth0.require_auth("admin"), scopes=["more"])])(answered)
    client, token = TestClient(app), tenant.authorization(scope="read:messages")
    for path, scopes in (("/admin", "admin"), ("/more", "admin more")):
        answer = client.get(path, headers=token)
        challenge = answer.headers["www-authenticate"]
        assert (answer.status_code, challenged(challenge)) == (403, METADATA)
        assert f'scope="{scopes}"' in challenge
    own = FastAPI()
    own.get("/more", dependencies=[Security(auth0.require_auth("admin"), scopes=["more"])])(answered)
    assert 'scope="admin more"' in TestClient(own).get("/more").headers["www-authenticate"]


def test_a_guard_of_any_issuer(tenant):
    resource = ProtectedResource(RESOURCE)
    guard = Guard(tenant.issuer, RESOURCE, custom_fetch=tenant.fetch, resource=resource)
    app = app_of(guard)
    app.include_router(APIRouter())
    answer = TestClient(app).get("/mcp")
    assert (answer.status_code, challenged(answer.headers["www-authenticate"])) == (401, METADATA)
    with pytest.raises(ConfigurationError, match="resource"):
        Guard(tenant.issuer, RESOURCE).publish(app)


@pytest.mark.parametrize(
    "arguments",
    [
        {"resource": "mcp.example.com"},
        {"resource": "http://mcp.example.com/mcp"},
        {"resource": f"{RESOURCE}#x"},
        {"resource": None},
        {"scopes_supported": ["a", "offline_access"]},
        {"scopes_supported": "a b"},
        {"scopes_supported": ['a"b']},
        {"authorization_servers": ["tenant.example"]},
        {"authorization_servers": "https://tenant.example/"},
        {"documentation": "javascript:alert(1)"},
        {"resource_name": 7},
    ],
)
def test_what_cannot_be_published(arguments):
    with pytest.raises(ConfigurationError):
        ProtectedResource(**{"resource": RESOURCE, **arguments})


def test_equal_and_copied():
    one = ProtectedResource(RESOURCE, scopes_supported=["a"], tos_uri="https://a.example/tos")
    assert one == pickle.loads(pickle.dumps(one)) == copy.deepcopy(one)  # noqa: S301 - our own
    assert one != ProtectedResource(RESOURCE)
    assert repr(one) == f"ProtectedResource({RESOURCE!r}, tos_uri='https://a.example/tos', scopes_supported=['a'])"


def test_scopes_that_imply_others_and_claims_that_count_together(tenant):
    options = {"implies": {"admin": ["write"], "write": ["read"]}, "scope_claim": ("scope", "permissions")}
    client = ApiClient(ApiClientOptions(domain=tenant.domain, audience=["a", AUDIENCE], **options))
    claims = {"scope": "openid", "permissions": ["admin"], "aud": [AUDIENCE, "b"]}
    assert client.granted_scopes(claims) == ["openid", "admin", "read", "write"]
    assert client.audience_of(claims) == AUDIENCE
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
    app = FastAPI()
    app.get("/", dependencies=[Depends(auth0.require_auth("read"))])(lambda: "ok")
    for claims, status in [({"permissions": ["admin"]}, 200), ({"scope": "write"}, 200), ({"scope": "audit"}, 403)]:
        assert TestClient(app).get("/", headers=tenant.authorization(**claims)).status_code == status


@pytest.mark.parametrize(
    "options",
    [
        {"implies": ["admin"]},
        {"implies": {"admin": "read"}},
        {"implies": {"admin": [""]}},
        {"implies": {"a b": ["c"]}},
        {"scope_claim": []},
        {"scope_claim": ["scope", 5]},
    ],
)
def test_options_that_cannot_be_used(options):
    with pytest.raises(ConfigurationError):
        ApiClient(ApiClientOptions(domain="t.example", audience=AUDIENCE, **options))
