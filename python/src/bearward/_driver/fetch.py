"""Fetches the documents that the engine needs: one fetch per document and event loop, with limits of time and size.

When a document is fetched, and what a response means, is the engine's to say: `crates/bearward-core/src/documents`.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import json
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional
from urllib.parse import urlsplit

from bearward import _native
from bearward._driver.body import UnusableAnswerError, check_size, read_body
from bearward._driver.health import Health
from bearward._driver.http_library import errors_named
from bearward._driver.loops import Deadline, Flight, Loop, PerLoop
from bearward.types import HttpClient

if TYPE_CHECKING:
    from bearward._driver.shared_cache import SharedCache

# The only status of a document. RFC 9110 section 15.3.1.
_OK = 200


class DocumentFetcher:
    """Fetches documents, and hands the responses to the engine.

    Args:
        documents: What the engine keeps of them.
        loops: Where clients and flights are kept.
        custom_fetch: Used instead of httpx, if given.
        timeout: Total time for one document, seconds.
        shared: Asked before the issuer, if given; documents of the issuer are stored there.
    """

    def __init__(
        self,
        documents: _native.Documents,
        loops: PerLoop,
        custom_fetch: Optional[Callable[..., Any]],
        timeout: float,
        shared: Optional[SharedCache] = None,
    ) -> None:
        self._documents = documents
        self._loops = loops
        self._custom_fetch = custom_fetch
        self._timeout = timeout
        self._shared = shared
        self._health = Health()

    async def prepare(self) -> float:
        """Import what a fetch needs, and return how long that took, seconds. No time limit is for that.

        A process imports it at its first fetch, which on a busy machine takes longer than the fetch. Where the document
        may come from elsewhere, that waits until it doesn't.
        """
        if self._custom_fetch is not None or self._shared is not None:
            return 0.0
        return (await self._loops.current()).prepare()

    async def bring(self, needed: _native.DocumentNeeded, seconds: float) -> bool:
        """Wait until the engine has the document, or knows that it can't be fetched. A failed fetch raises nothing.

        Args:
            needed: The document.
            seconds: How long the request waits at most. The fetch goes on without it.

        Returns:
            Whether it waited long enough: if not, tell the engine so.
        """
        await self.prepare()
        flight = self._flight(needed, await self._loops.current())
        if needed.wait_at_most is not None:
            # Counted from the start of the fetch: those who come later don't wait for an issuer that hangs.
            seconds = min(seconds, flight.began + needed.wait_at_most - time.monotonic())
        if seconds > 0 and not flight.finished.is_done:
            try:
                with Deadline(seconds):
                    await flight.finished.wait()
            except asyncio.TimeoutError:
                pass
        return flight.finished.is_done

    async def refresh(self, needed: _native.DocumentNeeded) -> None:
        """Start to fetch the document in the background."""
        await self.prepare()
        self._flight(needed, await self._loops.current())

    def _flight(self, needed: _native.DocumentNeeded, loop: Loop) -> Flight:
        """The running fetch of this document, or a new one."""
        name = (needed.issuer, needed.url)
        flight = loop.flights.get(name)
        if flight is None:
            begun = flight = loop.flights[name] = Flight(needed, time.monotonic())
            loop.begin(self._run(flight, loop), lambda _, error: _finish(begun, loop, error))
        # If it is still asking the shared cache, it then goes on to the issuer.
        flight.past_caches |= needed.past_caches
        return flight

    async def _run(self, flight: Flight, loop: Loop) -> None:
        end = flight.began + self._timeout
        if self._shared is not None and await self._bring_shared(flight, self._shared, end):
            _finish(flight, loop)
            return
        if self._custom_fetch is None:
            end += loop.prepare()
        usable = await self._bring_from_issuer(flight.needed, loop, end - time.monotonic())
        _finish(flight, loop)
        # Nobody waits for the rest.
        if self._shared is not None and usable is not None:
            body, fresh_for = usable
            await self._shared.keep(flight.needed, body, max(1, int(fresh_for)))

    async def _bring_shared(self, flight: Flight, shared: SharedCache, end: float) -> bool:
        """Whether the shared cache had a document that is good enough for the engine and all waiting callers."""
        found = await shared.find(flight.needed, end - time.monotonic(), lambda: flight.past_caches)
        if found is None:
            return False
        # With its age: what is too old to be used now is still there if the issuer then gives nothing.
        problem = self._documents.found_in_cache(flight.needed, found.body, time.time() - found.age)
        shared.judged(flight.needed, problem)
        return problem is None and found.is_enough

    async def _bring_from_issuer(
        self, needed: _native.DocumentNeeded, loop: Loop, seconds: float
    ) -> Optional[tuple[bytes, float]]:
        """The document if it was usable, and for how long it is, seconds. Either way the engine knows."""
        deadline = Deadline(seconds)
        body, fresh_for = b"", 0.0
        try:
            with deadline:
                status, fields, body = await self._fetch(needed.url, loop)
            problem, fresh_for = self._documents.answered(needed, status, fields, body, time.time())
        except Exception as error:  # noqa: BLE001 - whatever a network or a custom fetch may raise
            problem = f"no answer within {self._timeout} s" if deadline.expired else f"{type(error).__name__}: {error}"
            self._documents.unreachable(needed, time.time())
        host = urlsplit(needed.url).hostname
        if problem is None:
            self._health.works(needed.url, f"a usable {needed.kind} document from {host} again")
            return body, fresh_for
        self._health.failed(needed.url, f"no usable {needed.kind} document from {host}", problem)
        return None

    async def _fetch(self, url: str, loop: Loop) -> Response:
        if self._custom_fetch is not None:
            return await _custom_response(self._custom_fetch, url)
        return await httpx_response(loop, url)


def _finish(flight: Flight, loop: Loop, error: Optional[BaseException] = None) -> None:
    """Let the waiting callers go on. A later call starts a new fetch.

    An error here says that the job ended before it had a result for the engine: its loop shuts down, or it is a defect.
    """
    if not flight.finished.is_done:
        loop.flights.pop((flight.needed.issuer, flight.needed.url), None)
        flight.finished.finish(error=error)


class Response(NamedTuple):
    """A response as it came."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes


class _Connection:
    """What became of a request's connection, as httpx's transport says."""

    def __init__(self) -> None:
        self._is_new = False
        self._sent = False
        self._answered = False

    async def note(self, event: str, info: object) -> None:
        """Called by the transport."""
        self._is_new |= event == "connection.connect_tcp.started"
        self._sent |= event.endswith("send_request_headers.started")
        self._answered |= event.endswith("receive_response_headers.complete")

    @property
    def was_dropped(self) -> bool:
        """Whether it had been used before, and ended without an answer to this request."""
        return self._sent and not self._is_new and not self._answered


async def httpx_response(loop: Loop, url: str, method: str = "GET", **more: Any) -> Response:
    """The response to one request that changes nothing at the server, with what else httpx is to send.

    Raises:
        UnusableAnswerError: the URL has no TLS, or the body can't be read.
        httpx.HTTPError: there is no response.
    """
    if not url.startswith("https://") and not _is_on_this_machine(url):
        raise UnusableAnswerError("not an https URL")
    connection = _Connection()
    try:
        return await _send(loop.client(), connection, method, url, more)
    except errors_named("NetworkError", "RemoteProtocolError") as error:
        if not connection.was_dropped or not _is_silence(error):
            raise
    # RFC 9112 section 9.3.1: sent once more, on a new connection. Others of the pool may have been dropped, too.
    async with loop.another_client() as client:
        return await _send(client, _Connection(), method, url, more)


def _is_silence(error: Exception) -> bool:
    """Whether the server said nothing, rather than something that is no answer."""
    return isinstance(error, errors_named("NetworkError")) or str(error).startswith("Server disconnected")


async def _send(client: HttpClient, connection: _Connection, method: str, url: str, more: dict[str, Any]) -> Response:
    more = {**more, "headers": {"Accept-Encoding": "identity", **more.get("headers", {})}}
    asked = client.stream(method, url, extensions={"trace": connection.note}, follow_redirects=False, **more)
    async with asked as response:
        # The body of another answer than a good one says nothing: it need not be waited for.
        body = await read_body(response) if response.status_code == _OK else b""
        return Response(response.status_code, response.headers.multi_items(), body)


def _is_on_this_machine(url: str) -> bool:
    """The engine asks for http only there; here it is checked once more."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def _custom_response(custom_fetch: Callable[..., Any], url: str) -> Response:
    response = await _awaited(custom_fetch(url))
    if isinstance(response, dict):
        return Response(_OK, [], json.dumps(response).encode())
    # A test's stand-in for a response may have anything here; only a number can say no.
    status = getattr(response, "status_code", _OK)
    status = int(status) if isinstance(status, int) else _OK
    fields = _fields(getattr(response, "headers", None))
    if status != _OK:
        return Response(status, fields, b"")
    content = getattr(response, "content", None)
    # The bytes themselves, where there are any: parsing them here would hide duplicate members.
    body = content if isinstance(content, bytes) else json.dumps(await _awaited(response.json())).encode()
    check_size(len(body))
    return Response(status, fields, body)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _fields(headers: Any) -> list[tuple[str, str]]:
    try:
        fields = dict(headers)
    except (TypeError, ValueError):
        return []
    return [(name, value) for name, value in fields.items() if isinstance(name, str) and isinstance(value, str)]
