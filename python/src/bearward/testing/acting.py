"""`act_as`: requests that guards let in without a token."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from bearward.options import audiences_of, configured_issuers
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


class _Acting(NamedTuple):
    claims: dict[str, Any]
    checks: bool

    def remember(self, guard: RequireAuth[Any], request: HTTPConnection) -> None:
        """Have the guard, and `claims_of`, find the claims as if they had been verified in this request before."""
        from bearward.fastapi.memory import Asked, recall, remember

        owner = guard._auth0
        asked = Asked.of(owner.api_client, request, owner._urls.of(request))
        if recall(request, asked) is None:
            claims = {**_usual_claims(owner.api_client.options), **self.claims}
            remember(request, asked, {name: value for name, value in claims.items() if value is not None})

    def instead_of(self, guard: RequireAuth[Any]) -> RequireAuth[Any]:
        """The guard that is called: one that wants credentials, and perhaps nothing else."""
        demand = guard._demand._replace(optional=False)
        return guard._auth0._guard(demand if self.checks else demand._replace(requirement=Requirement()))


@functools.cache
def _have_guards_look() -> None:
    """Have all guards of this process look into the scope. Nothing in production does."""
    from fastapi.security import SecurityScopes

    from bearward.fastapi import RequireAuth

    call = RequireAuth.__call__

    @functools.wraps(call)
    async def look(
        self: RequireAuth[Any],
        request: HTTPConnection,
        security_scopes: Optional[SecurityScopes] = None,
        response: Any = None,
    ) -> Any:
        acting: Optional[_Acting] = request.scope.get(_ACTING)
        guard = self
        if acting is not None:
            acting.remember(self, request)
            guard = acting.instead_of(self)
        if security_scopes is None or (acting is not None and not acting.checks):
            security_scopes = SecurityScopes()
        return await call(guard, request, security_scopes, response)

    RequireAuth.__call__ = look  # type: ignore[method-assign]


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
