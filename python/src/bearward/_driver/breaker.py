"""Remembers that a store fails, so that requests need not wait for it again and again."""

from __future__ import annotations

import math
import random
from typing import Callable

# So many failures in a row open the breaker, if there was no good answer for so long. Failures that come at once cost
# nothing, so there may be more of them. A cluster with one dead master still answers most questions: it must not be
# given up.
_SLOW_FAILURES = 3
_FAILURES = 20
_SILENCE_SECONDS = 0.5
# How long after a failure the next probe may start: so much, and up to as much again by chance, so that not all
# workers ask at the same moment.
_PROBE_SECONDS = 0.25
# A probe that has not ended by then was lost with its event loop.
_PROBE_LOST_SECONDS = 30.0


class Breaker:
    """Open while a store fails: then nobody asks it, except for one probe at a time.

    Safe from many threads: at worst one question or one probe more is asked.

    Args:
        clock: A monotonic clock, seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = self._slow_failures = 0
        self._last_success = -math.inf
        self._next_probe = -math.inf
        self.is_open = False

    def succeeded(self) -> None:
        """The store has answered."""
        self._failures = self._slow_failures = 0
        self._last_success = self._clock()
        self.is_open = False

    def failed(self, *, slow: bool) -> None:
        """The store has not answered a question or a probe; `slow` if that took all the time there was."""
        self._failures += 1
        self._slow_failures += slow
        now = self._clock()
        many = self._slow_failures >= _SLOW_FAILURES or self._failures >= _FAILURES
        if many and now - self._last_success >= _SILENCE_SECONDS:
            self.is_open = True
        self._next_probe = now + _PROBE_SECONDS * (1 + random.random())  # noqa: S311 - nothing secret

    def take_probe(self) -> bool:
        """Whether the caller is to probe the store now. Then it reports how that ended."""
        now = self._clock()
        if not self.is_open or now < self._next_probe:
            return False
        self._next_probe = now + _PROBE_LOST_SECONDS
        return True
