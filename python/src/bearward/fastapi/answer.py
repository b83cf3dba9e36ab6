"""The answer to a refused request, and its line in the log."""

import logging
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from fastapi import HTTPException

from bearward._driver.log import Log
from bearward.errors import BaseAuthError, InternalError

_log = Log()


def http_exception(
    status_code: int,
    error: str,
    error_desc: str,
    headers: Optional[Mapping[str, str]] = None,
) -> HTTPException:
    """The answer to a refused request: status, headers, and a body with `error` and `error_description`."""
    detail = {"error": error, "error_description": error_desc}
    return HTTPException(status_code=status_code, detail=detail, headers=dict(headers or {}))


def log_refusal(refusal: BaseAuthError) -> None:
    """Log why a request was refused."""
    if _log.is_enabled_for(logging.INFO):
        # `%a`: a log line must stay one line, whatever text a deployer's code has put into the detail.
        facts = (refusal.get_status_code(), refusal.code, refusal.detail or "")
        _log.say(logging.INFO, "request refused: %s %s %a", *facts)


def defect(error: Exception, credentials: Iterable[Sequence[str]]) -> InternalError:
    """Log an unexpected error with its traceback, without any piece of the request's credentials."""
    report = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for secret in _secrets(credentials):
        report = report.replace(secret, "[redacted]")
    _log.say(logging.ERROR, "unexpected error during authentication\n%s", report)
    return InternalError()


def _secrets(credentials: Iterable[Sequence[str]]) -> list[str]:
    """The pieces of the credentials, long ones first: an error's text may quote one segment of a token."""
    fields = [field for fields in credentials for field in fields]
    pieces = {piece for field in fields for piece in re.split(r"[\s.,]+", field) if len(piece) >= 8}
    return sorted(pieces, key=len, reverse=True)
