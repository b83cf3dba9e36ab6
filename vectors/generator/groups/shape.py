"""The compact token: three canonical base64url segments within the size limit. Step 2."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

from ..case import Group, Token, text_token, token
from ..keys import b64

LIMIT = 16 * 1024
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

RESPELLINGS: dict[str, Callable[[str], str]] = {
    "padding": lambda text: text + "=" * (-len(text) % 4),
    "trailing_bits": lambda text: text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1],
    "space": lambda text: text[:10] + " " + text[10:],
    "line_break": lambda text: text[:10] + "\n" + text[10:],
    "length_of_one_mod_four": lambda text: text + "A" * ((1 - len(text)) % 4),
    "illegal_character": lambda text: text[:10] + "!" + text[11:],
}


def group() -> Group:
    cases = Group("shape")
    good = token()
    header, payload, signature = good.segments()

    _segments(cases, good)
    _base64url(cases, good)

    cases.accept("largest_token_is_accepted", "RFC 8725 section 3.11", token_of(LIMIT))
    cases.add("one_byte_too_many_is_rejected", "RFC 8725 section 3.11", token_of(LIMIT + 1), "token_too_large")
    cases.add(
        "far_too_large_is_rejected",
        "RFC 8725 section 3.11",
        text_token("A" * 40_000, "40000 letters"),
        "token_too_large",
    )
    cases.add("too_many_dots_are_rejected", "CVE-2025-30204", text_token("." * 40_000, "40000 dots"), "token_too_large")
    cases.add(
        "dots_within_the_limit_are_rejected", "CVE-2025-30204", text_token("." * LIMIT, "16384 dots"), "opaque_token"
    )
    cases.add(
        "large_signature_is_rejected",
        "RFC 7518 section 3.3",
        good.respelled(f"{header}.{payload}.{'A' * 12_000}", "a signature of 9000 bytes"),
        "signature_invalid",
    )
    flattened = json.dumps({"protected": header, "payload": payload, "signature": signature})
    cases.add(
        "flattened_json_serialisation_is_rejected",
        "RFC 7515 section 7.2.2",
        text_token(flattened, "the good token in JSON serialisation"),
        "opaque_token",
    )
    polyglot = f'{{"a":".{payload}.{signature}"}}'
    cases.add(
        "polyglot_of_json_and_compact_is_rejected",
        "CVE-2022-39227",
        text_token(polyglot, "both at once"),
        "malformed_header",
    )
    return cases


def _segments(cases: Group, good: Token) -> None:
    header, payload, signature = good.segments()
    spec = "RFC 7515 section 7.1"
    for name, text in [
        ("opaque_token_is_rejected", "kX3bT0aZ_-opaque"),
        ("one_segment_is_rejected", header),
        ("two_segments_are_rejected", f"{header}.{payload}"),
        ("four_segments_are_rejected", f"{header}.{payload}.{signature}.{signature}"),
        ("six_segments_are_rejected", ".".join([header] * 6)),
        ("trailing_dot_is_rejected", f"{header}.{payload}.{signature}."),
        ("leading_dot_is_rejected", f".{header}.{payload}.{signature}"),
    ]:
        cases.add(name, spec, text_token(text, "not three segments"), "opaque_token")
    jwe = b64(b'{"alg":"dir","enc":"A256GCM","typ":"JWT"}')
    for name, text in [
        ("encrypted_token_is_rejected", f"{jwe}..AAAAAAAAAAAAAAAA.{b64(b'ciphertext')}.{b64(bytes(16))}"),
        (
            "password_based_encryption_is_rejected",
            b64(b'{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","p2c":2147483647,"p2s":"c2FsdA"}') + ".AA.AA.AA.AA",
        ),
        ("compressed_encryption_is_rejected", b64(b'{"alg":"dir","enc":"A256GCM","zip":"DEF"}') + "..AA.AA.AA"),
    ]:
        cases.add(name, "RFC 7516 section 7.1", text_token(text, "five segments"), "encrypted_token")
    for name, compact, code in [
        ("empty_header_is_rejected", f".{payload}.{signature}", "opaque_token"),
        ("empty_payload_is_rejected", f"{header}..{signature}", "malformed_payload"),
        ("two_dots_are_rejected", "..", "opaque_token"),
        ("four_dots_are_rejected", "....", "opaque_token"),
        ("empty_signature_is_rejected", f"{header}.{payload}.", "signature_invalid"),
    ]:
        cases.add(name, spec, good.respelled(compact, "a segment is empty"), code)
    cases.add(
        "header_that_is_not_json_is_rejected",
        "RFC 7515 section 5.2",
        text_token(f"{b64(b'hello')}.{payload}.{signature}", "the header is the text `hello`"),
        "malformed_header",
    )


def _base64url(cases: Group, good: Token) -> None:
    """The signature is good for the bytes meant; only the spelling is wrong."""
    spec = "RFC 7515 section 2, RFC 4648 sections 3.3 and 3.5"
    codes = ["malformed_header", "malformed_payload", "malformed_signature"]
    names = ["header", "payload", "signature"]
    # Lengths that leave bits over, so that each of the three can be spelled with trailing bits set.
    pads = itertools.product(["", "x"], repeat=2)
    padded = (token({"pad": payload}, {"pad": header}) for header, payload in pads)
    tok = next(tok for tok in padded if all(len(segment) % 4 for segment in tok.segments()))
    for index, (name, code) in enumerate(zip(names, codes, strict=True)):
        for what, change in RESPELLINGS.items():
            segments = tok.segments()
            segments[index] = change(segments[index])
            respelled = tok.respelled(".".join(segments), f"{what} in the {name}")
            cases.add(f"{what}_in_{name}_is_rejected", spec, respelled, code)
    plus = token(raw_header='{"alg":"RS256","kid":"rsa-a","typ":"JWT","x":"~~~???>>>"}')
    assert set("-_") & set(plus.segments()[0])
    swapped = plus.segments()[0].replace("-", "+").replace("_", "/")
    cases.add(
        "standard_alphabet_in_header_is_rejected",
        spec,
        plus.respelled(".".join([swapped, *plus.segments()[1:]]), "+ and / in the header"),
        "malformed_header",
    )
    signature = good.segments()[2]
    assert set("-_") & set(signature)
    cases.add(
        "standard_alphabet_in_signature_is_rejected",
        spec,
        good.respelled(
            ".".join([*good.segments()[:2], signature.replace("-", "+").replace("_", "/")]), "+ and / in the signature"
        ),
        "malformed_signature",
    )
    cases.add(
        "percent_encoding_is_rejected",
        spec,
        good.respelled(good.compact.replace(".", "%2E"), "dots spelled %2E"),
        "opaque_token",
    )


def token_of(length: int) -> Token:
    """A good token of exactly this many bytes."""
    for header_pad in range(4):
        about = (length - len(_padded(header_pad, 0).compact)) * 3 // 4
        for payload_pad in range(about - 2, about + 3):
            tok = _padded(header_pad, payload_pad)
            if len(tok.compact) == length:
                return tok
    raise AssertionError(f"no token of {length} bytes")


def _padded(header_pad: int, payload_pad: int) -> Token:
    return token({"pad": "x" * payload_pad}, {"pad": "x" * header_pad}, brief=True)
