"""Stores of used DPoP proofs, for APIs that run in several processes. RFC 9449 section 11.1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import redis.asyncio


@runtime_checkable
class ReplayStore(Protocol):
    """A memory of used proofs that several workers or hosts share.

    Security contract: of all calls with the same key, from all workers, exactly one returns true until the key
    expires. So looking up and writing the key are one atomic step, and keys are not evicted early to make room. A
    wrong true lets a replayed proof through; a wrong false refuses a good request. If the store doesn't know, it
    raises: the option `on_store_error` decides what happens then.
    """

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """Remember `key` for `ttl_seconds`; true if it was not remembered before, false if it was.

        Args:
            key: A hash of 32 bytes, from which nothing about the client or its proof can be learnt.
            ttl_seconds: How long a replay is possible, more than 0. Remembering the key for longer does no harm.

        Raises:
            Exception: the store doesn't know. Any exception counts as a failure of the store.
        """
        ...


class RedisReplayStore:
    """Remembers used proofs in Redis: one `SET key 1 NX PX ttl` for each. Needs `bearward[redis]`.

    The server must not evict keys before their time: with a `maxmemory-policy` other than `noeviction`, or with
    asynchronous replication and a failover, used proofs can be forgotten and used again.

    A client of redis-py can be used by one event loop only. So make one store, and one guard, for each event loop; an
    app has one event loop per worker.

    Args:
        client: A `redis.asyncio.Redis`. The store doesn't close it.
        prefix: All keys in Redis start with this. It is the same for all workers of an API. If a request passes guards
            of two APIs, they need different prefixes: or else the second guard refuses the proof as used.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str = "bearward:dpop:") -> None:
        self._client = client
        self._prefix = prefix.encode()

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """See `ReplayStore.remember`."""
        # Rounded up: Redis must not forget a key too early, and it refuses a time of 0.
        milliseconds = max(1, math.ceil(ttl_seconds * 1000))
        answer = await self._client.set(self._prefix + key.hex().encode(), b"1", nx=True, px=milliseconds)
        return answer is not None
