"""Access tokens, right and wrong: as Bearer with DPoP on and off, and with a good proof."""

import base64
import json
import time

from compat.cases import bearer
from compat.world import AUDIENCE, EC_KEY, HEADER, HMAC_KEY, OTHER_AUDIENCE, b64, claims_of, new_key, sign


def add_to(corpus, world):
    loose = faulty(world, {})
    bound = faulty(world, {"cnf": {"jkt": world.prover.jkt}})
    for name in loose:
        corpus.add(f"token/{name}/mixed-bearer", "mixed", bearer(loose[name]))
        corpus.add(f"token/{name}/off-bearer", "off", bearer(loose[name]))
        for mode in ("mixed", "required"):
            corpus.add(f"token/{name}/{mode}-dpop", mode, *world.good_headers(token=bound[name]))
    for name, claims in issuers(world).items():
        for mode in ("list", "resolver", "resolver-async"):
            corpus.add(f"issuer/{name}/{mode}", mode, bearer(world.a.token(**claims)))
    add_bindings(corpus, world)


def faulty(world, extra):
    """Tokens by what is wrong with them, all with the claims `extra`."""
    return {**by_claims(world, extra), **by_header(world, extra), **by_shape(world, extra)}


def by_claims(world, extra):
    now = int(time.time())
    changes = {
        "good": {},
        "rich": {
            "permissions": ["a", "b"],
            "https://x/roles": {"r": [1, 2.5, None, True]},
            "name": "Zo\u00eb \U0001f600",
        },
        "big-number": {"n": 2**70, "m": -(2**63), "f": 1e300},
        "expired": {"exp": now - 10},
        "expired-long-ago": {"exp": 1},
        "no-exp": {"exp": None},
        "exp-float": {"exp": now + 3600.5},
        "exp-text": {"exp": str(now + 3600)},
        "exp-list": {"exp": [now + 3600]},
        "exp-true": {"exp": True},
        "exp-negative": {"exp": -1},
        "exp-huge": {"exp": 10**30},
        "nbf-future": {"nbf": now + 1000},
        "nbf-past": {"nbf": now - 10},
        "nbf-text": {"nbf": "soon"},
        "no-iat": {"iat": None},
        "iat-future": {"iat": now + 1000},
        "iat-text": {"iat": "yesterday"},
        "iat-float": {"iat": now - 0.5},
        "audience-other": {"aud": OTHER_AUDIENCE},
        "audience-slash": {"aud": f"{AUDIENCE}/"},
        "audience-case": {"aud": AUDIENCE.upper()},
        "audience-missing": {"aud": None},
        "audience-empty": {"aud": ""},
        "audience-list": {"aud": [OTHER_AUDIENCE, AUDIENCE]},
        "audience-list-without": {"aud": [OTHER_AUDIENCE]},
        "audience-list-empty": {"aud": []},
        "audience-list-of-numbers": {"aud": [1, 2]},
        "audience-list-mixed": {"aud": [AUDIENCE, 5]},
        "audience-number": {"aud": 5},
        "audience-object": {"aud": {AUDIENCE: True}},
        "sub-missing": {"sub": None},
        "sub-number": {"sub": 5},
        "iss-missing": {"iss": None},
        "iss-empty": {"iss": ""},
        "iss-number": {"iss": 5},
        "iss-list": {"iss": [world.a.issuer]},
        "iss-foreign": {"iss": world.foreign.issuer},
        "iss-without-slash": {"iss": world.a.issuer.rstrip("/")},
        "iss-upper-case": {"iss": world.a.issuer.upper()},
        "iss-http": {"iss": world.a.issuer.replace("https:", "http:")},
        "iss-path": {"iss": f"{world.a.issuer}path"},
        "iss-user": {"iss": world.a.issuer.replace("https://", "https://user@")},
        "iss-without-scheme": {"iss": world.a.domain},
        "iss-injection": {"iss": 'https://a"\r\nSet-Cookie: x=y/'},
        "iss-quote": {"iss": 'http://a", error="b'},
        "act": {"act": {"sub": "service", "act": {"sub": "other"}}},
        "email": {"email": "a@b.example", "email_verified": True, "azp": "client", "gty": "client-credentials"},
        "expired-and-other-audience": {"exp": 1, "aud": OTHER_AUDIENCE},
        "other-audience-and-no-iat": {"aud": OTHER_AUDIENCE, "iat": None},
    }
    return {name: world.a.token(**extra, **claims) for name, claims in changes.items()}


def by_header(world, extra):
    headers = {
        "kid-missing": {"kid": None},
        "kid-empty": {"kid": ""},
        "kid-unknown": {"kid": "key-2"},
        "kid-number": {"kid": 1},
        "kid-case": {"kid": "KEY-1"},
        "kid-path": {"kid": "../../key-1"},
        "typ-missing": {"typ": None},
        "typ-at-jwt": {"typ": "at+jwt"},
        "typ-application": {"typ": "application/at+jwt"},
        "typ-lower-case": {"typ": "jwt"},
        "typ-id": {"typ": "id+jwt"},
        "typ-logout": {"typ": "logout+jwt"},
        "typ-dpop": {"typ": "dpop+jwt"},
        "typ-number": {"typ": 5},
        "alg-missing": {"alg": None},
        "alg-none": {"alg": "none"},
        "alg-empty": {"alg": ""},
        "alg-number": {"alg": 5},
        "alg-lower-case": {"alg": "rs256"},
        "alg-unknown": {"alg": "XX999"},
        "alg-hs-unknown": {"alg": 'HS", x="'},
        "crit": {"crit": ["exp"]},
        "crit-b64": {"crit": ["b64"], "b64": False},
        "b64-true": {"b64": True},
        "jku": {"jku": "https://evil.example/jwks.json"},
        "x5u": {"x5u": "https://evil.example/cert.pem"},
        "extra-member": {"something": {"else": [1]}},
    }
    tokens = {}
    for name, changes in headers.items():
        header = {key: value for key, value in {**HEADER, **changes}.items() if value is not None}
        tokens[name] = sign(header, claims_of(world.a, **extra), world.a.key)
    return {**tokens, **by_algorithm(world, extra)}


def by_algorithm(world, extra):
    claims, key = claims_of(world.a, scope="openid", **extra), world.a.key
    other = new_key("key-1")
    tokens = {
        f"alg-{alg}": sign({**HEADER, "alg": alg}, claims, key, alg) for alg in ("RS384", "RS512", "PS256", "PS512")
    }
    for alg in ("HS256", "HS384", "HS512"):
        tokens[f"alg-{alg}"] = sign({**HEADER, "alg": alg}, claims, HMAC_KEY, alg)
    tokens["alg-ES256"] = sign({**HEADER, "alg": "ES256"}, claims, EC_KEY, "ES256")
    tokens["other-key"] = sign(HEADER, claims, other)
    tokens["own-key-in-header"] = sign({**HEADER, "jwk": other.as_dict(private=False)}, claims, other)
    tokens["signed-by-PS256-says-RS256"] = sign(HEADER, claims, key, "PS256")
    return tokens


def by_shape(world, extra):
    claims = claims_of(world.a, **extra)
    good = sign(HEADER, claims, world.a.key)
    header, payload, signature = good.split(".")
    text = json.dumps(claims)
    return {
        "opaque": "opaque-token-of-auth0",
        "two-segments": f"{header}.{payload}",
        "four-segments": f"{good}.",
        "five-segments": f"{good}.{header}.{payload}",
        "empty-segments": "..",
        "no-signature": f"{header}.{payload}.",
        "no-header": f".{payload}.{signature}",
        "no-payload": f"{header}..{signature}",
        "signature-cut": good[:-4],
        "signature-padded": f"{good}==",
        "signature-changed": f"{header}.{payload}.{flipped(signature)}",
        "signature-junk": f"{header}.{payload}.!!!!",
        "payload-changed": f"{header}.{flipped(payload)}.{signature}",
        "payload-of-another": f"{header}.{b64(json.dumps({**claims, 'sub': 'admin'}).encode())}.{signature}",
        "standard-alphabet": standard(good),
        "header-not-json": sign("no json", claims, world.a.key),
        "header-list": sign("[]", claims, world.a.key),
        "header-text": sign('"RS256"', claims, world.a.key),
        "header-null": sign("null", claims, world.a.key),
        "header-not-utf8": sign(b'{"alg":"RS256","kid":"\xff"}', claims, world.a.key),
        "header-twice-alg": sign('{"alg":"none","alg":"RS256","kid":"key-1"}', claims, world.a.key),
        "payload-not-json": sign(HEADER, "no json", world.a.key),
        "payload-list": sign(HEADER, f"[{text}]", world.a.key),
        "payload-text": sign(HEADER, '"text"', world.a.key),
        "payload-null": sign(HEADER, "null", world.a.key),
        "payload-number": sign(HEADER, "5", world.a.key),
        "payload-nan": sign(HEADER, text[:-1] + ', "exp": NaN}', world.a.key),
        "payload-infinite-exp": sign(HEADER, text[:-1] + ', "exp": Infinity}', world.a.key),
        "payload-twice-sub": sign(HEADER, text[:-1] + ', "sub": "admin"}', world.a.key),
        "payload-white-space": sign(HEADER, f"  \n{text} \t", world.a.key),
        "payload-bom": sign(HEADER, f"\ufeff{text}", world.a.key),
        "payload-not-utf8": sign(HEADER, text.encode()[:-1] + b',"x":"\xff"}', world.a.key),
        "payload-deep": sign(HEADER, text[:-1] + ', "d": ' + "[" * 40 + "]" * 40 + "}", world.a.key),
        "payload-very-deep": sign(HEADER, text[:-1] + ', "d": ' + "[" * 1500 + "]" * 1500 + "}", world.a.key),
        "payload-lone-surrogate": sign(HEADER, text[:-1] + ', "x": "\\ud800"}', world.a.key),
        "payload-5-kib": sign(HEADER, {**claims, "x": "x" * 5000}, world.a.key),
        "payload-20-kib": sign(HEADER, {**claims, "x": "x" * 20000}, world.a.key),
    }


def flipped(segment):
    return ("B" if segment[0] == "A" else "A") + segment[1:]


def standard(token):
    """The same bytes in the alphabet of base64, which JWS doesn't use."""
    parts = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]
    return ".".join(base64.b64encode(part).decode().rstrip("=") for part in parts)


def issuers(world):
    """`iss` of tokens signed by `a`, for guards that know `a` and `b`."""
    return {
        "a": {"iss": world.a.issuer},
        "b-signed-by-a": {"iss": world.b.issuer},
        "foreign": {"iss": world.foreign.issuer},
        "without-slash": {"iss": world.a.issuer.rstrip("/")},
        "upper-case": {"iss": world.a.issuer.upper()},
        "missing": {"iss": None},
        "number": {"iss": 5},
        "http": {"iss": world.a.issuer.replace("https:", "http:")},
        "path": {"iss": f"{world.a.issuer}path/"},
        "user": {"iss": world.a.issuer.replace("https://", "https://user:pass@")},
        "query": {"iss": f"{world.a.issuer}?x=y"},
        "blank": {"iss": " "},
        "surrounded": {"iss": f" {world.a.issuer} "},
        "expired": {"exp": 1},
        "other-audience": {"aud": OTHER_AUDIENCE},
    }


def add_bindings(corpus, world):
    """`cnf`, as Bearer and with a proof."""
    jkt = world.prover.jkt
    confirmations = {
        "bound": {"jkt": jkt},
        "other-key": {"jkt": b64(bytes(32))},
        "jkt-empty": {"jkt": ""},
        "jkt-number": {"jkt": 5},
        "jkt-null": {"jkt": None},
        "jkt-list": {"jkt": [jkt]},
        "empty-object": {},
        "text": jkt,
        "list": [jkt],
        "null": None,
        "false": False,
        "number": 5,
        "empty-text": "",
        "mutual-tls": {"x5t#S256": b64(bytes(32))},
        "both-methods": {"jkt": jkt, "x5t#S256": b64(bytes(32))},
        "unknown-method": {"jkt": jkt, "new": "method"},
        "jwk": {"jwk": {"kty": "EC"}},
    }
    for name, confirmation in confirmations.items():
        # Not by `Tenant.token`, which leaves out what is None.
        token = sign(HEADER, {**claims_of(world.a), "cnf": confirmation}, world.a.key)
        for mode in ("mixed", "off"):
            corpus.add(f"binding/{name}/{mode}-bearer", mode, bearer(token))
        for mode in ("mixed", "required"):
            corpus.add(f"binding/{name}/{mode}-dpop", mode, *world.good_headers(token=token))
