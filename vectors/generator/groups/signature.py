"""The signature itself. Step 7. The broad sweep over forged signatures is in the Wycheproof suite."""

from __future__ import annotations

from collections.abc import Callable

from ..case import ALL_ALGORITHMS, CLAIMS, Group, Token, compact_json, documents, merged, token
from ..keys import b64, ecdsa_der, sign

Add = Callable[[str, str, Token], None]
Change = Callable[[bytes], bytes]

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ALL_KEYS = documents({"file": "key-set-all-algorithms"})
EVERY = {"algorithms": ALL_ALGORITHMS}


def group() -> Group:
    cases = Group("signature")

    def bad(name: str, spec: str, tok: Token) -> None:
        cases.add(f"{name}_is_rejected", spec, tok, "signature_invalid", policy=EVERY, docs=ALL_KEYS)

    _rsa(bad)
    _ecdsa(bad)
    _ed25519(bad)
    _message(cases)
    return cases


def _rsa(bad: Add) -> None:
    spec = "RFC 8017 section 8.2.2"
    bad("key_of_another", "RFC 7515 section 5.2", token(key="attacker-rsa", header={"kid": "rsa-a"}, valid=True))
    for index, place in {0: "first", 128: "middle", -1: "last"}.items():
        bad(f"rsa_with_{place}_byte_changed", spec, token(tamper=_flip(index)))
    bad("rsa_without_last_byte", spec, token(tamper=lambda signature: signature[:-1]))
    bad("rsa_with_byte_added", spec, token(tamper=lambda signature: signature + b"\0"))
    bad("rsa_with_zero_byte_before", spec, token(tamper=lambda signature: b"\0" + signature))
    bad("rsa_of_zeros", spec, token(tamper=lambda signature: bytes(len(signature))))
    bad("rsa_of_ones", spec, token(tamper=lambda signature: b"\xff" * len(signature)))
    bad("rsa_of_one", spec, token(tamper=lambda signature: b"\x01".rjust(len(signature), b"\0")))
    bad("one_byte", spec, token(tamper=lambda signature: signature[:1]))
    bad("pss_with_byte_changed", "RFC 8017 section 8.1.2", token(alg="PS256", tamper=_flip(10)))


def _ecdsa(bad: Add) -> None:
    spec = "RFC 7518 section 3.4"

    def changed(name: str, change: Change, alg: str = "ES256", key: str = "ec-p256") -> None:
        bad(name, spec, token(alg=alg, key=key, tamper=change))

    half = 32
    changed("ecdsa_with_byte_changed", _flip(5))
    changed("ecdsa_of_zeros", lambda signature: bytes(64))
    changed("ecdsa_with_r_zero", lambda signature: bytes(half) + signature[half:])
    changed("ecdsa_with_s_zero", lambda signature: signature[:half] + bytes(half))
    order = P256_ORDER.to_bytes(half, "big")
    changed("ecdsa_with_r_of_the_order", lambda signature: order + signature[half:])
    changed("ecdsa_with_s_of_the_order", lambda signature: signature[:half] + order)
    changed("ecdsa_with_r_and_s_swapped", lambda signature: signature[half:] + signature[:half])
    changed("ecdsa_too_short", lambda signature: signature[:-1])
    changed("ecdsa_too_long", lambda signature: signature + b"\0")
    changed("ecdsa_with_zeros_between", lambda signature: b"\0" + signature[:half] + b"\0" + signature[half:])
    changed("ecdsa_of_9000_bytes", lambda signature: signature * 140)
    changed("es384_with_byte_changed", _flip(50), "ES384", "ec-p384")
    plain = token(alg="ES256", key="ec-p256")
    message = plain.compact.rpartition(".")[0]
    der = ecdsa_der("ec-p256", message.encode())
    bad("ecdsa_in_asn1", spec, token(alg="ES256", key="ec-p256", tamper=lambda signature: der))
    bad("ecdsa_key_of_another", spec, token(alg="ES256", key="attacker-ec-p256", header={"kid": "ec-p256"}, valid=True))


def _ed25519(bad: Add) -> None:
    spec = "RFC 8032 section 5.1.7"

    def changed(name: str, change: Change) -> None:
        bad(name, spec, token(alg="EdDSA", key="ed25519", tamper=change))

    def add_order(signature: bytes) -> bytes:
        s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
        return signature[:32] + s.to_bytes(32, "little")

    changed("ed25519_with_byte_changed", _flip(40))
    changed("ed25519_with_s_beyond_the_order", add_order)
    changed("ed25519_of_zeros", lambda signature: bytes(64))
    changed("ed25519_too_short", lambda signature: signature[:-1])
    changed("ed25519_too_long", lambda signature: signature + b"\0")
    bad(
        "ed25519_key_of_another",
        spec,
        token(alg="EdDSA", key="attacker-ed25519", header={"kid": "ed25519"}, valid=True),
    )


def _message(cases: Group) -> None:
    """What is signed are the bytes received, and all of them."""
    spec = "RFC 7515 section 5.2"
    good = token()
    header, payload, signature = good.segments()
    richer = b64(compact_json(merged(CLAIMS, {"scope": "admin"})))
    about = {
        **good.about,
        "payload": merged(CLAIMS, {"scope": "admin"}),
        "signature": {**good.about["signature"], "valid": False},
    }
    cases.add("changed_payload_is_rejected", spec, Token(f"{header}.{richer}.{signature}", about), "signature_invalid")
    other_header = b64(b'{"typ":"JWT","alg":"RS256","kid":"rsa-a"}')
    about = {
        **good.about,
        "header": '{"typ":"JWT","alg":"RS256","kid":"rsa-a"}',
        "signature": {**good.about["signature"], "valid": False},
    }
    cases.add(
        "header_with_members_in_other_order_is_rejected",
        spec,
        Token(f"{other_header}.{payload}.{signature}", about),
        "signature_invalid",
    )
    payload_only = sign("RS256", "rsa-a", payload.encode())
    about = {**good.about, "signature": {**good.about["signature"], "valid": False}}
    cases.add(
        "signature_over_payload_alone_is_rejected",
        spec,
        Token(f"{header}.{payload}.{b64(payload_only)}", about),
        "signature_invalid",
    )
    json_only = sign("RS256", "rsa-a", compact_json(CLAIMS))
    cases.add(
        "signature_over_decoded_payload_is_rejected",
        spec,
        Token(f"{header}.{payload}.{b64(json_only)}", about),
        "signature_invalid",
    )
    other = token({"sub": "auth0|bob"}).segments()[2]
    cases.add(
        "signature_of_another_token_is_rejected", spec, Token(f"{header}.{payload}.{other}", about), "signature_invalid"
    )
    forged = token(
        {"exp": 1, "aud": "https://other.example", "iss": "https://tenant.example.com"},
        key="attacker-rsa",
        header={"kid": "rsa-a"},
    )
    cases.add("forged_token_tells_nothing_about_its_claims", "RFC 7519 section 7.2", forged, "signature_invalid")


def _flip(index: int) -> Change:
    def change(signature: bytes) -> bytes:
        changed = bytearray(signature)
        changed[index] ^= 1
        return bytes(changed)

    return change
