"""The log line of a defect, without the credentials of the request that it was found in."""

import logging
import traceback
from collections.abc import Iterable, Sequence

from bearward._asgi.refusal_log import secrets_in
from bearward._driver.log import Log
from bearward.errors import InternalError

_log = Log()


def defect(error: Exception, credentials: Iterable[Sequence[str]]) -> InternalError:
    """Log an unexpected error with its traceback, without any piece of the request's credentials."""
    report = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for secret in secrets_in(credentials):
        report = report.replace(secret, "[redacted]")
    _log.say(logging.ERROR, "unexpected error during authentication\n%s", report)
    return InternalError()
