"""Reports each decision of a guard, for metrics and audit logs."""

import contextlib
import inspect
import logging
import time
from typing import Any, Callable, NamedTuple, Optional

from bearward.client import Waited
from bearward.errors import ConfigurationError

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


class Watch:
    """How long a decision takes, from now on.

    Attributes:
        waited: How much of that is spent waiting for the network.
    """

    def __init__(self) -> None:
        self.waited = Waited()
        self._begun = time.monotonic()

    def decision(self, code: Optional[str], scheme: Optional[str], issuer: Optional[str]) -> Decision:
        """The decision that was made now."""
        return Decision(code, scheme, issuer, time.monotonic() - self._begun, self.waited.seconds)


class Observers:
    """Functions that are called with each decision. One that fails is logged once, and the request goes on.

    Args:
        first: The user's `on_decision`, if there is one.

    Raises:
        ConfigurationError: it can't be called, or would have to be awaited.
    """

    def __init__(self, first: Optional[Callable[[Decision], Any]]) -> None:
        given: object = first
        if given is not None and (not callable(given) or inspect.iscoroutinefunction(given)):
            raise ConfigurationError("on_decision must be a function that is not async.")
        self.functions = [] if first is None else [first]
        self._failed = False

    def __bool__(self) -> bool:
        return bool(self.functions)

    def add(self, function: Callable[[Decision], Any]) -> None:
        """Call this one, too."""
        self.functions.append(function)

    def tell(self, decision: Decision) -> None:
        """Call all of them."""
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
