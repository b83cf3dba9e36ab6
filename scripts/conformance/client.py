"""The client that the conformance suite tests: the official one with our `DpopOAuthClientProvider`. Takes a URL."""

from __future__ import annotations

import asyncio
import sys
from typing import Optional
from urllib.parse import parse_qs, urlsplit

import httpx2
from bearward.mcp import DpopOAuthClientProvider
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

CALLBACK = "http://localhost:3030/callback"


class Storage:
    """Keeps what a client has to keep, for one run."""

    def __init__(self) -> None:
        self._tokens: Optional[OAuthToken] = None
        self._info: Optional[OAuthClientInformationFull] = None

    async def get_tokens(self) -> Optional[OAuthToken]:
        """The tokens."""
        return self._tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self._tokens = tokens

    async def get_client_info(self) -> Optional[OAuthClientInformationFull]:
        """What the authorization server knows of this client."""
        return self._info

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep it."""
        self._info = client_info


class Browser:
    """Follows a login without a person: the suite's authorization server asks nobody."""

    def __init__(self) -> None:
        self._returned: dict[str, str] = {}

    async def redirect(self, url: str) -> None:
        """Go to the login."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(url, follow_redirects=False)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        self._returned = {name: values[0] for name, values in query.items()}

    async def callback(self) -> AuthorizationCodeResult:
        """What the login has led to."""
        known = {name: self._returned.get(name) for name in ("code", "state", "iss")}
        return AuthorizationCodeResult.model_validate(known)


async def main(url: str) -> None:
    """List the tools of the server, and call each."""
    browser = Browser()
    metadata = OAuthClientMetadata.model_validate({"redirect_uris": [CALLBACK], "client_name": "bearward"})
    provider = DpopOAuthClientProvider(
        url,
        metadata,
        Storage(),
        browser.redirect,
        browser.callback,
        client_metadata_url="https://conformance-test.local/client-metadata.json",
    )
    async with (
        httpx2.AsyncClient(auth=provider, trust_env=False, timeout=20) as http_client,
        Client(streamable_http_client(url, http_client=http_client)) as client,
    ):
        for tool in (await client.list_tools()).tools:
            await client.call_tool(tool.name, {})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1]))
