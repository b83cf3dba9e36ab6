"""Asks the replay store that several workers share, in bounded time."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Literal, Optional

from bearward import _native

if TYPE_CHECKING:
    from bearward.replay import ReplayStore

_logger = logging.getLogger("bearward")


class BoundedStore:
    """Asks a store whether a proof is new, with a time limit, and applies `on_store_error` if the store fails.

    Args:
        store: The store that the deployer configured.
        timeout: How long to wait for an answer, seconds.
        on_error: Whether requests are refused or allowed while the store fails.
    """

    def __init__(self, store: ReplayStore, timeout: float, on_error: Literal["refuse", "allow"]) -> None:
        self._store = store
        self._timeout = timeout
        self._on_error = on_error
        self._failing = False

    async def is_new(self, needed: _native.CheckReplay) -> Optional[bool]:
        """Whether the proof was not used before; `None` if the store can't say. It counts as used from now on."""
        try:
            answer = await asyncio.wait_for(self._store.remember(needed.key, needed.ttl_seconds), self._timeout)
        except asyncio.TimeoutError:
            self._failed(f"no answer within {self._timeout} s")
        except Exception as error:  # noqa: BLE001 - whatever a store and its network may raise
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self._answered()
            # Any other value than `True` is not a clear "new".
            return answer is True
        return True if self._on_error == "allow" else None

    def _failed(self, reason: str) -> None:
        # Logged once per outage, not once per request.
        if not self._failing:
            self._failing = True
            means = "let through, replayed or not" if self._on_error == "allow" else "refused"
            # `%a`: the reason may quote a server's text, and a log line must stay one line.
            _logger.warning("the DPoP replay store fails, proofs are %s: %a", means, reason[:300])

    def _answered(self) -> None:
        if self._failing:
            self._failing = False
            _logger.warning("the DPoP replay store answers again")
