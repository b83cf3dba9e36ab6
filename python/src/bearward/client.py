"""Verification, and tokens for other services, without a framework."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, TypeVar, Union, cast

from bearward import _native
from bearward._client.engine import (
    engine_for,
    introspector_for,
    replay_store_for,
    resolver_for,
    shared_cache_for,
)
from bearward._client.issuers import configured_issuers
from bearward._client.judges_claims import JudgesClaims
from bearward._client.state_of_client import StateOfClient
from bearward._client.tokens_for_services import TokensForServices
from bearward._driver.background import BackgroundLoop
from bearward._driver.client_auth import authentication_for
from bearward._driver.decide import Driver, Verified
from bearward._driver.fetch import DocumentFetcher
from bearward._driver.log import Log
from bearward._driver.loops import PerLoop
from bearward.errors import (
    BaseAuthError,
    ConfigurationError,
    IssuerUnavailableError,
    MissingRequiredArgumentError,
)
from bearward.options import ApiClientOptions
from bearward.resource import ProtectedResource

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

    from bearward._driver.credentials import Fields

    _Step = Union[_native.Passed, _native.Decision]

__all__ = ["ApiClient", "ApiClientOptions", "Verified"]

_log = Log()

_NOT_BEHIND_PROXY = (
    "client_certificate_header is for requests that come through a proxy of yours: a client could write this header as "
    "well. Say that they do with `app.state.trust_proxy = True` in an app of FastAPI, with `trusted_hops` at a guard "
    "of an ASGI app or an MCP server, or with `behind_proxy=True` in a call of `verify_request`."
)

# What `ApiClient._build` makes.
_BUILT = frozenset(
    (
        "_engine",
        "_issuers",
        "_documents",
        "_exchanger",
        "_loops",
        "_driver",
        "_store",
        "_background",
        "_guidance",
        "_has_resolver",
        "_warns_of_bound_token",
    )
)

# What a result of the background loop may take longer than the time limits that are kept there.
_GRACE_SECONDS = 1.0


class RequestFacts(NamedTuple):
    """What is known of a request. See `ApiClient.verify_request`."""

    headers: Fields
    method: Optional[str] = None
    url: Optional[str] = None
    certificate: Optional[Union[str, bytes]] = None
    behind_proxy: bool = False


class ApiClient(JudgesClaims, TokensForServices, StateOfClient):
    """Verifies access tokens for one API. One instance serves any number of tasks, event loops and threads.

    Args:
        options: See `ApiClientOptions`.

    Raises:
        MissingRequiredArgumentError: `audience` is empty.
        ConfigurationError: another option can't be used.
    """

    def __init__(self, options: ApiClientOptions) -> None:
        self.options = options
        self._build()

    def _build(self) -> None:
        """Make everything that the options describe."""
        options = self.options
        self._engine = engine_for(options)
        # Those of a resolver are not known.
        self._issuers = configured_issuers(options) or []
        self._loops = loops = PerLoop(options.fetch_timeout, options.ca_file, options.http_client)
        self._documents = DocumentFetcher(
            self._engine.documents, loops, options.custom_fetch, options.fetch_timeout, shared_cache_for(options)
        )
        # Made when a token is asked for. Credentials that can't be used are an error now.
        self._exchanger = None
        authentication_for(options)
        resolver, timeout = resolver_for(options, loops), options.fetch_timeout
        self._has_resolver = resolver is not None
        if resolver is not None:
            timeout = max(timeout, options.resolver_timeout)
        self._store = replay_store_for(options)
        introspector = introspector_for(options, self._engine, loops)
        self._driver = Driver(self._documents, resolver, introspector, self._store, timeout)
        self._background = BackgroundLoop()
        self._guidance = self.guidance()
        # Logged only once.
        self._warns_of_bound_token = not options.dpop_enabled

    # A copy, also one in another process, is built from the options again: documents and used proofs stay behind.

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _BUILT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    async def verify_request(
        self,
        headers: Mapping[str, str],
        http_method: Optional[str] = None,
        http_url: Optional[str] = None,
        *,
        client_certificate: Optional[Union[str, bytes]] = None,
        behind_proxy: bool = False,
    ) -> dict[str, Any]:
        """The claims of the access token in a request, as a new dict.

        RFC 6750 section 2.1, RFC 9449 section 7.1. If everything about the request is good, its DPoP proof counts as
        used from now on. Not checked here: scopes, and whether the token was revoked.

        Args:
            headers: The request's headers, names in any case.
            http_method: The request's method. Only DPoP needs it.
            http_url: The URL that the client used, with the path exactly as it was sent. Only DPoP needs it.
            client_certificate: The certificate that the client showed in the TLS handshake, PEM or DER. With `mtls`.
            behind_proxy: Whether the request came through a proxy that writes `client_certificate_header` itself.
                Clients must not be able to reach this server in another way, or they could write any certificate there.

        Raises:
            ConfigurationError: `client_certificate_header` is set, and `behind_proxy` is not.
            MissingAuthorizationError: no usable credentials.
            MissingRequiredArgumentError: a request in the DPoP scheme, without `http_method` or `http_url`.
            InvalidAuthSchemeError: a scheme that is not accepted here, or credentials that contradict each other.
            VerifyAccessTokenError: the token is not acceptable.
            InvalidDpopProofError: the proof is not acceptable.
            UseDpopNonceError: the proof must contain the nonce of this answer.
            IssuerUnavailableError: the issuer can't be reached, so the token can't be judged now.
            ReplayCheckUnavailableError: it is not known now whether the proof was used before.
            DomainsResolverError: the domains resolver failed, or returned something that can't be used.
        """
        if client_certificate is None and not behind_proxy and not self._warns_of_bound_token and not self.options.mtls:
            # Nearly all requests end here, so it calls little.
            fields = headers if type(headers) is dict else _fields(headers)
            claims = self._engine.claims_of_request(fields, http_method, http_url, time.time(), self._guidance)
            if type(claims) is dict:
                return claims
            facts, step = RequestFacts(headers, http_method, http_url), cast("Optional[_Step]", claims)
            if step is None:
                raise _missing_target(facts)
            return (await self._conclude(step, facts)).claims()
        facts = RequestFacts(headers, http_method, http_url, client_certificate, behind_proxy)
        return (await self._passed(facts)).claims()

    async def verify(
        self,
        headers: Mapping[str, str],
        http_method: Optional[str] = None,
        http_url: Optional[str] = None,
        *,
        client_certificate: Optional[Union[str, bytes]] = None,
        behind_proxy: bool = False,
    ) -> Verified:
        """As `verify_request`, with what the answer to the request needs besides: see `Verified`."""
        facts = RequestFacts(headers, http_method, http_url, client_certificate, behind_proxy)
        return _shown(await self._passed(facts))

    async def _passed(self, facts: RequestFacts) -> _native.Passed:
        step = self._step(facts)
        return step if is_settled(step) else await self._conclude(step, facts)

    def _step(self, facts: RequestFacts) -> _Step:
        step = self._begin(facts, self._guidance)
        if step is None:
            raise _missing_target(facts)
        return step

    def _begin(
        self,
        facts: RequestFacts,
        guidance: Optional[_native.Guidance],
        requirement: Optional[_native.Requirement] = None,
    ) -> Optional[_Step]:
        """What comes of a request at once. `None`: method and URL count, and are not given.

        Args:
            facts: What is known of the request.
            guidance: What the challenge of a refusal says besides.
            requirement: What `Passed.unmet` is about.
        """
        headers, method, url, certificate, behind_proxy = facts
        if self.options.client_certificate_header is not None and not behind_proxy:
            raise ConfigurationError(_NOT_BEHIND_PROXY)
        step = self._engine.verify_request(
            _fields(headers), method, url, time.time(), guidance, certificate, behind_proxy, requirement
        )
        return self._noticed(step) if self._warns_of_bound_token else step

    def _begin_fields(
        self, fields: Fields, guidance: Optional[_native.Guidance], requirement: Optional[_native.Requirement]
    ) -> Optional[_Step]:
        """As `_begin`, for a request that shows no certificate, without method and URL."""
        step = self._engine.verify_fields(fields, time.time(), guidance, requirement)
        return self._noticed(step) if self._warns_of_bound_token else step

    def _noticed(self, step: Optional[_Step]) -> Optional[_Step]:
        if type(step) is _native.Passed:
            self._warn_of_bound_token(step)
        return step

    async def _conclude(self, step: _Step, facts: RequestFacts) -> _native.Passed:
        """What a request comes to in the end. The facts are for a resolver."""
        passed = await self._driver.conclude(step, facts.url, facts.headers)
        if self._warns_of_bound_token:
            self._warn_of_bound_token(passed)
        return passed

    def _warn_of_bound_token(self, passed: _native.Passed) -> None:
        if passed.is_bound:
            self._warns_of_bound_token = False
            _log.say(
                logging.WARNING, "a token that is bound to a DPoP key was accepted without a proof: DPoP is disabled"
            )

    def verify_request_sync(
        self,
        headers: Mapping[str, str],
        http_method: Optional[str] = None,
        http_url: Optional[str] = None,
        *,
        client_certificate: Optional[Union[str, bytes]] = None,
        behind_proxy: bool = False,
    ) -> dict[str, Any]:
        """As `verify_request`, for code that isn't async: Flask, Django and other WSGI apps.

        What has to be fetched is fetched by an event loop in a thread of this client, which serves all threads of the
        process. It starts when it is first needed, and again in a process that is forked later. If nothing has to be
        fetched, no other thread is involved. `custom_fetch`, async resolvers and stores are called in that thread.

        An error that is raised has no reference to the request.

        Args:
            headers: As of `verify_request`. A Flask or Django request's `headers` can be passed.
            http_method: As of `verify_request`.
            http_url: As of `verify_request`.
            client_certificate: As of `verify_request`.
            behind_proxy: As of `verify_request`.

        Raises:
            BaseAuthError: as of `verify_request`.
            IssuerUnavailableError: also if the event loop gives no result a second after all time limits.
        """
        outcome = self._outcome(RequestFacts(headers, http_method, http_url, client_certificate, behind_proxy))
        # Error reporters write down what the frames of a traceback hold.
        del headers, http_url
        return _or_raised(outcome).claims()

    def verify_sync(
        self,
        headers: Mapping[str, str],
        http_method: Optional[str] = None,
        http_url: Optional[str] = None,
        *,
        client_certificate: Optional[Union[str, bytes]] = None,
        behind_proxy: bool = False,
    ) -> Verified:
        """As `verify_request_sync`, with what the answer to the request needs besides: see `Verified`."""
        outcome = self._outcome(RequestFacts(headers, http_method, http_url, client_certificate, behind_proxy))
        del headers, http_url
        return _shown(_or_raised(outcome))

    def _outcome(self, facts: RequestFacts) -> Union[_native.Passed, BaseAuthError]:
        """What is returned, or raised without the frames that it comes from."""
        try:
            return self._passed_in_background(facts)
        except TimeoutError:
            return IssuerUnavailableError(
                "The issuer is temporarily unavailable",
                code="event_loop_blocked",
                headers={"Retry-After": "1"},
            )
        except BaseAuthError as error:
            error.__traceback__ = error.__cause__ = error.__context__ = None
            return error

    def _passed_in_background(self, facts: RequestFacts) -> _native.Passed:
        step = self._step(facts)
        if is_settled(step):
            return step
        limits = (self._driver.timeout, self.options.store_timeout, _GRACE_SECONDS)
        if isinstance(step, _native.Decision):
            # Started again there: another thread may have brought meanwhile what this decision is about to ask for.
            return self._background.run(lambda: self._passed(facts), sum(limits))
        return self._background.run(lambda: self._conclude(step, facts), sum(limits))

    async def verify_access_token(
        self,
        access_token: Union[str, bytes],
        request_url: Optional[str] = None,
        request_headers: Optional[Mapping[str, str]] = None,
        required_claims: Optional[Sequence[str]] = None,
    ) -> dict[str, Any]:
        """The claims of an access token, as a new dict.

        Not checked here: how the token was sent, whether it is bound to a key, scopes, revocation.

        Args:
            access_token: The token alone, without a scheme.
            request_url: For a domains resolver.
            request_headers: For a domains resolver.
            required_claims: Names of further claims that must be present, whatever their value.

        Raises:
            MissingRequiredArgumentError: `access_token` is empty.
            VerifyAccessTokenError: the token is not acceptable.
            IssuerUnavailableError: the issuer can't be reached, so the token can't be judged now.
            DomainsResolverError: the domains resolver failed, or returned something that can't be used.
        """
        if not access_token:
            raise MissingRequiredArgumentError("access_token")
        text = access_token.decode("ascii", "replace") if isinstance(access_token, bytes) else access_token
        token, names = _encodable(text), list(required_claims or ())
        step = self._engine.verify_access_token(token, names, time.time())
        return (await self._driver.conclude(step, request_url, request_headers)).claims()

    async def verify_dpop_proof(self, access_token: str, proof: str, http_method: str, http_url: str) -> dict[str, Any]:
        """The claims of a DPoP proof, after checking that it is valid for this access token, method and URL.

        RFC 9449 section 4.3. Not checked here: the access token, whether it is bound to the proof's key, and whether
        the proof was used before. `verify_request` checks all of that.

        Args:
            access_token: The token that was sent with the proof; a proof contains its hash.
            proof: The value of the request's DPoP field.
            http_method: The request's method.
            http_url: The URL that the client used.

        Raises:
            MissingRequiredArgumentError: one of them is empty.
            InvalidDpopProofError: the proof is not acceptable.
            UseDpopNonceError: the proof must contain the nonce of this answer.
        """
        if not proof:
            raise MissingRequiredArgumentError("dpop_proof")
        if not access_token:
            raise MissingRequiredArgumentError("access_token")
        if not http_method or not http_url:
            raise MissingRequiredArgumentError("http_method/http_url")
        return self._engine.verify_dpop_proof(
            _encodable(access_token), _encodable(proof), _encodable(http_method), _encodable(http_url), time.time()
        )

    def is_dpop_required(self) -> bool:
        """Whether Bearer is refused."""
        return self.options.dpop_required

    async def resource_document(self, resource: Optional[ProtectedResource] = None) -> dict[str, Any]:
        """The metadata document of the resource, as a new dict. RFC 9728 section 2.

        Args:
            resource: Instead of the one in the options.

        Raises:
            ConfigurationError: there is no resource, or a resolver names the issuers and the resource names none.
            IssuerUnavailableError: the issuer can't be reached, so it is not known now how it spells itself.
        """
        described = self.options.resource if resource is None else resource
        if described is None:
            raise ConfigurationError("There is no resource: give 'resource'.")
        making = self._engine.resource_document(described._engines)
        end = time.monotonic() + self.options.fetch_timeout
        while isinstance(step := making.next(time.time()), _native.DocumentNeeded):
            if not await self._documents.bring(step, end - time.monotonic()):
                making.waited()
        document: dict[str, Any] = json.loads(step)
        return document


class Waited:
    """How long a request waited for the network, as a context manager around the waiting; seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> None:
        self._begun = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.monotonic() - self._begun


def _or_raised(outcome: Union[_native.Passed, BaseAuthError]) -> _native.Passed:
    if isinstance(outcome, BaseAuthError):
        raise outcome
    return outcome


def _shown(passed: _native.Passed) -> Verified:
    return Verified(passed.claims(), passed.dpop_nonce)


def is_settled(step: _Step) -> TypeGuard[_native.Passed]:
    """Whether nothing has to be brought, neither now nor in the background."""
    return type(step) is _native.Passed and step.refresh is None


def _missing_target(facts: RequestFacts) -> MissingRequiredArgumentError:
    arguments = (("http_method", facts.method), ("http_url", facts.url))
    missing = [name for name, value in arguments if value is None]
    message = f"DPoP authentication requires {' and '.join(missing)}"
    return MissingRequiredArgumentError("/".join(missing), message)


def _fields(headers: Fields) -> Fields:
    # Starlette's and httpx's list of fields shows a repeated field, which a mapping hides.
    raw = getattr(headers, "raw", None)
    return raw if type(raw) is list else headers


_Text = TypeVar("_Text", bound=Optional[str])


def _encodable(text: _Text) -> _Text:
    # The engine takes no lone surrogates. No valid token or URL contains the replacement character; the usual "?" would
    # end a URL's path.
    if isinstance(text, str) and not text.isascii():
        return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")  # type: ignore[return-value]
    return text
