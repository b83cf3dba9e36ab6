"""Discovery documents and key sets, as an issuer gone wrong gives them. Each case has a guard of its own."""

import base64
import gzip
import json

from compat.cases import Case, Step, bearer, request
from compat.world import EC_KEY, HEADER, claims_of, new_key, sign

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/.well-known/jwks.json"

WEAK_KEY = new_key("key-1", bits=1024)
NEW_KEY = new_key("key-2")


def add_to(corpus, world):
    token = world.a.token()
    for kind, path in (("discovery", DISCOVERY), ("keys", JWKS)):
        for name, answer in broken(world).items():
            for mode in ("mixed", "list") if name in ("down", "404") else ("mixed",):
                corpus.add(f"{kind}/{name}/{mode}", mode, bearer(token), documents={path: answer})
        corpus.add(f"{kind}/down/dpop", "required", *world.good_headers(), documents={path: broken(world)["down"]})
        corpus.add(f"{kind}/down/off", "off", bearer(token), documents={path: broken(world)["down"]})
    for name, changes in metadata(world).items():
        document = {"issuer": world.a.issuer, "jwks_uri": world.a.jwks_url, **changes}
        document = {key: value for key, value in document.items() if value is not LEFT_OUT}
        documents = {DISCOVERY: good(document), f"{JWKS}?v=2": good({"keys": [world.a.key.as_dict(private=False)]})}
        for mode in ("mixed", "list"):
            corpus.add(f"discovery/{name}/{mode}", mode, bearer(token), documents=documents)
    for name, keys in key_sets(world).items():
        corpus.add(f"keys/{name}", "mixed", bearer(token), documents={JWKS: good(keys)})
    weak = {JWKS: good({"keys": [WEAK_KEY.as_dict(private=False)]})}
    corpus.add("keys/weak-and-used", "mixed", bearer(world.a.token(key=WEAK_KEY)), documents=weak)
    add_courses(corpus, world)


def good(document, **headers):
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()


def hang_up(handler):
    """Close the connection without a word."""


def broken(world):
    """Answers that hold no document."""
    return {
        "down": hang_up,
        "404": (404, {}, b"not found"),
        "429": (429, {"Retry-After": "60"}, b"slow down"),
        "500": (500, {}, b"oops"),
        "503-json": (503, {}, b'{"error": "unavailable"}'),
        "redirect": (302, {"Location": world.b.jwks_url}, b""),
        "html": (200, {"Content-Type": "text/html"}, b"<html>down for maintenance</html>"),
        "empty": (200, {}, b""),
        "204": (204, {}, b""),
        "cut": (200, {}, b'{"issuer": "https://'),
        "list": (200, {}, b"[]"),
        "text": (200, {}, b'"text"'),
        "null": (200, {}, b"null"),
        "number": (200, {}, b"5"),
        "empty-object": (200, {}, b"{}"),
        "not-utf8": (200, {}, b'{"issuer": "\xff"}'),
    }


LEFT_OUT = object()


def metadata(world):
    """Changes of a discovery document."""
    return {
        "as-usual": {},
        "extra-members": {"token_endpoint": "https://x/oauth/token", "scopes_supported": ["openid"], "x": {"y": 1}},
        "issuer-missing": {"issuer": LEFT_OUT},
        "issuer-null": {"issuer": None},
        "issuer-empty": {"issuer": ""},
        "issuer-number": {"issuer": 5},
        "issuer-list": {"issuer": [world.a.issuer]},
        "issuer-http": {"issuer": world.a.issuer.replace("https", "http")},
        "issuer-of-another": {"issuer": world.b.issuer},
        "issuer-without-slash": {"issuer": world.a.issuer.rstrip("/")},
        "issuer-upper-case": {"issuer": world.a.issuer.upper()},
        "issuer-with-path": {"issuer": f"{world.a.issuer}path"},
        "issuer-with-user": {"issuer": world.a.issuer.replace("https://", "https://u@")},
        "jwks-uri-missing": {"jwks_uri": LEFT_OUT},
        "jwks-uri-null": {"jwks_uri": None},
        "jwks-uri-empty": {"jwks_uri": ""},
        "jwks-uri-number": {"jwks_uri": 5},
        "jwks-uri-http": {"jwks_uri": world.a.jwks_url.replace("https", "http")},
        "jwks-uri-relative": {"jwks_uri": JWKS},
        "jwks-uri-of-another": {"jwks_uri": world.b.jwks_url},
        "jwks-uri-with-user": {"jwks_uri": world.a.jwks_url.replace("https://", "https://u:p@")},
        "jwks-uri-file": {"jwks_uri": "file:///etc/passwd"},
        "jwks-uri-with-query": {"jwks_uri": f"{world.a.jwks_url}?v=2"},
    }


def key_sets(world):
    key = world.a.key.as_dict(private=False)
    other = new_key("key-1").as_dict(private=False)
    bare = {name: value for name, value in key.items() if name in ("kty", "n", "e")}
    return {
        "as-usual": {"keys": [key]},
        "extra-members": {"keys": [{**key, "x5t": "abc", "x5c": ["abc"]}], "more": 1},
        "two-keys": {"keys": [NEW_KEY.as_dict(private=False), key]},
        "none": {"keys": []},
        "keys-missing": {"key": [key]},
        "keys-null": {"keys": None},
        "keys-object": {"keys": {"key-1": key}},
        "keys-text": {"keys": "key-1"},
        "bare-list": [key],
        "other-kid": {"keys": [{**key, "kid": "key-9"}]},
        "without-kid": {"keys": [bare]},
        "kid-number": {"keys": [{**key, "kid": 1}]},
        "kid-null": {"keys": [{**key, "kid": None}]},
        "without-use-and-alg": {"keys": [{**bare, "kid": "key-1"}]},
        "use-enc": {"keys": [{**key, "use": "enc"}]},
        "use-number": {"keys": [{**key, "use": 5}]},
        "alg-RS512": {"keys": [{**key, "alg": "RS512"}]},
        "alg-HS256": {"keys": [{**key, "alg": "HS256"}]},
        "key-ops-verify": {"keys": [{**bare, "kid": "key-1", "key_ops": ["verify"]}]},
        "key-ops-sign": {"keys": [{**bare, "kid": "key-1", "key_ops": ["sign"]}]},
        "key-ops-encrypt": {"keys": [{**bare, "kid": "key-1", "key_ops": ["encrypt"]}]},
        "private": {"keys": [world.a.key.as_dict(private=True)]},
        "weak": {"keys": [WEAK_KEY.as_dict(private=False)]},
        "ec": {"keys": [EC_KEY.as_dict(private=False)]},
        "oct": {"keys": [{"kty": "oct", "kid": "key-1", "k": base64.urlsafe_b64encode(b"x" * 32).decode()}]},
        "unknown-kty": {"keys": [{"kty": "XYZ", "kid": "key-1"}]},
        "kty-missing": {"keys": [{name: value for name, value in key.items() if name != "kty"}]},
        "n-missing": {"keys": [{name: value for name, value in key.items() if name != "n"}]},
        "n-junk": {"keys": [{**key, "n": "!!!"}]},
        "n-number": {"keys": [{**key, "n": 5}]},
        "n-padded": {"keys": [{**key, "n": f"{key['n']}=="}]},
        "e-even": {"keys": [{**key, "e": "Ag"}]},
        "other-key": {"keys": [other]},
        "same-kid-wrong-first": {"keys": [other, key]},
        "same-kid-right-first": {"keys": [key, other]},
        "junk-text-first": {"keys": ["junk", key]},
        "junk-text-last": {"keys": [key, "junk"]},
        "junk-null-first": {"keys": [None, key]},
        "junk-number-first": {"keys": [5, key]},
        "junk-object-first": {"keys": [{}, key]},
        "unusable-first": {"keys": [{"kty": "XYZ", "kid": "key-0"}, key]},
        "unusable-with-same-kid-first": {"keys": [{"kty": "XYZ", "kid": "key-1"}, key]},
        "many": {"keys": [{**key, "kid": f"other-{n}"} for n in range(40)] + [key]},
    }


def add_courses(corpus, world):
    """What happens as documents change."""
    token = bearer(world.a.token())
    new_token = bearer(sign({**HEADER, "kid": "key-2"}, claims_of(world.a), NEW_KEY))
    down = {DISCOVERY: hang_up, JWKS: hang_up}
    rotated = {JWKS: good({"keys": [NEW_KEY.as_dict(private=False)]})}
    both = {JWKS: good({"keys": [world.a.key.as_dict(private=False), NEW_KEY.as_dict(private=False)]})}
    fleeting = {
        DISCOVERY: good({"issuer": world.a.issuer, "jwks_uri": world.a.jwks_url}, **{"Cache-Control": "max-age=0"}),
        JWKS: good({"keys": [world.a.key.as_dict(private=False)]}, **{"Cache-Control": "max-age=0"}),
    }
    zipped = {
        JWKS: (
            200,
            {"Content-Encoding": "gzip"},
            gzip.compress(json.dumps({"keys": [world.a.key.as_dict(private=False)]}).encode()),
        )
    }
    courses = {
        "kept": ("mixed", [(token, None), (token, down)]),
        "rotated": ("mixed", [(token, None), (new_token, rotated), (token, rotated)]),
        "added": ("mixed", [(token, None), (new_token, both), (token, both)]),
        "unknown-again": ("mixed", [(token, None), (new_token, None), (token, None)]),
        "not-kept": ("no-cache", [(token, None), (token, None), (token, down)]),
        "max-age-0": ("mixed", [(token, fleeting), (token, down)]),
        "zipped": ("mixed", [(token, zipped)]),
        "cached-in-json": ("json-cache", [(token, None), (token, down)]),
        "cached-in-own": ("small-cache", [(token, None), (token, down)]),
    }
    for name, (configuration, steps) in courses.items():
        steps = [Step(request("/private", [header]), documents) for header, documents in steps]
        corpus.put(Case(f"course/{name}", configuration, steps, apart=True))
