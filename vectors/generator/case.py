"""A test case, its token and its expected outcome; every group of cases is written with these."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import keys
from .keys import b64

NOW = 1_800_000_000
HOST = "tenant.example.com"
ISSUER = f"https://{HOST}/"
AUDIENCE = "https://api.example.com"
DISCOVERY_URL = f"https://{HOST}/.well-known/openid-configuration"
JWKS_URL = f"https://{HOST}/.well-known/jwks.json"

ABSENT = object()
"""Given as the value of a member: leaves the member out."""

POLICY: dict[str, Any] = {
    "audience": AUDIENCE,
    "issuers": [HOST],
    "single_issuer": True,
    "algorithms": ["RS256"],
    "leeway": 0,
    "rfc_status_codes": False,
    "dpop": "off",
}
ACCEPTED: dict[str, Any] = {
    "dpop": "accepted",
    "dpop_algorithms": ["ES256"],
    "dpop_iat_offset": 300,
    "dpop_iat_leeway": 30,
    "dpop_replay": "in_process",
}
"""What a policy has besides once DPoP is on."""
REQUIRED = {"dpop": "required"}
OFF = {**dict.fromkeys(ACCEPTED, ABSENT), "dpop": "off"}
"""Changes to `ACCEPTED`."""
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "auth0|alice",
    "aud": AUDIENCE,
    "iat": NOW - 60,
    "exp": NOW + 3600,
    "scope": "read:things write:things",
}
ALL_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]


@dataclass(frozen=True)
class Token:
    """A compact token with what a reader wants to know about it."""

    compact: str
    about: dict[str, Any]
    claims: Any = None

    def segments(self) -> list[str]:
        return self.compact.split(".")

    def respelled(self, compact: str, note: str) -> Token:
        """The same token in another spelling, which no signature covers."""
        return Token(compact, {**self.about, "respelled": note, "signature": None}, self.claims)


@dataclass(frozen=True)
class Proof:
    """A DPoP proof with what a reader wants to know about it; `generator/proof.py` makes them."""

    compact: str
    about: dict[str, Any]

    def segments(self) -> list[str]:
        return self.compact.split(".")

    def respelled(self, compact: str, note: str) -> Proof:
        """The same proof in another spelling, which no signature covers."""
        return Proof(compact, {**self.about, "respelled": note, "signature": None})


def merged(defaults: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    result = {**defaults, **(changes or {})}
    return {name: value for name, value in result.items() if value is not ABSENT}


def payload_with(claim: str, text: str) -> str:
    """The usual payload with the JSON text of one claim replaced, for numbers that Python would respell."""
    return compact_json(merged(CLAIMS, {claim: "@@"})).decode().replace('"@@"', text)


def compact_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def token(
    claims: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    *,
    alg: str = "RS256",
    key: str = "rsa-a",
    raw_header: bytes | str | None = None,
    raw_payload: bytes | str | None = None,
    sign_as: str | None = None,
    tamper: Callable[[bytes], bytes] | None = None,
    valid: bool | None = None,
    brief: bool = False,
) -> Token:
    """A signed token. `raw_*` replaces the JSON text; `sign_as` signs with another algorithm than the header's;
    `tamper` changes the signature; `valid` says whether the signature is good, where that isn't plain."""
    header_text = _text(raw_header, merged({"alg": alg, "typ": "JWT", "kid": key}, header))
    payload = merged(CLAIMS, claims)
    payload_text = _text(raw_payload, payload)
    message = f"{b64(header_text)}.{b64(payload_text)}".encode()
    signature = keys.sign(sign_as or alg, key, message)
    if tamper:
        signature = tamper(signature)
    good = valid if valid is not None else tamper is None
    about = _about(header_text, payload_text, brief)
    about["signature"] = {"alg": sign_as or alg, "key": key, "valid": good}
    return Token(f"{message.decode()}.{b64(signature)}", about, _loads(payload_text))


def hmac_token(alg: str, secret: bytes, header: dict[str, Any] | None = None) -> Token:
    header_text = _text(None, merged({"alg": alg, "typ": "JWT", "kid": "rsa-a"}, header))
    payload_text = _text(None, CLAIMS)
    message = f"{b64(header_text)}.{b64(payload_text)}".encode()
    about = _about(header_text, payload_text, brief=False)
    about["signature"] = {"alg": alg, "secret": b64(secret), "valid": True}
    return Token(f"{message.decode()}.{b64(keys.sign_hmac(alg, secret, message))}", about)


def unsigned_token(
    header: dict[str, Any] | None = None, signature: str = "", claims: dict[str, Any] | None = None
) -> Token:
    header_text = _text(None, merged({"alg": "none", "typ": "JWT", "kid": "rsa-a"}, header))
    payload_text = _text(None, merged(CLAIMS, claims))
    about = {**_about(header_text, payload_text, brief=False), "signature": None}
    return Token(f"{b64(header_text)}.{b64(payload_text)}.{signature}", about)


def text_token(text: str, note: str) -> Token:
    """Something that is not a JWT."""
    return Token(text, {"note": note, "signature": None})


def _text(raw: bytes | str | None, value: Any) -> bytes:
    if raw is None:
        return compact_json(value)
    return raw.encode() if isinstance(raw, str) else raw


def _loads(text: bytes) -> Any:
    try:
        return json.loads(text.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _about(header: bytes, payload: bytes, brief: bool) -> dict[str, Any]:
    def shown(text: bytes) -> Any:
        value = _loads(text)
        if isinstance(value, dict) and compact_json_or_none(value) == text:
            return value
        return text.decode("utf-8", "backslashreplace")

    if brief:
        return {"note": f"header of {len(header)} and payload of {len(payload)} bytes"}
    return {"header": shown(header), "payload": shown(payload)}


def compact_json_or_none(value: Any) -> bytes | None:
    try:
        return compact_json(value)
    except ValueError:
        return None


# What the client learns about each refusal, in the default profile. Written down a second time
# here, on purpose: the engine's own table is what these vectors test.
NO_CREDENTIALS = {
    "missing_authorization",
    "unknown_scheme",
    "scheme_without_token",
    "bearer_not_accepted",
    "dpop_not_accepted",
    "proof_missing",
}
CONTRADICTING_CREDENTIALS = {"multiple_authorization_fields", "proof_with_bearer"}
NONCE_WANTED = {"nonce_missing", "nonce_refused"}
DESCRIPTIONS = {
    **dict.fromkeys(NO_CREDENTIALS, ""),
    **dict.fromkeys(NONCE_WANTED, "Resource server requires nonce in DPoP proof"),
    "proof_with_bearer": "DPoP proof requires DPoP authentication scheme, not Bearer",
    "multiple_authorization_fields": "Multiple Authorization fields are not allowed",
    "token_too_large": "Failed to parse token header",
    "opaque_token": "Failed to parse token header",
    "encrypted_token": "Failed to parse token header",
    "encryption_not_supported": "Failed to parse token header",
    "decryption_failed": "Failed to parse token header",
    "content_not_signed": "Failed to parse token header",
    "malformed_header": "Failed to parse token header",
    "critical_header": "Failed to parse token header",
    "malformed_payload": "Failed to parse token payload",
    "replicated_claim_mismatch": "Failed to parse token payload",
    "malformed_signature": "Signature verification failed",
    "algorithm_missing": "Signature verification failed",
    "algorithm_not_allowed": "Signature verification failed",
    "unexpected_token_type": "Unexpected token type",
    "issuer_missing": "Token missing 'iss' claim",
    "issuer_malformed": "Invalid token issuer format",
    "other_issuer": "Token issuer does not match the discovery issuer",
    "issuer_not_allowed": "Token issuer is not in the list of allowed domains",
    "kid_missing": "Token header missing 'kid' claim",
    "unknown_kid": "No matching key found in JWKS",
    "unusable_key": "Signature verification failed",
    "signature_invalid": "Signature verification failed",
    "token_inactive": "Token is not active",
    "issuer_mismatch": "Verified Token issuer does not match the discovery issuer",
    "audience_missing": "Audience mismatch (single aud)",
    "audience_mismatch": "Audience mismatch (single aud)",
    "audience_not_listed": "Audience mismatch (not in token's aud array)",
    "audience_unexpected": "Audience mismatch (unexpected aud)",
    "client_not_accepted": "Token client is not in the list of allowed clients",
    "not_an_access_token": "Token is not an access token",
    "expiry_missing": "Token is expired",
    "token_expired": "Token is expired",
    "not_before_malformed": "Token is not yet valid",
    "token_not_yet_valid": "Token is not yet valid",
    "issued_at_missing": "Missing 'iat' claim in token",
    "subject_malformed": "Invalid sub claim in token",
    "bound_token_as_bearer": "DPoP-bound token requires the DPoP authentication scheme, not Bearer",
    "confirmation_malformed": "JWT Access Token has invalid confirmation claim format",
    "confirmation_missing": "JWT Access Token has no jkt confirmation claim",
    "confirmation_not_supported": "JWT Access Token has invalid confirmation claim format",
    "thumbprint_missing": "Access token 'cnf' claim missing 'jkt'",
    "thumbprint_malformed": "Access token 'cnf' claim missing 'jkt'",
    "confirmation_mismatch": "JWT Access Token confirmation mismatch",
    "client_certificate_missing": "Token requires its client certificate",
    "client_certificate_unreadable": "Client certificate can't be read",
    "client_certificate_mismatch": "Client certificate mismatch",
}
PROOF_DESCRIPTIONS = {
    "multiple_proofs": "Multiple DPoP proofs are not allowed",
    "proof_too_large": "Failed to verify DPoP proof",
    "proof_not_a_jws": "Failed to verify DPoP proof",
    "malformed_proof_header": "Failed to verify DPoP proof",
    "proof_critical_header": "Failed to verify DPoP proof",
    "proof_type": "Unexpected JWT 'typ' header parameter value",
    "proof_algorithm": "Unsupported algorithm in DPoP proof",
    "proof_key_missing": "Missing or invalid jwk in header",
    "proof_key_private": "Private key material found in jwk header",
    "proof_key_type": "Only EC keys are supported for DPoP",
    "proof_key_curve": "Only P-256 curve is supported",
    "proof_key_unusable": "Missing or invalid jwk in header",
    "malformed_proof_signature": "JWT signature verification failed",
    "proof_signature_invalid": "JWT signature verification failed",
    "malformed_proof_payload": "JWT signature verification failed",
    "proof_identifier_malformed": "jti claim must be a string",
    "proof_identifier_empty": "jti claim must not be empty",
    "proof_issued_at_malformed": "Invalid iat claim (must be integer or float)",
    "proof_too_old": "DPoP Proof iat is too old",
    "proof_from_future": "DPoP Proof iat is from the future",
    "proof_expired": "DPoP Proof is expired",
    "proof_not_yet_valid": "DPoP Proof is not yet valid",
    "proof_method_mismatch": "DPoP Proof htm mismatch",
    "proof_url_mismatch": "DPoP Proof htu mismatch",
    "proof_token_mismatch": "DPoP Proof ath mismatch",
    "proof_replayed": "DPoP Proof was already used",
}
BEFORE_THE_NETWORK = NO_CREDENTIALS | {
    "multiple_authorization_fields",
    "token_too_large",
    "opaque_token",
    "encrypted_token",
    "encryption_not_supported",
    "decryption_failed",
    "content_not_signed",
    "replicated_claim_mismatch",
    "malformed_header",
    "critical_header",
    "algorithm_missing",
    "symmetric_algorithm",
    "algorithm_not_allowed",
    "unexpected_token_type",
    "malformed_payload",
    "malformed_signature",
    "issuer_missing",
    "issuer_malformed",
    "other_issuer",
    "issuer_not_allowed",
    "kid_missing",
    "multiple_proofs",
    "proof_too_large",
    "proof_not_a_jws",
    "malformed_proof_header",
    "proof_critical_header",
}


def verified(tok: Token) -> dict[str, Any]:
    return {"outcome": "verified", "claims": tok.claims}


def unavailable() -> dict[str, Any]:
    return {"outcome": "unavailable", "status": 503}


def rejected(
    code: str, description: str | None = None, policy: dict[str, Any] = POLICY, scheme: str | None = None
) -> dict[str, Any]:
    """`scheme`: the one in use, in lower case, if it is known."""
    text = description
    if text is None:
        text = DESCRIPTIONS[code] if code in DESCRIPTIONS else PROOF_DESCRIPTIONS[code]
    rfc = policy["rfc_status_codes"]
    if code in NO_CREDENTIALS:
        status, error = (401 if rfc else 400), "invalid_request"
    elif code in CONTRADICTING_CREDENTIALS:
        status, error = 400, "invalid_request"
    elif code in PROOF_DESCRIPTIONS or code == "proof_claims_missing":
        status, error = (401 if rfc else 400), "invalid_dpop_proof"
    elif code in NONCE_WANTED:
        status, error = 401, "use_dpop_nonce"
    else:
        status, error = 401, "invalid_token"
    parameters = f'error="{error}", error_description="{text}"' if text else ""
    return _rejection(code, status, error, text, challenge(parameters, policy, scheme))


def insufficient_scope(
    required: list[str], policy: dict[str, Any] = POLICY, scheme: str | None = None
) -> dict[str, Any]:
    text = "Insufficient scopes"
    scope = " ".join(required)
    parameters = f'error="insufficient_scope", error_description="{text}", scope="{scope}"'
    return _rejection("insufficient_scope", 403, "insufficient_scope", text, challenge(parameters, policy, scheme))


# Of requirements: the text that a client reads, and the `error`.
_UNMET = {
    "insufficient_scope": ("Insufficient scopes", "insufficient_scope"),
    "any_scope_missing": ("Insufficient scopes", "insufficient_scope"),
    "permission_missing": ("Insufficient permissions", "insufficient_scope"),
    "any_permission_missing": ("Insufficient permissions", "insufficient_scope"),
    "organization_not_accepted": ("Organization not accepted", "access_denied"),
    "claim_not_accepted": ("Access denied", "access_denied"),
    "authentication_context_not_accepted": (
        "A different authentication level is required",
        "insufficient_user_authentication",
    ),
    "claims_unusable": ("Token claims can't be used", "invalid_token"),
    "authentication_too_old": ("More recent authentication is required", "insufficient_user_authentication"),
}


def unmet(
    code: str, requirement: dict[str, Any], policy: dict[str, Any] = POLICY, scheme: str | None = None
) -> dict[str, Any]:
    """The answer for a good token that doesn't meet a requirement. RFC 6750 section 3.1, RFC 9470 section 3."""
    text, error = _UNMET[code]
    parameters = f'error="{error}", error_description="{text}"'
    if error == "access_denied":
        return _rejection(code, 403, error, text, None)
    if error == "insufficient_scope":
        lists = [requirement.get(name, []) for name in ("scopes", "any_scope", "permissions", "any_permission")]
        parameters += f', scope="{" ".join(dict.fromkeys(name for names in lists for name in names))}"'
        return _rejection(code, 403, error, text, challenge(parameters, policy, scheme))
    if error == "invalid_token":
        return _rejection(code, 401, error, text, challenge(parameters, policy, scheme))
    if "acr" in requirement:
        parameters += f', acr_values="{" ".join(requirement["acr"])}"'
    if "max_age" in requirement:
        parameters += f', max_age="{requirement["max_age"]}"'
    return _rejection(code, 401, error, text, challenge(parameters, policy, scheme))


def challenge(parameters: str, policy: dict[str, Any], scheme: str | None) -> str:
    """The value of `WWW-Authenticate`. RFC 6750 section 3, RFC 9449 section 7.1. `parameters`: those of an error; empty without usable
    credentials."""
    mode = policy["dpop"]
    if "guidance" in policy:
        return _guided(parameters, policy, scheme)
    algs = f'algs="{" ".join(policy.get("dpop_algorithms", []))}"'
    if mode == "off":
        return f"Bearer {parameters}" if parameters else 'Bearer realm="api"'
    if mode == "required":
        return f"DPoP {parameters}, {algs}" if parameters else f"DPoP {algs}"
    own_first = policy["rfc_status_codes"] or "use_dpop_nonce" in parameters
    if scheme == "dpop" and own_first:
        return f'DPoP {parameters}, {algs}, Bearer realm="api"' if parameters else f'DPoP {algs}, Bearer realm="api"'
    if parameters and scheme == "dpop":
        return f'Bearer realm="api", DPoP {parameters}, {algs}'
    return f"Bearer {parameters}, DPoP {algs}" if parameters else f'Bearer realm="api", DPoP {algs}'


def _guided(parameters: str, policy: dict[str, Any], scheme: str | None) -> str:
    """Each challenge says besides where the resource's metadata is, and which scopes to ask for. RFC 9728 section 5.1."""
    guidance = policy["guidance"]
    metadata = f'resource_metadata="{guidance["metadata_url"]}"'
    wanted = re.search(r'scope="([^"]*)"', parameters)
    scope = wanted[1] if wanted else " ".join(guidance["scopes"])
    more = (f'scope="{scope}", ' if scope else "") + metadata
    of_error = metadata if wanted else more
    algs = f'algs="{" ".join(policy.get("dpop_algorithms", []))}"'
    silent = {"bearer": f'Bearer realm="api", {more}', "dpop": f"DPoP {algs}, {more}"}
    with_error = (
        {"bearer": f"Bearer {parameters}, {of_error}", "dpop": f"DPoP {parameters}, {algs}, {of_error}"}
        if parameters
        else silent
    )
    if policy["dpop"] == "off":
        return with_error["bearer"]
    if policy["dpop"] == "required":
        return with_error["dpop"]
    if scheme != "dpop":
        return f"{with_error['bearer']}, {silent['dpop']}"
    if policy["rfc_status_codes"] or "use_dpop_nonce" in parameters:
        return f"{with_error['dpop']}, {silent['bearer']}"
    # Without an error both are silent, and stand as they do for everybody.
    return f"{silent['bearer']}, {with_error['dpop']}"


def _rejection(code: str, status: int, error: str, text: str, challenge: str | None) -> dict[str, Any]:
    return {
        "outcome": "rejected",
        "code": code,
        "status": status,
        "error": error,
        "error_description": text,
        "www_authenticate": challenge,
    }


def bearer(tok: Token | str, scheme: str = "Bearer ") -> list[list[str]]:
    return [["Authorization", scheme + (tok.compact if isinstance(tok, Token) else tok)]]


def dpop(tok: Token | str, *proofs: Proof | str, scheme: str = "DPoP ") -> list[list[str]]:
    """The fields of a request in the DPoP scheme; with one proof, if it is an honest one."""
    fields = [["DPoP", proof if isinstance(proof, str) else proof.compact] for proof in proofs]
    return [*bearer(tok, scheme), *fields]


def scheme_of(headers: list[list[str]]) -> str | None:
    """The scheme of the one Authorization field, in lower case, if it is one of ours."""
    values = [value for name, value in headers if name.lower() == "authorization"]
    words = values[0].lower().split() if len(values) == 1 else []
    return words[0] if words and words[0] in ("bearer", "dpop") else None


def json_document(value: Any) -> dict[str, Any]:
    return {"json": value}


def raw_document(text: str) -> dict[str, Any]:
    return {"raw": text}


def key_set(*members: Any) -> dict[str, Any]:
    return {"json": {"keys": list(members)}}


def discovery(**members: Any) -> dict[str, Any]:
    return {"json": merged({"issuer": ISSUER, "jwks_uri": JWKS_URL}, members)}


MISSING = {"missing": True}


def documents(jwks: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    return {DISCOVERY_URL: metadata or {"file": "discovery"}, JWKS_URL: jwks or {"file": "key-set"}}


class Group:
    """The cases of one file."""

    def __init__(self, name: str, policy: dict[str, Any] | None = None) -> None:
        """`policy`: what the policy of the group has besides, or instead of, `POLICY`."""
        self.name = name
        self.policy = merged(POLICY, policy)
        self.documents = documents()
        self.cases: dict[str, dict[str, Any]] = {}

    def add(
        self,
        name: str,
        spec: str,
        tok: Token | None,
        expect: str | dict[str, Any],
        *,
        title: str | None = None,
        proof: Proof | None = None,
        headers: list[list[str]] | None = None,
        method: str = "GET",
        url: str = f"{AUDIENCE}/things",
        policy: dict[str, Any] | None = None,
        docs: dict[str, dict[str, Any]] | None = None,
        fetched: list[str] | None = None,
        now: float = NOW,
        required_scopes: list[str] | None = None,
        requirement: dict[str, Any] | None = None,
        required_claims: list[str] | None = None,
        proof_alone: bool = False,
        guidance: dict[str, Any] | None = None,
        certificate: str | None = None,
        behind_proxy: bool = False,
        before: list[dict[str, Any]] | None = None,
    ) -> None:
        """`expect`: "verified", the code of a rejection, "unavailable", or the outcome itself. `policy`: what differs
        from the policy of the group. `docs`: all documents of the case, if they are not those of the group."""
        assert name not in self.cases, name
        policy_used = merged(self.policy, policy)
        if headers is None:
            headers = _headers(tok, proof)
        answering = policy_used if guidance is None else {**policy_used, "guidance": guidance}
        outcome = _outcome(expect, tok, answering, headers, now)
        case: dict[str, Any] = {
            "title": title or name.replace("_", " ").capitalize(),
            "spec": spec,
            "policy": _changes(self.policy, policy_used),
            "documents": _changes(self.documents, self.documents if docs is None else docs),
            "before": before,
            "required_scopes": required_scopes,
            "requirement": requirement,
            "required_claims": required_claims,
            "proof_alone": proof_alone or None,
            "guidance": guidance,
            "token": tok.about if tok else None,
            "proof": proof.about if proof else None,
            "now": now,
            "request": _request(method, url, headers, certificate, behind_proxy),
            "expect": outcome,
            "fetched": fetched if fetched is not None else _fetched(outcome),
        }
        may_be_left_out = ("policy", "documents", "before")
        self.cases[name] = {
            member: value
            for member, value in case.items()
            if value is not None and (value or member not in may_be_left_out)
        }

    def accept(self, name: str, spec: str, tok: Token, **more: Any) -> None:
        self.add(name, spec, tok, "verified", **more)

    def step(
        self,
        tok: Token,
        expect: str | dict[str, Any],
        now: float,
        fetched: list[str],
        *,
        policy: dict[str, Any] | None = None,
        proof: Proof | None = None,
        method: str = "GET",
        url: str = f"{AUDIENCE}/things",
    ) -> dict[str, Any]:
        """An earlier request to the same verifier."""
        headers = _headers(tok, proof)
        return {
            "now": now,
            "request": {"method": method, "url": url, "headers": headers},
            "expect": _outcome(expect, tok, merged(self.policy, policy), headers, now),
            "fetched": fetched,
        }

    def as_json(self) -> dict[str, Any]:
        """The file: each case has only what differs from the defaults."""
        return {"defaults": {"policy": self.policy, "documents": self.documents}, "cases": self.cases}


def _request(
    method: str, url: str, headers: list[list[str]], certificate: str | None, behind_proxy: bool
) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "url": url, "headers": headers}
    if certificate is not None:
        request["certificate"] = certificate
    if behind_proxy:
        request["behind_proxy"] = True
    return request


def _changes(defaults: dict[str, Any], used: dict[str, Any]) -> dict[str, Any]:
    """What a case says to get from the defaults to this: changed and new members, and `null` for those it lacks."""
    assert None not in used.values()
    # As text, since 0 == 0.0 == False.
    changed = {name: value for name, value in used.items() if json.dumps(value) != json.dumps(defaults.get(name))}
    return {**changed, **dict.fromkeys(name for name in defaults if name not in used)}


def _headers(tok: Token | None, proof: Proof | None) -> list[list[str]]:
    if tok is None:
        return []
    return dpop(tok, proof) if proof else bearer(tok)


def _outcome(
    expect: str | dict[str, Any], tok: Token | None, policy: dict[str, Any], headers: list[list[str]], now: float
) -> dict[str, Any]:
    if isinstance(expect, dict):
        return expect
    if expect == "verified":
        assert tok is not None
        return verified(tok)
    if expect == "unavailable":
        return unavailable()
    outcome = rejected(expect, policy=policy, scheme=scheme_of(headers))
    if expect in NONCE_WANTED:
        outcome["dpop_nonce"] = nonce(policy["dpop_nonce_key"], now)
    return outcome


def nonce(key: str, now: float) -> str:
    """The nonce that a server with this key makes: the seconds, and 16 bytes of an HMAC over them."""
    seconds = int(now).to_bytes(8, "big")
    return b64(seconds + keys.sign_hmac("HS256", bytes.fromhex(key), seconds)[:16])


def _fetched(outcome: dict[str, Any]) -> list[str]:
    if outcome.get("code") in BEFORE_THE_NETWORK:
        return []
    return [DISCOVERY_URL, JWKS_URL]
