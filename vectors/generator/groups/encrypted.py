"""Encrypted tokens: a JWS inside of a JWE. RFC 7516, RFC 7519 section 5. Before step 2."""

from __future__ import annotations

from typing import Any

from .. import keys
from ..case import ABSENT, ACCEPTED, ISSUER, Group, Token, dpop, token, unsigned_token
from ..encryption import encrypted
from ..keys import b64
from ..proof import bound_token, proof

SPEC = "RFC 7516 section 5.2"
OWN, NEXT, STRANGE = "client-rsa", "rsa-b", "attacker-rsa"


def pem(name: str) -> str:
    return (keys.FOLDER / f"{name}.pem").read_text(encoding="utf-8")


def group() -> Group:
    cases = Group("encrypted", {**ACCEPTED, "decryption_keys": [[None, pem(OWN)]]})
    _accepted(cases)
    _algorithms(cases)
    _changed(cases)
    _chosen(cases)
    _inside(cases)
    return cases


def _accepted(cases: Group) -> None:
    tok = token()
    cases.accept("encrypted_token_is_accepted", SPEC, encrypted(tok))
    cases.accept("a128gcm_is_accepted", "RFC 7518 section 5.3", encrypted(tok, enc="A128GCM"))
    cases.accept("signed_token_is_accepted_beside_encrypted_ones", "RFC 7519 section 5.2", tok)
    cases.accept("header_without_typ_and_cty_is_accepted", SPEC, encrypted(tok, {"typ": ABSENT, "cty": ABSENT}))
    cases.accept(
        "other_members_of_the_header_are_ignored", SPEC, encrypted(tok, {"jku": "https://evil.example/", "x": 1})
    )
    cases.add(
        "without_a_key_it_is_rejected", SPEC, encrypted(tok), "encrypted_token", policy={"decryption_keys": ABSENT}
    )
    bound = bound_token()
    outer = encrypted(bound)
    cases.accept("proof_has_the_hash_of_the_encrypted_token", "RFC 9449 section 4.2", outer, proof=proof(outer))
    wrong = proof(bound)
    cases.add(
        "proof_with_the_hash_of_the_token_inside_is_rejected",
        "RFC 9449 section 4.3 step 11",
        outer,
        "proof_token_mismatch",
        proof=wrong,
        headers=dpop(outer, wrong),
    )
    step = cases.step(
        encrypted(tok),
        "verified",
        1_800_000_000,
        [f"{ISSUER}.well-known/openid-configuration", f"{ISSUER}.well-known/jwks.json"],
    )
    again = cases.step(encrypted(tok), "verified", 1_800_000_000, [])
    cases.accept("it_is_accepted_a_third_time", SPEC, encrypted(tok), before=[step, again], fetched=[])
    late = {
        "now": 1_800_000_000 + 3600,
        "fetched": [f"{ISSUER}.well-known/openid-configuration", f"{ISSUER}.well-known/jwks.json"],
    }
    cases.add("it_expires_though_it_was_accepted", SPEC, encrypted(tok), "token_expired", before=[step, again], **late)


def _algorithms(cases: Group) -> None:
    spec = "RFC 8725 section 3.2"
    tok = token()

    def refuse(name: str, header: dict[str, Any], spec: str = spec) -> None:
        cases.add(f"{name}_is_rejected", spec, encrypted(tok, header), "encryption_not_supported")

    for alg in (
        "dir",
        "RSA1_5",
        "RSA-OAEP",
        "RSA-OAEP-512",
        "A256KW",
        "A256GCMKW",
        "ECDH-ES",
        "none",
        "rsa-oaep-256",
        "",
    ):
        refuse(
            f"alg_{alg.lower().replace('-', '_') if alg != 'rsa-oaep-256' else 'in_lower_case'}"
            if alg
            else "alg_empty",
            {"alg": alg},
        )
    refuse("password", {"alg": "PBES2-HS512+A256KW", "p2s": "AAAA", "p2c": 2_000_000_000}, "RFC 8725 section 3.1")
    for enc in ("A192GCM", "A256CBC-HS512", "A128CBC-HS256", "XC20P", "none"):
        refuse(f"enc_{enc.lower().replace('-', '_')}", {"enc": enc})
    for member in ("alg", "enc"):
        refuse(f"header_without_{member}", {member: ABSENT})
        refuse(f"{member}_that_is_a_list", {member: ["RSA-OAEP-256", "A256GCM"]})
    refuse("compressed_token", {"zip": "DEF"}, "RFC 8725 section 3.6")
    refuse("zip_that_is_null", {"zip": None}, "RFC 8725 section 3.6")
    refuse("crit", {"crit": ["exp"], "exp": 1}, "RFC 7516 section 4.1.13")
    refuse("b64", {"b64": False}, "RFC 7797 section 6")
    shared = keys.public_bytes(OWN, "PEM").decode()
    refuse("public_key_as_a_shared_secret", {"alg": "A256KW", "k": shared}, "RFC 8725 section 2.1")
    for name, raw in {
        "twice_alg": '{"alg":"RSA-OAEP-256","enc":"A256GCM","alg":"dir"}',
        "no_object": '["RSA-OAEP-256"]',
        "no_json": "{",
    }.items():
        cases.add(
            f"header_{name}_is_rejected", "RFC 7516 section 4", encrypted(tok, raw_header=raw), "malformed_header"
        )


def _changed(cases: Group) -> None:
    """Whatever is wrong, the answer is the same."""
    tok = token()

    def refuse(name: str, jwe: Token, **more: Any) -> None:
        cases.add(f"{name}_is_rejected", SPEC, jwe, "decryption_failed", **more)

    refuse("token_for_another_key", encrypted(tok, key=STRANGE))
    refuse("oaep_with_sha_1", encrypted(tok, hash_name="sha1"))
    refuse("content_key_of_another_length", encrypted(tok, content_key_bytes=16))
    refuse("iv_of_another_length", encrypted(tok, iv_bytes=16))
    for place, name in enumerate(("header", "encrypted_key", "iv", "content", "tag")):

        def flipped(segments: list[str], place: int = place) -> list[str]:
            text = segments[place]
            middle = len(text) // 2
            other = "A" if text[middle] != "A" else "B"
            return [*segments[:place], text[:middle] + other + text[middle + 1 :], *segments[place + 1 :]]

        def emptied(segments: list[str], place: int = place) -> list[str]:
            return [*segments[:place], "", *segments[place + 1 :]]

        def padded(segments: list[str], place: int = place) -> list[str]:
            return [*segments[:place], segments[place] + "=", *segments[place + 1 :]]

        if place > 0:
            refuse(f"changed_{name}", encrypted(tok, change=flipped))
            refuse(f"{name}_that_is_empty", encrypted(tok, change=emptied))
            refuse(f"{name}_with_padding", encrypted(tok, change=padded))
    refuse("tag_that_is_cut_off", encrypted(tok, change=lambda it: [*it[:4], it[4][:16]]))
    other = encrypted(token({"sub": "auth0|mallory"})).segments()
    refuse("content_of_another_token", encrypted(tok, change=lambda it: [*it[:3], *other[3:]]))
    refuse("key_of_another_token", encrypted(tok, change=lambda it: [it[0], other[1], *it[2:]]))
    refuse(
        "another_header_over_it",
        encrypted(tok, change=lambda it: [b64(b'{"alg":"RSA-OAEP-256","enc":"A256GCM"}'), *it[1:]]),
    )


def _chosen(cases: Group) -> None:
    """Several keys, while one is exchanged for another."""
    spec = "RFC 7516 section 4.1.6"
    tok = token()
    two = {"policy": {"decryption_keys": [[None, pem(OWN)], [None, pem(NEXT)]]}}
    cases.accept("old_key_opens", spec, encrypted(tok), **two)
    cases.accept("new_key_opens", spec, encrypted(tok, key=NEXT), **two)
    cases.accept("new_key_opens_with_a_kid_that_nobody_has", spec, encrypted(tok, {"kid": "x"}, key=NEXT), **two)
    cases.add("neither_key_opens", spec, encrypted(tok, key=STRANGE), "decryption_failed", **two)
    named = {"policy": {"decryption_keys": [["old", pem(OWN)], ["new", pem(NEXT)]]}}
    cases.accept("kid_chooses_the_key", spec, encrypted(tok, {"kid": "new"}, key=NEXT), **named)
    cases.accept("without_a_kid_every_key_is_tried", spec, encrypted(tok, key=NEXT), **named)
    cases.add(
        "kid_of_another_key_is_rejected", spec, encrypted(tok, {"kid": "old"}, key=NEXT), "decryption_failed", **named
    )
    cases.add(
        "unknown_kid_among_named_keys_is_rejected",
        spec,
        encrypted(tok, {"kid": "x"}, key=NEXT),
        "decryption_failed",
        **named,
    )


def _inside(cases: Group) -> None:
    """Everybody has the public key: what is inside is checked as any other token."""
    spec = "RFC 7519 section 11.2"
    for name, inside in {
        "text": "hello",
        "claims": '{"iss":"a"}',
        "nothing": "",
        "encrypted_token": encrypted(token()).compact,
        "two_segments": "e30.e30",
    }.items():
        cases.add(f"{name}_inside_is_rejected", spec, encrypted(inside), "content_not_signed")
    cases.add(
        "other_cty_is_rejected", "RFC 7516 section 4.1.12", encrypted(token(), {"cty": "json"}), "content_not_signed"
    )
    cases.add(
        "cty_that_is_a_list_is_rejected",
        "RFC 7516 section 4.1.12",
        encrypted(token(), {"cty": ["JWT"]}),
        "content_not_signed",
    )
    cases.accept("cty_in_lower_case_is_accepted", "RFC 7519 section 5.2", encrypted(token(), {"cty": "jwt"}))
    for name, inner, code in [
        ("unsigned_token", unsigned_token(), "algorithm_not_allowed"),
        ("forged_token", token(key="attacker-rsa", header={"kid": "rsa-a"}), "signature_invalid"),
        ("expired_token", token({"exp": 1}), "token_expired"),
        ("token_of_another_audience", token({"aud": "other"}), "audience_mismatch"),
        ("token_of_another_issuer", token({"iss": "https://evil.example/"}), "other_issuer"),
        ("logout_token", token(header={"typ": "logout+jwt"}), "unexpected_token_type"),
        ("token_with_crit", token(header={"crit": ["x"]}), "critical_header"),
        ("bound_token", bound_token(), "bound_token_as_bearer"),
    ]:
        cases.add(f"{name}_inside_is_rejected", spec, encrypted(inner), code)
    spec = "RFC 7519 section 5.3"
    same = {"iss": ISSUER, "sub": "auth0|alice", "aud": "https://api.example.com"}
    cases.accept("replicated_claims_are_accepted", spec, encrypted(token(), same))
    for name, value in same.items():
        cases.add(
            f"other_{name}_in_the_header_is_rejected",
            spec,
            encrypted(token(), {name: value + "x"}),
            "replicated_claim_mismatch",
        )
    cases.add(
        "aud_as_a_list_in_the_header_is_rejected",
        spec,
        encrypted(token(), {"aud": [same["aud"]]}),
        "replicated_claim_mismatch",
    )
    cases.add(
        "claim_of_the_header_alone_is_rejected",
        spec,
        encrypted(token({"sub": ABSENT}), {"sub": "auth0|alice"}),
        "replicated_claim_mismatch",
    )
