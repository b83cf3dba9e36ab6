"""What a store of used DPoP proofs must do, for APIs that run in several processes. RFC 9449 section 11.1."""

from __future__ import annotations

from typing import Literal, Protocol, runtime_checkable

OnError = Literal["refuse", "allow", "local"]
"""What becomes of a proof when the store doesn't know: refused, let in, or judged by what this process remembers."""

OnLoss = Literal["refuse", "allow"]
"""What becomes of a proof from before the time that the store remembers."""


@runtime_checkable
class ReplayStore(Protocol):
    """A memory of used proofs that several workers or hosts share.

    Security contract: of all calls with the same key, from all workers, exactly one returns true until the key
    expires. So looking up and writing the key are one atomic step, and keys are not evicted early to make room. A
    wrong true lets a replayed proof through; a wrong false refuses a good request. If the store doesn't know, it
    raises: the option `on_store_error` decides what happens then.

    Two more attributes are used where a store has them. `remembers_since`: the Unix time since when it has forgotten
    nothing; the option `on_store_loss` decides what happens to proofs from before. `last_failure`: a text that says why
    the last question failed.
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
