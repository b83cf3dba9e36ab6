"""The discovery document: nothing is asked of an address that it should not name. Step 5."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, DISCOVERY_URL, ISSUER, JWKS_URL, MISSING, Group, discovery, documents, raw_document, token

OIDC = "OpenID Connect Discovery 1.0 section 4.3"
FETCH = "RFC 9700 section 4, RFC 8414 section 2"


def group() -> Group:
    cases = Group("discovery")
    good = token()

    def refuse(name: str, spec: str, document: dict[str, Any]) -> None:
        cases.add(name, spec, good, "unavailable", docs=documents(metadata=document), fetched=[DISCOVERY_URL])

    for name, value in {
        "missing": ABSENT,
        "null": None,
        "number": 5,
        "array": [ISSUER],
        "empty": "",
        "not_a_url": "tenant",
        "http": "http://tenant.example.com/",
        "another": "https://evil.example.com/",
        "another_port": "https://tenant.example.com:8443/",
        "with_path": "https://tenant.example.com/a/",
        "with_user_info": "https://a@tenant.example.com/",
    }.items():
        refuse(f"issuer_that_is_{name}_is_not_used", OIDC, discovery(issuer=value))
    for name, value in {
        "missing": ABSENT,
        "null": None,
        "number": 5,
        "array": [JWKS_URL],
        "empty": "",
        "relative": "/.well-known/jwks.json",
        "scheme_relative": "//tenant.example.com/jwks",
        "http": "http://tenant.example.com/.well-known/jwks.json",
        "file": "file:///etc/passwd",
        "data": 'data:application/json,{"keys":[]}',
        "user_info": "https://user:pass@tenant.example.com/jwks",
        "user_info_that_looks_like_host": "https://tenant.example.com@evil.example/jwks",
        "metadata_service": "https://169.254.169.254/latest/meta-data/",
        "loopback": "https://127.0.0.1/jwks",
        "loopback_with_port": "https://127.0.0.1:8443/jwks",
        "other_loopback": "https://127.8.9.10/jwks",
        "ipv6_loopback": "https://[::1]/jwks",
        "ipv6_link_local": "https://[fe80::1]/jwks",
        "ipv6_unique_local": "https://[fd00::1]/jwks",
        "ipv4_mapped_loopback": "https://[::ffff:127.0.0.1]/jwks",
        "ipv4_mapped_loopback_in_hex": "https://[::ffff:7f00:1]/jwks",
        "unspecified_address": "https://0.0.0.0/jwks",
        "ipv6_unspecified_address": "https://[::]/jwks",
        "localhost": "https://localhost:8443/jwks",
        "name_under_localhost": "https://a.localhost/jwks",
        "shared_address_space": "https://100.64.0.1/jwks",
        "fragment": "https://tenant.example.com/jwks#keys",
        "private_10": "https://10.1.2.3/jwks",
        "private_172": "https://172.16.0.1/jwks",
        "private_192": "https://192.168.1.1/jwks",
        "loopback_as_one_number": "https://2130706433/jwks",
        "loopback_in_hex": "https://0x7f000001/jwks",
        "loopback_in_octal": "https://0177.0.0.1/jwks",
        "loopback_in_short_form": "https://127.1/jwks",
        "space": "https://tenant.example.com/a b",
        "line_break": "https://tenant.example.com/jwks\r\nHost: evil.example",
        "backslash": "https://tenant.example.com\\@evil.example/jwks",
        "no_host": "https:///jwks",
    }.items():
        refuse(f"jwks_uri_that_is_{name}_is_not_used", FETCH, discovery(jwks_uri=value))
    for name, text in {
        "html": "<!doctype html><html><body>Service unavailable</body></html>",
        "empty": "",
        "array": "[]",
        "string": '"https://tenant.example.com/"',
        "truncated": '{"issuer":"https://tenant.example.com/","jwks_uri":"https://tenant',
        "trailing_text": '{"issuer":"https://tenant.example.com/","jwks_uri":"https://tenant.example.com/jwks"}x',
        "duplicate_issuer": f'{{"issuer":"https://evil.example/","issuer":"{ISSUER}","jwks_uri":"{JWKS_URL}"}}',
        "duplicate_jwks_uri": f'{{"issuer":"{ISSUER}","jwks_uri":"https://evil.example/","jwks_uri":"{JWKS_URL}"}}',
        "error_answer": '{"error":"access_denied","error_description":"rate limit"}',
    }.items():
        refuse(f"document_that_is_{name}_is_not_used", OIDC, raw_document(text))
    refuse("document_that_cannot_be_fetched_is_unavailable", OIDC, MISSING)

    _accepted(cases)
    cases.add(
        "bad_token_is_not_told_apart_while_unavailable",
        OIDC,
        token(key="attacker-rsa", header={"kid": "rsa-a"}),
        "unavailable",
        docs=documents(metadata=MISSING),
        fetched=[DISCOVERY_URL],
    )
    cases.add(
        "expired_token_is_not_told_apart_while_unavailable",
        OIDC,
        token({"exp": 1}),
        "unavailable",
        docs=documents(metadata=MISSING),
        fetched=[DISCOVERY_URL],
    )
    return cases


def _accepted(cases: Group) -> None:
    good = token()
    for name, url in {
        "another_host": "https://keys.example.net/jwks.json",
        "another_port": "https://tenant.example.com:8443/jwks",
        "a_query": "https://tenant.example.com/jwks?v=1",
        "upper_case_scheme_and_host": "HTTPS://Tenant.Example.COM/jwks",
        "public_address": "https://93.184.215.14/jwks",
    }.items():
        docs = {DISCOVERY_URL: discovery(jwks_uri=url), url: {"file": "key-set"}}
        cases.accept(f"jwks_uri_with_{name}_is_accepted", FETCH, good, docs=docs, fetched=[DISCOVERY_URL, url])
    local = "https://127.0.0.1:8443/"
    docs = {
        f"{local}.well-known/openid-configuration": discovery(issuer=local, jwks_uri=f"{local}jwks"),
        f"{local}jwks": {"file": "key-set"},
    }
    cases.accept(
        "loopback_jwks_uri_is_accepted_of_a_loopback_issuer",
        FETCH,
        token({"iss": local}),
        policy={"issuers": ["127.0.0.1:8443"]},
        docs=docs,
        fetched=list(docs),
    )
    extra = {"x": {"y": [1, None]}, "mtls_endpoint_aliases": {}, "jwks": {"keys": []}}
    cases.accept("unknown_members_are_ignored", OIDC, good, docs=documents(metadata=discovery(**extra)))
