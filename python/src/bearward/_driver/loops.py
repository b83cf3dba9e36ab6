"""The state of each event loop: a pooled httpx client, running fetches and exchanges, and threads for a resolver.

There are no locks: a loop's state is used by that loop's thread only, and single operations on the dict of loops are
atomic. So no lock can be held by a thread that doesn't exist after a fork.
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

# How many calls of a sync resolver may run at once, per event loop. Threads are started when needed.
_RESOLVER_THREADS = 16


class PerLoop:
    """Has a `Loop` for each event loop. Event loops may run in several threads.

    Args:
        timeout: For single network operations, seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        # Not a weak dict: each value refers to its key, so no entry would ever go. Closed loops are removed instead.
        self._loops: dict[asyncio.AbstractEventLoop, Loop] = {}
        self._tls: Optional[ssl.SSLContext] = None

    async def current(self) -> Loop:
        """The `Loop` of the running event loop. This doesn't wait for anything."""
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
        """A client with httpx's usual trust (also `SSL_CERT_FILE`), which follows no redirect and keeps no cookie."""
        if self._tls is None:
            # Loading the certificates takes tens of milliseconds, and all loops can share them. If two loops do it at
            # once, that does no harm.
            self._tls = httpx.create_ssl_context()
        # A cookie that a server sets in an exchange for one user must not be sent in the next user's.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        return httpx.AsyncClient(verify=self._tls, timeout=self._timeout, follow_redirects=False, cookies=no_cookies)

    def forget(self, loop: Loop) -> None:
        """Drop the state of a loop that shuts down."""
        for running in list(self._loops):
            if self._loops.get(running) is loop:
                del self._loops[running]


class Flight:
    """A running fetch of a document, which any number of callers wait for.

    Attributes:
        needed: The document, as the first caller needs it.
        past_caches: Whether a caller needs a newer document than a shared cache can have.
        finished: Done when the engine has the document, or knows that there is none.
    """

    def __init__(self, needed: _native.DocumentNeeded) -> None:
        self.needed = needed
        self.past_caches = needed.past_caches
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Loop:
    """The state of one event loop. Used by that loop's tasks only."""

    def __init__(self, owner: PerLoop) -> None:
        self.flights: dict[tuple[str, str], Flight] = {}
        self.exchanges: dict[bytes, asyncio.Future[Union[_native.Granted, Exception]]] = {}
        self._owner = owner
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: Optional[httpx.AsyncClient] = None
        self._threads: Optional[ThreadPoolExecutor] = None
        self._closer: Optional[AsyncIterator[None]] = None

    async def open(self) -> None:
        """Arrange that this state is closed when the loop shuts down."""
        self._closer = self._close_with_loop()
        await self._closer.__anext__()

    def client(self) -> httpx.AsyncClient:
        """The pooled client of this loop."""
        if self._client is None:
            self._client = self._owner.new_client()
        return self._client

    def threads(self) -> ThreadPoolExecutor:
        """Threads for a resolver that may block. Not the loop's own: these look up hosts, and must not all be busy."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_RESOLVER_THREADS, thread_name_prefix="bearward-resolver")
        return self._threads

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task in the background. It ends when the loop does, at the latest."""
        task = asyncio.ensure_future(work)
        # If the loop is closed without its shutdown steps, asyncio must not warn about this task. `asyncio.gather` sets
        # this attribute for the same reason.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _close_with_loop(self) -> AsyncIterator[None]:
        # There is no callback for "the loop is closing". But asyncio.run, uvicorn and FastAPI's TestClient end with
        # `loop.shutdown_asyncgens()`, which closes every async generator that was started on the loop: this one too.
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
    """A time limit for the body of a `with` statement: raises `asyncio.TimeoutError` in it when the time is over.

    `asyncio.wait_for` before Python 3.12 makes a task, which could be left over when a loop is closed. This makes none.

    Attributes:
        expired: Whether the time was over.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._seconds = seconds

    def __enter__(self) -> Deadline:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline is for a task")
        self._task = task
        # The task may have been cancelled before, and be cleaning up.
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
            # Something else has cancelled the task, too.
            return
        if kind is asyncio.CancelledError:
            raise asyncio.TimeoutError from error

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()
