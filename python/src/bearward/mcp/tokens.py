"""Verified access tokens, as the MCP SDK knows them."""

from __future__ import annotations

from typing import Any

from mcp.server.auth.provider import AccessToken
from pydantic import Field

from bearward._asgi.connection import Headers
from bearward._asgi.principal import Principal


class VerifiedAccessToken(AccessToken):
    """The SDK's type. Its `repr` doesn't show the token."""

    token: str = Field(repr=False)


def access_token(principal: Principal, token: str, kind: type[AccessToken] = VerifiedAccessToken) -> Any:
    """What the SDK calls an access token.

    Args:
        principal: Whose it is.
        token: The token itself, with which a tool can ask for another one on behalf of its user.
        kind: The class to make.
    """
    # An issuer need not say of an opaque token when it expires. RFC 7662 section 2.2.
    expires = principal.claims.get("exp")
    return kind(
        token=token,
        client_id=principal.client_id or principal.subject or "",
        scopes=list(principal.scopes),
        expires_at=None if expires is None else int(expires),
        resource=principal.resource,
        subject=principal.subject,
        claims=principal.claims,
    )


def credentials_of(headers: Headers) -> str:
    """The token of a request that was let in."""
    return headers["authorization"].split(None, 1)[1].strip()
