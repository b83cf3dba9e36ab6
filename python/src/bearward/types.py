"""Types that appear in signatures."""

from collections.abc import Awaitable
from typing import Callable, Optional, TypedDict, Union


class DomainsResolverContext(TypedDict, total=False):
    """What a domains resolver is told about the request. None of it is verified."""

    request_url: Optional[str]
    """URL of the request, if known."""
    request_headers: Optional[dict[str, str]]
    """Headers of the request, names in lower case."""
    unverified_iss: str
    """The token's `iss`, as it came: anybody can write anything there."""


DomainsResolver = Callable[[DomainsResolverContext], Union[list[str], Awaitable[list[str]]]]
"""Gives the domains whose tokens are accepted for a request; a function or a coroutine function."""


class OnBehalfOfTokenResult(TypedDict, total=False):
    """A token for a downstream API. RFC 8693 section 2.2.1."""

    access_token: str
    """The token."""
    expires_in: int
    """Lifetime, seconds."""
    expires_at: int
    """End of life, Unix time in seconds, by our clock."""
    scope: str
    """The scopes granted, separated by spaces, if the issuer says."""
    token_type: str
    """How to present the token, if the issuer says."""
    issued_token_type: str
    """What kind of token it is, if the issuer says. RFC 8693 section 3."""
