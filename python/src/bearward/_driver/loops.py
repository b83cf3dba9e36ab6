"""What is kept per event loop: a pooled httpx client, fetches and exchanges under way, and threads for a resolver.

No locks: what is kept of a loop is touched by that loop's thread only, and steps on the dict of loops are atomic. So
nothing can be held by a thread that a forked process doesn't have.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Optional, Union

import httpx

from bearward import _native

# How many calls of a sync resolver may wait for something at once, per event loop. Threads are started as needed.
_RESOLVER_THREADS = 16


class PerLoop:
    """Gives each event loop its own `Loop`. Event loops may run in several threads.

    Args:
        timeout: Of single network steps, seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        # Not weak: what is kept refers to its loop, so a weak key would never go. Closed loops are swept instead.
        self._loops: dict[asyncio.AbstractEventLoop, Loop] = {}
        self._tls: Optional[ssl.SSLContext] = None

    async def current(self) -> Loop:
        """Of the running event loop. Doesn't wait for anything."""
        running = asyncio.get_running_loop()
        kept = self._loops.get(running)
        if kept is None:
            for loop in list(self._loops):
                if loop.is_closed():
                    self._loops.pop(loop, None)
            kept = self._loops[running] = Loop(self)
            await kept.open()
        return kept

    def new_client(self) -> httpx.AsyncClient:
        """A client that trusts what httpx trusts (`SSL_CERT_FILE` counts), follows no redirect, and keeps no cookie."""
        if self._tls is None:
            # Loading the certificates takes tens of milliseconds, and no loop owns them. Two loops that come here at
            # once load them twice, which does no harm.
            self._tls = httpx.create_ssl_context()
        # What a server sets while it answers for one user must not be sent along for the next.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        return httpx.AsyncClient(verify=self._tls, timeout=self._timeout, follow_redirects=False, cookies=no_cookies)

    def forget(self, loop: Loop) -> None:
        """Let go of a loop that shuts down."""
        for running in list(self._loops):
            if self._loops.get(running) is loop:
                del self._loops[running]


class Flight:
    """A document on its way.

    Attributes:
        needed: What the engine asked for first.
        past_caches: Whether somebody who waits for it can't use what a shared cache has.
        landed: Done once the engine was told what came of it.
    """

    def __init__(self, needed: _native.DocumentNeeded) -> None:
        self.needed = needed
        self.past_caches = needed.past_caches
        self.landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Loop:
    """What one event loop keeps. Used by that loop's tasks only."""

    def __init__(self, owner: PerLoop) -> None:
        self.flights: dict[tuple[str, str], Flight] = {}
        self.exchanges: dict[bytes, asyncio.Future[Union[_native.Granted, Exception]]] = {}
        self._owner = owner
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Optional[httpx.AsyncClient] = None
        self._threads: Optional[ThreadPoolExecutor] = None
        self._closer: Optional[AsyncIterator[None]] = None

    async def open(self) -> None:
        """Have what is kept closed when the loop shuts down."""
        self._closer = self._close_with_loop()
        await self._closer.__anext__()

    def client(self) -> httpx.AsyncClient:
        """The pooled client of this loop."""
        if self._client is None:
            self._client = self._owner.new_client()
        return self._client

    def threads(self) -> ThreadPoolExecutor:
        """For a resolver that may block. Not the loop's own threads: those look up hosts, and must not all be busy."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="bearward-resolver")
        return self._threads

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task that nobody has to wait for. It ends with the loop at the latest."""
        task = asyncio.ensure_future(work)
        # A loop that is closed without its shutdown steps drops it: there is nothing to warn of. `asyncio.gather` says
        # the same of its tasks in this way.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close_with_loop(self) -> AsyncIterator[None]:
        # There is no "loop is closing" callback, but asyncio.run, uvicorn and FastAPI's TestClient finish with
        # `loop.shutdown_asyncgens()`, which closes every async generator begun on the loop: this one too.
        try:
            yield
        finally:
            self._owner.forget(self)
            under_way = list(self._tasks)
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            if self._threads is not None:
                self._threads.shutdown(wait=False)
            client, self._client = self._client, None
            if client is not None:
                await client.aclose()


class Deadline:
    """Ends what its task does inside `with` by `asyncio.TimeoutError` when the time is over.

    Unlike `asyncio.wait_for` before Python 3.12, it makes no task, which could be left over when a loop is closed.

    Attributes:
        expired: Whether it did.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._seconds = seconds

    def __enter__(self) -> Deadline:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for a task")
        self._task = task
        # It may have been cancelled before, and be cleaning up.
        self._cancelled_before = 0
        if sys.version_info >= (3, 11):
            self._cancelled_before = task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._expire)
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._timer.cancel()
        if not self.expired:
            return
        if sys.version_info >= (3, 11) and self._task.uncancel() > self._cancelled_before:
            # It was cancelled by somebody else meanwhile, too.
            return
        if kind is asyncio.CancelledError:
            raise asyncio.TimeoutError from error

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()
