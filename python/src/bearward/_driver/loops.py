"""The state of each event loop: a pooled httpx client, running fetches and exchanges, and threads for a resolver.

There are no locks: a loop's state is used by that loop's thread only, and single operations on the dict of loops are
atomic. So no lock can be held by a thread that doesn't exist after a fork.

An event loop is asyncio's, or a run of trio.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, Union

import anyio

from bearward import _native
from bearward._driver.http_library import is_http_client
from bearward._driver.turns import Turns
from bearward.types import HttpClient

if TYPE_CHECKING:
    import ssl
    from concurrent.futures import ThreadPoolExecutor

# How many calls of a sync resolver may run at once, per event loop. Threads are started when needed.
RESOLVER_THREADS = 16


class PerLoop:
    """Has a `Loop` for each event loop. Event loops may run in several threads.

    Args:
        timeout: For single network operations, seconds.
        ca_file: More certificate authorities to trust.
        http_client: A client of the user's, or a function that makes one, instead of ours.
    """

    def __init__(
        self,
        timeout: float,
        ca_file: Optional[Union[str, os.PathLike[str]]] = None,
        http_client: Union[HttpClient, Callable[[], HttpClient], None] = None,
    ) -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._given = http_client
        # Not a weak dict: each value refers to its key, so no entry would ever go. Closed loops are removed instead.
        self._loops: dict[Any, Loop] = {}
        self._tls: Optional[ssl.SSLContext] = None

    async def current(self) -> Loop:
        """The `Loop` of the running event loop. This doesn't wait for anything."""
        trio = running_trio()
        running = asyncio.get_running_loop() if trio is None else trio.lowlevel.current_trio_token()
        kept = self._loops.get(running)
        if kept is None:
            for loop in list(self._loops):
                # trio always takes the steps that remove its own.
                if isinstance(loop, asyncio.AbstractEventLoop) and loop.is_closed():
                    self._loops.pop(loop, None)
            kept = self._loops[running] = Loop(self, running, trio)
            await kept.open()
        return kept

    @property
    def owns_clients(self) -> bool:
        """Whether they are ours to close."""
        return self._given is None or callable(self._given)

    def new_client(self) -> HttpClient:
        """A client of its own pool, or the one that the user gave. The trust of ours: see `trust.py`."""
        if self._given is None:
            # Only here: an app that starts, or whose documents come from elsewhere, needs no httpx.
            from bearward._driver.transport import new_client

            return new_client(self._tls_context, self._timeout)
        client: Any = self._given() if callable(self._given) else self._given
        if not is_http_client(client):
            raise TypeError(f"http_client made a {type(client).__name__}, which is no AsyncClient")
        made: HttpClient = client
        return made

    def forget(self, loop: Loop) -> None:
        """Drop the state of a loop that shuts down."""
        for running in list(self._loops):
            if self._loops.get(running) is loop:
                del self._loops[running]

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            # Loading the certificates takes tens of milliseconds, and all loops can share them. If two loops do it at
            # once, that does no harm.
            from bearward._driver.trust import tls_context

            self._tls = tls_context(self._ca_file)
        return self._tls


class Pending:
    """The outcome of a job, which any number of callers wait for. One that gives up waiting doesn't end the job."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._value: Any = None
        self._error: Optional[BaseException] = None

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._event.is_set()

    def finish(self, value: Any = None, error: Optional[BaseException] = None) -> None:
        """Give the outcome to all waiting callers. Only the first one counts."""
        if not self.is_done:
            self._value, self._error = value, error
            self._event.set()

    async def wait(self) -> Any:
        """The value; or the error is raised."""
        await self._event.wait()
        if self._error is not None:
            raise self._error
        return self._value


class Flight:
    """A running fetch of a document, which any number of callers wait for.

    Attributes:
        needed: The document, as the first caller needs it.
        past_caches: Whether a caller needs a newer document than a shared cache can have.
        began: When, by the monotonic clock.
        finished: Done when the engine has the document, or knows that there is none.
    """

    def __init__(self, needed: _native.DocumentNeeded, began: float) -> None:
        self.needed = needed
        self.past_caches = needed.past_caches
        self.began = began
        self.finished = Pending()


class Loop:
    """The state of one event loop. Used by that loop's tasks only."""

    def __init__(self, owner: PerLoop, running: Any, trio: Any) -> None:
        self.flights: dict[tuple[str, str], Flight] = {}
        self.exchanges: dict[bytes, Pending] = {}
        self.introspections: dict[bytes, Pending] = {}
        self.questions: dict[str, Pending] = {}
        self.turns = Turns(RESOLVER_THREADS)
        self._owner = owner
        self._running = running
        self._trio = trio
        self._tasks: set[asyncio.Task[Any]] = set()
        self._client: Optional[HttpClient] = None
        self._threads: Optional[ThreadPoolExecutor] = None
        self._closer: Optional[AsyncIterator[None]] = None

    async def open(self) -> None:
        """Arrange that this state is closed when the loop shuts down."""
        self._closer = self._close_with_loop()
        await self._closer.__anext__()

    def client(self) -> HttpClient:
        """The pooled client of this loop."""
        if self._client is None:
            self._client = self._owner.new_client()
        return self._client

    def prepare(self) -> float:
        """Make the client, which may import an HTTP library, and return how long that took, seconds."""
        if self._client is not None:
            return 0.0
        begun = time.monotonic()
        # If the client can't be made, the fetch finds that out, and says it where fetches say why they failed.
        with contextlib.suppress(Exception):
            self.client()
        return time.monotonic() - begun

    @contextlib.asynccontextmanager
    async def another_client(self) -> AsyncIterator[HttpClient]:
        """One without a connection that was used before; or else the one that the user gave."""
        client = self._owner.new_client()
        try:
            yield client
        finally:
            if self._owner.owns_clients:
                await client.aclose()

    def in_thread(self, work: Callable[[], Any], done: Callable[[], None]) -> Pending:
        """Call a function that may block, in a thread.

        `done` is called on the loop once the function has returned, even if nobody waits for it any longer.
        """
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            # Not the loop's own: these look up hosts, and must not all be busy.
            self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="bearward-resolver")
        pending = Pending()

        def finish(value: Any, error: Optional[BaseException]) -> None:
            done()
            pending.finish(value, error)

        def run() -> None:
            value, error = None, None
            try:
                value = work()
            except BaseException as raised:  # noqa: BLE001 - whoever waits raises it
                error = raised
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                self._soon(finish, value, error)

        self._threads.submit(run)
        return pending

    def begin(
        self, work: Coroutine[Any, Any, Any], done: Callable[[Any, Optional[BaseException]], None]
    ) -> Callable[[], None]:
        """Start a job in the background. It ends when the loop does, at the latest.

        Args:
            work: What to do.
            done: Is called with its value, or its error, also if the job was cancelled.

        Returns:
            A function that cancels the job; it does nothing if the job is done.
        """
        return self._begin_asyncio(work, done) if self._trio is None else self._begin_trio(work, done)

    def _begin_asyncio(
        self, work: Coroutine[Any, Any, Any], done: Callable[[Any, Optional[BaseException]], None]
    ) -> Callable[[], None]:
        task = asyncio.ensure_future(work)
        # If the loop is closed without its shutdown steps, asyncio must not warn about this task. `asyncio.gather` sets
        # this attribute for the same reason.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._tasks.add(task)

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.discard(task)
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            done(None if error is not None else task.result(), error)

        task.add_done_callback(ended)
        return lambda: None if task.done() else _ignore(task.cancel())

    def _begin_trio(
        self, work: Coroutine[Any, Any, Any], done: Callable[[Any, Optional[BaseException]], None]
    ) -> Callable[[], None]:
        scope = self._trio.CancelScope()

        async def job() -> None:
            value: Any = None
            error: Optional[BaseException] = None
            try:
                with scope:
                    value = await work
                if scope.cancelled_caught:
                    error = asyncio.CancelledError()
            except self._trio.Cancelled:
                done(None, RuntimeError("the event loop ends"))
                raise
            except BaseException as raised:  # noqa: BLE001 - whoever waits raises it; trio would end the whole run
                error = raised
            done(value, error)

        # trio stops these when its main task ends. Nothing else outlives the request that starts it.
        self._trio.lowlevel.spawn_system_task(job, context=contextvars.copy_context())
        return lambda: _ignore(scope.cancel())

    def _soon(self, call: Callable[..., None], *values: Any) -> None:
        """Call on this loop, from any thread.

        Raises:
            RuntimeError: the loop has ended.
        """
        if self._trio is None:
            self._running.call_soon_threadsafe(call, *values)
        else:
            self._running.run_sync_soon(call, *values)

    async def _close_with_loop(self) -> AsyncIterator[None]:
        # There is no callback for "the loop is closing". But asyncio.run, uvicorn and FastAPI's TestClient end with
        # `loop.shutdown_asyncgens()`, which closes every async generator that was started on the loop: this one too. So
        # does trio.
        try:
            yield
        finally:
            self._owner.forget(self)
            under_way = list(self._tasks)
            for task in under_way:
                task.cancel()
            if under_way:
                await asyncio.gather(*under_way, return_exceptions=True)
            if self._threads is not None:
                self._threads.shutdown(wait=False)
            client, self._client = self._client, None
            if client is not None and self._owner.owns_clients:
                # trio cancels what a generator waits for at its end; connections have to be closed all the same.
                with anyio.CancelScope(shield=True) if self._trio is not None else contextlib.nullcontext():
                    await client.aclose()


class Deadline:
    """A time limit for the body of a `with` statement: raises `asyncio.TimeoutError` in it when the time is over.

    `asyncio.wait_for` before Python 3.12 makes a task, which could be left over when a loop is closed. This makes none.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._scope: Optional[anyio.CancelScope] = None

    @property
    def expired(self) -> bool:
        """Whether the time was over."""
        return self._scope is not None and self._scope.cancel_called

    def __enter__(self) -> Deadline:
        self._scope = anyio.CancelScope(deadline=anyio.current_time() + max(0.0, self._seconds))
        self._scope.__enter__()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        assert self._scope is not None  # noqa: S101 - entered
        if kind is GeneratorExit:
            # The loop was closed without its shutdown steps, and there is no task any more.
            return
        # trio says that it took care of no error, too.
        if self._scope.__exit__(kind, error, trace) and kind is not None:
            raise asyncio.TimeoutError from error


def running_trio() -> Any:
    """The module `trio` in a task of trio; `None` elsewhere. It isn't imported: who runs trio has done that."""
    trio = sys.modules.get("trio")
    # Another thread may be importing it just now: the module is there before its parts are.
    lowlevel = getattr(trio, "lowlevel", None)
    if lowlevel is None:
        return None
    try:
        lowlevel.current_task()
    except RuntimeError:
        return None
    return trio


def _ignore(_: object) -> None:
    """For calls whose result says nothing."""
