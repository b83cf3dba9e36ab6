"""The parties that act for a user with a delegated token: the `act` claim. RFC 8693 section 4.1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from bearward.errors import VerifyAccessTokenError

# No verified token has so many: its JSON is nested at most 32 deep. Claims from another source might.
_MAX_ACTORS = 32


def get_current_actor(claims: Mapping[str, Any]) -> Optional[str]:
    """The current actor: `sub` of the outermost `act` claim. `None` if the token was not delegated.

    Authorization may depend on this actor only (RFC 8693 section 4.1). Inner `act` claims are not checked here.

    Raises:
        VerifyAccessTokenError: `act` is malformed.
    """
    return next(_actors(claims), None)


def get_delegation_chain(claims: Mapping[str, Any]) -> list[str]:
    """All actors, newest first; an empty list if the token was not delegated.

    For audit logs only: authorization must not depend on earlier actors (RFC 8693 section 4.1).

    Raises:
        VerifyAccessTokenError: an `act` anywhere in the chain is malformed, or there are too many.
    """
    return list(_actors(claims))


def _actors(claims: Mapping[str, Any]) -> Iterator[str]:
    holder: Any = claims
    for _ in range(_MAX_ACTORS):
        holder = _checked(holder).get("act")
        if holder is None:
            return
        subject = _checked(holder).get("sub")
        if not isinstance(subject, str) or not subject.strip():
            raise _malformed()
        yield subject
    raise _malformed()


def _checked(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _malformed()
    return value


def _malformed() -> VerifyAccessTokenError:
    return VerifyAccessTokenError("Invalid act claim", code="actor_malformed")
