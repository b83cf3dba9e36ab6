"""The claims, of a token that is well signed. Step 8."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, AUDIENCE, NOW, Group, payload_with, rejected, token

MISTYPED: dict[str, Any] = {
    "null": None,
    "string": str(NOW + 3600),
    "true": True,
    "array": [NOW + 3600],
    "object": {"value": NOW + 3600},
}


def group() -> Group:
    cases = Group("claims")
    _audience(cases)
    _expiry(cases)
    _not_before(cases)
    _issued_at(cases)
    _subject(cases)
    _required(cases)
    _order(cases)
    cases.accept("actor_of_another_type_is_left_alone", "RFC 8693 section 4.1", token({"act": "not an object"}))
    cases.accept(
        "unknown_claims_are_given_to_the_caller",
        "RFC 7519 section 4.3",
        token(
            {"https://example.com/roles": ["admin"], "permissions": [], "azp": "client", "gty": "client-credentials"}
        ),
    )
    return cases


def _audience(cases: Group) -> None:
    spec = "RFC 7519 section 4.1.3"
    other = "https://other.example.com"
    for name, value in {
        "string": AUDIENCE,
        "array_of_one": [AUDIENCE],
        "array_of_several": [other, AUDIENCE, "https://tenant.example.com/userinfo"],
        "array_that_repeats_it": [AUDIENCE, AUDIENCE],
    }.items():
        cases.accept(f"aud_{name}_is_accepted", spec, token({"aud": value}))
    for name, value in {
        "missing": ABSENT,
        "null": None,
        "number": 5,
        "true": True,
        "object": {AUDIENCE: True},
        "mixed_array": [AUDIENCE, 5],
        "array_with_null": [None, AUDIENCE],
        "nested_array": [[AUDIENCE]],
    }.items():
        cases.add(f"aud_{name}_is_rejected", spec, token({"aud": value}), "audience_missing")
    for name, value in {
        "other": other,
        "empty": "",
        "prefix": "https://api.example",
        "longer": AUDIENCE + ".evil.example",
        "with_trailing_slash": AUDIENCE + "/",
        "in_other_case": "https://API.example.com",
        "with_space": f"{AUDIENCE} {other}",
        "with_nul": AUDIENCE + "\u0000",
    }.items():
        cases.add(f"aud_{name}_is_rejected", spec, token({"aud": value}), "audience_mismatch")
    for name, value in {
        "empty_array": [],
        "array_of_others": [other, "https://third.example.com"],
        "array_of_prefix": ["https://api.example"],
        "array_of_empty": [""],
    }.items():
        cases.add(f"aud_{name}_is_rejected", spec, token({"aud": value}), "audience_not_listed")


def _expiry(cases: Group) -> None:
    spec = "RFC 7519 section 4.1.4"
    ten = {"leeway": 10}

    def accept(name: str, exp: str, policy: dict[str, Any] | None = None) -> None:
        cases.accept(f"exp_{name}_is_accepted", spec, token(raw_payload=payload_with("exp", exp)), policy=policy)

    def refuse(name: str, exp: str, code: str, policy: dict[str, Any] | None = None) -> None:
        cases.add(f"exp_{name}_is_rejected", spec, token(raw_payload=payload_with("exp", exp)), code, policy=policy)

    accept("one_second_ahead", str(NOW + 1))
    accept("half_a_second_ahead", f"{NOW}.5")
    accept("with_fraction", f"{NOW + 3600}.25")
    accept("with_exponent", "1.8000036e9")
    accept("far_ahead", str(2**53))
    accept("within_leeway", str(NOW - 9), ten)
    accept("within_leeway_by_a_fraction", f"{NOW - 10}.5", ten)
    refuse("of_now", str(NOW), "token_expired")
    refuse("of_now_with_fraction_of_zero", f"{NOW}.0", "token_expired")
    refuse("one_second_ago", str(NOW - 1), "token_expired")
    refuse("half_a_second_ago", f"{NOW - 1}.5", "token_expired")
    refuse("long_ago", "1", "token_expired")
    refuse("of_zero", "0", "token_expired")
    refuse("at_the_end_of_leeway", str(NOW - 10), "token_expired", ten)
    refuse("beyond_leeway", str(NOW - 11), "token_expired", ten)
    refuse("negative", "-1", "expiry_missing")
    refuse("beyond_53_bits", str(2**53 + 2), "expiry_missing")
    refuse("of_1e300", "1e300", "expiry_missing")
    refuse("of_40_digits", "1" + "0" * 39, "expiry_missing")
    refuse("beyond_double", "1e400", "malformed_payload")
    cases.add("exp_missing_is_rejected", spec, token({"exp": ABSENT}), "expiry_missing")
    for name, value in MISTYPED.items():
        cases.add(f"exp_{name}_is_rejected", spec, token({"exp": value}), "expiry_missing")


def _not_before(cases: Group) -> None:
    spec = "RFC 7519 section 4.1.5"
    ten = {"leeway": 10}
    for name, value, policy in [
        ("of_now", NOW, None),
        ("in_the_past", NOW - 1000, None),
        ("of_zero", 0, None),
        ("with_fraction", NOW - 0.5, None),
        ("within_leeway", NOW + 10, ten),
    ]:
        cases.accept(f"nbf_{name}_is_accepted", spec, token({"nbf": value}), policy=policy)
    for name, value, policy in [
        ("one_second_ahead", NOW + 1, None),
        ("half_a_second_ahead", NOW + 0.5, None),
        ("beyond_leeway", NOW + 11, ten),
        ("far_ahead", 2**53, None),
    ]:
        cases.add(f"nbf_{name}_is_rejected", spec, token({"nbf": value}), "token_not_yet_valid", policy=policy)
    for name, value in {**MISTYPED, "negative": -1, "beyond_53_bits": 2**53 + 2}.items():
        cases.add(f"nbf_{name}_is_rejected", spec, token({"nbf": value}), "not_before_malformed")


def _issued_at(cases: Group) -> None:
    spec = "RFC 7519 section 4.1.6"
    for name, value in {"with_fraction": NOW - 0.25, "of_zero": 0, "of_now": NOW, "in_the_future": NOW + 600}.items():
        cases.accept(f"iat_{name}_is_accepted", spec, token({"iat": value}))
    for name, value in {"missing": ABSENT, **MISTYPED, "negative": -1, "beyond_53_bits": 2**53 + 2}.items():
        cases.add(f"iat_{name}_is_rejected", spec, token({"iat": value}), "issued_at_missing")


def _subject(cases: Group) -> None:
    spec = "RFC 7519 section 4.1.2, RFC 9068 section 2.2"
    for name, value in {
        "missing": ABSENT,
        "empty": "",
        "of_a_machine": "client@clients",
        "unicode": "auth0|\u65e5\u672c",
    }.items():
        cases.accept(f"sub_{name}_is_accepted", spec, token({"sub": value}))
    for name, value in {"null": None, "number": 5, "true": True, "array": ["auth0|alice"], "object": {}}.items():
        cases.add(f"sub_{name}_is_rejected", spec, token({"sub": value}), "subject_malformed")


def _required(cases: Group) -> None:
    spec = "RFC 9068 section 4"
    cases.accept("required_claim_is_found", spec, token({"org_id": "org_1"}), required_claims=["org_id", "sub"])
    cases.accept("no_required_claims_are_fine", spec, token(), required_claims=[])
    code = "required_claim_missing"
    cases.add(
        "required_claim_missing_is_rejected",
        spec,
        token(),
        rejected(code, "Missing required claim: org_id"),
        required_claims=["sub", "org_id"],
    )
    cases.add(
        "required_claim_in_other_case_is_rejected",
        spec,
        token({"ORG_ID": 1}),
        rejected(code, "Missing required claim: org_id"),
        required_claims=["org_id"],
    )


def _order(cases: Group) -> None:
    """Of several faults, the answer names the first in this order."""
    spec = "RFC 7519 section 7.2"
    faults: list[tuple[str, dict[str, Any], str]] = [
        ("iss", {"iss": "https://tenant.example.com"}, "issuer_mismatch"),
        ("aud", {"aud": "https://other.example.com"}, "audience_mismatch"),
        ("exp", {"exp": NOW - 1}, "token_expired"),
        ("nbf", {"nbf": NOW + 1}, "token_not_yet_valid"),
        ("iat", {"iat": "yesterday"}, "issued_at_missing"),
        ("sub", {"sub": 5}, "subject_malformed"),
    ]
    for index, (name, _, code) in enumerate(faults[:-1]):
        changes: dict[str, Any] = {}
        for _, fault, _ in faults[index:]:
            changes.update(fault)
        cases.add(f"{name}_is_told_before_later_claims", spec, token(changes), code)
    cases.add(
        "sub_is_told_before_required_claims", spec, token({"sub": 5}), "subject_malformed", required_claims=["org_id"]
    )
    cases.add(
        "required_claims_are_told_before_scopes",
        spec,
        token({"scope": ""}),
        rejected("required_claim_missing", "Missing required claim: org_id"),
        required_claims=["org_id"],
        required_scopes=["admin"],
    )
