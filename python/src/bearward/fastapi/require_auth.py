"""The dependency that a route is guarded with, and the errors for those that are written wrongly."""

import functools
import inspect
from collections.abc import Coroutine
from typing import Annotated, Any, Callable, Generic, NamedTuple, Optional, Protocol, TypeVar, cast

from fastapi import Response, params
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from starlette.datastructures import Headers

from bearward import _native
from bearward._asgi.admission import Step, begin, begin_plain, conclude
from bearward._asgi.certificate import NOTHING_SHOWN, Shown
from bearward._asgi.decisions import Observers, Watch
from bearward._asgi.defect import defect
from bearward._asgi.memory import Asked, LetIn
from bearward._asgi.refusal_log import RefusalLog, credentials_of, scheme_of
from bearward._asgi.subprotocol import RawFields, presented
from bearward._asgi.url import PublicUrls
from bearward._native import Passed, has_credentials
from bearward.client import ApiClient, Waited, is_settled
from bearward.errors import BaseAuthError, ConfigurationError
from bearward.fastapi.model import Converter, UnfitClaimsError
from bearward.fastapi.openapi import ShownApi, ShownGuard
from bearward.fastapi.published import Published
from bearward.fastapi.websocket import accept_with, answer
from bearward.requirement import Requirement

# FastAPI gives both; code that calls a guard itself need not.
_NO_SCOPES = SecurityScopes()
_NO_RESPONSE: Any = None

_Claims = TypeVar("_Claims")


class Demand(NamedTuple):
    """What a guard demands of a request. Guards of equal demands are one object."""

    requirement: Requirement
    optional: bool
    model: Optional[type[Any]]


class Owner(Protocol):
    """The part of `Guard` that its guards use."""

    api_client: ApiClient
    _urls: PublicUrls
    _shown: ShownApi
    _refusals: RefusalLog
    _subprotocol: Optional[str]
    _observers: Observers
    _published: Published

    def _guard(self, demand: Demand) -> "RequireAuth[Any]": ...


class RequireAuth(params.Depends, ShownGuard, Generic[_Claims]):
    """The dependency that `Guard.require_auth` returns.

    It refuses requests with an `AuthHTTPException`. Scopes of a `fastapi.Security(..., scopes=[...])` that uses it are
    required in addition to its own.

    It is itself what `Depends` makes, with itself as the dependency. So a route where `Depends` was forgotten is
    guarded as well: `claims: Annotated[dict, auth0.require_auth()]`, `claims: dict = auth0.require_auth()`,
    `dependencies=[auth0.require_auth()]`. Otherwise FastAPI would take the claims from the body of the request.
    """

    def __init__(self, auth0: "Owner", demand: Demand) -> None:
        ShownGuard.__init__(self, auth0._shown, demand.requirement.scopes)
        self._auth0 = auth0
        self._demand = demand
        self._convert = None if demand.model is None else Converter(demand.model)
        # With the scopes of a `Security(...)` besides. An app has as many as it has routes.
        self._with_scopes: dict[tuple[str, ...], _Wanted] = {}
        self._wanted = self._with(())
        # Newer FastAPI declares `Depends` as a frozen dataclass.
        object.__setattr__(self, "dependency", self)
        object.__setattr__(self, "use_cache", True)
        # FastAPI awaits a dependency if its attribute `__call__` is async. A call itself uses the method of the class.
        object.__setattr__(self, "__call__", self._decide)

    # Those of `Depends` look at the dependency, which is this object again. FastAPI asks for the hash at each request.
    __eq__ = object.__eq__  # pyright: ignore[reportAssignmentType]
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"RequireAuth{self._demand!r}".replace("RequireAuthDemand", "RequireAuth")

    def __copy__(self) -> "RequireAuth[_Claims]":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy is the guard of its own `Auth0FastAPI`.
        return _guard_again, (self._auth0, self._demand)

    # A plain function: with what is no request it fails at the call itself. `@auth0.require_auth()` above a route would
    # otherwise make a coroutine that nobody awaits, and leave the route open.
    def __call__(
        self,
        request: HTTPConnection,
        security_scopes: SecurityScopes = _NO_SCOPES,
        response: Response = _NO_RESPONSE,
    ) -> Coroutine[Any, Any, _Claims]:
        """The verified claims. See `_decide`, which it calls."""
        # A test's stand-in for a request may be of any class.
        if not hasattr(request, "scope"):
            raise TypeError(
                "A guard is called with something that is no request. It is no decorator either. Write "
                "`dependencies=[Depends(auth0.require_auth())]` in the decorator of the route, as in `@app.get(...)`."
            )
        return self._decide(request, security_scopes, response)

    async def _decide(
        self,
        request: HTTPConnection,
        security_scopes: SecurityScopes = _NO_SCOPES,
        response: Response = _NO_RESPONSE,
    ) -> _Claims:
        """The verified claims, as a new dict, or as the type that the guard was made with.

        `None` without credentials, if the guard is optional.

        Args:
            request: The request, or a WebSocket that is not accepted yet.
            security_scopes: More scopes that are required.
            response: Where the header `DPoP-Nonce` of the answer goes.

        Raises:
            AuthHTTPException: 400, 401, 403, 500 or 503: see the classes in `bearward.errors`.
            WebSocketException: the same for a WebSocket, where the server can't send such an answer.
        """
        owner = self._auth0
        client, subprotocol = owner.api_client, owner._subprotocol
        fields: RawFields = request.scope["headers"]
        if subprotocol is not None or type(fields) is not list:
            fields = presented(request, subprotocol)
        if self._demand.optional and not has_credentials(fields):
            return cast("_Claims", None)
        watch = Watch() if owner._observers.functions else None
        let_in: Optional[LetIn] = None
        # The answer is raised outside of `except`: so it carries no reference to frames that hold the token.
        try:
            more = security_scopes.scopes
            wanted = self._with(tuple(more)) if more else self._wanted
            step: Step = None
            if not client.options.mtls:
                step = begin_plain(request, client, fields, subprotocol, wanted.guidance, wanted.native)
            if type(step) is not Passed or (claims := step.claims_if_all()) is None:
                asked = self._asked(request, wanted, fields)
                let_in, unmet = await self._let_in(step, request, asked, watch)
                _add_nonce(let_in.dpop_nonce, response)
                claims = let_in.claims()
            else:
                let_in, unmet = step, None
            refusal = self._refusal(claims, wanted, unmet, fields) if wanted.has_tests else unmet
            if refusal is None:
                made = claims if self._convert is None else self._convert(claims)
                if subprotocol is not None:
                    accept_with(request, subprotocol)
                if watch is not None:
                    self._tell(None, fields, let_in, watch)
                return cast("_Claims", made)
        except ConfigurationError as error:
            # It is for the deployer: the client reads a fixed text.
            refusal = defect(error, credentials_of(request))
        except BaseAuthError as error:
            refusal = error
        except UnfitClaimsError as error:
            refusal = owner.api_client.unfit(str(error), _authorization(fields))
        except Exception as error:  # noqa: BLE001 - a defect, here or in the deployer's code: 500, and logged
            refusal = defect(error, credentials_of(request))
        owner._published.check(request)
        owner._refusals.refused(refusal, request, None if let_in is None else let_in.issuer)
        if watch is not None:
            self._tell(refusal.code, fields, let_in, watch)
        raise answer(refusal, request, None if let_in is None else let_in.dpop_nonce)

    def _tell(self, code: Optional[str], fields: RawFields, let_in: Optional[LetIn], watch: Watch) -> None:
        issuer = None if let_in is None else let_in.issuer
        self._auth0._observers.tell(watch.decision(code, scheme_of(Headers(raw=fields)), issuer))

    async def _let_in(
        self, step: Step, request: HTTPConnection, asked: Asked, watch: Optional[Watch]
    ) -> tuple[LetIn, Optional[BaseAuthError]]:
        """What lets the request in, and why its token doesn't meet the requirement. `step`: what was said at once."""
        if step is None and asked.shown is not NOTHING_SHOWN:
            step = begin(request, asked)
        if step is not None and is_settled(step):
            return step, step.unmet
        waited = Waited() if watch is None else watch.waited
        return await conclude(step, request, asked, self._auth0._urls.of(request), waited)

    def _asked(self, request: HTTPConnection, wanted: "_Wanted", fields: RawFields) -> Asked:
        owner = self._auth0
        client = owner.api_client
        shown = Shown.by(request, client.options)
        return Asked(client, fields, owner._subprotocol, shown, wanted.guidance, wanted.requirement)

    def _with(self, more: tuple[str, ...]) -> "_Wanted":
        wanted = self._with_scopes.get(more)
        if wanted is None:
            own = self._demand.requirement
            requirement = own.with_scopes(more) if more else own
            # A challenge for a missing token names the scopes that it needs.
            guidance = self._auth0.api_client.guidance(requirement.scopes)
            wanted = self._with_scopes[more] = _Wanted(requirement, guidance)
        return wanted

    def _refusal(
        self, claims: dict[str, Any], wanted: "_Wanted", unmet: Optional[BaseAuthError], fields: RawFields
    ) -> Optional[BaseAuthError]:
        """Why the requirement is not met. `unmet`: what the engine says."""
        refused = wanted.requirement.refused_by_function(claims)
        if refused is None:
            return unmet
        return self._auth0.api_client._engine.unfit(refused, _authorization(fields), wanted.guidance)


class _Wanted:
    """What a token must meet, and what the challenge says if there is none that does."""

    __slots__ = ("guidance", "has_tests", "native", "requirement")

    def __init__(self, requirement: Requirement, guidance: Optional[_native.Guidance]) -> None:
        self.requirement = requirement
        self.guidance = guidance
        # What the engine checks of it, and whether there is more.
        self.native = requirement.native
        self.has_tests = requirement.has_tests


def _add_nonce(nonce: Optional[str], response: Optional[Response]) -> None:
    """RFC 9449 section 8.2.

    Lost where the route answers with a `Response` of its own: the client is then asked for a nonce.
    """
    if nonce is not None and response is not None:
        response.headers["DPoP-Nonce"] = nonce


def _authorization(fields: RawFields) -> Optional[str]:
    return Headers(raw=fields).get("authorization")


def _guard_again(auth0: "Owner", demand: Demand) -> RequireAuth[Any]:
    return auth0._guard(demand)


_F = TypeVar("_F", bound=Callable[..., Any])


def must_be_called(method: _F) -> _F:
    """Make a method that gives a guard an error wherever FastAPI meets it without its call.

    In `Depends(auth0.require_auth)`, FastAPI would take the method itself for the dependency, and leave the route open.
    """
    return cast("_F", _MustBeCalled(method))


class _MustBeCalled:
    """A method, as a descriptor."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, owner: Any, kind: Optional[type] = None) -> Any:
        return self._method if owner is None else CallForgotten(self._method, owner)


class CallForgotten(params.Depends):
    """A method of an object that says where its call is missing.

    FastAPI takes it for a dependency, and asks for its `dependency`. So `Annotated[dict, auth0.require_auth]`,
    `claims: dict = auth0.require_auth` and `dependencies=[auth0.require_auth]` are errors when the route is made.
    """

    def __init__(self, method: Callable[..., Any], owner: Any) -> None:
        functools.update_wrapper(self, method)
        self._method, self._owner = method, owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the method returns."""
        return self._method(self._owner, *args, **kwargs)

    @property
    def dependency(self) -> Any:  # type: ignore[override, unused-ignore]  # pyright: ignore[reportIncompatibleVariableOverride]
        """Raises.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"A route has `auth0.{self._method.__name__}` without its call. Write `Depends(auth0.require_auth())`, "
            "with parentheses: the call makes the dependency."
        )

    @property
    def __signature__(self) -> inspect.Signature:
        """The method's. FastAPI asks what each parameter means, so `Depends(auth0.require_auth)` is an error, too."""
        first, *others = list(inspect.signature(self._method).parameters.values())[1:]
        return inspect.Signature([first.replace(annotation=Annotated[first.annotation, self]), *others])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CallForgotten):
            return NotImplemented
        return self._owner is other._owner and self._method is other._method

    def __hash__(self) -> int:
        return hash((id(self._owner), self._method))

    def __repr__(self) -> str:
        return f"<bound method {self._method.__qualname__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, self._method.__name__)
