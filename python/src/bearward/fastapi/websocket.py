"""What is different for a WebSocket: where a browser can put a token, and how it is refused."""

import functools
import re
from collections.abc import Awaitable, Iterable
from typing import Callable, Optional, Union

from fastapi import WebSocket, WebSocketException
from fastapi.requests import HTTPConnection

from bearward.errors import BaseAuthError, ConfigurationError
from bearward.fastapi.answer import AuthHTTPException

Fields = list[tuple[bytes, bytes]]
"""Header fields, as ASGI has them."""

# RFC 6455 section 7.4.1: a policy is violated.
_POLICY_VIOLATION = 1008
# ASGI's extension "WebSocket Denial Response". Without it, a server can only close the connection.
_DENIAL_RESPONSE = "websocket.http.response"
_FIELD = b"sec-websocket-protocol"
# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def check_subprotocol(name: Optional[str]) -> None:
    """Refuse what can't be a subprotocol.

    Raises:
        ConfigurationError: it can't.
    """
    given: object = name
    if given is not None and not (isinstance(given, str) and _TOKEN.fullmatch(given)):
        raise ConfigurationError("websocket_subprotocol must be the name of a subprotocol, such as 'bearer'.")


def presented(connection: HTTPConnection, subprotocol: Optional[str]) -> Fields:
    """The header fields of a request. A WebSocket's token in `Sec-WebSocket-Protocol` is in Authorization there.

    Browsers can't set Authorization for a WebSocket. They can offer the subprotocols `bearer, TOKEN`. A request with
    both has two Authorization fields, and is refused.
    """
    fields: Fields = connection.scope["headers"]
    if type(fields) is not list:
        # ASGI lets it be any iterable. Starlette makes a list of it.
        fields = connection.headers.raw
    token = _offered(connection, subprotocol)
    if token is None:
        return fields
    others = [(name, value) for name, value in fields if name.lower() != _FIELD]
    return [*others, (b"authorization", b"Bearer " + token.encode("latin-1"))]


def accept_with(connection: HTTPConnection, subprotocol: Optional[str]) -> None:
    """Have the route accept a WebSocket with the subprotocol that its token came in, unless it names another one."""
    if subprotocol is None or not isinstance(connection, WebSocket) or _offered(connection, subprotocol) is None:
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


def _offered(connection: HTTPConnection, subprotocol: Optional[str]) -> Optional[str]:
    """What stands behind the subprotocol in the list that a client offers."""
    if subprotocol is None or connection.scope["type"] != "websocket":
        return None
    # Some servers take the field out of the headers.
    offered: list[str] = connection.scope.get("subprotocols") or []
    if offered.count(subprotocol) != 1:
        return None
    behind = offered[offered.index(subprotocol) + 1 :]
    return behind[0] if behind else None
