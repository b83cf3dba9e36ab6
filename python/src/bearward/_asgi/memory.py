"""What guards have let in in a request, for those that come later in the same request.

A DPoP proof is good once, and a request may pass several guards: the first one uses the proof up. So what was let in is
kept in the ASGI scope, for exactly the credentials and the client's certificate that were verified, and for the method
and the URL where they count. Code that calls the app again with a copy of the scope, for another route, gets nothing
out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from bearward import _native
from bearward._asgi.certificate import Shown
from bearward._asgi.subprotocol import RawFields, presented
from bearward.client import ApiClient, RequestFacts, Verified

if TYPE_CHECKING:
    from bearward._asgi.connection import Connection
    from bearward.requirement import Requirement

# The entry of an ASGI scope where this is: a tuple of `Entry`.
LET_IN = "bearward.let_in"


class Asked(NamedTuple):
    """What a guard asks about a request.

    Attributes:
        api_client: Verifies the token.
        fields: The header fields, as of `presented`.
        subprotocol: See `presented`.
        shown: What the request says of its client's certificate.
        guidance: What the challenge of a refusal says besides.
        requirement: What the token must meet, if that is asked at once.
    """

    api_client: ApiClient
    fields: RawFields
    subprotocol: Optional[str]
    shown: Shown
    guidance: Optional[_native.Guidance]
    requirement: Optional[Requirement] = None

    def facts(self, method: Optional[str] = None, url: Optional[str] = None) -> RequestFacts:
        """For the client. Without method and URL, they don't count."""
        return RequestFacts(self.fields, method, url, self.shown.certificate, self.shown.behind_proxy)


class StandIn:
    """What a test's own `verify_request` returned, in place of the engine's answer.

    Args:
        verified: What it returned.
        fields: The request's header fields.
        method: The request's method.
        url: The URL that the client used.
    """

    def __init__(self, verified: Verified, fields: RawFields, method: str, url: str) -> None:
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

    def answers(self, fields: RawFields, method: str, url: str) -> bool:
        """As of `_native.Passed`."""
        return self._asked == (_credentials(fields), method, url)

    def has_credentials_of(self, fields: RawFields) -> bool:
        """As of `_native.Passed`."""
        return self._asked[0] == _credentials(fields)


LetIn = Union[_native.Passed, StandIn]

Entry = tuple[ApiClient, Shown, Optional[str], LetIn]
"""Which client let something in, what the request said of its certificate, the subprotocol, and what was let in."""


def recall(connection: Connection, asked: Asked, method: str, url: str) -> Optional[LetIn]:
    """What the same client let in in this request, if it was asked the same."""
    for client, shown, _, let_in in connection.scope.get(LET_IN, ()):
        if client is asked.api_client and shown == asked.shown and let_in.answers(asked.fields, method, url):
            kept: LetIn = let_in
            return kept
    return None


def remember(connection: Connection, asked: Asked, let_in: LetIn) -> None:
    """Keep what was let in, the latest first."""
    scope = connection.scope
    entry: Entry = (asked.api_client, asked.shown, asked.subprotocol, let_in)
    # A new tuple: the scope may be a copy, and the original must not change.
    scope[LET_IN] = (entry, *scope.get(LET_IN, ()))


def claims_of(connection: Connection) -> Optional[dict[str, Any]]:
    """The claims of the access token that a guard verified in this request, as a new dict; `None` if there are none.

    For code that comes after the guard, such as access logs and rate limits. It verifies nothing.

    Args:
        connection: A Starlette or FastAPI `Request` or `WebSocket`.
    """
    for _, _, subprotocol, let_in in connection.scope.get(LET_IN, ()):
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


def _credentials(fields: RawFields) -> list[tuple[bytes, bytes]]:
    return [(name.lower(), value) for name, value in fields if name.lower() in (b"authorization", b"dpop")]
