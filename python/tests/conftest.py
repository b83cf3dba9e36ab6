import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
import redis.asyncio
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

import bearward._client.judges_claims
import bearward._client.state_of_client
import bearward._driver.decide
import bearward._driver.exchange
import bearward._driver.fetch
import bearward.client
from bearward import ApiClient, ApiClientOptions
from exchanges import SECRET
from fastapi_plugin import Auth0FastAPI
from local_tenant import at_its_best, running_tenant
from support import AUDIENCE, JS, Clock, HttpsIssuer, Prover, Tenant, free_port, process

# FastMCP needs Python 3.10, and a newer FastAPI than the oldest one that is supported.
HAS_MCP = importlib.util.find_spec("fastmcp") is not None
collect_ignore = [] if HAS_MCP else ["test_mcp.py", "test_mcp_flow.py", "test_example_mcp.py", "test_mtls_asgi.py"]


def pytest_report_header():
    return "" if HAS_MCP else f"not collected, since FastMCP is not installed: {', '.join(collect_ignore)}"


@pytest.fixture
def tenant():
    return Tenant()


@pytest.fixture
def prover(tenant):
    return Prover(tenant)


@pytest.fixture
def auth0(tenant):
    return Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch)


@pytest.fixture
def app(auth0):
    return guarded_app(auth0)


@pytest.fixture
def client(app):
    return TestClient(app)


@pytest.fixture
def https_issuer(tmp_path, monkeypatch):
    issuer = HttpsIssuer(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(issuer.ca_file))
    yield issuer
    issuer.close()


@pytest.fixture(scope="session")
def running_local_tenant(tmp_path_factory):
    with running_tenant(tmp_path_factory.mktemp("tenant")) as tenant:
        yield tenant


@pytest.fixture
def local_tenant(running_local_tenant, monkeypatch):
    """The one `bearward issuer` of all tests."""
    return at_its_best(running_local_tenant, monkeypatch)


@pytest.fixture
def nginx(tmp_path):
    """Starts nginx with a configuration, which names a `{folder}` and a `{port}`; gives the port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx-light)")
    with contextlib.ExitStack() as stack:

        def start(configuration, **names):
            port, config = free_port(), tmp_path / "nginx.conf"
            config.write_text(configuration.format(folder=tmp_path, port=port, **names))
            stack.enter_context(process([program, "-p", str(tmp_path), "-c", str(config)], port))
            return port

        yield start


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A Redis of our own; gives its port and process."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    command += ["--appendonly", "no", "--logfile", str(folder / "log"), "--daemonize", "no"]
    with process(command, port) as started:
        yield port, started


@pytest.fixture
async def redis_client(redis_server):
    async with redis.asyncio.Redis(port=redis_server[0]) as client:
        await client.flushall()
        yield client


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    parts = (bearward._client.judges_claims, bearward._client.state_of_client)
    for module in (bearward.client, *parts, bearward._driver.decide, bearward._driver.fetch):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def exchange_clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(bearward._driver.exchange, "time", clock)
    return clock


@pytest.fixture
def client_of(tenant):
    """Makes clients that have credentials for the token endpoint of an `ExchangeTenant`."""

    def make(**options):
        given = {"client_id": "client", "client_secret": SECRET, "custom_fetch": tenant.fetch, **options}
        return ApiClient(ApiClientOptions(**{"domain": tenant.domain, "audience": AUDIENCE, **given}))

    return make


@pytest.fixture
def report(capsys):
    """Says what was measured: in the terminal, with `BEARWARD_REPORT` in the environment."""

    def say(text):
        if os.environ.get("BEARWARD_REPORT"):
            with capsys.disabled():
                sys.stdout.write(f"\n{text}")

    return say


@pytest.fixture(scope="session")
def npm_packages():
    """Puts the npm packages of `js/package.json` where node finds them."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed")
    packages = ("jose", "pyright", "swagger-ui-dist", "@modelcontextprotocol")
    if not all((JS / "node_modules" / name).is_dir() for name in packages):
        command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        try:
            done = subprocess.run(command, cwd=JS, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            pytest.skip("npm ci did not end in 120 s")
        if done.returncode != 0:
            pytest.skip(f"npm ci failed: {done.stderr[-300:]}")


def guarded_app(auth0):
    app = FastAPI()

    @app.get("/public")
    async def public():
        return {"ok": True}

    @app.get("/private")
    async def private(claims: dict = Depends(auth0.require_auth())):
        return claims

    @app.get("/sync")
    def sync(claims: dict = Depends(auth0.require_auth())):
        return claims

    @app.get("/messages")
    async def messages(claims: dict = Depends(auth0.require_auth(scopes="read:messages"))):
        return {"sub": claims["sub"]}

    @app.get("/both", dependencies=[Depends(auth0.require_auth(scopes=["read:messages", "write:messages"]))])
    async def both():
        return {"ok": True}

    return app
