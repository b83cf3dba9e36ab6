"""Fetches the documents that the engine asks for: one flight per document and event loop, bounded in time and size.

When a document is fetched is the engine's to say; see `crates/bearward-core/src/keys/refresh.rs`.
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

# With these a server may say when to come back. RFC 9110 section 10.2.3, RFC 6585 section 4.
_WITH_RETRY_AFTER = (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.TOO_MANY_REQUESTS)


class DocumentFetcher:
    """Brings documents to one engine.

    Args:
        engine: Who asks, and gets the answers.
        loops: Where clients and flights are kept.
        custom_fetch: Used instead of httpx, if given.
        timeout: For one document altogether, seconds.
        shared: Asked before the issuer, if given, and told what the issuer answered.
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
        """Return once the engine was told the document, or that it can't be had. A failed fetch raises nothing."""
        flight = self._flight(needed, await self._loops.current())
        # Others may be waiting for it too: a caller that gives up must not take it down.
        await asyncio.shield(flight.landed)

    async def refresh(self, needed: _native.DocumentNeeded) -> None:
        """Have the document brought while the caller goes on: this only starts it."""
        self._flight(needed, await self._loops.current())

    def _flight(self, needed: _native.DocumentNeeded, loop: Loop) -> Flight:
        """The one under way, or a new one."""
        name = (needed.issuer, needed.url)
        flight = loop.flights.get(name)
        if flight is None:
            flight = loop.flights[name] = Flight(needed)
            loop.begin(self._fly(flight, loop)).add_done_callback(lambda task: _crashed(flight, loop, task))
        # One that is still asking a shared cache will then not stop there.
        flight.past_caches |= needed.past_caches
        return flight

    async def _fly(self, flight: Flight, loop: Loop) -> None:
        end = time.monotonic() + self._timeout
        if self._shared is not None and await self._bring_shared(flight, self._shared, end):
            _land(flight, loop)
            return
        document = await self._bring_from_issuer(flight.needed, loop, end - time.monotonic())
        _land(flight, loop)
        # Nobody waits for the rest.
        if self._shared is not None and document is not None:
            fresh_for = self._engine.fresh_for(document.cache_control)
            await self._shared.keep(flight.needed, document.body, max(1, int(fresh_for)))

    async def _bring_shared(self, flight: Flight, shared: SharedCache, end: float) -> bool:
        """Whether the shared cache had a document that the engine can use, and everybody who waits."""
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
        """The document, if it was usable. Either way the engine was told."""
        deadline = Deadline(seconds)
        retry_after = document = None
        try:
            with deadline:
                document = await self._fetch(needed.url, loop)
            problem = self._engine.document_received(needed, document.body, document.cache_control, time.time())
        except Exception as error:  # noqa: BLE001 - whatever a network or a custom fetch may raise
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
    """The error for a document that is still missing after it was brought: it changes faster than it can be read."""
    return IssuerUnavailableError(
        "The issuer is temporarily unavailable",
        code="issuer_unsettled",
        headers={"Retry-After": _RETRY_AFTER_SECONDS},
        detail=f"still a document missing after several fetches: {needed.url}",
    )


def _land(flight: Flight, loop: Loop) -> None:
    """Let those who wait go on: the engine was told. Who comes now begins another flight."""
    loop.flights.pop((flight.needed.issuer, flight.needed.url), None)
    if not flight.landed.done():
        flight.landed.set_result(None)


def _crashed(flight: Flight, loop: Loop, task: asyncio.Task[None]) -> None:
    """See to a flight that ended without landing: the engine was told nothing."""
    if flight.landed.done():
        return
    loop.flights.pop((flight.needed.issuer, flight.needed.url), None)
    # Cancelled, maybe before it began: its loop shuts down. Anything else is a defect.
    error = None if task.cancelled() else task.exception()
    if error is None:
        flight.landed.cancel()
    else:
        flight.landed.set_exception(error)


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
        # The bytes themselves, where there are any: parsing them here would hide duplicate members.
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
    # A test's stand-in for a response may have anything here; only a number can say no.
    if isinstance(status, int) and status != httpx.codes.OK:
        retry_after = _field(headers, "retry-after") if status in _WITH_RETRY_AFTER else None
        raise UnusableAnswerError(f"status {int(status)}", _seconds_until(retry_after))


def _seconds_until(retry_after: Optional[str]) -> Optional[float]:
    """RFC 9110 section 10.2.3: seconds, or a date. `None` for anything else. The engine bounds it."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        # More digits than this are as good as for ever.
        return float(text[:10])
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, date.timestamp() - time.time())
