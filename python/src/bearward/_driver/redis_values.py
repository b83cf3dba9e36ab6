"""One value per key, written by whoever is first. The question may be repeated: the value is the asker's own."""

from __future__ import annotations

from typing import Any, Optional

# How long the replicas may take to confirm.
_REPLICA_MILLISECONDS = 500


class NotReplicatedError(Exception):
    """Too few replicas have confirmed in time that they have the value."""


class FirstValues:
    """`SET key value NX GET` on a server that knows it, and the same in two steps on Redis before 7.0.

    Args:
        client: An async client of redis-py.
        replicas: How many replicas must have a value before it counts.
    """

    def __init__(self, client: Any, replicas: int = 0) -> None:
        self._client = client
        self._replicas = replicas
        self._in_one_step = True

    async def write(self, name: bytes, value: str, milliseconds: Optional[int] = None) -> Optional[str]:
        """The value that was there, which may be `value` itself; `None` if there was none, and now there is `value`.

        Raises:
            Exception: it is not known, or too few replicas have it.
        """
        if self._in_one_step:
            try:
                return _text(await self._set(name, value, nx=True, get=True, px=milliseconds))
            except Exception as error:
                if not _is_syntax_error(error):
                    raise
                self._in_one_step = False
        written = await self._set(name, value, nx=True, px=milliseconds)
        if written is not None and written is not True:
            raise TypeError(f"SET was answered with a {type(written).__name__}")
        if written is True:
            return None
        # If it is gone meanwhile, somebody else's was there.
        return _text(await self._client.get(name)) or ""

    async def _set(self, name: bytes, value: str, **options: Any) -> object:
        if not self._replicas:
            return await self._client.set(name, value, **options)
        # On one connection, because WAIT is about what that connection has written.
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(name, value, **options)
        pipeline.execute_command("WAIT", self._replicas, _REPLICA_MILLISECONDS)
        answer, confirmed = await pipeline.execute()
        if confirmed < self._replicas:
            raise NotReplicatedError(
                f"{confirmed} of {self._replicas} replicas confirmed in {_REPLICA_MILLISECONDS} ms"
            )
        return answer


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
