"""Stores of used DPoP proofs, for APIs that run in several processes. RFC 9449 section 11.1."""

from __future__ import annotations

import inspect
import math
import secrets
from typing import TYPE_CHECKING, Any, Optional, Protocol, Union, runtime_checkable

from bearward._driver.questions import Questions

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


# A client of redis-py opens a connection for each question that runs. Some versions refuse more than 100.
_QUESTIONS_AT_ONCE = 32
# How long a question may go on after its caller gave up.
_QUESTION_SECONDS = 3.0


class RedisReplayStore:
    """Remembers used proofs in Redis or Valkey: one `SET key value NX GET PX ttl` for each. Needs `bearward[redis]`.

    The server must not evict keys before their time: with a `maxmemory-policy` other than `noeviction`, or with
    asynchronous replication and a failover, used proofs can be forgotten and used again.

    A client of redis-py can be used by one event loop only. So make one store, and one guard, for each event loop; an
    app has one event loop per worker.

    `docs/reference/redis.md` specifies the keys and values.

    Args:
        client: A `redis.asyncio.Redis` or `redis.asyncio.RedisCluster`. The store doesn't close it.
        prefix: All keys in Redis start with this. It is the same for all workers of an API. If a request passes guards
            of two APIs, they need different prefixes: or else the second guard refuses the proof as used.

    Raises:
        TypeError: `client` is not an async client, or it is a pipeline.
    """

    def __init__(
        self, client: Union[redis.asyncio.Redis, redis.asyncio.RedisCluster], prefix: str = "bearward:1:dpop:"
    ) -> None:
        _check_client(client)
        self._client: Any = client
        self._prefix = prefix.encode()
        self._questions = Questions(_at_once(client), _QUESTION_SECONDS)
        # Redis before 7.0 has no `SET` with both NX and GET.
        self._answers_with_value = True

    @property
    def last_failure(self) -> Optional[str]:
        """Why the last question failed; `None` if it was answered."""
        return self._questions.last_failure

    async def remember(self, key: bytes, ttl_seconds: float) -> bool:
        """See `ReplayStore.remember`."""
        # Rounded up: Redis must not forget a key too early, and it refuses a time of 0.
        milliseconds = max(1, math.ceil(ttl_seconds * 1000))
        # If an answer is lost on the way, the client asks again. This value tells our own first attempt from a replay.
        mine = secrets.token_urlsafe(9)
        return await self._questions.ask(lambda: self._is_new(self._prefix + key, mine, milliseconds))

    async def _is_new(self, name: bytes, mine: str, milliseconds: int) -> bool:
        if self._answers_with_value:
            try:
                found = _text(await self._client.set(name, mine, nx=True, get=True, px=milliseconds))
            except Exception as error:
                if not _is_syntax_error(error):
                    raise
                self._answers_with_value = False
            else:
                return found is None or found == mine
        return await self._is_new_in_two_steps(name, mine, milliseconds)

    async def _is_new_in_two_steps(self, name: bytes, mine: str, milliseconds: int) -> bool:
        """The first step alone decides who is first. The second finds out whether that was an attempt of ours."""
        written = await self._client.set(name, mine, nx=True, px=milliseconds)
        if written is not True and written is not None:
            raise TypeError(f"SET was answered with a {type(written).__name__}")
        return written is True or _text(await self._client.get(name)) == mine


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


def _text(answer: object) -> Optional[str]:
    """A value, whether the client decodes values or not. Anything else is not an answer of Redis."""
    if isinstance(answer, bytes):
        return answer.decode("latin-1")
    if answer is not None and not isinstance(answer, str):
        raise TypeError(f"Redis answered with a {type(answer).__name__}")
    return answer


def _is_syntax_error(error: Exception) -> bool:
    # By its text: this module doesn't import redis.
    return type(error).__name__ == "ResponseError" and "syntax error" in str(error).lower()
