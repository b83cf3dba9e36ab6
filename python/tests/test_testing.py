"""`bearward.testing`, as tests of an app use it: the page about it, the tenant in memory, and acting as somebody."""

import os
import subprocess
import sys
import time

import pytest
from fastapi import FastAPI, Request, Security, WebSocket
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.websockets import WebSocketDisconnect

from bearward import ApiClient, ApiClientOptions
from bearward._asgi.answers import send_json
from bearward.asgi import AuthMiddleware, current_principal
from bearward.fastapi import Auth0FastAPI, AuthHTTPException, Guard, claims_of
from bearward.testing import TestTenant, act_as
from conftest import guarded_app
from support import AUDIENCE, KEY, Tenant
from walkthrough import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "testing.md"

# Runs pytest where no connection can be made. Sockets between the threads of an event loop are no connections.
# Starlette before 0.47 with a new anyio: theirs, at import.
OLDEST = ["-W", "ignore:The anyio.abc.BlockingPortal alias is deprecated:DeprecationWarning"]
OFFLINE = """
import socket, sys

def refuse(*_, **__):
    raise AssertionError("a test used the network")

socket.getaddrinfo = socket.create_connection = refuse
sys.exit(__import__("pytest").main(sys.argv[1:]))
"""


def run_pytest(folder, *arguments, **environment):
    """A user's pytest, with an environment of its own; gives the exit code and what it printed."""
    # Not the settings of this project.
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [
            sys.executable,
            "-c",
            OFFLINE,
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:asyncio",
            "-W",
            "error",
            *OLDEST,
            *arguments,
        ],
        cwd=folder,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    """A user's project, as the page describes it."""
    for block in blocks(PAGE.read_text()):
        if block.kind == "python":
            (tmp_path / block.before.split("`")[-2]).write_text(block.text)
    return tmp_path


def test_the_page(project):
    code, said = run_pytest(project)
    assert code == 0, said
    assert "7 passed" in said


def test_a_hundred_tests(project, report):
    (project / "test_tokens.py").unlink()
    (project / "test_as.py").write_text(
        "import pytest\n\n"
        "@pytest.mark.parametrize('number', range(100))\n"
        "def test_one(client, tenant, number):\n"
        "    tenant.rotate()\n"
        "    for it in ({}, {'dpop': True, 'url': '/messages'}):\n"
        "        headers = tenant.headers(sub=f'{number}', scope='read:messages', **it)\n"
        "        answer = client.get('/messages', headers=headers)\n"
        "        assert answer.json() == {'for': f'{number}'}\n"
    )
    begun = time.monotonic()
    code, said = run_pytest(project)
    assert code == 0, said
    report(
        f"100 tests with a tenant of their own: {time.monotonic() - begun:.1f} s, of which pytest: {said.split()[-1]}"
    )


# The environment and the plugin


def test_the_environment_that_is_set_stays(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import os\nfrom bearward.fastapi import Auth0FastAPI\n"
        "print('seen', os.environ['AUTH0_DOMAIN'], Auth0FastAPI().api_client.options.audience)\n"
    )
    code, said = run_pytest(tmp_path, "-s", AUTH0_DOMAIN="mine.example", AUTH0_AUDIENCE="")
    assert code == pytest.ExitCode.NO_TESTS_COLLECTED, said
    assert "seen mine.example https://api.test" in said


def test_the_environment_is_left_alone_on_request(tmp_path):
    (tmp_path / "test_it.py").write_text("import os\ndef test_it(): assert 'AUTH0_DOMAIN' not in os.environ\n")
    code, said = run_pytest(tmp_path, "-o", "bearward_environment=false")
    assert code == 0, said


def test_without_the_extra_other_tests_run_and_the_fixtures_say_what_is_missing(tmp_path):
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['cryptography'] = None\n")
    (tmp_path / "test_it.py").write_text("def test_other(): pass\ndef test_it(tenant): pass\n")
    code, said = run_pytest(tmp_path)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "1 passed, 1 error" in said
    assert "pip install 'bearward[testing]'" in said


@pytest.mark.parametrize(
    ("environment", "warns"),
    [({}, True), ({"BEARWARD_ALLOW_TESTING": "1"}, False), ({"BEARWARD_ALLOW_TESTING": ""}, True)],
)
def test_the_import_warns_outside_of_tests(environment, warns):
    done = subprocess.run(
        [sys.executable, "-c", "import pytest, bearward.testing"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("must not be in production" in done.stderr) is warns


def test_what_runs_in_production_has_none_of_it():
    program = (
        "import sys, bearward.fastapi\nprint([it for it in sys.modules if 'testing' in it or 'cryptography' in it])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert "bearward.testing" not in done.stdout
    assert "cryptography" not in done.stdout


# The tenant


@pytest.fixture
def tenant():
    with TestTenant() as tenant:
        yield tenant


def served(tenant, guard):
    tenant.serve(guard)
    return TestClient(guarded_app(guard))


ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm(tenant, algorithm):
    client = served(tenant, Auth0FastAPI(domain="a.example", audience=AUDIENCE, algorithms=[algorithm]))
    assert tenant.algorithm == algorithm
    assert client.get("/private", headers=tenant.headers()).json()["sub"] == "auth0|test"
    tenant.algorithm = "ES256" if algorithm == "RS256" else "RS256"
    assert client.get("/private", headers=tenant.headers()).status_code == 401


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
def test_each_algorithm_of_proofs(tenant, algorithm):
    client = served(tenant, Auth0FastAPI(domain="a.example", audience=AUDIENCE, dpop_algorithms=[algorithm]))
    answer = client.get("/private", headers=tenant.headers(dpop=True, url="/private"))
    assert (answer.status_code, "cnf" in answer.json()) == (200, True)


GUARDS = {
    "domain": lambda: Auth0FastAPI(domain="a.example", audience=AUDIENCE),
    "several domains": lambda: Auth0FastAPI(domains=["a.example", "b.example"], audience=[AUDIENCE, "b"]),
    "a resolver": lambda: Auth0FastAPI(domains=lambda context: ["tenant.test"], audience=AUDIENCE),
    "an issuer with a path": lambda: Guard("https://kc.example/realms/acme", AUDIENCE),
    "an issuer with a final slash": lambda: Guard("https://kc.example/o/acme/", AUDIENCE),
    "keys at a URL": lambda: Guard("https://kc.example/realms/acme", AUDIENCE, jwks_uri="https://kc.example/keys"),
    "keys": lambda: Guard("https://kc.example", AUDIENCE, jwks={"keys": [KEY.as_dict(private=False)]}),
    "no audience": lambda: Guard("https://cognito.example", None, client_ids=["app"]),
}


@pytest.mark.parametrize("kind", GUARDS)
def test_each_kind_of_guard(tenant, kind):
    guard = GUARDS[kind]()
    client = served(tenant, guard)
    answer = client.get("/private", headers=tenant.headers())
    assert (answer.status_code, answer.json().get("iss")) == (200, tenant.issuer)
    evil = TestTenant("evil.test")
    evil.algorithm, evil._more = tenant.algorithm, tenant._more
    forged = evil.headers(iss=tenant.issuer, aud=tenant.audience)
    assert client.get("/private", headers=forged).status_code == 401


def test_each_of_several_domains(tenant):
    client = served(tenant, GUARDS["several domains"]())
    for claims in ({}, {"iss": "https://b.example/"}, {"aud": "b"}):
        assert client.get("/private", headers=tenant.headers(**claims)).status_code == 200
    assert client.get("/private", headers=tenant.headers(iss="https://c.example/")).status_code == 401


class Unreachable:
    """A shared store and cache that no test must need."""

    async def remember(self, key, ttl_seconds):
        raise AssertionError

    get = set = remember


def test_nothing_is_shared_while_it_serves(tenant):
    options = {
        "domain": "a.example",
        "audience": AUDIENCE,
        "cache_adapter": Unreachable(),
        "dpop_replay": Unreachable(),
    }
    client = served(tenant, Auth0FastAPI(**options))
    headers = tenant.headers(dpop=True, url="/private")
    assert [client.get("/private", headers=headers).status_code for _ in range(2)] == [200, 400]


def test_a_proof_again_where_the_guard_allows_it(tenant):
    client = served(tenant, Auth0FastAPI(domain="a.example", audience=AUDIENCE, dpop_replay=False))
    headers = tenant.headers(dpop=True, url="/private")
    assert [client.get("/private", headers=headers).status_code for _ in range(2)] == [200, 200]


def test_proofs_name_the_public_origin_and_the_method(tenant):
    guard = Auth0FastAPI(domain="a.example", audience=AUDIENCE, public_origin="https://api.example.com")
    app = guarded_app(guard)
    app.post("/orders", dependencies=[guard.require_auth()])(lambda: {})
    client = TestClient(app)
    tenant.serve(guard)
    assert client.post("/orders", headers=tenant.headers(dpop=True, method="POST", url="/orders")).status_code == 200
    assert client.post("/orders", headers=tenant.headers(dpop=True, url="/orders")).status_code == 400
    absolute = tenant.headers(dpop=True, url="https://api.example.com/private")
    assert client.get("/private", headers=absolute).status_code == 200
    with pytest.raises(ValueError, match="url"):
        tenant.headers(dpop=True)


def test_an_api_that_demands_a_nonce(tenant):
    client = served(tenant, Auth0FastAPI(domain="a.example", audience=AUDIENCE, dpop_nonce=True, dpop_required=True))
    asked = client.get("/private", headers=tenant.headers(dpop=True, url="/private"))
    assert asked.status_code == 401
    nonce = asked.headers["dpop-nonce"]
    token = asked.request.headers["authorization"].split()[1]
    proof = tenant.proof(token, url="/private", dpop_nonce=nonce)
    assert client.get("/private", headers={"Authorization": f"DPoP {token}", "DPoP": proof}).status_code == 200
    again = tenant.headers(dpop=True, url="/private", dpop_nonce=nonce)
    assert client.get("/private", headers=again).status_code == 200


def test_keys_change_as_often_as_a_test_wants(tenant):
    client = served(tenant, GUARDS["domain"]())
    made = []
    for _ in range(3):
        made.append(tenant.headers())
        assert [client.get("/private", headers=it).status_code for it in made] == [200] * len(made)
        tenant.rotate()
    tenant.withdraw()
    assert {client.get("/private", headers=it).status_code for it in made} == {401}
    assert client.get("/private", headers=tenant.headers()).status_code == 200


def test_an_app_goes_on_with_the_documents_that_it_has(tenant):
    client = served(tenant, GUARDS["domain"]())
    assert client.get("/private", headers=tenant.headers()).status_code == 200
    tenant.down()
    assert client.get("/private", headers=tenant.headers()).status_code == 200
    tenant.rotate()
    assert client.get("/private", headers=tenant.headers()).status_code == 503
    tenant.up()
    assert client.get("/private", headers=tenant.headers()).status_code == 200


def test_a_guard_is_as_before_afterwards():
    before = Tenant()
    auth0 = Auth0FastAPI(domain=before.domain, audience=AUDIENCE, custom_fetch=before.fetch)
    client, options = TestClient(guarded_app(auth0)), auth0.api_client.options
    assert client.get("/private", headers=before.authorization()).status_code == 200
    with TestTenant() as inner, TestTenant("other.test") as other:
        inner.serve(auth0)
        other.serve(auth0)
        assert client.get("/private", headers=other.headers()).status_code == 200
        assert client.get("/private", headers=inner.headers()).status_code == 401
        assert client.get("/private", headers=before.authorization()).status_code == 401
    assert client.get("/private", headers=before.authorization()).status_code == 200
    assert client.get("/private", headers=inner.headers()).status_code == 401
    assert auth0.api_client.options is options


async def test_a_client_without_a_framework(tenant):
    client = ApiClient(ApiClientOptions(domain="a.example", audience=AUDIENCE))
    tenant.serve(client)
    assert (await client.verify_request(tenant.headers(sub="me")))["sub"] == "me"


def test_the_middleware_for_any_framework(tenant):
    client = ApiClient(ApiClientOptions(domain="a.example", audience=AUDIENCE))
    tenant.serve(client)

    async def inner(request):
        return JSONResponse({"sub": current_principal().claims["sub"]})

    app = AuthMiddleware(Starlette(routes=[Route("/", inner)]), client, scopes="a")
    browser = TestClient(app)
    assert browser.get("/", headers=tenant.headers(scope="a")).json() == {"sub": "auth0|test"}
    assert browser.get("/", headers=tenant.headers(scope="b")).status_code == 403


# Acting


@pytest.fixture
def everywhere():
    """Guards in all places: HTTP and WebSocket routes, a mounted app, middleware."""
    auth0 = Auth0FastAPI(domain="tenant.test", audience=AUDIENCE)
    inner, app = FastAPI(dependencies=[auth0.require_auth("inner")]), FastAPI()

    class User(BaseModel):
        sub: str

    @app.middleware("http")
    async def verify(request, call_next):
        if request.url.path != "/middleware":
            return await call_next(request)
        try:
            return JSONResponse(await auth0.verify(request, permissions="p"))
        except AuthHTTPException as error:
            return error.response()

    app.get("/scoped")(with_claims(auth0.require_auth("a")))
    app.get("/security")(with_claims(Security(auth0.require_auth(), scopes=["a"])))
    app.get("/optional")(with_claims(auth0.require_auth(optional=True)))
    app.get("/acr")(with_claims(auth0.require_auth(acr="mfa")))

    @app.get("/model")
    async def model(user: User = auth0.require_auth(model=User)):
        return user

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, claims: dict = auth0.require_auth("a")):
        await websocket.accept()
        await websocket.send_json(claims)
        await websocket.close()

    @app.get("/changed")
    async def changed(claims: dict = auth0.require_auth()):
        claims["permissions"].append("more")
        return claims

    @inner.get("/")
    async def later(request: Request):
        return claims_of(request)

    app.mount("/inner", inner)
    return app


def with_claims(guard):
    async def route(claims: dict = guard):
        return claims

    return route


PATHS = ["/scoped", "/security", "/optional", "/model", "/inner/", "/middleware"]


def test_every_guard_sees_the_claims(everywhere):
    client = TestClient(everywhere)
    with act_as(everywhere, sub="auth0|ann", scope="a inner", permissions=["p"]):
        assert {client.get(path).json()["sub"] for path in PATHS} == {"auth0|ann"}
        with client.websocket_connect("/socket") as socket:
            assert socket.receive_json()["scope"] == "a inner"
        claims = client.get("/scoped", headers={"Authorization": "Bearer nonsense"}).json()
        assert (claims["iss"], claims["aud"]) == ("https://tenant.test/", AUDIENCE)
        assert client.get("/acr").json()["detail"]["error"] == "insufficient_user_authentication"
        assert [client.get("/changed").json()["permissions"] for _ in range(2)] == [["p", "more"]] * 2
    assert [client.get(path).status_code for path in PATHS] == [400, 400, 200, 400, 400, 400]
    assert client.get("/optional").json() is None


def test_what_guards_require_is_checked_on_request_only(everywhere):
    client = TestClient(everywhere)
    with act_as(everywhere, sub="auth0|ann"):
        assert [client.get(path).status_code for path in PATHS] == [403, 403, 200, 200, 403, 403]
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/socket"):
            pass
    with act_as(everywhere, checks=False):
        assert {client.get(path).status_code for path in (*PATHS, "/acr")} == {200}
        with client.websocket_connect("/socket") as socket:
            assert "scope" not in socket.receive_json()


async def says_who(scope, receive, send):
    await send_json(send, 200, {"user": scope["user"].identity, "claims": current_principal().claims}, {})


def guarded_by_middleware(**options):
    client = ApiClient(ApiClientOptions(domain="tenant.test", audience=AUDIENCE))
    return AuthMiddleware(says_who, client, **options)


def test_middleware_around_any_app_sees_the_claims():
    app = guarded_by_middleware(scopes=["a"], exempt=["/public"], optional=True)
    client = TestClient(app)
    with act_as(app, sub="auth0|ann", scope="a"):
        answer = client.get("/", headers={"Authorization": "Bearer nonsense"}).json()
        assert (answer["user"], answer["claims"]["aud"]) == ("auth0|ann", AUDIENCE)
        # Not as the stranger that such a request would be otherwise.
        assert client.get("/").json()["user"] == "auth0|ann"
        with act_as(app, sub="auth0|bob", scope="a"):
            assert client.get("/").json()["user"] == "auth0|bob"
        assert client.get("/").json()["user"] == "auth0|ann"
    with act_as(app):
        assert client.get("/").status_code == 403
    with act_as(app, checks=False):
        assert client.get("/").json()["user"] == "auth0|test"
    assert client.get("/", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_middleware_inside_an_app_sees_the_claims_and_so_do_the_routes_behind_it():
    auth0 = Auth0FastAPI(domain="tenant.test", audience=AUDIENCE)
    app = FastAPI()
    app.add_middleware(AuthMiddleware, client=ApiClient(ApiClientOptions(domain="other.test", audience=AUDIENCE)))
    app.get("/")(with_claims(auth0.require_auth("a")))
    client = TestClient(app)
    with act_as(app, sub="auth0|ann", scope="a"):
        claims = client.get("/").json()
        assert (claims["sub"], claims["iss"]) == ("auth0|ann", "https://tenant.test/")
    with act_as(app, sub="auth0|ann"):
        assert client.get("/").status_code == 403
    assert client.get("/").status_code == 400


def test_routes_behind_middleware_that_is_the_app_see_the_claims():
    auth0 = Auth0FastAPI(domain="tenant.test", audience=AUDIENCE)
    inner = FastAPI()
    inner.get("/public")(with_claims(auth0.require_auth()))
    app = AuthMiddleware(inner, auth0.api_client, exempt=["/public"])
    with act_as(app, sub="auth0|ann"):
        assert TestClient(app).get("/public").json()["sub"] == "auth0|ann"
    assert TestClient(app).get("/public").status_code == 400


def test_claims_that_do_not_fit_the_model(everywhere):
    with act_as(everywhere, checks=False, sub=None):
        assert TestClient(everywhere).get("/model").status_code == 401


def test_the_innermost_counts_and_an_error_ends_it(everywhere):
    client = TestClient(everywhere)
    with act_as(everywhere, sub="outer"):
        with act_as(everywhere, sub="inner"):
            assert client.get("/optional").json()["sub"] == "inner"
        assert client.get("/optional").json()["sub"] == "outer"
        with pytest.raises(ZeroDivisionError), act_as(everywhere, sub="inner"):
            raise ZeroDivisionError
        assert client.get("/optional").json()["sub"] == "outer"
    assert client.get("/optional").json() is None


def test_only_the_app_that_is_named(everywhere):
    other = guarded_app(Auth0FastAPI(domain="a.example", audience=AUDIENCE))
    with act_as(everywhere):
        assert TestClient(other).get("/private").status_code == 400
    for wrong in (Auth0FastAPI(domain="a.example", audience="a"), None, "main:app"):
        with pytest.raises(TypeError, match="needs the FastAPI or Starlette app"), act_as(wrong):
            pass
