"""The key set: one bad key never spoils the others, and is never used. Step 6."""

from __future__ import annotations

import json
from typing import Any

from ..case import (
    ABSENT,
    ALL_ALGORITHMS,
    DISCOVERY_URL,
    JWKS_URL,
    MISSING,
    Group,
    Token,
    documents,
    key_set,
    raw_document,
    token,
)
from ..keys import b64, b64_int, jwk, private_key, private_members

JWK = "RFC 7517 sections 4 and 5"
RSA = "RFC 7518 section 6.3"
EC = "RFC 7518 section 6.2"


def group() -> Group:
    cases = Group("key")
    _kid(cases)
    _junk(cases)
    _unfit(cases)
    _several(cases)
    _useless_sets(cases)
    return cases


def _kid(cases: Group) -> None:
    spec = "RFC 7515 section 4.1.4"
    both = [DISCOVERY_URL, JWKS_URL]
    without = token(header={"kid": ABSENT})
    cases.add("kid_missing_is_rejected", spec, without, "kid_missing", fetched=both)
    _without_kid(cases, without, both)
    for name, value in {
        "null": None,
        "empty": "",
        "number": 1,
        "array": ["rsa-a"],
        "object": {},
    }.items():
        cases.add(f"kid_{name}_is_rejected", spec, token(header={"kid": value}), "kid_missing")
    for name, value in {
        "unknown": "unknown",
        "in_other_case": "RSA-A",
        "padded": "rsa-a ",
        "prefix": "rsa-",
        "with_nul": "rsa-a\u0000",
        "that_is_a_path": "../../../../dev/null",
        "that_is_sql": "rsa-a' OR '1'='1",
        "that_is_a_url": "https://evil.example/keys.json",
        "with_line_break": "rsa-a\r\nSet-Cookie: a=b",
        "that_looks_the_same": "rs\u0430-a",
        "that_is_decomposed": "rsa-a\u0301",
        "of_8_kilobytes": "k" * 8000,
    }.items():
        cases.add(f"kid_{name}_is_rejected", spec, token(header={"kid": value}), "unknown_kid")
    odd = 'kid/with "quotes", spaces & \u00fcml\u00e4uts'
    cases.accept(
        "kid_of_any_characters_is_accepted",
        spec,
        token(header={"kid": odd}),
        docs=documents(key_set(jwk("rsa-a", kid=odd))),
    )
    cases.accept("second_key_is_accepted", spec, token(key="rsa-b"))


def _without_kid(cases: Group, without: Token, both: list[str]) -> None:
    """The token, or the key, has no `kid`: the one key that fits the algorithm, if there is just one."""
    spec = "RFC 7515 section 4.1.4, RFC 7517 section 4.5"
    nameless, other = jwk("rsa-a", kid=None), jwk("rsa-b")
    elliptic = jwk("ec-p256", kid=None)

    def accept(name: str, tok: Token, *published: Any) -> None:
        cases.accept(f"{name}_is_accepted", spec, tok, docs=documents(key_set(*published)), fetched=both)

    def refuse(name: str, tok: Token, code: str, *published: Any) -> None:
        docs = documents(key_set(*published))
        cases.add(f"{name}_is_rejected", spec, tok, code, docs=docs, fetched=both)

    accept("only_key_without_kid", token(), nameless)
    accept("only_key_without_kid_for_a_token_without_kid", without, nameless)
    accept("only_key_for_a_token_without_kid", without, jwk("rsa-a"))
    accept("only_fitting_key_without_kid", token(), elliptic, nameless, junk()["symmetric_key"])
    accept("only_key_with_a_null_kid", token(), {**nameless, "kid": None})
    accept("only_key_with_an_empty_kid", token(), {**nameless, "kid": ""})
    refuse("token_of_another_key_than_the_only_one", token(key="attacker-rsa"), "signature_invalid", nameless)
    refuse("kid_beside_the_only_key_with_another_kid", token(), "unknown_kid", other)
    refuse("kid_beside_two_fitting_keys_without_kid", token(), "unknown_kid", nameless, jwk("rsa-b", kid=None))
    refuse("kid_beside_a_fitting_key_with_another_kid", token(), "unknown_kid", nameless, other)
    refuse("token_without_kid_beside_two_fitting_keys", without, "kid_missing", nameless, other)


def _junk(cases: Group) -> None:
    """The good key is found beside each of these."""
    good = jwk("rsa-a")
    for name, member in junk().items():
        cases.accept(f"good_key_is_found_beside_{name}", JWK, token(), docs=documents(key_set(member, good)))
    cases.accept(
        "good_key_is_found_among_all_junk",
        JWK,
        token(),
        docs=documents(key_set(*junk().values(), good, *junk().values())),
    )
    doubled = '{"keys":[{"kty":"RSA","kid":"x","kid":"rsa-a","n":"AQ","e":"AQAB"},' + _text(good) + "]}"
    cases.accept(
        "good_key_is_found_beside_key_with_duplicate_members", JWK, token(), docs=documents(raw_document(doubled))
    )
    members = {"x": 1, "keys_url": "https://evil.example/"}
    cases.accept(
        "unknown_members_of_the_set_are_ignored", JWK, token(), docs=documents({"json": {**members, "keys": [good]}})
    )
    rotated = {"keys": [jwk("rsa-b"), jwk("rsa-a", kid="other"), good]}
    cases.accept("key_is_chosen_by_kid", JWK, token(), docs=documents({"json": rotated}))
    minimal = {"kty": "RSA", "kid": "rsa-a", "n": good["n"], "e": good["e"]}
    cases.accept("minimal_key_is_accepted", JWK, token(), docs=documents(key_set(minimal)))
    cases.accept(
        "key_with_key_ops_verify_is_accepted", JWK, token(), docs=documents(key_set({**minimal, "key_ops": ["verify"]}))
    )
    cases.accept("large_rsa_key_is_accepted", RSA, token(key="rsa-4096"), docs=documents(key_set(jwk("rsa-4096"))))


def junk() -> dict[str, Any]:
    n = jwk("rsa-a")["n"]
    return {
        "unknown_kty": {"kty": "AKP", "alg": "ML-DSA-65", "kid": "post-quantum", "pub": "AAAA"},
        "missing_kty": {"kid": "x", "n": n, "e": "AQAB"},
        "missing_n": {"kty": "RSA", "kid": "x", "e": "AQAB"},
        "missing_e": {"kty": "RSA", "kid": "x", "n": n},
        "mistyped_n": {"kty": "RSA", "kid": "x", "n": 5, "e": "AQAB"},
        "n_that_is_not_base64url": {"kty": "RSA", "kid": "x", "n": "!!!!", "e": "AQAB"},
        "mistyped_kty": {"kty": 5, "kid": "x", "n": n, "e": "AQAB"},
        "mistyped_kid": {"kty": "RSA", "kid": 5, "n": n, "e": "AQAB"},
        "mistyped_use": jwk("rsa-b", kid="x", use=["sig"]),
        "mistyped_key_ops": jwk("rsa-b", kid="x", key_ops="verify"),
        "key_without_kid": jwk("rsa-b", kid=None),
        "symmetric_key": {"kty": "oct", "kid": "x", "k": b64(b"secret"), "alg": "HS256"},
        "unknown_curve": {"kty": "EC", "crv": "P-999", "kid": "x", "x": "AA", "y": "AA"},
        "small_rsa_key": jwk("rsa-1024", kid="x"),
        "null": None,
        "number": 5,
        "string": "key",
        "array": [],
        "empty_object": {},
    }


def _unfit(cases: Group) -> None:
    """The token's own key is published, but can't be used; another key of the set is fine."""
    n = private_key("rsa-a").public_key().public_numbers().n
    modulus = n.to_bytes(256, "big")
    beside = jwk("rsa-b")

    def rsa(name: str, spec: str, **members: Any) -> None:
        docs = documents(key_set(jwk("rsa-a", **members), beside))
        cases.add(f"{name}_is_not_used", spec, token(), "unusable_key", docs=docs)

    rsa("key_for_encryption", JWK, use="enc")
    rsa("key_of_unknown_use", JWK, use="other")
    rsa("key_without_verify_among_key_ops", JWK, use=None, key_ops=["encrypt", "wrapKey"])
    rsa("key_with_key_ops_sign", JWK, use=None, key_ops=["sign"])
    rsa("key_with_empty_key_ops", JWK, use=None, key_ops=[])
    rsa("key_of_other_alg", JWK, alg="RS512")
    rsa("key_of_pss_alg", JWK, alg="PS256")
    rsa("key_of_encryption_alg", JWK, alg="RSA-OAEP")
    rsa("key_of_symmetric_alg", JWK, alg="HS256")
    rsa("key_of_mistyped_alg", JWK, alg=5)
    rsa("key_of_other_type", JWK, kty="EC")
    rsa("key_of_symmetric_type", JWK, kty="oct", k=b64(b"secret"))
    rsa("key_of_unknown_type", JWK, kty="AKP")
    rsa("published_private_key", "RFC 7517 section 9.2", **private_members("rsa-a"))
    rsa("published_private_exponent", "RFC 7517 section 9.2", d=private_members("rsa-a")["d"])
    rsa("key_without_modulus", RSA, n=None)
    rsa("key_without_exponent", RSA, e=None)
    for name, members in {
        "padded_modulus": {"n": b64(modulus) + "=="},
        "padded_exponent": {"e": "AQAB="},
        "standard_base64_modulus": {"n": b64(modulus).replace("-", "+").replace("_", "/")},
        "zero_byte_before_modulus": {"n": b64(b"\0" + modulus)},
        "zero_bytes_before_modulus": {"n": b64(b"\0\0\0" + modulus)},
        "zero_byte_before_exponent": {"e": b64(b"\0\x01\0\x01")},
        "empty_use": {"use": ""},
        "empty_alg": {"alg": ""},
    }.items():
        docs = documents(key_set(jwk("rsa-a", **members), beside))
        cases.accept(f"key_with_{name}_is_used", RSA, token(), docs=docs)
    rsa("key_with_line_break_in_modulus", RSA, n=b64(modulus)[:100] + "\n" + b64(modulus)[100:])
    rsa("key_with_padding_inside_modulus", RSA, n=b64(modulus)[:100] + "=" + b64(modulus)[100:])
    rsa("key_with_even_modulus", RSA, n=b64_int(n - 1))
    rsa("key_with_modulus_one", RSA, n=b64_int(1))
    rsa("key_with_empty_modulus", RSA, n="")
    rsa("key_with_empty_exponent", RSA, e="")
    for exponent in [0, 1, 2, 65536]:
        rsa(f"key_with_exponent_{exponent}", RSA, e=b64_int(exponent))
    rsa("key_with_exponent_of_its_modulus", RSA, e=b64_int(n))
    rsa("key_with_huge_exponent", RSA, e=b64_int(2**256 + 1))
    rsa("key_with_huge_modulus", RSA, n=b64_int(2**20_000 + 1))
    cases.add(
        "small_rsa_key_is_not_used",
        "RFC 7518 section 3.3",
        token(key="rsa-1024"),
        "unusable_key",
        docs=documents(key_set(jwk("rsa-1024"), beside)),
    )
    doubled = f'{{"keys":[{{"kty":"RSA","kid":"rsa-a","n":"{b64(modulus)}","n":"AQ","e":"AQAB"}},{_text(beside)}]}}'
    cases.add(
        "key_with_duplicate_members_is_not_used", JWK, token(), "unusable_key", docs=documents(raw_document(doubled))
    )
    _unfit_curves(cases, beside)


def _unfit_curves(cases: Group, beside: dict[str, Any]) -> None:
    policy = {"algorithms": ALL_ALGORITHMS}
    good = jwk("ec-p256")
    size = 32
    point = private_key("ec-p256").public_key().public_numbers()
    prime = 2**256 - 2**224 + 2**192 + 2**96 - 1

    def curve(name: str, spec: str, member: dict[str, Any], alg: str = "ES256", key: str = "ec-p256") -> None:
        cases.add(
            f"{name}_is_not_used",
            spec,
            token(alg=alg, key=key),
            "unusable_key",
            policy=policy,
            docs=documents(key_set(member, beside)),
        )

    curve("point_off_the_curve", EC, {**good, "y": b64_int(point.y ^ 1, size)})
    curve("point_of_zeros", EC, {**good, "x": b64_int(0, size), "y": b64_int(0, size)})
    curve("coordinate_beyond_the_prime", EC, {**good, "x": b64_int(prime + 5, size)})
    curve("long_coordinate", EC, {**good, "x": b64_int(point.x, size + 1)})
    curve("short_coordinate", EC, {**good, "x": good["x"][:-2]})
    curve("ec_key_without_y", EC, {name: value for name, value in good.items() if name != "y"})
    curve("ec_key_of_wrong_curve_name", EC, {**good, "crv": "P-384"})
    curve("ec_key_of_mistyped_curve", EC, {**good, "crv": 256})
    curve(
        "published_private_ec_key",
        "RFC 7517 section 9.2",
        {**good, "d": b64_int(private_key("ec-p256").private_numbers().private_value, size)},
    )
    ed = jwk("ed25519")
    curve("short_ed25519_key", "RFC 8037 section 2", {**ed, "x": ed["x"][:-2]}, "EdDSA", "ed25519")
    curve("ed25519_key_named_x25519", "RFC 8037 section 2", {**ed, "crv": "X25519"}, "EdDSA", "ed25519")


def _several(cases: Group) -> None:
    spec = "RFC 7517 section 4.5"
    wrong = jwk("rsa-b", kid="rsa-a")
    right = jwk("rsa-a")
    cases.accept("second_of_two_keys_with_one_kid_is_tried", spec, token(), docs=documents(key_set(wrong, right)))
    cases.accept("first_of_two_keys_with_one_kid_is_tried", spec, token(), docs=documents(key_set(right, wrong)))
    cases.accept(
        "same_kid_of_another_type_is_passed_over",
        spec,
        token(),
        docs=documents(key_set(jwk("ec-p256", kid="rsa-a"), right)),
    )
    cases.accept(
        "unusable_key_of_the_same_kid_is_passed_over",
        spec,
        token(),
        docs=documents(key_set(jwk("rsa-1024", kid="rsa-a"), jwk("rsa-a", use="enc"), right)),
    )
    cases.add(
        "two_keys_with_one_kid_and_neither_right_is_rejected",
        spec,
        token(key="attacker-rsa", header={"kid": "rsa-a"}),
        "signature_invalid",
        docs=documents(key_set(wrong, right)),
    )


def _useless_sets(cases: Group) -> None:
    """Nothing to keep: 503, not 401, for the token may be perfectly good."""
    good = _text(jwk("rsa-a"))
    for name, text in {
        "html": "<html><body>Bad gateway</body></html>",
        "empty": "",
        "no_keys_member": "{}",
        "no_keys": '{"keys":[]}',
        "keys_that_are_an_object": '{"keys":{}}',
        "keys_that_are_null": '{"keys":null}',
        "error_answer": '{"error":"rate limit"}',
        "bare_array": f"[{good}]",
        "truncated": f'{{"keys":[{good}',
        "trailing_text": f'{{"keys":[{good}]}}x',
        "duplicate_keys_member": f'{{"keys":[],"keys":[{good}]}}',
        "small_key_alone": _text({"keys": [jwk("rsa-1024", kid="rsa-a")]}),
        "symmetric_key_alone": _text({"keys": [junk()["symmetric_key"]]}),
        "private_key_alone": _text({"keys": [jwk("rsa-a", **private_members("rsa-a"))]}),
        "unknown_key_type_alone": _text({"keys": [junk()["unknown_kty"]]}),
        "two_byte_order_marks": f'\ufeff\ufeff{{"keys":[{good}]}}',
    }.items():
        cases.add(
            f"set_of_{name}_is_not_used",
            "RFC 7517 section 5",
            token(),
            "unavailable",
            docs=documents(raw_document(text)),
            fetched=[DISCOVERY_URL, JWKS_URL],
        )
    cases.add(
        "set_behind_a_byte_order_mark_is_used",
        "RFC 8259 section 8.1",
        token(),
        "verified",
        docs=documents(raw_document(f'\ufeff{{"keys":[{good}]}}')),
        fetched=[DISCOVERY_URL, JWKS_URL],
    )
    cases.add(
        "set_that_cannot_be_fetched_is_unavailable",
        "RFC 7517 section 5",
        token(),
        "unavailable",
        docs=documents(MISSING),
        fetched=[DISCOVERY_URL, JWKS_URL],
    )


def _text(value: Any) -> str:
    return json.dumps(value)
