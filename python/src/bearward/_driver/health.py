"""Tells the log when something begins to fail and when it works again: once per change, not once per request."""

from __future__ import annotations

import logging
from collections.abc import Hashable

_logger = logging.getLogger("bearward")

# So many failing things are told apart; of more, one is forgotten, and said once more if it still fails.
_MOST = 1000
# A reason may quote what a server sent.
_REASON_CHARACTERS = 300


class Health:
    """What of a number of things fails now. Used by several threads: at worst a line is written twice."""

    def __init__(self) -> None:
        self._failing: set[Hashable] = set()

    def failed(self, thing: Hashable, what: str, reason: str) -> None:
        """Say that `what` happened to `thing`, unless that was said and has not changed since."""
        level = logging.DEBUG if thing in self._failing else logging.WARNING
        if len(self._failing) >= _MOST:
            self._failing.pop()
        self._failing.add(thing)
        # `%a`: a log line must stay one line.
        _logger.log(level, "%s: %a", what, reason[:_REASON_CHARACTERS])

    def works(self, thing: Hashable, what: str) -> None:
        """Say `what` if `thing` failed before."""
        if thing in self._failing:
            self._failing.discard(thing)
            _logger.info("%s", what)
