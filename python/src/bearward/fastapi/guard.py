"""`Guard` and `Auth0FastAPI`: the guard of an app."""

import contextlib
import inspect
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Literal, Optional, TypeVar, Union, overload

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from starlette.applications import Starlette

from bearward._asgi.decisions import Decision, Observers
from bearward._asgi.metadata import origin_for
from bearward._asgi.refusal_log import RefusalLog
from bearward._asgi.subprotocol import check_subprotocol
from bearward._asgi.url import PublicUrls
from bearward._client.state_of_client import Status
from bearward._driver.declared import spells_out
from bearward.cache import AsyncCacheAdapter, CacheAdapter
from bearward.client import ApiClient, ApiClientOptions
from bearward.errors import ConfigurationError
from bearward.fastapi.environment import LEFT_OUT, auth0_audience, auth0_domain, bearward_setting
from bearward.fastapi.misplaced import refuse_in_types
from bearward.fastapi.openapi import ShownApi
from bearward.fastapi.published import Published
from bearward.fastapi.require_auth import CallForgotten, Demand, RequireAuth, must_be_called
from bearward.requirement import Names, Requirement
from bearward.types import DomainsResolver

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from bearward.options import GuardOptions, KeywordOptions
    from bearward.requirement import Requirements

# What `Guard._build` makes.
_BUILT = frozenset(("_urls", "_shown", "_refusals", "_observers", "_guards", "_passing", "_published"))

# What `verify` requires may come from a request: then strangers decide how many guards it makes.
_PASSING_GUARDS = 100

# Methods that would leave a route open where their call is forgotten.
_MUST_BE_CALLED = ("require_auth", "verify")

_Model = TypeVar("_Model")
_Guard = TypeVar("_Guard", bound="Guard")


class Guard:
    """Guards the routes of a FastAPI app with the access tokens of one OpenID issuer or several, for one API.

    `issuer` and `audience` come from the environment variables BEARWARD_ISSUER and BEARWARD_AUDIENCE where they are
    left out. Missing credentials and bad proofs are answered with 401 (RFC 6750 section 3.1, RFC 9449 section 7.1).

    All options of `ApiClientOptions`, which says what each does, and:

    Args:
        public_origin: Scheme and host that clients use, `https://api.example.com`. No header can change them then.
            Recommended where DPoP is used. Behind a proxy that strips a path prefix, the app needs its `root_path`.
        trusted_hops: With `app.state.trust_proxy = True`: how many proxies in front of the app append to
            `X-Forwarded-Host` and the like. Entries further left may come from a client.
        websocket_subprotocol: A name, such as `"bearer"`: a WebSocket may then have its token behind this name in
            `Sec-WebSocket-Protocol`, since browsers can't set Authorization there:
            `new WebSocket(url, ["bearer", token])`.
        on_decision: A function that is called with each `Decision` of a guard, for metrics and audit logs. It must not
            wait. If it raises, the request goes on.
        scope_descriptions: What each scope is for, as `/docs` shows it: `{"read:messages": "Read your messages"}`.

    A DPoP proof is compared with the URL that the client used. That is `public_origin` if it is given; or else, with
    `app.state.trust_proxy = True`, what the proxies say; or else the Host field and the connection. `trust_proxy` is
    read from the app that has the route: a mounted sub-application has its own.

    Raises:
        ConfigurationError: an argument is missing or can't be used.
    """

    def __init__(
        self,
        issuer: Union[str, Sequence[str]] = LEFT_OUT,
        audience: Optional[Union[str, Sequence[str]]] = LEFT_OUT,
        *,
        rfc_status_codes: bool = True,
        public_origin: Optional[str] = None,
        trusted_hops: int = 1,
        websocket_subprotocol: Optional[str] = None,
        on_decision: Optional[Callable[[Decision], Any]] = None,
        scope_descriptions: Optional[Mapping[str, str]] = None,
        **more: "Unpack[GuardOptions]",
    ) -> None:
        options = ApiClientOptions(rfc_status_codes=rfc_status_codes, **more)
        if options.domains is None or issuer is not LEFT_OUT:
            options.issuer = bearward_setting("issuer", issuer)
        options.audience = bearward_setting("audience", audience)
        client = ApiClient(options)
        self._begin(client, public_origin, trusted_hops, websocket_subprotocol, on_decision, scope_descriptions)

    @classmethod
    def from_client(
        cls: type[_Guard],
        api_client: ApiClient,
        *,
        public_origin: Optional[str] = None,
        trusted_hops: int = 1,
        websocket_subprotocol: Optional[str] = None,
        on_decision: Optional[Callable[[Decision], Any]] = None,
        scope_descriptions: Optional[Mapping[str, str]] = None,
    ) -> _Guard:
        """A guard that verifies with an `ApiClient` that exists, with its options and the documents it has fetched.

        Args:
            api_client: Used as it is. Several guards may share it.
            public_origin: See `Auth0FastAPI`.
            trusted_hops: See `Auth0FastAPI`.
            websocket_subprotocol: See `Auth0FastAPI`.
            on_decision: See `Auth0FastAPI`.
            scope_descriptions: See `Auth0FastAPI`.

        Raises:
            ConfigurationError: an argument can't be used.
        """
        auth0 = cls.__new__(cls)
        auth0._begin(api_client, public_origin, trusted_hops, websocket_subprotocol, on_decision, scope_descriptions)
        return auth0

    def _begin(
        self,
        api_client: ApiClient,
        public_origin: Optional[str],
        trusted_hops: int,
        subprotocol: Optional[str],
        on_decision: Optional[Callable[[Decision], Any]],
        scope_descriptions: Optional[Mapping[str, str]],
    ) -> None:
        check_subprotocol(subprotocol)
        self._on_decision = on_decision
        self._scope_descriptions = dict(scope_descriptions or {})
        self.api_client = api_client
        self._subprotocol = subprotocol
        self._public_origin, self._trusted_hops = public_origin, trusted_hops
        self._build()

    def _build(self) -> None:
        """Make everything that depends on the client and the options."""
        api_client = self.api_client
        resource = api_client.options.resource
        origin = origin_for(self._public_origin, None if resource is None else resource.origin)
        self._urls = PublicUrls(origin, self._trusted_hops)
        self._shown = ShownApi(api_client.options, self._scope_descriptions)
        self._refusals = RefusalLog()
        self._observers = Observers(self._on_decision)
        self._guards: dict[Demand, RequireAuth[Any]] = {}
        self._passing: dict[Demand, RequireAuth[Any]] = {}
        self._published = Published(resource, api_client)

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in _MUST_BE_CALLED:
            own = cls.__dict__.get(name)
            if inspect.isfunction(own):
                setattr(cls, name, must_be_called(own))

    # A copy, also one in another process, has its own client and its own guards.

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _BUILT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    @overload
    def require_auth(
        self,
        scopes: Names = ...,
        *,
        optional: Literal[False] = ...,
        model: None = ...,
        **more: "Unpack[Requirements]",
    ) -> RequireAuth[dict[str, Any]]: ...
    @overload
    def require_auth(
        self,
        scopes: Names = ...,
        *,
        optional: Literal[True],
        model: None = ...,
        **more: "Unpack[Requirements]",
    ) -> RequireAuth[Optional[dict[str, Any]]]: ...
    @overload
    def require_auth(
        self,
        scopes: Names = ...,
        *,
        optional: Literal[False] = ...,
        model: type[_Model],
        **more: "Unpack[Requirements]",
    ) -> RequireAuth[_Model]: ...
    @overload
    def require_auth(
        self,
        scopes: Names = ...,
        *,
        optional: Literal[True],
        model: type[_Model],
        **more: "Unpack[Requirements]",
    ) -> RequireAuth[Optional[_Model]]: ...
    @must_be_called
    def require_auth(
        self,
        scopes: Names = None,
        *,
        any_scope: Names = None,
        permissions: Names = None,
        any_permission: Names = None,
        organization: Names = None,
        claims: Optional[Mapping[str, Any]] = None,
        acr: Names = None,
        max_age: Optional[int] = None,
        optional: bool = False,
        model: Optional[type[Any]] = None,
    ) -> RequireAuth[Any]:
        """A dependency that accepts requests with a valid access token, and returns the token's claims.

        For HTTP and WebSocket routes, routers and apps. Everything that is required must hold. Equal arguments give the
        same object. So FastAPI verifies only once per request if an app, a router and a route all have the guard, and a
        new call can be a key of `app.dependency_overrides`.

        Args:
            scopes: As of `Requirement`, as the other arguments are up to `max_age`.
            any_scope: At least one of these scopes.
            permissions: All of these permissions.
            any_permission: At least one of these permissions.
            organization: One of these organizations.
            claims: Claims with these values.
            acr: One of these authentication context classes.
            max_age: A login at most so many seconds ago.
            optional: Let requests without any credentials in, and return `None` for them. Credentials that are no good
                are refused all the same.
            model: What the claims are turned into: a pydantic model, a dataclass, a `TypedDict`, a `msgspec.Struct`, or
                a class with a method `from_claims`. Claims that don't fit are refused.

        Raises:
            ConfigurationError: an argument can't be used.
        """
        requirement = Requirement(
            scopes,
            any_scope=any_scope,
            permissions=permissions,
            any_permission=any_permission,
            organization=organization,
            claims=claims,
            acr=acr,
            max_age=max_age,
        )
        return self._guard(Demand(requirement, optional is True, model))

    def _guard(self, demand: Demand) -> RequireAuth[Any]:
        guard = self._guards.get(demand)
        if guard is None:
            # `setdefault`: two threads that come here at once get the same guard.
            guard = self._guards.setdefault(demand, RequireAuth(self, demand))
        return guard

    def _passing_guard(self, demand: Demand) -> RequireAuth[Any]:
        """The guard for one call of `verify`. A bounded number of them is kept, for calls that demand the same."""
        guard = self._guards.get(demand) or self._passing.get(demand)
        if guard is None:
            if len(self._passing) >= _PASSING_GUARDS:
                self._passing.clear()
            guard = self._passing[demand] = RequireAuth(self, demand)
        return guard

    @overload
    async def verify(
        self,
        connection: HTTPConnection,
        scopes: Names = ...,
        *,
        optional: Literal[False] = ...,
        model: None = ...,
        **more: "Unpack[Requirements]",
    ) -> dict[str, Any]: ...
    @overload
    async def verify(
        self,
        connection: HTTPConnection,
        scopes: Names = ...,
        *,
        optional: Literal[True],
        model: None = ...,
        **more: "Unpack[Requirements]",
    ) -> Optional[dict[str, Any]]: ...
    @overload
    async def verify(
        self,
        connection: HTTPConnection,
        scopes: Names = ...,
        *,
        optional: Literal[False] = ...,
        model: type[_Model],
        **more: "Unpack[Requirements]",
    ) -> _Model: ...
    @overload
    async def verify(
        self,
        connection: HTTPConnection,
        scopes: Names = ...,
        *,
        optional: Literal[True],
        model: type[_Model],
        **more: "Unpack[Requirements]",
    ) -> Optional[_Model]: ...
    @must_be_called
    async def verify(
        self,
        connection: HTTPConnection,
        scopes: Names = None,
        *,
        any_scope: Names = None,
        permissions: Names = None,
        any_permission: Names = None,
        organization: Names = None,
        claims: Optional[Mapping[str, Any]] = None,
        acr: Names = None,
        max_age: Optional[int] = None,
        optional: bool = False,
        model: Optional[type[Any]] = None,
    ) -> Any:
        """The claims of a request, for code that isn't called by FastAPI: middleware, endpoints of Starlette.

        The same check as `require_auth`, with the same answers. A guard that comes later in the same request knows the
        result, so a DPoP proof may pass both.

        Args:
            connection: The `Request`, or a `WebSocket` that is not accepted yet.
            scopes: As of `require_auth`, as all other arguments.
            any_scope: At least one of these scopes.
            permissions: All of these permissions.
            any_permission: At least one of these permissions.
            organization: One of these organizations.
            claims: Claims with these values.
            acr: One of these authentication context classes.
            max_age: A login at most so many seconds ago.
            optional: Return `None` for requests without any credentials.
            model: What the claims are turned into.

        Raises:
            AuthHTTPException: the request is refused. Middleware returns its `response()`.
            WebSocketException: a WebSocket is refused, and the server can't send an HTTP response to it.
        """
        requirement = Requirement(
            scopes,
            any_scope=any_scope,
            permissions=permissions,
            any_permission=any_permission,
            organization=organization,
            claims=claims,
            acr=acr,
            max_age=max_age,
        )
        return await self._passing_guard(Demand(requirement, optional is True, model))(connection)

    @property
    def responses(self) -> dict[Union[int, str], dict[str, Any]]:
        """What guards answer to requests that they don't let in, for `APIRouter(responses=auth0.responses)`."""
        # Here, because its models take a while to make, and only apps that show these answers need them.
        from bearward.fastapi.responses import responses

        return responses(self.api_client.options.rfc_status_codes)

    def swagger_ui(self, client_id: str, scopes: Names = None) -> dict[str, Any]:
        """For `FastAPI(swagger_ui_init_oauth=auth0.swagger_ui(client_id))`: the Authorize button of `/docs` logs in.

        By authorization code with PKCE (RFC 7636), as a public client. There is no secret: anybody can read the page.

        Args:
            client_id: An application of the issuer for single-page apps, which may redirect to `/docs/oauth2-redirect`
                of this app.
            scopes: Those that are asked for from the start. With `issuer`, the page shows only the scopes that the
                issuer's discovery document lists, for users to tick: name here the others that they need.

        Raises:
            ConfigurationError: only a resolver knows the issuers, so there is no one place to log in. Or an argument
                can't be used.
        """
        return self._shown.swagger_ui(client_id, scopes)

    def publish(self, app: FastAPI) -> None:
        """Serve the metadata document of the resource in the options, at both of its paths. RFC 9728 section 3.1.

        `lifespan` does it, too. An app that does neither is warned in the log when a challenge names the document.

        Args:
            app: The outermost app. The paths lie at the root of the server, so an app inside a mount can't serve them.

        Raises:
            ConfigurationError: there is no resource in the options.
        """
        if self.api_client.options.resource is None:
            raise ConfigurationError("There is no resource: give 'resource'.")
        self._published.by(app)

    async def warm(self) -> bool:
        """Fetch the documents of all configured issuers. See `ApiClient.warm`."""
        return await self.api_client.warm()

    def ready(self) -> bool:
        """Whether tokens of every configured issuer can be judged now. See `ApiClient.ready`."""
        return self.api_client.ready()

    def status(self) -> Status:
        """The state of the issuers' documents and of the shared replay store. See `ApiClient.status`."""
        return self.api_client.status()

    @contextlib.asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """For `FastAPI(lifespan=auth0.lifespan)`: `publish` if there is a resource, and `warm`, when the app starts.

        An outage of the issuer doesn't keep the app from starting. A lifespan of your own can begin with
        `async with auth0.lifespan(app):`.
        """
        if isinstance(app, Starlette):
            self._published.by(app)
        await self.warm()
        yield


class Auth0FastAPI(Guard):
    """Guards the routes of a FastAPI app with the access tokens of one tenant, for one API.

    `domain` and `audience` come from the environment variables AUTH0_DOMAIN and AUTH0_AUDIENCE where they are left out.

    All options of `ApiClientOptions`, which says what each does, and:

    Args:
        public_origin: Scheme and host that clients use, `https://api.example.com`. No header can change them then.
            Recommended where DPoP is used. Behind a proxy that strips a path prefix, the app needs its `root_path`.
        trusted_hops: With `app.state.trust_proxy = True`: how many proxies in front of the app append to
            `X-Forwarded-Host` and the like. Entries further left may come from a client.
        websocket_subprotocol: A name, such as `"bearer"`: a WebSocket may then have its token behind this name in
            `Sec-WebSocket-Protocol`, since browsers can't set Authorization there:
            `new WebSocket(url, ["bearer", token])`.
        on_decision: A function that is called with each `Decision` of a guard, for metrics and audit logs. It must not
            wait. If it raises, the request goes on.
        scope_descriptions: What each scope is for, as `/docs` shows it: `{"read:messages": "Read your messages"}`.

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
        domain: Optional[str] = LEFT_OUT,
        audience: Optional[Union[str, Sequence[str]]] = LEFT_OUT,
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
        websocket_subprotocol: Optional[str] = None,
        on_decision: Optional[Callable[[Decision], Any]] = None,
        scope_descriptions: Optional[Mapping[str, str]] = None,
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
        options.audience = auth0_audience(audience, options.client_ids)
        options.domain = auth0_domain(domain, domains, options.issuer)
        client = ApiClient(options)
        self._begin(client, public_origin, trusted_hops, websocket_subprotocol, on_decision, scope_descriptions)


refuse_in_types(RequireAuth, CallForgotten, Guard)
