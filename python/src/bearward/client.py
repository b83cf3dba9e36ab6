"""Verification without a framework."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from bearward import _native
from bearward.errors import BaseAuthError, IssuerUnavailableError, MissingRequiredArgumentError
from bearward.fetch import DocumentFetcher
from bearward.options import ApiClientOptions, engine_for

if TYPE_CHECKING:
    _Outcome = Union[dict[str, Any], _native.DocumentNeeded]

__all__ = ["ApiClient", "ApiClientOptions"]

# Discovery document, key set, and the key set once more if it changed in between. More only happens when an issuer
# changes its documents faster than they can be read.
_MAX_ROUNDS = 4
_RETRY_AFTER_SECONDS = "5"


class ApiClient:
    """Verifies access tokens for one API. One instance serves any number of tasks, event loops and threads.

    Args:
        options: See `ApiClientOptions`.

    Raises:
        MissingRequiredArgumentError: `audience` is empty.
        ConfigurationError: another option can't be used.
    """

    def __init__(self, options: ApiClientOptions) -> None:
        self.options = options
        self._engine = engine_for(options)
        self._documents = DocumentFetcher(self._engine, options.custom_fetch, options.fetch_timeout)

    async def verify_request(
        self,
        headers: Mapping[str, str],
        http_method: Optional[str] = None,
        http_url: Optional[str] = None,
    ) -> dict[str, Any]:
        """The claims of the access token that a request carries; the dict is the caller's own.

        RFC 6750 section 2.1. Not checked here: scopes, and whether the token was revoked.

        Args:
            headers: The request's headers, names in any case.
            http_method: The request's method. Only DPoP needs it.
            http_url: The request's URL. Only DPoP needs it.

        Raises:
            MissingAuthorizationError: no usable credentials.
            InvalidAuthSchemeError: a scheme that is not accepted here.
            VerifyAccessTokenError: the token is not acceptable.
            IssuerUnavailableError: the issuer can't be reached, so the token can't be judged now.
        """
        # Starlette's and httpx's list of fields shows a repeated field, which a mapping hides.
        raw = getattr(headers, "raw", None)
        fields = raw if type(raw) is list else headers
        outcome = self._engine.verify_request(fields, http_method, http_url, time.time())
        if type(outcome) is dict:
            return outcome
        return await self._decide(
            outcome, lambda: self._engine.verify_request(fields, http_method, http_url, time.time())
        )

    async def verify_access_token(
        self,
        access_token: str,
        request_url: Optional[str] = None,
        request_headers: Optional[Mapping[str, str]] = None,
        required_claims: Optional[Sequence[str]] = None,
    ) -> dict[str, Any]:
        """The claims of an access token; the dict is the caller's own.

        Not checked here: how the token was presented, whether it is bound to a key, scopes, revocation.

        Args:
            access_token: The token alone, without a scheme.
            request_url: For a domains resolver.
            request_headers: For a domains resolver.
            required_claims: Names of further claims that must be present, whatever their value.

        Raises:
            MissingRequiredArgumentError: `access_token` is empty.
            VerifyAccessTokenError: the token is not acceptable.
            IssuerUnavailableError: the issuer can't be reached, so the token can't be judged now.
        """
        if not access_token:
            raise MissingRequiredArgumentError("access_token")
        if not access_token.isascii():
            # A JWS is ASCII (RFC 7515 section 3.1). A lone surrogate could not even be handed to the engine: "?" makes
            # the token as malformed as it is.
            access_token = access_token.encode("ascii", "replace").decode()
        names = list(required_claims or ())
        outcome = self._engine.verify_access_token(access_token, names, time.time())
        if type(outcome) is dict:
            return outcome
        return await self._decide(outcome, lambda: self._engine.verify_access_token(access_token, names, time.time()))

    def is_dpop_required(self) -> bool:
        """Whether Bearer is refused."""
        return self.options.dpop_required

    def insufficient_scope(self, required: Sequence[str], authorization: Optional[str]) -> BaseAuthError:
        """The 403 for a good token that lacks scopes. RFC 6750 section 3.1.

        Args:
            required: All scopes that the resource requires.
            authorization: The request's Authorization field: the challenge is for the scheme in use.
        """
        return self._engine.insufficient_scope(required, authorization)

    async def _decide(self, outcome: _Outcome, verify: Callable[[], _Outcome]) -> dict[str, Any]:
        """Bring what the engine needs, and ask again, until it can decide."""
        for _ in range(_MAX_ROUNDS):
            if isinstance(outcome, dict):
                return outcome
            await self._documents.bring(outcome)
            outcome = verify()
        if isinstance(outcome, dict):
            return outcome
        raise IssuerUnavailableError(
            "The issuer is temporarily unavailable",
            code="issuer_unsettled",
            headers={"Retry-After": _RETRY_AFTER_SECONDS},
            detail=f"still a document missing after {_MAX_ROUNDS} fetches: {outcome.url}",
        )
