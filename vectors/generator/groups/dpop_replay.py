"""A proof is good once. Step 11."""

from __future__ import annotations

from typing import Any

from ..case import (
    ACCEPTED,
    DISCOVERY_URL,
    JWKS_URL,
    MISSING,
    NOW,
    Group,
    Proof,
    Token,
    bearer,
    compact_json,
    discovery,
    documents,
    insufficient_scope,
    token,
)
from ..proof import THIEF, URL, bound_token, payload, proof
from .dpop_proof import P256_ORDER

SPEC = "RFC 9449 section 11.1"
BOTH = [DISCOVERY_URL, JWKS_URL]


def group() -> Group:
    cases = Group("dpop_replay", ACCEPTED)
    tok = bound_token()
    first = proof(tok)

    def add(
        name: str,
        expect: Any,
        then: Proof,
        *,
        then_token: Token = tok,
        before: list[dict[str, Any]] | None = None,
        policy: dict[str, Any] | None = None,
        fetched: list[str] | None = None,
        **more: Any,
    ) -> None:
        earlier = before if before is not None else [cases.step(tok, "verified", NOW, BOTH, policy=policy, proof=first)]
        cases.add(
            name, SPEC, then_token, expect, proof=then, before=earlier, policy=policy, fetched=fetched or [], **more
        )

    replayed = "proof_replayed"
    add("same_proof_again_is_rejected", replayed, first)
    add("same_proof_a_minute_later_is_rejected", replayed, first, now=NOW + 60)
    again = cases.step(tok, replayed, NOW + 1, [], proof=first)
    warm = cases.step(tok, "verified", NOW, BOTH, proof=first)
    add("same_proof_a_third_time_is_rejected", replayed, first, before=[warm, again])
    add("new_proof_is_accepted", "verified", proof(tok, {"jti": "proof-2"}))
    new = proof(tok, {"jti": "proof-2"})
    add("new_proof_is_accepted_after_a_replay", "verified", new, before=[warm, again])
    add("same_jti_of_another_time_is_rejected", replayed, proof(tok, {"iat": NOW - 5}))
    add(
        "same_jti_for_another_method_is_rejected",
        replayed,
        proof(tok, {"htm": "DELETE"}),
        method="DELETE",
    )
    other_url = f"{URL}/else"
    add("same_jti_for_another_url_is_rejected", replayed, proof(tok, {"htu": other_url}), url=other_url)
    other_token = bound_token({"sub": "auth0|bob"})
    add("same_jti_for_another_token_is_rejected", replayed, proof(other_token), then_token=other_token)
    others = bound_token(key=THIEF)
    add("same_jti_of_another_key_is_accepted", "verified", proof(others, key=THIEF), then_token=others)

    # Another text with the same meaning.
    add("same_jti_in_a_new_header_is_rejected", replayed, proof(tok, header={"x": 1}))
    add("same_proof_signed_anew_is_rejected", replayed, proof(tok, {"x": 1}))
    usual = compact_json(payload(tok)).decode()
    escaped = usual.replace("proof-1", "\\u0070roof-\\u0031")
    add("same_jti_with_escapes_is_rejected", replayed, proof(tok, raw_payload=escaped))
    twin = proof(tok, tamper=_twin, valid=True)
    assert twin.compact != first.compact
    add("twin_of_the_signature_is_rejected", replayed, twin)
    add(
        "same_proof_between_spaces_is_rejected",
        replayed,
        first,
        headers=[*bearer(tok, "dpop  "), ["dpop", f" {first.compact}\t"]],
    )
    add("same_proof_for_another_query_is_rejected", replayed, first, url=f"{URL}?page=2")

    # What is different is different.
    for name, jti in {
        "in_upper_case": "PROOF-1",
        "with_a_space": "proof-1 ",
        "with_a_nul": "proof-1\u0000",
        "that_starts_the_same": "proof-10",
        "composed_otherwise": "proof-\u0031\u0301",
    }.items():
        add(f"jti_{name}_is_another_one", "verified", proof(tok, {"jti": jti}))
    long = "j" * 300
    add(
        "long_jti_that_differs_at_its_end_is_another_one",
        "verified",
        proof(tok, {"jti": long + "2"}),
        before=[cases.step(tok, "verified", NOW, BOTH, proof=proof(tok, {"jti": long + "1"}))],
    )

    # As long as a proof is good, and no longer.
    add("replay_at_the_last_moment_is_rejected", replayed, first, now=NOW + 300)
    add("replay_after_the_last_moment_is_too_old", "proof_too_old", first, now=NOW + 301)
    ahead = proof(tok, {"iat": NOW + 30})
    started = [cases.step(tok, "verified", NOW, BOTH, proof=ahead)]
    add("replay_of_a_proof_from_ahead_is_rejected_to_its_end", replayed, ahead, before=started, now=NOW + 330)
    add(
        "jti_may_come_again_when_its_proof_is_long_gone",
        "verified",
        proof(tok, {"iat": NOW + 400}),
        now=NOW + 400,
    )
    short = {"dpop_iat_offset": 5, "dpop_iat_leeway": 5}
    add("replay_at_the_end_of_a_short_window_is_rejected", replayed, first, now=NOW + 5, policy=short)

    # A proof that fails another check is not used up.
    for name, code, change in [
        ("method", "proof_method_mismatch", {"method": "POST"}),
        ("url", "proof_url_mismatch", {"url": other_url}),
    ]:
        earlier = cases.step(tok, code, NOW, BOTH, proof=first, **change)
        add(f"proof_refused_for_its_{name}_is_not_used_up", "verified", first, before=[earlier])
    earlier = cases.step(tok, "proof_from_future", NOW - 60, BOTH, proof=first)
    add("proof_refused_for_its_time_is_not_used_up", "verified", first, before=[earlier])
    earlier = cases.step(other_token, "proof_token_mismatch", NOW, BOTH, proof=first)
    add("proof_refused_for_its_token_is_not_used_up", "verified", first, before=[earlier])
    earlier = cases.step(others, "confirmation_mismatch", NOW, BOTH, proof=proof(others))
    add("proof_refused_for_its_binding_is_not_used_up", "verified", first, before=[earlier])
    forged = proof(tok, signed_by=THIEF, valid=True)
    earlier = cases.step(tok, "proof_signature_invalid", NOW, BOTH, proof=forged)
    add("forged_proof_uses_up_no_jti", "verified", first, before=[earlier])
    early = bound_token({"nbf": NOW})
    earlier = cases.step(early, "token_not_yet_valid", NOW - 10, BOTH, proof=proof(early))
    add("proof_refused_with_its_token_is_not_used_up", "verified", proof(early), then_token=early, before=[earlier])
    cases.add(
        "proof_that_could_not_be_judged_is_not_used_up",
        SPEC,
        tok,
        "verified",
        proof=first,
        docs=documents(metadata={**MISSING, "then": discovery()}),
        before=[cases.step(tok, "unavailable", NOW, [DISCOVERY_URL], proof=first)],
        now=NOW + 60,
    )
    lacking = {**cases.step(tok, "verified", NOW, BOTH, proof=first)}
    lacking["required_scopes"] = ["admin"]
    lacking["expect"] = insufficient_scope(["admin"], cases.policy, "dpop")
    add("proof_of_a_token_without_scope_is_used_up", replayed, first, before=[lacking])

    off = {"dpop_replay": "off"}
    add("same_proof_again_is_accepted_where_replay_protection_is_off", "verified", first, policy=off)
    plain = token()
    cases.accept(
        "same_bearer_token_again_is_accepted",
        SPEC,
        plain,
        before=[cases.step(plain, "verified", NOW, BOTH)],
        fetched=[],
    )
    return cases


def _twin(signature: bytes) -> bytes:
    """With s, n - s is a signature, too: ECDSA has two for each."""
    s = int.from_bytes(signature[32:], "big")
    return signature[:32] + (P256_ORDER - s).to_bytes(32, "big")
