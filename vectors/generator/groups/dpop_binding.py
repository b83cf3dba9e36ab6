"""Which key a token is bound to (`cnf`), and whether the proof is that key's. Step 9, and the end of step 10."""

from __future__ import annotations

import base64
from typing import Any

from .. import keys
from ..case import ACCEPTED, OFF, REQUIRED, Group, Token, bearer, payload_with, token
from ..keys import b64
from ..proof import CLIENT, THIEF, bound_token, proof

RFC9449 = "RFC 9449 section 6.1"


def group() -> Group:
    cases = Group("dpop_binding", ACCEPTED)
    _as_bearer(cases)
    _confirmations(cases)
    _thumbprints(cases)
    return cases


def _as_bearer(cases: Group) -> None:
    """The downgrade: a stolen bound token is worth nothing without the key."""
    spec = "RFC 9449 section 7.2"
    bound = bound_token()
    cases.add("bound_token_as_bearer_is_rejected", spec, bound, "bound_token_as_bearer")
    cases.add(
        "bound_token_as_bearer_with_its_proof_is_rejected",
        spec,
        bound,
        "bound_token_as_bearer",
        headers=[*bearer(bound), ["DPoP", proof(bound).compact]],
    )
    cases.accept("bound_token_as_bearer_is_accepted_where_dpop_is_off", spec, bound, policy=OFF)
    cases.accept(
        "bound_token_with_a_proof_is_accepted_as_bearer_where_dpop_is_off",
        spec,
        bound,
        headers=[*bearer(bound), ["DPoP", proof(bound).compact]],
        policy=OFF,
    )
    cases.accept(
        "bare_bound_token_is_verified_without_its_binding",
        "RFC 9449 section 6",
        bound,
        required_claims=["cnf"],
    )
    for name, jkt in {"number": 5, "null": None, "empty": "", "array": [keys.thumbprint(CLIENT)]}.items():
        tok = token({"cnf": {"jkt": jkt}})
        for mode, policy in [("", ACCEPTED), ("_where_dpop_is_off", OFF)]:
            cases.add(
                f"jkt_that_is_{name}_is_rejected_as_bearer{mode}", spec, tok, "bound_token_as_bearer", policy=policy
            )


def _confirmations(cases: Group) -> None:
    """Fail closed: a confirmation that nobody here checks lets nobody in, in whatever scheme and mode."""
    jkt = keys.thumbprint(CLIENT)

    def refuse(name: str, code: str, cnf: Any, spec: str) -> None:
        tok = token({"cnf": cnf})
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=proof(tok))
        cases.add(f"{name}_is_rejected_as_bearer", spec, tok, code)
        cases.add(f"{name}_is_rejected_where_dpop_is_off", spec, tok, code, policy=OFF)

    for name, cnf in {"string": jkt, "null": None, "array": [{"jkt": jkt}], "number": 1, "true": True}.items():
        refuse(f"cnf_that_is_{name}", "confirmation_malformed", cnf, "RFC 7800 section 3.1")
    refuse("empty_cnf", "thumbprint_missing", {}, "RFC 7800 section 3.1")
    refuse("certificate_thumbprint", "thumbprint_missing", {"x5t#S256": jkt}, "RFC 8705 section 3.1")
    refuse("key_in_cnf", "thumbprint_missing", {"jwk": keys.bare_jwk(CLIENT)}, "RFC 7800 section 3.2")
    refuse("kid_in_cnf", "thumbprint_missing", {"kid": CLIENT}, "RFC 7800 section 3.4")
    refuse("key_url_in_cnf", "thumbprint_missing", {"jku": "https://evil.example/"}, "RFC 7800 section 3.5")
    refuse("unknown_confirmation", "thumbprint_missing", {"osc": {}}, "RFC 7800 section 3.1")
    refuse("jkt_in_upper_case", "thumbprint_missing", {"JKT": jkt}, "RFC 7515 section 5.3")
    tok = token({"cnf": {"jkt": jkt, "kc-jkt-type": "DPoP"}})
    cases.add("unknown_member_beside_jkt_is_accepted", "RFC 7800 section 3.1", tok, "verified", proof=proof(tok))
    cases.add("unknown_member_beside_jkt_is_rejected_as_bearer", RFC9449, tok, "bound_token_as_bearer")
    refuse("unknown_member_alone", "thumbprint_missing", {"kc-jkt-type": "DPoP"}, "RFC 7800 section 3.1")
    for method, value in {"jku": "https://evil.example/", "jwe": "x", "jwk": {}, "kid": "x", "osc": {}}.items():
        cnf = {"jkt": jkt, method: value}
        refuse(f"{method}_beside_jkt", "confirmation_not_supported", cnf, "RFC 7800 section 3.1")
    refuse("second_confirmation", "confirmation_not_supported", {"jkt": jkt, "x5t#S256": jkt}, "RFC 7800 section 3.1")

    spec = "RFC 9449 section 7.1"
    plain = token()
    cases.add("unbound_token_as_dpop_is_rejected", spec, plain, "confirmation_missing", proof=proof(plain))
    cases.add(
        "unbound_token_is_rejected_where_dpop_is_required",
        spec,
        plain,
        "confirmation_missing",
        proof=proof(plain),
        policy=REQUIRED,
    )
    upper = token({"CNF": {"jkt": jkt}})
    cases.add("cnf_in_upper_case_is_not_cnf", spec, upper, "confirmation_missing", proof=proof(upper))
    outside = token({"jkt": jkt})
    cases.add("jkt_outside_cnf_is_not_jkt", spec, outside, "confirmation_missing", proof=proof(outside))
    twice = token(raw_payload=payload_with("cnf", f'{{"jkt":"{jkt}","jkt":"x"}}'))
    cases.add("jkt_twice_is_rejected", "RFC 7519 section 4", twice, "malformed_payload", proof=proof(twice))
    for name, value in {
        "number": 5,
        "null": None,
        "empty": "",
        "array": [jkt],
        "object": {"S256": jkt},
        "true": True,
    }.items():
        tok = token({"cnf": {"jkt": value}})
        cases.add(f"jkt_that_is_{name}_is_rejected", RFC9449, tok, "thumbprint_malformed", proof=proof(tok))


def _thumbprints(cases: Group) -> None:
    """The thumbprint of the proof's key is `jkt`, byte for byte."""
    spec = "RFC 9449 section 4.3 step 12, RFC 7638 section 3"
    jkt = keys.thumbprint(CLIENT)
    digest = base64.urlsafe_b64decode(jkt + "=")

    def mismatch(name: str, tok: Token, **how: Any) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, "confirmation_mismatch", proof=proof(tok, **how))

    bound = bound_token()
    mismatch("proof_of_another_key", bound, key=THIEF)
    mismatch("token_bound_to_another_key", bound_token(key=THIEF))
    for name, value in {
        "padded_jkt": f"{jkt}=",
        "longer_jkt": f"{jkt}A",
        "shorter_jkt": jkt[:-1],
        "upper_case_jkt": jkt.upper(),
        "jkt_with_a_space": f" {jkt}",
        "jkt_with_a_line_feed": f"{jkt}\n",
        "jkt_in_hex": digest.hex(),
        "jkt_with_spare_bits": jkt[:-1] + chr(ord(jkt[-1]) + 1),
        "jkt_by_sha_512": keys.thumbprint(CLIENT, "sha512"),
        "jkt_by_sha_1": keys.thumbprint(CLIENT, "sha1"),
        "jkt_as_a_uri": f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{jkt}",
        "jkt_that_is_the_key": b64(str(keys.bare_jwk(CLIENT)).encode()),
    }.items():
        mismatch(name, token({"cnf": {"jkt": value}}))
    escaped = token(raw_payload=payload_with("cnf", f'{{"j\\u006bt":"\\u{ord(jkt[0]):04x}{jkt[1:]}"}}'))
    cases.accept("jkt_with_escapes_is_accepted", "RFC 8259 section 7", escaped, proof=proof(escaped))
    members = keys.bare_jwk(CLIENT)
    reordered = dict(sorted(members.items(), reverse=True))
    cases.accept(
        "order_of_members_does_not_matter",
        "RFC 7638 section 3.3",
        bound,
        proof=proof(bound, header={"jwk": reordered}),
    )
    cases.accept(
        "other_members_do_not_count",
        "RFC 7638 section 3.2",
        bound,
        proof=proof(bound, header={"jwk": {**members, "kid": "a", "use": "sig", "alg": "ES256"}}),
    )
    every = {"dpop_algorithms": ["ES256", "ES384", "RS256", "PS256", "EdDSA"]}
    for alg, key in {
        "ES384": "client-ec-p384",
        "RS256": "client-rsa",
        "PS256": "client-rsa",
        "EdDSA": "client-ed25519",
    }.items():
        tok = bound_token(key=key)
        good = proof(tok, alg=alg, key=key)
        cases.accept(f"thumbprint_of_{alg.lower()}_key_is_accepted", spec, tok, proof=good, policy=every)
        cases.add(
            f"{alg.lower()}_proof_for_a_token_of_another_key_is_rejected",
            spec,
            bound,
            "confirmation_mismatch",
            proof=proof(bound, alg=alg, key=key),
            policy=every,
        )
