"""Keys that come and go while the verifier runs: "Keeping keys"."""

from __future__ import annotations

from typing import Any

from ..case import DISCOVERY_URL, JWKS_URL, MISSING, NOW, Group, documents, key_set, raw_document, token
from ..keys import jwk

SPEC = "OpenID Connect Core 1.0 section 10.1.1"
OLD = {"file": "key-set-old"}
BOTH = [DISCOVERY_URL, JWKS_URL]


def group() -> Group:
    cases = Group("rotation")
    old, new = token(), token(key="rsa-b")
    unknown = token(header={"kid": "unknown"})
    warm = cases.step(old, "verified", NOW - 60, BOTH)

    def add(
        name: str, tok: Any, expect: str, then: dict[str, Any], fetched: list[str], before: list[dict[str, Any]]
    ) -> None:
        cases.add(name, SPEC, tok, expect, docs=documents({**OLD, "then": then}), fetched=fetched, before=before)

    added = {"file": "key-set"}
    add("new_key_is_fetched_once_it_is_needed", new, "verified", added, [JWKS_URL], [warm])
    add("kept_keys_are_used_without_fetching", old, "verified", added, [], [warm])
    replaced = {"file": "key-set-new"}
    add(
        "withdrawn_key_is_not_used_after_the_refetch",
        old,
        "unknown_kid",
        replaced,
        [],
        [warm, cases.step(new, "verified", NOW - 20, [JWKS_URL])],
    )
    # Keys that were fetched for the request itself are all there are; the next request may find more.
    cold = cases.step(unknown, "unknown_kid", NOW - 1, BOTH)
    add("new_key_is_found_right_after_an_unknown_one", new, "verified", added, [JWKS_URL], [cold])
    add("unknown_kid_is_rejected_after_one_refetch", unknown, "unknown_kid", added, [JWKS_URL], [warm])
    add(
        "second_unknown_kid_fetches_nothing",
        token(header={"kid": "unknown-2"}),
        "unknown_kid",
        OLD,
        [],
        [warm, cases.step(unknown, "unknown_kid", NOW - 10, [JWKS_URL])],
    )
    cooled = cases.step(unknown, "unknown_kid", NOW - 40, [JWKS_URL])
    add(
        "unknown_kid_is_looked_for_again_after_the_cooldown",
        unknown,
        "unknown_kid",
        OLD,
        [JWKS_URL],
        [cases.step(old, "verified", NOW - 90, BOTH), cooled],
    )
    # Whether the key is published can't be known: 503, not 401.
    broken = cases.step(unknown, "unavailable", NOW - 20, [JWKS_URL])
    for name, then in {
        "html": raw_document("<html>Bad gateway</html>"),
        "empty_set": raw_document('{"keys":[]}'),
        "failure": MISSING,
    }.items():
        add(f"good_keys_are_kept_when_the_refetch_gives_{name}", old, "verified", then, [], [warm, broken])
    junk = key_set({"kty": "AKP", "kid": "x"}, jwk("rsa-1024", kid="rsa-b"), jwk("rsa-a"))
    add("new_key_that_is_unusable_is_rejected", new, "unusable_key", junk, [JWKS_URL], [warm])
    cases.accept(
        "discovery_is_not_fetched_again",
        SPEC,
        old,
        fetched=[],
        before=[warm, cases.step(old, "verified", NOW - 30, [])],
    )
    return cases
