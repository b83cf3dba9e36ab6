"""`act_as`: requests that guards let in without a token."""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from bearward._client.issuers import audiences_of, configured_issuers
from bearward.asgi import AuthMiddleware
from bearward.requirement import Requirement

if TYPE_CHECKING:
    from fastapi.requests import HTTPConnection

    from bearward._asgi.answers import Receive, Send
    from bearward._asgi.connection import Scope
    from bearward.client import ApiClient
    from bearward.fastapi import RequireAuth
    from bearward.options import ApiClientOptions

__all__ = ["act_as"]

# The entry of an ASGI scope, and of an `AuthMiddleware` that is the app.
_ACTING = "bearward.testing.acting"
# What guards of MCP servers pass on, where a request has no token.
_CREDENTIALS = (b"authorization", b"Bearer act_as")


@contextlib.contextmanager
def act_as(app: Any, *, checks: bool = True, **claims: Any) -> Iterator[None]:
    """In the body of `with`, all guards of an app see these claims, whatever a request has in its Authorization field.

    This is so for the routes of the app, for apps that are mounted on it, for `auth0.verify`, and for `AuthMiddleware`
    and guards of MCP servers. Guards still check what they require: scopes, permissions and so on.

    Args:
        app: The FastAPI or Starlette app, or an `AuthMiddleware` around an app of any kind.
        checks: `False`: guards let everything in, whatever they require.
        **claims: The claims, besides and instead of the usual ones: `iss`, `sub` (`auth0|test`), `aud`, `iat`, `exp`.
            One that is `None` is left out.

    Raises:
        TypeError: `app` is something else.
    """
    acting = _Acting(claims, checks)
    _have_middleware_look()
    # Nobody needs FastAPI for `AuthMiddleware`.
    if "bearward.fastapi" in sys.modules:
        _have_guards_look()
    if isinstance(app, AuthMiddleware):
        entered = _entered(app, acting)
    elif hasattr(app, "middleware_stack"):
        entered = _on_the_way_to(app, acting)
    else:
        raise TypeError(
            f"act_as needs the FastAPI or Starlette app, or the AuthMiddleware around an app, not {type(app).__name__}."
        )
    with entered:
        yield


@contextlib.contextmanager
def _on_the_way_to(app: Any, acting: _Acting) -> Iterator[None]:
    inner = app.middleware_stack or app.build_middleware_stack()

    async def stack(scope: Scope, receive: Receive, send: Send) -> None:
        # The innermost `with` comes first here.
        scope.setdefault(_ACTING, acting)
        await inner(scope, receive, send)

    app.middleware_stack = stack
    try:
        yield
    finally:
        app.middleware_stack = inner


@contextlib.contextmanager
def _entered(app: AuthMiddleware, acting: _Acting) -> Iterator[None]:
    before = vars(app).get(_ACTING)
    vars(app)[_ACTING] = acting
    try:
        yield
    finally:
        vars(app)[_ACTING] = before


class _Acting:
    """Who acts, and the guards that let requests in as that user."""

    def __init__(self, claims: dict[str, Any], checks: bool) -> None:
        self.checks = checks
        self._claims = claims
        self._stand_ins: dict[Any, Any] = {}

    def instead_of(self, guard: RequireAuth[Any]) -> RequireAuth[Any]:
        """The guard that is called: one that verifies nothing, wants credentials, and perhaps nothing else."""
        stand_in = self._stand_in_for(guard._auth0, "api_client")
        demand = guard._demand._replace(optional=False)
        made: RequireAuth[Any] = stand_in._guard(demand if self.checks else demand._replace(requirement=Requirement()))
        return made

    def instead_of_middleware(self, guard: AuthMiddleware) -> AuthMiddleware:
        """The same for the guard around an app."""
        stand_in: AuthMiddleware = self._stand_in_for(guard, "_client")
        stand_in._optional = False
        if not self.checks:
            stand_in._needs = _needs_nothing  # type: ignore[method-assign, assignment]
        return stand_in

    def _stand_in_for(self, owner: Any, client: str) -> Any:
        """A copy of a guard, whose client has another `verify_request`, as users' own tests may replace it."""
        stand_in = self._stand_ins.get(owner)
        if stand_in is None:
            stand_in = self._stand_ins[owner] = copy.copy(owner)
            setattr(stand_in, client, self._client_that_verifies_nothing(getattr(owner, client)))
        return stand_in

    def _client_that_verifies_nothing(self, client: ApiClient) -> ApiClient:
        claims = {**_usual_claims(client.options), **self._claims}
        given = {name: value for name, value in claims.items() if value is not None}

        async def verify_request(**_: Any) -> dict[str, Any]:
            return copy.deepcopy(given)

        made = copy.copy(client)
        made.verify_request = verify_request  # type: ignore[method-assign, assignment]
        return made


@functools.cache
def _have_guards_look() -> None:
    """Have all guards of FastAPI in this process look into the scope. Nothing in production does."""
    from fastapi.security import SecurityScopes

    from bearward.fastapi import RequireAuth

    decide = RequireAuth._decide

    @functools.wraps(decide)
    async def look(
        self: RequireAuth[Any],
        request: HTTPConnection,
        security_scopes: Optional[SecurityScopes] = None,
        response: Any = None,
    ) -> Any:
        acting: Optional[_Acting] = request.scope.get(_ACTING)
        guard = self if acting is None else acting.instead_of(self)
        if security_scopes is None or (acting is not None and not acting.checks):
            security_scopes = SecurityScopes()
        return await decide(guard, request, security_scopes, response)

    RequireAuth._decide = look  # type: ignore[method-assign]


@functools.cache
def _have_middleware_look() -> None:
    """The same for guards around apps."""
    call, guard = AuthMiddleware.__call__, AuthMiddleware._guard

    @functools.wraps(call)
    async def enter(self: AuthMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        acting: Optional[_Acting] = vars(self).get(_ACTING)
        if acting is not None:
            scope.setdefault(_ACTING, acting)
        await call(self, scope, receive, send)

    @functools.wraps(guard)
    async def look(self: AuthMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        acting: Optional[_Acting] = scope.get(_ACTING)
        if acting is None:
            await guard(self, scope, receive, send)
        else:
            await guard(acting.instead_of_middleware(self), _with_credentials(scope), receive, send)

    AuthMiddleware.__call__ = enter  # type: ignore[method-assign]
    AuthMiddleware._guard = look  # type: ignore[method-assign]


async def _needs_nothing(_: Scope, receive: Receive) -> tuple[Requirement, Receive]:
    return Requirement(), receive


def _with_credentials(scope: Scope) -> Scope:
    if any(name.lower() == b"authorization" for name, _ in scope["headers"]):
        return scope
    return {**scope, "headers": [*scope["headers"], _CREDENTIALS]}


def _usual_claims(options: ApiClientOptions) -> dict[str, Any]:
    now = int(time.time())
    issuers, audiences = configured_issuers(options), audiences_of(options)
    return {
        "iss": issuers[0] if issuers else None,
        "sub": "auth0|test",
        "aud": audiences[0] if audiences else None,
        "iat": now,
        "exp": now + 3600,
    }
