"""Issuers that are spelled exactly, with a path: every other spelling is another issuer. Steps 4, 5 and 8."""

from __future__ import annotations

from typing import Any

from ..case import JWKS_URL, MISSING, Group, discovery, token

HOST = "https://kc.example.com"
REALM = f"{HOST}/realms/acme"
DISCOVERY = f"{REALM}/.well-known/openid-configuration"
OAUTH = f"{HOST}/.well-known/oauth-authorization-server/realms/acme"
KEYS = f"{REALM}/protocol/openid-connect/certs"
SPEC = "OpenID Connect Discovery 1.0 section 4.3, RFC 9068 section 4"
POLICY = {"issuers": [REALM], "exact_issuers": True}


def served(issuer: str = REALM, place: str = DISCOVERY, keys: str = KEYS, said: str | None = None) -> dict[str, Any]:
    return {place: discovery(issuer=said or issuer, jwks_uri=keys), keys: {"file": "key-set"}}


def group() -> Group:
    cases = Group("exact_issuer", policy=POLICY)
    cases.documents = served()
    good = token({"iss": REALM})
    cases.accept("issuer_with_path_is_accepted", SPEC, good, fetched=[DISCOVERY, KEYS])
    _spellings(cases)
    _documents(cases, good)
    _places(cases, good)
    _list(cases)
    return cases


def _spellings(cases: Group) -> None:
    for name, value in {
        "final_slash": f"{REALM}/",
        "two_final_slashes": f"{REALM}//",
        "upper_case_host": "https://KC.example.com/realms/acme",
        "upper_case_path": f"{HOST}/realms/ACME",
        "upper_case_scheme": "HTTPS://kc.example.com/realms/acme",
        "http": "http://kc.example.com/realms/acme",
        "default_port": "https://kc.example.com:443/realms/acme",
        "encoded_letter": f"{HOST}/realms/%61cme",
        "dot_segment": f"{HOST}/realms/./acme",
        "double_dot_segment": f"{HOST}/realms/other/../acme",
        "query": f"{REALM}?a",
        "fragment": f"{REALM}#a",
        "space": f"{REALM} ",
        "bare_host": "kc.example.com",
        "host_alone": f"{HOST}/",
        "another_realm": f"{HOST}/realms/other",
        "longer_realm": f"{REALM}2",
        "realm_below": f"{REALM}/acme",
        "another_host": "https://evil.example.com/realms/acme",
    }.items():
        malformed = name in {"two_final_slashes", "upper_case_scheme", "http", "dot_segment", "double_dot_segment"}
        malformed = malformed or name in {"query", "fragment", "space"}
        code = "issuer_malformed" if malformed else "other_issuer"
        cases.add(f"iss_with_{name}_is_rejected", SPEC, token({"iss": value}), code)
    slash = f"{HOST}/application/o/app/"
    place = f"{slash}.well-known/openid-configuration"
    own: dict[str, Any] = {"policy": {"issuers": [slash]}, "docs": served(slash, place)}
    cases.accept("final_slash_is_accepted_where_configured", SPEC, token({"iss": slash}), fetched=[place, KEYS], **own)
    cases.add("missing_final_slash_is_rejected", SPEC, token({"iss": slash[:-1]}), "other_issuer", **own)
    host = {"policy": {"issuers": ["https://tenant.example.com/"]}}
    cases.add(
        "bare_host_that_is_spelled_exactly_accepts_no_other_spelling",
        SPEC,
        token({"iss": "https://tenant.example.com"}),
        "other_issuer",
        **host,
    )


def _documents(cases: Group, good: Any) -> None:
    for name, value in {
        "final_slash": f"{REALM}/",
        "upper_case_host": "https://KC.example.com/realms/acme",
        "another_realm": f"{HOST}/realms/other",
        "template": f"{HOST}/{{tenantid}}/acme",
        "host_alone": f"{HOST}/",
    }.items():
        docs = served(said=value)
        cases.add(
            f"document_whose_issuer_has_{name}_is_not_used", SPEC, good, "unavailable", docs=docs, fetched=[DISCOVERY]
        )
        cases.add(
            f"token_and_document_with_{name}_are_rejected",
            SPEC,
            token({"iss": value}),
            "issuer_malformed" if name == "template" else "other_issuer",
            docs=docs,
        )


def _places(cases: Group, good: Any) -> None:
    spec = "RFC 8414 section 3.1"
    docs = {DISCOVERY: {"status": 404}, **served(place=OAUTH)}
    cases.accept("document_at_the_place_of_rfc_8414_is_used", spec, good, docs=docs, fetched=[DISCOVERY, OAUTH, KEYS])
    cases.add(
        "document_at_no_place_is_unavailable",
        spec,
        good,
        "unavailable",
        docs={DISCOVERY: {"status": 404}, OAUTH: {"status": 404}},
        fetched=[DISCOVERY, OAUTH],
    )
    for name, answer in {"that_fails": MISSING, "that_is_500": {"status": 500}}.items():
        cases.add(
            f"other_place_is_not_asked_after_a_fetch_{name}",
            spec,
            good,
            "unavailable",
            docs={**served(place=OAUTH), DISCOVERY: answer},
            fetched=[DISCOVERY],
        )
    cases.add(
        "document_of_another_issuer_at_the_place_of_rfc_8414_is_not_used",
        spec,
        good,
        "unavailable",
        docs={DISCOVERY: {"status": 404}, **served(place=OAUTH, said=f"{HOST}/realms/other")},
        fetched=[DISCOVERY, OAUTH],
    )
    bare = "https://tenant.example.com/.well-known/openid-configuration"
    cases.add(
        "other_place_is_not_asked_of_a_bare_host",
        spec,
        token(),
        "unavailable",
        policy={"issuers": ["tenant.example.com"], "exact_issuers": False},
        docs={bare: {"status": 404}},
        fetched=[bare],
    )


def _list(cases: Group) -> None:
    second = f"{HOST}/realms/second"
    place = f"{second}/.well-known/openid-configuration"
    policy = {"issuers": [REALM, second], "single_issuer": False}
    docs = {**served(), **served(second, place, JWKS_URL)}
    cases.accept(
        "second_of_a_list_is_accepted",
        SPEC,
        token({"iss": second}),
        policy=policy,
        docs=docs,
        fetched=[place, JWKS_URL],
    )
    for name, value in {"final_slash": f"{second}/", "another_realm": f"{HOST}/realms/third"}.items():
        cases.add(
            f"iss_with_{name}_is_not_in_the_list",
            SPEC,
            token({"iss": value}),
            "issuer_not_allowed",
            policy=policy,
            docs=docs,
        )
