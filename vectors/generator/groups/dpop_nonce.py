"""Nonces of the server in proofs. RFC 9449 sections 8 and 9."""

from __future__ import annotations

from typing import Any

from .. import keys
from ..case import (
    ABSENT,
    ACCEPTED,
    DISCOVERY_URL,
    JWKS_URL,
    NOW,
    REQUIRED,
    Group,
    bearer,
    nonce,
    token,
    verified,
)
from ..keys import b64
from ..proof import bound_token, proof

KEY = bytes(range(32)).hex()
OTHER_KEY = bytes(range(1, 33)).hex()
WANTED = {**ACCEPTED, "dpop_nonce_key": KEY, "dpop_nonce_lifetime": 300}
NOT_WANTED = {"dpop_nonce_key": ABSENT, "dpop_nonce_lifetime": ABSENT}
SPEC = "RFC 9449 section 9"


def group() -> Group:
    cases = Group("dpop_nonce", WANTED)
    tok = bound_token()

    def accept(name: str, value: Any, fresh: bool = False, **more: Any) -> None:
        outcome = verified(tok)
        if fresh:
            outcome["dpop_nonce"] = nonce(KEY, NOW)
        cases.add(name, SPEC, tok, outcome, proof=proof(tok, {"nonce": value}), **more)

    def refuse(name: str, code: str, claims: dict[str, Any], policy: dict[str, Any] | None = None, **more: Any) -> None:
        cases.add(name, SPEC, tok, code, proof=proof(tok, claims), policy=policy, **more)

    accept("nonce_of_now_is_accepted", nonce(KEY, NOW))
    accept("young_nonce_has_no_successor", nonce(KEY, NOW - 149))
    accept("ageing_nonce_has_a_successor", nonce(KEY, NOW - 150), fresh=True)
    accept("nonce_at_the_end_of_its_life_is_accepted", nonce(KEY, NOW - 299), fresh=True)
    accept("nonce_of_a_clock_slightly_ahead_is_accepted", nonce(KEY, NOW + 5))

    for name, iat in {"an_hour_behind": NOW - 3600, "an_hour_ahead": NOW + 3600, "at_the_epoch": 0}.items():
        by_its_clock = proof(tok, {"nonce": nonce(KEY, NOW), "iat": iat})
        cases.add(f"good_nonce_of_a_clock_{name}_is_accepted", f"{SPEC}, 4.3", tok, verified(tok), proof=by_its_clock)
    refuse("stale_nonce_of_a_young_proof_is_refused", "nonce_refused", {"nonce": nonce(KEY, NOW - 300), "iat": NOW})
    text_iat = {"nonce": nonce(KEY, NOW), "iat": str(NOW)}
    refuse("iat_that_is_text_beside_a_good_nonce_is_rejected", "proof_issued_at_malformed", text_iat)
    refuse("missing_nonce_is_asked_for", "nonce_missing", {})
    refuse("missing_nonce_is_asked_for_where_dpop_is_required", "nonce_missing", {}, REQUIRED)
    rfc = {"rfc_status_codes": True}
    refuse("rfc_profile_asks_for_a_nonce", "nonce_missing", {}, rfc)
    refuse("rfc_profile_asks_for_another_nonce", "nonce_refused", {"nonce": "x"}, {**REQUIRED, **rfc})
    for name, value in {"null": None, "number": 1, "array": [nonce(KEY, NOW)]}.items():
        refuse(f"nonce_that_is_{name}_is_asked_for", "nonce_missing", {"nonce": value})
    good = nonce(KEY, NOW)
    seconds = NOW.to_bytes(8, "big")
    tag = keys.sign_hmac("HS256", bytes.fromhex(KEY), seconds)
    for name, value in {
        "empty_nonce": "",
        "nonce_of_another_kind": "eyJ7S_zG.eyJH0-Z.HX4w-7v",
        "stale_nonce": nonce(KEY, NOW - 300),
        "nonce_of_yesterday": nonce(KEY, NOW - 86400),
        "nonce_from_the_future": nonce(KEY, NOW + 6),
        "nonce_of_another_key": nonce(OTHER_KEY, NOW),
        "nonce_with_another_time": b64((NOW - 1).to_bytes(8, "big") + tag[:16]),
        "nonce_with_a_changed_tag": b64(seconds + bytes([tag[0] ^ 1]) + tag[1:16]),
        "nonce_with_a_short_tag": b64(seconds + tag[:8]),
        "nonce_with_the_whole_tag": b64(seconds + tag),
        "nonce_without_a_tag": b64(seconds),
        "nonce_of_zeros": b64(bytes(24)),
        "padded_nonce": f"{good}=",
        "nonce_with_a_space": f" {good}",
        "nonce_of_8000_characters": "n" * 8000,
        "nonce_outside_ascii": "\u00e9" * 16,
        "nonce_that_is_too_large_a_time": b64(
            b"\xff" * 8 + keys.sign_hmac("HS256", bytes.fromhex(KEY), b"\xff" * 8)[:16]
        ),
    }.items():
        refuse(f"{name}_is_refused", "nonce_refused", {"nonce": value})
    refuse("nonce_outside_the_proof_is_not_seen", "nonce_missing", {}, headers=_beside(tok, good))

    # A nonce is no jti: it may come again, and a proof that lacks it is not used up.
    both = [DISCOVERY_URL, JWKS_URL]
    first = cases.step(tok, "verified", NOW, both, proof=proof(tok, {"nonce": good}))
    accept_again = {"before": [first], "fetched": []}
    cases.add(
        "nonce_may_come_again_in_another_proof",
        SPEC,
        tok,
        "verified",
        proof=proof(tok, {"nonce": good, "jti": "proof-2"}),
        **accept_again,
    )
    cases.add(
        "proof_with_a_nonce_is_good_once",
        SPEC,
        tok,
        "proof_replayed",
        proof=proof(tok, {"nonce": good}),
        **accept_again,
    )
    asked = cases.step(tok, "nonce_missing", NOW, both, proof=proof(tok))
    accept("jti_may_come_again_with_the_nonce_that_was_asked_for", good, before=[asked], fetched=[])

    plain = token()
    cases.add(
        "bearer_needs_no_nonce",
        SPEC,
        plain,
        "verified",
        headers=bearer(plain),
    )
    cases.accept("nonce_is_ignored_where_none_is_wanted", SPEC, tok, proof=proof(tok, {"nonce": 5}), policy=NOT_WANTED)
    refuse("bad_method_is_told_once_the_nonce_is_good", "proof_method_mismatch", {"nonce": good, "htm": "POST"})
    expired = bound_token({"exp": 1})
    cases.add("expired_token_is_told_before_the_nonce", SPEC, expired, "token_expired", proof=proof(expired))
    return cases


def _beside(tok: Any, value: str) -> list[list[str]]:
    return [*bearer(tok, "DPoP "), ["DPoP", proof(tok).compact], ["DPoP-Nonce", value]]
