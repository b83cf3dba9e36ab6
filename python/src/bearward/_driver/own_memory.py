"""Used proofs of this process alone, for the time while the shared store fails."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Callable

# Entries are forgotten in groups that end within the same seconds.
_GROUP_SECONDS = 10


class OwnMemory:
    """Remembers keys until they expire. Safe from many threads.

    Args:
        clock: A monotonic clock, seconds.
        most: How many keys are kept. A key takes some 100 bytes.
    """

    def __init__(self, clock: Callable[[], float], most: int = 500_000) -> None:
        self._clock = clock
        self._most = most
        self._groups: OrderedDict[int, set[bytes]] = OrderedDict()
        self._kept = 0
        self._lock = threading.Lock()

    def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """Whether the key is new.

        Raises:
            MemoryError: there is no room for another key. Nothing is forgotten early.
        """
        now = self._clock()
        with self._lock:
            self._forget_before(now)
            if any(key in group for group in self._groups.values()):
                return False
            if self._kept >= self._most:
                raise MemoryError(f"this process remembers {self._most} proofs already")
            self._groups.setdefault(int((now + ttl_seconds) // _GROUP_SECONDS), set()).add(key)
            self._kept += 1
            return True

    def _forget_before(self, now: float) -> None:
        for number in [number for number in self._groups if (number + 1) * _GROUP_SECONDS <= now]:
            self._kept -= len(self._groups.pop(number))
