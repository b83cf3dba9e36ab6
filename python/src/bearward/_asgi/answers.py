"""Answers, as ASGI messages."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, MutableMapping
from typing import Any, Callable, Optional

from bearward._asgi.connection import Scope
from bearward.errors import BaseAuthError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# ASGI's extension "WebSocket Denial Response". Without it, a server can only close the connection.
_DENIAL_RESPONSE = "websocket.http.response"
# What HTTP calls 401, among the codes that applications choose. RFC 6455 section 7.4.2.
_UNAUTHORIZED = 4401


async def send_json(
    send: Send, status: int, content: object, headers: Mapping[str, str], kind: str = "http.response"
) -> None:
    """Send a whole response with a JSON body."""
    body = json.dumps(content).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body)), **headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": f"{kind}.start", "status": status, "headers": raw})
    await send({"type": f"{kind}.body", "body": body})


async def refuse(error: BaseAuthError, nonce: Optional[str], scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a refused request, or a refused WebSocket, which has not been accepted yet.

    Args:
        error: Why it is refused.
        nonce: For the client's next proof.
        scope: The ASGI scope.
        receive: As the server gave it.
        send: As the server gave it.
    """
    headers = error.get_headers()
    if nonce is not None:
        headers.setdefault("DPoP-Nonce", nonce)
    detail = {"error": error.get_error_code(), "error_description": error.get_error_description()}
    # Frames of the verification hold the token, and error reporters write down what frames hold.
    error.__traceback__ = error.__cause__ = error.__context__ = None
    if scope["type"] == "http":
        await send_json(send, error.get_status_code(), {"detail": detail}, headers)
        return
    if (await receive())["type"] != "websocket.connect":
        return
    if _DENIAL_RESPONSE in (scope.get("extensions") or ()):
        await send_json(send, error.get_status_code(), {"detail": detail}, headers, _DENIAL_RESPONSE)
    else:
        await send({"type": "websocket.close", "code": _UNAUTHORIZED, "reason": error.get_error_code()})
