"""How guarded routes show in OpenAPI documents: the Authorize button of `/docs`, and the scopes of each operation.

FastAPI shows one security scheme for one dependency. A guard has two: the scheme that requests authenticate by (paste
a token), and the tenant's login (OAuth 2, with scopes). FastAPI shows the first by itself. The login is written into
the document, in `_with_logins`.
"""

import functools
import logging
import re
from collections.abc import Iterator
from typing import Any, Callable, Union
from urllib.parse import quote

from fastapi.encoders import jsonable_encoder
from fastapi.openapi import utils
from fastapi.openapi.models import HTTPBase, HTTPBearer, OAuth2, OAuthFlowAuthorizationCode, OAuthFlows, OpenIdConnect
from fastapi.security.base import SecurityBase

from bearward.options import ApiClientOptions, audiences_of, issuer_of

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


class Login:
    """The tenant's login, as an OAuth 2 scheme. It lists every scope that a guard requires.

    Args:
        issuer: `https://host/`.
        audience: Auth0 gives tokens for the API that `/authorize` is asked for with this parameter.
    """

    def __init__(self, issuer: str, audience: str) -> None:
        # OpenAPI 3.1 section 4.8.7.1 allows these characters. The audience, for apps that guard two APIs.
        self.name = "Auth0-" + re.sub(r"[^A-Za-z0-9._-]+", "-", audience.split("://")[-1]).strip("-")
        self._flow = OAuthFlowAuthorizationCode(
            authorizationUrl=f"{issuer}authorize?audience={quote(audience, safe='')}",
            tokenUrl=f"{issuer}oauth/token",
        )

    @classmethod
    def of(cls, options: ApiClientOptions) -> "Union[Login, OpenIdLogin, None]":
        """The login at the first domain. `None` if only a resolver knows the domains: there is no one place then."""
        if options.issuer is not None:
            issuers = [options.issuer] if isinstance(options.issuer, str) else options.issuer
            return OpenIdLogin(issuers[0])
        domains = options.domains
        domain = options.domain or (domains[0] if isinstance(domains, list) else None)
        audiences = audiences_of(options)
        return None if domain is None or audiences is None else cls(issuer_of("domain", domain), audiences[0])

    def list_scopes(self, scopes: tuple[str, ...]) -> None:
        """List these scopes, too."""
        for scope in scopes:
            self._flow.scopes.setdefault(scope, "")

    def as_json(self) -> Any:
        """The scheme as it is in a document."""
        scheme = OAuth2(flows=OAuthFlows(authorizationCode=self._flow))
        return jsonable_encoder(scheme, by_alias=True, exclude_none=True)


class OpenIdLogin:
    """The login of an issuer that isn't Auth0, as an OpenID Connect scheme. The issuer's document says where it is.

    Args:
        issuer: As its tokens spell it.
    """

    def __init__(self, issuer: str) -> None:
        self.name = "OpenID-" + re.sub(r"[^A-Za-z0-9._-]+", "-", issuer.split("://")[-1]).strip("-")
        self._url = f"{issuer[:-1] if issuer.endswith('/') else issuer}/.well-known/openid-configuration"

    def list_scopes(self, scopes: tuple[str, ...]) -> None:
        """Nothing: only operations name scopes of such a scheme."""

    def as_json(self) -> Any:
        """The scheme as it is in a document."""
        return jsonable_encoder(OpenIdConnect(openIdConnectUrl=self._url), by_alias=True, exclude_none=True)


class ShownGuard(SecurityBase):
    """A dependency that shows in OpenAPI documents, with its login and its scopes."""

    def __init__(
        self, options: ApiClientOptions, scopes: tuple[str, ...], login: Union[Login, OpenIdLogin, None]
    ) -> None:
        self.scheme_name: str = "DPoP" if options.dpop_required else "Bearer"
        self.model = _DPOP if options.dpop_required else _EITHER if options.dpop_enabled else _BEARER
        self.scopes = scopes
        self.login = login
        if login is not None:
            login.list_scopes(scopes)


def _with_logins(get_openapi_path: Callable[..., Any]) -> Callable[..., Any]:
    """FastAPI's function that describes a route, with the logins of the guards on the route's way."""

    @functools.wraps(get_openapi_path)
    def describe(**facts: Any) -> Any:
        path, schemes, definitions = get_openapi_path(**facts)
        # A hidden route has no operations.
        for login, scopes in _logins(facts["route"].dependant) if path else ():
            schemes[login.name] = login.as_json()
            for operation in path.values():
                _require(operation.setdefault("security", []), login.name, scopes)
        return path, schemes, definitions

    return describe


def _logins(dependant: Any) -> Iterator[tuple[Union[Login, OpenIdLogin], list[str]]]:
    """The login of each guard in a tree of dependencies, with the scopes that are required there."""
    guard = dependant.call
    if isinstance(guard, ShownGuard) and guard.login is not None:
        # Scopes that `Security(...)` names on the way to the guard. Older FastAPI has one list, `security_scopes`.
        lists = (
            getattr(dependant, name, None) for name in ("security_scopes", "parent_oauth_scopes", "own_oauth_scopes")
        )
        yield guard.login, [*(scope for scopes in lists for scope in scopes or ()), *guard.scopes]
    for inner in dependant.dependencies:
        yield from _logins(inner)


def _require(security: list[dict[str, list[str]]], name: str, scopes: list[str]) -> None:
    """Add scopes to an operation's requirement of a scheme; OpenAPI 3.1 section 4.8.30."""
    required = next((requirement[name] for requirement in security if name in requirement), None)
    if required is None:
        required = []
        security.append({name: required})
    required.extend(scope for scope in dict.fromkeys(scopes) if scope not in required)


def _write_logins() -> None:
    """Have every document of FastAPI's show the logins of our guards.

    `get_openapi_path` is what all documents are made by: those of applications that are mounted, and those of users'
    functions in place of `app.openapi`. Nothing else is changed: in particular not the dependencies that requests go
    through, where a second scheme would cost as much time as a signature check.
    """
    describe = getattr(utils, "get_openapi_path", None)
    if describe is None:
        logging.getLogger("bearward").warning("OpenAPI documents show no login: this FastAPI makes them in another way")
    else:
        utils.get_openapi_path = _with_logins(describe)


_write_logins()
