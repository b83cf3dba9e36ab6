"""Reports each decision of a guard, for metrics and audit logs."""

import contextlib
import logging
from typing import Any, Callable, NamedTuple, Optional

_logger = logging.getLogger("bearward")


class Decision(NamedTuple):
    """What a guard decided about a request.

    Attributes:
        code: Why it was refused, as in `bearward.errors`; `None`: it was let in.
        scheme: `"Bearer"` or `"DPoP"`; `None`: another one, or none.
        issuer: Who issued its token, if that was verified.
        seconds: How long the decision took.
        waited_seconds: How much of that was spent waiting for the network: for documents, a resolver, a store.
    """

    code: Optional[str]
    scheme: Optional[str]
    issuer: Optional[str]
    seconds: float
    waited_seconds: float


class Observers:
    """Functions that are told of each decision. One that fails is logged once, and the request goes on."""

    def __init__(self, first: Optional[Callable[[Decision], Any]]) -> None:
        self.functions = [] if first is None else [first]
        self._failed = False

    def __bool__(self) -> bool:
        return bool(self.functions)

    def add(self, function: Callable[[Decision], Any]) -> None:
        """Tell this one, too."""
        self.functions.append(function)

    def tell(self, decision: Decision) -> None:
        """Tell all of them."""
        for function in self.functions:
            try:
                function(decision)
            except Exception as error:  # noqa: BLE001 - the deployer's code
                self._log(error)

    def _log(self, error: Exception) -> None:
        if not self._failed:
            self._failed = True
            # A handler of the deployer's may fail, and logging that would fail, too.
            with contextlib.suppress(Exception):
                # `%a`: a log line must stay one line.
                _logger.warning("on_decision failed: %a", f"{type(error).__name__}: {error}"[:300])
