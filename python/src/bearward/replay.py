"""Who remembers which DPoP proofs were used, where one process alone can't know. RFC 9449 section 11.1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import redis.asyncio


@runtime_checkable
class ReplayStore(Protocol):
    """A memory of used proofs that several workers or hosts share.

    Security contract. Of any number of calls with one key within its time, made anywhere, exactly one is answered
    true: look-up and entry are one atomic step. A wrong "new" (true) lets a replayed proof through; a wrong "seen"
    (false) denies one request. So where the store can't know, it raises: what happens then is `on_store_error`'s to
    say. It must not forget a key before its time to make room for others.
    """

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """Remember `key` for `ttl_seconds`; true if it was not remembered before, false if it was.

        Args:
            key: 32 bytes, a hash: it tells nothing of the client or its proof.
            ttl_seconds: For how long a replay would be possible, more than 0. Longer does no harm.

        Raises:
            Exception: it can't be told. Whatever is raised counts as a failure of the store.
        """
        ...


class RedisReplayStore:
    """Remembers used proofs in Redis: one `SET key 1 NX PX ttl` for each. Needs `bearward[redis]`.

    The server must not evict keys before their time: with a `maxmemory-policy` other than `noeviction`, or with
    asynchronous replication and a failover, used proofs can be forgotten and used again.

    A client of redis-py belongs to the event loop that used it first. So make one store, and one guard, for each event
    loop; an app has one per worker.

    Args:
        client: Of redis-py, `redis.asyncio.Redis`. Yours: it is not closed here.
        prefix: What the keys in Redis start with. The same for all workers of an API. Guards of two APIs that one
            request has to pass need two: or else the second finds the proof used by the first.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str = "bearward:dpop:") -> None:
        self._client = client
        self._prefix = prefix.encode()

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """See `ReplayStore.remember`."""
        # Rounded up: Redis must not forget earlier than it was told, and refuses a time of 0.
        milliseconds = max(1, math.ceil(ttl_seconds * 1000))
        answer = await self._client.set(self._prefix + key.hex().encode(), b"1", nx=True, px=milliseconds)
        return answer is not None
