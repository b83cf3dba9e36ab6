"""Brings what a decision of the engine needs, until it is made. See `docs/explanation/drivers.md`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union

from bearward import _native

if TYPE_CHECKING:
    from bearward._driver.bounded_store import BoundedStore
    from bearward._driver.credentials import Fields
    from bearward._driver.fetch import DocumentFetcher
    from bearward._driver.introspect import Introspector
    from bearward._driver.resolver import IssuerResolver

# A fetch that begins with a request ends before it, and so the engine knows what became of it.
_GRACE_SECONDS = 0.25


class Verified(NamedTuple):
    """A request that is let in.

    Attributes:
        claims: The access token's; the caller's own.
        dpop_nonce: The value of `DPoP-Nonce` in the answer, where one is due.
    """

    claims: dict[str, Any]
    dpop_nonce: Optional[str] = None


class Driver:
    """Drives the decisions of an engine.

    Args:
        documents: Fetches discovery documents and key sets.
        resolver: Names the accepted issuers, if they aren't configured by name.
        introspector: Asks about opaque tokens, if that is configured.
        store: Remembers used proofs, if several processes share that. It has a time limit of its own.
        timeout: How long a request waits for documents and the resolver altogether, seconds.
    """

    def __init__(
        self,
        documents: DocumentFetcher,
        resolver: Optional[IssuerResolver],
        introspector: Optional[Introspector],
        store: Optional[BoundedStore],
        timeout: float,
    ) -> None:
        self._documents = documents
        self._resolver = resolver
        self._introspector = introspector
        self._store = store
        self.timeout = timeout

    async def conclude(
        self,
        step: Union[_native.Passed, _native.Decision],
        url: Optional[str],
        headers: Optional[Fields],
    ) -> _native.Passed:
        """What a decision leads to. `url` and `headers` are for the resolver.

        Raises:
            BaseAuthError: the request is not let in.
        """
        passed = await self._drive(step, url, headers) if isinstance(step, _native.Decision) else step
        if passed.refresh is not None:
            await self._documents.refresh(passed.refresh)
        return passed

    async def _drive(self, decision: _native.Decision, url: Optional[str], headers: Optional[Fields]) -> _native.Passed:
        asked_for: Optional[str] = None
        end = time.monotonic() + self.timeout + _GRACE_SECONDS
        while True:
            step, left = decision.next(time.time()), end - time.monotonic()
            if isinstance(step, _native.DocumentNeeded):
                end += await self._documents.prepare()
                if not await self._documents.bring(step, left):
                    decision.waited(step)
            elif isinstance(step, _native.IntrospectionNeeded):
                assert self._introspector is not None  # noqa: S101 - the engine asks only if that is configured
                if not await self._introspector.ask(step, left):
                    decision.gave_up_introspection()
            elif isinstance(step, _native.ResolveIssuers):
                assert self._resolver is not None  # noqa: S101 - the engine asks only if it was made for a resolver
                asked_for = step.unverified_iss
                decision.issuers(await self._resolver.issuers(asked_for, url, headers, left))
            elif isinstance(step, _native.CheckReplay):
                decision.sighting(None if self._store is None else await self._store.is_new(step))
            else:
                if asked_for is not None and self._resolver is not None:
                    self._resolver.was_good(asked_for)
                return step
