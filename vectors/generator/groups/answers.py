"""What the client learns in the RFC profile. Every other case is in the default profile."""

from __future__ import annotations

from ..case import ALL_ALGORITHMS, DISCOVERY_URL, MISSING, Group, documents, insufficient_scope, token, unsigned_token

RFC = {"rfc_status_codes": True}


def group() -> Group:
    cases = Group("answers")
    spec = "RFC 6750 section 3"
    good = token()
    compact = good.compact

    def refuse(name: str, code: str, *values: str) -> None:
        headers = [["Authorization", value] for value in values]
        cases.add(f"rfc_profile_{name}", spec, None, code, headers=headers, policy=RFC)

    refuse("asks_for_missing_credentials_with_401", "missing_authorization")
    refuse("asks_for_empty_credentials_with_401", "missing_authorization", "")
    refuse("answers_unknown_scheme_with_401", "unknown_scheme", "Basic dXNlcjpwYXNz")
    refuse("answers_scheme_alone_with_401", "scheme_without_token", "Bearer")
    refuse("answers_dpop_while_off_with_401", "dpop_not_accepted", f"DPoP {compact}")
    refuse("answers_two_fields_with_400", "multiple_authorization_fields", f"Bearer {compact}", f"Bearer {compact}")
    cases.add("rfc_profile_answers_expired_token_with_401", spec, token({"exp": 1}), "token_expired", policy=RFC)
    cases.add(
        "rfc_profile_answers_unsigned_token_with_401", spec, unsigned_token(), "algorithm_not_allowed", policy=RFC
    )
    cases.add(
        "rfc_profile_answers_missing_scope_with_403",
        spec,
        good,
        insufficient_scope(["admin"]),
        policy=RFC,
        required_scopes=["admin"],
    )
    cases.add(
        "rfc_profile_answers_missing_issuer_with_503",
        spec,
        good,
        "unavailable",
        policy=RFC,
        docs=documents(metadata=MISSING),
        fetched=[DISCOVERY_URL],
    )
    cases.accept("rfc_profile_verifies", spec, good, policy=RFC)
    _nothing_is_echoed(cases)
    return cases


def _nothing_is_echoed(cases: Group) -> None:
    """What an attacker writes reaches no header and no body."""
    spec = "RFC 6750 section 3, RFC 9110 section 5.6.4"
    nasty = 'x", error="none"\r\nSet-Cookie: a=b'
    for name, tok, code in [
        ("alg", token(header={"alg": nasty}, sign_as="RS256"), "algorithm_not_allowed"),
        ("typ", token(header={"typ": nasty}), "unexpected_token_type"),
        ("kid", token(header={"kid": nasty}), "unknown_kid"),
        ("iss", token({"iss": f"https://{nasty}/"}), "issuer_malformed"),
        ("aud", token({"aud": nasty}), "audience_mismatch"),
        ("crit", token(header={"crit": [nasty]}), "critical_header"),
    ]:
        cases.add(f"text_of_{name}_is_not_echoed", spec, tok, code, policy={"algorithms": ALL_ALGORITHMS})
    cases.add(
        "text_of_scheme_is_not_echoed", spec, None, "unknown_scheme", headers=[["Authorization", 'X"y\\z secret']]
    )
    cases.add(
        "text_of_scope_is_not_echoed",
        spec,
        token({"scope": nasty}),
        insufficient_scope(["admin"]),
        required_scopes=["admin"],
    )
    several = ["read:things", "admin:all"]
    cases.add(
        "required_scopes_are_told_in_order",
        "RFC 6750 section 3",
        token(),
        insufficient_scope(several),
        required_scopes=several,
    )
