"""Keys that sign the tokens and the proofs of tests."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Callable, Union

try:
    # The package itself signs nothing: `cryptography` comes with the extra.
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
except ImportError as error:
    raise ImportError("bearward.testing needs cryptography: pip install 'bearward[testing]'") from error

_Private = Union[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey]

_CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
_HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}

KINDS = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519", "Ed25519": "Ed25519"},
}
"""The kind of key that each algorithm needs. RFC 7518 section 3.1, RFC 8037 section 3.1."""


class SigningKey:
    """A private key.

    Args:
        private: The key.
        kid: Its name.
    """

    def __init__(self, private: _Private, kid: str) -> None:
        self._private = private
        self.kid = kid

    @functools.cached_property
    def public(self) -> dict[str, str]:
        """The members of the public key as a JWK that RFC 7638 section 3.2 names: no `kid`."""
        private = self._private
        if isinstance(private, rsa.RSAPrivateKey):
            rsa_numbers = private.public_key().public_numbers()
            return {"kty": "RSA", "n": _number(rsa_numbers.n), "e": _number(rsa_numbers.e)}
        if isinstance(private, ec.EllipticCurvePrivateKey):
            numbers, size = private.public_key().public_numbers(), (private.key_size + 7) // 8
            name = next(name for name, curve in _CURVES.items() if curve.name == private.curve.name)
            return {"kty": "EC", "crv": name, "x": _number(numbers.x, size), "y": _number(numbers.y, size)}
        raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": base64url(raw)}

    @property
    def thumbprint(self) -> str:
        """`jkt`. RFC 7638."""
        members = json.dumps(self.public, sort_keys=True, separators=(",", ":"))
        return base64url(hashlib.sha256(members.encode()).digest())

    def sign(self, algorithm: str, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A JWT. RFC 7515 section 7.1.

        Args:
            algorithm: One that fits the key.
            header: What the header has besides `alg`.
            claims: The payload.
        """
        name = "EdDSA" if algorithm == "Ed25519" else algorithm
        parts = (json.dumps(part).encode() for part in ({"alg": name, **header}, claims))
        content = ".".join(map(base64url, parts))
        return f"{content}.{base64url(self._signature(algorithm, content.encode()))}"

    def _signature(self, algorithm: str, content: bytes) -> bytes:
        private = self._private
        if isinstance(private, ed25519.Ed25519PrivateKey):
            return private.sign(content)
        digest = _HASHES[algorithm[-3:]]
        if isinstance(private, ec.EllipticCurvePrivateKey):
            # RFC 7518 section 3.4: both numbers, each as long as the curve's.
            r, s = decode_dss_signature(private.sign(content, ec.ECDSA(digest)))
            size = (private.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if algorithm.startswith("PS"):
            return private.sign(content, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        return private.sign(content, padding.PKCS1v15(), digest)


@functools.cache
def key_of(kind: str, owner: str, generation: int) -> SigningKey:
    """A key of this kind, for an owner and as often as it has changed keys. The same one for equal arguments.

    An RSA key takes a tenth of a second to make. So all tests of a process share keys.
    """
    make: Callable[[], _Private]
    if kind == "RSA":
        make = functools.partial(rsa.generate_private_key, 65537, 2048)
    elif kind in _CURVES:
        make = functools.partial(ec.generate_private_key, _CURVES[kind])
    else:
        make = ed25519.Ed25519PrivateKey.generate
    return SigningKey(make(), f"{owner}-{kind}-{generation}")


def base64url(data: bytes) -> str:
    """RFC 7515 section 2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(number: int, size: int = 0) -> str:
    return base64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))
