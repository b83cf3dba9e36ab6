"""The claims of a proof: which there must be, when, for which method and token. Step 10; RFC 9449 section 4.3."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ..case import ABSENT, ACCEPTED, NOW, Group, bearer, rejected, token
from ..proof import CLIENT, bound_token, hash_of, payload_with, proof


def group() -> Group:
    cases = Group("dpop_claims", ACCEPTED)
    _presence(cases)
    _identifier(cases)
    _time(cases)
    _method(cases)
    _token_hash(cases)
    _order(cases)
    return cases


def _presence(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 3"
    tok = bound_token()

    def refuse(name: str, missing: list[str], text: str) -> None:
        expect = rejected("proof_claims_missing", text, cases.policy, "dpop")
        bad = proof(tok, dict.fromkeys(missing, ABSENT))
        cases.add(f"{name}_is_rejected", spec, tok, expect, proof=bad)

    for claim in ["jti", "htm", "htu", "iat", "ath"]:
        refuse(f"missing_{claim}", [claim], f"Missing required claim: {claim}")
    refuse("missing_htm_and_htu", ["htm", "htu"], "Missing required claims: htm, htu")
    refuse(
        "proof_without_claims", ["jti", "htm", "htu", "iat", "ath"], "Missing required claims: iat, ath, htm, htu, jti"
    )


def _identifier(cases: Group) -> None:
    spec = "RFC 9449 section 4.2"
    tok = bound_token()
    for name, jti in {"number": 5, "null": None, "array": ["a"], "object": {}, "true": True}.items():
        cases.add(
            f"jti_that_is_{name}_is_rejected",
            spec,
            tok,
            "proof_identifier_malformed",
            proof=proof(tok, {"jti": jti}),
        )
    for name, jti in {"empty": "", "blank": " "}.items():
        cases.add(
            f"{name}_jti_is_rejected",
            spec,
            tok,
            "proof_identifier_empty",
            proof=proof(tok, {"jti": jti}),
        )
    for name, jti in {
        "of_one_character": "a",
        "of_1000_characters": "j" * 1000,
        "outside_ascii": "\u00e9\u4e2d\U0001f511",
        "with_control_characters": "a\u0000\r\nb",
        "that_looks_like_code": "'; DROP TABLE proofs; --",
    }.items():
        cases.accept(f"jti_{name}_is_accepted", spec, tok, proof=proof(tok, {"jti": jti}))


def _time(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 11"
    tok = bound_token()

    def at(iat: Any) -> Any:
        return proof(tok, {"iat": iat})

    def accept(name: str, iat: Any, policy: dict[str, Any] | None = None) -> None:
        cases.accept(f"{name}_is_accepted", spec, tok, proof=at(iat), policy=policy)

    def refuse(name: str, code: str, iat: Any, policy: dict[str, Any] | None = None) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=at(iat), policy=policy)

    accept("proof_of_10_seconds_ago", NOW - 10)
    accept("proof_of_10_seconds_ahead", NOW + 10)
    accept("proof_as_old_as_may_be", NOW - 300)
    accept("proof_as_far_ahead_as_may_be", NOW + 30)
    accept("iat_with_a_fraction", NOW - 0.25)
    refuse("proof_a_second_too_old", "proof_too_old", NOW - 301)
    refuse("proof_half_a_second_too_old", "proof_too_old", NOW - 300.5)
    refuse("proof_of_yesterday", "proof_too_old", NOW - 86400)
    refuse("iat_of_zero", "proof_too_old", 0)
    refuse("proof_a_second_too_far_ahead", "proof_from_future", NOW + 31)
    refuse("proof_half_a_second_too_far_ahead", "proof_from_future", NOW + 30.5)
    refuse("proof_of_tomorrow", "proof_from_future", NOW + 86400)
    refuse("iat_in_milliseconds", "proof_from_future", NOW * 1000)
    refuse("iat_of_2_to_53", "proof_from_future", 2**53)
    short = {"dpop_iat_offset": 60, "dpop_iat_leeway": 5}
    accept("proof_at_the_end_of_a_shorter_window", NOW - 60, short)
    accept("proof_at_the_start_of_a_shorter_window", NOW + 5, short)
    refuse("proof_behind_a_shorter_window", "proof_too_old", NOW - 61, short)
    refuse("proof_ahead_of_a_shorter_window", "proof_from_future", NOW + 6, short)
    none = {"dpop_iat_offset": 0, "dpop_iat_leeway": 0}
    accept("proof_of_now_in_an_empty_window", NOW, none)
    refuse("proof_of_a_second_ago_in_an_empty_window", "proof_too_old", NOW - 1, none)
    malformed = "proof_issued_at_malformed"
    for name, iat in {
        "a_string": str(NOW),
        "null": None,
        "true": True,
        "an_array": [NOW],
        "an_object": {},
        "negative": -1,
        "beyond_2_to_53": 2**60,
    }.items():
        refuse(f"iat_that_is_{name}", malformed, iat)
    for name, text, code in [
        ("with_an_exponent", "1.8e9", "verified"),
        ("with_a_large_exponent", "1e400", "malformed_proof_payload"),
        ("of_300_digits", "9" * 300, malformed),
    ]:
        cases.add(
            f"iat_{name}_is_{'accepted' if code == 'verified' else 'rejected'}",
            "RFC 7519 section 2",
            tok,
            code,
            proof=proof(tok, raw_payload=payload_with(tok, "iat", text)),
        )

    dates = "RFC 7519 sections 4.1.4 and 4.1.5"
    for name, claims, code in [
        ("exp_ahead_is_accepted", {"exp": NOW + 60}, "verified"),
        ("exp_within_the_leeway_is_accepted", {"exp": NOW - 29}, "verified"),
        ("exp_behind_the_leeway_is_rejected", {"exp": NOW - 30}, "proof_expired"),
        ("exp_past_is_rejected", {"exp": NOW - 120}, "proof_expired"),
        ("exp_that_is_a_string_is_rejected", {"exp": str(NOW + 60)}, "proof_expired"),
        ("exp_that_is_null_is_rejected", {"exp": None}, "proof_expired"),
        ("nbf_past_is_accepted", {"nbf": NOW - 60}, "verified"),
        ("nbf_within_the_leeway_is_accepted", {"nbf": NOW + 30}, "verified"),
        ("nbf_ahead_is_rejected", {"nbf": NOW + 31}, "proof_not_yet_valid"),
        ("nbf_that_is_a_string_is_rejected", {"nbf": "0"}, "proof_not_yet_valid"),
        ("nbf_that_is_null_is_rejected", {"nbf": None}, "proof_not_yet_valid"),
    ]:
        cases.add(f"proof_with_{name}", dates, tok, code, proof=proof(tok, claims))


def _method(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 8, RFC 9110 section 9.1"
    tok = bound_token()
    code = "proof_method_mismatch"

    def add(name: str, expect: str, htm: Any, method: str, more: list[list[str]] | None = None) -> None:
        bad = proof(tok, {"htm": htm})
        headers = [*bearer(tok, "DPoP "), ["DPoP", bad.compact], *(more or [])]
        cases.add(name, spec, tok, expect, proof=bad, headers=headers, method=method)

    for method in ["POST", "DELETE", "PATCH", "PURGE"]:
        add(f"htm_{method.lower()}_is_accepted", "verified", method, method)
    add("proof_for_another_method_is_rejected", code, "GET", "POST")
    add("proof_for_get_is_rejected_for_head", code, "GET", "HEAD")
    add("htm_in_lower_case_is_rejected", code, "get", "GET")
    add("htm_in_mixed_case_is_rejected", code, "Get", "GET")
    add("htm_with_a_space_is_rejected", code, "GET ", "GET")
    for name, htm in {"empty": "", "null": None, "a_number": 1, "an_array": ["GET"]}.items():
        add(f"htm_that_is_{name}_is_rejected", code, htm, "GET")
    override = [["X-HTTP-Method-Override", "DELETE"], ["X-HTTP-Method", "DELETE"]]
    add("method_override_is_ignored", "verified", "GET", "GET", override)
    add("proof_for_the_overriding_method_is_rejected", code, "DELETE", "GET", override)


def _token_hash(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 12"
    tok = bound_token()
    other = bound_token({"sub": "auth0|mallory"})
    good = hash_of(tok)
    digest = hashlib.sha256(tok.compact.encode()).digest()
    standard = base64.b64encode(digest).decode()
    assert standard.rstrip("=") != good, "the token's hash must tell the alphabets apart"
    for name, ath in {
        "ath_of_another_token": hash_of(other),
        "empty_ath": "",
        "ath_that_is_null": None,
        "ath_that_is_an_array": [good],
        "padded_ath": f"{good}=",
        "ath_in_standard_base64": standard.rstrip("="),
        "ath_in_hex": digest.hex(),
        "ath_in_upper_case": good.upper(),
        "ath_with_spare_bits": good[:-1] + chr(ord(good[-1]) + 1),
        "ath_by_sha_512": hash_of(tok, "sha512"),
        "half_of_ath": good[:22],
        "ath_of_the_field": hash_of(f"DPoP {tok.compact}"),
        "ath_of_the_token_and_a_line_feed": hash_of(f"{tok.compact}\n"),
        "ath_of_the_unsigned_token": hash_of(tok.compact.rpartition(".")[0]),
        "the_token_as_ath": tok.compact,
    }.items():
        cases.add(f"{name}_is_rejected", spec, tok, "proof_token_mismatch", proof=proof(tok, {"ath": ath}))


def _order(cases: Group) -> None:
    """The token is judged before its proof; a proof that can't be read costs no fetch."""
    spec = "RFC 9449 section 7.1"
    expired = bound_token({"exp": 1})
    cases.add(
        "expired_token_is_told_before_its_proof",
        spec,
        expired,
        "token_expired",
        proof=proof(expired, {"htm": "POST"}),
    )
    forged = bound_token(tamper=lambda s: s[:-1] + bytes([s[-1] ^ 1]))
    cases.add("forged_token_is_told_before_its_proof", spec, forged, "signature_invalid", proof=proof(forged))
    plain = token()
    cases.add(
        "unbound_token_is_told_before_its_proof",
        spec,
        plain,
        "confirmation_missing",
        proof=proof(plain, {"iat": 0}),
    )
    stolen = bound_token(key="client-rsa")
    cases.add(
        "bad_proof_is_told_before_its_binding",
        spec,
        stolen,
        "proof_method_mismatch",
        proof=proof(stolen, {"htm": "POST"}, key=CLIENT),
    )
