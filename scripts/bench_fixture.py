"""What the benchmarks verify: an issuer's documents, and requests with its tokens."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from proofs import Prover

DOMAIN = "tenant.eu.auth0.com"
ISSUER = f"https://{DOMAIN}/"
AUDIENCE = "https://api.example.com"
KID = "q3dVZ8yXGm0TzA1bWc5Rk"
# The URL in the DPoP proofs.
URL = "http://127.0.0.1/guarded"
# Shaped and sized like a user's access token from Auth0, with a few permissions.
CLAIMS = {
    "https://example.com/email": "somebody@example.com",
    "iss": ISSUER,
    "aud": [AUDIENCE, f"{ISSUER}userinfo"],
    "azp": "Zk3pQ8vXw2LrT6yBn1Hs9JdCfGm4Ku7A",
    "permissions": ["read:messages", "write:messages", "read:profile", "delete:messages"],
    "scope": "openid profile email read:messages write:messages offline_access",
}


class Fixture(NamedTuple):
    """The files that every contender gets."""

    everything: Path
    # A few tokens, and many that are sent once.
    seen: Path
    new: Path


def write(folder: Path, few: int, many: int) -> Fixture:
    """Make the files: `few` requests of each scheme, and `many` more tokens."""
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KID, "e": "AQAB", "n": _encoded(_bytes(numbers.n))}
    client = Prover()
    bearer = _tokens(key, range(few))
    bound = _tokens(key, range(few, 2 * few), cnf={"jkt": client.thumbprint})
    fixture = {
        "domain": DOMAIN,
        "audience": AUDIENCE,
        "url": URL,
        "documents": {
            f"{ISSUER}.well-known/openid-configuration": {
                "issuer": ISSUER,
                "jwks_uri": f"{ISSUER}.well-known/jwks.json",
            },
            f"{ISSUER}.well-known/jwks.json": {"keys": [public]},
        },
        "bearer": [{"authorization": f"Bearer {token}"} for token in bearer],
        "dpop": [{"authorization": f"DPoP {token}", "dpop": client.proof(URL, token)} for token in bound],
    }
    files = Fixture(folder / "fixture.json", folder / "seen.txt", folder / "new.txt")
    files.everything.write_text(json.dumps(fixture))
    files.seen.write_text("\n".join(bearer) + "\n")
    files.new.write_text("\n".join(_many_tokens(key, 2 * few, many)) + "\n")
    return files


def _many_tokens(key: rsa.RSAPrivateKey, first: int, count: int) -> list[str]:
    """On all CPUs: a signature takes most of a millisecond."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    numbers = range(first, first + count)
    parts = [numbers[start : start + 500] for start in range(0, count, 500)]
    with ProcessPoolExecutor() as pool:
        return [token for tokens in pool.map(_tokens_by, [der] * len(parts), parts) for token in tokens]


def _tokens_by(der: bytes, numbers: range) -> list[str]:
    return _tokens(cast("rsa.RSAPrivateKey", load_der_private_key(der, None)), numbers)


def _tokens(key: rsa.RSAPrivateKey, numbers: range, **more: Any) -> list[str]:
    return [_token(key, {**CLAIMS, **more, "sub": f"auth0|65f0c1d2e3b4a596{number:08}"}) for number in numbers]


def _token(key: rsa.RSAPrivateKey, claims: dict[str, Any]) -> str:
    now = int(time.time())
    header = {"alg": "RS256", "typ": "JWT", "kid": KID}
    segments = [_encoded(_json(header)), _encoded(_json({**claims, "iat": now, "exp": now + 86_400}))]
    message = ".".join(segments)
    return f"{message}.{_encoded(key.sign(message.encode(), padding.PKCS1v15(), SHA256()))}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
