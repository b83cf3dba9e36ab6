"""Where a browser can put a token for a WebSocket: among the subprotocols that it offers."""

import re
from typing import Optional

from bearward._asgi.connection import Connection
from bearward.errors import ConfigurationError

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


def offered(connection: Connection, subprotocol: Optional[str]) -> Optional[str]:
    """What stands behind the subprotocol in the list that a client offers."""
    if subprotocol is None or connection.scope["type"] != "websocket":
        return None
    # Some servers take the field out of the headers.
    offered: list[str] = connection.scope.get("subprotocols") or []
    if offered.count(subprotocol) != 1:
        return None
    behind = offered[offered.index(subprotocol) + 1 :]
    return behind[0] if behind else None


def with_token(raw: list[tuple[bytes, bytes]], token: str) -> list[tuple[bytes, bytes]]:
    """The header fields with this token in Authorization, and without the subprotocols."""
    others = [(name, value) for name, value in raw if name.lower() != _FIELD]
    return [*others, (b"authorization", b"Bearer " + token.encode("latin-1"))]
