"""What guards have let in in a request, for those that come later in the same request.

A DPoP proof is good once, and a request may pass several guards: the first one uses the proof up. So what was let in is
kept in the ASGI scope, for exactly the credentials that were verified, and for the method and the URL where they count.
Code that calls the app again with a copy of the scope, for another route, gets nothing out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional, Union

from fastapi.requests import HTTPConnection

from bearward import _native
from bearward.client import ApiClient, Verified
from bearward.fastapi.websocket import Fields, presented

# The entry of an ASGI scope where this is.
_LET_IN = "bearward.let_in"


class StandIn:
    """What a test's own `verify_request` returned, in place of the engine's answer.

    Args:
        verified: What it returned.
        fields: The request's header fields.
        method: The request's method.
        url: The URL that the client used.
    """

    def __init__(self, verified: Verified, fields: Fields, method: str, url: str) -> None:
        self._claims = copied(verified.claims)
        self.dpop_nonce = verified.dpop_nonce
        self._asked = (_credentials(fields), method, url)

    @property
    def issuer(self) -> Any:
        """The claim `iss`."""
        return self._claims.get("iss")

    def claims(self) -> dict[str, Any]:
        """As of `_native.Passed`."""
        return copied(self._claims)

    def answers(self, fields: Fields, method: str, url: str) -> bool:
        """As of `_native.Passed`."""
        return self._asked == (_credentials(fields), method, url)

    def has_credentials_of(self, fields: Fields) -> bool:
        """As of `_native.Passed`."""
        return self._asked[0] == _credentials(fields)


LetIn = Union[_native.Passed, StandIn]


def method_of(connection: HTTPConnection) -> str:
    """The method of a request. A WebSocket's handshake is a GET. RFC 6455 section 4.1."""
    method: str = connection.scope.get("method", "GET")
    return method


def recall(connection: HTTPConnection, api_client: ApiClient, fields: Fields, method: str, url: str) -> Optional[LetIn]:
    """What `api_client` let in in this request, if it was asked the same."""
    for client, let_in, _ in connection.scope.get(_LET_IN, ()):
        if client is api_client and let_in.answers(fields, method, url):
            kept: LetIn = let_in
            return kept
    return None


def has_memory(connection: HTTPConnection) -> bool:
    """Whether anything was let in in this request."""
    return _LET_IN in connection.scope


def remember(connection: HTTPConnection, api_client: ApiClient, let_in: LetIn, subprotocol: Optional[str]) -> None:
    """Keep what was let in, the latest first. `subprotocol`: see `presented`."""
    scope = connection.scope
    # A new tuple: the scope may be a copy, and the original must not change.
    scope[_LET_IN] = ((api_client, let_in, subprotocol), *scope.get(_LET_IN, ()))


def claims_of(connection: HTTPConnection) -> Optional[dict[str, Any]]:
    """The claims of the access token that a guard verified in this request, as a new dict; `None` if there are none.

    For code that comes after the guard, such as access logs and rate limits. It verifies nothing.

    Args:
        connection: A Starlette or FastAPI `Request` or `WebSocket`.
    """
    for _, let_in, subprotocol in connection.scope.get(_LET_IN, ()):
        if let_in.has_credentials_of(presented(connection, subprotocol)):
            claims: dict[str, Any] = let_in.claims()
            return claims
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


def _credentials(fields: Fields) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in fields if name.lower() in (b"authorization", b"dpop")]
