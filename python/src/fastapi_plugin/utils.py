"""Helpers of the SDK that Bearward replaces. Re-exports only."""

from bearward.fastapi import get_canonical_url, http_exception, validate_scopes

__all__ = ["get_canonical_url", "http_exception", "validate_scopes"]
