"""The official clients, through the whole way, against the local tenant.

401, metadata, registration, code with PKCE, token, tool call, step-up, refresh.
"""

import json
import os
import ssl
import subprocess
from typing import NamedTuple

import httpx2
import local
import pytest
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata

import bearward.mcp
from bearward.fastmcp import BearwardProvider
from browser import Browser
from local_tenant import LocalTenant
from mcp_servers import fast_app, sdk_app
from support import JS, HttpsIssuer, free_port, running

CALLBACK = "http://127.0.0.1:3000/callback"
SCOPES = ["invoices:read"]
OPERATIONS = {"tools/call": {"pay": ["invoices:pay"]}}


class World(NamedTuple):
    """A tenant, and the place where its MCP server will be."""

    tenant: LocalTenant
    port: int
    pages: HttpsIssuer

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/mcp"

    def described_client(self):
        """A client whose id is the URL of its description."""
        url = f"https://localhost:{self.pages.server.server_address[1]}/client.json"
        description = {"client_id": url, "redirect_uris": [CALLBACK], "client_name": "By its URL"}
        self.pages.answers["/client.json"] = (200, {}, json.dumps(description).encode())
        return url

    def server(self, kind):
        """The server behind one of the fronts, running."""
        options = {"domain": self.tenant.domain, "ca_file": self.tenant.ca_file, "operations": OPERATIONS}
        if kind == "sdk":
            app = bearward.mcp.guard(sdk_app(), resource=self.url, scopes=SCOPES, **options)
        else:
            base = f"http://127.0.0.1:{self.port}"
            app = fast_app(BearwardProvider(base_url=base, required_scopes=SCOPES, **options))
        return running(app, port=self.port, lifespan="on")


@pytest.fixture(scope="module", params=[[], ["--dpop-nonce"]], ids=["plain", "nonce"])
def world(request, tmp_path_factory):
    if not local.BEARWARD.exists():
        pytest.skip(f"{local.BEARWARD} is not built: `cargo build -p bearward-cli`, or name one in BEARWARD_BIN")
    folder = tmp_path_factory.mktemp("tenant")
    pages, port = HttpsIssuer(folder), free_port()
    flags = ["--audience", f"http://127.0.0.1:{port}/mcp", "--scope", "invoices:read invoices:pay", *request.param]
    with pytest.MonkeyPatch.context() as patch, (folder / "log").open("w") as log:
        # The tenant fetches descriptions of clients from there.
        patch.setenv("SSL_CERT_FILE", str(pages.ca_file))
        with local.tenant(log, *flags, "--redirect-uri", CALLBACK) as started:
            patch.undo()
            yield World(LocalTenant(*started), port, pages)
    pages.close()


@pytest.fixture
def browser(world):
    browser = Browser(world.tenant)
    yield browser
    browser.close()


class Storage:
    """Keeps what a client has to keep."""

    def __init__(self, info=None):
        self.tokens, self.info = None, info

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.info

    async def set_client_info(self, info):
        self.info = info


def provider_of(world, browser, registration, kind, storage, **more):
    """The client's half of OAuth, with one of the three ways to be known to the tenant."""
    returned = {}

    async def redirect(url):
        returned.update(browser.logs_in(url))

    async def callback():
        return AuthorizationCodeResult(**{name: returned[name] for name in ("code", "state", "iss")})

    if registration == "cimd":
        more["client_metadata_url"] = world.described_client()
    elif registration == "pre-registered":
        tenant = world.tenant
        storage.info = OAuthClientInformationFull(
            client_id=tenant.client_id,
            client_secret=tenant.client_secret,
            redirect_uris=[CALLBACK],
            token_endpoint_auth_method="client_secret_post",
            issuer=tenant.issuer,
        )
    metadata = OAuthClientMetadata(redirect_uris=[CALLBACK], client_name="A test")
    return kind(world.url, metadata, storage, redirect, callback, **more)


async def calls(world, provider, *tools):
    """What the tools return, one after the other, over one connection."""
    trusted = ssl.create_default_context(cafile=world.tenant.ca_file)
    async with (
        httpx2.AsyncClient(auth=provider, verify=trusted, trust_env=False, timeout=30) as http_client,
        Client(streamable_http_client(world.url, http_client=http_client)) as client,
    ):
        texts = []
        for tool in tools:
            if callable(tool):
                tool()
                continue
            result = await client.call_tool(tool, {})
            assert not result.is_error, result
            texts.append(result.content[0].text)
        return texts


@pytest.mark.parametrize("kind", [OAuthClientProvider, bearward.mcp.DpopOAuthClientProvider])
@pytest.mark.parametrize("registration", ["dcr", "cimd", "pre-registered"])
@pytest.mark.parametrize("front", ["sdk", "fastmcp"])
async def test_the_whole_way(world, browser, front, registration, kind):
    storage = Storage()
    provider = provider_of(world, browser, registration, kind, storage)

    def token_expires():
        provider.context.token_expiry_time = 1.0

    with world.server(front):
        first = storage.tokens
        who, paid, again = await calls(world, provider, "who", "pay", token_expires, "who")
    who, again = json.loads(who), json.loads(again)
    is_bound = kind is bearward.mcp.DpopOAuthClientProvider
    assert first is None
    few, many = ({*answer["scopes"]} - {"offline_access"} for answer in (who, again))
    assert (few, many) == ({"invoices:read"}, {"invoices:read", "invoices:pay"})
    assert paid == f"paid by {who['subject']}"
    assert who["resource"] == world.url
    assert who["jkt"] == again["jkt"] == (provider.key.jkt if is_bound else None)
    # One login at the first 401, one for the step-up, and none for the refresh.
    asked, stepped_up = browser.visited
    assert (asked["resource"], asked["code_challenge_method"]) == (world.url, "S256")
    assert asked.get("dpop_jkt") == (provider.key.jkt if is_bound else None)
    assert {"invoices:read", "invoices:pay"} <= set(stepped_up["scope"].split())
    assert storage.info.issuer == world.tenant.issuer
    assert storage.info.client_id.startswith("https://localhost") == (registration == "cimd")


async def test_a_client_starts_again_with_what_it_has_kept(world, browser):
    storage, key = Storage(), bearward.mcp.DpopKey.generate()
    kind = bearward.mcp.DpopOAuthClientProvider
    with world.server("sdk"):
        await calls(world, provider_of(world, browser, "dcr", kind, storage, key=key), "who")
        later = provider_of(world, browser, "dcr", kind, storage, key=bearward.mcp.DpopKey(key.pem))
        (who,) = await calls(world, later, "who")
    assert json.loads(who)["jkt"] == key.jkt
    assert len(browser.visited) == 1


async def test_dpop_auth_with_a_token_from_elsewhere(world, browser):
    storage = Storage()
    provider = provider_of(world, browser, "dcr", bearward.mcp.DpopOAuthClientProvider, storage)
    with world.server("fastmcp"):
        await calls(world, provider, "who")
        auth = bearward.mcp.DpopAuth(storage.tokens.access_token, provider.key)
        (who,) = await calls(world, auth, "who")
    assert json.loads(who)["jkt"] == provider.key.jkt


@pytest.mark.parametrize(
    ("front", "registration", "dpop"),
    [("sdk", "dcr", False), ("sdk", "pre-registered", True), ("fastmcp", "cimd", True), ("fastmcp", "dcr", True)],
)
@pytest.mark.usefixtures("npm_packages")
def test_the_official_typescript_client(world, browser, front, registration, dpop):
    tenant = world.tenant
    wanted = {"url": world.url, "callback": CALLBACK, "dpop": dpop}
    if registration == "cimd":
        wanted["client_metadata_url"] = world.described_client()
    elif registration == "pre-registered":
        wanted["client"] = {"client_id": tenant.client_id, "client_secret": tenant.client_secret}
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": tenant.ca_file, "NO_PROXY": "127.0.0.1"}
    with world.server(front), Program(["node", str(JS / "mcp.mjs")], environment) as program:
        told = program.asked(wanted)
        while "login" in told:
            told = program.asked(browser.logs_in(told["login"]))
    who, paid, again = told["texts"]
    who, again = json.loads(who), json.loads(again)
    assert paid == f"paid by {who['subject']}"
    assert who["resource"] == world.url
    assert {"invoices:read", "invoices:pay"} <= set(again["scopes"])
    assert "invoices:pay" not in who["scopes"]
    assert who["jkt"] == again["jkt"] == told["jkt"]
    assert told["token_type"].lower() == ("dpop" if dpop else "bearer")
    assert told["client_id"].startswith("https://localhost") == (registration == "cimd")
    # One login at the first 401, one for the step-up, and none for the refresh.
    assert [login["resource"] for login in browser.visited] == [world.url] * 2


class Program:
    """Another program, which is asked in lines of JSON, and answers in such lines."""

    def __init__(self, command, environment):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._process = subprocess.Popen(command, env=environment, text=True, **pipes)  # noqa: S603 - our own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()

    def asked(self, message):
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return json.loads(line)


@pytest.mark.parametrize("front", ["sdk", "fastmcp"])
def test_doctor_finds_nothing_wrong(world, front):
    with world.server(front):
        environment = {"BEARWARD_CA_FILE": world.tenant.ca_file}
        done = local.bearward(environment, "doctor", "--json", "--mcp", world.url)
    report = json.loads(done.stdout)
    assert {check["check"]: check["status"] for check in report["checks"]} == dict.fromkeys(MCP_CHECKS, "ok"), report


MCP_CHECKS = [f"mcp_{name}" for name in ["url", "challenge", "metadata", "resource", "root", "issuer", "registration"]]
