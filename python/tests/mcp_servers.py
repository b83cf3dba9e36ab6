"""One MCP server in each SDK, and requests to it."""

import json
import re

import httpx2
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token as get_fastmcp_token
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from bearward.asgi import current_principal

OPEN = TransportSecuritySettings(enable_dns_rebinding_protection=False)
OPERATIONS = {"tools/call": {"pay": ["invoices:pay"]}, "resources/read": ["docs:read"]}


def whoami(token):
    principal = current_principal()
    return json.dumps(
        {
            "subject": principal.subject,
            "client_id": token.client_id,
            "scopes": token.scopes,
            "resource": token.resource,
            "expires_at": type(token.expires_at).__name__,
            "issuer": token.claims["iss"],
            "jkt": principal.jkt,
        }
    )


def with_tools(server, find_token):
    @server.tool()
    def who() -> str:
        return whoami(find_token())

    @server.tool()
    def pay() -> str:
        return f"paid by {current_principal().subject}"

    return server


def sdk_app(**options):
    server = with_tools(MCPServer("invoices"), get_access_token)
    return server.streamable_http_app(**{"json_response": True, "transport_security": OPEN, **options})


def fast_app(auth, **options):
    server = with_tools(FastMCP("invoices", auth=auth), get_fastmcp_token)

    @server.custom_route("/health", methods=["GET"])
    async def health(request):
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("well")

    return server.http_app(json_response=True, **options)


def call(tool="who", **arguments):
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


def post(url, message, headers, session=None, **more):
    """One message, as a client of the revision 2025-11-25 sends it. Follows what a challenge names."""
    content = message if isinstance(message, bytes) else json.dumps(message).encode()
    all_headers = {**HEADERS, **headers, **({} if session is None else {"Mcp-Session-Id": session})}
    with httpx2.Client(trust_env=False, timeout=10) as client:
        answer = client.post(url, content=content, headers=all_headers, **more)
        if answer.status_code in (401, 403):
            check_metadata(client, url, answer)
    return answer


def check_metadata(client, url, answer):
    """Each challenge names the document of this server, and it is there."""
    named = re.findall(r'resource_metadata="([^"]*)"', answer.headers["www-authenticate"])
    assert named, answer.headers
    for place in set(named):
        found = client.get(place)
        assert found.status_code == 200, place
        document = found.json()
        assert document["resource"] == url
        (issuer,) = document["authorization_servers"]
        assert issuer.endswith("/")
        assert "jwks_uri" not in document


def begun(url, headers):
    """The id of a new session."""
    answer = post(url, HELLO, headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["mcp-session-id"]


def told(answer):
    """The text that a tool has returned."""
    assert answer.status_code == 200, answer.text
    (content,) = answer.json()["result"]["content"]
    return content["text"]
