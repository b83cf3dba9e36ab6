"""The answers of guards, as OpenAPI documents show them."""

from typing import Any, Union

from pydantic import BaseModel

_CHALLENGE = {"WWW-Authenticate": {"description": "The challenge (RFC 6750, RFC 9449).", "schema": {"type": "string"}}}
_RETRY_AFTER = {"Retry-After": {"description": "When to try again, seconds.", "schema": {"type": "integer"}}}


class RefusalReason(BaseModel):
    """Why a request is refused, or can't be judged now."""

    error: str
    error_description: str


class Refusal(BaseModel):
    """The body of such an answer."""

    detail: RefusalReason


def responses(rfc_status_codes: bool) -> dict[Union[int, str], dict[str, Any]]:
    """The answers, for the argument `responses` of FastAPI.

    Args:
        rfc_status_codes: Whether missing credentials and bad proofs are answered with 401; or else with 400.
    """
    answers: dict[Union[int, str], dict[str, Any]] = {
        400: _answer("No usable credentials, or a bad DPoP proof", _CHALLENGE),
        401: _answer("The access token is not acceptable", _CHALLENGE),
        403: _answer("The access token lacks what this operation requires", _CHALLENGE),
        503: _answer("The request can't be judged now", _RETRY_AFTER),
    }
    if rfc_status_codes:
        del answers[400]
    return answers


def _answer(description: str, headers: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "model": Refusal, "headers": headers}
