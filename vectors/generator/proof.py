"""DPoP proofs, and tokens bound to the keys that make them. RFC 9449 sections 4.2 and 6.1."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from . import keys
from .case import AUDIENCE, NOW, Proof, Token, compact_json, merged, token
from .keys import b64

CLIENT = "client-ec-p256"
THIEF = "attacker-ec-p256"
URL = f"{AUDIENCE}/things"


def bound_token(claims: dict[str, Any] | None = None, *, key: str = CLIENT, **more: Any) -> Token:
    """An access token that is bound to the key of this name."""
    return token({"cnf": {"jkt": keys.thumbprint(key)}, **(claims or {})}, **more)


def hash_of(tok: Token | str, digest: str = "sha256") -> str:
    """`ath`: RFC 9449 section 4.2."""
    compact = tok if isinstance(tok, str) else tok.compact
    return b64(hashlib.new(digest, compact.encode()).digest())


def proof(
    tok: Token,
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    alg: str = "ES256",
    key: str = CLIENT,
    raw_header: str | None = None,
    raw_payload: str | None = None,
    header_segment: str | None = None,
    payload_segment: str | None = None,
    sign_as: str | None = None,
    signed_by: str | None = None,
    tamper: Callable[[bytes], bytes] | None = None,
    valid: bool | None = None,
    brief: bool = False,
) -> Proof:
    """A proof for GET of `URL` with this token. `raw_*` replaces the JSON text, `*_segment` what it is encoded to,
    `signed_by` the key that signs; the rest is as with tokens. The signature covers whatever is there."""
    header_value = merged({"typ": "dpop+jwt", "alg": alg, "jwk": keys.bare_jwk(key)}, header)
    payload_value = payload(tok, claims)
    header_text = raw_header if raw_header is not None else compact_json(header_value).decode()
    payload_text = raw_payload if raw_payload is not None else compact_json(payload_value).decode()
    first = header_segment if header_segment is not None else b64(header_text.encode())
    second = payload_segment if payload_segment is not None else b64(payload_text.encode())
    message = f"{first}.{second}".encode()
    signer = signed_by or key
    signature = keys.sign(sign_as or alg, signer, message)
    if tamper:
        signature = tamper(signature)
    good = valid if valid is not None else tamper is None
    about: dict[str, Any] = {
        "header": header_value if raw_header is None else header_text,
        "payload": payload_value if raw_payload is None else payload_text,
        "signature": {"alg": sign_as or alg, "key": signer, "valid": good},
    }
    if brief:
        about = {"note": f"a proof of {len(message)} bytes and its signature", "signature": about["signature"]}
    return Proof(f"{message.decode()}.{b64(signature)}", about)


def payload(tok: Token, claims: dict[str, Any] | None = None) -> dict[str, Any]:
    return merged({"jti": "proof-1", "htm": "GET", "htu": URL, "iat": NOW, "ath": hash_of(tok)}, claims)


def payload_with(tok: Token, claim: str, text: str) -> str:
    """The usual payload with the JSON text of one claim replaced."""
    return compact_json(payload(tok, {claim: "@@"})).decode().replace('"@@"', text)


def header_with(member: str, text: str) -> str:
    """The usual header with the JSON text of one member replaced."""
    usual = {"typ": "dpop+jwt", "alg": "ES256", "jwk": keys.bare_jwk(CLIENT)}
    return compact_json({**usual, member: "@@"}).decode().replace('"@@"', text)


def unsigned(tok: Token, header: dict[str, Any], signature: str, note: str) -> Proof:
    """A proof with a signature that no key made."""
    full = merged({"typ": "dpop+jwt", "alg": "ES256", "jwk": keys.bare_jwk(CLIENT)}, header)
    segments = f"{b64(compact_json(full))}.{b64(compact_json(payload(tok)))}"
    about = {"header": full, "payload": payload(tok), "note": note, "signature": None}
    return Proof(f"{segments}.{signature}", about)


def text_proof(text: str, note: str) -> Proof:
    """Something that is not a proof."""
    return Proof(text, {"note": note, "signature": None})
