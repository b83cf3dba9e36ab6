"""Tokens that are bound to the certificate of a client (`cnf.x5t#S256`). Step 9."""

from __future__ import annotations

from typing import Any

from .. import certificates, keys
from ..case import ABSENT, ACCEPTED, OFF, Group, Token, bearer, dpop, token
from ..keys import b64
from ..proof import CLIENT, proof

SPEC = "RFC 8705 section 3"
OWN, OTHER = "client-rsa", "attacker-rsa"
XFCC, SSL, CERT = "X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "Client-Cert"


def group() -> Group:
    cases = Group("mutual_tls", {**ACCEPTED, "mtls": "connection"})
    _connections(cases)
    _thumbprints(cases)
    _beside_a_key(cases)
    for name in (XFCC, SSL, CERT):
        _fields(cases, name)
    return cases


def bound(key: str = OWN, **confirmation: Any) -> Token:
    return token({"cnf": {"x5t#S256": certificates.thumbprint(key), **confirmation}})


def _connections(cases: Group) -> None:
    own, other = certificates.pem(OWN), certificates.pem(OTHER)
    cases.accept("token_of_the_certificate_is_accepted", SPEC, bound(), certificate=own)
    cases.add(
        "token_of_another_certificate_is_rejected",
        SPEC,
        bound(),
        "client_certificate_mismatch",
        certificate=other,
    )
    cases.add(
        "token_without_the_certificate_is_rejected",
        SPEC,
        bound(),
        "client_certificate_missing",
    )
    cases.accept("unbound_token_is_accepted_with_a_certificate", SPEC, token(), certificate=own)
    cases.accept("unbound_token_is_accepted_without_a_certificate", SPEC, token())
    broken = own.replace("CERTIFICATE-----\n", "CERTIFICATE-----\n*", 1)
    cases.add(
        "certificate_that_cannot_be_read_is_rejected",
        SPEC,
        bound(),
        "client_certificate_unreadable",
        certificate=broken,
    )
    cases.accept(
        "unbound_token_is_accepted_with_an_unreadable_certificate",
        SPEC,
        token(),
        certificate=broken,
    )
    cases.add(
        "certificate_is_not_compared_by_default",
        SPEC,
        bound(),
        "thumbprint_missing",
        certificate=own,
        policy={"mtls": ABSENT},
    )
    cases.add(
        "field_does_not_count_where_the_connection_does",
        SPEC,
        bound(),
        "client_certificate_missing",
        headers=[
            *bearer(bound()),
            [SSL, certificates.escaped(OWN)],
            [CERT, certificates.byte_sequence(OWN)],
        ],
        behind_proxy=True,
    )
    cases.accept(
        "bare_bound_token_is_verified_without_its_certificate",
        SPEC,
        bound(),
        required_claims=["cnf"],
    )


def _thumbprints(cases: Group) -> None:
    """The thumbprint, byte for byte."""
    own, x5t = certificates.pem(OWN), certificates.thumbprint(OWN)
    for name, value in {
        "padded": f"{x5t}=",
        "shorter": x5t[:-1],
        "upper_case": x5t.upper(),
        "with_spare_bits": x5t[:-1] + chr(ord(x5t[-1]) + 1),
        "in_hex": keys.base64.urlsafe_b64decode(x5t + "=").hex(),
        "of_the_key": keys.thumbprint(OWN),
        "of_pem": b64(keys.hashlib.sha256(own.encode()).digest()),
        "by_sha_1": b64(keys.hashlib.sha1(certificates.der(OWN)).digest()),
    }.items():
        tok = token({"cnf": {"x5t#S256": value}})
        cases.add(
            f"thumbprint_{name}_is_rejected",
            SPEC,
            tok,
            "client_certificate_mismatch",
            certificate=own,
        )
    for name, value in {
        "number": 5,
        "null": None,
        "empty": "",
        "array": [x5t],
        "object": {"S256": x5t},
    }.items():
        tok = token({"cnf": {"x5t#S256": value}})
        cases.add(
            f"thumbprint_that_is_{name}_is_rejected",
            SPEC,
            tok,
            "thumbprint_malformed",
            certificate=own,
        )
    for name in ("x5t", "x5t#s256", "X5T#S256", "x5t#S512"):
        tok = token({"cnf": {name: x5t}})
        title = name.replace("#", "_").replace("X", "upper_x").replace("S", "upper_s")
        cases.add(
            f"{title}_is_no_confirmation",
            SPEC,
            tok,
            "thumbprint_missing",
            certificate=own,
        )


def _beside_a_key(cases: Group) -> None:
    """A token that is bound to a key as well needs both."""
    spec = "RFC 7800 section 3.1"
    own, other = certificates.pem(OWN), certificates.pem(OTHER)
    both = bound(jkt=keys.thumbprint(CLIENT))
    cases.accept(
        "key_and_certificate_are_accepted",
        spec,
        both,
        proof=proof(both),
        certificate=own,
    )
    cases.add(
        "key_without_the_certificate_is_rejected",
        spec,
        both,
        "client_certificate_missing",
        proof=proof(both),
    )
    cases.add(
        "key_with_another_certificate_is_rejected",
        spec,
        both,
        "client_certificate_mismatch",
        proof=proof(both),
        certificate=other,
    )
    cases.add(
        "certificate_without_the_key_is_rejected",
        spec,
        both,
        "bound_token_as_bearer",
        certificate=own,
    )
    cases.add(
        "certificate_with_another_key_is_rejected",
        spec,
        both,
        "confirmation_mismatch",
        proof=proof(both, key="attacker-ec-p256"),
        certificate=own,
    )
    cases.accept("certificate_counts_where_dpop_is_off", spec, both, certificate=own, policy=OFF)
    cases.add(
        "certificate_is_needed_where_dpop_is_off",
        spec,
        both,
        "client_certificate_missing",
        policy=OFF,
    )
    alone = bound()
    cases.add(
        "proof_for_a_token_that_is_bound_to_a_certificate_alone_is_rejected",
        spec,
        alone,
        "thumbprint_missing",
        proof=proof(alone),
        certificate=own,
    )
    for method in ("jwk", "kid", "jku", "jwe", "osc"):
        tok = bound(**{method: "x"})
        cases.add(
            f"{method}_beside_the_certificate_is_rejected",
            spec,
            tok,
            "confirmation_not_supported",
            certificate=own,
        )


def _fields(cases: Group, name: str) -> None:
    """A proxy says which certificate the client has shown."""
    spec = "RFC 9440 section 4" if name == CERT else SPEC
    group = name.lower().replace("-", "_")
    write = {
        XFCC: certificates.element,
        SSL: certificates.escaped,
        CERT: certificates.byte_sequence,
    }[name]
    policy = {"mtls": name}
    tok = bound()

    def case(title: str, expect: str, *fields: list[str], tok: Token = tok, **more: Any) -> None:
        headers = [*bearer(tok), *fields]
        cases.add(
            f"{group}_{title}",
            spec,
            tok,
            expect,
            headers=headers,
            policy=policy,
            behind_proxy=True,
            **more,
        )

    case("is_accepted", "verified", [name, write(OWN)])
    case("in_upper_case_is_accepted", "verified", [name.upper(), write(OWN)])
    case(
        "of_another_certificate_is_rejected",
        "client_certificate_mismatch",
        [name, write(OTHER)],
    )
    case("that_is_missing_is_rejected", "client_certificate_missing")
    case("that_is_empty_is_rejected", "client_certificate_missing", [name, ""])
    case(
        "twice_is_rejected",
        "client_certificate_unreadable",
        [name, write(OWN)],
        [name, write(OWN)],
    )
    case(
        "of_a_client_before_the_proxys_is_rejected",
        "client_certificate_unreadable",
        [name, write(OWN)],
        [name, ""],
    )
    case(
        "with_another_spelling_is_rejected",
        "client_certificate_unreadable",
        [name, write(OTHER)],
        [name.replace("-", "_"), write(OWN)],
    )
    case(
        "in_another_spelling_alone_is_rejected",
        "client_certificate_unreadable",
        [name.replace("-", "_"), write(OWN)],
    )
    case(
        "as_a_list_is_rejected",
        "client_certificate_unreadable",
        [name, f"{write(OWN)},{write(OTHER)}"],
    )
    case(
        "cut_off_is_rejected",
        "client_certificate_unreadable",
        [name, write(OWN).replace("=", "", 1)[:-20]],
    )
    case(
        "too_long_is_rejected",
        "client_certificate_unreadable",
        [name, write(OWN) + "A" * 33_000],
    )
    case("does_not_matter_for_an_unbound_token", "verified", [name, "x"], tok=token())
    others = [
        [
            other,
            {
                XFCC: certificates.element,
                SSL: certificates.escaped,
                CERT: certificates.byte_sequence,
            }[other](OWN),
        ]
        for other in (XFCC, SSL, CERT)
        if other != name
    ]
    case("is_the_only_field_that_counts", "client_certificate_missing", *others)
    case(
        "is_the_only_place_that_counts",
        "client_certificate_missing",
        certificate=certificates.pem(OWN),
    )
    both = bound(jkt=keys.thumbprint(CLIENT))
    headers = [*dpop(both, proof(both)), [name, write(OWN)]]
    cases.accept(
        f"{group}_and_a_proof_are_accepted",
        spec,
        both,
        headers=headers,
        proof=proof(both),
        policy=policy,
        behind_proxy=True,
    )
