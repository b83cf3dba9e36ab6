"""The same MCP server in FastMCP: `uvicorn with_fastmcp:app`."""

import os

from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token
from invoices import OPERATIONS, SCOPES, list_invoices, pay_invoice, profile_of_user

from bearward import ApiClient, ApiClientOptions
from bearward.fastmcp import BearwardProvider

BASE_URL = os.environ.get("MCP_BASE_URL", "http://127.0.0.1:8000")
client = ApiClient(
    ApiClientOptions(
        domain=os.environ["AUTH0_DOMAIN"],
        audience=f"{BASE_URL}/mcp",
        client_id=os.environ.get("AUTH0_CLIENT_ID"),
        client_secret=os.environ.get("AUTH0_CLIENT_SECRET"),
        rfc_status_codes=True,
        dpop_iat_leeway=300,
    )
)

auth = BearwardProvider(base_url=BASE_URL, required_scopes=SCOPES, operations=OPERATIONS, client=client)
server = FastMCP("invoices", auth=auth)
server.tool()(list_invoices)
server.tool()(pay_invoice)


@server.tool()
async def profile() -> str:
    """The user's profile at another API."""
    return await profile_of_user(client, get_access_token().token)


app = server.http_app()
