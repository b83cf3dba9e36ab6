"""`htu`: "The URL that `htu` is compared with"."""

from __future__ import annotations

from typing import Any

from ..case import ACCEPTED, Group
from ..proof import bound_token, proof

RFC9449 = "RFC 9449 section 4.3 step 9"
SYNTAX = "RFC 3986 section 6.2.2"
SCHEME = "RFC 3986 section 6.2.3"
GRAMMAR = "RFC 3986 appendix A"
HERE = "https://api.example.com/a/b?c=d"


def group() -> Group:
    cases = Group("dpop_url", ACCEPTED)
    tok = bound_token()

    def add(name: str, spec: str, expect: str, htu: Any, url: str) -> None:
        bad = proof(tok, {"htu": htu})
        cases.add(name, spec, tok, expect, proof=bad, url=url)

    def accept(name: str, spec: str, htu: str, url: str = HERE) -> None:
        add(f"{name}_is_accepted", spec, "verified", htu, url)

    def refuse(name: str, spec: str, htu: Any, url: str = HERE) -> None:
        add(f"{name}_is_rejected", spec, "proof_url_mismatch", htu, url)

    accept("url_without_query", RFC9449, "https://api.example.com/a/b")
    accept("url_with_its_query", RFC9449, HERE)
    accept("url_with_another_query", RFC9449, "https://api.example.com/a/b?x=y")
    odd = "https://api.example.com/a/b?filter[name]=a|b&rate=100%"
    accept("url_without_the_odd_query_of_the_request", RFC9449, "https://api.example.com/a/b", odd)
    accept("url_with_a_fragment", RFC9449, "https://api.example.com/a/b#top")
    accept("url_with_an_empty_query", RFC9449, "https://api.example.com/a/b?")

    accept("scheme_and_host_in_upper_case", f"{SYNTAX}.1", "HTTPS://API.EXAMPLE.COM/a/b")
    accept(
        "request_to_a_host_in_upper_case", f"{SYNTAX}.1", "https://api.example.com/a/b", "https://API.Example.COM/a/b"
    )
    accept("escape_in_lower_case", f"{SYNTAX}.1", "https://api.example.com/a%c3%a9", "https://api.example.com/a%C3%A9")
    accept("escaped_tilde", f"{SYNTAX}.2", "https://api.example.com/f/~u", "https://api.example.com/f/%7Eu")
    accept("tilde_for_an_escaped_one", f"{SYNTAX}.2", "https://api.example.com/f/%7eu", "https://api.example.com/f/~u")
    accept("escaped_letters", f"{SYNTAX}.2", "https://api.example.com/%61/%62")
    accept("escaped_host", f"{SYNTAX}.2", "https://%61pi.example.com/a/b")
    accept(
        "escaped_slash_as_it_was_sent",
        f"{SYNTAX}.2",
        "https://api.example.com/f/a%2Fb",
        "https://api.example.com/f/a%2fb",
    )
    accept(
        "escaped_percent_as_it_was_sent",
        f"{SYNTAX}.2",
        "https://api.example.com/f/a%25b",
        "https://api.example.com/f/a%25b",
    )
    accept("dot_segments", f"{SYNTAX}.3", "https://api.example.com/./x/../a/b")
    accept("escaped_dot_segments", f"{SYNTAX}.3", "https://api.example.com/x/%2e%2E/a/b")
    accept("dot_segments_above_the_root", f"{SYNTAX}.3", "https://api.example.com/../../a/b")
    accept("dot_at_the_end", f"{SYNTAX}.3", "https://api.example.com/a/b/.", "https://api.example.com/a/b/")
    accept("dots_at_the_end", f"{SYNTAX}.3", "https://api.example.com/a/b/..", "https://api.example.com/a/")
    accept(
        "example_of_the_section",
        SYNTAX,
        "hTTPS://a/./b/../b/%63/%7bfoo%7d",
        "https://a/b/c/%7Bfoo%7D",
    )
    accept(
        "dot_segments_as_they_were_sent",
        f"{SYNTAX}.3",
        "https://api.example.com/x/../a",
        "https://api.example.com/x/../a",
    )
    accept("default_port", SCHEME, "https://api.example.com:443/a/b")
    accept("empty_port", SCHEME, "https://api.example.com:/a/b")
    accept("request_to_the_default_port", SCHEME, "https://api.example.com/a/b", "https://api.example.com:443/a/b")
    accept("default_port_of_http", SCHEME, "http://localhost:80/a", "http://localhost/a")
    accept("empty_path", SCHEME, "https://api.example.com", "https://api.example.com/")
    accept("empty_path_with_query", SCHEME, "https://api.example.com?q", "https://api.example.com/?q")
    accept("path_for_an_empty_one", SCHEME, "https://api.example.com/", "https://api.example.com")
    accept("other_port_as_it_was_sent", SCHEME, "http://localhost:8000/a", "http://localhost:8000/a")
    accept("ipv4_host", GRAMMAR, "http://127.0.0.1:8000/a", "http://127.0.0.1:8000/a")
    accept("ipv6_host", GRAMMAR, "http://[::1]:8000/a", "http://[::1]:8000/a")
    accept("ipv6_host_in_upper_case", f"{SYNTAX}.1", "http://[2001:DB8::A]/a", "http://[2001:db8::a]/a")
    accept("punycode_host", GRAMMAR, "https://xn--bcher-kva.example/a", "https://xn--bcher-kva.example/a")
    accept(
        "sub_delimiters",
        GRAMMAR,
        "https://api.example.com/a;b=c,d/(e)!$&'*+@:",
        "https://api.example.com/a;b=c,d/(e)!$&'*+@:",
    )
    accept("double_slash_as_it_was_sent", GRAMMAR, "https://api.example.com//a", "https://api.example.com//a")

    rfc9110 = "RFC 9110 section 4.2.3"
    home = "http://example.com:80/~smith/home.html"
    accept("first_example_of_http", rfc9110, "http://EXAMPLE.com/%7Esmith/home.html", home)
    accept("second_example_of_http", rfc9110, "http://EXAMPLE.com:/%7esmith/home.html", home)
    accept("first_example_of_ports", SCHEME, "http://example.com", "http://example.com:80/")
    accept("second_example_of_ports", SCHEME, "http://example.com:/", "http://example.com/")

    refuse("url_with_the_odd_query_of_the_request", GRAMMAR, odd, odd)
    refuse("other_scheme", RFC9449, "http://api.example.com/a/b")
    refuse("other_host", RFC9449, "https://other.example.com/a/b")
    refuse("longer_host", RFC9449, "https://api.example.com.evil.example/a/b")
    refuse("host_with_a_trailing_dot", RFC9449, "https://api.example.com./a/b")
    refuse("other_port", RFC9449, "https://api.example.com:8443/a/b")
    refuse("default_port_of_the_other_scheme", SCHEME, "https://api.example.com:80/a/b")
    refuse("other_path", RFC9449, "https://api.example.com/a/c")
    refuse("path_in_other_case", f"{SYNTAX}.1", "https://api.example.com/A/b")
    refuse("shorter_path", RFC9449, "https://api.example.com/a")
    refuse("longer_path", RFC9449, "https://api.example.com/a/b/c")
    refuse("trailing_slash", "RFC 3986 section 3.3", "https://api.example.com/a/b/")
    refuse(
        "missing_trailing_slash", "RFC 3986 section 3.3", "https://api.example.com/a/b", "https://api.example.com/a/b/"
    )
    refuse("double_slash", "RFC 3986 section 3.3", "https://api.example.com/a//b")
    refuse("escaped_slash_for_a_slash", f"{SYNTAX}.2", "https://api.example.com/a%2Fb")
    refuse("slash_for_an_escaped_one", f"{SYNTAX}.2", "https://api.example.com/a/b", "https://api.example.com/a%2Fb")
    refuse("escaped_question_mark", f"{SYNTAX}.2", "https://api.example.com/a/b%3Fc=d")
    refuse("escaped_number_sign", f"{SYNTAX}.2", "https://api.example.com/a/b%23c")
    refuse("path_escaped_twice", f"{SYNTAX}.2", "https://api.example.com/a/%2562")
    refuse("decoded_percent", f"{SYNTAX}.2", "https://api.example.com/a%b", "https://api.example.com/a%25b")
    refuse("plus_for_a_space", f"{SYNTAX}.2", "https://api.example.com/a+b", "https://api.example.com/a%20b")
    refuse("escaped_semicolon", f"{SYNTAX}.2", "https://api.example.com/a%3Bb", "https://api.example.com/a;b")
    refuse("path_parameter", RFC9449, "https://api.example.com/a/b;v=1")
    refuse("other_ip_address_of_the_same_host", GRAMMAR, "http://[::ffff:127.0.0.1]/a", "http://127.0.0.1/a")
    accept("ipv6_address_with_all_its_zeros", SYNTAX, "http://[0:0:0:0:0:0:0:1]/a", "http://[::1]/a")
    accept("ipv6_address_in_upper_case", SYNTAX, "http://[2001:DB8::A]/a", "http://[2001:db8::a]/a")
    mapped = "http://[::ffff:192.0.2.128]/a"
    accept("mapped_ipv4_address_in_hexadecimal", SYNTAX, "http://[::ffff:c000:280]/a", mapped)
    refuse("another_mapped_ipv4_address", SYNTAX, "http://[::ffff:c000:281]/a", mapped)
    refuse("ipv6_address_with_a_zone", GRAMMAR, "http://[fe80::1%25eth0]/a", "http://[fe80::1%25eth0]/a")
    refuse("decimal_ip_address", GRAMMAR, "http://2130706433/a", "http://127.0.0.1/a")
    refuse("localhost_for_its_address", RFC9449, "http://localhost/a", "http://127.0.0.1/a")
    refuse(
        "target_of_dot_segments_in_the_request",
        RFC9449,
        "https://api.example.com/admin",
        "https://api.example.com/public/%2e%2e/admin",
    )

    for name, htu in {
        "empty_text": "",
        "path_alone": "/a/b",
        "url_without_scheme": "//api.example.com/a/b",
        "host_and_path": "api.example.com/a/b",
        "single_slash_behind_the_scheme": "https:/api.example.com/a/b",
        "no_slash_behind_the_scheme": "https:api.example.com/a/b",
        "three_slashes_behind_the_scheme": "https:///api.example.com/a/b",
        "user_info": "https://user@api.example.com/a/b",
        "user_info_with_password": "https://u:p@api.example.com/a/b",
        "empty_user_info": "https://@api.example.com/a/b",
        "host_as_user_info": "https://api.example.com@evil.example/a/b",
        "backslashes": "https:\\\\api.example.com\\a\\b",
        "backslash_in_the_path": "https://api.example.com/a\\b",
        "backslash_behind_the_host": "https://api.example.com\\.evil.example/a/b",
        "leading_space": " https://api.example.com/a/b",
        "trailing_space": "https://api.example.com/a/b ",
        "space_in_the_path": "https://api.example.com/a /b",
        "tab_in_the_path": "https://api.example.com/a\t/b",
        "line_feed_in_the_path": "https://api.example.com/a/b\n",
        "nul_in_the_path": "https://api.example.com/a/b\u0000",
        "lone_percent": "https://api.example.com/a/b%",
        "half_an_escape": "https://api.example.com/a/b%6",
        "escape_that_is_not_hex": "https://api.example.com/a/%zz",
        "letter_outside_ascii": "https://api.example.com/a/b\u00e9",
        "full_width_letters": "https://\uff41pi.example.com/a/b",
        "ideographic_full_stop": "https://api\u3002example\u3002com/a/b",
        "port_that_is_no_number": "https://api.example.com:https/a/b",
        "port_too_large": "https://api.example.com:65979/a/b",
        "negative_port": "https://api.example.com:-443/a/b",
        "escaped_port": "https://api.example.com%3A443/a/b",
        "escaped_scheme": "http%73://api.example.com/a/b",
        "angle_brackets": "<https://api.example.com/a/b>",
        "quotes": '"https://api.example.com/a/b"',
        "curly_braces": "https://api.example.com/a/{b}",
        "two_fragments": "https://api.example.com/a/b#c#d",
        "open_bracket": "https://[api.example.com/a/b",
        "other_kind_of_scheme": "wss://api.example.com/a/b",
        "opaque_uri": "urn:https:api.example.com:a:b",
        "comma_separated_urls": "https://api.example.com/a/b, https://api.example.com/a/b",
    }.items():
        refuse(name, GRAMMAR, htu)
    for name, value in {"null": None, "number": 1, "array": ["https://api.example.com/a/b"], "object": {}}.items():
        refuse(f"htu_that_is_{name}", RFC9449, value)
    refuse("request_that_is_no_uri", GRAMMAR, "https://api.example.com/a|b", "https://api.example.com/a|b")
    refuse("request_with_user_info", GRAMMAR, "https://u@api.example.com/a/b", "https://u@api.example.com/a/b")
    return cases
