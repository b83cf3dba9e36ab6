"""Scopes that the resource requires. Step 12."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, Group, insufficient_scope, token


def group() -> Group:
    cases = Group("scope")
    spec = "RFC 6750 section 3.1, RFC 6749 section 3.3"

    def grant(name: str, scope: Any, *required: str) -> None:
        cases.accept(name, spec, token({"scope": scope}), required_scopes=list(required))

    def refuse(name: str, scope: Any, *required: str) -> None:
        cases.add(
            name, spec, token({"scope": scope}), insufficient_scope(list(required)), required_scopes=list(required)
        )

    grant("one_scope_is_granted", "read:things", "read:things")
    grant("scope_among_others_is_granted", "a read:things b", "read:things")
    grant("all_of_several_are_granted", "c b a", "a", "b")
    grant("no_scope_required_is_granted", ABSENT)
    grant("scope_required_twice_is_granted", "a", "a", "a")
    grant("several_spaces_between_are_tolerated", "  a   b ", "a", "b")
    refuse("missing_scope_claim_grants_nothing", ABSENT, "read:things")
    refuse("empty_scope_grants_nothing", "", "read:things")
    refuse("one_of_two_is_not_enough", "a c", "a", "b")
    refuse("prefix_is_not_enough", "read", "read:things")
    refuse("longer_scope_is_not_enough", "read:things:all", "read:things")
    refuse("part_of_a_scope_is_not_enough", "unread:things", "read:things")
    refuse("case_matters", "Read:Things", "read:things")
    refuse("tab_does_not_separate", "a\tb", "b")
    refuse("line_break_does_not_separate", "a\nb", "b")
    refuse("comma_does_not_separate", "a,b", "b")
    refuse("no_break_space_does_not_separate", "a\u00a0b", "b")
    for name, value in {
        "array": ["read:things"],
        "object": {"read:things": True},
        "null": None,
        "true": True,
        "number": 5,
    }.items():
        refuse(f"scope_that_is_{name}_grants_nothing", value, "read:things")
    cases.add(
        "permissions_are_not_scopes",
        spec,
        token({"scope": ABSENT, "permissions": ["read:things"]}),
        insufficient_scope(["read:things"]),
        required_scopes=["read:things"],
    )
    cases.add(
        "expired_token_is_told_before_scopes",
        spec,
        token({"exp": 1, "scope": ""}),
        "token_expired",
        required_scopes=["a"],
    )
    return cases
