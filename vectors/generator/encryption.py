"""Encrypted tokens that come out the same each time: what should be random is made from the content. RFC 7516 section 5.1."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import keys
from .case import Token, compact_json, merged
from .keys import b64

KEY_BYTES = {"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}


def encrypted(
    tok: Token | str,
    header: dict[str, Any] | None = None,
    *,
    key: str = "client-rsa",
    enc: str = "A256GCM",
    raw_header: str | None = None,
    hash_name: str = "sha256",
    iv_bytes: int = 12,
    content_key_bytes: int | None = None,
    change: Callable[[list[str]], list[str]] | None = None,
) -> Token:
    """A JWE with `tok` inside, for the owner of this key. `change` gets the five segments."""
    content = tok.compact if isinstance(tok, Token) else tok
    value = merged({"alg": "RSA-OAEP-256", "enc": enc, "typ": "JWT", "cty": "JWT"}, header)
    text = raw_header if raw_header is not None else compact_json(value).decode()
    content_key = _bytes(f"key {content}", content_key_bytes or KEY_BYTES[enc])
    iv = _bytes(f"iv {content}", iv_bytes)
    first = b64(text.encode())
    sealed = AESGCM(content_key).encrypt(iv, content.encode(), first.encode())
    encrypted_key = _oaep(content_key, key, hash_name)
    segments = [first, *map(b64, (encrypted_key, iv, sealed[:-16], sealed[-16:]))]
    segments = change(segments) if change else segments
    about = tok.about if isinstance(tok, Token) else {"note": content[:80]}
    outer = {"header": value if raw_header is None else text, "key": key}
    claims = tok.claims if isinstance(tok, Token) else None
    return Token(".".join(segments), {"encrypted": outer, "inside": about, "signature": None}, claims)


def _oaep(message: bytes, key: str, hash_name: str) -> bytes:
    """RFC 8017 section 7.1.1, with a seed that is made from the message."""
    numbers = keys.private_key(key).public_key().public_numbers()
    length = (numbers.n.bit_length() + 7) // 8
    label = hashlib.new(hash_name, b"").digest()
    block = label + bytes(length - len(message) - 2 * len(label) - 2) + b"\1" + message
    seed = _bytes(f"seed {message.hex()}", len(label))
    masked = _xor(block, _mgf1(seed, len(block), hash_name))
    masked_seed = _xor(seed, _mgf1(masked, len(seed), hash_name))
    number = int.from_bytes(b"\0" + masked_seed + masked, "big")
    return pow(number, numbers.e, numbers.n).to_bytes(length, "big")


def _mgf1(seed: bytes, length: int, hash_name: str) -> bytes:
    rounds = range(-(-length // hashlib.new(hash_name).digest_size))
    return b"".join(hashlib.new(hash_name, seed + place.to_bytes(4, "big")).digest() for place in rounds)[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _bytes(text: str, length: int) -> bytes:
    return hashlib.shake_256(text.encode()).digest(length)
