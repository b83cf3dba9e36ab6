"""Discovery documents and key sets in Redis."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Optional, Union

from bearward.cache import AsyncCacheAdapter

if TYPE_CHECKING:
    import redis.asyncio


class RedisCache(AsyncCacheAdapter):
    """Keeps documents in Redis, as JSON that expires. Needs `bearward[redis]`.

    While Redis doesn't answer, documents are fetched from the issuer. Anybody with write access to Redis decides which
    signing keys are accepted: protect it with a password, and with TLS if it is not on this host.

    A client of redis-py can be used by one event loop only. So make one cache, and one guard, for each event loop; an
    app has one event loop per worker.

    Args:
        client: A `redis.asyncio.Redis`. The cache doesn't close it.
        prefix: All keys in Redis start with this. `clear` deletes the keys that do.
    """

    def __init__(self, client: redis.asyncio.Redis, prefix: str = "bearward:1:documents:") -> None:
        self._client = client
        self._prefix = prefix

    async def get(self, key: str) -> Optional[Any]:
        """The value of `key`, or `None` if there is none or it has expired."""
        text = await self._client.get(self._prefix + key)
        return None if text is None else json.loads(text)

    async def set(self, key: str, value: Any, ttl_seconds: Optional[Union[int, float]] = None) -> None:
        """Keep `value` for `ttl_seconds`, at least one second; forever if that is `None`."""
        # Redis refuses a time of 0.
        expires = None if ttl_seconds is None else max(1, int(ttl_seconds))
        await self._client.set(self._prefix + key, json.dumps(value), ex=expires)

    async def delete(self, key: str) -> None:
        """Forget `key`. Not an error if it is not there."""
        await self._client.delete(self._prefix + key)

    async def clear(self) -> None:
        """Forget everything under this prefix."""
        pattern = re.sub(r"([*?\[\]\\])", r"\\\1", self._prefix) + "*"
        async for name in self._client.scan_iter(match=pattern, count=1000):
            await self._client.delete(name)
