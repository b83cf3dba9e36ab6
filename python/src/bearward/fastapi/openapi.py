"""How guarded routes show in OpenAPI documents: the Authorize button of `/docs`, and the scopes of each operation.

FastAPI shows one security scheme for one dependency. A guard has two: the scheme that requests authenticate by (paste
a token), and the issuer's login, with scopes. FastAPI shows the first by itself. The login is written into the
document, in `_describing_guards`.
"""

import functools
import logging
import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Callable, Optional, Protocol, cast
from urllib.parse import quote

from fastapi.encoders import jsonable_encoder
from fastapi.openapi import utils
from fastapi.openapi.models import HTTPBase, HTTPBearer, OAuth2, OAuthFlowAuthorizationCode, OAuthFlows, OpenIdConnect
from fastapi.security.base import SecurityBase

from bearward._client.issuers import audiences_of, configured_issuers, issuer_of
from bearward.errors import ConfigurationError
from bearward.options import ApiClientOptions
from bearward.requirement import Names
from bearward.scopes import scope_names

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


class Login(Protocol):
    """Where users log in, as a scheme."""

    kind: str
    """What the scheme's name begins with."""

    def scheme(self, scopes: dict[str, str]) -> Any:
        """The scheme. `scopes`, each with its description, is what the document gets: it may still grow."""
        ...


class _OAuthLogin:
    """Auth0's.

    Args:
        issuer: `https://host/`.
        audience: Auth0 gives tokens for the API that `/authorize` is asked for with this parameter.
    """

    kind = "Auth0"

    def __init__(self, issuer: str, audience: str) -> None:
        self._authorization_url = f"{issuer}authorize?audience={quote(audience, safe='')}"
        self._token_url = f"{issuer}oauth/token"

    def scheme(self, scopes: dict[str, str]) -> Any:
        flow = OAuthFlowAuthorizationCode(authorizationUrl=self._authorization_url, tokenUrl=self._token_url)
        shown = _as_json(OAuth2(flows=OAuthFlows(authorizationCode=flow)))
        shown["flows"]["authorizationCode"]["scopes"] = scopes
        return shown


class _OpenIdLogin:
    """That of another issuer, whose document says where it is.

    Args:
        issuer: As its tokens spell it.
    """

    kind = "OpenID"

    def __init__(self, issuer: str) -> None:
        self._url = f"{issuer[:-1] if issuer.endswith('/') else issuer}/.well-known/openid-configuration"

    def scheme(self, scopes: dict[str, str]) -> Any:
        # Only operations name scopes of such a scheme.
        return _as_json(OpenIdConnect(openIdConnectUrl=self._url))


class ShownApi:
    """How the routes of a guard show.

    Args:
        options: Those of the guard.
        scope_descriptions: What each scope is for.
    """

    def __init__(self, options: ApiClientOptions, scope_descriptions: Mapping[str, str]) -> None:
        issuers, audiences = configured_issuers(options), audiences_of(options)
        self.descriptions = scope_descriptions
        # Guards of the same issuers and audiences show alike.
        self.identity = (tuple(issuers or (options.domains,)), tuple(audiences or options.client_ids or ()))
        self.http_name = "DPoP" if options.dpop_required else "Bearer"
        self.http_scheme = _DPOP if options.dpop_required else _EITHER if options.dpop_enabled else _BEARER
        self.login: Optional[Login] = None
        self.label = (audiences or ["api"])[0]
        # If only a resolver knows the domains, there is no one place to log in.
        issuer = issuer_of("domain", options.domain) if options.domain else next(iter(issuers or ()), None)
        if issuer is not None and options.issuer is not None:
            self.login, self.label = _OpenIdLogin(issuer), issuer
        elif issuer is not None and audiences:
            self.login = _OAuthLogin(issuer, audiences[0])

    def swagger_ui(self, client_id: str, scopes: Names = None) -> dict[str, Any]:
        """See `Guard.swagger_ui`."""
        if not client_id or not isinstance(cast("object", client_id), str):
            raise ConfigurationError("client_id must be a non-empty string.")
        if self.login is None:
            raise ConfigurationError("swagger_ui needs an issuer: where only a resolver knows them, nobody can log in.")
        ticked = " ".join(scope_names(scopes))
        more = {"scopes": ticked} if ticked else {}
        return {"clientId": client_id, "usePkceWithAuthorizationCodeGrant": True, **more}


class ShownGuard(SecurityBase):
    """A dependency that shows in OpenAPI documents, with its login and its scopes."""

    def __init__(self, api: ShownApi, scopes: tuple[str, ...]) -> None:
        self.scheme_name: str = api.http_name
        self.model = api.http_scheme
        self.scopes = scopes
        self.api = api


class _Document:
    """What is known of a document while FastAPI makes it, route by route."""

    def __init__(self) -> None:
        # Whose scheme has which name.
        self._names: dict[str, object] = {}
        self._scopes: dict[str, dict[str, str]] = {}

    def show(self, dependant: Any, schemes: dict[str, Any], operations: Iterable[dict[str, Any]]) -> None:
        """Write the schemes of a route's guards, where FastAPI has written one for all of them."""
        found = list(_guards(dependant))
        named = [(guard.api, self._http_name(guard.api)) for guard, _ in found]
        wrong = {api.http_name for api, _ in named} - {name for _, name in named} - set(_others(dependant))
        for name in wrong:
            schemes.pop(name, None)
        for operation in operations:
            security = operation.setdefault("security", []) if found else []
            security[:] = [requirement for requirement in security if not wrong.intersection(requirement)]
            for _, name in named:
                _require(security, name, [])
        for api, name in named:
            schemes[name] = _as_json(api.http_scheme)
        for guard, scopes in found:
            if guard.api.login is not None:
                self._show_login(guard.api, guard.api.login, scopes, schemes, operations)

    def _show_login(
        self,
        api: ShownApi,
        login: Login,
        scopes: list[str],
        schemes: dict[str, Any],
        operations: Iterable[dict[str, Any]],
    ) -> None:
        name = self._name(api, f"{login.kind}-{_in_name(api.label)}")
        known = self._scopes.setdefault(name, {})
        known.update({scope: api.descriptions.get(scope) or known.get(scope, "") for scope in scopes})
        schemes[name] = login.scheme(known)
        for operation in operations:
            _require(operation["security"], name, scopes)

    def _http_name(self, api: ShownApi) -> str:
        if self._names.setdefault(api.http_name, api.identity) == api.identity:
            return api.http_name
        return self._name(api, f"{api.http_name}-{_in_name(api.label)}")

    def _name(self, api: ShownApi, wanted: str) -> str:
        """The name of this API's scheme: `wanted`, or if another API has that, with a number."""
        name, number = wanted, 1
        while self._names.setdefault(name, api.identity) != api.identity:
            number += 1
            name = f"{wanted}-{number}"
        return name


class _Documents:
    """The documents that are being made now. FastAPI has a set of `operation_ids` for each, while it makes it."""

    def __init__(self) -> None:
        self._under_way: dict[int, tuple[weakref.ref[set[str]], _Document]] = {}

    def of(self, operation_ids: set[str]) -> _Document:
        key = id(operation_ids)
        entry = self._under_way.get(key)
        if entry is None:
            ended = weakref.ref(operation_ids, lambda _: self._under_way.pop(key, None))
            entry = self._under_way[key] = (ended, _Document())
        return entry[1]


def _describing_guards(get_openapi_path: Callable[..., Any]) -> Callable[..., Any]:
    """FastAPI's function that describes a route, with the guards on the route's way."""
    documents = _Documents()

    @functools.wraps(get_openapi_path)
    def describe(**facts: Any) -> Any:
        path, schemes, definitions = get_openapi_path(**facts)
        # A hidden route has no operations.
        if path:
            documents.of(facts["operation_ids"]).show(facts["route"].dependant, schemes, path.values())
        return path, schemes, definitions

    return describe


def _guards(dependant: Any) -> Iterator[tuple[ShownGuard, list[str]]]:
    """Each guard in a tree of dependencies, with the scopes that are required there."""
    guard = dependant.call
    if isinstance(guard, ShownGuard):
        # Scopes that `Security(...)` names on the way to the guard. Older FastAPI has one list, `security_scopes`.
        lists = (
            getattr(dependant, name, None) for name in ("security_scopes", "parent_oauth_scopes", "own_oauth_scopes")
        )
        yield guard, [*(scope for scopes in lists for scope in scopes or ()), *guard.scopes]
    for inner in dependant.dependencies:
        yield from _guards(inner)


def _others(dependant: Any) -> Iterator[str]:
    """The names of schemes in a tree of dependencies that aren't those of guards."""
    if isinstance(dependant.call, SecurityBase) and not isinstance(dependant.call, ShownGuard):
        yield dependant.call.scheme_name
    for inner in dependant.dependencies:
        yield from _others(inner)


def _require(security: list[dict[str, list[str]]], name: str, scopes: list[str]) -> None:
    """Add scopes to an operation's requirement of a scheme; OpenAPI 3.1 section 4.8.30."""
    required = next((requirement[name] for requirement in security if name in requirement), None)
    if required is None:
        required = []
        security.append({name: required})
    required.extend(scope for scope in dict.fromkeys(scopes) if scope not in required)


def _in_name(label: str) -> str:
    # OpenAPI 3.1 section 4.8.7.1 allows these characters.
    return re.sub(r"[^A-Za-z0-9._-]+", "-", label.split("://")[-1]).strip("-")


def _as_json(scheme: Any) -> Any:
    return jsonable_encoder(scheme, by_alias=True, exclude_none=True)


def _write_guards() -> None:
    """Have every document of FastAPI's show our guards.

    `get_openapi_path` is what all documents are made by: those of applications that are mounted, and those of users'
    functions in place of `app.openapi`. Nothing else is changed: in particular not the dependencies that requests go
    through, where a second scheme would cost as much time as a signature check.
    """
    describe = getattr(utils, "get_openapi_path", None)
    if describe is None:
        logging.getLogger("bearward").warning("OpenAPI documents show no login: this FastAPI makes them in another way")
    else:
        utils.get_openapi_path = _describing_guards(describe)


_write_guards()
