"""Opaque tokens: the issuer is asked what they say. RFC 7662."""

from __future__ import annotations

from typing import Any

from .. import keys
from ..case import (
    ABSENT,
    ACCEPTED,
    AUDIENCE,
    DISCOVERY_URL,
    ISSUER,
    JWKS_URL,
    MISSING,
    NOW,
    Group,
    Token,
    bearer,
    discovery,
    dpop,
    json_document,
    merged,
    raw_document,
    text_token,
    token,
)
from ..proof import CLIENT, proof

SPEC = "RFC 7662 section 2.2"
ENDPOINT = f"{ISSUER}oauth/introspect"
ELSEWHERE = "https://introspection.example.net/ask?x=1"
OPAQUE = "mF_9-B5f~4.1JqM"
ANSWER: dict[str, Any] = {
    "active": True,
    "iss": ISSUER,
    "sub": "auth0|alice",
    "aud": AUDIENCE,
    "client_id": "app",
    "token_type": "Bearer",
    "iat": NOW - 60,
    "exp": NOW + 3600,
    "scope": "read:things write:things",
}


def group() -> Group:
    cases = Group("introspection", {**ACCEPTED, "introspection": {"remember": 30}})
    cases.documents = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        JWKS_URL: {"file": "key-set"},
        ENDPOINT: json_document(ANSWER),
    }
    _tokens(cases)
    _answers(cases)
    _claims(cases)
    _endpoints(cases)
    _memory(cases)
    return cases


def opaque(claims: dict[str, Any] | None = None) -> Token:
    """An opaque token, about which the issuer says this."""
    return Token(OPAQUE, {"note": "an opaque token", "signature": None}, merged(ANSWER, claims))


def says(claims: dict[str, Any]) -> dict[str, Any]:
    return {DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT), ENDPOINT: json_document(merged(ANSWER, claims))}


ASKED = [DISCOVERY_URL, ENDPOINT]


def _tokens(cases: Group) -> None:
    cases.accept("active_token_is_accepted", SPEC, opaque(), fetched=ASKED)
    cases.accept("bare_active_token_is_accepted", SPEC, opaque(), fetched=ASKED, required_claims=["client_id"])
    cases.accept(
        "jwt_is_verified_and_not_asked_about", "RFC 9068 section 4", token(), fetched=[DISCOVERY_URL, JWKS_URL]
    )
    cases.add(
        "forged_jwt_is_not_asked_about",
        "RFC 9068 section 4",
        token(key="attacker-rsa", header={"kid": "rsa-a"}),
        "signature_invalid",
        fetched=[DISCOVERY_URL, JWKS_URL],
    )
    cases.add(
        "three_segments_are_not_asked_about",
        SPEC,
        text_token("v4.public.abc", "three segments"),
        "malformed_header",
        fetched=[],
    )
    cases.add(
        "encrypted_token_is_not_asked_about",
        SPEC,
        text_token("e30.e30.e30.e30.e30", "five segments"),
        "encrypted_token",
        fetched=[],
    )
    for name, text in {
        "two_segments": "a.b",
        "four_segments": "a.b.c.d",
        "other_characters": "a~b+c/d-_e==",
        "dots": "..",
    }.items():
        tok = Token(text, {"note": name, "signature": None}, ANSWER)
        cases.accept(f"token_of_{name}_is_asked_about", "RFC 6750 section 2.1", tok, fetched=ASKED)
    for name, text in {
        "a_comma": "a,b",
        "a_quote": 'a"b',
        "padding_in_the_middle": "a=b",
        "nothing_but_padding": "==",
        "a_letter_beyond_ascii": "a\u00e9",
        "a_percent_sign": "a%20b",
    }.items():
        cases.add(
            f"token_with_{name}_is_not_asked_about",
            "RFC 6750 section 2.1",
            text_token(text, name),
            "opaque_token",
            fetched=[],
        )
    cases.add(
        "too_long_token_is_not_asked_about", SPEC, text_token("a" * 16_385, "too long"), "token_too_large", fetched=[]
    )
    cases.add(
        "by_default_nobody_is_asked", SPEC, opaque(), "opaque_token", policy={"introspection": ABSENT}, fetched=[]
    )


def _answers(cases: Group) -> None:
    def answered(name: str, document: dict[str, Any], expect: str, **more: Any) -> None:
        docs = {DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT), ENDPOINT: document}
        cases.add(name, SPEC, opaque(), expect, docs=docs, fetched=ASKED, **more)

    answered("inactive_token_is_rejected", json_document({"active": False}), "token_inactive")
    answered(
        "inactive_token_with_good_claims_is_rejected", json_document({**ANSWER, "active": False}), "token_inactive"
    )
    for name, value in {"text": "true", "number": 1, "null": None, "list": [True]}.items():
        answered(
            f"active_that_is_{name}_leaves_it_undecided", json_document({**ANSWER, "active": value}), "unavailable"
        )
    answered(
        "answer_without_active_leaves_it_undecided", json_document(merged(ANSWER, {"active": ABSENT})), "unavailable"
    )
    answered(
        "answer_with_active_twice_leaves_it_undecided", raw_document('{"active":false,"active":true}'), "unavailable"
    )
    for name, text in {"list": "[true]", "page": "<html>", "jwt": token().compact, "nothing": ""}.items():
        answered(f"answer_that_is_a_{name}_leaves_it_undecided", raw_document(text), "unavailable")
    for status in (400, 401, 403, 404, 413, 429, 500, 503, 302, 201, 204):
        answered(f"status_{status}_leaves_it_undecided", {"status": status, "json": ANSWER}, "unavailable")
    answered("no_answer_leaves_it_undecided", MISSING, "unavailable")
    long = json_document({**ANSWER, "x": "a" * 66_000})
    answered("answer_that_is_too_long_leaves_it_undecided", long, "unavailable")


def _claims(cases: Group) -> None:
    """What is asked of a JWT is asked of the answer, but for what RFC 7662 lets be missing."""

    def claim(name: str, claims: dict[str, Any], expect: str, **more: Any) -> None:
        tok = opaque(claims)
        headers = more.pop("headers", bearer(tok))
        cases.add(name, SPEC, tok, expect, docs=says(claims), fetched=ASKED, headers=headers, **more)

    for name in ("iss", "exp", "iat", "sub", "token_type"):
        claim(f"answer_without_{name}_is_accepted", {name: ABSENT}, "verified")
    claim("other_iss_is_rejected", {"iss": "https://evil.example/"}, "issuer_mismatch")
    claim("iss_that_is_a_list_is_rejected", {"iss": [ISSUER]}, "issuer_mismatch")
    claim("other_aud_is_rejected", {"aud": "other"}, "audience_mismatch")
    claim("aud_in_a_list_is_accepted", {"aud": ["other", AUDIENCE]}, "verified")
    claim("answer_without_aud_is_rejected", {"aud": ABSENT}, "audience_missing")
    claim("expired_answer_is_rejected", {"exp": NOW}, "token_expired")
    claim("exp_that_is_a_text_is_rejected", {"exp": str(NOW + 60)}, "expiry_missing")
    claim("not_yet_valid_answer_is_rejected", {"nbf": NOW + 60}, "token_not_yet_valid")
    claim("iat_that_is_a_text_is_rejected", {"iat": "now"}, "issued_at_missing")
    claim("sub_that_is_a_number_is_rejected", {"sub": 7}, "subject_malformed")
    for name, claims in {
        "refresh_token_by_token_use": {"token_use": "refresh_token"},
        "refresh_token_by_token_type": {"token_type": "refresh_token"},
        "refresh_token_by_typ": {"typ": "Refresh"},
        "id_token_by_typ": {"typ": "ID"},
        "token_type_that_is_a_list": {"token_type": ["Bearer"]},
    }.items():
        claim(f"{name}_is_rejected", claims, "not_an_access_token")
    for name, claims in {
        "token_use": {"token_use": "access_token"},
        "typ": {"typ": "Bearer"},
        "token_type_in_lower_case": {"token_type": "bearer"},
    }.items():
        claim(f"access_token_by_{name}_is_accepted", claims, "verified")
    clients = {"policy": {"audience": ABSENT, "client_ids": ["app"]}}
    claim("answer_of_an_accepted_client_is_accepted", {"aud": ABSENT}, "verified", **clients)
    claim(
        "answer_of_another_client_is_rejected", {"aud": ABSENT, "client_id": "other"}, "client_not_accepted", **clients
    )
    claim(
        "answer_that_says_nothing_of_its_kind_is_rejected",
        {"aud": ABSENT, "token_type": ABSENT, "scope": ABSENT},
        "not_an_access_token",
        **clients,
    )
    jkt = {"cnf": {"jkt": keys.thumbprint(CLIENT)}, "token_type": "DPoP"}
    claim("bound_token_as_bearer_is_rejected", jkt, "bound_token_as_bearer")
    said = {"token_type": "dpop"}
    claim("token_that_is_said_to_be_bound_and_not_to_what_is_rejected", said, "confirmation_missing")
    claim("the_same_is_accepted_without_dpop", said, "verified", policy={"dpop": "off"})
    good = proof(opaque(jkt))
    claim("bound_token_with_its_proof_is_accepted", jkt, "verified", headers=dpop(opaque(jkt), good), proof=good)
    other = proof(opaque(jkt), key="attacker-ec-p256")
    claim(
        "bound_token_with_another_proof_is_rejected",
        jkt,
        "confirmation_mismatch",
        headers=dpop(opaque(jkt), other),
        proof=other,
    )
    unbound = proof(opaque())
    claim(
        "unbound_token_with_a_proof_is_rejected",
        {},
        "confirmation_missing",
        headers=dpop(opaque(), unbound),
        proof=unbound,
    )
    claim("token_of_a_certificate_is_rejected", {"cnf": {"x5t#S256": "x"}}, "thumbprint_missing")


def _endpoints(cases: Group) -> None:
    spec = "RFC 8414 section 2"
    none = {DISCOVERY_URL: discovery(), ENDPOINT: json_document(ANSWER)}
    cases.add(
        "issuer_without_an_endpoint_leaves_it_undecided",
        spec,
        opaque(),
        "unavailable",
        docs=none,
        fetched=[DISCOVERY_URL],
    )
    for name, url in {
        "without_tls": ENDPOINT.replace("https", "http"),
        "inside": "https://10.0.0.1/",
        "with_user_info": "https://a@tenant.example.com/",
    }.items():
        docs = {DISCOVERY_URL: discovery(introspection_endpoint=url), url: json_document(ANSWER)}
        cases.add(
            f"endpoint_{name}_is_not_asked",
            "RFC 9700 section 4",
            opaque(),
            "unavailable",
            docs=docs,
            fetched=[DISCOVERY_URL],
        )
    configured = {"introspection": {"remember": 30, "endpoint": ELSEWHERE}}
    cases.accept(
        "configured_endpoint_is_asked",
        spec,
        opaque(),
        policy=configured,
        docs={ELSEWHERE: json_document(ANSWER)},
        fetched=[ELSEWHERE],
    )
    cases.add(
        "missing_discovery_document_leaves_it_undecided",
        spec,
        opaque(),
        "unavailable",
        docs={ENDPOINT: json_document(ANSWER)},
        fetched=[DISCOVERY_URL],
    )


def _memory(cases: Group) -> None:
    spec = "RFC 7662 section 4"
    revoked = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        ENDPOINT: {**json_document(ANSWER), "then": json_document({"active": False})},
    }

    def later(
        name: str,
        seconds: float,
        expect: str,
        asked: list[str],
        docs: dict[str, Any] = revoked,
        tok: Token | None = None,
        **more: Any,
    ) -> None:
        tok = tok or opaque()
        first = cases.step(tok, more.pop("first", "verified"), NOW, ASKED)
        cases.add(name, spec, tok, expect, before=[first], now=NOW + seconds, fetched=asked, docs=docs, **more)

    later("answer_is_remembered", 29, "verified", [])
    later("revoked_token_is_rejected_after_that_time", 30, "token_inactive", [ENDPOINT])
    soon = {"exp": NOW + 10}
    expiring = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        ENDPOINT: {**json_document(merged(ANSWER, soon)), "then": json_document({"active": False})},
    }
    later("answer_is_not_remembered_beyond_exp", 10, "token_inactive", [ENDPOINT], expiring, opaque(soon))
    later(
        "with_zero_seconds_nothing_is_remembered",
        0.001,
        "token_inactive",
        [ENDPOINT],
        policy={"introspection": {"remember": 0}},
    )
    inactive = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        ENDPOINT: {**json_document({"active": False}), "then": json_document(ANSWER)},
    }
    later("inactive_token_is_remembered_too", 29, "token_inactive", [], inactive, first="token_inactive")
    failing = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        ENDPOINT: {**MISSING, "then": json_document(ANSWER)},
    }
    later("after_a_failure_the_issuer_is_left_alone", 0.4, "unavailable", [], failing, first="unavailable")
    later("after_the_back_off_the_issuer_is_asked_again", 1, "verified", [ENDPOINT], failing, first="unavailable")
    outage = {
        DISCOVERY_URL: discovery(introspection_endpoint=ENDPOINT),
        ENDPOINT: {**json_document(ANSWER), "then": MISSING},
    }
    later("in_an_outage_nothing_old_is_used", 31, "unavailable", [ENDPOINT], outage)
    later("in_an_outage_answers_are_used_for_their_time", 29, "verified", [], outage)
