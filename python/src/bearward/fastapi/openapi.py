"""How guarded routes show in OpenAPI: the Authorize button of `/docs`, and each operation's scopes.

FastAPI lists a scheme for every dependency that is a `SecurityBase`, and scopes only for what is named by
`Security(...)` with an OAuth 2 scheme. So the guard is a plain bearer scheme itself (paste a token), and names one
OAuth 2 scheme with its scopes (log in). That second scheme has nothing to do when a request comes.
"""

import copy
import re
import threading
from typing import Any, ClassVar, Optional
from urllib.parse import quote

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBase, HTTPBearer, OAuthFlowAuthorizationCode, OAuthFlows
from fastapi.security import OAuth2

from bearward import _native
from bearward.options import ApiClientOptions

_BEARER = HTTPBearer(bearerFormat="JWT", description="An access token, pasted.")
_EITHER = HTTPBearer(
    bearerFormat="JWT",
    description="An access token, pasted. One that is bound to a key is accepted in the DPoP scheme only (RFC 9449), "
    "with a proof for each request, which this page can't make.",
)
_DPOP = HTTPBase(
    scheme="dpop",
    description="An access token that is bound to a key, with a proof for each request (DPoP, RFC 9449).",
)


def scheme_of(options: ApiClientOptions) -> tuple[str, HTTPBase]:
    """Name and model of the scheme that requests authenticate by."""
    if options.dpop_required:
        return "DPoP", _DPOP
    return "Bearer", _EITHER if options.dpop_enabled else _BEARER


class LoginScheme(OAuth2):
    """The tenant's login, as an OAuth 2 scheme that lists every scope named by a guard.

    Args:
        issuer: `https://host/`.
        audience: Auth0 gives tokens for the API that `/authorize` is asked for with this parameter.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        flow = OAuthFlowAuthorizationCode(
            authorizationUrl=f"{issuer}authorize?audience={quote(audience, safe='')}",
            tokenUrl=f"{issuer}oauth/token",
        )
        super().__init__(flows=OAuthFlows(authorizationCode=flow), scheme_name=_scheme_name(audience))
        self._scopes = flow.scopes

    def name_scopes(self, scopes: tuple[str, ...]) -> None:
        """List these scopes, too."""
        for scope in scopes:
            self._scopes.setdefault(scope, "")

    async def __call__(self, request: Request) -> None:  # type: ignore[override, unused-ignore]
        """Nothing for the request: the guard does the work. A route's first request takes us off its way."""
        _Lightening.of(request)


class _Lightening:
    """Takes login schemes out of the tree of dependencies that FastAPI walks for every request of a route.

    FastAPI spends some 15 us per request on a dependency, even one that does nothing: as much as a signature check.
    The tree that `/docs` reads stays as it was. This relies on how FastAPI is built: `route.dependant` is read for
    OpenAPI, while the route's handler holds on to the tree it began with. Where that doesn't hold, nothing breaks:
    the schemes go on being called, for nothing.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()

    @classmethod
    def of(cls, request: Request) -> None:
        # Of a route in an included router, newer versions serve from a context of the inclusion.
        context = request.scope.get("fastapi", {}).get("effective_route_context")
        route: Any = context or request.scope.get("route")
        # Two loops in two threads must not both take the tree for whole.
        with cls._lock:
            served = getattr(route, "dependant", None)
            if isinstance(served, Dependant):
                route.dependant = cls._copy(served)
                cls._prune(served)

    @classmethod
    def _copy(cls, dependant: Dependant) -> Dependant:
        twin = copy.copy(dependant)
        twin.dependencies = [cls._copy(inner) for inner in dependant.dependencies]
        return twin

    @classmethod
    def _prune(cls, dependant: Dependant) -> None:
        # A new list: FastAPI is going through the old one right now.
        dependant.dependencies = [inner for inner in dependant.dependencies if not isinstance(inner.call, LoginScheme)]
        for inner in dependant.dependencies:
            cls._prune(inner)


def _scheme_name(audience: str) -> str:
    """A name that tells two guarded APIs in one app apart. OpenAPI 3.1 section 4.8.7.1: `[a-zA-Z0-9._-]+` only."""
    return "Auth0-" + re.sub(r"[^A-Za-z0-9._-]+", "-", audience.split("://")[-1]).strip("-")


def login_scheme_of(options: ApiClientOptions) -> Optional[LoginScheme]:
    """Where to log in. `None` if only a resolver knows the domains: there is no one place then."""
    domains = options.domains
    domain = options.domain or (domains[0] if isinstance(domains, list) else None)
    return None if domain is None else LoginScheme(_native.normalize_issuer(domain), options.audience)
