"""The JSON in header and payload, and nothing looser than JSON. Step 2."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..case import CLAIMS, Group, token

Add = Callable[..., None]

HEADER = '"alg":"RS256","typ":"JWT","kid":"rsa-a"'
PAYLOAD = json.dumps(CLAIMS, separators=(",", ":"))[1:-1]


def group() -> Group:
    cases = Group("json")

    def header(name: str, spec: str, text: str | bytes, code: str = "malformed_header") -> None:
        tok = token(raw_header=text)
        cases.add(name, spec, tok, code)

    def payload(name: str, spec: str, text: str | bytes, code: str = "malformed_payload") -> None:
        tok = token(raw_payload=text)
        cases.add(name, spec, tok, code)

    _accepted(cases)
    _duplicates(cases, header, payload)
    _not_objects(header, payload)
    _numbers(cases, payload)
    _bytes(header, payload)
    _loose(header, payload)
    _depth(cases, payload)
    return cases


def _accepted(cases: Group) -> None:
    spaced_header = ' {\n\t"alg" : "RS256" ,\r\n "typ":"JWT", "kid"\t:"rsa-a" } \n'
    spaced_payload = json.dumps(CLAIMS, indent=4).replace("\n", "\r\n") + "\n\t "
    spec = "RFC 8259 section 2"
    cases.accept(
        "odd_whitespace_in_json_is_accepted", spec, token(raw_header=spaced_header, raw_payload=spaced_payload)
    )
    escaped = PAYLOAD.replace('"iss"', '"\\u0069ss"').replace("https:", "https\\u003a").replace("/", "\\/")
    cases.accept("escaped_spelling_is_accepted", "RFC 8259 section 7", token(raw_payload="{" + escaped + "}"))
    cases.accept(
        "escaped_header_is_accepted",
        "RFC 8259 section 7",
        token(raw_header='{"\\u0061lg":"RS\\u003256","kid":"rsa\\u002da"}'),
    )
    cases.accept(
        "unicode_text_is_accepted",
        "RFC 8259 section 8.1",
        token({"name": "Zoë Ωmega 日本 \U0001f43b", "nul": "a\u0000b"}),
    )
    cases.accept(
        "escaped_surrogate_pair_is_accepted",
        "RFC 8259 section 7",
        token(raw_payload="{" + PAYLOAD + ',"bear":"\\ud83d\\udc3b"}'),
    )
    cases.accept("empty_member_name_is_accepted", "RFC 8259 section 4", token({"": 1}))
    every_kind = {"t": True, "f": False, "n": None, "i": -7, "d": 0.25, "a": [1, "b", {}], "o": {"p": []}}
    cases.accept("every_kind_of_value_is_accepted", "RFC 8259 section 3", token({"kinds": every_kind}))
    cases.accept(
        "same_name_in_different_objects_is_accepted", "RFC 8259 section 4", token({"a": {"iss": 1}, "b": {"iss": 2}})
    )


def _duplicates(cases: Group, header: Add, payload: Add) -> None:
    spec = "RFC 7515 section 4"
    header("duplicate_alg_is_rejected", spec, '{"alg":"none",' + HEADER + "}")
    header("duplicate_kid_is_rejected", spec, "{" + HEADER + ',"kid":"rsa-b"}')
    header("duplicate_of_same_value_is_rejected", spec, "{" + HEADER + ',"typ":"JWT"}')
    header("duplicate_in_escaped_spelling_is_rejected", spec, "{" + HEADER + ',"\\u0061lg":"RS256"}')
    header("duplicate_inside_nested_header_object_is_rejected", spec, "{" + HEADER + ',"x":{"a":1,"a":2}}')
    spec = "RFC 7519 section 4"
    payload("duplicate_iss_is_rejected", spec, "{" + PAYLOAD + ',"iss":"https://evil.example/"}')
    payload("duplicate_aud_is_rejected", spec, '{"aud":"https://other.example",' + PAYLOAD + "}")
    payload("duplicate_exp_is_rejected", spec, "{" + PAYLOAD + ',"exp":9999999999}')
    payload("duplicate_cnf_is_rejected", spec, "{" + PAYLOAD + ',"cnf":{"jkt":"a"},"cnf":{}}')
    payload("duplicate_claim_in_escaped_spelling_is_rejected", spec, "{" + PAYLOAD + ',"\\u0065xp":9999999999}')
    payload("duplicate_inside_nested_claim_is_rejected", spec, "{" + PAYLOAD + ',"act":{"sub":"a","sub":"b"}}')
    payload("duplicate_of_unknown_claim_is_rejected", spec, "{" + PAYLOAD + ',"x":1,"y":2,"x":1}')
    spec = "RFC 7515 section 5.3"
    header("upper_case_alg_is_another_member", spec, '{"ALG":"RS256","kid":"rsa-a"}', "algorithm_missing")
    header("full_width_alg_is_another_member", spec, '{"\uff41lg":"RS256","kid":"rsa-a"}', "algorithm_missing")
    header("alg_with_nul_is_another_member", spec, '{"alg\\u0000":"RS256","kid":"rsa-a"}', "algorithm_missing")
    payload("upper_case_iss_is_another_member", spec, "{" + PAYLOAD.replace('"iss"', '"ISS"') + "}", "issuer_missing")
    payload(
        "aud_with_space_is_another_member", spec, "{" + PAYLOAD.replace('"aud"', '"aud "') + "}", "audience_missing"
    )
    cases.accept("look_alike_beside_the_claim_is_accepted", spec, token({"ISS": "https://evil.example/", "Exp": 1}))


def _not_objects(header: Add, payload: Add) -> None:
    spec = "RFC 7515 section 5.2, RFC 7519 section 7.2"
    values = {
        "array": "[{}]",
        "string": '"text"',
        "number": "5",
        "null": "null",
        "true": "true",
        "blank": "  ",
    }
    for name, text in values.items():
        header(f"header_that_is_{name}_is_rejected", spec, text)
        payload(f"payload_that_is_{name}_is_rejected", spec, text)
    header("header_of_array_of_members_is_rejected", spec, '["alg","RS256"]')
    header("header_that_is_empty_object_is_rejected", spec, "{}", "algorithm_missing")
    payload("payload_that_is_empty_object_is_rejected", spec, "{}", "issuer_missing")


def _numbers(cases: Group, payload: Add) -> None:
    spec = "RFC 8259 section 6"
    for name, text in {
        "nan": "NaN",
        "infinity": "Infinity",
        "minus_infinity": "-Infinity",
        "leading_zero": "012",
        "leading_plus": "+1",
        "hexadecimal": "0x10",
        "bare_point": "1.",
        "leading_point": ".5",
        "bare_exponent": "1e",
        "digit_separator": "1_000",
        "number_beyond_double": "1e400",
        "negative_number_beyond_double": "-1e400",
    }.items():
        payload(f"{name}_is_rejected", spec, "{" + PAYLOAD + f',"x":{text}}}')
    cases.accept(
        "number_forms_are_accepted", spec, token(raw_payload="{" + PAYLOAD + ',"x":[0,-1,0.5,1E5,1e-5,2.5e+3]}')
    )
    cases.accept("number_too_small_for_double_is_accepted", spec, token(raw_payload="{" + PAYLOAD + ',"x":1e-400}'))
    cases.accept("integers_keep_their_digits", spec, token({"x": [2**53 + 1, 2**63 - 1, -(2**63)]}))
    cases.accept("integers_beyond_64_bits_are_accepted", spec, token({"x": [2**64, 2**64 - 1, 10**40]}))


def _bytes(header: Add, payload: Add) -> None:
    spec = "RFC 8259 section 8.1, RFC 7515 section 5.2"
    header("byte_order_mark_in_header_is_rejected", spec, b"\xef\xbb\xbf{" + HEADER.encode() + b"}")
    payload("byte_order_mark_in_payload_is_rejected", spec, b"\xef\xbb\xbf{" + PAYLOAD.encode() + b"}")
    header("invalid_utf_8_in_header_is_rejected", spec, b'{"x":"\xff",' + HEADER.encode() + b"}")
    for name, text in {
        "invalid_utf_8": b"\xc3\x28",
        "overlong_utf_8": b"\xc0\xaf",
        "truncated_utf_8": b"\xe2\x82",
        "utf_8_surrogate": b"\xed\xa0\x80",
        "utf_8_beyond_unicode": b"\xf4\x90\x80\x80",
        "raw_control_character": b"\x01",
        "raw_nul": b"\x00",
        "raw_line_break": b"\n",
        "lone_high_surrogate": b"\\ud800",
        "lone_low_surrogate": b"\\udc3b",
        "swapped_surrogates": b"\\udc3b\\ud83d",
        "high_surrogate_and_letter": b"\\ud83d\\u0041",
        "unknown_escape": b"\\x41",
        "short_unicode_escape": b"\\u00e",
    }.items():
        payload(f"{name}_is_rejected", spec, b"{" + PAYLOAD.encode() + b',"x":"' + text + b'"}')
    payload("lone_surrogate_in_member_name_is_rejected", spec, "{" + PAYLOAD + ',"\\ud800":1}')
    header("lone_surrogate_in_header_is_rejected", spec, "{" + HEADER + ',"x":"\\ud800"}')
    payload("utf_16_is_rejected", spec, ("{" + PAYLOAD + "}").encode("utf-16-le"))
    header("utf_16_header_is_rejected", spec, ("{" + HEADER + "}").encode("utf-16"))


def _loose(header: Add, payload: Add) -> None:
    spec = "RFC 8259 section 2"
    header("trailing_text_in_header_is_rejected", spec, "{" + HEADER + "}x")
    header("second_object_in_header_is_rejected", spec, "{" + HEADER + '}{"alg":"none"}')
    payload("trailing_nul_in_payload_is_rejected", spec, "{" + PAYLOAD + "}\u0000")
    payload("second_object_in_payload_is_rejected", spec, "{" + PAYLOAD + "}{}")
    payload("trailing_comma_is_rejected", spec, "{" + PAYLOAD + ",}")
    payload("comment_is_rejected", spec, "{/* hello */" + PAYLOAD + "}")
    payload("single_quotes_are_rejected", spec, "{" + PAYLOAD.replace('"', "'") + "}")
    payload("bare_member_name_is_rejected", spec, "{" + PAYLOAD + ",x:1}")
    payload("missing_brace_is_rejected", spec, "{" + PAYLOAD)
    payload("no_break_space_between_members_is_rejected", spec, "{\u00a0" + PAYLOAD + "}")


def _depth(cases: Group, payload: Add) -> None:
    spec = "RFC 8259 section 9"
    # The payload itself is the first level.
    deepest = "[" * 31 + "]" * 31
    cases.accept("depth_of_32_is_accepted", spec, token(raw_payload="{" + PAYLOAD + f',"x":{deepest}}}'))
    payload("depth_of_33_is_rejected", spec, "{" + PAYLOAD + f',"x":[{deepest}]}}')
    payload("objects_33_deep_are_rejected", spec, "{" + PAYLOAD + ',"x":' + '{"a":' * 32 + "1" + "}" * 33)
    payload("thousands_of_open_brackets_are_rejected", "CVE-2025-53864", "{" + PAYLOAD + ',"x":' + "[" * 8000)
