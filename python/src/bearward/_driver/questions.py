"""Questions to a server over a pool of connections: a bounded number at once, and none is dropped half-way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Callable, Optional, TypeVar

from bearward._driver.loops import Deadline

_Answer = TypeVar("_Answer")


class Questions:
    """Asks questions. If the caller gives up, its question goes on and ends by itself.

    A client of redis-py drops the connection of a question that is cancelled, because an answer may still come. A new
    connection costs more than the answer, most of all with TLS. So a question isn't cancelled with its caller. While it
    runs, it counts: if the server hangs, `most` questions wait for it, and all others wait for their turn.

    Args:
        most: How many questions may run at once.
        seconds: After this time a question is cancelled, even if the client has no time limit.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._turns: Optional[asyncio.Semaphore] = None
        self._running: set[asyncio.Future[Any]] = set()
        self.last_failure: Optional[str] = None

    @property
    def running(self) -> int:
        """How many questions run now."""
        return len(self._running)

    async def ask(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        """The answer to `question`, once it is its turn."""
        turns = self._turns_here()
        await turns.acquire()
        task = asyncio.ensure_future(self._limited(question))
        # If the loop is closed without its shutdown steps, asyncio must not warn about this task.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        self._running.add(task)
        task.add_done_callback(lambda done: self._ended(done, turns))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Cancel the questions that still run."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _turns_here(self) -> asyncio.Semaphore:
        # Made on first use: before Python 3.10 a semaphore belongs to the loop that it was made in.
        loop = asyncio.get_running_loop()
        if self._turns is None or self._loop is not loop:
            self._loop, self._turns, self._running = loop, asyncio.Semaphore(self._most), set()
        return self._turns

    async def _limited(self, question: Callable[[], Awaitable[_Answer]]) -> _Answer:
        with Deadline(self._seconds):
            return await question()

    def _ended(self, task: asyncio.Future[Any], turns: asyncio.Semaphore) -> None:
        self._running.discard(task)
        turns.release()
        if task.cancelled():
            return
        # If nobody waits for it any more, asyncio must not say that its exception was lost.
        error = task.exception()
        self.last_failure = None if error is None else _cause(error)


def _cause(error: BaseException) -> Optional[str]:
    """What went wrong. A client that tries again and again hides that behind our time limit."""
    within: Optional[BaseException] = error
    while isinstance(within, (asyncio.TimeoutError, asyncio.CancelledError)):
        within = within.__cause__ or within.__context__
    return None if within is None else f"{type(within).__name__}: {within}"
