"""Who makes a request, for the code behind a guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Optional, Protocol

from bearward._asgi.connection import Scope


class Judge(Protocol):
    """The part of `ApiClient` that knows what claims mean."""

    def granted_scopes(self, claims: Mapping[str, Any]) -> list[str]:
        """All scopes that claims grant."""
        ...

    def audience_of(self, claims: Mapping[str, Any]) -> Optional[str]:
        """Which of the accepted audiences claims are for."""
        ...


class Principal:
    """The user or client of a request, as its verified access token says. Also a user as Starlette knows it.

    Attributes:
        claims: All claims of the token.
        subject: `sub`, if there is one.
        client_id: The client that the token was issued to: `client_id`, or else `azp`.
        scopes: All scopes that the token grants, with those that others imply.
        permissions: The claim `permissions` of Auth0's RBAC.
        jkt: The thumbprint of the key that the token is bound to (`cnf.jkt`, RFC 9449 section 6.1).
        resource: Which of the accepted audiences the token is for.
    """

    is_authenticated = True

    def __init__(self, claims: Mapping[str, Any], judge: Judge) -> None:
        self.claims = dict(claims)
        self.subject: Optional[str] = claims.get("sub")
        self.client_id = _text(claims.get("client_id")) or _text(claims.get("azp"))
        self.scopes = tuple(judge.granted_scopes(claims))
        permissions = claims.get("permissions")
        self.permissions = tuple(map(str, permissions)) if isinstance(permissions, list) else ()
        cnf = claims.get("cnf")
        self.jkt = _text(cnf.get("jkt")) if isinstance(cnf, dict) else None
        self.resource = judge.audience_of(claims)

    @property
    def identity(self) -> str:
        """The subject, or else the client."""
        return self.subject or self.client_id or ""

    @property
    def display_name(self) -> str:
        """The same: a token need not have a name for people."""
        return self.identity

    def __repr__(self) -> str:
        return f"Principal(subject={self.subject!r}, client_id={self.client_id!r}, scopes={self.scopes!r})"


class Stranger:
    """Nobody: a request without credentials, where these are optional. A user as Starlette knows it."""

    is_authenticated = False
    identity = ""
    display_name = ""


class AuthCredentials:
    """The scopes of a request, as Starlette's `requires` looks for them."""

    def __init__(self, scopes: tuple[str, ...] = ()) -> None:
        self.scopes = list(scopes)


_current: ContextVar[Optional[Principal]] = ContextVar("bearward_principal", default=None)


def current_principal() -> Optional[Principal]:
    """Who makes the request that this code runs for; `None` without a guard, or without credentials.

    It is a context variable, so it is also there in functions that are far from the request, and in tasks that they
    start.
    """
    return _current.get()


@contextmanager
def acting(principal: Optional[Principal]) -> Iterator[None]:
    """Make `principal` the current one."""
    token = _current.set(principal)
    try:
        yield
    finally:
        _current.reset(token)


def with_user(scope: Scope, principal: Optional[Principal], user: Any) -> Scope:
    """Put into the scope what others may look at: the app behind a guard, and middleware around it afterwards."""
    # Servers may share the dict between requests.
    scope["state"] = {**(scope.get("state") or {}), "bearward": principal}
    scope["auth"] = AuthCredentials(() if principal is None else principal.scopes)
    scope["user"] = user
    return scope


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) and value else None
