"""The groups of cases, and the documents that they share."""

from __future__ import annotations

from typing import Any

from ..case import ISSUER, JWKS_URL, Group
from ..keys import auth0_jwk, jwk
from . import (
    algorithm,
    answers,
    claims,
    credentials,
    discovery,
    dpop_alone,
    dpop_answers,
    dpop_binding,
    dpop_claims,
    dpop_nonce,
    dpop_proof,
    dpop_replay,
    dpop_scheme,
    dpop_url,
    encrypted,
    exact_issuer,
    fixed_keys,
    guidance,
    header,
    introspection,
    issuer,
    json_text,
    key,
    mutual_tls,
    recipient,
    requirement,
    rotation,
    scope,
    scope_claim,
    shape,
    signature,
)


def all_groups() -> list[Group]:
    modules = [
        credentials,
        shape,
        encrypted,
        json_text,
        header,
        algorithm,
        issuer,
        discovery,
        key,
        rotation,
        signature,
        claims,
        scope,
        requirement,
        answers,
        dpop_scheme,
        dpop_binding,
        mutual_tls,
        dpop_proof,
        dpop_claims,
        dpop_url,
        dpop_replay,
        dpop_nonce,
        dpop_answers,
        dpop_alone,
        exact_issuer,
        introspection,
        recipient,
        scope_claim,
        guidance,
        fixed_keys,
    ]
    return [module.group() for module in modules]


def shared_documents() -> dict[str, Any]:
    """What a case names with `{"file": name}`."""
    host = ISSUER.rstrip("/")
    return {
        "discovery": {
            "issuer": ISSUER,
            "authorization_endpoint": f"{host}/authorize",
            "token_endpoint": f"{host}/oauth/token",
            "jwks_uri": JWKS_URL,
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["HS256", "RS256", "PS256"],
        },
        "key-set": {"keys": [auth0_jwk("rsa-a"), auth0_jwk("rsa-b")]},
        "key-set-old": {"keys": [auth0_jwk("rsa-a")]},
        "key-set-new": {"keys": [auth0_jwk("rsa-b")]},
        "key-set-all-algorithms": {
            "keys": [
                jwk("rsa-a"),
                jwk("rsa-4096"),
                jwk("ec-p256"),
                jwk("ec-p384"),
                jwk("ec-p521"),
                jwk("ec-secp256k1"),
                jwk("ed25519"),
                jwk("ed448"),
            ]
        },
    }
