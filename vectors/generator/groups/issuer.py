"""Whose token it is, decided before anybody is asked. Step 4, and the exact spelling of step 8."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, DISCOVERY_URL, ISSUER, JWKS_URL, Group, discovery, documents, token

SECOND = "second.example.com"
LIST = {"issuers": ["tenant.example.com", SECOND], "single_issuer": False}


def group() -> Group:
    cases = Group("issuer")
    rfc = "RFC 7519 section 4.1.1, RFC 8725 section 3.8"
    for name, value in {
        "missing": ABSENT,
        "null": None,
        "empty": "",
        "number": 5,
        "array": [ISSUER],
        "object": {"iss": ISSUER},
        "true": True,
    }.items():
        cases.add(f"iss_that_is_{name}_is_rejected", rfc, token({"iss": value}), "issuer_missing")
    for name, value in {
        "http": "http://tenant.example.com/",
        "user_info": "https://user@tenant.example.com/",
        "user_and_password": "https://a:b@tenant.example.com/",
        "path": "https://tenant.example.com/tenant/",
        "query": "https://tenant.example.com/?a=b",
        "fragment": "https://tenant.example.com/#a",
        "other_scheme": "ftp://tenant.example.com/",
        "javascript": "javascript:alert(1)",
        "no_host": "https:///",
        "backslashes": "https:\\\\tenant.example.com\\",
        "space": "https://tenant.example.com /",
        "line_break": "https://tenant.example.com/\r\nX: y",
        "nul": "https://tenant.example.com\u0000/",
        "port_that_is_no_number": "https://tenant.example.com:abc/",
        "port_out_of_range": "https://tenant.example.com:99999/",
        "double_slash": "https://tenant.example.com//",
        "trailing_dot": "https://tenant.example.com./",
        "letter_outside_ascii": "https://t\u00e9nant.example.com/",
        "one_slash": "https:/tenant.example.com/",
    }.items():
        cases.add(f"iss_with_{name}_is_rejected", rfc, token({"iss": value}), "issuer_malformed")
    _others(cases, rfc)
    _spelling(cases)
    _list(cases)
    return cases


OTHERS: dict[str, str] = {
    "another_tenant": "https://evil.example.com/",
    "look_alike_prefix": "https://tenant.example.com.evil.example/",
    "look_alike_suffix": "https://eviltenant.example.com/",
    "subdomain": "https://a.tenant.example.com/",
    "parent_domain": "https://example.com/",
    "another_port": "https://tenant.example.com:8443/",
    "default_port": "https://tenant.example.com:443/",
    "loopback": "https://127.0.0.1/",
    "metadata_service": "https://169.254.169.254/",
}


def _others(cases: Group, rfc: str) -> None:
    for name, value in OTHERS.items():
        cases.add(f"iss_of_{name}_is_rejected", rfc, token({"iss": value}), "other_issuer")
    cases.add(
        "forged_token_of_other_issuer_fetches_nothing",
        "RFC 8725 section 3.10",
        token({"iss": "https://evil.example.com/"}, key="attacker-rsa"),
        "other_issuer",
    )


def _spelling(cases: Group) -> None:
    """`iss` is normalised to find the issuer, and must then equal the issuer's own spelling."""
    rfc = "RFC 8725 section 3.8, OpenID Connect Discovery 1.0 section 4.3"
    for name, value in {
        "upper_case_host": "https://TENANT.example.com/",
        "upper_case_scheme": "HTTPS://tenant.example.com/",
        "no_trailing_slash": "https://tenant.example.com",
        "bare_host": "tenant.example.com",
    }.items():
        cases.add(f"iss_with_{name}_is_rejected", rfc, token({"iss": value}), "issuer_mismatch")
        own = documents(metadata=discovery(issuer=value))
        cases.accept(
            f"iss_with_{name}_is_accepted_where_the_issuer_spells_itself_so", rfc, token({"iss": value}), docs=own
        )
    cases.add(
        "normal_iss_is_rejected_where_the_issuer_spells_itself_otherwise",
        rfc,
        token(),
        "issuer_mismatch",
        docs=documents(metadata=discovery(issuer="https://tenant.example.com")),
    )
    spellings = {
        "upper_case": "TENANT.Example.COM",
        "url": "https://tenant.example.com/",
        "url_without_slash": "https://tenant.example.com",
    }
    for name, domain in spellings.items():
        cases.accept(f"configured_{name}_is_normalised", rfc, token(), policy={"issuers": [domain]})
    port = "tenant.example.com:8443"
    base = f"https://{port}/"
    docs: dict[str, Any] = {
        f"{base}.well-known/openid-configuration": discovery(issuer=base, jwks_uri=f"{base}.well-known/jwks.json"),
        f"{base}.well-known/jwks.json": {"file": "key-set"},
    }
    cases.accept(
        "issuer_with_port_is_accepted",
        rfc,
        token({"iss": base}),
        policy={"issuers": [port]},
        docs=docs,
        fetched=list(docs),
    )
    cases.add(
        "iss_without_the_configured_port_is_rejected",
        rfc,
        token(),
        "other_issuer",
        policy={"issuers": [port]},
        docs=docs,
    )


def _list(cases: Group) -> None:
    rfc = "RFC 8725 section 3.8"
    second = f"https://{SECOND}/"
    docs = {
        **documents(),
        f"{second}.well-known/openid-configuration": discovery(issuer=second, jwks_uri=f"{second}jwks"),
        f"{second}jwks": {"json": {"keys": []}},
    }
    with_key = {**docs, f"{second}jwks": {"file": "key-set-all-algorithms"}}
    cases.accept("first_of_a_list_is_accepted", rfc, token(), policy=LIST, docs=docs, fetched=[DISCOVERY_URL, JWKS_URL])
    cases.accept(
        "second_of_a_list_is_accepted",
        rfc,
        token({"iss": second}),
        policy=LIST,
        docs=with_key,
        fetched=[f"{second}.well-known/openid-configuration", f"{second}jwks"],
    )
    cases.add(
        "keys_of_another_listed_issuer_are_not_used",
        rfc,
        token({"iss": second}, key="rsa-b"),
        "unknown_kid",
        policy=LIST,
        docs=with_key,
        fetched=[f"{second}.well-known/openid-configuration", f"{second}jwks"],
    )
    for name, value in OTHERS.items():
        cases.add(f"iss_of_{name}_is_not_in_the_list", rfc, token({"iss": value}), "issuer_not_allowed", policy=LIST)
    cases.add(
        "list_of_one_says_that_it_is_a_list",
        rfc,
        token({"iss": "https://evil.example.com/"}),
        "issuer_not_allowed",
        policy={"single_issuer": False},
    )
    cases.accept("list_of_one_is_accepted", rfc, token(), policy={"single_issuer": False})
