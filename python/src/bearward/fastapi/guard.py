"""`Auth0FastAPI`, and the dependency that it gives."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union

from fastapi import Request, Response
from fastapi.security import SecurityScopes

from bearward._driver.declared import spells_out
from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.client import ApiClient, ApiClientOptions, Verified
from bearward.errors import BaseAuthError, ConfigurationError
from bearward.fastapi.answer import defect, http_exception
from bearward.fastapi.memory import Asked, recall, remember
from bearward.fastapi.openapi import Login, ShownGuard
from bearward.fastapi.refusal_log import RefusalLog, credentials_of
from bearward.fastapi.url import PublicUrls
from bearward.scopes import scope_names, validate_scopes
from bearward.types import DomainsResolver

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bearward.options import KeywordOptions

# The default of arguments that may come from the environment: differs from one that is empty by mistake.
_LEFT_OUT: Any = object()

# FastAPI gives both; code that calls a guard itself need not.
_NO_SCOPES = SecurityScopes()
_NO_RESPONSE: Any = None

# What `Auth0FastAPI._build` makes.
_BUILT = frozenset(("_urls", "_login", "_insufficient_scope", "_refusals", "_guards"))

_Guard = TypeVar("_Guard", bound="Auth0FastAPI")


class Auth0FastAPI:
    """Guards the routes of a FastAPI app with the access tokens of one tenant, for one API.

    `domain` and `audience` come from the environment variables AUTH0_DOMAIN and AUTH0_AUDIENCE where they are left out.

    All options of `ApiClientOptions`, which says what each does, and:

    Args:
        public_origin: Scheme and host that clients use, `https://api.example.com`. No header can change them then.
            Recommended where DPoP is used. Behind a proxy that strips a path prefix, the app needs its `root_path`.
        trusted_hops: With `app.state.trust_proxy = True`: how many proxies in front of the app append to
            `X-Forwarded-Host` and the like. Entries further left may come from a client.

    A DPoP proof is compared with the URL that the client used. That is `public_origin` if it is given; or else, with
    `app.state.trust_proxy = True`, what the proxies say; or else the Host field and the connection. `trust_proxy` is
    read from the app that has the route: a mounted sub-application has its own.

    Raises:
        ValueError: no `audience`.
        ConfigurationError: another argument can't be used.
    """

    @spells_out(ApiClientOptions)
    def __init__(
        self,
        domain: Optional[str] = _LEFT_OUT,
        audience: str = _LEFT_OUT,
        domains: Optional[Union[list[str], DomainsResolver]] = None,
        client_id: Optional[str] = None,
        client_secret: Optional[str] = None,
        custom_fetch: Optional[Callable[..., Any]] = None,
        dpop_enabled: bool = True,
        dpop_required: bool = False,
        dpop_iat_leeway: Union[int, float] = 30,
        dpop_iat_offset: Union[int, float] = 300,
        cache_adapter: Optional[Union[CacheAdapter, AsyncCacheAdapter]] = None,
        cache_ttl_seconds: Union[int, float] = 600,
        cache_max_entries: int = 100,
        *,
        public_origin: Optional[str] = None,
        trusted_hops: int = 1,
        **more: "Unpack[KeywordOptions]",
    ) -> None:
        options = ApiClientOptions(
            domains=domains,
            client_id=client_id,
            client_secret=client_secret,
            custom_fetch=custom_fetch,
            dpop_enabled=dpop_enabled,
            dpop_required=dpop_required,
            dpop_iat_leeway=dpop_iat_leeway,
            dpop_iat_offset=dpop_iat_offset,
            cache_adapter=cache_adapter,
            cache_ttl_seconds=cache_ttl_seconds,
            cache_max_entries=cache_max_entries,
            **more,
        )
        # First: if both are missing, this one is reported, as by the SDK that Bearward replaces.
        options.audience = _audience(audience)
        options.domain = _domain(domain, domains)
        self._begin(ApiClient(options), public_origin, trusted_hops)

    @classmethod
    def from_client(
        cls: type[_Guard], api_client: ApiClient, *, public_origin: Optional[str] = None, trusted_hops: int = 1
    ) -> _Guard:
        """A guard that verifies with an `ApiClient` that exists, with its options and the documents it has fetched.

        Args:
            api_client: Used as it is. Several guards may share it.
            public_origin: See `Auth0FastAPI`.
            trusted_hops: See `Auth0FastAPI`.

        Raises:
            ConfigurationError: an argument can't be used.
        """
        auth0 = cls.__new__(cls)
        auth0._begin(api_client, public_origin, trusted_hops)
        return auth0

    def _begin(self, api_client: ApiClient, public_origin: Optional[str], trusted_hops: int) -> None:
        self.api_client = api_client
        self._public_origin, self._trusted_hops = public_origin, trusted_hops
        self._build()

    def _build(self) -> None:
        """Make everything that depends on the client and the options."""
        api_client = self.api_client
        self._urls = PublicUrls(self._public_origin, self._trusted_hops)
        self._login = Login.of(api_client.options)
        self._insufficient_scope = api_client.insufficient_scope
        self._refusals = RefusalLog()
        self._guards: dict[tuple[str, ...], RequireAuth] = {}

    # A copy, also one in another process, has its own client and its own guards.

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _BUILT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    def require_auth(self, scopes: Optional[Union[str, Sequence[str]]] = None) -> "RequireAuth":
        """A dependency that accepts requests with a valid access token, and returns the token's claims.

        Equal arguments give the same object. So FastAPI verifies only once per request if an app, a router and a route
        all have the guard, and a new call can be a key of `app.dependency_overrides`.

        Args:
            scopes: Scopes that the token must have, all of them: a string, separated by spaces, or a list.

        Raises:
            ConfigurationError: `scopes` contains something that is not the name of a scope.
        """
        required = scope_names(scopes)
        guard = self._guards.get(required)
        if guard is None:
            # `setdefault`: two threads that come here at once get the same guard.
            guard = self._guards.setdefault(required, RequireAuth(self, required))
        return guard


class RequireAuth(ShownGuard):
    """The dependency that `Auth0FastAPI.require_auth` returns.

    It refuses requests with an `HTTPException`. Scopes of a `fastapi.Security(..., scopes=[...])` that uses it are
    required in addition to its own.
    """

    def __init__(self, auth0: Auth0FastAPI, scopes: tuple[str, ...]) -> None:
        super().__init__(auth0.api_client.options, scopes, auth0._login)
        self._auth0 = auth0

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is the guard of its own `Auth0FastAPI`.
        return _guard_again, (self._auth0, self.scopes)

    async def __call__(
        self,
        request: Request,
        security_scopes: SecurityScopes = _NO_SCOPES,
        response: Response = _NO_RESPONSE,
    ) -> dict[str, Any]:
        """The verified claims, as a new dict.

        Raises:
            HTTPException: 400, 401, 403, 500 or 503: see the classes in `bearward.errors`.
        """
        # The answer is raised outside of `except`: so it carries no reference to frames that hold the token.
        nonce = issuer = None
        try:
            claims, nonce = await self._verified(request)
            issuer = claims.get("iss")
            if nonce is not None and response is not None:
                # RFC 9449 section 8.2. Lost where the route answers with a `Response` of its own: the client is then
                # asked for a nonce.
                response.headers["DPoP-Nonce"] = nonce
            required = (*self.scopes, *security_scopes.scopes)
            if not required or validate_scopes(claims, required):
                return claims
            refusal = self._auth0._insufficient_scope(required, request.headers.get("authorization"))
        except BaseAuthError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - a defect, here or in the deployer's code: 500, and logged
            refusal = defect(error, credentials_of(request))
        self._auth0._refusals.refused(refusal, request, issuer)
        headers = refusal.get_headers()
        if nonce is not None:
            headers.setdefault("DPoP-Nonce", nonce)
        raise http_exception(
            refusal.get_status_code(), refusal.get_error_code(), refusal.get_error_description(), headers
        )

    async def _verified(self, request: Request) -> Verified:
        """A proof is good once, and a request may pass several guards: the first one uses it up."""
        auth0, url = self._auth0, self._auth0._urls.of(request)
        client = auth0.api_client
        asked = Asked.of(client, request, url)
        claims = recall(request, asked)
        if claims is not None:
            return Verified(claims)
        # Users' tests replace `verify_request`, also after the guard was made.
        verify = client.verify if _is_own(client.verify_request) else client.verify_request
        verified = await verify(headers=request.headers, http_method=asked.method, http_url=url)
        if not isinstance(verified, Verified):
            verified = Verified(verified)
        remember(request, asked, verified.claims)
        return verified


def _guard_again(auth0: Auth0FastAPI, scopes: tuple[str, ...]) -> RequireAuth:
    return auth0.require_auth(scopes)


# As it is defined: a test may replace it on the class, too.
_VERIFY_REQUEST = ApiClient.verify_request


def _is_own(verify_request: object) -> bool:
    return getattr(verify_request, "__func__", None) is _VERIFY_REQUEST


def _domain(domain: Optional[str], domains: object) -> Optional[str]:
    if domain is not _LEFT_OUT:
        return domain
    if domains is not None:
        return None
    given = os.environ.get("AUTH0_DOMAIN")
    if not given:
        raise ConfigurationError("No domain: give 'domain' (or 'domains'), or set AUTH0_DOMAIN in the environment.")
    return given


def _audience(audience: str) -> str:
    if audience is _LEFT_OUT:
        audience = os.environ.get("AUTH0_AUDIENCE", "")
        if not audience:
            raise ValueError("audience is required. Give 'audience', or set AUTH0_AUDIENCE in the environment.")
    if not audience or not str(audience).strip():
        raise ValueError("audience is required.")
    return audience
