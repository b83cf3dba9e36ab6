"""The proof as a JWS: shape, header, key, signature. Step 10; RFC 9449 section 4.3, steps 2 to 7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .. import keys
from ..case import ABSENT, ACCEPTED, Group, Proof, compact_json, hmac_token
from ..keys import b64, b64_int
from ..proof import CLIENT, THIEF, bound_token, header_with, payload, proof, text_proof, unsigned

P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EVERY = {"dpop_algorithms": ["ES256", "ES384", "RS256", "PS256", "EdDSA"]}


def group() -> Group:
    cases = Group("dpop_proof", ACCEPTED)
    _shape(cases)
    _header(cases)
    _algorithm(cases)
    _key(cases)
    _signature(cases)
    return cases


def _shape(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 2, RFC 7515 section 7.1"
    tok = bound_token()
    good = proof(tok)
    header, claims, signature = good.segments()

    def refuse(name: str, code: str, text: str, note: str) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=text_proof(text, note))

    no_jws = "proof_not_a_jws"
    refuse("text_without_dots", no_jws, "proof", "one segment")
    refuse("two_segments", no_jws, f"{header}.{claims}", "the signature is missing, and its dot")
    refuse("four_segments", no_jws, f"{good.compact}.{signature}", "one segment too many")
    refuse("encrypted_proof", no_jws, "e30.e30.e30.e30.e30", "five segments: a JWE")
    refuse("dots_alone", no_jws, "..", "three empty segments")
    refuse("many_dots", no_jws, "." * 8000, "8000 dots")
    refuse("json_serialisation", no_jws, '{"payload":"e30"}', "a JWS in JSON")
    refuse("quoted_proof", "malformed_proof_header", f'"{good.compact}"', "in quotes")
    refuse("scheme_before_the_proof", "malformed_proof_header", f"DPoP {good.compact}", "with a scheme before it")
    refuse("latin_1_text", no_jws, "\u00e9\u00e8.\u00ff.\u00a9", "bytes that are no UTF-8")
    refuse("utf_8_text", "malformed_proof_header", "\u00c3\u00a9.\u00c3\u00a8.a", "three segments outside ASCII")
    refuse("trailing_line_feed", "malformed_proof_signature", f"{good.compact}\n", "a line feed behind it")
    refuse("access_token_as_proof", "proof_type", tok.compact, "the access token itself")

    cases.add("proof_beyond_the_limit_is_rejected", spec, tok, "proof_too_large", proof=_of_size(tok, 16385))
    cases.accept("proof_at_the_limit_is_accepted", spec, tok, proof=_of_size(tok, 16384))
    for name, compact in {
        "header": f"{header}=.{claims}.{signature}",
        "payload": f"{header}.{claims}=.{signature}",
        "signature": f"{header}.{claims}.{signature}==",
    }.items():
        code = {"header": "malformed_proof_header", "payload": "proof_signature_invalid"}.get(
            name, "malformed_proof_signature"
        )
        cases.add(
            f"padded_{name}_is_rejected",
            "RFC 7515 section 2",
            tok,
            code,
            proof=good.respelled(compact, f"padding behind the {name}"),
        )

    def payload_refused(name: str, raw: str) -> None:
        bad = proof(tok, raw_payload=raw)
        cases.add(f"payload_{name}_is_rejected", spec, tok, "malformed_proof_payload", proof=bad)

    usual = compact_json(payload(tok)).decode()
    payload_refused("that_is_an_array", f"[{usual}]")
    payload_refused("that_is_a_string", '"proof"')
    payload_refused("that_is_not_json", usual[:-1])
    payload_refused("that_is_empty", "")
    payload_refused("with_jti_twice", usual[:-1] + ',"jti":"proof-2"}')
    payload_refused("with_jti_twice_one_escaped", usual[:-1] + ',"\\u006ati":"proof-2"}')
    payload_refused("with_text_behind_it", usual + "{}")
    payload_refused("with_nan", usual.replace("1800000000", "NaN"))
    payload_refused("nested_too_deep", usual[:-1] + ',"a":' + "[" * 40 + "]" * 40 + "}")
    padded = proof(tok, payload_segment=b64(usual.encode() + b" " * ((2 - len(usual)) % 3)) + "=")
    cases.add(
        "payload_signed_with_its_padding_is_rejected",
        "RFC 7515 section 2",
        tok,
        "malformed_proof_payload",
        proof=padded,
    )
    spaced = proof(tok, raw_payload=usual.replace(",", " ,\r\n\t").replace(":", " : ", 1))
    cases.accept("odd_white_space_in_payload_is_accepted", "RFC 8259 section 2", tok, proof=spaced)
    more = proof(tok, {"sub": 5, "iss": None, "aud": ["x"], "x": {"y": [1]}})
    cases.accept("other_claims_are_ignored", "RFC 9449 section 4.2", tok, proof=more)


def _of_size(tok: Any, size: int) -> Proof:
    """A good proof of so many bytes: base64url reaches them with a longer `jti` and a member in the header."""
    for pad in range(4):
        header = {"pad": "p" * pad}
        short = proof(tok, {"jti": ""}, header)
        for length in range((size - len(short.compact)) * 3 // 4 - 4, size * 3 // 4):
            first, second, third = short.segments()
            if len(first) + len(third) + 2 + (len(payload_text(tok, length)) * 4 + 2) // 3 == size:
                return proof(tok, {"jti": "j" * length}, header, brief=True)
            if length * 4 // 3 > size - len(short.compact) + 8:
                break
    raise AssertionError(size)


def payload_text(tok: Any, length: int) -> bytes:
    return compact_json(payload(tok, {"jti": "j" * length}))


def _header(cases: Group) -> None:
    tok = bound_token()
    spec = "RFC 7515 section 4"
    usual = compact_json({"typ": "dpop+jwt", "alg": "ES256", "jwk": keys.bare_jwk(CLIENT)}).decode()
    malformed = "malformed_proof_header"

    def refuse(name: str, code: str, bad: Proof, spec: str = spec) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=bad)

    refuse("header_that_is_not_json", malformed, proof(tok, raw_header=usual[:-1]))
    refuse("header_that_is_an_array", malformed, proof(tok, raw_header=f"[{usual}]"))
    refuse("header_that_is_null", malformed, proof(tok, raw_header="null"))
    refuse("header_with_alg_twice", malformed, proof(tok, raw_header=usual[:-1] + ',"alg":"none"}'))
    refuse("header_with_jwk_twice", malformed, proof(tok, raw_header=usual[:-1] + ',"jwk":{"kty":"oct"}}'))
    inner = usual.replace('"kty"', '"x":"AAAA","kty"')
    refuse("key_with_x_twice", malformed, proof(tok, raw_header=inner))
    refuse("header_nested_too_deep", malformed, proof(tok, raw_header=usual[:-1] + ',"a":' + "[" * 40 + "]" * 40 + "}"))

    extension = "RFC 7515 section 4.1.11"
    for name, member in {
        "crit": {"crit": ["exp"], "exp": 1},
        "empty_crit": {"crit": []},
        "crit_that_is_null": {"crit": None},
        "crit_that_names_nonce": {"crit": ["nonce"]},
        "b64_false_with_crit": {"b64": False, "crit": ["b64"]},
        "b64_false": {"b64": False},
        "b64_true": {"b64": True},
    }.items():
        refuse(name, "proof_critical_header", proof(tok, header=member), extension)

    step4 = "RFC 9449 section 4.3 step 4"
    for name, typ in {
        "missing_typ": ABSENT,
        "typ_jwt": "JWT",
        "typ_at_jwt": "at+jwt",
        "typ_in_mixed_case": "DPoP+JWT",
        "typ_in_upper_case": "DPOP+JWT",
        "typ_with_application": "application/dpop+jwt",
        "typ_with_a_space": "dpop+jwt ",
        "typ_with_a_parameter": "dpop+jwt; charset=utf-8",
        "empty_typ": "",
        "typ_that_is_null": None,
        "typ_that_is_an_array": ["dpop+jwt"],
    }.items():
        refuse(name, "proof_type", proof(tok, header={"typ": typ}), step4)

    ignored = {
        "kid": "rsa-a",
        "jku": "https://evil.example/keys.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["AAAA"],
        "x5t": 5,
        "cty": "json",
        "x-policy": {"a": [1]},
    }
    cases.accept(
        "other_members_of_the_header_are_ignored",
        "RFC 9449 section 4.2",
        tok,
        proof=proof(tok, header=ignored),
    )


def _algorithm(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 5"
    tok = bound_token()
    code = "proof_algorithm"

    def refuse(name: str, bad: Proof, policy: dict[str, Any] | None = None, code: str = code) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=bad, policy=policy)

    for name, alg in {
        "missing_alg": ABSENT,
        "alg_in_lower_case": "es256",
        "alg_that_is_null": None,
        "alg_that_is_an_array": ["ES256"],
        "unknown_alg": "ES256X",
        "alg_none_with_a_signature": "none",
        "alg_hs256_with_an_ec_signature": "HS256",
        "alg_es256k": "ES256K",
        "alg_es512": "ES512",
    }.items():
        refuse(name, proof(tok, header={"alg": alg}))
    for name, alg in {"lower": "none", "mixed": "None", "upper": "NONE"}.items():
        refuse(f"unsigned_proof_with_none_in_{name}_case", unsigned(tok, {"alg": alg}, "", "no signature"), EVERY)
    secret = compact_json(keys.bare_jwk(CLIENT))
    forged = hmac_token("HS256", secret, {"typ": "dpop+jwt", "kid": ABSENT, "jwk": keys.bare_jwk(CLIENT)})
    refuse("hmac_with_the_public_key_as_secret", Proof(forged.compact, forged.about), EVERY)
    for alg, key in {
        "ES384": "client-ec-p384",
        "RS256": "client-rsa",
        "PS256": "client-rsa",
        "EdDSA": "client-ed25519",
    }.items():
        refuse(f"{alg.lower()}_that_is_not_allowed", proof(tok, alg=alg, key=key))
    refuse("es256_that_is_not_allowed", proof(tok), {"dpop_algorithms": ["ES384", "EdDSA"]})
    wrong = "proof_signature_invalid"
    refuse(
        "ps256_signature_as_rs256", proof(tok, alg="RS256", key="client-rsa", sign_as="PS256", valid=True), EVERY, wrong
    )
    refuse(
        "rs256_signature_as_ps256", proof(tok, alg="PS256", key="client-rsa", sign_as="RS256", valid=True), EVERY, wrong
    )
    unusable = "proof_key_unusable"
    refuse("ec_key_with_rs256", proof(tok, header={"alg": "RS256"}), EVERY, unusable)
    refuse("p256_key_with_es384", proof(tok, header={"alg": "ES384"}), EVERY, unusable)
    refuse("ed448_key_with_eddsa", proof(tok, alg="EdDSA", key="ed448"), EVERY, unusable)
    refuse("rsa_key_of_1024_bits", proof(tok, alg="RS256", key="rsa-1024"), EVERY, unusable)
    refuse("rsa_key_with_es256", proof(tok, alg="ES256", key="client-rsa", sign_as="RS256"), EVERY, "proof_key_type")
    private = keys.private_members("client-rsa")
    with_private = {**keys.bare_jwk("client-rsa"), **private}
    refuse(
        "private_rsa_key",
        proof(tok, header={"jwk": with_private}, alg="RS256", key="client-rsa"),
        EVERY,
        "proof_key_private",
    )


def _key(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 steps 6 and 7"
    tok = bound_token()
    good = keys.bare_jwk(CLIENT)
    numbers = keys.private_key(CLIENT).public_key().public_numbers()

    def refuse(code: str, name: str, jwk: Any, spec: str = spec) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=proof(tok, header={"jwk": jwk}))

    for name, value in {
        "missing_key": ABSENT,
        "key_that_is_null": None,
        "empty_key": {},
        "key_that_is_a_string": compact_json(good).decode(),
        "key_in_an_array": [good],
        "key_that_is_a_number": 1,
    }.items():
        refuse("proof_key_missing", name, value)
    private = keys.private_members(CLIENT)
    refuse("proof_key_private", "private_key", {**good, **private})
    refuse("proof_key_private", "private_member_that_is_null", {**good, "d": None})
    refuse("proof_key_private", "private_member_of_another_kind", {**good, "k": "AAAA"})
    rsa, ed = keys.bare_jwk("client-rsa"), keys.bare_jwk("client-ed25519")
    for name, value in {
        "rsa_key": rsa,
        "ed25519_key": ed,
        "symmetric_key": {"kty": "oct", "k": "AAAA"},
        "key_without_kty": {**good, "kty": ABSENT},
        "key_with_unknown_kty": {**good, "kty": "AKP"},
        "key_with_kty_in_lower_case": {**good, "kty": "ec"},
        "key_with_kty_that_is_a_number": {**good, "kty": 2},
    }.items():
        refuse("proof_key_type", name, {k: v for k, v in value.items() if v is not ABSENT})
    for name, value in {
        "p384_key": keys.bare_jwk("client-ec-p384"),
        "p521_key": keys.bare_jwk("ec-p521"),
        "secp256k1_key": keys.bare_jwk("ec-secp256k1"),
        "key_without_crv": {**good, "crv": ABSENT},
        "key_with_crv_in_lower_case": {**good, "crv": "p-256"},
        "key_with_crv_that_is_null": {**good, "crv": None},
        "key_with_another_crv": {**good, "crv": "secp256r1"},
    }.items():
        refuse("proof_key_curve", name, {k: v for k, v in value.items() if v is not ABSENT})
    x, y = good["x"], good["y"]
    points = "RFC 7518 section 6.2.1"
    for name, value in {
        "key_without_x": {**good, "x": ABSENT},
        "key_without_y": {**good, "y": ABSENT},
        "key_with_x_that_is_a_number": {**good, "x": 5},
        "key_with_y_that_is_null": {**good, "y": None},
        "key_with_empty_x": {**good, "x": ""},
        "key_with_padded_x": {**good, "x": f"{x}="},
        "key_with_a_leading_zero": {**good, "x": b64_int(numbers.x, 33)},
        "key_with_a_short_x": {**good, "x": b64(numbers.x.to_bytes(32, "big")[:31])},
        "key_with_spare_bits_in_x": {**good, "x": x[:-1] + chr(ord(x[-1]) + 1)},
        "key_with_a_space_in_x": {**good, "x": f"{x} "},
        "key_off_the_curve": {**good, "y": b64_int(numbers.y ^ 1, 32)},
        "key_with_x_and_y_swapped": {**good, "x": y, "y": x},
        "key_at_zero": {**good, "x": b64(bytes(32)), "y": b64(bytes(32))},
        "key_with_a_coordinate_beyond_the_field": {**good, "x": b64_int(P256_PRIME, 32)},
        "key_with_compressed_point": {**good, "x": b64(b"\x02" + numbers.x.to_bytes(32, "big")), "y": ""},
    }.items():
        refuse("proof_key_unusable", name, {k: v for k, v in value.items() if v is not ABSENT}, points)
    uses = "RFC 7517 sections 4.2 to 4.4"
    for name, member in {
        "key_for_encryption": {"use": "enc"},
        "key_with_use_that_is_null": {"use": None},
        "key_for_signing_alone": {"key_ops": ["sign"]},
        "key_with_key_ops_that_are_a_string": {"key_ops": "verify"},
        "key_for_another_algorithm": {"alg": "ES384"},
        "key_for_an_hmac": {"alg": "HS256"},
    }.items():
        refuse("proof_key_unusable", name, {**good, **member}, uses)
    for name, member in {
        "key_for_verifying": {"key_ops": ["verify"], "use": "sig", "alg": "ES256"},
        "key_with_kid_and_certificate": {"kid": "rsa-a", "x5c": ["AAAA"], "x5t": "x", "x5u": "https://evil.example/"},
        "key_with_unknown_members": {"ext": True, "n": "AQAB", "e": 3, "iat": None},
    }.items():
        jwk = {**good, **member}
        cases.accept(f"{name}_is_accepted", uses, tok, proof=proof(tok, header={"jwk": jwk}))
    escaped = header_with(
        "jwk", compact_json(good).decode().replace('"kty"', '"\\u006bty"').replace('"EC"', '"\\u0045C"')
    )
    cases.accept("key_with_escapes_is_accepted", "RFC 8259 section 7", tok, proof=proof(tok, raw_header=escaped))


def _signature(cases: Group) -> None:
    spec = "RFC 9449 section 4.3 step 6"
    tok = bound_token()
    invalid, malformed = "proof_signature_invalid", "malformed_proof_signature"

    def refuse(name: str, code: str, bad: Proof, spec: str = spec) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, code, proof=bad)

    def tampered(name: str, tamper: Callable[[bytes], bytes]) -> None:
        refuse(name, invalid, proof(tok, tamper=tamper), "RFC 7518 section 3.4")

    refuse("proof_signed_by_another_key", invalid, proof(tok, signed_by=THIEF, valid=True))
    tampered("flipped_bit_in_the_signature", lambda s: s[:10] + bytes([s[10] ^ 1]) + s[11:])
    tampered("empty_signature", lambda s: b"")
    tampered("signature_of_zeros", lambda s: bytes(64))
    tampered("signature_with_zero_r", lambda s: bytes(32) + s[32:])
    tampered("signature_with_zero_s", lambda s: s[:32] + bytes(32))
    order = P256_ORDER.to_bytes(32, "big")
    tampered("signature_of_the_order", lambda s: order + order)
    tampered("signature_with_r_of_the_order", lambda s: order + s[32:])
    tampered("signature_without_last_byte", lambda s: s[:-1])
    tampered("signature_with_a_byte_more", lambda s: s + b"\x00")
    tampered("signature_with_a_leading_zero", lambda s: b"\x00" + s)
    tampered("signature_with_r_and_s_swapped", lambda s: s[32:] + s[:32])
    tampered("signature_of_4096_bytes", lambda s: s * 64)
    message = ".".join(proof(tok).segments()[:2]).encode()
    der = keys.ecdsa_der(CLIENT, message)
    assert decode_dss_signature(der)
    tampered("der_signature", lambda s: der)
    good = proof(tok)
    header, claims, signature = good.segments()
    other = proof(tok, {"jti": "proof-2"}).segments()
    refuse("payload_of_another_proof", invalid, good.respelled(f"{header}.{other[1]}.{signature}", "another's payload"))
    refuse(
        "signature_of_another_proof", invalid, good.respelled(f"{header}.{claims}.{other[2]}", "another's signature")
    )
    refuse(
        "header_of_another_proof",
        invalid,
        good.respelled(
            f"{proof(tok, key=THIEF).segments()[0]}.{claims}.{signature}", "the thief's key, the client's signature"
        ),
    )
    for name, text in {
        "signature_in_standard_base64": signature.replace("-", "+").replace("_", "/"),
        "signature_with_a_space": f"{signature[:9]} {signature[9:]}",
        "signature_with_spare_bits": signature[:-1] + chr(ord(signature[-1]) + 1),
    }.items():
        if text == signature:
            raise AssertionError(name)
        refuse(
            name, malformed, good.respelled(f"{header}.{claims}.{text}", name.replace("_", " ")), "RFC 7515 section 2"
        )
