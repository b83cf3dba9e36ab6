"""What both servers do: three tools. Who may call them is said where the guard is made."""

import os

import httpx

from bearward import ApiClient
from bearward.asgi import current_principal

SCOPES = ["invoices:read"]
# Paying needs one scope more. The guard reads from the body of a request which tool it calls.
OPERATIONS = {"tools/call": {"pay_invoice": ["invoices:pay"]}}


async def list_invoices() -> list[str]:
    """The invoices of the user."""
    return [f"Invoice 1 of {current_principal().subject}"]


async def pay_invoice(number: int) -> str:
    """Pay an invoice. Needs the scope `invoices:pay`."""
    return f"{current_principal().subject} has paid invoice {number}"


async def profile_of_user(client: ApiClient, token: str) -> str:
    """Ask another API on behalf of the user: with a token for it, in exchange for the user's."""
    granted = await client.get_token_on_behalf_of(token, os.environ["OTHER_API_AUDIENCE"])
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    async with httpx.AsyncClient() as http:
        answer = await http.get(os.environ["OTHER_API_URL"], headers=headers)
    return answer.raise_for_status().text
