"""The Authorization field: step 1."""

from __future__ import annotations

from typing import Any

from ..case import AUDIENCE, Group, bearer, text_token, token


def group() -> Group:
    cases = Group("credentials")
    good = token()
    compact = good.compact
    rfc6750 = "RFC 6750 section 2.1"
    rfc9110 = "RFC 9110 section 11.1"

    cases.accept("bearer_is_accepted", rfc6750, good)
    for name, scheme in [("lower_case", "bearer "), ("upper_case", "BEARER "), ("mixed_case", "bEaReR ")]:
        cases.accept(f"scheme_in_{name}_is_accepted", rfc9110, good, headers=bearer(good, scheme))
    cases.accept("tab_after_scheme_is_tolerated", rfc9110, good, headers=bearer(good, "Bearer\t"))
    cases.accept("several_spaces_after_scheme_are_tolerated", rfc9110, good, headers=bearer(good, "Bearer    "))
    cases.accept("spaces_and_tabs_after_scheme_are_tolerated", rfc9110, good, headers=bearer(good, "Bearer \t \t"))
    for name, field in [("lower", "authorization"), ("upper", "AUTHORIZATION")]:
        cases.accept(
            f"field_name_in_{name}_case_is_accepted",
            "RFC 9110 section 5.1",
            good,
            headers=[[field, f"Bearer {compact}"]],
        )
    cases.accept(
        "other_fields_are_ignored",
        rfc6750,
        good,
        headers=[
            ["Host", "api.example.com"],
            ["X-Authorization", "Bearer nonsense"],
            *bearer(good),
            ["Proxy-Authorization", "Basic dXNlcjpwYXNz"],
            ["Cookie", "access_token=nonsense"],
        ],
    )
    cases.accept("method_does_not_matter", rfc6750, good, method="DELETE")

    def refuse(name: str, code: str, *values: str, spec: str = rfc6750, **more: Any) -> None:
        cases.add(name, spec, None, code, headers=[["Authorization", value] for value in values], **more)

    refuse("no_field_is_rejected", "missing_authorization")
    refuse("empty_field_is_rejected", "missing_authorization", "")
    refuse("blank_field_is_rejected", "missing_authorization", "   ")
    refuse("scheme_alone_is_rejected", "scheme_without_token", "Bearer")
    refuse("scheme_and_spaces_are_rejected", "scheme_without_token", "Bearer   ")
    refuse("token_without_scheme_is_rejected", "unknown_scheme", compact)
    refuse("basic_is_rejected", "unknown_scheme", "Basic dXNlcjpwYXNz")
    refuse("basic_with_a_good_token_is_rejected", "unknown_scheme", f"Basic {compact}")
    refuse("unknown_scheme_is_rejected", "unknown_scheme", f"Token {compact}")
    refuse("scheme_with_longer_name_is_rejected", "unknown_scheme", f"BearerToken {compact}")
    refuse("scheme_with_equals_sign_is_rejected", "unknown_scheme", f"Bearer={compact}")
    refuse("scheme_with_colon_is_rejected", "unknown_scheme", f"Bearer: {compact}")
    refuse("no_break_space_is_not_a_space", "unknown_scheme", f"Bearer\u00a0{compact}", spec=rfc9110)
    refuse("next_line_character_is_not_a_space", "unknown_scheme", f"Bearer\u0085{compact}", spec=rfc9110)
    refuse("file_separator_is_not_a_space", "unknown_scheme", f"Bearer\u001c{compact}", spec=rfc9110)
    refuse("form_feed_is_not_a_space", "unknown_scheme", f"Bearer\u000c{compact}", spec=rfc9110)
    refuse(
        "scheme_in_full_width_letters_is_rejected",
        "unknown_scheme",
        "B\u00e9arer " + compact,
        spec=rfc9110,
        title="A scheme spelled with a letter outside ASCII is rejected",
    )
    refuse("dpop_while_off_is_rejected", "dpop_not_accepted", f"DPoP {compact}", spec="RFC 9449 section 7.1")
    refuse(
        "dpop_in_lower_case_while_off_is_rejected", "dpop_not_accepted", f"dpop {compact}", spec="RFC 9449 section 7.1"
    )
    many = "multiple_authorization_fields"
    refuse("two_fields_are_rejected", many, f"Bearer {compact}", f"Bearer {compact}")
    refuse("two_different_schemes_are_rejected", many, f"Bearer {compact}", "Basic dXNlcjpwYXNz")
    refuse("an_empty_field_beside_a_good_one_is_rejected", many, "", f"Bearer {compact}")
    cases.add(
        "two_fields_of_different_case_are_rejected",
        rfc6750,
        None,
        many,
        headers=[["Authorization", f"Bearer {compact}"], ["authorization", f"Bearer {compact}"]],
    )
    cases.add(
        "token_in_query_is_ignored",
        "RFC 6750 section 2.3",
        None,
        "missing_authorization",
        url=f"{AUDIENCE}/things?access_token={compact}",
        headers=[],
    )
    cases.add(
        "token_in_other_field_is_ignored",
        rfc6750,
        None,
        "missing_authorization",
        headers=[["X-Access-Token", compact], ["Cookie", f"access_token={compact}"]],
    )

    def spoil(name: str, code: str, tail: str, note: str) -> None:
        cases.add(name, rfc6750, good.respelled(compact + tail, note), code)

    spoil("two_tokens_are_rejected", "malformed_signature", " " + "x" * 20, "more text behind a space")
    spoil("trailing_comma_is_rejected", "malformed_signature", ",", "trailing comma")
    spoil(
        "two_credentials_in_one_field_are_rejected",
        "encrypted_token",
        f", Bearer {compact}",
        "listed twice, which makes five segments",
    )
    spoil("trailing_line_feed_is_rejected", "malformed_signature", "\n", "trailing line feed")
    spoil("trailing_form_feed_is_rejected", "malformed_signature", "\u000c", "trailing form feed")
    cases.accept(
        "spaces_around_the_value_are_no_part_of_it", "RFC 9110 section 5.5", good, headers=bearer(f"{compact} \t")
    )
    spoil("header_injection_is_rejected", "malformed_signature", "\r\nSet-Cookie: a=b", "a header in the token")
    spoil("trailing_nul_is_rejected", "malformed_signature", "\u0000", "trailing NUL")
    cases.add("quoted_token_is_rejected", rfc6750, good.respelled(f'"{compact}"', "quoted"), "malformed_header")
    cases.add(
        "latin_1_text_is_rejected",
        "RFC 9110 section 5.5",
        text_token("\u00e9\u00e8.\u00ff\u00fe.\u00a9", "bytes that are no UTF-8"),
        "opaque_token",
    )
    cases.add(
        "utf_8_text_is_rejected",
        "RFC 9110 section 5.5",
        text_token("\u00c3\u00a9.\u00c3\u00a8.a", "three segments outside ASCII"),
        "malformed_header",
    )
    cases.add(
        "form_feed_before_token_is_rejected",
        rfc9110,
        good.respelled(f"\u000c{compact}", "a form feed before it"),
        "malformed_header",
    )
    return cases
