"""Logs when something starts to fail and when it works again: once per change, not once per request."""

from __future__ import annotations

import logging
from collections.abc import Hashable

from bearward._driver.log import Log

_log = Log()

# How many failing things are remembered. If there are more, one is forgotten; if it still fails, that is logged again.
_MOST = 1000
# A reason may quote a server's text.
_REASON_CHARACTERS = 300


class Health:
    """Which of several things fail now. Safe from many threads: at worst a line is logged twice."""

    def __init__(self) -> None:
        self._failing: set[Hashable] = set()

    def failed(self, thing: Hashable, what: str, reason: str) -> None:
        """Log that `what` happened to `thing`: as a warning if it worked before."""
        level = logging.DEBUG if thing in self._failing else logging.WARNING
        if len(self._failing) >= _MOST:
            self._failing.pop()
        self._failing.add(thing)
        # `%a`: a log line must stay one line.
        _log.say(level, "%s: %a", what, reason[:_REASON_CHARACTERS])

    def works(self, thing: Hashable, what: str) -> None:
        """Log `what` if `thing` failed before."""
        if thing in self._failing:
            self._failing.discard(thing)
            _log.say(logging.INFO, "%s", what)
