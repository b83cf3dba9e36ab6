"""How a client authenticates at the token endpoint: with its secret, or with a signature by its key."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Union

from bearward import _native
from bearward.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# RFC 7518 section 3.3.
_RSA_BITS_AT_LEAST = 2048


class RequestAuthentication:
    """What a request to the token endpoint carries besides its form.

    Not a tuple and not a data class: error reporters write down what local variables hold, and look into both.

    Args:
        fields: More fields of the form.
        auth: Puts HTTP Basic credentials into a request of httpx or httpx2, if the client uses them.
        secrets: What must not be repeated to anybody.
    """

    def __init__(self, fields: list[tuple[str, str]], auth: Optional[Callable[[Any], Any]], secrets: list[str]) -> None:
        self.fields = fields
        self.auth = auth
        self.secrets = secrets


class ClientAuthentication(Protocol):
    """One method of client authentication."""

    client_id: str

    def authenticate(self, issuer: str, now: float) -> RequestAuthentication:
        """Authenticate one request to `issuer`."""
        ...


class ClientCredentials(Protocol):
    """Where a client's credentials are configured."""

    @property
    def client_id(self) -> Optional[str]: ...
    @property
    def client_secret(self) -> Optional[str]: ...
    @property
    def client_assertion_key(self) -> Optional[Union[str, bytes]]: ...
    @property
    def client_assertion_algorithm(self) -> Any: ...


def authentication_for(options: ClientCredentials) -> Optional[ClientAuthentication]:
    """The configured method. `None`: the client flows are not configured.

    Raises:
        ConfigurationError: it can't be used.
    """
    if options.client_assertion_key is not None:
        if options.client_secret:
            raise ConfigurationError("client_secret and client_assertion_key: give one of them.")
        if not options.client_id:
            raise ConfigurationError("client_assertion_key needs 'client_id'.")
        return _PrivateKeyJwt(options.client_id, options.client_assertion_key, options.client_assertion_algorithm)
    if options.client_id and options.client_secret:
        return _ClientSecret(options.client_id, options.client_secret)
    return None


class _ClientSecret:
    """RFC 6749 section 2.3.1, HTTP Basic."""

    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id = client_id
        self._secret = secret

    def authenticate(self, issuer: str, now: float) -> RequestAuthentication:
        credentials = base64.b64encode(f"{self.client_id}:{self._secret}".encode()).decode()

        def add(request: Any) -> Any:
            request.headers["Authorization"] = f"Basic {credentials}"
            return request

        return RequestAuthentication([], add, [self._secret, credentials])


class _PrivateKeyJwt:
    """`private_key_jwt`: RFC 7523 section 2.2, OpenID Connect Core section 9. A fresh assertion for each request."""

    def __init__(self, client_id: str, pem: object, algorithm: object) -> None:
        self.client_id = client_id
        if algorithm not in ("RS256", "RS384", "PS256"):
            raise ConfigurationError("client_assertion_algorithm must be 'RS256', 'RS384' or 'PS256'.")
        self._algorithm: Any = algorithm
        self._key = _rsa_key(pem)

    def authenticate(self, issuer: str, now: float) -> RequestAuthentication:
        assertion = _native.ClientAssertion(self.client_id, issuer, self._algorithm, secrets.token_hex(16), now)
        fields = assertion.fields(self._sign(assertion.signing_input))
        return RequestAuthentication([("client_id", self.client_id), *fields], None, [value for _, value in fields[1:]])

    def _sign(self, message: bytes) -> bytes:
        """RFC 7518 sections 3.3 and 3.5: the salt of PSS is as long as the hash."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        digest: hashes.HashAlgorithm = hashes.SHA384() if self._algorithm == "RS384" else hashes.SHA256()
        if self._algorithm == "PS256":
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
            return self._key.sign(message, pss, digest)
        return self._key.sign(message, padding.PKCS1v15(), digest)


def _rsa_key(pem: object) -> RSAPrivateKey:
    """The private key. Errors contain no text of it."""
    try:
        from cryptography.hazmat.primitives.asymmetric import rsa
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ConfigurationError("client_assertion_key: install 'bearward[private-key-jwt]'.") from None
    data = pem.encode() if isinstance(pem, str) else pem
    if not isinstance(data, bytes):
        raise ConfigurationError("client_assertion_key must be a private key in PEM, as str or bytes.")
    try:
        key = load_pem_private_key(data, password=None)
    except Exception:  # noqa: BLE001 - any error of the library: its text may quote the key
        raise ConfigurationError("client_assertion_key is not a private key in PEM without a password.") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _RSA_BITS_AT_LEAST:
        raise ConfigurationError(f"client_assertion_key must be an RSA key of at least {_RSA_BITS_AT_LEAST} bits.")
    return key
