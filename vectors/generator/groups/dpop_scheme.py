"""The DPoP scheme and the DPoP field. Steps 1 and 10, first part."""

from __future__ import annotations

from typing import Any

from ..case import ACCEPTED, OFF, REQUIRED, Group, bearer, dpop, token
from ..proof import URL, bound_token, proof


def group() -> Group:
    cases = Group("dpop_scheme", ACCEPTED)
    good = bound_token()
    good_proof = proof(good)
    plain = token()
    _accepted(cases)

    def refuse(
        name: str, code: str, headers: list[list[str]], policy: dict[str, Any] | None = None, **more: Any
    ) -> None:
        cases.add(name, more.pop("spec", "RFC 9449 section 7.1"), None, code, headers=headers, policy=policy, **more)

    refuse("no_proof_is_rejected", "proof_missing", dpop(good))
    refuse("no_proof_is_rejected_where_dpop_is_required", "proof_missing", dpop(good), REQUIRED)
    refuse("empty_proof_is_rejected", "proof_missing", dpop(good, ""))
    refuse("blank_proof_is_rejected", "proof_missing", dpop(good, " \t "))
    refuse("plain_token_without_proof_is_rejected", "proof_missing", dpop(plain))
    refuse("proof_in_query_is_ignored", "proof_missing", dpop(good), url=f"{URL}?dpop={good_proof.compact}&DPoP=1")
    refuse("proof_in_other_field_is_ignored", "proof_missing", [*dpop(good), ["X-DPoP", good_proof.compact]])
    refuse(
        "proof_behind_the_token_is_rejected",
        "proof_missing",
        [["Authorization", f"DPoP {good.compact} {good_proof.compact}"]],
    )
    refuse("scheme_alone_is_rejected", "scheme_without_token", [["Authorization", "DPoP"], ["DPoP", "x"]])
    refuse(
        "scheme_alone_is_rejected_where_dpop_is_required",
        "scheme_without_token",
        [["Authorization", "DPoP "]],
        REQUIRED,
    )
    refuse("proof_without_authorization_is_rejected", "missing_authorization", [["DPoP", good_proof.compact]])
    refuse(
        "scheme_with_longer_name_is_rejected",
        "unknown_scheme",
        dpop(good, good_proof, scheme="DPoPX "),
        spec="RFC 9110 section 11.1",
    )
    refuse(
        "proof_as_token_is_rejected",
        "issuer_missing",
        [["Authorization", f"Bearer {proof(plain, header={'typ': 'JWT', 'alg': 'RS256'}, sign_as='ES256').compact}"]],
        spec="RFC 8725 section 3.12",
    )
    refuse(
        "proof_as_bearer_token_is_rejected",
        "algorithm_not_allowed",
        [["Authorization", f"Bearer {good_proof.compact}"]],
        spec="RFC 8725 section 3.12",
    )

    one = "RFC 9449 section 4.3 step 1"
    other = proof(good, {"jti": "proof-2"})
    refuse("two_proofs_are_rejected", "multiple_proofs", dpop(good, good_proof, other), spec=one)
    refuse("the_same_proof_twice_is_rejected", "multiple_proofs", dpop(good, good_proof, good_proof), spec=one)
    refuse("an_empty_proof_beside_a_good_one_is_rejected", "multiple_proofs", dpop(good, "", good_proof), spec=one)
    refuse(
        "two_proofs_in_fields_of_different_case_are_rejected",
        "multiple_proofs",
        [*dpop(good, good_proof), ["dpop", other.compact]],
        spec=one,
    )
    joined = f"{good_proof.compact}, {other.compact}"
    refuse("two_proofs_joined_by_a_proxy_are_rejected", "multiple_proofs", dpop(good, joined), spec=one)
    refuse(
        "two_proofs_joined_without_space_are_rejected", "multiple_proofs", dpop(good, joined.replace(" ", "")), spec=one
    )
    refuse("trailing_comma_is_rejected", "multiple_proofs", dpop(good, f"{good_proof.compact},"), spec=one)
    refuse("two_proofs_are_rejected_where_dpop_is_required", "multiple_proofs", dpop(good, joined), REQUIRED, spec=one)

    two = "RFC 9449 section 7.2"
    refuse(
        "proof_beside_a_bearer_token_is_rejected",
        "proof_with_bearer",
        [*bearer(plain), ["DPoP", proof(plain).compact]],
        spec=two,
    )
    refuse(
        "junk_proof_beside_a_bearer_token_is_rejected", "proof_with_bearer", [*bearer(plain), ["DPoP", "x"]], spec=two
    )
    refuse(
        "two_proofs_beside_a_bearer_token_are_rejected",
        "proof_with_bearer",
        [*bearer(plain), ["DPoP", "x"], ["DPoP", "y"]],
        spec=two,
    )
    refuse(
        "bad_token_is_told_before_the_proof_beside_it",
        "token_expired",
        [*bearer(token({"exp": 1})), ["DPoP", "x"]],
        spec=two,
    )
    for mode, policy in [("accepted", ACCEPTED), ("required", REQUIRED)]:
        refuse(
            f"both_schemes_at_once_are_rejected_where_dpop_is_{mode}",
            "multiple_authorization_fields",
            [*dpop(good, good_proof), *bearer(good)],
            policy,
            spec=two,
        )
    required = "RFC 9449 section 7.1"
    refuse("bearer_is_rejected_where_dpop_is_required", "bearer_not_accepted", bearer(plain), REQUIRED, spec=required)
    refuse(
        "bound_token_as_bearer_is_rejected_where_dpop_is_required",
        "bearer_not_accepted",
        [*bearer(good), ["DPoP", good_proof.compact]],
        REQUIRED,
    )
    refuse("junk_as_bearer_is_rejected_where_dpop_is_required", "bearer_not_accepted", bearer("x"), REQUIRED)
    refuse(
        "lower_case_bearer_is_rejected_where_dpop_is_required",
        "bearer_not_accepted",
        bearer(plain, "bearer "),
        REQUIRED,
    )
    refuse(
        "dpop_is_rejected_where_it_is_off",
        "dpop_not_accepted",
        dpop(good, good_proof),
        OFF,
        title="The DPoP scheme is rejected where it is off, with a good proof too",
    )
    refuse("opaque_token_is_rejected", "opaque_token", dpop("kz8mXK1EalYznwH", good_proof))
    refuse("encrypted_token_is_rejected", "encrypted_token", dpop("a.b.c.d.e", good_proof))
    return cases


def _accepted(cases: Group) -> None:
    good = bound_token()
    good_proof = proof(good)
    plain = token()
    spec = "RFC 9449 section 7.1"

    def accept(
        name: str, headers: list[list[str]] | None = None, policy: dict[str, Any] | None = None, **more: Any
    ) -> None:
        spec_used = more.pop("spec", spec)
        cases.accept(name, spec_used, good, proof=good_proof, headers=headers, policy=policy, **more)

    accept("bound_token_with_proof_is_accepted")
    accept("bound_token_with_proof_is_accepted_where_dpop_is_required", policy=REQUIRED)
    for name, scheme in [("lower_case", "dpop "), ("upper_case", "DPOP "), ("mixed_case", "dPoP ")]:
        accept(f"scheme_in_{name}_is_accepted", dpop(good, good_proof, scheme=scheme), spec="RFC 9110 section 11.1")
    accept("tab_and_spaces_after_scheme_are_tolerated", dpop(good, good_proof, scheme="DPoP\t  "))
    for name, field in [("lower", "dpop"), ("upper", "DPOP")]:
        accept(
            f"field_name_in_{name}_case_is_accepted",
            [*dpop(good), [field, good_proof.compact]],
            spec="RFC 9110 section 5.1",
        )
    accept(
        "spaces_around_the_proof_are_no_part_of_it",
        dpop(good, f" \t{good_proof.compact} \t"),
        spec="RFC 9110 section 5.5",
    )
    accept("proof_before_the_token_is_accepted", [["DPoP", good_proof.compact], *dpop(good)])
    accept(
        "other_fields_are_ignored",
        [
            ["Host", "other.example"],
            ["X-DPoP", "nonsense"],
            ["X-Forwarded-Host", "other.example"],
            *dpop(good, good_proof),
            ["DPoP-Nonce", "nonsense"],
        ],
    )
    cases.accept("bearer_is_accepted_beside_dpop", "RFC 6750 section 2.1", plain)
    cases.accept(
        "empty_proof_beside_a_bearer_token_is_ignored",
        "RFC 9449 section 7.2",
        plain,
        headers=[*bearer(plain), ["DPoP", " "]],
    )
    cases.accept(
        "proof_beside_a_bearer_token_is_ignored_where_dpop_is_off",
        "RFC 9449 section 7.2",
        plain,
        headers=[*bearer(plain), ["DPoP", proof(plain).compact], ["DPoP", "x"]],
        policy=OFF,
    )
