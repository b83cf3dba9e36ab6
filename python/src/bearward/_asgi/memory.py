"""What guards have verified in a request, for those that come later in the same request.

A DPoP proof is good once, and a request may pass several guards: the first one uses the proof up. So the claims are
kept in the ASGI scope, for exactly the method, the URL and the credentials that were verified. Code that calls the app
again with a copy of the scope, for another route, gets nothing out of it.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from bearward._asgi.certificate import Shown
from bearward._asgi.connection import Connection
from bearward._asgi.refusal_log import credentials_of
from bearward.client import ApiClient

# The entry of an ASGI scope where this is.
_VERIFIED = "bearward.verified"


class Asked(NamedTuple):
    """What was verified, and by whom: an equal question has the same answer within one request."""

    api_client: ApiClient
    method: str
    url: str
    credentials: tuple[list[str], ...]
    shown: Shown

    @classmethod
    def of(
        cls, api_client: ApiClient, connection: Connection, url: str, trusts_proxies: Optional[bool] = None
    ) -> "Asked":
        """The question whether `connection` is let in by `api_client`. `trusts_proxies`: as of `Shown.by`."""
        shown = Shown.by(connection, api_client.options, trusts_proxies)
        return cls(api_client, method_of(connection), url, credentials_of(connection), shown)


def method_of(connection: Connection) -> str:
    """The method of a request. A WebSocket's handshake is a GET. RFC 6455 section 4.1."""
    method: str = connection.scope.get("method", "GET")
    return method


def recall(connection: Connection, asked: Asked) -> Optional[dict[str, Any]]:
    """The claims that were verified for an equal question in this request; the caller's own copy."""
    for kept, claims in connection.scope.get(_VERIFIED, ()):
        if kept == asked:
            return copied(claims)
    return None


def remember(connection: Connection, asked: Asked, claims: Mapping[str, Any]) -> None:
    """Keep the claims that were verified, the latest first."""
    # A new tuple: the scope may be a copy, and the original must not change.
    connection.scope[_VERIFIED] = ((asked, copied(claims)), *connection.scope.get(_VERIFIED, ()))


def claims_of(connection: Connection) -> Optional[dict[str, Any]]:
    """The claims of the access token that a guard verified in this request, as a new dict; `None` if there are none.

    For code that comes after the guard, such as access logs and rate limits. It verifies nothing.

    Args:
        connection: A Starlette or FastAPI `Request` or `WebSocket`.
    """
    for asked, claims in connection.scope.get(_VERIFIED, ()):
        if asked.credentials == credentials_of(connection):
            return copied(claims)
    return None


def copied(claims: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of claims, which are JSON. `copy.deepcopy` takes several times as long."""
    return {name: _copied(value) for name, value in claims.items()}


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return copied(value)
    if type(value) is list:
        return [_copied(item) for item in value]
    return value
