"""The import name of the SDK that Bearward replaces. Re-exports only: the code is in `bearward`."""

from bearward import (
    ApiError,
    BaseAuthError,
    CacheAdapter,
    ConfigurationError,
    DomainsResolver,
    DomainsResolverContext,
    DomainsResolverError,
    GetTokenByExchangeProfileError,
    InMemoryCache,
    MissingRequiredArgumentError,
    OnBehalfOfTokenResult,
    VerifyAccessTokenError,
    get_current_actor,
    get_delegation_chain,
)
from bearward.fastapi import Auth0FastAPI

__all__ = [
    "ApiError",
    "Auth0FastAPI",
    "BaseAuthError",
    "CacheAdapter",
    "ConfigurationError",
    "DomainsResolver",
    "DomainsResolverContext",
    "DomainsResolverError",
    "GetTokenByExchangeProfileError",
    "InMemoryCache",
    "MissingRequiredArgumentError",
    "OnBehalfOfTokenResult",
    "VerifyAccessTokenError",
    "get_current_actor",
    "get_delegation_chain",
]
