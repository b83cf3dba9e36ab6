"""DPoP proofs judged a second time, by RFC 9449 on top of joserfc. Shares nothing with the engine and the generator."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import re
from typing import Any

from check_jwe import opened
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

KEY_TYPES: dict[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
KINDS = {"ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "EdDSA": ("OKP", "Ed25519")}
UNRESERVED = r"A-Za-z0-9._~\-"
# RFC 3986 appendix A.
NAME = rf"(?:[{UNRESERVED}!$&'()*+,;=]|%[0-9A-Fa-f]{{2}})"
PCHAR = rf"(?:{NAME}|[:@])"
HTTP_URI = re.compile(
    rf"(https?)://({NAME}+|\[[0-9A-Fa-f:.]+\])(?::([0-9]*))?((?:/{PCHAR}*)*)"
    rf"(?:\?(?:{PCHAR}|[/?])*)?(?:#(?:{PCHAR}|[/?])*)?",
    re.IGNORECASE,
)


class Refused(Exception):
    """The proof doesn't hold."""


def applies_to(case: dict[str, Any]) -> bool:
    """Whether the outcome of this case says anything of its proof."""
    names = [name.lower() for name, _ in case["request"]["headers"]]
    if "dpop_algorithms" not in case["policy"] or names.count("authorization") != 1 or "dpop" not in names:
        return False
    if not field(case, "authorization").lower().startswith("dpop"):
        return False
    code = case["expect"].get("code", "")
    about = r"proof|malformed_proof|nonce|confirmation|thumbprint|multiple_proofs|insufficient_scope"
    return bool(case["expect"]["outcome"] == "verified" or re.match(about, code))


def lets_in(step: dict[str, Any]) -> bool:
    return bool(step["expect"]["outcome"] == "verified" or step["expect"].get("code") == "insufficient_scope")


def problem(case: dict[str, Any]) -> str | None:
    """Why the proof of the case's last request doesn't hold, if it doesn't."""
    policy = case["policy"]
    used: dict[Any, float] = {}
    for step in (*case.get("before", ()), case):
        try:
            identity, end = judge(step, policy)
            if step["now"] <= used.get(identity, 0) and policy["dpop_replay"] != "off":
                raise Refused("it was used before")
            if lets_in(step):
                used[identity] = end
        except (Refused, JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            if step is case:
                return f"{type(error).__name__} {error}"
    return None


def judge(step: dict[str, Any], policy: dict[str, Any]) -> tuple[Any, float]:
    """What the proof is remembered by, and until when it is good."""
    token = field(step, "authorization").split(maxsplit=1)[1]
    proof = field(step, "dpop")
    require(sum(name.lower() == "dpop" for name, _ in step["request"]["headers"]) == 1, "one field")
    require(len(proof) <= 16 * 1024, "size")
    segments = proof.split(".")
    require(len(segments) == 3, "three segments")
    header = strict_object(segments[0])
    require(header.get("typ") == "dpop+jwt", "typ")
    require("crit" not in header and "b64" not in header, "extensions")
    thumbprint = check_signature(header, segments, policy["dpop_algorithms"])
    claims = strict_object(segments[1])
    check_claims(claims, step, policy)
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode("latin-1")).digest()).decode().rstrip("=")
    require(claims["ath"] == ath, "ath")
    if "proof_alone" not in step:
        confirmation = json.loads(decoded(opened(token, policy).split(".")[1]))["cnf"]
        others = {"jwk", "jwe", "kid", "jku", "x5t#S256", "osc"} & set(confirmation)
        if "mtls" in policy:
            others.discard("x5t#S256")  # Checked too, and no matter of the proof.
        require(not others and confirmation["jkt"] == thumbprint, "the binding")
    return (thumbprint, claims["jti"]), claims["iat"] + policy["dpop_iat_offset"]


def check_signature(header: dict[str, Any], segments: list[str], allowed: list[str]) -> str:
    alg, jwk = header["alg"], header["jwk"]
    require(alg in allowed, "alg")
    kind, curve = KINDS.get(alg, ("RSA", None))
    require(jwk["kty"] == kind and jwk.get("crv") == curve, "the kind of key")
    require(not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & jwk.keys(), "a private key")
    require(jwk.get("use", "sig") == "sig" and jwk.get("alg", alg) == alg, "what the key is for")
    require("verify" in jwk.get("key_ops", ["verify"]) and jwk.get("key_ops") != "verify", "what the key is for")
    for member in {"EC": ("x", "y"), "OKP": ("x",), "RSA": ("n", "e")}[kind]:
        number = decoded(jwk[member])
        require(kind == "RSA" or len(number) == (48 if curve == "P-384" else 32), "the length of a coordinate")
        require(member != "n" or len(number) >= 256, "the length of the key")
    key = KEY_TYPES[kind].import_key(jwk)
    message = f"{segments[0]}.{segments[1]}".encode()
    require(jws.JWSRegistry.algorithms[alg].verify(message, decoded(segments[2]), key), "the signature")
    return str(key.thumbprint())


def check_claims(claims: dict[str, Any], step: dict[str, Any], policy: dict[str, Any]) -> None:
    now, (offset, leeway) = step["now"], (policy["dpop_iat_offset"], policy["dpop_iat_leeway"])
    require(isinstance(claims["jti"], str) and claims["jti"].strip() != "", "jti")
    if "dpop_nonce_key" in policy:
        check_nonce(claims["nonce"], policy, now)
    # RFC 9449 section 4.3 step 11: by `iat`, or by a nonce that says when the proof was made.
    require(is_number(claims["iat"]), "iat")
    require("dpop_nonce_key" in policy or now - offset <= claims["iat"] <= now + leeway, "the age")
    require("exp" not in claims or (is_number(claims["exp"]) and now - leeway < claims["exp"]), "exp")
    require("nbf" not in claims or (is_number(claims["nbf"]) and claims["nbf"] <= now + leeway), "nbf")
    require(claims["htm"] == step["request"]["method"], "htm")
    named, sent = http_uri(claims["htu"]), http_uri(step["request"]["url"].split("?")[0])
    require(named[:3] == sent[:3] and sent[3] in (named[3], without_dot_segments(named[3])), "htu")


def check_nonce(nonce: str, policy: dict[str, Any], now: float) -> None:
    data = decoded(nonce)
    tag = hmac.digest(bytes.fromhex(policy["dpop_nonce_key"]), data[:8], "sha256")[:16]
    require(data[8:] == tag, "the nonce's tag")
    age = now - int.from_bytes(data[:8], "big")
    require(-5 <= age < policy["dpop_nonce_lifetime"], "the nonce's age")


def http_uri(text: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path, normal but for dot segments. RFC 3986 sections 6.2.2 and 6.2.3."""
    match = HTTP_URI.fullmatch(text)
    if match is None:
        raise Refused("not an http URI")
    scheme, host, port, path = match.groups()
    if host.startswith("["):
        require("%" not in host, "a zone")
        host = f"[{ipaddress.IPv6Address(host[1:-1])}]"
    number = int(port or (443 if scheme.lower() == "https" else 80))
    require(number < 65536, "the port")
    return scheme.lower(), unescaped(host).lower(), number, unescaped(path) or "/"


def unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if re.fullmatch(f"[{UNRESERVED}]", character) else match[0].upper()

    return re.sub("%([0-9A-Fa-f]{2})", plain, text)


def without_dot_segments(rest: str) -> str:
    """RFC 3986 section 5.2.4, its steps A to E for a path that starts with a slash."""
    output = ""
    while rest:
        if rest.startswith("/./") or rest == "/.":
            rest = "/" + rest[3:]
        elif rest.startswith("/../") or rest == "/..":
            rest = "/" + rest[4:]
            output = output.rpartition("/")[0]
        else:
            end = rest.find("/", 1)
            end = len(rest) if end < 0 else end
            output, rest = output + rest[:end], rest[end:]
    return output


def field(step: dict[str, Any], wanted: str) -> str:
    return str(next(value for name, value in step["request"]["headers"] if name.lower() == wanted)).strip(" \t")


def strict_object(segment: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        require(len(dict(pairs)) == len(pairs), "a member twice")
        return dict(pairs)

    value = json.loads(decoded(segment), object_pairs_hook=unique)
    require(isinstance(value, dict), "an object")
    return dict(value)


def decoded(text: str) -> bytes:
    """Base64url in its one spelling."""
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, "canonical base64url")
    return data


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 2**53


def require(holds: bool, what: str) -> None:
    if not holds:
        raise Refused(what)
