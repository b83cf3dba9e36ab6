"""Whose call of a resolver is next.

Anybody can send a token that names some issuer. The calls that this causes must not keep out others.
"""

from __future__ import annotations

from collections import OrderedDict

import anyio

# How many calls wait at most, of either kind. More of them would only be answered when their clients have gone.
_WAITING = 500


class BusyError(Exception):
    """Too many calls are waiting already."""


class Turns:
    """Lets a number of calls run at once.

    Those for issuers whose tokens were good lately go first, and a quarter of the places is for them alone.

    Args:
        places: How many calls run at once.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._free_for_strangers = places - places // 4
        self._known: OrderedDict[anyio.Event, None] = OrderedDict()
        self._strangers: OrderedDict[anyio.Event, None] = OrderedDict()

    async def take(self, *, known: bool) -> None:
        """Wait for a place. `known`: for an issuer whose tokens were good lately.

        Raises:
            BusyError: too many wait already.
        """
        waiting = self._known if known else self._strangers
        if not waiting and self._may_run(known):
            self._begin(known)
            return
        if len(waiting) >= _WAITING:
            raise BusyError
        turn = anyio.Event()
        waiting[turn] = None
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.give_back(known=known)
            else:
                del waiting[turn]
            raise

    def give_back(self, *, known: bool) -> None:
        """Let the next one run."""
        self._free += 1
        self._free_for_strangers += 0 if known else 1
        for kind, waiting in ((True, self._known), (False, self._strangers)):
            while waiting and self._may_run(kind):
                self._begin(kind)
                waiting.popitem(last=False)[0].set()

    def _may_run(self, known: bool) -> bool:
        return self._free > 0 and (known or self._free_for_strangers > 0)

    def _begin(self, known: bool) -> None:
        self._free -= 1
        self._free_for_strangers -= 0 if known else 1
