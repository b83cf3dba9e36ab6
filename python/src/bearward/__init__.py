"""Guards HTTP APIs: verifies OAuth 2 access tokens of Auth0, and of other OpenID issuers.

`ApiClient` verifies without a framework. `bearward.fastapi` holds the FastAPI guard.
"""

from bearward._native import __version__
from bearward.actor import get_current_actor, get_delegation_chain
from bearward.cache import AsyncCacheAdapter, CacheAdapter, InMemoryCache
from bearward.client import ApiClient, ApiClientOptions
from bearward.errors import (
    AccessDeniedError,
    ApiError,
    BaseAuthError,
    ConfigurationError,
    DomainsResolverError,
    GetAccessTokenForConnectionError,
    GetTokenByExchangeProfileError,
    InsufficientScopeError,
    InsufficientUserAuthenticationError,
    InternalError,
    InvalidAuthSchemeError,
    InvalidDpopProofError,
    IssuerUnavailableError,
    MissingAuthorizationError,
    MissingRequiredArgumentError,
    OperationError,
    ReplayCheckUnavailableError,
    UseDpopNonceError,
    VerifyAccessTokenError,
)
from bearward.introspection import Introspection
from bearward.redis_cache import RedisCache
from bearward.replay import RedisReplayStore, ReplayStore
from bearward.requirement import Requirement
from bearward.resource import ProtectedResource
from bearward.scopes import validate_scopes
from bearward.types import DomainsResolver, DomainsResolverContext, OnBehalfOfTokenResult

__all__ = [
    "AccessDeniedError",
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
    "InsufficientUserAuthenticationError",
    "InternalError",
    "Introspection",
    "InvalidAuthSchemeError",
    "InvalidDpopProofError",
    "IssuerUnavailableError",
    "MissingAuthorizationError",
    "MissingRequiredArgumentError",
    "OnBehalfOfTokenResult",
    "OperationError",
    "ProtectedResource",
    "RedisCache",
    "RedisReplayStore",
    "ReplayCheckUnavailableError",
    "ReplayStore",
    "Requirement",
    "UseDpopNonceError",
    "VerifyAccessTokenError",
    "__version__",
    "get_current_actor",
    "get_delegation_chain",
    "validate_scopes",
]
