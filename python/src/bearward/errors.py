"""The errors. Each class has its HTTP status and its `error` code.

All derive from `BaseAuthError`. A request is refused (4xx); or it can't be judged now (503, `IssuerUnavailableError`
and `ReplayCheckUnavailableError`); or the configuration, or Bearward itself, is wrong (500). Requests for tokens raise
`ApiError`, with 502, 503 or 504 if the token endpoint fails.

`python/native/src/exceptions.rs` decides which class a refused request gets. `docs/reference/errors.md` lists all
codes.

`message` is a fixed text that a client may see. `detail` holds facts for the operator's log. Neither ever holds a piece
of a token.
"""

from __future__ import annotations

from typing import Any, ClassVar, Optional


class BaseAuthError(Exception):
    """An error with its HTTP answer.

    Attributes are not changed after construction.

    Args:
        message: A fixed text that the client may see.
        code: The reason, stable and in snake_case, for logs and tests: `token_expired`. Finer than the
            `error` of the HTTP answer.
        status: HTTP status, if it isn't the usual one of the class.
        headers: Headers of the HTTP answer: `WWW-Authenticate`, `DPoP-Nonce` or `Retry-After`.
        detail: Facts for the operator's log, never sent to the client.
    """

    _status: ClassVar[int] = 500
    _error: ClassVar[str] = "internal_server_error"

    def __init__(
        self,
        message: str,
        *,
        code: Optional[str] = None,
        status: Optional[int] = None,
        headers: Optional[dict[str, str]] = None,
        detail: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = type(self).__name__
        self.code = self._error if code is None else code
        self.status = self._status if status is None else status
        self.headers = dict(headers or {})
        self.detail = detail

    def get_status_code(self) -> int:
        """HTTP status of the answer."""
        return self.status

    def get_error_code(self) -> str:
        """The `error` of the answer. RFC 6750 section 3.1, RFC 9449 section 7.1."""
        return self._error

    def get_error_description(self) -> str:
        """The `error_description` of the answer."""
        return self.message

    def get_headers(self) -> dict[str, str]:
        """Headers of the answer, with `WWW-Authenticate` if the answer needs one; a new dict."""
        return dict(self.headers)

    def __reduce__(self) -> tuple[Any, ...]:
        # The classes differ in what their constructors take: rebuild from the state instead.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[BaseAuthError], args: tuple[Any, ...], state: dict[str, Any]) -> BaseAuthError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class MissingRequiredArgumentError(BaseAuthError):
    """A required argument is missing. Its name is in `argument`."""

    _status = 400
    _error = "invalid_request"

    def __init__(
        self,
        argument: str,
        message: Optional[str] = None,
        *,
        code: Optional[str] = "missing_required_argument",
        status: Optional[int] = None,
        headers: Optional[dict[str, str]] = None,
        detail: Optional[str] = None,
    ) -> None:
        text = message or f"The argument '{argument}' is required but was not provided."
        super().__init__(text, code=code, status=status, headers=headers, detail=detail)
        self.argument = argument


class MissingAuthorizationError(BaseAuthError):
    """No usable credentials were sent. RFC 6750 section 3.1: the challenge then names no error."""

    _status = 400
    _error = "invalid_request"

    def __init__(
        self,
        *,
        code: Optional[str] = "missing_authorization",
        status: Optional[int] = None,
        headers: Optional[dict[str, str]] = None,
        detail: Optional[str] = None,
    ) -> None:
        super().__init__("", code=code, status=status, headers=headers, detail=detail)


class InvalidAuthSchemeError(BaseAuthError):
    """The authentication scheme is unknown, or not accepted here."""

    _status = 400
    _error = "invalid_request"

    scheme: Optional[str] = None
    """Always `None`: what a client sent is not repeated. Code for the SDK that Bearward replaces may read it."""


class VerifyAccessTokenError(BaseAuthError):
    """The access token is not acceptable."""

    _status = 401
    _error = "invalid_token"


class InvalidDpopProofError(BaseAuthError):
    """The DPoP proof is not acceptable. RFC 9449 section 4.3."""

    _status = 400
    _error = "invalid_dpop_proof"


class UseDpopNonceError(BaseAuthError):
    """The DPoP proof must contain the nonce from the header `DPoP-Nonce` of this answer. RFC 9449 section 9."""

    _status = 401
    _error = "use_dpop_nonce"


class InsufficientScopeError(BaseAuthError):
    """The token is valid, but lacks a required scope. RFC 6750 section 3.1."""

    _status = 403
    _error = "insufficient_scope"


class AccessDeniedError(BaseAuthError):
    """The token is valid, but its organization or claims are not accepted here. No other scope would help."""

    _status = 403
    _error = "access_denied"


class InsufficientUserAuthenticationError(BaseAuthError):
    """The token is valid, but the user has to log in again, or in another way. RFC 9470 section 3."""

    _status = 401
    _error = "insufficient_user_authentication"


class IssuerUnavailableError(VerifyAccessTokenError):
    """The issuer can't be reached, and no usable keys of it are in memory: the token can't be judged now.

    The answer is a 503 with `Retry-After`. The class derives from `VerifyAccessTokenError` because code written for the
    SDK that Bearward replaces catches that class when an issuer can't be reached.
    """

    _status = 503
    _error = "temporarily_unavailable"


class ReplayCheckUnavailableError(BaseAuthError):
    """It is not known now whether a DPoP proof was used before. The answer is a 503 with `Retry-After`."""

    _status = 503
    _error = "temporarily_unavailable"


class OperationError(BaseAuthError):
    """It can't be said which operations a JSON-RPC body asks for, and so not which scopes it needs."""

    _status = 400
    _error = "invalid_request"


class GetAccessTokenForConnectionError(BaseAuthError):
    """There is no access token for a connection."""

    _status = 400
    _error = "get_access_token_for_connection_error"


class GetTokenByExchangeProfileError(BaseAuthError):
    """A token exchange gave no token. RFC 8693."""

    _status = 400
    _error = "get_token_by_exchange_profile_error"


class ApiError(BaseAuthError):
    """The token endpoint answered with an error.

    Args:
        code: The OAuth error code of the answer. RFC 6749 section 5.2.
        message: What it means.
        status_code: HTTP status.
        cause: The error that caused this one; its `error` and `error_description` are copied.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status_code: int = 500,
        cause: Optional[BaseException] = None,
    ) -> None:
        super().__init__(message, code=code, status=status_code)
        self.status_code = status_code
        self.cause = cause
        self.error: Optional[str] = getattr(cause, "error", None)
        self.error_description: Optional[str] = getattr(cause, "error_description", None)

    def get_error_code(self) -> str:
        """The OAuth error code of the answer."""
        return self.code


class ConfigurationError(BaseAuthError):
    """The configuration is wrong. Raised by constructors."""

    _status = 500
    _error = "invalid_configuration"


class DomainsResolverError(BaseAuthError):
    """The application's domains resolver failed, or gave something that can't be used. 503 if it was too slow."""

    _status = 500
    _error = "domains_resolver_error"

    def get_error_code(self) -> str:
        """`domains_resolver_error`, or `temporarily_unavailable` if the resolver was too slow."""
        return "temporarily_unavailable" if self.status == 503 else self._error


class InternalError(BaseAuthError):
    """A defect of Bearward, or of code that it calls. The text is fixed: clients don't learn what went wrong."""

    _status = 500
    _error = "internal_server_error"

    def __init__(self, *, detail: Optional[str] = None) -> None:
        super().__init__("An unexpected error occurred during authentication", detail=detail)
