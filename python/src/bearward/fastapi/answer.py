"""The answer to a refused request."""

from collections.abc import Mapping
from typing import Any, Optional

from fastapi import HTTPException
from fastapi.responses import JSONResponse

from bearward.errors import BaseAuthError


def http_exception(
    status_code: int,
    error: str,
    error_desc: str,
    headers: Optional[Mapping[str, str]] = None,
) -> HTTPException:
    """The answer to a refused request: status, headers, and a body with `error` and `error_description`."""
    detail = {"error": error, "error_description": error_desc}
    return HTTPException(status_code=status_code, detail=detail, headers=dict(headers or {}))


class AuthHTTPException(HTTPException):
    """The exception that a guard refuses a request with, so that an app's handler can tell it from the app's own.

    Args:
        error: Why the request is refused.
        headers: Headers of the answer, if others than those of the error.

    Attributes:
        error: Why the request is refused.
        code: The reason, stable and in snake_case: `token_expired`. For logs, not for clients.
    """

    def __init__(self, error: BaseAuthError, headers: Optional[Mapping[str, str]] = None) -> None:
        answer = http_exception(
            error.get_status_code(),
            error.get_error_code(),
            error.get_error_description(),
            error.get_headers() if headers is None else headers,
        )
        super().__init__(answer.status_code, answer.detail, dict(answer.headers or {}))
        # Frames of the verification hold the token, and error reporters write down what frames hold.
        error.__traceback__ = error.__cause__ = error.__context__ = None
        self.error = error
        self.code = error.code

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.error, self.headers)

    def response(self) -> JSONResponse:
        """The answer, for code that FastAPI's handlers of exceptions don't reach, such as middleware."""
        return JSONResponse({"detail": self.detail}, self.status_code, self.headers)
