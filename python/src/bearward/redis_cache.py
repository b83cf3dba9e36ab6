"""Discovery documents and key sets in Redis."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from bearward._driver import redis_clients
from bearward.cache import AsyncCacheAdapter

if TYPE_CHECKING:
    import redis.asyncio

_PREFIX = "bearward:1:documents:"
# As in the engine's `limits::STALE_AT_MOST`: so long a document may be used while its issuer can't be reached.
_STALE_SECONDS = 24 * 60 * 60
# A worker that fetches for all others does it within this time, or others fetch, too.
_CLAIM_MILLISECONDS = 2000
# A few documents every few minutes.
_CONNECTIONS = 8


class Entry(NamedTuple):
    """A document as it was put into the cache.

    Attributes:
        document: The parsed JSON.
        fetched: When, Unix time.
        is_fresh: Whether its time is not over. Later it is only for an outage of the issuer.
    """

    document: Any
    fetched: float
    is_fresh: bool


class RedisCache(AsyncCacheAdapter):
    """Keeps documents in Redis, as JSON that expires. Needs `bearward[redis]`.

    One worker fetches a document for all. It is kept for a day, so that a worker that is started while the issuer can't
    be reached has one, too. While Redis doesn't answer, each worker fetches by itself. Anybody with write access to
    Redis decides which signing keys are accepted: protect it with a password, and with TLS if it is not on this host.

    A client of redis-py can be used by one event loop only. So make one cache, and one guard, for each event loop; an
    app has one event loop per worker.

    Args:
        client: A `redis.asyncio.Redis` or `redis.asyncio.RedisCluster`. The cache doesn't close it.
        prefix: All keys in Redis start with this. `clear` deletes the keys that do.
    """

    def __init__(self, client: Union[redis.asyncio.Redis, redis.asyncio.RedisCluster], prefix: str = _PREFIX) -> None:
        self._client: Any = client
        self._owns_client = False
        self._prefix = prefix

    @classmethod
    def from_url(cls, url: str, prefix: str = _PREFIX, *, timeout: float = 1.0, **settings: Any) -> RedisCache:
        """A cache on one server, with a client of its own. The arguments are those of `RedisReplayStore.from_url`."""
        return cls(redis_clients.from_url(url, timeout, _CONNECTIONS, settings)[0], prefix)._owning()

    @classmethod
    def from_sentinel(
        cls,
        sentinels: Sequence[tuple[str, int]],
        service: str,
        prefix: str = _PREFIX,
        *,
        timeout: float = 1.0,
        **settings: Any,
    ) -> RedisCache:
        """A cache on the master that sentinels name. The arguments are those of `RedisReplayStore.from_sentinel`."""
        client = redis_clients.from_sentinel(sentinels, service, timeout, _CONNECTIONS, settings)[0]
        return cls(client, prefix)._owning()

    @classmethod
    def from_cluster(cls, url: str, prefix: str = _PREFIX, *, timeout: float = 1.0, **settings: Any) -> RedisCache:
        """A cache on a cluster. The arguments are those of `RedisReplayStore.from_cluster`."""
        return cls(redis_clients.from_cluster(url, timeout, _CONNECTIONS, settings)[0], prefix)._owning()

    async def get(self, key: str) -> Optional[Any]:
        """The value of `key`, or `None` if there is none or it has expired."""
        entry = await self.entry(key)
        return entry.document if entry is not None and entry.is_fresh else None

    async def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`, at least one second; forever if that is `None`."""
        now = time.time()
        fresh_until = None if ttl_seconds is None else now + max(1.0, ttl_seconds)
        text = json.dumps({"document": value, "fetched": now, "fresh_until": fresh_until})
        expires = None if ttl_seconds is None else max(_STALE_SECONDS, math.ceil(ttl_seconds))
        await self._client.set(self._prefix + key, text, ex=expires)

    async def entry(self, key: str) -> Optional[Entry]:
        """The entry of `key`, fresh or not; `None` if there is none."""
        text = await self._client.get(self._prefix + key)
        if text is None:
            return None
        kept = json.loads(text)
        fetched, fresh_until = float(kept["fetched"]), kept["fresh_until"]
        return Entry(kept["document"], fetched, fresh_until is None or time.time() < float(fresh_until))

    async def claim(self, key: str) -> bool:
        """Whether the caller is the one to fetch the document. The others can wait for it shortly."""
        name = f"{self._prefix}claim:{key}"
        return await self._client.set(name, "1", nx=True, px=_CLAIM_MILLISECONDS) is True

    async def release(self, key: str) -> None:
        """The document was fetched: the next one to need a newer one may fetch."""
        # It ends at once. So a user that may only SET and GET is enough.
        await self._client.set(f"{self._prefix}claim:{key}", "1", px=1)

    async def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""
        await self._client.delete(self._prefix + key)

    async def clear(self) -> None:
        """Forget everything under this prefix."""
        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self._prefix) + "*"
        async for name in self._client.scan_iter(match=pattern, count=1000):
            await self._client.delete(name)

    async def aclose(self) -> None:
        """Close the client if the cache has made it."""
        if self._owns_client:
            await redis_clients.close(self._client)

    def _owning(self) -> RedisCache:
        self._owns_client = True
        return self
