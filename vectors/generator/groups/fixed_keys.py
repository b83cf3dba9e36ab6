"""Keys that are configured instead of discovered, and addresses in private networks. Steps 5 and 6."""

from __future__ import annotations

import json

from ..case import DISCOVERY_URL, Group, discovery, token
from ..keys import auth0_jwk

SPEC = "RFC 7517 section 5"
ELSEWHERE = "https://keys.example.net/jwks"
PRIVATE = "https://172.18.0.5/jwks"


def group() -> Group:
    cases = Group("fixed_keys")
    good, other = token(), token(key="rsa-b")
    at = {"policy": {"jwks_uri": ELSEWHERE}, "docs": {ELSEWHERE: {"file": "key-set-old"}}}
    cases.accept("keys_at_a_configured_url_are_used", SPEC, good, fetched=[ELSEWHERE], **at)
    cases.add("key_that_is_not_there_is_rejected", SPEC, other, "unknown_kid", fetched=[ELSEWHERE], **at)
    cases.add("other_iss_is_rejected_with_a_configured_url", SPEC, token({"iss": "https://a.example/"}), "other_issuer")
    cases.add(
        "other_spelling_of_iss_is_rejected_with_a_configured_url",
        SPEC,
        token({"iss": "https://tenant.example.com"}),
        "issuer_mismatch",
        fetched=[ELSEWHERE],
        **at,
    )
    inside = {"policy": {"jwks_uri": PRIVATE}, "docs": {PRIVATE: {"file": "key-set-old"}}}
    cases.accept("configured_url_may_be_private", SPEC, good, fetched=[PRIVATE], **inside)
    text = json.dumps({"keys": [auth0_jwk("rsa-a")]})
    own = {"policy": {"jwks": text}, "docs": {}, "fetched": []}
    cases.accept("configured_keys_are_used", SPEC, good, **own)
    cases.add("key_that_is_not_configured_is_rejected", SPEC, other, "unknown_kid", **own)
    cases.add(
        "forged_token_is_rejected_with_configured_keys",
        SPEC,
        token(key="attacker-rsa", header={"kid": "rsa-a"}),
        "signature_invalid",
        **own,
    )
    docs = {DISCOVERY_URL: discovery(jwks_uri=PRIVATE), PRIVATE: {"file": "key-set-old"}}
    spec = "RFC 9700 section 4"
    cases.add(
        "private_address_is_not_asked_by_default", spec, good, "unavailable", docs=docs, fetched=[DISCOVERY_URL]
    )
    allowed = {"policy": {"allow_private_jwks": True}}
    cases.accept("private_address_is_asked_if_allowed", spec, good, docs=docs, fetched=[DISCOVERY_URL, PRIVATE], **allowed)
    link = "https://169.254.169.254/latest"
    cases.add(
        "link_local_address_is_never_asked",
        spec,
        good,
        "unavailable",
        docs={DISCOVERY_URL: discovery(jwks_uri=link), link: {"file": "key-set-old"}},
        fetched=[DISCOVERY_URL],
        **allowed,
    )
    return cases
