"""What `/docs` shows, and that showing it costs a request nothing."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from fastapi.dependencies.utils import get_dependant
from fastapi.openapi.utils import get_openapi
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.testclient import TestClient

from bearward import ConfigurationError
from bearward.fastapi import Guard
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE

LOGIN = "Auth0-api.example.com"


@pytest.fixture
def other(tenant):
    return Auth0FastAPI(domain=tenant.domain, audience="https://other.example/", custom_fetch=tenant.fetch)


@pytest.fixture
def nested(auth0, other):
    """Guards of two APIs on every level: app, router in a router, route, parameter, dependency of a dependency."""

    async def user(claims: dict = Depends(auth0.require_auth("openid"))):
        return claims["sub"]

    inner = APIRouter(prefix="/inner", dependencies=[Depends(auth0.require_auth("read:messages"))])

    @inner.get("/route", dependencies=[Depends(other.require_auth("other"))])
    async def route(sub: str = Depends(user), claims: dict = Depends(auth0.require_auth())):
        return {"sub": sub}

    outer = APIRouter(prefix="/outer")
    outer.include_router(inner)
    app = FastAPI(dependencies=[Depends(auth0.require_auth())])
    app.include_router(outer)
    app.include_router(outer, prefix="/again")
    return app


@pytest.fixture
def token(tenant):
    return tenant.authorization(aud=[AUDIENCE, "https://other.example/"], scope="openid read:messages other")


def scopes_of(operation):
    """All scopes of an operation, per scheme. FastAPI before 0.116 lists `Bearer` once per guard."""
    return {name: set(scopes) for requirement in operation["get"]["security"] for name, scopes in requirement.items()}


def test_schemes_and_scopes(app, client):
    document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes["Bearer"]["type"] == "http"
    assert schemes["Bearer"]["scheme"] == "bearer"
    assert schemes[LOGIN] == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "https://tenant.example/authorize?audience=https%3A%2F%2Fapi.example.com",
                "tokenUrl": "https://tenant.example/oauth/token",
                "scopes": {"read:messages": "", "write:messages": ""},
            }
        },
    }
    paths = document["paths"]
    assert "security" not in paths["/public"]["get"]
    assert paths["/private"]["get"]["security"] == [{"Bearer": []}, {LOGIN: []}]
    assert paths["/messages"]["get"]["security"] == [{"Bearer": []}, {LOGIN: ["read:messages"]}]
    assert paths["/both"]["get"]["security"] == [{"Bearer": []}, {LOGIN: ["read:messages", "write:messages"]}]
    assert all("parameters" not in operation["get"] for operation in paths.values())
    assert client.get("/docs").status_code == 200


@pytest.mark.parametrize(
    ("options", "name", "scheme", "dpop"),
    [
        ({}, "Bearer", "bearer", True),
        ({"dpop_enabled": False}, "Bearer", "bearer", False),
        ({"dpop_required": True}, "DPoP", "dpop", True),
    ],
)
def test_dpop(tenant, options, name, scheme, dpop):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
    document = guarded_app(auth0).openapi()
    shown = document["components"]["securitySchemes"][name]
    assert (shown["type"], shown["scheme"], "DPoP" in shown["description"]) == ("http", scheme, dpop)
    assert document["paths"]["/messages"]["get"]["security"] == [{name: []}, {LOGIN: ["read:messages"]}]
    nonces = Auth0FastAPI(
        domain=tenant.domain, audience=AUDIENCE, **{**options, "dpop_nonce": options.get("dpop_enabled", True)}
    )
    assert guarded_app(nonces).openapi() == document


def test_two_apis_in_one_app(nested):
    document = nested.openapi()
    others = {"Bearer-other.example", "Auth0-other.example"}
    assert set(document["components"]["securitySchemes"]) == {"Bearer", LOGIN, *others}
    for path in ("/outer/inner/route", "/again/outer/inner/route"):
        scopes = scopes_of(document["paths"][path])
        assert scopes == {
            "Bearer": set(),
            "Bearer-other.example": set(),
            LOGIN: {"openid", "read:messages"},
            "Auth0-other.example": {"other"},
        }


def test_guards_of_two_apis_guard(nested, tenant, token):
    client = TestClient(nested)
    assert client.get("/outer/inner/route", headers=token).json() == {"sub": "auth0|1234"}
    assert client.get("/outer/inner/route").status_code == 400
    for lacking in ("openid read:messages", "openid other", "read:messages other"):
        weak = tenant.authorization(aud=[AUDIENCE, "https://other.example/"], scope=lacking)
        assert client.get("/outer/inner/route", headers=weak).status_code == 403
    single = tenant.authorization(scope="openid read:messages other")
    assert client.get("/outer/inner/route", headers=single).status_code == 401


def test_a_request_goes_through_the_guard_alone(auth0):
    assert get_dependant(path="/", call=auth0.require_auth("read:messages")).dependencies == []


def test_requests_do_not_change_the_document(nested, token):
    before = copy.deepcopy(nested.openapi())
    client = TestClient(nested)
    for path in ("/outer/inner/route", "/again/outer/inner/route"):
        assert client.get(path, headers=token).status_code == 200
    nested.openapi_schema = None
    assert nested.openapi() == before


def test_applications_that_are_mounted_have_documents_of_their_own(auth0, app):
    outer = FastAPI()
    outer.get("/", dependencies=[Depends(auth0.require_auth("outer"))])(lambda: {})
    outer.mount("/inner", app)
    client = TestClient(outer)
    shown = client.get("/openapi.json").json()["paths"]
    assert list(shown) == ["/"]
    assert scopes_of(shown["/"]) == {"Bearer": set(), LOGIN: {"outer"}}
    inner = client.get("/inner/openapi.json").json()["paths"]
    assert scopes_of(inner["/messages"]) == {"Bearer": set(), LOGIN: {"read:messages"}}


def test_a_users_function_in_place_of_openapi(app):
    before = app.openapi()
    app.openapi = lambda: get_openapi(title="Mine", version="5", routes=app.routes)
    shown = TestClient(app).get("/openapi.json").json()
    assert shown["info"] == {"title": "Mine", "version": "5"}
    assert (shown["paths"], shown["components"]) == (before["paths"], before["components"])


def test_scopes_that_security_names_are_shown(auth0):
    async def user(claims: dict = Depends(auth0.require_auth("a"))):
        return claims

    app = FastAPI()
    app.get("/route", dependencies=[Security(auth0.require_auth("a"), scopes=["b"])])(lambda: {})

    @app.get("/parameter")
    async def parameter(user: dict = Security(user, scopes=["b"])):
        return user

    for operation in app.openapi()["paths"].values():
        assert scopes_of(operation)[LOGIN] == {"a", "b"}


def test_hidden_routes_and_webhooks(auth0, other):
    app = FastAPI()
    app.get("/hidden", include_in_schema=False, dependencies=[Depends(other.require_auth())])(lambda: {})
    app.webhooks.post("hook", dependencies=[Depends(auth0.require_auth("hook"))])(lambda: {})
    shown = app.openapi()
    assert set(shown["components"]["securitySchemes"]) == {"Bearer", LOGIN}
    assert shown["webhooks"]["hook"]["post"]["security"] == [{"Bearer": []}, {LOGIN: ["hook"]}]


def test_other_schemes_stay(auth0):
    app = FastAPI()
    key = APIKeyHeader(name="X-Key")
    app.get("/", dependencies=[Depends(key), Depends(auth0.require_auth("a"))])(lambda: {})
    app.get("/key", dependencies=[Depends(key)])(lambda: {})
    app.get("/extra", dependencies=[Depends(auth0.require_auth())], openapi_extra={"security": [{"Own": []}]})(
        lambda: {}
    )
    paths = app.openapi()["paths"]
    assert paths["/"]["get"]["security"] == [{"APIKeyHeader": []}, {"Bearer": []}, {LOGIN: ["a"]}]
    assert paths["/key"]["get"]["security"] == [{"APIKeyHeader": []}]
    assert scopes_of(paths["/extra"]) == {"Bearer": set(), "Own": set(), LOGIN: set()}


def test_no_login_where_only_a_resolver_knows_the_domains(tenant):
    guard = Auth0FastAPI(domains=lambda context: [tenant.domain], audience=AUDIENCE, custom_fetch=tenant.fetch)
    shown = guarded_app(guard).openapi()
    assert set(shown["components"]["securitySchemes"]) == {"Bearer"}
    assert shown["paths"]["/messages"]["get"]["security"] == [{"Bearer": []}]


def scopes_shown(app, name=LOGIN):
    scheme = app.openapi()["components"]["securitySchemes"][name]
    return scheme["flows"]["authorizationCode"]["scopes"]


def test_a_document_lists_the_scopes_that_its_operations_name(tenant):
    auth0 = Auth0FastAPI(
        domain=tenant.domain,
        audience=AUDIENCE,
        scope_descriptions={"read": "Read your things", "never": "Not in this document"},
    )
    auth0.require_auth("unused")
    app, other = FastAPI(), FastAPI()
    app.get("/read", dependencies=[auth0.require_auth("read")])(lambda: {})
    app.get("/write", dependencies=[Security(auth0.require_auth(), scopes=["write"])])(lambda: {})
    app.get("/hidden", include_in_schema=False, dependencies=[auth0.require_auth("hidden")])(lambda: {})
    other.get("/other", dependencies=[auth0.require_auth("other")])(lambda: {})
    app.mount("/mounted", other)
    for _ in range(2):
        assert scopes_shown(app) == {"read": "Read your things", "write": ""}
        assert scopes_shown(other) == {"other": ""}
    app.get("/late", dependencies=[auth0.require_auth("late")])(lambda: {})
    app.openapi_schema = None
    assert set(scopes_shown(app)) == {"read", "write", "late"}


def test_documents_that_are_made_at_once(tenant):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE)
    apps = [FastAPI() for _ in range(8)]
    for number, app in enumerate(apps):
        for part in range(20):
            app.get(f"/{part}", dependencies=[auth0.require_auth(f"{number}:{part}")])(lambda: {})
    with ThreadPoolExecutor(len(apps)) as threads:
        shown = list(threads.map(scopes_shown, apps))
    assert [set(scopes) for scopes in shown] == [{f"{it}:{part}" for part in range(20)} for it in range(len(apps))]


SAME_LABEL = [
    {"domain": "a.example", "audience": "https://api.example"},
    {"domain": "b.example", "audience": "https://api.example"},
    {"domain": "a.example", "audience": "http://api.example"},
    {"domain": "a.example", "audience": "api.example"},
    {"domains": ["a.example", "b.example"], "audience": "https://api.example"},
    {"domains": lambda context: ["a.example"], "audience": "https://api.example"},
    {"domain": "a.example", "audience": ["https://api.example", "other"]},
    {"issuer": "https://a.example/", "audience": "other"},
    {"issuer": "https://a.example", "audience": "other"},
    {"issuer": "https://a.example", "audience": "another"},
]


@pytest.mark.parametrize("more", [{}, {"dpop_required": True}])
def test_guards_of_different_issuers_or_audiences_have_different_schemes(more):
    guards = [Auth0FastAPI(**options, **more) for options in SAME_LABEL]
    app = FastAPI()
    for number, guard in enumerate(guards):
        app.get(f"/{number}", dependencies=[guard.require_auth(f"s{number}")])(lambda: {})
        again = Auth0FastAPI(**SAME_LABEL[number], **more)
        app.get(f"/again/{number}", dependencies=[again.require_auth(f"s{number}")])(lambda: {})
    document = app.openapi()
    names = [set(scopes_of(document["paths"][f"/{number}"])) for number in range(len(guards))]
    assert [len(it) for it in names] == [1 if callable(options.get("domains")) else 2 for options in SAME_LABEL]
    # No name twice, so all of them together are as many; and no scheme that no operation names.
    assert len(set().union(*names)) == sum(map(len, names))
    assert set(document["components"]["securitySchemes"]) == set().union(*names)
    for number, own in enumerate(names):
        assert set(scopes_of(document["paths"][f"/again/{number}"])) == own
        for name in own:
            flows = document["components"]["securitySchemes"][name].get("flows")
            assert flows is None or list(flows["authorizationCode"]["scopes"]) == [f"s{number}"]


def test_a_scheme_of_the_apps_own_that_has_the_same_name_stays(auth0, other):
    app = FastAPI()
    own = HTTPBearer(scheme_name="Bearer")
    app.get("/first", dependencies=[auth0.require_auth()])(lambda: {})
    app.get("/second", dependencies=[other.require_auth(), Depends(own)])(lambda: {})
    assert set(scopes_of(app.openapi()["paths"]["/second"])) == {
        "Bearer",
        "Bearer-other.example",
        "Auth0-other.example",
    }


def test_responses(auth0, tenant):
    app = FastAPI()
    router = APIRouter(responses=auth0.responses, dependencies=[auth0.require_auth("a")])
    router.get("/", responses={404: {"description": "Own"}})(lambda: {})
    app.include_router(router)
    document = app.openapi()
    shown = document["paths"]["/"]["get"]["responses"]
    assert set(shown) == {"200", "400", "401", "403", "404", "503"}
    body = document["components"]["schemas"]
    client = TestClient(app)
    for headers in ({}, tenant.authorization(exp=1), tenant.authorization(scope="")):
        answer = client.get("/", headers=headers)
        described = shown[f"{answer.status_code}"]
        assert described["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Refusal"}
        assert set(answer.json()) == set(body["Refusal"]["required"])
        assert set(answer.json()["detail"]) == set(body["RefusalReason"]["required"])
        assert {name.lower() for name in described["headers"]} <= set(answer.headers)
    assert 400 not in Guard("https://a.example/", "a").responses


def test_the_login_of_the_page(auth0):
    app = FastAPI(swagger_ui_init_oauth=auth0.swagger_ui("docs-client"))
    page = TestClient(app).get("/docs").text
    assert '"clientId": "docs-client"' in page
    assert '"usePkceWithAuthorizationCodeGrant": true' in page
    assert Guard("https://kc.example/realms/acme", "api").swagger_ui("docs")["clientId"] == "docs"
    assert auth0.swagger_ui("docs", scopes=["a", "b", "a"])["scopes"] == "a b"
    with pytest.raises(ConfigurationError, match="scopes"):
        auth0.swagger_ui("docs", scopes=[""])
    with pytest.raises(ConfigurationError, match="resolver"):
        Auth0FastAPI(domains=lambda context: [], audience="a").swagger_ui("docs-client")
    for wrong in ("", None, 5):
        with pytest.raises(ConfigurationError, match="client_id"):
            auth0.swagger_ui(wrong)
