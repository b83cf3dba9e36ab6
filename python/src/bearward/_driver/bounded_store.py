"""Asks the replay store that several workers share, in bounded time, and does without it while it fails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Optional

from bearward import _native
from bearward._driver.breaker import Breaker
from bearward._driver.loops import Deadline, Pending, PerLoop
from bearward._driver.own_memory import OwnMemory

if TYPE_CHECKING:
    from bearward.replay import OnError, OnLoss, ReplayStore

_logger = logging.getLogger("bearward")


# A request that finds a probe due waits for it this long: if the store works again, the request need not be refused.
_PROBE_PATIENCE_SECONDS = 0.05
# A store that fails for some questions only has to work for so long until its outage is over.
_QUIET_SECONDS = 5.0
_MEANS = {
    "refuse": "proofs are refused",
    "allow": "proofs are let through, replayed or not",
    "local": "each process remembers proofs by itself",
}


class BoundedStore:
    """Asks a store whether a proof is new, with a time limit, and applies `on_store_error` if the store fails.

    Args:
        store: The store that the deployer configured.
        timeout: How long to wait for an answer, seconds.
        on_error: What happens to requests while the store fails: they are refused, allowed, or checked against what
            this process remembers.
        on_loss: What happens to proofs that may have been used before a time since when the store remembers.

    Attributes:
        observers: Are called with how long each question took, seconds, answered or not.
    """

    def __init__(self, store: ReplayStore, timeout: float, on_error: OnError, on_loss: OnLoss = "allow") -> None:
        self._store = store
        self._timeout = timeout
        self._on_error = on_error
        self._on_loss = on_loss
        self._breaker = Breaker(lambda: time.monotonic())
        self._own = OwnMemory(lambda: time.monotonic()) if on_error == "local" else None
        self._outage = _Outage(_MEANS[on_error])
        # Only for probes, which go on when the request that began them has ended.
        self._loops = PerLoop(timeout)
        self.observers: list[Callable[[float], object]] = []
        self._counts = dict.fromkeys(("questions", "replays", "errors", "not_asked", "forgotten"), 0)
        self._seconds = 0.0

    async def is_new(self, needed: _native.CheckReplay) -> Optional[bool]:
        """Whether the proof was not used before; `None` if that is not known. It counts as used from now on."""
        if self._own is not None:
            try:
                if not self._own.remember(needed.key, needed.ttl_seconds):
                    self._counts["replays"] += 1
                    return False
            except MemoryError as error:
                self._outage.begins(f"MemoryError: {error}", is_cause=True)
                return None
        if self._breaker.is_open and not await self._works_again():
            self._counts["not_asked"] += 1
            return None if self._on_error == "refuse" else True
        answer = await self._ask(needed.key, needed.ttl_seconds)
        if answer is None:
            return None if self._on_error == "refuse" else True
        self._counts["replays"] += not answer
        if answer and self._may_be_forgotten(needed):
            self._counts["forgotten"] += 1
            return None if self._on_loss == "refuse" else True
        return answer

    def _may_be_forgotten(self, needed: _native.CheckReplay) -> bool:
        """Whether the proof could have been used before the store lost its memory."""
        since = getattr(self._store, "remembers_since", None)
        return since is not None and needed.usable_since < since

    def status(self) -> dict[str, Any]:
        """What happened since the start, for operators."""
        asked = self._counts["questions"]
        return {
            **self._counts,
            "breaker": "open" if self._breaker.is_open else "closed",
            "mean_seconds": self._seconds / asked if asked else None,
        }

    async def _ask(self, key: bytes, ttl_seconds: float) -> Optional[bool]:
        """The store's answer; `None` if it fails."""
        begin = time.monotonic()
        deadline = Deadline(self._timeout)
        self._counts["questions"] += 1
        try:
            with deadline:
                answer: object = await self._store.remember(key, ttl_seconds)
        except Exception as error:  # noqa: BLE001 - whatever a store and its network may raise
            self._failed(error, deadline)
            return None
        finally:
            self._took(time.monotonic() - begin)
        self._outage.may_end(was_total=self._breaker.is_open)
        self._breaker.succeeded()
        # Any other value than `True` is not a clear "new".
        return answer is True

    def _took(self, seconds: float) -> None:
        self._seconds += seconds
        for observer in self.observers:
            with contextlib.suppress(Exception):
                observer(seconds)

    def _failed(self, error: Exception, deadline: Deadline) -> None:
        self._counts["errors"] += 1
        self._breaker.failed(slow=deadline.expired)
        if not deadline.expired:
            self._outage.begins(f"{type(error).__name__}: {error}", is_cause=True)
            return
        # A question that goes on after its time limit may find out later why there was no answer.
        cause = getattr(self._store, "last_failure", None)
        reason = f"no answer within {self._timeout} s"
        self._outage.begins(f"{reason}, {cause}" if cause else reason, is_cause=bool(cause))

    async def _works_again(self) -> bool:
        """Whether the store answers a probe. All but one caller don't wait for that."""
        if not self._breaker.take_probe():
            return False
        # It asks for a key that nobody else uses: so no client's proof is used up by a request that is refused.
        probe = Pending()
        (await self._loops.current()).begin(self._run_probe(), lambda _, __: probe.finish())
        with contextlib.suppress(asyncio.TimeoutError), Deadline(_PROBE_PATIENCE_SECONDS):
            await probe.wait()
        return not self._breaker.is_open

    async def _run_probe(self) -> None:
        await self._ask(secrets.token_bytes(32), 1.0)


class _Outage:
    """Logs when an outage begins, once why, and when it is over: however many questions fail.

    Args:
        means: What happens to proofs meanwhile.
    """

    def __init__(self, means: str) -> None:
        self._means = means
        self._last_failure = -math.inf
        self._lasts = False
        self._knows_cause = False

    def begins(self, reason: str, *, is_cause: bool) -> None:
        self._last_failure = time.monotonic()
        if not self._lasts:
            # `%a`: the reason may quote a server's text, and a log line must stay one line.
            _logger.warning("the DPoP replay store fails, %s: %a", self._means, reason[:300])
        elif is_cause and not self._knows_cause:
            _logger.warning("why the DPoP replay store fails: %a", reason[:300])
        self._knows_cause = is_cause or (self._lasts and self._knows_cause)
        self._lasts = True

    def may_end(self, *, was_total: bool) -> None:
        """A question was answered. If others failed between good ones, the outage may not be over."""
        if self._lasts and (was_total or time.monotonic() - self._last_failure >= _QUIET_SECONDS):
            self._lasts = self._knows_cause = False
            _logger.warning("the DPoP replay store answers again")
