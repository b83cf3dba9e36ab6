"""Whom a token is for: several audiences; or no audience, and the clients that it may be issued to. Step 8."""

from __future__ import annotations

from typing import Any

from ..case import ABSENT, AUDIENCE, Group, token

OTHER = "https://other.example.com"
AUD = "RFC 7519 section 4.1.3"
CLIENT = "RFC 9068 section 2.2, OpenID Connect Core 1.0 section 2"
CLIENTS = {"audience": ABSENT, "client_ids": ["app-1", "app-2"]}


def group() -> Group:
    cases = Group("recipient")
    two = {"policy": {"audience": [AUDIENCE, OTHER]}}
    for name, aud in {"first": AUDIENCE, "second": OTHER, "second_of_a_list": ["x", OTHER]}.items():
        cases.accept(f"{name}_of_two_audiences_is_accepted", AUD, token({"aud": aud}), **two)
    cases.add("neither_of_two_audiences_is_rejected", AUD, token({"aud": "x"}), "audience_mismatch", **two)
    cases.add("list_without_either_audience_is_rejected", AUD, token({"aud": ["x"]}), "audience_not_listed", **two)
    joined = f"{AUDIENCE}, {OTHER}"
    cases.add("both_audiences_in_one_string_are_rejected", AUD, token({"aud": joined}), "audience_mismatch", **two)
    cases.add("missing_aud_is_rejected_with_two_audiences", AUD, token({"aud": ABSENT}), "audience_missing", **two)
    _clients(cases)
    _id_tokens(cases)
    return cases


def of_client(**claims: Any) -> dict[str, Any]:
    return {"aud": ABSENT, **claims}


def _clients(cases: Group) -> None:
    policy = {"policy": CLIENTS}
    for claim in ("client_id", "azp", "cid"):
        cases.accept(f"client_in_{claim}_is_accepted", CLIENT, token(of_client(**{claim: "app-2"})), **policy)
        for name, value in {"other": "app-3", "upper_case": "APP-1", "list": ["app-1"], "null": None}.items():
            tok = token(of_client(**{claim: value}))
            cases.add(f"client_in_{claim}_that_is_{name}_is_rejected", CLIENT, tok, "client_not_accepted", **policy)
    cases.add("token_without_a_client_is_rejected", CLIENT, token(of_client()), "client_not_accepted", **policy)
    cases.add(
        "client_id_counts_before_azp",
        CLIENT,
        token(of_client(client_id="app-3", azp="app-1")),
        "client_not_accepted",
        **policy,
    )
    for name, aud in {"another_api": OTHER, "the_client": "app-1", "nothing": None, "an_empty_list": []}.items():
        tok = token({"aud": aud, "client_id": "app-1"})
        cases.add(f"aud_of_{name}_is_rejected_without_audience", AUD, tok, "audience_unexpected", **policy)


def _id_tokens(cases: Group) -> None:
    """An ID token names the same client and has the same key."""
    policy = {"policy": CLIENTS}
    bare = of_client(client_id="app-1", scope=ABSENT)
    cases.add("token_that_says_nothing_is_rejected", CLIENT, token(bare), "not_an_access_token", **policy)
    for name, claims in {"token_use": {"token_use": "access"}, "scope": {"scope": ""}}.items():
        cases.accept(f"access_token_by_{name}_is_accepted", CLIENT, token({**bare, **claims}), **policy)
    for typ in ("at+jwt", "application/AT+JWT"):
        name = typ.lower().replace("/", "_").replace("+", "_")
        cases.accept(f"access_token_by_typ_{name}_is_accepted", CLIENT, token(bare, {"typ": typ}), **policy)
    scp = {"policy": {**CLIENTS, "scope_claim": "scp"}}
    cases.accept("access_token_by_scp_is_accepted", CLIENT, token({**bare, "scp": ["read"]}), **scp)
    for name, scope in {"number": 5, "null": None, "object": {}}.items():
        tok = token({**bare, "scope": scope})
        cases.add(f"scope_that_is_{name}_makes_no_access_token", CLIENT, tok, "not_an_access_token", **policy)
    for use in ("id", "ACCESS", None, ["access"]):
        name = "null" if use is None else "list" if isinstance(use, list) else f"{use.lower()}_{len(use)}"
        tok = token({**bare, "scope": "read", "token_use": use}, {"typ": "at+jwt"})
        cases.add(f"token_use_{name}_is_rejected", CLIENT, tok, "not_an_access_token", **policy)
    for claim in ("nonce", "at_hash", "c_hash"):
        tok = token(of_client(client_id="app-1", token_use="access", **{claim: "x"}), {"typ": "at+jwt"})
        cases.add(f"{claim}_is_rejected_without_audience", CLIENT, tok, "not_an_access_token", **policy)
        with_audience = token({claim: "x"})
        cases.accept(f"{claim}_is_accepted_with_audience", AUD, with_audience)
