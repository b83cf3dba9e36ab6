"""Where a browser can put a token for a WebSocket: among the subprotocols that it offers."""

import re
from typing import Optional

from bearward._asgi.connection import Connection
from bearward.errors import ConfigurationError

RawFields = list[tuple[bytes, bytes]]
"""Header fields, as ASGI has them."""

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
    """What stands behind the subprotocol in the list that a client offers.

    Empty if nothing does, or if the subprotocol is there twice: that is a bad token. `None`: it is not there.
    """
    if subprotocol is None or connection.scope["type"] != "websocket":
        return None
    # Some servers take the field out of the headers.
    offered: list[str] = connection.scope.get("subprotocols") or []
    if subprotocol not in offered:
        return None
    behind = offered[offered.index(subprotocol) + 1 :]
    return behind[0] if behind and offered.count(subprotocol) == 1 else ""


def presented(connection: Connection, subprotocol: Optional[str]) -> RawFields:
    """The header fields of a request. A WebSocket's token in `Sec-WebSocket-Protocol` is in Authorization there.

    Browsers can't set Authorization for a WebSocket. They can offer the subprotocols `bearer, TOKEN`. A request with
    both has two Authorization fields, and is refused.
    """
    fields: RawFields = connection.scope["headers"]
    if type(fields) is not list:
        # ASGI lets it be any iterable.
        fields = connection.headers.raw
    token = offered(connection, subprotocol)
    return fields if token is None else with_token(fields, token)


def with_token(raw: RawFields, token: str) -> RawFields:
    """The header fields with this token in Authorization, and without the subprotocols."""
    others = [(name, value) for name, value in raw if name.lower() != _FIELD]
    return [*others, (b"authorization", b"Bearer " + token.encode("utf-8", "surrogatepass"))]
