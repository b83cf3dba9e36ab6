"""Types that appear in signatures."""

from collections.abc import Awaitable
from typing import Callable, Optional, TypedDict, Union


class DomainsResolverContext(TypedDict):
    """What a domains resolver is told about the request. None of it is verified."""

    request_url: Optional[str]
    """URL of the request, if known."""
    request_headers: Optional[dict[str, str]]
    """Headers of the request, names in lower case, without `authorization` and `dpop`."""
    unverified_iss: str
    """The issuer that the token names, in normal form: `https://host[:port]/`. Anybody can write any host there."""


DomainsResolver = Callable[[DomainsResolverContext], Union[list[str], Awaitable[list[str]]]]
"""Gives the domains whose tokens are accepted for a request: a coroutine function, or a function.

A function is called in a worker thread, so that it may wait for a database; several calls may run at once.
"""


class _GrantedToken(TypedDict):
    access_token: str
    """The token."""
    expires_in: int
    """Lifetime, seconds."""
    expires_at: int
    """End of life, Unix time in seconds, by our clock."""


class OnBehalfOfTokenResult(_GrantedToken, total=False):
    """A token for a downstream API. RFC 8693 section 2.2.1."""

    scope: str
    """The scopes granted, separated by spaces, if the issuer says."""
    token_type: str
    """How to present the token, if the issuer says."""
    issued_token_type: str
    """What kind of token it is, if the issuer says. RFC 8693 section 3."""
