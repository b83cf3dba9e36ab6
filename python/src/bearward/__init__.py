"""Guards HTTP APIs: verifies OAuth 2 access tokens of Auth0, and of other OpenID issuers.

`ApiClient` verifies without a framework. `bearward.fastapi` holds the FastAPI guard.
"""

from typing import TYPE_CHECKING

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
from bearward.replay import ReplayStore
from bearward.requirement import Requirement
from bearward.resource import ProtectedResource
from bearward.scopes import validate_scopes
from bearward.types import DomainsResolver, DomainsResolverContext, OnBehalfOfTokenResult

if TYPE_CHECKING:
    from bearward.redis_cache import RedisCache
    from bearward.redis_replay import RedisReplayStore

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


def __getattr__(name: str) -> object:
    """Imports what only APIs with Redis need, when it is asked for."""
    if name == "RedisCache":
        from bearward.redis_cache import RedisCache

        return RedisCache
    if name == "RedisReplayStore":
        from bearward.redis_replay import RedisReplayStore

        return RedisReplayStore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
