"""The dependency that a route is guarded with, and the errors for those that are written wrongly."""

import functools
import inspect
import time
from typing import Annotated, Any, Callable, Generic, NamedTuple, Optional, Protocol, TypeVar, cast

from fastapi import Response, params
from fastapi.requests import HTTPConnection
from fastapi.security import SecurityScopes
from starlette.datastructures import Headers

from bearward import _native
from bearward._asgi.admission import begin, conclude
from bearward._asgi.certificate import Shown
from bearward._asgi.decisions import Decision, Observers
from bearward._asgi.defect import defect
from bearward._asgi.memory import Asked, LetIn
from bearward._asgi.refusal_log import RefusalLog, credentials_of, scheme_of
from bearward._asgi.subprotocol import RawFields, presented
from bearward._asgi.url import PublicUrls
from bearward._native import has_credentials
from bearward.client import ApiClient, Waited, is_settled
from bearward.errors import BaseAuthError, ConfigurationError
from bearward.fastapi.misplaced import refuse_in_types
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

    async def __call__(
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
        fields = presented(request, owner._subprotocol)
        if self._demand.optional and not has_credentials(fields):
            return cast("_Claims", None)
        watch = _Watch() if owner._observers else None
        let_in: Optional[LetIn] = None
        # The answer is raised outside of `except`: so it carries no reference to frames that hold the token.
        try:
            asked = self._asked(request, security_scopes, fields)
            step = begin(request, asked)
            if step is not None and is_settled(step):
                let_in, unmet = step, step.unmet
            else:
                waited = Waited() if watch is None else watch.waited
                let_in, unmet = await conclude(step, request, asked, owner._urls.of(request), waited)
            nonce = let_in.dpop_nonce
            if nonce is not None and response is not None:
                # RFC 9449 section 8.2. Lost where the route answers with a `Response` of its own: the client is then
                # asked for a nonce.
                response.headers["DPoP-Nonce"] = nonce
            claims = let_in.claims()
            refusal = self._refusal(claims, asked, unmet)
            if refusal is None:
                made = claims if self._convert is None else self._convert(claims)
                accept_with(request, owner._subprotocol)
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

    def _tell(self, code: Optional[str], fields: RawFields, let_in: Optional[LetIn], watch: "_Watch") -> None:
        issuer = None if let_in is None else let_in.issuer
        seconds = time.monotonic() - watch.begun
        decision = Decision(code, scheme_of(Headers(raw=fields)), issuer, seconds, watch.waited.seconds)
        self._auth0._observers.tell(decision)

    def _asked(self, request: HTTPConnection, security_scopes: SecurityScopes, fields: RawFields) -> Asked:
        owner, more = self._auth0, security_scopes.scopes
        client = owner.api_client
        requirement, guidance = self._with(tuple(more)) if more else self._wanted
        return Asked(client, fields, owner._subprotocol, Shown.by(request, client.options), guidance, requirement)

    def _with(self, more: tuple[str, ...]) -> "_Wanted":
        wanted = self._with_scopes.get(more)
        if wanted is None:
            own = self._demand.requirement
            requirement = own.with_scopes(more) if more else own
            # A challenge for a missing token names the scopes that it needs.
            guidance = self._auth0.api_client.guidance(requirement.scopes)
            wanted = self._with_scopes[more] = _Wanted(requirement, guidance)
        return wanted

    def _refusal(self, claims: dict[str, Any], asked: Asked, unmet: Optional[BaseAuthError]) -> Optional[BaseAuthError]:
        """Why the requirement is not met. `unmet`: what the engine says."""
        refused = None if asked.requirement is None else asked.requirement.refused_by_function(claims)
        if refused is None:
            return unmet
        return asked.api_client._engine.unfit(refused, _authorization(asked.fields), asked.guidance)


class _Wanted(NamedTuple):
    """What a token must meet, and what the challenge says if there is none that does."""

    requirement: Requirement
    guidance: Optional[_native.Guidance]


class _Watch:
    """How long a decision takes."""

    def __init__(self) -> None:
        self.begun = time.monotonic()
        self.waited = Waited()


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
        return self._method if owner is None else _CallForgotten(self._method, owner)


class _CallForgotten(params.Depends):
    """A method of an object that says where its call is missing.

    FastAPI takes it for a dependency, and asks for its `dependency`. So `Annotated[dict, auth0.require_auth]`,
    `claims: dict = auth0.require_auth` and `dependencies=[auth0.require_auth]` are errors when the route is made.
    """

    def __init__(self, method: Callable[..., Any], owner: Any) -> None:
        functools.update_wrapper(self, method)
        self._method, self._owner = method, owner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
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
        if not isinstance(other, _CallForgotten):
            return NotImplemented
        return self._owner is other._owner and self._method is other._method

    def __hash__(self) -> int:
        return hash((id(self._owner), self._method))

    def __repr__(self) -> str:
        return f"<bound method {self._method.__qualname__}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self._owner, self._method.__name__)


refuse_in_types(RequireAuth, _CallForgotten)
