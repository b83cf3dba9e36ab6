"""An older import path. Re-exports only: all names that this module has in the SDK that Bearward replaces."""

from bearward import ApiClient, ApiClientOptions, BaseAuthError, CacheAdapter
from bearward.fastapi import Auth0FastAPI, get_canonical_url, http_exception, validate_scopes

__all__ = [
    "ApiClient",
    "ApiClientOptions",
    "Auth0FastAPI",
    "BaseAuthError",
    "CacheAdapter",
    "get_canonical_url",
    "http_exception",
    "validate_scopes",
]
