"""Guards HTTP APIs: verifies OAuth 2 access tokens of Auth0, and of other OpenID issuers that are a bare host.

`ApiClient` verifies without a framework. `bearward.fastapi` holds the FastAPI guard.
"""

from bearward._native import __version__
from bearward.actor import get_current_actor, get_delegation_chain
from bearward.cache import AsyncCacheAdapter, CacheAdapter, InMemoryCache
from bearward.client import ApiClient, ApiClientOptions
from bearward.errors import (
    ApiError,
    BaseAuthError,
    ConfigurationError,
    DomainsResolverError,
    GetAccessTokenForConnectionError,
    GetTokenByExchangeProfileError,
    InsufficientScopeError,
    InternalError,
    InvalidAuthSchemeError,
    InvalidDpopProofError,
    IssuerUnavailableError,
    MissingAuthorizationError,
    MissingRequiredArgumentError,
    ReplayCheckUnavailableError,
    UseDpopNonceError,
    VerifyAccessTokenError,
)
from bearward.redis_cache import RedisCache
from bearward.replay import RedisReplayStore, ReplayStore
from bearward.types import DomainsResolver, DomainsResolverContext, OnBehalfOfTokenResult

__all__ = [
    "ApiClient",
    "ApiClientOptions",
    "ApiError",
    "AsyncCacheAdapter",
    "BaseAuthError",
    "CacheAdapter",
    "ConfigurationError",
    "DomainsResolver",
    "DomainsResolverContext",
    "DomainsResolverError",
    "GetAccessTokenForConnectionError",
    "GetTokenByExchangeProfileError",
    "InMemoryCache",
    "InsufficientScopeError",
    "InternalError",
    "InvalidAuthSchemeError",
    "InvalidDpopProofError",
    "IssuerUnavailableError",
    "MissingAuthorizationError",
    "MissingRequiredArgumentError",
    "OnBehalfOfTokenResult",
    "RedisCache",
    "RedisReplayStore",
    "ReplayCheckUnavailableError",
    "ReplayStore",
    "UseDpopNonceError",
    "VerifyAccessTokenError",
    "__version__",
    "get_current_actor",
    "get_delegation_chain",
]
