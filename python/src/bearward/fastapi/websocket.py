"""What is different for a WebSocket: where a browser can put a token, and how it is refused."""

import functools
from collections.abc import Awaitable, Iterable
from typing import Callable, Optional, Union

from fastapi import WebSocket, WebSocketException
from fastapi.requests import HTTPConnection

from bearward._asgi.subprotocol import offered
from bearward.errors import BaseAuthError
from bearward.fastapi.answer import AuthHTTPException

# RFC 6455 section 7.4.1: a policy is violated.
_POLICY_VIOLATION = 1008
# ASGI's extension "WebSocket Denial Response". Without it, a server can only close the connection.
_DENIAL_RESPONSE = "websocket.http.response"


def accept_with(connection: HTTPConnection, subprotocol: Optional[str]) -> None:
    """Have the route accept a WebSocket with the subprotocol that its token came in, unless it names another one."""
    if not isinstance(connection, WebSocket) or subprotocol is None or offered(connection, subprotocol) is None:
        return
    connection.accept = functools.partial(_accept, connection.accept, subprotocol)  # type: ignore[method-assign]


def answer(
    refusal: BaseAuthError, connection: HTTPConnection, nonce: Optional[str]
) -> Union[AuthHTTPException, WebSocketException]:
    """The exception for a refused request, which says how to answer it."""
    headers = refusal.get_headers()
    if nonce is not None:
        headers.setdefault("DPoP-Nonce", nonce)
    if connection.scope["type"] == "websocket" and _DENIAL_RESPONSE not in (connection.scope.get("extensions") or ()):
        return WebSocketException(_POLICY_VIOLATION, refusal.get_error_code())
    return AuthHTTPException(refusal, headers)


async def _accept(
    accept: Callable[[str, Optional[Iterable[tuple[bytes, bytes]]]], Awaitable[None]],
    own: str,
    subprotocol: Optional[str] = None,
    headers: Optional[Iterable[tuple[bytes, bytes]]] = None,
) -> None:
    await accept(subprotocol or own, headers)
