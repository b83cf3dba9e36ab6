"""The demo's part about MCP: the official client, with tokens that are bound to its key, at each server of the example.

The client knows only the URL of the server. It finds the tenant by the server's metadata, registers itself there, has
its user log in, and asks for one scope more when a tool needs it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import sys
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Optional
from urllib.parse import parse_qs, urljoin, urlsplit

import bearward.mcp
import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

import local

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = local.ROOT / "examples" / "mcp"
SERVERS = {"official SDK": "with_mcp", "FastMCP": "with_fastmcp"}
CALLBACK = "http://127.0.0.1:3000/callback"
USER = "ann"


class Place(NamedTuple):
    """A server of the example."""

    sdk: str
    url: str


def rows(log: IO[str]) -> Iterator[tuple[str, str, str]]:
    """What is done, the expected result, and the actual one."""
    ports = {sdk: local.free_port() for sdk in SERVERS}
    places = [Place(sdk, f"http://127.0.0.1:{port}/mcp") for sdk, port in ports.items()]
    apis = [word for place in places for word in ("--audience", place.url)]
    with (
        local.tenant(log, *apis, "--scope", "invoices:read invoices:pay", "--user", USER) as tenant,
        contextlib.ExitStack() as servers,
    ):
        for place in places:
            servers.enter_context(_served(log, tenant, place))
        for place in places:
            yield from _at(place, tenant)


@contextlib.contextmanager
def _served(log: IO[str], tenant: local.LocalTenant, place: Place) -> Iterator[None]:
    port = urlsplit(place.url).port or 0
    command = [sys.executable, "-m", "uvicorn", f"{SERVERS[place.sdk]}:app", "--app-dir", str(EXAMPLES)]
    environment = {
        **tenant.environment(),
        "MCP_URL": place.url,
        "MCP_BASE_URL": place.url.removesuffix("/mcp"),
    }
    with local.server(log, [*command, "--port", str(port)], port, environment):
        yield


def _at(place: Place, tenant: local.LocalTenant) -> Iterator[tuple[str, str, str]]:
    def row(request: str, expected: str, actual: str) -> tuple[str, str, str]:
        return f"{place.sdk}: {request}", expected, actual

    refused = _hello(place.url)
    yield row("no token", "401 invalid_request", _words(refused))
    named = re.search(r'resource_metadata="([^"]*)"', refused.headers.get("www-authenticate", ""))
    document = httpx.get(named[1], trust_env=False) if named else None
    found = "none" if document is None else f"{document.status_code} {document.json().get('resource')}"
    yield row("the document that this answer names", f"200 {place.url}", found)
    user = User(tenant)
    client = user.client_of(place.url)
    listed, paid = asyncio.run(user.calls(place.url, client))
    yield row("list_invoices, after registration and login", f"Invoice 1 of {USER}", listed)
    yield row("pay_invoice, which needs one scope more", f"{USER} has paid invoice 7", paid)
    yield row("how often the user logged in for that", "2", str(user.logins))
    token = user.tokens.access_token if user.tokens else ""
    yield row("the client's token, stolen", "401 invalid_token", _words(_hello(place.url, token)))


class User:
    """A user with a browser, and what the user's MCP client keeps."""

    def __init__(self, tenant: local.LocalTenant) -> None:
        self.tokens: Optional[OAuthToken] = None
        self.logins = 0
        self._info: Optional[OAuthClientInformationFull] = None
        self._trusted = ssl.create_default_context(cafile=tenant.ca_file)
        self._returned: dict[str, str] = {}

    def client_of(self, url: str) -> bearward.mcp.DpopOAuthClientProvider:
        """The authentication of a client for this server."""
        metadata = OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "Demo"})
        return bearward.mcp.DpopOAuthClientProvider(url, metadata, self, self._log_in, self._come_back)

    async def calls(self, url: str, provider: bearward.mcp.DpopOAuthClientProvider) -> tuple[str, str]:
        """Call two tools."""
        async with (
            httpx2.AsyncClient(auth=provider, verify=self._trusted, trust_env=False, timeout=30) as http_client,
            Client(streamable_http_client(url, http_client=http_client)) as client,
        ):
            listed = await client.call_tool("list_invoices", {})
            paid = await client.call_tool("pay_invoice", {"number": 7})
        return _text(listed), _text(paid)

    async def _log_in(self, url: str) -> None:
        """What a person does in a browser."""
        self.logins += 1
        async with httpx.AsyncClient(verify=self._trusted, trust_env=False) as browser:
            page = (await browser.get(url)).text
            fields = {name: re.search(f'name="{name}" value="([^"]+)"', page) for name in ("page", "user")}
            form = {name: match[1] for name, match in fields.items() if match}
            origin = urljoin(url, "/").rstrip("/")
            answer = await browser.post(f"{origin}/login", data=form, headers={"Origin": origin})
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        self._returned = {name: values[0] for name, values in query.items()}

    async def _come_back(self) -> AuthorizationCodeResult:
        known = {name: self._returned.get(name) for name in ("code", "state", "iss")}
        return AuthorizationCodeResult.model_validate(known)

    # Where the client keeps what it has.

    async def get_tokens(self) -> Optional[OAuthToken]:
        """The tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> Optional[OAuthClientInformationFull]:
        """What the tenant knows of the client."""
        return self._info

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep it."""
        self._info = client_info


def _text(result: Any) -> str:
    value = (result.structured_content or {}).get("result", result.content)
    return value if isinstance(value, str) else " ".join(map(str, value))


def _hello(url: str, token: Optional[str] = None) -> httpx.Response:
    """The answer to the first message of a client."""
    client = {"name": "demo", "version": "1"}
    params = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}
    headers = {"Accept": "application/json, text/event-stream"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    return httpx.post(url, json=message, headers=headers, trust_env=False)


def _words(answer: httpx.Response) -> str:
    """The status, and the error."""
    error = "" if answer.is_success else answer.json()["detail"]["error"]
    return f"{answer.status_code} {error}".strip()
