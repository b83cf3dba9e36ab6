"""Where discovery documents and key sets can be kept, for several processes or hosts together.

A guard keeps the documents it uses itself; a cache beside it spares the issuer the fetches of every process. It is
asked when a document is wanted and when one gets old: every few seconds, not for every request.
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

    Keys are the normalised issuer URL and the `jwks_uri`; values are JSON-serialisable dicts. What comes out of the
    store is checked like what comes from the network, but nobody can tell who put it there: whoever can write to the
    store decides which keys are accepted.

    It is called on the event loop, which waits meanwhile: one that talks to a network should be an `AsyncCacheAdapter`.
    Whatever it raises counts as a miss. A token that names an unknown key is not looked up here, but at the issuer.
    """

    @abstractmethod
    def get(self, key: str) -> Optional[Any]:
        """The value kept under `key`, or `None` if there is none or its time is over."""

    @abstractmethod
    def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`; without limit if that is `None`."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""

    @abstractmethod
    def clear(self) -> None:
        """Forget everything."""


class AsyncCacheAdapter(ABC):
    """A `CacheAdapter` that the event loop doesn't wait for. An answer that takes longer than a second is a miss."""

    @abstractmethod
    async def get(self, key: str) -> Optional[Any]:
        """The value kept under `key`, or `None` if there is none or its time is over."""

    @abstractmethod
    async def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`; without limit if that is `None`."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""

    @abstractmethod
    async def clear(self) -> None:
        """Forget everything."""


class InMemoryCache(CacheAdapter):
    """A cache in this process: least recently used out first, a time to live per entry. Safe from many threads.

    Time is monotonic: setting the system's clock neither shortens nor lengthens a life.

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
        self._lock = threading.Lock()
        _caches.add(self)

    def get(self, key: str) -> Optional[Any]:
        """The value kept under `key`, or `None` if there is none or its time is over."""
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
        """Keep `value` for `ttl_seconds`; without limit if that is `None`."""
        expires = None if ttl_seconds is None else time.monotonic() + ttl_seconds
        with self._lock:
            self._entries[key] = (value, expires)
            self._entries.move_to_end(key)
            if len(self._entries) > self._max_entries:
                self._entries.popitem(last=False)

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
    # A thread that held one when the process was forked is not there to release it.
    for cache in _caches:
        cache._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
