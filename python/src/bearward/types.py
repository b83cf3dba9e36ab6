"""Types that appear in signatures."""

from collections.abc import Awaitable
from typing import Any, Callable, Optional, Protocol, TypedDict, Union


class DomainsResolverContext(TypedDict):
    """Facts about a request, for a domains resolver. None of them is verified."""

    request_url: Optional[str]
    """URL of the request, if known, without query parameters that look like credentials."""
    request_headers: Optional[dict[str, str]]
    """Headers of the request, names in lower case, without those that look like credentials: `authorization`, `dpop`,
    `cookie`, `x-api-key`, and the like."""
    unverified_iss: str
    """The issuer that the token names: in normal form (`https://host[:port]/`), or as it is spelled if it has a path. A
    stranger can name any."""


DomainsResolver = Callable[[DomainsResolverContext], Union[list[str], Awaitable[list[str]]]]
"""Returns the domains whose tokens are accepted for a request: a coroutine function, or a plain function.

An issuer with a path is returned as its tokens spell it: `https://kc.example.com/realms/acme`.

A plain function is called in a worker thread, so it may wait for a database. Several calls may run at once.
"""


class HttpClient(Protocol):
    """The part of an `httpx.AsyncClient`, and of an `httpx2.AsyncClient`, that is used."""

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; the response is read later."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class _GrantedToken(TypedDict):
    access_token: str
    """The token."""
    expires_in: int
    """Lifetime, seconds."""
    expires_at: int
    """Expiry, Unix time in seconds, by this host's clock."""


class OnBehalfOfTokenResult(_GrantedToken, total=False):
    """A token for a downstream API. RFC 8693 section 2.2.1."""

    scope: str
    """The scopes granted, separated by spaces, if the issuer names them."""
    token_type: str
    """How to present the token, if the issuer names it."""
    issued_token_type: str
    """What kind of token it is, if the issuer names it. RFC 8693 section 3."""
