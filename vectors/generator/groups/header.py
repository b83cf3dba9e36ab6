"""Header members other than `alg` and `kid`: extensions, keys that come with the token, `typ`. Steps 3 and 8."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, DISCOVERY_URL, JWKS_URL, Group, token
from ..keys import auth0_jwk, jwk


def group() -> Group:
    cases = Group("header")
    _extensions(cases)
    _keys_in_the_token(cases)
    _types(cases)
    return cases


def _extensions(cases: Group) -> None:
    spec = "RFC 7515 section 4.1.11"
    code = "critical_header"
    for name, value in {
        "unknown_crit": ["x-policy"],
        "empty_crit": [],
        "crit_that_names_a_registered_member": ["alg"],
        "crit_with_duplicates": ["exp", "exp"],
        "crit_that_is_a_string": "exp",
        "crit_that_is_null": None,
        "crit_that_names_an_absent_member": ["absent"],
        "crit_that_holds_numbers": [1],
    }.items():
        cases.add(f"{name}_is_rejected", spec, token(header={"crit": value, "x-policy": "strict", "exp": 1}), code)
    cases.add(
        "b64_false_with_crit_is_rejected", "RFC 7797 section 6", token(header={"b64": False, "crit": ["b64"]}), code
    )
    cases.add("b64_false_without_crit_is_rejected", "RFC 7797 section 6", token(header={"b64": False}), code)
    cases.add("b64_true_is_rejected", "RFC 7797 section 6", token(header={"b64": True}), code)
    cases.accept(
        "unknown_member_is_ignored", "RFC 7515 section 4", token(header={"x-policy": {"a": [1]}, "cty": "json"})
    )
    cases.add("crit_is_told_before_alg", spec, token(header={"crit": ["a"], "alg": "none"}, sign_as="RS256"), code)


def _keys_in_the_token(cases: Group) -> None:
    """CVE-2018-0114 and its kin: whoever brings the key also signs with it."""
    spec = "RFC 8725 section 3.10"
    evil = "https://evil.example/keys.json"
    attacker = jwk("attacker-rsa", kid="rsa-a")
    x5c = auth0_jwk("attacker-rsa")["x5c"]
    members: dict[str, dict[str, Any]] = {
        "key": {"jwk": attacker},
        "key_url": {"jku": evil},
        "certificate": {"x5c": x5c},
        "certificate_url": {"x5u": evil},
    }
    for name, member in members.items():
        forged = token(header={**member, "kid": "rsa-a"}, key="attacker-rsa")
        cases.add(f"{name}_in_header_is_not_trusted", spec, forged, "signature_invalid")
        cases.accept(f"{name}_in_header_is_ignored", spec, token(header=member))
    mistyped = {"jwk": 5, "jku": [], "x5c": "no", "x5u": {}, "x5t": None}
    cases.accept("mistyped_keys_in_header_are_ignored", spec, token(header=mistyped))
    forged = token(header={"jwk": attacker, "kid": ABSENT}, key="attacker-rsa")
    cases.add("key_in_header_does_not_replace_kid", spec, forged, "kid_missing", fetched=[DISCOVERY_URL, JWKS_URL])


def _types(cases: Group) -> None:
    spec = "RFC 9068 section 2.1, RFC 8725 section 3.11"
    for name, value in {
        "jwt": "JWT",
        "jwt_in_lower_case": "jwt",
        "at_jwt": "at+jwt",
        "at_jwt_in_upper_case": "AT+JWT",
        "application_at_jwt": "application/at+jwt",
        "application_jwt": "application/jwt",
        "application_jwt_in_upper_case": "APPLICATION/JWT",
        "application_at_jwt_in_mixed_case": "Application/AT+jwt",
        "no": ABSENT,
    }.items():
        cases.accept(f"{name}_type_is_accepted", spec, token(header={"typ": value}))
    for name, value in {
        "logout_token": "logout+jwt",
        "security_event": "secevent+jwt",
        "dpop_proof": "dpop+jwt",
        "client_assertion": "client-authentication+jwt",
        "introspection_answer": "token-introspection+jwt",
        "id_token": "id_token+jwt",
        "jose": "JOSE",
        "empty": "",
        "padded": "JWT ",
        "null": None,
        "number": 5,
        "array": ["JWT"],
        "jwt_inside_longer_text": "JWT; charset=utf-8",
        "text_at_jwt": "text/at+jwt",
        "other_letter": "at+\u0237wt",
    }.items():
        cases.add(f"{name}_type_is_rejected", spec, token(header={"typ": value}), "unexpected_token_type")
