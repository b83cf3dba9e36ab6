"""Where scopes are: `scope`, `scp`, a claim of another name; a string or an array. Step 12."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, Group, insufficient_scope, token
from .exact_issuer import DISCOVERY, KEYS, POLICY, REALM, served

SPEC = "RFC 6749 section 3.3, RFC 8693 section 4.2"
NAMED = {"scope_claim": "roles"}
MERGED = {"scope_claim": ["scope", "scp", "permissions"]}
IMPLIED = {"implies": {"admin": ["write"], "write": ["read"]}}


def group() -> Group:
    cases = Group("scope_claim", policy=POLICY)
    cases.documents = served()

    def add(name: str, claims: dict[str, Any], good: bool, policy: dict[str, Any] | None = None) -> None:
        tok = token({"iss": REALM, "scope": ABSENT, **claims})
        expect: Any = "verified" if good else insufficient_scope(["read"])
        more: dict[str, Any] = {"policy": policy, "required_scopes": ["read"], "fetched": [DISCOVERY, KEYS]}
        cases.add(f"{name}_{'is_enough' if good else 'is_not_enough'}", SPEC, tok, expect, **more)

    for claim in ("scope", "scp"):
        add(f"{claim}_string", {claim: "write read"}, good=True)
        add(f"{claim}_array", {claim: ["write", "read"]}, good=True)
        for name, value in {
            "other_string": "write",
            "longer_word": "read:all",
            "array_of_others": ["write"],
            "array_with_words_in_one_string": ["write read"],
            "array_with_a_number": ["read", 5],
            "array_in_array": [["read"]],
            "object": {"read": True},
            "number": 5,
            "null": None,
        }.items():
            add(f"{claim}_{name}", {claim: value}, good=False)
    add("empty_scope_beside_scp", {"scope": "", "scp": "read"}, good=False)
    add("scope_beside_other_scp", {"scope": "read", "scp": "write"}, good=True)
    add("no_claim", {}, good=False)
    add("configured_claim", {"roles": ["read"]}, good=True, policy=NAMED)
    add("scope_beside_the_configured_claim", {"scope": "read", "scp": "read"}, good=False, policy=NAMED)
    for name, claims, good in [
        ("first_of_merged_claims", {"scope": "read"}, True),
        ("last_of_merged_claims", {"scope": "write", "permissions": ["read"]}, True),
        ("merged_claim_of_another_type_beside_it", {"scope": 5, "permissions": ["read"]}, True),
        ("claim_that_is_not_merged", {"roles": ["read"]}, False),
        ("words_apart_in_merged_claims", {"scope": "re", "permissions": ["ad"]}, False),
    ]:
        add(name, claims, good=good, policy=MERGED)
    for name, claims, good in [
        ("scope_that_implies_it", {"scope": "write"}, True),
        ("scope_that_implies_one_that_implies_it", {"scope": "openid admin"}, True),
        ("longer_word_than_one_that_implies_it", {"scope": "admins"}, False),
        ("hierarchy_without_a_scope_of_it", {"scope": "openid"}, False),
    ]:
        add(name, claims, good=good, policy=IMPLIED)
    bare = {"issuers": ["tenant.example.com"], "exact_issuers": False}
    for name, claims in {"array": {"scope": ["read"]}, "scp": {"scope": ABSENT, "scp": "read"}}.items():
        cases.add(
            f"{name}_of_a_bare_host_is_not_enough",
            SPEC,
            token(claims),
            insufficient_scope(["read"]),
            policy=bare,
            docs={
                "https://tenant.example.com/.well-known/openid-configuration": {"file": "discovery"},
                "https://tenant.example.com/.well-known/jwks.json": {"file": "key-set"},
            },
            required_scopes=["read"],
        )
    return cases
