"""The cache that several processes share: asked with a time limit, and its documents are checked like any other."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Union

from bearward import _native
from bearward._driver.health import Health
from bearward._driver.loops import Deadline
from bearward.redis_cache import Entry, RedisCache

if TYPE_CHECKING:
    from bearward.cache import AsyncCacheAdapter, CacheAdapter

# A slower cache is no help: an issuer answers within tenths of a second.
_TIMEOUT_SECONDS = 1.0
# How long to wait for a document that another worker fetches, and how often to look.
_PATIENCE_SECONDS = 0.7
_POLL_SECONDS = 0.03


class Found(NamedTuple):
    """A document of the cache.

    Attributes:
        body: JSON.
        age: Seconds since it was fetched, if that matters.
        is_enough: Whether the issuer need not be asked.
    """

    body: bytes
    age: float
    is_enough: bool


class SharedCache:
    """Documents in the deployer's cache adapter. Any failure there is logged, and counts as a miss.

    Args:
        adapter: One that isn't async is called on the event loop, as in the SDK that Bearward replaces.
    """

    def __init__(self, adapter: Union[CacheAdapter, AsyncCacheAdapter]) -> None:
        self._adapter = adapter
        self._health = Health()
        # The keys of the documents that this process has had.
        self._had: set[str] = set()

    async def find(
        self, needed: _native.DocumentNeeded, seconds: float, needs_newer: Callable[[], bool]
    ) -> Optional[Found]:
        """The document, for the engine to check; `None` if there is none within `seconds`.

        Args:
            needed: The document.
            seconds: How long this may take.
            needs_newer: Whether the document must be newer than the one that this process has.
        """
        deadline = Deadline(max(0.0, min(seconds, _TIMEOUT_SECONDS)))
        try:
            with deadline:
                found = await self._find(needed, needs_newer)
        except Exception as error:  # noqa: BLE001 - an adapter and its network may raise anything
            self._failed("get", error, deadline)
            return None
        self._works("get")
        return found

    async def _find(self, needed: _native.DocumentNeeded, needs_newer: Callable[[], bool]) -> Optional[Found]:
        if isinstance(self._adapter, RedisCache):
            return await self._find_or_claim(self._adapter, _key(needed), needs_newer)
        # Other adapters don't say how old a document is.
        if needs_newer():
            return None
        body = _serialised(await _awaited(self._adapter.get(_key(needed))))
        return None if body is None or needs_newer() else Found(body, 0.0, is_enough=True)

    async def _find_or_claim(self, cache: RedisCache, key: str, needs_newer: Callable[[], bool]) -> Optional[Found]:
        """One worker fetches for all: the others wait shortly until it has put the document there."""
        end = time.monotonic() + _PATIENCE_SECONDS
        entry = first = await cache.entry(key)
        claimed = False
        while not _is_good(entry, first, needs_newer()):
            # Once: whoever doesn't get it then waits.
            claimed = claimed or (entry is first and await cache.claim(key))
            if claimed or time.monotonic() >= end:
                break
            await asyncio.sleep(_POLL_SECONDS)
            entry = await cache.entry(key)
        else:
            self._had.add(key)
            return None if entry is None else Found(_serialised(entry.document) or b"", 0.0, is_enough=True)
        # Only for a process that has none: another one's may be older than its own.
        if entry is None or key in self._had or needs_newer():
            return None
        return Found(_serialised(entry.document) or b"", max(0.0, time.time() - entry.fetched), is_enough=False)

    def judged(self, needed: _native.DocumentNeeded, problem: Optional[str]) -> None:
        """Log whether the engine could use the document that was found."""
        thing = (needed.issuer, needed.url)
        if problem is None:
            self._health.works(thing, f"the cache adapter holds a usable {needed.kind} document again")
        else:
            self._health.failed(thing, f"the cache adapter holds an unusable {needed.kind} document", problem)

    async def keep(self, needed: _native.DocumentNeeded, body: bytes, ttl_seconds: int) -> None:
        """Store a document that the engine could use."""
        self._had.add(_key(needed))
        deadline = Deadline(_TIMEOUT_SECONDS)
        try:
            with deadline:
                await _awaited(self._adapter.set(_key(needed), json.loads(body), ttl_seconds=ttl_seconds))
                if isinstance(self._adapter, RedisCache):
                    await self._adapter.release(_key(needed))
        except Exception as error:  # noqa: BLE001 - an adapter and its network may raise anything
            self._failed("set", error, deadline)
        else:
            self._works("set")

    def _failed(self, call: str, error: Exception, deadline: Deadline) -> None:
        reason = "no answer in time" if deadline.expired else f"{type(error).__name__}: {error}"
        self._health.failed(call, f"the cache adapter's {call} failed", reason)

    def _works(self, call: str) -> None:
        self._health.works(call, f"the cache adapter's {call} works again")


def _is_good(entry: Optional[Entry], first: Optional[Entry], needs_newer: bool) -> bool:
    """Whether the issuer need not be asked. Only what was put there after the first look is sure to be newer."""
    if entry is None or not needs_newer:
        return entry is not None and entry.is_fresh
    return entry is not first and (first is None or entry.fetched != first.fetched)


def _serialised(value: object) -> Optional[bytes]:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError(f"a {type(value).__name__} instead of a dict")
    return json.dumps(value).encode()


def _key(needed: _native.DocumentNeeded) -> str:
    return needed.issuer if needed.kind == "discovery" else needed.url


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
