"""An MCP server in the official SDK: `uvicorn with_mcp:app`."""

import os

from invoices import OPERATIONS, SCOPES, list_invoices, pay_invoice, profile_of_user
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware.cors import CORSMiddleware

import bearward.mcp
from bearward import ApiClient, ApiClientOptions

MCP_URL = os.environ.get("MCP_URL", "http://127.0.0.1:8000/mcp")
client = ApiClient(
    ApiClientOptions(
        domain=os.environ["AUTH0_DOMAIN"],
        audience=MCP_URL,
        client_id=os.environ.get("AUTH0_CLIENT_ID"),
        client_secret=os.environ.get("AUTH0_CLIENT_SECRET"),
        rfc_status_codes=True,
        dpop_iat_leeway=300,
    )
)

server = MCPServer("invoices")
server.tool()(list_invoices)
server.tool()(pay_invoice)


@server.tool()
async def profile() -> str:
    """The user's profile at another API."""
    return await profile_of_user(client, get_access_token().token)


# Without its host name, the SDK answers requests for another host than this machine with 421.
hosts = TransportSecuritySettings(allowed_hosts=[MCP_URL.split("/")[2]])
guarded = bearward.mcp.guard(
    server.streamable_http_app(transport_security=hosts),
    resource=MCP_URL,
    scopes=SCOPES,
    operations=OPERATIONS,
    client=client,
)
# The CORS middleware is around the guard, so that a page may read why a request was refused.
app = CORSMiddleware(
    guarded,
    allow_origins=os.environ.get("ALLOWED_ORIGINS", "http://localhost:6274").split(","),
    allow_methods=["GET", "POST", "DELETE"],
    allow_headers=["Authorization", "DPoP", "Content-Type", "Mcp-Session-Id", "Mcp-Protocol-Version"],
    expose_headers=["WWW-Authenticate", "DPoP-Nonce", "Mcp-Session-Id"],
)
