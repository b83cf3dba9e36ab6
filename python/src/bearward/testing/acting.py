"""`act_as`: requests that guards let in without a token."""

from __future__ import annotations

import contextlib
import copy
import functools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Optional

from bearward._client.issuers import audiences_of, configured_issuers
from bearward.requirement import Requirement

if TYPE_CHECKING:
    from fastapi.requests import HTTPConnection

    from bearward.fastapi import RequireAuth
    from bearward.options import ApiClientOptions

__all__ = ["act_as"]

# The entry of an ASGI scope.
_ACTING = "bearward.testing.acting"


@contextlib.contextmanager
def act_as(app: Any, *, checks: bool = True, **claims: Any) -> Iterator[None]:
    """In the body of `with`, all guards of an app see these claims, whatever a request has in its Authorization field.

    This is so for the routes of the app, for apps that are mounted on it, and for `auth0.verify`. Guards still check
    what they require: scopes, permissions and so on.

    Args:
        app: The FastAPI or Starlette app.
        checks: `False`: guards let everything in, whatever they require.
        **claims: The claims, besides and instead of the usual ones: `iss`, `sub` (`auth0|test`), `aud`, `iat`, `exp`.
            One that is `None` is left out.

    Raises:
        TypeError: `app` is something else.
    """
    if not hasattr(app, "middleware_stack"):
        raise TypeError(f"act_as needs the FastAPI or Starlette app, not {type(app).__name__}.")
    _have_guards_look()
    inner = app.middleware_stack or app.build_middleware_stack()
    acting = _Acting(claims, checks)

    async def stack(scope: Any, receive: Any, send: Any) -> None:
        # The innermost `with` comes first here.
        scope.setdefault(_ACTING, acting)
        await inner(scope, receive, send)

    app.middleware_stack = stack
    try:
        yield
    finally:
        app.middleware_stack = inner


class _Acting:
    """Who acts, and the guards that let requests in as that user."""

    def __init__(self, claims: dict[str, Any], checks: bool) -> None:
        self.checks = checks
        self._claims = claims
        self._stand_ins: dict[Any, Any] = {}

    def instead_of(self, guard: RequireAuth[Any]) -> RequireAuth[Any]:
        """The guard that is called: one that verifies nothing, wants credentials, and perhaps nothing else."""
        owner = guard._auth0
        stand_in = self._stand_ins.get(owner) or self._stand_ins.setdefault(owner, self._stand_in_for(owner))
        demand = guard._demand._replace(optional=False)
        made: RequireAuth[Any] = stand_in._guard(demand if self.checks else demand._replace(requirement=Requirement()))
        return made

    def _stand_in_for(self, owner: Any) -> Any:
        """A copy of a `Guard`, with a client in which `verify_request` is replaced, as users' own tests may do it."""
        claims = {**_usual_claims(owner.api_client.options), **self._claims}
        given = {name: value for name, value in claims.items() if value is not None}

        async def verify_request(**_: Any) -> dict[str, Any]:
            return copy.deepcopy(given)

        stand_in = copy.copy(owner)
        stand_in.api_client = copy.copy(owner.api_client)
        stand_in.api_client.verify_request = verify_request
        return stand_in


@functools.cache
def _have_guards_look() -> None:
    """Have all guards of this process look into the scope. Nothing in production does."""
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
