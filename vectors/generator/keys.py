"""The test keys, the JWKs made of them, and signatures that come out the same each time."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

FOLDER = Path(__file__).resolve().parent.parent / "keys"

MAKERS: dict[str, Callable[[], Any]] = {
    "rsa-a": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-b": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ec-p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ec-secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "attacker-rsa": lambda: rsa.generate_private_key(65537, 2048),
    "attacker-ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "attacker-ed25519": ed25519.Ed25519PrivateKey.generate,
    "client-ec-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "client-ec-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "client-rsa": lambda: rsa.generate_private_key(65537, 2048),
    "client-ed25519": ed25519.Ed25519PrivateKey.generate,
}

CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521", "secp256k1": "secp256k1"}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def b64_int(number: int, length: int | None = None) -> str:
    return b64(number.to_bytes(length or max(1, (number.bit_length() + 7) // 8), "big"))


@cache
def private_key(name: str) -> Any:
    """The key of this name; made if its file is missing."""
    path = FOLDER / f"{name}.pem"
    if not path.exists():
        pkcs8 = serialization.PrivateFormat.PKCS8
        text = MAKERS[name]().private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption())
        path.write_bytes(text)
    return serialization.load_pem_private_key(path.read_bytes(), None)


def public_bytes(name: str, encoding: str) -> bytes:
    """The public key as PEM or DER, for tokens that misuse it as an HMAC secret."""
    return (
        private_key(name)
        .public_key()
        .public_bytes(getattr(serialization.Encoding, encoding), serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def jwk(name: str, **members: Any) -> dict[str, Any]:
    """The public JWK of a test key; its `kid` is the key's name. A member given as `None` is left out."""
    public = private_key(name).public_key()
    numbers: dict[str, Any]
    if isinstance(public, rsa.RSAPublicKey):
        numbers = {"kty": "RSA", "n": b64_int(public.public_numbers().n), "e": b64_int(public.public_numbers().e)}
    elif isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.curve.key_size + 7) // 8
        point = public.public_numbers()
        crv = CURVES[public.curve.name]
        numbers = {"kty": "EC", "crv": crv, "x": b64_int(point.x, size), "y": b64_int(point.y, size)}
    else:
        crv = "Ed25519" if isinstance(public, ed25519.Ed25519PublicKey) else "Ed448"
        numbers = {"kty": "OKP", "crv": crv, "x": b64(public.public_bytes_raw())}
    result = {**numbers, "kid": name, "use": "sig", **members}
    return {member: value for member, value in result.items() if value is not None}


def bare_jwk(name: str, **members: Any) -> dict[str, Any]:
    """The public JWK as it is in a proof: nothing but the key."""
    return jwk(name, **{"kid": None, "use": None, **members})


def thumbprint(name: str, digest: str = "sha256") -> str:
    """RFC 7638 section 3: over the required members, in the order of their names, without white space."""
    members = {member: value for member, value in jwk(name).items() if member not in ("kid", "use")}
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return b64(hashlib.new(digest, text.encode()).digest())


def private_members(name: str) -> dict[str, str]:
    """What makes a JWK a private one."""
    numbers = private_key(name).private_numbers()
    if isinstance(numbers, ec.EllipticCurvePrivateNumbers):
        return {"d": b64_int(numbers.private_value, (private_key(name).curve.key_size + 7) // 8)}
    return {"d": b64_int(numbers.d), "p": b64_int(numbers.p), "q": b64_int(numbers.q)}


def certificate(name: str) -> x509.Certificate:
    """A self-signed certificate, as Auth0 publishes one beside each RSA key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tenant.example.com")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private_key(name).public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=5000))
        .sign(private_key(name), hashes.SHA256())
    )


def auth0_jwk(name: str) -> dict[str, Any]:
    """An RSA JWK with the members that Auth0 publishes."""
    der = certificate(name).public_bytes(serialization.Encoding.DER)
    return {
        **jwk(name, alg="RS256"),
        "x5t": b64(hashlib.sha1(der).hexdigest().upper().encode()),
        "x5c": [base64.b64encode(der).decode()],
    }


def sign(alg: str, key: str, message: bytes) -> bytes:
    """Signs as RFC 7518 section 3 and RFC 8037 say; the same bytes for the same arguments."""
    private = private_key(key)
    if alg.startswith("RS"):
        return private.sign(message, padding.PKCS1v15(), HASHES[alg[2:]]())
    if alg.startswith("PS"):
        return _sign_pss(private, alg[2:], message)
    if alg.startswith("ES"):
        return ecdsa_p1363(key, ecdsa_der(key, message))
    return private.sign(message)


def sign_hmac(alg: str, secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, f"sha{alg[2:]}")


def ecdsa_der(key: str, message: bytes) -> bytes:
    """The signature as ASN.1, which is not how JWS writes it."""
    digest = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}[private_key(key).curve.key_size]
    return private_key(key).sign(message, ec.ECDSA(digest(), deterministic_signing=True))


def ecdsa_p1363(key: str, der: bytes) -> bytes:
    size = (private_key(key).curve.key_size + 7) // 8
    r, s = decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _sign_pss(private: rsa.RSAPrivateKey, bits: str, message: bytes) -> bytes:
    """RFC 8017 section 8.1.1, with a salt made from the message: libraries draw a new one each time."""
    name = f"sha{bits}"
    size = int(bits) // 8
    numbers = private.private_numbers()
    modulus = numbers.public_numbers.n
    encoded_bits = modulus.bit_length() - 1
    length = (encoded_bits + 7) // 8
    digest = hashlib.new(name, message).digest()
    salt = hashlib.new(name, b"salt" + message).digest()
    hashed = hashlib.new(name, bytes(8) + digest + salt).digest()
    block = bytes(length - 2 * size - 2) + b"\x01" + salt
    mask = b""
    while len(mask) < len(block):
        mask += hashlib.new(name, hashed + (len(mask) // size).to_bytes(4, "big")).digest()
    masked = bytearray(a ^ b for a, b in zip(block, mask, strict=False))
    masked[0] &= 0xFF >> (8 * length - encoded_bits)
    encoded = bytes(masked) + hashed + b"\xbc"
    return pow(int.from_bytes(encoded, "big"), numbers.d, modulus).to_bytes((modulus.bit_length() + 7) // 8, "big")
