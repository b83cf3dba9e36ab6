"""Tokens for other services, from the token endpoint of `domain`.

`crates/bearward-exchange` builds the forms and reads the answers. Here they are sent and received.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union, cast
from urllib.parse import urlencode

from bearward import _native
from bearward._driver.body import UnusableAnswerError, read_body
from bearward._driver.client_auth import authentication_for
from bearward._driver.http_library import errors_named
from bearward._driver.loops import Deadline, Loop, Pending, PerLoop
from bearward.errors import (
    ApiError,
    BaseAuthError,
    GetAccessTokenForConnectionError,
    GetTokenByExchangeProfileError,
    IssuerUnavailableError,
    MissingRequiredArgumentError,
)

if TYPE_CHECKING:
    from bearward._driver.client_auth import ClientAuthentication, RequestAuthentication
    from bearward._driver.fetch import DocumentFetcher
    from bearward.options import ApiClientOptions
    from bearward.types import OnBehalfOfTokenResult

    _Request = Callable[[], Awaitable[_native.Granted]]
    _Raised = type[Union[GetAccessTokenForConnectionError, GetTokenByExchangeProfileError]]

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class TokenExchanger:
    """Exchanges tokens at the token endpoint of one issuer, as one client.

    Args:
        known: The documents that verification uses. The discovery document names the token endpoint.
        documents: Fetches the issuer's discovery document if need be.
        loops: Whose pooled clients are used, and where calls under way are kept.
        options: Options that `engine_for` has seen.

    Raises:
        ConfigurationError: the client's credentials can't be used.
    """

    def __init__(
        self, known: _native.Documents, documents: DocumentFetcher, loops: PerLoop, options: ApiClientOptions
    ) -> None:
        self._known = known
        self._documents = documents
        self._loops = loops
        self._timeout = options.timeout
        self._issuer = _native.normalize_issuer(options.domain.strip()) if options.domain else ""
        self._client = authentication_for(options)
        self._memory = _native.TokenMemory() if options.token_cache else None

    async def vault(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """See `ApiClient.get_access_token_for_connection`."""
        raised = GetAccessTokenForConnectionError
        client_id = "" if self._client is None else self._client.client_id
        exchange = _native.Exchange.vault(
            _required("connection", options.get("connection"), raised),
            _required("access_token", options.get("access_token"), raised),
            _text("login_hint", options.get("login_hint"), raised),
            client_id,
        )
        return await self._granted(exchange, raised, "get_access_token_for_connection")

    async def profile(
        self,
        subject_token: str,
        subject_token_type: str,
        audience: Optional[str],
        scope: Optional[str],
        requested_token_type: Optional[str],
        extra: Optional[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """See `ApiClient.get_token_by_exchange_profile`."""
        raised = GetTokenByExchangeProfileError
        exchange = _native.Exchange.profile(
            _required("subject_token", subject_token, raised),
            _required("subject_token_type", subject_token_type, raised),
            _text("audience", audience, raised),
            _text("scope", scope, raised),
            _text("requested_token_type", requested_token_type, raised),
            _extra(extra or {}),
        )
        return await self._granted(exchange, raised, "get_token_by_exchange_profile")

    async def on_behalf_of(self, access_token: str, audience: str, scope: Optional[str]) -> OnBehalfOfTokenResult:
        """See `ApiClient.get_token_on_behalf_of`."""
        raised = GetTokenByExchangeProfileError
        # If both are missing, this one is reported, as by the SDK that Bearward replaces.
        wanted = _required("audience", audience, raised)
        exchange = _native.Exchange.on_behalf_of(
            _required("subject_token", access_token, raised), wanted, _text("scope", scope, raised)
        )
        granted = await self._granted(exchange, raised, "get_token_on_behalf_of")
        return cast("OnBehalfOfTokenResult", granted)

    async def _granted(self, exchange: _native.Exchange, raised: _Raised, method: str) -> dict[str, Any]:
        client, memory = self._client, self._memory
        if client is None:
            raise raised(f"{method} needs client_id, and client_secret or client_assertion_key.")
        (await self._loops.current()).prepare()
        request = functools.partial(self._request, exchange, client, raised, time.monotonic() + self._timeout)
        key = None if memory is None else exchange.key
        if memory is None or key is None:
            return (await request()).result()
        remembered = memory.find(exchange, time.time())
        if remembered is not None:
            return remembered
        return (await self._together(key, functools.partial(_remember, memory, exchange, request))).result()

    async def _together(self, key: bytes, request: _Request) -> _native.Granted:
        """One request for all equal calls that come at once on this event loop."""
        loop = await self._loops.current()
        pending = loop.exchanges.get(key)
        is_first = pending is None
        if pending is None:
            begun = pending = loop.exchanges[key] = Pending()
            loop.begin(_outcome(request), lambda value, error: _complete(loop, key, begun, value, error))
        # Others may wait for it too: if one caller gives up, it goes on.
        outcome: Union[_native.Granted, Exception] = await pending.wait()
        if isinstance(outcome, BaseAuthError):
            # A copy for each caller: an error's traceback grows each time it is raised.
            raise copy.copy(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome.is_personal and not is_first:
            return await request()
        return outcome

    async def _request(
        self, exchange: _native.Exchange, client: ClientAuthentication, raised: _Raised, end: float
    ) -> _native.Granted:
        """The token that is granted, if the token endpoint answers before `end` (monotonic clock)."""
        try:
            with Deadline(end - time.monotonic()):
                return await self._post(await self._endpoint(raised, end), exchange, client)
        except IssuerUnavailableError as error:
            failure = _without_endpoint(error)
        except (asyncio.TimeoutError, UnusableAnswerError) as error:
            failure = _failure(error)
        except errors_named("HTTPError", "InvalidURL") as error:
            failure = _failure(error)
        # Raised outside of `except`: an httpx error refers to the request, with the token and the secret. As the
        # context of this error it would get into every error report.
        raise failure

    async def _endpoint(self, raised: _Raised, end: float) -> str:
        """The URL of the token endpoint, from the discovery document that verification uses too.

        Raises:
            IssuerUnavailableError: the document can't be fetched now; the caller makes an `ApiError` of it.
        """
        search = self._known.token_endpoint(self._issuer)
        endpoint = search.next(time.time())
        while isinstance(endpoint, _native.DocumentNeeded):
            if not await self._documents.bring(endpoint, end - time.monotonic()):
                # Both limits may end in one turn of the event loop: it is the call's, whichever is seen first.
                if time.monotonic() >= end:
                    raise asyncio.TimeoutError
                search.waited(endpoint)
            endpoint = search.next(time.time())
        if endpoint.refresh is not None:
            await self._documents.refresh(endpoint.refresh)
        if endpoint.url is None:
            raise raised(f"Token endpoint missing in OIDC metadata of {self._issuer}")
        return endpoint.url

    async def _post(self, url: str, exchange: _native.Exchange, client: ClientAuthentication) -> _native.Granted:
        authentication = client.authenticate(self._issuer, time.time())
        http = (await self._loops.current()).client()
        sent = http.stream(
            "POST",
            url,
            content=urlencode(_form(exchange, authentication)).encode(),
            headers={**_FORM, "Accept-Encoding": "identity"},
            auth=authentication.auth,
            timeout=self._timeout,
            follow_redirects=False,
        )
        async with sent as response:
            status, kind = response.status_code, response.headers.get("content-type")
            # The body goes into the call and into no variable. It may hold a token although it is refused, and error
            # reporters write down what local variables hold.
            return exchange.read(status, kind, await read_body(response), authentication.secrets, time.time())


async def _remember(memory: _native.TokenMemory, exchange: _native.Exchange, request: _Request) -> _native.Granted:
    granted = await request()
    memory.keep(exchange, granted, time.time())
    return granted


async def _outcome(request: _Request) -> Union[_native.Granted, Exception]:
    """An error is an outcome: the waiting callers raise it."""
    try:
        return await request()
    except Exception as error:  # noqa: BLE001 - see above
        return error


def _complete(loop: Loop, key: bytes, pending: Pending, value: Any, error: Optional[BaseException]) -> None:
    """Let later calls send a new request. An error here says that the loop shuts down."""
    loop.exchanges.pop(key, None)
    pending.finish(value, error)


def _without_endpoint(error: IssuerUnavailableError) -> ApiError:
    """For callers of the flows, who catch `ApiError`, as the documentation of the SDK that Bearward replaces says."""
    failure = ApiError(error.get_error_code(), error.message, error.status)
    failure.headers = error.get_headers()
    failure.detail = error.detail
    return failure


def _failure(error: Exception) -> ApiError:
    """Why there is no answer, without any text of the request."""
    if isinstance(error, (asyncio.TimeoutError, *errors_named("TimeoutException"))):
        return ApiError("timeout_error", "Request to token endpoint timed out", 504)
    if isinstance(error, UnusableAnswerError):
        return ApiError("invalid_response", f"The token endpoint's answer can't be read: {error}", 502)
    return ApiError("network_error", f"Network error occurred: {type(error).__name__}", 502)


def _form(exchange: _native.Exchange, authentication: RequestAuthentication) -> list[tuple[str, str]]:
    form = exchange.form
    names = {name for name, _ in form}
    return [*form, *(field for field in authentication.fields if field[0] not in names)]


def _required(argument: str, value: object, raised: _Raised) -> str:
    if not value:
        raise MissingRequiredArgumentError(argument)
    return _text(argument, value, raised) or ""


def _text(argument: str, value: object, raised: _Raised) -> Optional[str]:
    if value is not None and not isinstance(value, str):
        raise raised(f"{argument} must be a string.")
    try:
        return None if value is None else value.encode().decode()
    except UnicodeEncodeError:
        raise raised(f"{argument} has characters that can't be sent.") from None


def _extra(extra: Mapping[str, Any]) -> list[tuple[str, Sequence[str]]]:
    """Names and values as text. The engine decides which names may be sent."""
    fields: list[tuple[str, Sequence[str]]] = []
    for key, value in extra.items():
        name = str(key)
        # A set has no order, and bytes have no text.
        if isinstance(value, (Mapping, set, frozenset, bytes, bytearray)):
            raise GetTokenByExchangeProfileError(
                f"Parameter '{name}' has unsupported type {type(value).__name__}: "
                "texts, numbers, booleans, and lists or tuples of them can be sent"
            )
        values = value if isinstance(value, (list, tuple)) else [value]
        fields.append((_sendable("extra", name), [_sendable(f"Parameter '{name}'", str(item)) for item in values]))
    return fields


def _sendable(what: str, text: str) -> str:
    return _text(what, text, GetTokenByExchangeProfileError) or ""
