"""An event loop in a thread, for callers that have none: WSGI apps, scripts."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import weakref
from collections.abc import Coroutine
from typing import Any, Callable, TypeVar

_T = TypeVar("_T")


class _Forks:
    """How often the ancestors of this process, and it itself as a child, were forked: differs from that of its parent.

    Not the process's number: a system uses these again.
    """

    def __init__(self) -> None:
        self.count = 0
        # Windows has no forks.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.count += 1


_forks = _Forks()


class BackgroundLoop:
    """Runs coroutines in one event loop for all threads. It starts with the first one, and again after a fork."""

    def __init__(self) -> None:
        # By forks. No lock: one that another thread holds at a fork would never be free again.
        self._loops: dict[int, asyncio.AbstractEventLoop] = {}

    def run(self, work: Callable[[], Coroutine[Any, Any, _T]], seconds: float) -> _T:
        """The value of a coroutine, or the error that it raises.

        Args:
            work: Makes the coroutine, which is run with the context variables of the caller.
            seconds: How long the caller waits. The coroutine is cancelled then.

        Raises:
            TimeoutError: that was too short.
        """
        loop = self._loop()
        future = asyncio.run_coroutine_threadsafe(work(), loop)
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            # The coroutine may have raised one of its own.
            if future.done():
                raise
        future.cancel()
        raise TimeoutError

    def _loop(self) -> asyncio.AbstractEventLoop:
        forks = _forks.count
        loop = self._loops.get(forks)
        if loop is not None and loop.is_closed():
            # Something stopped it. Another begins.
            self._loops.pop(forks, None)
            loop = None
        if loop is None:
            mine = asyncio.SelectorEventLoop()
            # Of several threads that come here at once, one wins.
            loop = self._loops.setdefault(forks, mine)
            if loop is mine:
                self._start(mine, forks)
            else:
                mine.close()
        return loop

    def _start(self, loop: asyncio.AbstractEventLoop, forks: int) -> None:
        # A daemon: a program must be able to end without knowing of it. It keeps nothing alive but the loop.
        thread = threading.Thread(target=_serve, args=(loop,), name="bearward", daemon=True)
        thread.start()
        # When this object goes, or the program ends.
        weakref.finalize(self, _stop, loop, thread, forks)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        # Closes what `loops.py` keeps for this loop.
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop, thread: threading.Thread, forks: int) -> None:
    # In a child, the loop of its parent is left alone: both processes have its sockets.
    if forks == _forks.count and not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
        # The last reference may go in that thread.
        if thread is not threading.current_thread():
            thread.join(1)
