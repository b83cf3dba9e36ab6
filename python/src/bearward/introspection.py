"""Opaque tokens: how an API asks its issuer what they say. RFC 7662."""

from typing import Literal, Optional, Union

from bearward._driver import checks
from bearward.errors import ConfigurationError


class Introspection:
    """How this API authenticates at the introspection endpoint of its issuer, for `introspection=`.

    A token that is no JWT is then sent to that endpoint. If the answer says that it is active, the answer's claims are
    checked like those of a JWT: `aud` (or `client_id`, with `client_ids`), `exp`, `nbf`, `sub`, `cnf`, and what a
    route requires. RFC 7662 lets `iss`, `exp` and `iat` be missing; where they are there, they are checked.

    Answers are remembered, the 10,000 used last, so one question serves many requests. While the endpoint fails,
    requests with a token that is not remembered get a 503 with `Retry-After`, and the endpoint is asked less and less
    often.

    A pickled client or guard holds the credentials. No repr, log or error shows them.

    Args:
        client_id: This API, as a client of the issuer.
        client_secret: Its secret, sent as HTTP Basic (RFC 6749 section 2.3.1).
        client_assertion_key: Instead of the secret: its RSA private key in PEM (`private_key_jwt`, RFC 7523). Needs
            `bearward[private-key-jwt]`.
        client_assertion_algorithm: The algorithm that this key signs with.
        endpoint: The endpoint, an https URL. By default it is `introspection_endpoint` of the discovery document, which
            must then come from the issuer itself: a shared cache is not asked for it.
        remember_seconds: How long an answer is used again, at most 300 seconds and never beyond the token's `exp`. A
            token that is revoked meanwhile is accepted until then. 0: the issuer is asked for each request.

    Raises:
        ConfigurationError: an argument can't be used.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: Optional[str] = None,
        client_assertion_key: Optional[Union[str, bytes]] = None,
        client_assertion_algorithm: Literal["RS256", "RS384", "PS256"] = "RS256",
        endpoint: Optional[str] = None,
        remember_seconds: Union[int, float] = 30,
    ) -> None:
        for name, value in (("client_id", client_id), ("client_secret", client_secret), ("endpoint", endpoint)):
            checks.sendable_text(f"introspection: {name}", value)
        if not client_id or not (client_secret or client_assertion_key):
            raise ConfigurationError(
                "introspection needs client_id, and client_secret or client_assertion_key: the issuer answers only "
                "clients that it knows."
            )
        checks.duration("introspection: remember_seconds", remember_seconds)
        if remember_seconds > _REMEMBERED_AT_MOST:
            raise ConfigurationError(
                f"introspection: remember_seconds must be at most {_REMEMBERED_AT_MOST}, since a revoked token is "
                "accepted so long."
            )
        self.client_id = client_id
        self.client_secret = client_secret
        self.client_assertion_key = client_assertion_key
        self.client_assertion_algorithm = client_assertion_algorithm
        self.endpoint = endpoint
        self.remember_seconds = remember_seconds

    def __repr__(self) -> str:
        return f"Introspection(client_id={self.client_id!r}, endpoint={self.endpoint!r})"


# The engine's limit.
_REMEMBERED_AT_MOST = 300
