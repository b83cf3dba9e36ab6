"""Tokens for other services: the token vault, token exchange, and acting on behalf of a user. RFC 8693."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Optional

if TYPE_CHECKING:
    from bearward import _native
    from bearward._driver.exchange import TokenExchanger
    from bearward._driver.fetch import DocumentFetcher
    from bearward._driver.loops import PerLoop
    from bearward.options import ApiClientOptions
    from bearward.types import OnBehalfOfTokenResult


class TokensForServices:
    """The methods of an `ApiClient` that ask the issuer for tokens."""

    options: ApiClientOptions
    _engine: _native.Engine
    _documents: DocumentFetcher
    _loops: PerLoop
    _exchanger: Optional[TokenExchanger]

    def _exchange(self) -> TokenExchanger:
        if self._exchanger is None:
            # Most APIs never ask for tokens.
            from bearward._driver.exchange import TokenExchanger

            self._exchanger = TokenExchanger(self._engine.documents, self._documents, self._loops, self.options)
        return self._exchanger

    async def get_access_token_for_connection(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """A token for a service that the user has connected to: Auth0's Token Vault.

        Args:
            options: `connection`, the connection's name; `access_token`, the user's, without a scheme; optionally
                `login_hint`, which of the user's accounts there.

        Returns:
            `access_token`, `expires_at` (Unix time in seconds), and `scope`, which may be empty.

        Raises:
            MissingRequiredArgumentError: `connection` or `access_token` is missing.
            GetAccessTokenForConnectionError: no client credentials are configured, or the issuer has no token endpoint.
            ApiError: the token endpoint gave no token, or the issuer's discovery document can't be fetched now.
        """
        return await self._exchange().vault(options)

    async def get_token_by_exchange_profile(
        self,
        subject_token: str,
        subject_token_type: str,
        audience: Optional[str] = None,
        scope: Optional[str] = None,
        requested_token_type: Optional[str] = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> dict[str, Any]:
        """Exchange a token of another kind for a token of the issuer, by a token exchange profile. RFC 8693.

        Args:
            subject_token: The token to exchange, without a scheme.
            subject_token_type: What kind of token it is: the URI that the profile is for.
            audience: The API that the new token is for.
            scope: Scopes to ask for, separated by spaces.
            requested_token_type: What kind of token is wanted.
            extra: More form fields. Values are converted to text; a list or tuple becomes a repeated field, of at most
                20 values.

        Returns:
            `access_token`, `expires_in` (seconds), `expires_at` (Unix time in seconds), and `scope`, `id_token`,
            `refresh_token`, `token_type`, `issued_token_type` if the issuer sent them.

        Raises:
            MissingRequiredArgumentError: `subject_token` or `subject_token_type` is missing.
            GetTokenByExchangeProfileError: an argument can't be sent, no client credentials are configured, or the
                issuer has no token endpoint.
            ApiError: the token endpoint gave no token, or the issuer's discovery document can't be fetched now.
        """
        return await self._exchange().profile(
            subject_token, subject_token_type, audience, scope, requested_token_type, extra
        )

    async def get_token_on_behalf_of(
        self, access_token: str, audience: str, scope: Optional[str] = None
    ) -> OnBehalfOfTokenResult:
        """An access token for another API, with which this API acts for the user of `access_token`. RFC 8693.

        The access token is not verified here: pass one that `verify_request` has accepted.

        Args:
            access_token: The user's, without a scheme.
            audience: The other API's identifier.
            scope: Scopes to ask for, separated by spaces.

        Raises:
            MissingRequiredArgumentError: `access_token` or `audience` is missing.
            GetTokenByExchangeProfileError: an argument can't be sent, no client credentials are configured, or the
                issuer has no token endpoint.
            ApiError: the token endpoint gave no token, or the issuer's discovery document can't be fetched now.
        """
        return await self._exchange().on_behalf_of(access_token, audience, scope)
