"""The errors: one class per kind, each of which knows its HTTP answer.

All derive from `BaseAuthError`. Three families, never mixed: the request is not acceptable (4xx), it can't be
decided now (503, `IssuerUnavailableError` and `ReplayCheckUnavailableError`), the deployer or we made a mistake (500).

`message` is a fixed text that a client may see. `detail` holds facts for the operator's log. Neither ever holds
token text.
"""

from __future__ import annotations

from typing import Any, ClassVar, Optional


class BaseAuthError(Exception):
    """An error that has an HTTP answer.

    Attributes are set once, here, and not changed afterwards.

    Args:
        message: What the client may be told; fixed text.
        code: The reason, stable and in snake_case, for logs and tests: `token_expired`. Finer than the
            `error` of the HTTP answer.
        status: HTTP status, where it isn't the class's usual one.
        headers: Headers of the HTTP answer: `WWW-Authenticate`, `DPoP-Nonce` or `Retry-After`.
        detail: Facts for the operator, never sent to the client.
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
        """Headers of the answer, with `WWW-Authenticate` where one belongs; the caller's own copy."""
        return dict(self.headers)

    def __reduce__(self) -> tuple[Any, ...]:
        # The classes differ in what their constructors take: rebuild from the state instead.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(kind: type[BaseAuthError], args: tuple[Any, ...], state: dict[str, Any]) -> BaseAuthError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class MissingRequiredArgumentError(BaseAuthError):
    """A required argument was not given. Its name is in `argument`."""

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
    """Always `None`: what a client wrote is not repeated. Code written for the SDK that we replace may ask for it."""


class VerifyAccessTokenError(BaseAuthError):
    """The access token is not acceptable."""

    _status = 401
    _error = "invalid_token"


class InvalidDpopProofError(BaseAuthError):
    """The DPoP proof is not acceptable. RFC 9449 section 4.3."""

    _status = 400
    _error = "invalid_dpop_proof"


class UseDpopNonceError(BaseAuthError):
    """The DPoP proof must hold the nonce that is in the header `DPoP-Nonce` of this answer. RFC 9449 section 9."""

    _status = 401
    _error = "use_dpop_nonce"


class InsufficientScopeError(BaseAuthError):
    """The token is good, but lacks a scope that is required. RFC 6750 section 3.1."""

    _status = 403
    _error = "insufficient_scope"


class IssuerUnavailableError(VerifyAccessTokenError):
    """The issuer can't be reached and nothing usable is kept: whether the token is good can't be decided now.

    Answered 503 with `Retry-After`. It is a `VerifyAccessTokenError` because code written for the SDK that we
    replace catches that class when an issuer can't be reached; as a class of its own it would escape there.
    """

    _status = 503
    _error = "temporarily_unavailable"


class ReplayCheckUnavailableError(BaseAuthError):
    """Whether a DPoP proof was used before can't be told now. Answered 503 with `Retry-After`."""

    _status = 503
    _error = "temporarily_unavailable"


class GetAccessTokenForConnectionError(BaseAuthError):
    """No access token for a connection could be had."""

    _status = 400
    _error = "get_access_token_for_connection_error"


class GetTokenByExchangeProfileError(BaseAuthError):
    """No token could be had through a token exchange profile. RFC 8693."""

    _status = 400
    _error = "get_token_by_exchange_profile_error"


class ApiError(BaseAuthError):
    """The token endpoint answered with an error.

    Args:
        code: The OAuth error code of the answer. RFC 6749 section 5.2.
        message: What it means.
        status_code: HTTP status.
        cause: The error behind it; its `error` and `error_description` are taken over.
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
    """The configuration can't be used. Raised by constructors."""

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
    """A defect of ours. Its text is fixed: what went wrong inside is not the client's business."""

    _status = 500
    _error = "internal_server_error"

    def __init__(self, *, detail: Optional[str] = None) -> None:
        super().__init__("An unexpected error occurred during authentication", detail=detail)
