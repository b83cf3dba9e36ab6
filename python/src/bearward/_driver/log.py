"""The log, for code that a request runs through: a log handler that raises must not decide about a request."""

from __future__ import annotations

import logging
import sys
from typing import Any, Optional


class Log:
    """Logs to the logger `bearward`. Never raises. That a handler raised is said on `sys.stderr`."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("bearward")

    def is_enabled_for(self, level: int) -> bool:
        """Whether a line of this level goes anywhere."""
        return self._logger.isEnabledFor(level)

    def say(self, level: int, message: str, *values: Any, extra: Optional[dict[str, Any]] = None) -> None:
        """Log a line. The arguments are those of `logging.Logger.log`."""
        try:
            # 2: the line is said to come from the caller.
            self._logger.log(level, message, *values, stacklevel=2, extra=extra)
        except Exception as error:  # noqa: BLE001 - whatever a deployer's handler, filter or formatter may raise
            if logging.raiseExceptions and sys.stderr is not None:
                # Its type only: the text may quote what was to be logged.
                sys.stderr.write(f"bearward: a log handler raised {type(error).__name__}; the line is lost\n")
