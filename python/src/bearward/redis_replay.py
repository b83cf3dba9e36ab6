"""Used DPoP proofs in Redis, for APIs that run in several processes. RFC 9449 section 11.1."""

from __future__ import annotations

import inspect
import math
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from bearward._driver import redis_clients
from bearward._driver.questions import Questions
from bearward._driver.redis_values import FirstValues
from bearward._driver.redis_watch import RedisWatch

if TYPE_CHECKING:
    import redis.asyncio


# A client of redis-py opens a connection for each question that runs. Some versions refuse more than 100.
_QUESTIONS_AT_ONCE = 32
# How long a question may go on after its caller gave up.
_QUESTION_SECONDS = 3.0
_PREFIX = "bearward:1:dpop:"


class RedisReplayStore:
    """Remembers used proofs in Redis or Valkey: one `SET key value NX GET PX ttl` for each. Needs `bearward[redis]`.

    `from_url`, `from_sentinel` and `from_cluster` make a client with settings that hold in an outage. A client of your
    own works, too. `docs/how-to/several-machines.md` says how to set up the server, so that it forgets nothing, and
    `docs/reference/redis.md` specifies the keys and values.

    A client of redis-py can be used by one event loop only. So make one store, and one guard, for each event loop; an
    app has one event loop per worker.

    Args:
        client: A `redis.asyncio.Redis` or `redis.asyncio.RedisCluster`. The store doesn't close it.
        prefix: All keys in Redis start with this. It is the same for all workers of an API. If a request passes guards
            of two APIs, they need different prefixes: or else the second guard refuses the proof as used.
        replicas: A proof counts as remembered only when so many replicas have it (`WAIT`). Then a failover to one of
            them forgets nothing. While fewer answer, the store fails. Not for a cluster.

    Raises:
        TypeError: `client` is not an async client, or it is a pipeline.
        ValueError: `replicas` with a cluster.
    """

    def __init__(
        self,
        client: Union[redis.asyncio.Redis, redis.asyncio.RedisCluster],
        prefix: str = _PREFIX,
        *,
        replicas: int = 0,
    ) -> None:
        _check_client(client)
        if replicas and hasattr(client, "nodes_manager"):
            raise ValueError("replicas is not for a cluster")
        self._client: Any = client
        self._owns_client = False
        self._prefix = prefix.encode()
        self._replicas = replicas
        self._questions = Questions(_at_once(client), _QUESTION_SECONDS)
        self._values = FirstValues(client, replicas)
        self._watch = self._watching(None)

    @classmethod
    def from_url(
        cls, url: str, prefix: str = _PREFIX, *, timeout: float = 1.0, replicas: int = 0, **settings: Any
    ) -> RedisReplayStore:
        """A store on one server, with a client of its own.

        Args:
            url: `redis://`, `rediss://` (TLS) or `unix://`, as for `redis.asyncio.Redis.from_url`.
            prefix: See above.
            timeout: How long an answer may take. Give the guard's `store_timeout` the same value.
            replicas: See above.
            settings: More arguments for the client, such as `ssl_ca_certs` or `password`.
        """
        client, connections = redis_clients.from_url(url, timeout, _QUESTIONS_AT_ONCE, settings)
        return cls(client, prefix, replicas=replicas)._owning(connections)

    @classmethod
    def from_sentinel(
        cls,
        sentinels: Sequence[tuple[str, int]],
        service: str,
        prefix: str = _PREFIX,
        *,
        timeout: float = 1.0,
        replicas: int = 0,
        **settings: Any,
    ) -> RedisReplayStore:
        """A store on the master that sentinels name, with a client of its own.

        Args:
            sentinels: Host and port of each sentinel.
            service: The master's name, as the sentinels know it.
            prefix: See above.
            timeout: How long an answer may take. Give the guard's `store_timeout` the same value.
            replicas: See above.
            settings: More arguments for the client, such as `ssl=True` or `password`; those for the sentinels, a dict,
                in `sentinel_kwargs`.
        """
        client, connections = redis_clients.from_sentinel(sentinels, service, timeout, _QUESTIONS_AT_ONCE, settings)
        return cls(client, prefix, replicas=replicas)._owning(connections)

    @classmethod
    def from_cluster(
        cls, url: str, prefix: str = _PREFIX, *, timeout: float = 1.0, **settings: Any
    ) -> RedisReplayStore:
        """A store on a cluster, with a client of its own.

        Args:
            url: One of the servers: `redis://` or `rediss://` (TLS).
            prefix: See above.
            timeout: How long an answer may take. Give the guard's `store_timeout` the same value.
            settings: More arguments for the client, such as `startup_nodes`, `ssl_ca_certs` or `password`.
        """
        client, connections = redis_clients.from_cluster(url, timeout, _QUESTIONS_AT_ONCE, settings)
        return cls(client, prefix)._owning(connections)

    @property
    def last_failure(self) -> Optional[str]:
        """Why the last question failed; `None` if it was answered."""
        return self._questions.last_failure

    @property
    def remembers_since(self) -> float:
        """Unix time: what was used before may be forgotten. The beginning of time, unless the store noticed a loss."""
        return self._watch.since

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """See `ReplayStore.remember`."""
        # Rounded up: Redis must not forget a key too early, and it refuses a time of 0.
        milliseconds = max(1, math.ceil(ttl_seconds * 1000))
        # If an answer is lost on the way, the client asks again. This value tells our own first attempt from a replay.
        mine = secrets.token_urlsafe(9)
        found = await self._questions.ask(lambda: self._values.write(self._prefix + key, mine, milliseconds))
        await self._watch.after_answer(self._questions)
        return found is None or found == mine

    async def aclose(self) -> None:
        """End what is under way, and close the client if the store has made it."""
        await self._questions.aclose()
        if self._owns_client:
            await redis_clients.close(self._client)

    def _owning(self, connections: redis_clients.Connections) -> RedisReplayStore:
        self._owns_client = True
        self._watch = self._watching(connections)
        return self

    def _watching(self, connections: Optional[redis_clients.Connections]) -> RedisWatch:
        marker = self._prefix + b"since"
        return RedisWatch(self._client, self._values, marker, connections, keeps_last=self._replicas > 0)


def _check_client(client: object) -> None:
    """A pipeline only collects commands, and a client that isn't async blocks: neither gives an answer."""
    asynchronous = inspect.iscoroutinefunction(getattr(client, "execute_command", None))
    if isinstance(client, type) or not asynchronous:
        raise TypeError(
            f"RedisReplayStore needs a redis.asyncio.Redis or redis.asyncio.RedisCluster, not a {type(client).__name__}"
        )


def _at_once(client: object) -> int:
    """How many questions the client's pool can take."""
    pool = getattr(client, "connection_pool", None)
    most = getattr(pool, "max_connections", None)
    return max(1, min(_QUESTIONS_AT_ONCE, most)) if isinstance(most, int) else _QUESTIONS_AT_ONCE
