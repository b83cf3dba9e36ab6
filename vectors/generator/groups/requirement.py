"""What else a resource requires of a good token: permissions, an organization, claims, how the user logged in. Step 12."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, NOW, Group, token, unmet


def group() -> Group:
    cases = Group("requirement")
    _scopes(cases)
    _permissions(cases)
    _organization(cases)
    _claims(cases)
    _authentication(cases)
    _types(cases)
    _together(cases)
    return cases


def _pair(cases: Group, spec: str) -> tuple[Any, Any]:
    def grant(name: str, requirement: dict[str, Any], **claims: Any) -> None:
        cases.accept(name, spec, token(claims), requirement=requirement)

    def refuse(name: str, code: str, requirement: dict[str, Any], /, **claims: Any) -> None:
        cases.add(name, spec, token(claims), unmet(code, requirement), requirement=requirement)

    return grant, refuse


def _scopes(cases: Group) -> None:
    grant, refuse = _pair(cases, "RFC 6750 section 3.1, RFC 6749 section 3.3")
    code, wanted = "any_scope_missing", {"any_scope": ["read:a", "write:a"]}
    grant("first_of_any_scope_is_granted", wanted, scope="read:a")
    grant("last_of_any_scope_is_granted", wanted, scope="openid write:a")
    refuse("none_of_any_scope_is_rejected", code, wanted, scope="read:b")
    refuse("any_scope_with_a_longer_scope_is_rejected", code, wanted, scope="read:a:all")
    refuse("any_scope_without_a_scope_claim_is_rejected", code, wanted, scope=ABSENT)
    refuse("any_scope_with_a_list_is_rejected", code, wanted, scope=["read:a"])
    refuse("any_scope_in_permissions_is_rejected", code, wanted, scope=ABSENT, permissions=["read:a"])


def _permissions(cases: Group) -> None:
    grant, refuse = _pair(cases, "spec/5-guards.md: permissions (Auth0 RBAC)")
    every, anyone = {"permissions": ["read:a", "write:a"]}, {"any_permission": ["read:a", "write:a"]}
    grant("all_permissions_are_granted", every, permissions=["write:a", "x", "read:a"])
    grant("one_of_any_permission_is_granted", anyone, permissions=["write:a"])
    for name, permissions in {
        "one_of_two": ["read:a"],
        "missing": ABSENT,
        "empty": [],
        "a_text": "read:a write:a",
        "an_object": {"read:a": True, "write:a": True},
        "nested": [["read:a", "write:a"]],
        "in_other_case": ["READ:A", "WRITE:A"],
    }.items():
        refuse(f"permissions_{name}_are_not_all", "permission_missing", every, permissions=permissions)
        if name != "one_of_two":
            refuse(f"permissions_{name}_have_none", "any_permission_missing", anyone, permissions=permissions)
    refuse("scopes_are_not_permissions", "permission_missing", every, scope="read:a write:a", permissions=ABSENT)


def _organization(cases: Group) -> None:
    grant, refuse = _pair(cases, "spec/5-guards.md: organization")
    code, by_id, by_name = "organization_not_accepted", {"organization": ["org_1", "org_2"]}, {"organization": ["acme"]}
    grant("one_of_the_organizations_is_accepted", by_id, org_id="org_2")
    grant("organization_by_name_is_accepted", by_name, org_id="org_9", org_name="acme")
    grant("organization_name_in_other_case_is_accepted", by_name, org_name="ACME")
    refuse("another_organization_is_rejected", code, by_id, org_id="org_3")
    refuse("organization_id_in_other_case_is_rejected", code, by_id, org_id="ORG_1")
    refuse("organization_id_as_a_name_is_rejected", code, by_id, org_name="org_1")
    refuse("organization_name_as_an_id_is_rejected", code, by_name, org_id="acme")
    refuse("no_organization_is_rejected", code, by_id)
    refuse("organization_that_is_a_list_is_rejected", code, by_id, org_id=["org_1"])
    refuse("organization_that_is_null_is_rejected", code, by_name, org_name=None)


def _claims(cases: Group) -> None:
    grant, refuse = _pair(cases, "spec/5-guards.md: claims")
    code, tier = "claim_not_accepted", "https://api.example.com/tier"
    grant("claim_with_the_value_is_accepted", {"claims": {tier: "gold"}}, **{tier: "gold"})
    grant("claim_with_one_of_the_values_is_accepted", {"claims": {tier: ["gold", "silver"]}}, **{tier: "silver"})
    grant("claim_that_holds_the_value_is_accepted", {"claims": {"groups": "a"}}, groups=["b", "a"])
    grant("number_is_compared_as_a_number", {"claims": {"level": 1}}, level=1.0)
    grant("true_is_accepted", {"claims": {"email_verified": True}}, email_verified=True)
    refuse("claim_with_another_value_is_rejected", code, {"claims": {tier: "gold"}}, **{tier: "silver"})
    refuse("claim_that_is_missing_is_rejected", code, {"claims": {tier: "gold"}})
    refuse("number_is_not_true", code, {"claims": {"email_verified": True}}, email_verified=1)
    refuse("text_is_not_true", code, {"claims": {"email_verified": True}}, email_verified="true")
    refuse("text_is_not_a_number", code, {"claims": {"level": 1}}, level="1")
    refuse("claim_in_other_case_is_rejected", code, {"claims": {tier: "gold"}}, **{tier: "Gold"})
    refuse("claim_that_holds_none_is_rejected", code, {"claims": {"groups": ["a", "b"]}}, groups=["c"])
    refuse("claim_that_is_an_empty_list_is_rejected", code, {"claims": {"groups": "a"}}, groups=[])
    refuse("one_of_two_claims_is_rejected", code, {"claims": {"a": 1, "b": 2}}, a=1, b=3)


def _authentication(cases: Group) -> None:
    grant, refuse = _pair(cases, "RFC 9470 sections 3 and 4")
    acr, old = "authentication_context_not_accepted", "authentication_too_old"
    strong, recent = {"acr": ["mfa", "phr"]}, {"max_age": 300}
    grant("acr_that_is_accepted", strong, acr="phr")
    grant("login_just_recent_enough_is_accepted", recent, auth_time=NOW - 300)
    grant("login_a_little_ahead_of_the_clock_is_accepted", recent, auth_time=NOW + 60)
    grant("login_by_both_is_accepted", {**strong, **recent}, acr="mfa", auth_time=NOW)
    refuse("another_acr_is_rejected", acr, strong, acr="pwd")
    refuse("missing_acr_is_rejected", acr, strong)
    refuse("acr_that_is_a_list_is_rejected", acr, strong, acr=["mfa"])
    refuse("acr_in_other_case_is_rejected", acr, strong, acr="MFA")
    refuse("acr_is_told_before_max_age", acr, {**strong, **recent}, acr="pwd", auth_time=1)
    refuse("login_too_long_ago_is_rejected", old, recent, auth_time=NOW - 301)
    refuse("login_without_a_time_is_rejected", old, recent)
    refuse("login_in_milliseconds_is_rejected", old, recent, auth_time=NOW * 1000)
    refuse("login_in_the_future_is_rejected", old, recent, auth_time=NOW + 61)
    refuse("login_time_that_is_a_text_is_rejected", old, recent, auth_time=str(NOW))
    refuse("login_too_old_with_an_acr_names_both", old, {**strong, **recent}, acr="mfa", auth_time=1)


def _types(cases: Group) -> None:
    _, refuse = _pair(cases, "spec/5-guards.md: model")
    refuse("claims_that_do_not_fit_a_type_are_rejected", "claims_unusable", {"unfit": True})


def _together(cases: Group) -> None:
    grant, refuse = _pair(cases, "spec/5-guards.md: everything named must hold")
    everything = {
        "scopes": ["a"],
        "any_scope": ["b", "c"],
        "permissions": ["p"],
        "any_permission": ["q", "a"],
        "organization": ["org_1"],
        "claims": {"tier": "gold"},
        "acr": ["mfa"],
        "max_age": 60,
    }
    good = {
        "scope": "a c",
        "permissions": ["p", "q"],
        "org_id": "org_1",
        "tier": "gold",
        "acr": "mfa",
        "auth_time": NOW,
    }
    grant("everything_together_is_accepted", everything, **good)
    for code, broken in {
        "insufficient_scope": {"scope": "b"},
        "any_scope_missing": {"scope": "a"},
        "permission_missing": {"permissions": ["q"]},
        "any_permission_missing": {"permissions": ["p"]},
        "organization_not_accepted": {"org_id": "org_2"},
        "claim_not_accepted": {"tier": "silver"},
        "authentication_context_not_accepted": {"acr": "pwd"},
        "authentication_too_old": {"auth_time": NOW - 61},
    }.items():
        refuse(f"everything_but_{code}", code, everything, **{**good, **broken})
    cases.add(
        "expired_token_is_told_before_requirements",
        "spec/5-guards.md",
        token({"exp": 1}),
        "token_expired",
        requirement=everything,
    )
