"""Caches for discovery documents and key sets, which several processes or hosts can share.

Each guard keeps the documents it uses in memory. With a shared cache, not every process has to fetch them from the
issuer. The cache is read when a document is missing or gets old: every few seconds, not for every request.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Any, Optional, Union


class CacheAdapter(ABC):
    """A store for parsed JSON documents; implement it to keep them outside the process.

    Keys are the normalised issuer URL and the `jwks_uri`; values are JSON-serialisable dicts. Documents from the store
    are checked like documents from the network. Even so, anybody with write access to the store decides which signing
    keys are accepted.

    Its methods block the event loop: a store that is reached over a network should be an `AsyncCacheAdapter`. An
    exception counts as a miss. For a token that names an unknown key, the issuer is asked, not the store.
    """

    @abstractmethod
    def get(self, key: str) -> Optional[Any]:
        """The value of `key`, or `None` if there is none or it has expired."""

    @abstractmethod
    def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`; forever if that is `None`."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything."""


class AsyncCacheAdapter(ABC):
    """A `CacheAdapter` that doesn't block the event loop. An answer after more than a second counts as a miss."""

    @abstractmethod
    async def get(self, key: str) -> Optional[Any]:
        """The value of `key`, or `None` if there is none or it has expired."""

    @abstractmethod
    async def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`; forever if that is `None`."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget everything."""


class InMemoryCache(CacheAdapter):
    """A cache in this process, for any number of threads. When it is full, the least recently used entry is dropped.

    Expiry doesn't depend on the system's clock: it is measured with a monotonic one.

    Args:
        max_entries: How many entries are kept, at least 1.

    Raises:
        ValueError: `max_entries` is not a positive integer.
    """

    def __init__(self, max_entries: int = 100) -> None:
        entries: object = max_entries
        if not isinstance(entries, int) or entries < 1:
            raise ValueError("max_entries must be a positive integer")
        self._max_entries = max_entries
        self._entries: OrderedDict[str, tuple[Any, Optional[float]]] = OrderedDict()
        # Not before then expired entries are looked for.
        self._next_sweep = 0.0
        self._lock = threading.Lock()
        _caches.add(self)

    def get(self, key: str) -> Optional[Any]:
        """The value of `key`, or `None` if there is none or it has expired."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            value, expires = entry
            if expires is not None and time.monotonic() >= expires:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return value

    def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`; forever if that is `None`."""
        now = time.monotonic()
        expires = None if ttl_seconds is None else now + ttl_seconds
        with self._lock:
            self._sweep(now)
            self._entries[key] = (value, expires)
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

    def _sweep(self, now: float) -> None:
        """Drop the entries that have expired: every second at most, since it looks at all of them."""
        if now >= self._next_sweep:
            self._next_sweep = now + 1.0
            for key in [key for key, (_, expires) in self._entries.items() if expires is not None and now >= expires]:
                del self._entries[key]

    def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


_caches: weakref.WeakSet[InMemoryCache] = weakref.WeakSet()


def _renew_locks() -> None:
    # A thread may have held a lock during the fork. The new process doesn't have that thread: nothing would release it.
    for cache in _caches:
        cache._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
