"""What operators ask an `ApiClient`: whether it is ready, and how its documents and its replay store are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Optional

import anyio

if TYPE_CHECKING:
    from bearward import _native
    from bearward._driver.bounded_store import BoundedStore
    from bearward._driver.fetch import DocumentFetcher
    from bearward.options import ApiClientOptions


class Status(list[dict[str, Any]]):
    """The state of the issuers' documents, and of the shared replay store.

    It is a list with a dict for each issuer: all that are configured, and those that a resolver has named once their
    documents were needed. A dict has `issuer`, `discovery`, `key_set` and `keys`. For each of the two documents: `age`
    in seconds (`None`: there is no document), `last_error` (`None`: the last fetch succeeded), `next_fetch_in` seconds
    (0: with the next request), how often it was `fetched`, and how often that `failed`. For each key: its `kid`, and
    the `problem` if it can't be used.

    Attributes:
        replay_store: `None` without a `ReplayStore`, or a dict with what happened since the start: `questions` that it
            was asked, `replays` that it found, `errors` (no answer, or none in time), requests that it was `not_asked`
            for because the breaker was open, and proofs that it may have `forgotten`. `breaker` is `"open"` while the
            store fails, or else `"closed"`. `mean_seconds` is the mean time of an answer (`None`: no question yet).
    """

    def __init__(self, issuers: Iterable[dict[str, Any]], replay_store: Optional[dict[str, Any]]) -> None:
        super().__init__(issuers)
        self.replay_store = replay_store


class StateOfClient:
    """The methods of an `ApiClient` for operators."""

    options: ApiClientOptions
    _engine: _native.Engine
    _issuers: list[str]
    _documents: DocumentFetcher
    _store: Optional[BoundedStore]

    def status(self) -> Status:
        """The state of the issuers' documents and of the shared replay store, for operators. See `Status`."""
        kept = self._engine.documents.status(time.time())
        known = {entry["issuer"] for entry in kept}
        store = None if self._store is None else self._store.status()
        return Status([*kept, *(_never_needed(issuer) for issuer in self._issuers if issuer not in known)], store)

    async def warm(self) -> bool:
        """Fetch the documents of all configured issuers that are missing, all at once. Returns what `ready` returns.

        A fetch that fails raises nothing: it is logged, and tried again when a request needs it. This takes
        `fetch_timeout` for each of an issuer's two documents at most.
        """
        async with anyio.create_task_group() as tasks:
            for issuer in self._issuers:
                tasks.start_soon(self._warm, issuer)
        return self.ready()

    async def _warm(self, issuer: str) -> None:
        # The discovery document, which may be at one of two places, and the key set that it names.
        for _ in range(3):
            needed = self._engine.documents.missing(issuer, time.time(), self.options.issuer is not None)
            if needed is not None:
                await self._documents.bring(needed, self.options.fetch_timeout)

    def ready(self) -> bool:
        """Whether tokens of every configured issuer can be judged now, for a readiness probe. Fetches nothing."""
        now = time.time()
        exact = self.options.issuer is not None
        return all(self._engine.documents.is_ready(issuer, now, exact) for issuer in self._issuers)

    def observe_replay_store(self, observer: Callable[[float], object]) -> None:
        """Have `observer` called with how long each question to the `ReplayStore` took, seconds, answered or not."""
        if self._store is not None:
            self._store.observers.append(observer)


def _never_needed(issuer: str) -> dict[str, Any]:
    nothing = {"age": None, "last_error": None, "next_fetch_in": None, "fetched": 0, "failed": 0}
    return {"issuer": issuer, "discovery": nothing, "key_set": dict(nothing), "keys": []}
