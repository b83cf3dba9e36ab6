"""`Auth0FastAPI`, and the dependency that it gives."""

import copy
import inspect
import os
from collections.abc import Sequence
from typing import Any, Callable, Literal, Optional, Union, cast

from fastapi import Request, Response, Security
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.client import ApiClient, ApiClientOptions
from bearward.errors import BaseAuthError, ConfigurationError
from bearward.fastapi.answer import defect, http_exception, log_refusal
from bearward.fastapi.openapi import LoginScheme, login_scheme_of, scheme_of
from bearward.fastapi.url import PublicUrls
from bearward.replay import ReplayStore
from bearward.scopes import scope_names, validate_scopes
from bearward.types import DomainsResolver

# Tells an argument left out, which the environment may give, from one that is empty by mistake.
_LEFT_OUT: Any = object()

# Of an ASGI scope: what the last guard has found out about the request.
_VERIFIED = "bearward.verified"


class Auth0FastAPI:
    """Guards the routes of a FastAPI app with the access tokens of one tenant, for one API.

    `domain` and `audience` come from the environment variables AUTH0_DOMAIN and AUTH0_AUDIENCE where they are left out.

    Args:
        domain: The tenant's domain, `tenant.auth0.com`.
        audience: The API's identifier; a token's `aud` must be it, or hold it, exactly.
        domains: Several domains of one tenant, instead of `domain`; or a resolver, a function that gives them.
        client_id: Who asks for tokens for other services, with the methods of `api_client`. Needs `domain`.
        client_secret: Its secret.
        custom_fetch: `async def (url) -> response or dict`, used instead of httpx for discovery and keys.
        dpop_enabled: Accept DPoP besides Bearer. Without, a token that is bound to a key is taken as Bearer, too.
        dpop_required: Refuse Bearer.
        dpop_iat_leeway: How far in the future a proof's `iat` may lie; seconds.
        dpop_iat_offset: How far in the past a proof's `iat` may lie; seconds.
        cache_adapter: Where discovery documents and key sets are kept besides: sync, or async such as `RedisCache`.
        cache_ttl_seconds: How long they are used as fresh, at most; seconds.
        cache_max_entries: Of so many issuers they are kept, at least 2. Ignored with `cache_adapter`.
        algorithms: Signature algorithms that are accepted.
        leeway: How far `exp` and `nbf` may be missed, for clocks that disagree; seconds.
        rfc_status_codes: Answer missing credentials and bad proofs 401, as RFC 6750 section 3 and RFC 9449
            section 7.1 say, instead of 400.
        fetch_timeout: Total time that fetching one document may take; seconds.
        resolver_timeout: How long a resolver may take to answer; seconds.
        resolver_ttl_seconds: How long a resolver's answer is remembered for the same issuer, scheme and host; see
            `ApiClientOptions` before you set it.
        dpop_algorithms: Signature algorithms that are accepted for proofs: ES256, ES384, RS256, PS256, EdDSA.
        dpop_replay: Who remembers used proofs: `True`, this process; a `ReplayStore`, such as `RedisReplayStore`, for
            several workers or hosts; `False`, nobody.
        on_store_error: `"refuse"` (503) or `"allow"` proofs while the `ReplayStore` fails.
        store_timeout: How long the `ReplayStore` may take to answer before that counts as a failure; seconds.
        dpop_nonce: Want a nonce of ours in each proof. RFC 9449 section 9.
        dpop_nonce_key: 32 secret bytes that all workers share; random for this process if left out.
        dpop_nonce_lifetime: How long a nonce is taken; seconds.
        public_origin: Scheme and host that clients use, `https://api.example.com`: no header can change them then.
            Recommended where DPoP is used. Behind a proxy that strips a path prefix, the app needs its `root_path`.
        trusted_hops: With `app.state.trust_proxy = True`: how many proxies in front of the app append to
            `X-Forwarded-Host` and the like. What stands further left in these, a client may have written.
        timeout: How long a call for a token for another service may take altogether; seconds.
        client_assertion_key: Instead of `client_secret`: the client's RSA private key, PEM (`private_key_jwt`).
        client_assertion_algorithm: What that key signs with: RS256, RS384 or PS256.
        token_cache: Remember tokens for other services; see `ApiClientOptions`.

    Which URL a client used, which is what a DPoP proof is compared with: `public_origin` if given; or else, with
    `app.state.trust_proxy = True`, what the proxies say; or else the Host field and the connection. `trust_proxy` is
    the state's of the app that has the route: a mounted sub-application has its own.

    Raises:
        ValueError: no `audience`.
        ConfigurationError: another argument can't be used.
    """

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
        algorithms: Sequence[str] = ("RS256",),
        leeway: Union[int, float] = 0,
        rfc_status_codes: bool = False,
        dpop_algorithms: Sequence[str] = ("ES256",),
        dpop_replay: Union[bool, ReplayStore] = True,
        on_store_error: Literal["refuse", "allow"] = "refuse",
        store_timeout: float = 1.0,
        dpop_nonce: bool = False,
        dpop_nonce_key: Optional[bytes] = None,
        dpop_nonce_lifetime: Union[int, float] = 300,
        public_origin: Optional[str] = None,
        trusted_hops: int = 1,
        fetch_timeout: float = 5.0,
        resolver_timeout: float = 5.0,
        resolver_ttl_seconds: Union[int, float] = 0,
        timeout: float = 10.0,
        client_assertion_key: Optional[Union[str, bytes]] = None,
        client_assertion_algorithm: Literal["RS256", "RS384", "PS256"] = "RS256",
        token_cache: bool = False,
    ) -> None:
        self.api_client = ApiClient(
            ApiClientOptions(
                # First, as in the SDK that this replaces: of two that are missing, this one is told.
                audience=_audience(audience),
                domain=_domain(domain, domains),
                domains=domains,
                custom_fetch=custom_fetch,
                cache_adapter=cache_adapter,
                cache_ttl_seconds=cache_ttl_seconds,
                cache_max_entries=cache_max_entries,
                dpop_enabled=dpop_enabled,
                dpop_required=dpop_required,
                dpop_iat_leeway=dpop_iat_leeway,
                dpop_iat_offset=dpop_iat_offset,
                client_id=client_id,
                client_secret=client_secret,
                algorithms=algorithms,
                leeway=leeway,
                rfc_status_codes=rfc_status_codes,
                dpop_algorithms=dpop_algorithms,
                dpop_replay=dpop_replay,
                on_store_error=on_store_error,
                store_timeout=store_timeout,
                dpop_nonce=dpop_nonce,
                dpop_nonce_key=dpop_nonce_key,
                dpop_nonce_lifetime=dpop_nonce_lifetime,
                fetch_timeout=fetch_timeout,
                resolver_timeout=resolver_timeout,
                resolver_ttl_seconds=resolver_ttl_seconds,
                timeout=timeout,
                client_assertion_key=client_assertion_key,
                client_assertion_algorithm=client_assertion_algorithm,
                token_cache=token_cache,
            )
        )
        self._urls = PublicUrls(public_origin, trusted_hops)
        self._fresh_nonce = self.api_client.fresh_nonce if dpop_nonce else None
        self._login = login_scheme_of(self.api_client.options)
        self._insufficient_scope = self.api_client.insufficient_scope
        self._guards: dict[tuple[str, ...], RequireAuth] = {}

    def require_auth(self, scopes: Optional[Union[str, Sequence[str]]] = None) -> "RequireAuth":
        """A dependency that lets a request through with a good access token, and gives the token's claims.

        Equal arguments give the same object: FastAPI then verifies once per request, however many of an app, a router
        and a route name it, and `app.dependency_overrides` can be keyed by a fresh call.

        Args:
            scopes: Scopes that the token must hold, all of them: a string, separated by spaces, or a list.

        Raises:
            ConfigurationError: `scopes` holds something else than names of scopes.
        """
        required = scope_names(scopes)
        guard = self._guards.get(required)
        if guard is None:
            # `setdefault`: of two threads that come here at once, both get the one guard that stays.
            guard = self._guards.setdefault(required, RequireAuth(self, required, self._login))
        return guard


class RequireAuth(SecurityBase):
    """The dependency that `Auth0FastAPI.require_auth` gives.

    Answers a refused request itself, with an `HTTPException`. Scopes that `fastapi.Security(...)` names on the way
    to it are required in addition to its own.
    """

    def __init__(self, auth0: Auth0FastAPI, scopes: tuple[str, ...], login: Optional[LoginScheme]) -> None:
        self.scheme_name, self.model = scheme_of(auth0.api_client.options)
        self.scopes = scopes
        self._auth0 = auth0
        if login is not None:
            login.name_scopes(scopes)
        self.__signature__ = _signature(login, scopes, nonces=auth0._fresh_nonce is not None)

    async def __call__(
        self,
        request: Request,
        security_scopes: Optional[SecurityScopes] = None,
        login: None = None,
        response: Optional[Response] = None,
    ) -> dict[str, Any]:
        """The verified claims, as a dict of the caller's own.

        Raises:
            HTTPException: 400, 401, 403, 500 or 503, as the error that stands behind it says.
        """
        # The answer is raised outside of `except`: so it carries no reference to frames that hold the token.
        try:
            claims = await self._claims(request)
            if response is not None:
                self._renew_nonce(request, response)
            required = self.scopes
            if security_scopes is not None and security_scopes.scopes:
                required = (*required, *security_scopes.scopes)
            if not required or validate_scopes(claims, required):
                return claims
            refusal = self._auth0._insufficient_scope(required, request.headers.get("authorization"))
        except BaseAuthError as error:
            refusal = error
        except Exception as error:  # noqa: BLE001 - a defect, here or in the deployer's code: 500, told in the log
            refusal = defect(error, _credentials(request))
        log_refusal(refusal)
        raise http_exception(
            refusal.get_status_code(), refusal.get_error_code(), refusal.get_error_description(), refusal.get_headers()
        )

    async def _claims(self, request: Request) -> dict[str, Any]:
        """Verified claims. A proof is good once, and a request may pass several guards: the first one uses it up."""
        auth0, kept = self._auth0, request.scope.get(_VERIFIED)
        if kept is not None and kept[:2] == (auth0, _credentials(request)):
            return copy.deepcopy(cast("dict[str, Any]", kept[2]))
        # Looked up at every request: users' tests replace it.
        claims = await auth0.api_client.verify_request(
            headers=request.headers, http_method=request.method, http_url=auth0._urls.of(request)
        )
        # Only a token that is bound to a key came with a proof.
        if "cnf" in claims:
            request.scope[_VERIFIED] = (auth0, _credentials(request), copy.deepcopy(claims))
        return claims

    def _renew_nonce(self, request: Request, response: Response) -> None:
        """RFC 9449 section 8.2. Lost where the route answers with a `Response` of its own: the client is then asked."""
        fresh = self._auth0._fresh_nonce
        nonce = None if fresh is None else fresh(request.headers)
        if nonce is not None:
            response.headers["DPoP-Nonce"] = nonce


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
    if not audience:
        raise ValueError("audience is required.")
    return audience


def _signature(login: Optional[LoginScheme], scopes: tuple[str, ...], *, nonces: bool) -> inspect.Signature:
    """What FastAPI takes for the signature of `__call__`: with the scheme to list, which only an instance knows.

    The response is asked for only by who may have something to write into it.
    """
    kind = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("request", kind, annotation=Request),
        inspect.Parameter("security_scopes", kind, annotation=SecurityScopes),
    ]
    if login is not None:
        security = Security(login, scopes=list(scopes))
        parameters.append(inspect.Parameter("login", kind, annotation=Any, default=security))
    if nonces:
        parameters.append(inspect.Parameter("response", kind, annotation=Response))
    return inspect.Signature(parameters)


def _credentials(request: Request) -> tuple[list[str], list[str]]:
    return request.headers.getlist("authorization"), request.headers.getlist("dpop")
