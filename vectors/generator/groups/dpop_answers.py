"""What the client learns: every row of the table "WWW-Authenticate", in both profiles of statuses."""

from __future__ import annotations

from typing import Any

from ..case import (
    ACCEPTED,
    DISCOVERY_URL,
    MISSING,
    NOW,
    REQUIRED,
    Group,
    bearer,
    documents,
    dpop,
    insufficient_scope,
    merged,
    token,
)
from ..proof import bound_token, proof

SPEC = "RFC 9449 section 7.1"


def group() -> Group:
    cases = Group("dpop_answers", ACCEPTED)
    for profile, rfc in [("default", False), ("rfc", True)]:
        for mode, policy in [("mixed", ACCEPTED), ("required", REQUIRED)]:
            _table(cases, f"{profile}_profile_{mode}", {**policy, "rfc_status_codes": rfc})
    _algorithms(cases)
    _nothing_is_echoed(cases)
    return cases


def _table(cases: Group, prefix: str, policy: dict[str, Any]) -> None:
    good = bound_token()
    good_proof = proof(good)
    plain = token()
    mixed = policy["dpop"] == "accepted"

    def refuse(name: str, code: Any, headers: list[list[str]], **more: Any) -> None:
        cases.add(f"{prefix}_{name}", SPEC, None, code, headers=headers, policy=policy, **more)

    refuse("no_credentials", "missing_authorization", [])
    refuse("unknown_scheme", "unknown_scheme", [["Authorization", "Basic dXNlcjpwYXNz"]])
    refuse("dpop_without_proof", "proof_missing", dpop(good))
    refuse("dpop_with_two_proofs", "multiple_proofs", dpop(good, good_proof, good_proof))
    refuse("two_authorization_fields", "multiple_authorization_fields", [*bearer(plain), *bearer(plain)])
    expired = bound_token({"exp": 1})
    refuse("dpop_with_an_expired_token", "token_expired", dpop(expired, proof(expired)))
    refuse("dpop_with_an_unbound_token", "confirmation_missing", dpop(plain, proof(plain)))
    refuse("dpop_with_a_bad_proof", "proof_method_mismatch", dpop(good, proof(good, {"htm": "POST"})))
    if mixed:
        refuse("bearer_with_an_expired_token", "token_expired", bearer(token({"exp": 1})))
        refuse("bearer_with_a_bound_token", "bound_token_as_bearer", bearer(good))
        refuse("bearer_with_a_proof", "proof_with_bearer", [*bearer(plain), ["DPoP", "x"]])
    else:
        refuse("bearer", "bearer_not_accepted", bearer(plain))
    required = ["read:things", "admin"]
    full = merged(cases.policy, policy)
    cases.add(
        f"{prefix}_dpop_without_scope",
        "RFC 6750 section 3.1",
        good,
        insufficient_scope(required, full, "dpop"),
        proof=good_proof,
        policy=policy,
        required_scopes=required,
    )
    if mixed:
        cases.add(
            f"{prefix}_bearer_without_scope",
            "RFC 6750 section 3.1",
            plain,
            insufficient_scope(required, full, "bearer"),
            policy=policy,
            required_scopes=required,
        )
    cases.add(
        f"{prefix}_replayed_proof",
        "RFC 9449 section 11.1",
        good,
        "proof_replayed",
        proof=good_proof,
        policy=policy,
        before=[cases.step(good, "verified", NOW, _both(), policy=policy, proof=good_proof)],
        fetched=[],
    )
    cases.add(
        f"{prefix}_without_keys_is_503",
        "RFC 9110 section 15.6.4",
        good,
        "unavailable",
        proof=good_proof,
        policy=policy,
        docs=documents(metadata=MISSING),
        fetched=[DISCOVERY_URL],
    )


def _both() -> list[str]:
    return [DISCOVERY_URL, DISCOVERY_URL.replace("openid-configuration", "jwks.json")]


def _algorithms(cases: Group) -> None:
    """`algs` follows the policy."""
    several = {"dpop_algorithms": ["ES256", "EdDSA", "RS256"]}
    for mode, policy in [("mixed", several), ("required", {**REQUIRED, **several})]:
        cases.add(f"algs_are_those_accepted_{mode}", SPEC, None, "missing_authorization", headers=[], policy=policy)
        tok = bound_token()
        cases.add(
            f"algs_are_told_with_an_error_{mode}",
            SPEC,
            tok,
            "proof_token_mismatch",
            proof=proof(tok, {"ath": "x"}),
            policy=policy,
        )


def _nothing_is_echoed(cases: Group) -> None:
    """What an attacker writes reaches no header and no body."""
    spec = "RFC 6750 section 3, RFC 9110 section 5.6.4"
    nasty = 'x", error="none"\r\nSet-Cookie: a=b'
    tok = bound_token()
    for member in ["htm", "htu", "ath"]:
        code = {"htm": "proof_method_mismatch", "htu": "proof_url_mismatch", "ath": "proof_token_mismatch"}[member]
        cases.add(f"text_of_{member}_is_not_echoed", spec, tok, code, proof=proof(tok, {member: nasty}))
    for member, code in [("typ", "proof_type"), ("alg", "proof_algorithm"), ("crit", "proof_critical_header")]:
        bad = proof(tok, header={member: [nasty] if member == "crit" else nasty}, sign_as="ES256")
        cases.add(f"text_of_{member}_is_not_echoed", spec, tok, code, proof=bad)
    jkt = bound_token({"cnf": {"jkt": nasty}})
    cases.add("text_of_jkt_is_not_echoed", spec, jkt, "confirmation_mismatch", proof=proof(jkt))
    cnf = bound_token({"cnf": {nasty: nasty}})
    cases.add("text_of_cnf_is_not_echoed", spec, cnf, "thumbprint_missing", proof=proof(cnf))
    cases.add(
        "text_of_jti_is_not_echoed",
        spec,
        tok,
        "proof_replayed",
        proof=proof(tok, {"jti": nasty}),
        before=[cases.step(tok, "verified", NOW, _both(), proof=proof(tok, {"jti": nasty}))],
        fetched=[],
    )
