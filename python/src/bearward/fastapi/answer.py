"""The answer to a refused request."""

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Optional

from fastapi import HTTPException

from bearward.errors import InternalError
from bearward.fastapi.refusal_log import secrets_in

_logger = logging.getLogger("bearward")


def http_exception(
    status_code: int,
    error: str,
    error_desc: str,
    headers: Optional[Mapping[str, str]] = None,
) -> HTTPException:
    """The answer to a refused request: status, headers, and a body with `error` and `error_description`."""
    detail = {"error": error, "error_description": error_desc}
    return HTTPException(status_code=status_code, detail=detail, headers=dict(headers or {}))


def defect(error: Exception, credentials: Iterable[Sequence[str]]) -> InternalError:
    """Log an unexpected error with its traceback, without any piece of the request's credentials."""
    report = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for secret in secrets_in(credentials):
        report = report.replace(secret, "[redacted]")
    _logger.error("unexpected error during authentication\n%s", report)
    return InternalError()
