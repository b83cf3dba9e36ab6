"""Fetches the documents that the engine needs: one fetch per document and event loop, with limits of time and size.

The engine decides when a document is fetched.
"""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import inspect
import json
import time
from typing import Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

import httpx

from bearward import _native
from bearward._driver.body import UnusableAnswerError, check_size, read_body
from bearward._driver.health import Health
from bearward._driver.loops import Deadline, Flight, Loop, PerLoop
from bearward._driver.shared_cache import SharedCache
from bearward.errors import IssuerUnavailableError

_RETRY_AFTER_SECONDS = "5"

# With these, `Retry-After` says when to ask again. RFC 9110 section 10.2.3, RFC 6585 section 4.
_WITH_RETRY_AFTER = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)


class DocumentFetcher:
    """Fetches documents for one engine.

    Args:
        engine: Needs the documents.
        loops: Has the pooled clients and the running fetches.
        custom_fetch: Used instead of httpx, if given.
        timeout: Total time for one document, seconds.
        shared: Asked before the issuer, if given; documents of the issuer are stored there.
    """

    def __init__(
        self,
        engine: _native.Engine,
        loops: PerLoop,
        custom_fetch: Optional[Callable[..., Any]],
        timeout: float,
        shared: Optional[SharedCache] = None,
    ) -> None:
        self._engine = engine
        self._loops = loops
        self._custom_fetch = custom_fetch
        self._timeout = timeout
        self._shared = shared
        self._health = Health()

    async def bring(self, needed: _native.DocumentNeeded) -> None:
        """Wait until the engine has the document, or knows that it can't be fetched. A failed fetch raises nothing."""
        flight = self._flight(needed, await self._loops.current())
        # Others may wait for it too: if one caller gives up, it must go on.
        await asyncio.shield(flight.finished)

    async def refresh(self, needed: _native.DocumentNeeded) -> None:
        """Start to fetch the document in the background."""
        self._flight(needed, await self._loops.current())

    def _flight(self, needed: _native.DocumentNeeded, loop: Loop) -> Flight:
        """The running fetch of this document, or a new one."""
        name = (needed.issuer, needed.url)
        flight = loop.flights.get(name)
        if flight is None:
            flight = loop.flights[name] = Flight(needed)
            loop.begin(self._run(flight, loop)).add_done_callback(lambda task: _finish_if_failed(flight, loop, task))
        # If it is still asking the shared cache, it then goes on to the issuer.
        flight.past_caches |= needed.past_caches
        return flight

    async def _run(self, flight: Flight, loop: Loop) -> None:
        end = time.monotonic() + self._timeout
        if self._shared is not None and await self._bring_shared(flight, self._shared, end):
            _finish(flight, loop)
            return
        document = await self._bring_from_issuer(flight.needed, loop, end - time.monotonic())
        _finish(flight, loop)
        # No caller waits for the rest.
        if self._shared is not None and document is not None:
            fresh_for = self._engine.fresh_for(document.cache_control)
            await self._shared.keep(flight.needed, document.body, max(1, int(fresh_for)))

    async def _bring_shared(self, flight: Flight, shared: SharedCache, end: float) -> bool:
        """Whether the shared cache had a document that is good enough for the engine and all waiting callers."""
        if flight.past_caches:
            return False
        body = await shared.find(flight.needed, end - time.monotonic())
        if body is None or flight.past_caches:
            return False
        problem = self._engine.document_from_cache(flight.needed, body, time.time())
        shared.judged(flight.needed, problem)
        return problem is None

    async def _bring_from_issuer(
        self, needed: _native.DocumentNeeded, loop: Loop, seconds: float
    ) -> Optional[_Document]:
        """The document, if the engine could use it. If not, the engine knows that the fetch failed."""
        deadline = Deadline(seconds)
        retry_after = document = None
        try:
            with deadline:
                document = await self._fetch(needed.url, loop)
            problem = self._engine.document_received(needed, document.body, document.cache_control, time.time())
        except Exception as error:  # noqa: BLE001 - a network or a custom fetch may raise anything
            problem = f"no answer within {self._timeout} s" if deadline.expired else f"{type(error).__name__}: {error}"
            if isinstance(error, UnusableAnswerError):
                retry_after = error.retry_after
            self._engine.document_failed(needed, time.time(), retry_after)
        host = urlsplit(needed.url).hostname
        if problem is None:
            self._health.works(needed.url, f"a usable {needed.kind} document from {host} again")
            return document
        self._health.failed(needed.url, f"no usable {needed.kind} document from {host}", problem)
        return None

    async def _fetch(self, url: str, loop: Loop) -> _Document:
        if self._custom_fetch is not None:
            return await _custom_document(self._custom_fetch, url)
        return await _httpx_document(loop.client(), url)


def unsettled(needed: _native.DocumentNeeded) -> IssuerUnavailableError:
    """The error for an issuer that changes its documents faster than they can be fetched."""
    return IssuerUnavailableError(
        "The issuer is temporarily unavailable",
        code="issuer_unsettled",
        headers={"Retry-After": _RETRY_AFTER_SECONDS},
        detail=f"still a document missing after several fetches: {needed.url}",
    )


def _finish(flight: Flight, loop: Loop) -> None:
    """Let the waiting callers go on. A later call starts a new fetch."""
    loop.flights.pop((flight.needed.issuer, flight.needed.url), None)
    if not flight.finished.done():
        flight.finished.set_result(None)


def _finish_if_failed(flight: Flight, loop: Loop, task: asyncio.Task[None]) -> None:
    """End a fetch whose task failed or was cancelled before it had a result for the engine."""
    if flight.finished.done():
        return
    loop.flights.pop((flight.needed.issuer, flight.needed.url), None)
    # It is cancelled when its loop shuts down. Anything else is a defect.
    error = None if task.cancelled() else task.exception()
    if error is None:
        flight.finished.cancel()
    else:
        flight.finished.set_exception(error)


class _Document(NamedTuple):
    body: bytes
    cache_control: Optional[str]


async def _httpx_document(client: httpx.AsyncClient, url: str) -> _Document:
    if not url.startswith("https://"):
        raise UnusableAnswerError("not an https URL")
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
        _check_status(response.status_code, response.headers)
        return _Document(await read_body(response), response.headers.get("cache-control"))


async def _custom_document(custom_fetch: Callable[..., Any], url: str) -> _Document:
    response = await _awaited(custom_fetch(url))
    if isinstance(response, dict):
        body = json.dumps(response).encode()
        cache_control = None
    else:
        headers = getattr(response, "headers", None)
        _check_status(getattr(response, "status_code", 200), headers)
        content = getattr(response, "content", None)
        # The bytes, if there are any: parsing them here would hide duplicate members.
        body = content if isinstance(content, bytes) else json.dumps(await _awaited(response.json())).encode()
        cache_control = _field(headers, "cache-control")
    check_size(len(body))
    return _Document(body, cache_control)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _field(headers: Any, wanted: str) -> Optional[str]:
    try:
        fields = dict(headers)
    except (TypeError, ValueError):
        return None
    for name, value in fields.items():
        if isinstance(name, str) and name.lower() == wanted and isinstance(value, str):
            return value
    return None


def _check_status(status: object, headers: Any) -> None:
    # A test's stand-in for a response may have anything here; only a number counts.
    if isinstance(status, int) and status != httpx.codes.OK:
        retry_after = _field(headers, "retry-after") if status in _WITH_RETRY_AFTER else None
        raise UnusableAnswerError(f"status {int(status)}", _seconds_until(retry_after))


def _seconds_until(retry_after: Optional[str]) -> Optional[float]:
    """RFC 9110 section 10.2.3: seconds, or a date. `None` for anything else. The engine limits it."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # Ten digits are more than the engine's limit.
        return float(text[:10])
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, date.timestamp() - time.time())
