"""DPoP proofs, right and wrong, where DPoP is accepted and where it is required.

Times are so far from every limit that they mean the same for minutes: all requests are made before the first is sent.
"""

import base64
import json
import time

from joserfc.jwk import ECKey, OKPKey, RSAKey

from compat.cases import ORIGIN, dpop
from compat.world import b64, sign
from support import ath

RSA_KEY = RSAKey.generate_key(2048)
P384_KEY = ECKey.generate_key("P-384")
ED_KEY = OKPKey.generate_key("Ed25519")
OTHER_KEY = ECKey.generate_key("P-256")
URL = f"{ORIGIN}/private"


def add_to(corpus, world):
    for mode in ("mixed", "required"):
        token = world.prover.token()
        for name, proof in faulty(world, token).items():
            corpus.add(f"proof/{name}/{mode}", mode, dpop(token), ("DPoP", proof))
        add_pairs_of_faults(corpus, world, mode)
    for name, path, htm in METHODS:
        token = world.prover.token()
        proof = world.prover.proof(token, f"{ORIGIN}/private", htm)
        corpus.add(f"method/{name}", "mixed", dpop(token), ("DPoP", proof), method=path)
    add_windows(corpus, world)


def faulty(world, token):
    """Proofs for `token` by what is wrong with them."""
    return {**by_claims(world, token), **by_header(world, token), **by_shape(world, token)}


def by_claims(world, token):
    now = int(time.time())
    changes = {
        "good": {},
        "extra-claim": {"extra": [1, {"a": None}]},
        "jti-missing": {"jti": None},
        "jti-empty": {"jti": ""},
        "jti-blank": {"jti": "  "},
        "jti-number": {"jti": 5},
        "jti-list": {"jti": ["a"]},
        "jti-long": {"jti": "j" * 300},
        "jti-not-ascii": {"jti": "\u00e9\u4e2d"},
        "iat-missing": {"iat": None},
        "iat-text": {"iat": str(now)},
        "iat-list": {"iat": [now]},
        "iat-true": {"iat": True},
        "iat-float": {"iat": now - 0.5},
        "iat-zero": {"iat": 0},
        "iat-negative": {"iat": -5},
        "iat-huge": {"iat": 10**30},
        "iat-old": {"iat": now - 400},
        "iat-just-old-enough": {"iat": now - 100},
        "iat-ahead": {"iat": now + 1000},
        "iat-a-little-ahead": {"iat": now + 15},
        "exp-past": {"exp": now - 1000},
        "exp-future": {"exp": now + 1000},
        "nbf-future": {"nbf": now + 1000},
        "htm-missing": {"htm": None},
        "htm-other": {"htm": "POST"},
        "htm-lower-case": {"htm": "get"},
        "htm-empty": {"htm": ""},
        "htm-number": {"htm": 5},
        "htm-list": {"htm": ["GET"]},
        "htu-missing": {"htu": None},
        "htu-empty": {"htu": ""},
        "htu-number": {"htu": 5},
        "htu-list": {"htu": [URL]},
        "htu-other": {"htu": "https://evil.example/private"},
        "ath-missing": {"ath": None},
        "ath-empty": {"ath": ""},
        "ath-number": {"ath": 5},
        "ath-other": {"ath": ath("another token")},
        "ath-padded": {"ath": f"{ath(token)}="},
        "nonce": {"nonce": "abc"},
        "two-missing": {"jti": None, "htm": None},
        "three-missing": {"ath": None, "iat": None, "htu": None},
        "all-missing": {"jti": None, "iat": None, "htm": None, "htu": None, "ath": None},
        "old-and-other-method": {"iat": 1, "htm": "POST"},
        "other-method-and-url": {"htm": "POST", "htu": "https://evil.example/"},
        "other-url-and-token": {"htu": "https://evil.example/", "ath": "x"},
    }
    return {name: proof_of(world, token, **claims) for name, claims in changes.items()}


def proof_of(world, token, htu=URL, htm="GET", **claims):
    return world.prover.proof(token, htu, htm, **claims)


def by_header(world, token):
    public = world.prover.key.as_dict(private=False)
    private = world.prover.key.as_dict(private=True)
    other_d = OTHER_KEY.as_dict(private=True)["d"]
    changes = {
        "typ-missing": {"typ": None},
        "typ-jwt": {"typ": "JWT"},
        "typ-upper-case": {"typ": "DPOP+JWT"},
        "typ-application": {"typ": "application/dpop+jwt"},
        "typ-number": {"typ": 5},
        "alg-missing": {"alg": None},
        "alg-none": {"alg": "none"},
        "alg-unknown": {"alg": "ES999"},
        "alg-number": {"alg": 5},
        "alg-HS256": {"alg": "HS256"},
        "alg-RS256": {"alg": "RS256"},
        "jwk-missing": {"jwk": None},
        "jwk-empty": {"jwk": {}},
        "jwk-text": {"jwk": "key"},
        "jwk-list": {"jwk": [public]},
        "jwk-private": {"jwk": private},
        "jwk-private-of-another": {"jwk": {**public, "d": other_d}},
        "jwk-rsa": {"jwk": RSA_KEY.as_dict(private=False)},
        "jwk-oct": {"jwk": {"kty": "oct", "k": b64(b"secret")}},
        "jwk-okp": {"jwk": ED_KEY.as_dict(private=False)},
        "jwk-p384": {"jwk": P384_KEY.as_dict(private=False)},
        "jwk-without-kty": {"jwk": {key: value for key, value in public.items() if key != "kty"}},
        "jwk-without-crv": {"jwk": {key: value for key, value in public.items() if key != "crv"}},
        "jwk-without-x": {"jwk": {key: value for key, value in public.items() if key != "x"}},
        "jwk-without-y": {"jwk": {key: value for key, value in public.items() if key != "y"}},
        "jwk-not-on-curve": {"jwk": {**public, "x": b64(b"\1" * 32)}},
        "jwk-x-number": {"jwk": {**public, "x": 5}},
        "jwk-x-short": {"jwk": {**public, "x": b64(b"\1" * 4)}},
        "jwk-x-padded": {"jwk": {**public, "x": public["x"] + "="}},
        "jwk-extra-member": {"jwk": {**public, "extra": "member"}},
        "jwk-use-enc": {"jwk": {**public, "use": "enc"}},
        "jwk-other-key": {"jwk": OTHER_KEY.as_dict(private=False)},
        "crit": {"crit": ["exp"]},
        "b64": {"b64": False},
        "kid": {"kid": "mine"},
        "extra-member": {"extra": 1},
    }
    proofs = {name: world.prover.proof(token, URL, header=header) for name, header in changes.items()}
    proofs["signed-by-another"] = world.prover.proof(token, URL, key=OTHER_KEY)
    proofs["of-another-key"] = world.prover.proof(
        token, URL, key=OTHER_KEY, header={"jwk": OTHER_KEY.as_dict(private=False)}
    )
    rsa = {"typ": "dpop+jwt", "alg": "RS256", "jwk": RSA_KEY.as_dict(private=False)}
    proofs["well-signed-RS256"] = sign(rsa, {"jti": "a", "htm": "GET"}, RSA_KEY)
    p384 = {"typ": "dpop+jwt", "alg": "ES384", "jwk": P384_KEY.as_dict(private=False)}
    proofs["well-signed-ES384"] = sign(p384, {"jti": "a", "htm": "GET"}, P384_KEY, "ES384")
    return proofs


def by_shape(world, token):
    good = world.prover.proof(token, URL)
    header, payload, signature = good.split(".")
    jwk = json.dumps(world.prover.key.as_dict(private=False))
    head = f'{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}'

    def signed(header, payload):
        return sign(header, payload, world.prover.key, "ES256")

    return {
        "junk": "junk",
        "two-segments": f"{header}.{payload}",
        "five-segments": f"{good}.{header}.{payload}",
        "empty-segments": "..",
        "no-signature": f"{header}.{payload}.",
        "signature-cut": good[:-4],
        "signature-of-another": f"{header}.{payload}.{world.prover.proof(token, URL).split('.')[2]}",
        "signature-der-like": f"{header}.{payload}.{b64(b'0' * 70)}",
        "signature-padded": f"{good}==",
        "payload-changed": f"{header}.{b64(b'{}')}.{signature}",
        "header-not-json": f"{b64(b'no json')}.{payload}.{signature}",
        "header-list": signed("[]", "{}"),
        "header-null": signed("null", "{}"),
        "header-text": signed('"dpop+jwt"', "{}"),
        "header-twice-alg": signed(head[:-1] + ',"alg":"ES256"}', good_payload(payload)),
        "payload-not-json": signed(head, "no json"),
        "payload-list": signed(head, "[]"),
        "payload-null": signed(head, "null"),
        "payload-empty-object": signed(head, "{}"),
        "payload-twice-jti": signed(head, good_payload(payload)[:-1] + ',"jti":"other"}'),
        "payload-nan-iat": signed(head, good_payload(payload)[:-1] + ',"iat":NaN}'),
        "payload-infinite-iat": signed(head, good_payload(payload)[:-1] + ',"iat":Infinity}'),
        "long": world.prover.proof(token, URL, x="x" * 20000),
        "the-token-itself": token,
    }


def good_payload(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()


def add_pairs_of_faults(corpus, world, mode):
    """Token and proof both wrong: which one is told."""
    tokens = {
        "expired-token": world.prover.token(exp=1),
        "token-of-another-audience": world.prover.token(aud="other"),
        "unbound-token": world.a.token(),
        "token-bound-to-another": world.a.token(cnf={"jkt": b64(bytes(32))}),
        "token-without-jkt": world.a.token(cnf={"x": "y"}),
        "opaque-token": "opaque",
        "foreign-token": world.prover.token(iss=world.foreign.issuer),
    }
    for name, token in tokens.items():
        proofs = {
            "junk-proof": "junk",
            "old-proof": world.prover.proof(token, URL, iat=1),
            "proof-of-another-token": world.prover.proof(token, URL, ath="x"),
            "proof-with-wrong-type": world.prover.proof(token, URL, header={"typ": "JWT"}),
            "two-proofs": "a.b.c, a.b.c",
        }
        for fault, proof in proofs.items():
            corpus.add(f"both/{name}-and-{fault}/{mode}", mode, dpop(token), ("DPoP", proof))


METHODS = [
    ("post", "POST", "POST"),
    ("post-lower-case", "POST", "post"),
    ("post-as-get", "POST", "GET"),
    ("delete", "DELETE", "DELETE"),
    ("delete-mixed-case", "DELETE", "DeLeTe"),
    ("options-as-get", "OPTIONS", "GET"),
    ("patch-with-space", "PATCH", "PATCH "),
]


def add_windows(corpus, world):
    """Other windows of time than the usual ones."""
    now = int(time.time())
    for name, configuration, iat in (
        ("within-narrow-offset", "narrow", now - 5),
        ("beyond-narrow-offset", "narrow", now - 200),
        ("beyond-narrow-leeway", "narrow", now + 1000),
        ("within-wide-offset", "wide", now - 1000),
        ("within-wide-leeway", "wide", now + 500),
        ("beyond-wide-offset", "wide", now - 100_000),
    ):
        corpus.add(f"window/{name}", configuration, *world.good_headers(iat=iat))
