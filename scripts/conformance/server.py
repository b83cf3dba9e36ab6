"""The server that the conformance suite tests, with the guard and without it.

The suite sends no tokens. So a client stands before the guard, in the same process, that adds a bound token and a proof
to each request.
"""

from __future__ import annotations

import base64
import sys
from typing import Any

import bearward.mcp
import uvicorn
from mcp.server.mcpserver import Image, MCPServer

server = MCPServer("conformance")


@server.tool()
def test_simple_text() -> str:
    """Return a text."""
    return "This is a simple text response for testing."


@server.tool()
def test_image_content() -> Image:
    """Return an image of one pixel."""
    pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    return Image(data=base64.b64decode(pixel), format="png")


@server.tool()
def test_error_handling() -> str:
    """Fail."""
    raise ValueError("This tool intentionally returns an error for testing")


@server.resource("test://static-text")
def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


@server.resource("test://template/{id}/data")
def template(id: str) -> str:  # noqa: A002 - the suite's name for it
    """A text for each id."""
    return f'{{"id": "{id}", "templateTest": true, "data": "Data for ID: {id}"}}'


@server.prompt()
def test_simple_prompt() -> str:
    """A prompt."""
    return "This is a simple prompt for testing."


@server.prompt()
def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A prompt with arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


class Client:
    """Adds a token and a proof to each request. An ASGI app."""

    def __init__(self, app: Any, url: str, token: str, key: bearward.mcp.DpopKey) -> None:
        self._app, self._url, self._token, self._key = app, url, token, key

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Call the app with them."""
        if scope["type"] == "http":
            proof = self._key.proof(scope["method"], self._url, self._token)
            fields = [(b"authorization", f"DPoP {self._token}".encode()), (b"dpop", proof.encode())]
            scope = {**scope, "headers": [*scope["headers"], *fields]}
        await self._app(scope, receive, send)


def main(port: int, issuer: str = "", token: str = "", pem_file: str = "") -> None:
    """Serve at this port. With an issuer, behind the guard."""
    app: Any = server.streamable_http_app()
    if issuer:
        url = f"http://127.0.0.1:{port}/mcp"
        operations = {"tools/call": {"pay": ["invoices:pay"]}}
        guarded = bearward.mcp.guard(app, issuer=issuer, resource=url, operations=operations)
        with open(pem_file, "rb") as file:
            app = Client(guarded, url, token, bearward.mcp.DpopKey(file.read()))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
