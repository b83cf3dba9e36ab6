"""The MCP examples, as a newcomer runs them: configured by the environment, against the local tenant."""

import runpy
import sys

import httpx
import pytest
from fastapi import Depends, FastAPI

from bearward.fastapi import Auth0FastAPI
from mcp_servers import HELLO, begun, call, post, told
from support import AUDIENCE, Prover, running
from test_mcp_flow import World, world  # noqa: F401 - a fixture
from test_resource import challenged
from walkthrough import ROOT

EXAMPLES = ROOT / "examples" / "mcp"


@pytest.fixture
def other_api(world, monkeypatch):  # noqa: F811
    """Another API of the tenant, which says for whom it is asked, and by whom."""
    auth0 = Auth0FastAPI(domain=world.tenant.domain, audience=AUDIENCE, ca_file=world.tenant.ca_file)
    app = FastAPI()
    app.get("/profile")(lambda claims=Depends(auth0.require_auth()): f"{claims['sub']} by {claims['act']['sub']}")
    with running(app) as port:
        monkeypatch.setenv("OTHER_API_URL", f"http://127.0.0.1:{port}/profile")
        monkeypatch.setenv("OTHER_API_AUDIENCE", AUDIENCE)
        yield


@pytest.fixture(params=["with_mcp", "with_fastmcp"])
def example(request, world: World, monkeypatch):  # noqa: F811
    environment = {
        "AUTH0_DOMAIN": world.tenant.domain,
        "AUTH0_CLIENT_ID": world.tenant.client_id,
        "AUTH0_CLIENT_SECRET": world.tenant.client_secret,
        "MCP_URL": world.url,
        "MCP_BASE_URL": world.url.removesuffix("/mcp"),
        "BEARWARD_CA_FILE": world.tenant.ca_file,
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    app = runpy.run_path(str(EXAMPLES / f"{request.param}.py"))["app"]
    with running(app, port=world.port, lifespan="on"):
        yield world
    sys.modules.pop("invoices", None)


def rpc(answer):
    """The JSON of an answer, which may come as an event stream."""
    data = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ") and len(line) > 6]
    return httpx.Response(answer.status_code, text=data[-1] if data else answer.text)


def headers_of(world, **order):  # noqa: F811
    token = world.tenant.order_token(audience=world.url, **order)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.usefixtures("other_api")
def test_the_tools(example):
    refused = post(example.url, HELLO, {})
    assert refused.status_code == 401
    with httpx.Client(trust_env=False) as client:
        assert client.get(challenged(refused.headers["www-authenticate"])).json()["resource"] == example.url
    few = headers_of(example, scope="invoices:read", user="auth0|ann")
    many = headers_of(example, scope="invoices:read invoices:pay", user="auth0|ann")
    session = begun(example.url, few)
    assert "auth0|ann" in told(rpc(post(example.url, call("list_invoices"), few, session)))
    assert post(example.url, call("pay_invoice", number=7), few, session).status_code == 403
    paid = told(rpc(post(example.url, call("pay_invoice", number=7), many, session)))
    assert paid == "auth0|ann has paid invoice 7"
    by = f"auth0|ann by {example.tenant.client_id}"
    assert by in told(rpc(post(example.url, call("profile"), few, session)))


def test_dpop(example):
    prover = Prover(None)
    claims = {"cnf": {"jkt": prover.jkt}}
    token = example.tenant.order_token(audience=example.url, scope="invoices:read", claims=claims)
    assert post(example.url, HELLO, prover.headers(example.url, token, htm="POST")).status_code == 200
    assert post(example.url, HELLO, {"Authorization": f"Bearer {token}"}).status_code == 401
