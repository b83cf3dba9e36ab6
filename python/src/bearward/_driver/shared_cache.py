"""The cache that several processes share: asked with a time limit, and its documents are checked like any other."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, Optional, Union

from bearward import _native
from bearward._driver.health import Health
from bearward._driver.loops import Deadline

if TYPE_CHECKING:
    from bearward.cache import AsyncCacheAdapter, CacheAdapter

# A slower cache is no help: an issuer answers within tenths of a second.
_TIMEOUT_SECONDS = 1.0


class SharedCache:
    """Documents in the deployer's cache adapter. Any failure there is logged, and counts as a miss.

    Args:
        adapter: One that isn't async is called on the event loop, as in the SDK that Bearward replaces.
    """

    def __init__(self, adapter: Union[CacheAdapter, AsyncCacheAdapter]) -> None:
        self._adapter = adapter
        self._health = Health()

    async def find(self, needed: _native.DocumentNeeded, seconds: float) -> Optional[bytes]:
        """The document as JSON, for the engine to check; `None` if there is none within `seconds`."""
        deadline = Deadline(max(0.0, min(seconds, _TIMEOUT_SECONDS)))
        try:
            with deadline:
                body = _serialised(await _awaited(self._adapter.get(_key(needed))))
        except Exception as error:  # noqa: BLE001 - an adapter and its network may raise anything
            self._failed("get", error, deadline)
            return None
        self._works("get")
        return body

    def judged(self, needed: _native.DocumentNeeded, problem: Optional[str]) -> None:
        """Log whether the engine could use the document that was found."""
        thing = (needed.issuer, needed.url)
        if problem is None:
            self._health.works(thing, f"the cache adapter holds a usable {needed.kind} document again")
        else:
            self._health.failed(thing, f"the cache adapter holds an unusable {needed.kind} document", problem)

    async def keep(self, needed: _native.DocumentNeeded, body: bytes, ttl_seconds: int) -> None:
        """Store a document that the engine could use."""
        deadline = Deadline(_TIMEOUT_SECONDS)
        try:
            with deadline:
                await _awaited(self._adapter.set(_key(needed), json.loads(body), ttl_seconds=ttl_seconds))
        except Exception as error:  # noqa: BLE001 - an adapter and its network may raise anything
            self._failed("set", error, deadline)
        else:
            self._works("set")

    def _failed(self, call: str, error: Exception, deadline: Deadline) -> None:
        reason = "no answer in time" if deadline.expired else f"{type(error).__name__}: {error}"
        self._health.failed(call, f"the cache adapter's {call} failed", reason)

    def _works(self, call: str) -> None:
        self._health.works(call, f"the cache adapter's {call} works again")


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
