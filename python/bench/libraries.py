"""How other libraries verify an access token: the key by the token's `kid`, then the signature and the claims."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any, Callable

_Verify = Callable[[str], Any]


def pyjwt(issuer: str, audience: str, keys: dict[str, Any]) -> _Verify:
    """PyJWT."""
    jwt: Any = import_module("jwt")
    by_kid = {key.key_id: key for key in jwt.PyJWKSet.from_dict(keys).keys}

    def verify(token: str) -> Any:
        key = by_kid[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=issuer)

    return verify


def joserfc(issuer: str, audience: str, keys: dict[str, Any]) -> _Verify:
    """joserfc."""
    jwk: Any = import_module("joserfc.jwk")
    jwt: Any = import_module("joserfc.jwt")
    key_set = jwk.KeySet.import_key_set(keys)
    required = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}
    claims_of_all = {**required, "exp": {"essential": True}}

    def verify(token: str) -> Any:
        claims = jwt.decode(token, key_set, algorithms=["RS256"]).claims
        jwt.JWTClaimsRegistry(now=int(time.time()), **claims_of_all).validate(claims)
        return claims

    return verify


def python_jose(issuer: str, audience: str, keys: dict[str, Any]) -> _Verify:
    """python-jose."""
    jwk: Any = import_module("jose.jwk")
    jwt: Any = import_module("jose.jwt")
    by_kid = {key["kid"]: jwk.construct(key, "RS256") for key in keys["keys"]}

    def verify(token: str) -> Any:
        key = by_kid[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=issuer)

    return verify


def authlib(issuer: str, audience: str, keys: dict[str, Any]) -> _Verify:
    """Authlib."""
    jose: Any = import_module("authlib.jose")
    key_set = jose.JsonWebKey.import_key_set(keys)
    library = jose.JsonWebToken(["RS256"])
    required = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": audience}}
    options = {**required, "exp": {"essential": True}}

    def verify(token: str) -> Any:
        claims = library.decode(token, key_set, claims_options=options)
        claims.validate()
        return claims

    return verify


LIBRARIES = {"pyjwt": pyjwt, "joserfc": joserfc, "python-jose": python_jose, "authlib": authlib}
