"""The Authorization field: schemes, white space, what goes together."""

from compat.cases import Case, Step, bearer, dpop, request

# DPoP accepted beside Bearer, refused, and required.
MODES = ("mixed", "off", "required")


def add_to(corpus, world):
    token = world.a.token()
    for mode in MODES:
        for name, headers in fields(token).items():
            corpus.add(f"credentials/{name}/{mode}", mode, *headers)
        add_pairs(corpus, world, mode)
        add_routes(corpus, world, mode)
    add_replays(corpus, world)


def fields(token):
    """Requests without a proof."""
    return {
        "none": [],
        "other-field": [("Authorisation", f"Bearer {token}")],
        "empty": [("Authorization", "")],
        "blank": [("Authorization", "   ")],
        "bearer": [bearer(token)],
        "bearer-lower-case": [("authorization", f"bearer {token}")],
        "bearer-upper-case": [("AUTHORIZATION", f"BEARER {token}")],
        "bearer-many-spaces": [("Authorization", f"Bearer    {token}")],
        "bearer-tab": [("Authorization", f"Bearer\t{token}")],
        "bearer-space-after": [("Authorization", f"Bearer {token}   ")],
        "bearer-alone": [("Authorization", "Bearer")],
        "bearer-and-space": [("Authorization", "Bearer ")],
        "bearer-two-tokens": [("Authorization", f"Bearer {token} {token}")],
        "bearer-comma": [("Authorization", f"Bearer {token}, Bearer {token}")],
        "bearer-comma-without-space": [("Authorization", f"Bearer {token},{token}")],
        "bearer-quoted": [("Authorization", f'Bearer "{token}"')],
        "bearer-parameter": [("Authorization", f"Bearer token={token}")],
        "bearer-colon": [("Authorization", f"Bearer: {token}")],
        "bearer-as-python-bytes": [("Authorization", f"Bearer b'{token}'")],
        "token-without-scheme": [("Authorization", token)],
        "basic": [("Authorization", "Basic dXNlcjpwYXNz")],
        "basic-alone": [("Authorization", "Basic")],
        "token-scheme": [("Authorization", f"Token {token}")],
        "digest": [("Authorization", 'Digest username="a", realm="b"')],
        "not-ascii": [("Authorization", "Bearer \u00e9\u00e8")],
        "scheme-not-ascii": [("Authorization", f"B\u00e9arer {token}")],
        "dpop-without-proof": [dpop(token)],
        "dpop-empty-proof": [dpop(token), ("DPoP", "")],
        "dpop-alone": [("Authorization", "DPoP")],
        "bearer-twice": [bearer(token), bearer(token)],
        "bearer-then-basic": [bearer(token), ("Authorization", "Basic dXNlcjpwYXNz")],
        "basic-then-bearer": [("Authorization", "Basic dXNlcjpwYXNz"), bearer(token)],
        "empty-then-bearer": [("Authorization", ""), bearer(token)],
        "cookie": [("Cookie", f"Authorization={token}")],
        "query": [("X-Access-Token", token)],
    }


def add_pairs(corpus, world, mode):
    """Requests with a proof."""
    bound, loose = world.prover.token(), world.a.token()
    proof = world.prover.proof
    url = "http://api.example.com/private"
    pairs = {
        "dpop": [dpop(bound), ("DPoP", proof(bound, url))],
        "dpop-lower-case": [("authorization", f"dpop {bound}"), ("dpop", proof(bound, url))],
        "dpop-unbound-token": [dpop(loose), ("DPoP", proof(loose, url))],
        "bearer-bound-token": [bearer(bound)],
        "bearer-bound-token-and-proof": [bearer(bound), ("DPoP", proof(bound, url))],
        "bearer-and-proof": [bearer(loose), ("DPoP", proof(loose, url))],
        "bearer-and-empty-proof": [bearer(loose), ("DPoP", "")],
        "bearer-and-junk-proof": [bearer(loose), ("DPoP", "junk")],
        "bad-bearer-and-proof": [bearer(world.a.token(exp=1)), ("DPoP", proof(loose, url))],
        "proof-without-authorization": [("DPoP", proof(bound, url))],
        "basic-and-proof": [("Authorization", "Basic dXNlcjpwYXNz"), ("DPoP", proof(bound, url))],
        "dpop-then-bearer": [dpop(bound), bearer(bound), ("DPoP", proof(bound, url))],
        "bearer-then-dpop": [bearer(loose), dpop(bound), ("DPoP", proof(bound, url))],
        "two-proof-fields": [dpop(bound), ("DPoP", proof(bound, url)), ("DPoP", proof(bound, url))],
        "two-proofs-in-one-field": [dpop(bound), ("DPoP", f"{proof(bound, url)}, {proof(bound, url)}")],
        "good-then-junk-proof": [dpop(bound), ("DPoP", proof(bound, url)), ("DPoP", "junk")],
        "proof-with-comma-after": [dpop(bound), ("DPoP", f"{proof(bound, url)},")],
    }
    for name, headers in pairs.items():
        corpus.add(f"pairs/{name}/{mode}", mode, *headers)


def add_routes(corpus, world, mode):
    """The kinds of routes, and the scopes they want, with Bearer or, where that is refused, DPoP."""
    for name, scope in SCOPES.items():
        for path in ("/messages", "/both", "/spaced"):
            corpus.add(f"scopes/{name}{path}/{mode}", mode, *credentials(world, mode, path, scope=scope), path=path)
    for path in ("/sync", "/decorated", "/nested", "/public"):
        corpus.add(f"routes{path}/{mode}", mode, *credentials(world, mode, path), path=path)
        corpus.add(f"routes{path}-without-token/{mode}", mode, path=path)
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        headers = credentials(world, mode, "/private", method=method)
        corpus.add(f"routes/{method}/{mode}", mode, *headers, method=method)
    if mode != "required":
        corpus.add(f"scopes/dpop-lacks-one/{mode}", mode, *credentials(world, "required", "/both"), path="/both")


SCOPES = {
    "all": "write:messages openid read:messages",
    "one": "read:messages",
    "none": None,
    "empty": "",
    "longer": "read:messages2 xread:messages",
    "other-case": "READ:MESSAGES WRITE:MESSAGES",
    "tabs": "read:messages\twrite:messages\nopenid",
    "commas": "read:messages,write:messages",
    "list": ["read:messages", "write:messages", "openid"],
    "empty-list": [],
    "object": {"read:messages": True, "write:messages": True},
    "number": 5,
    "true": True,
}


def credentials(world, mode, path, *, method="GET", **claims):
    if mode == "required":
        return world.good_headers(path, method=method, token=world.prover.token(**claims))
    return [bearer(world.a.token(**claims))]


def add_replays(corpus, world):
    """The same request again."""
    for mode in MODES:
        good = credentials(world, mode, "/private")
        steps = [Step(request("/private", good))] * 2
        corpus.put(Case(f"again/credentials/{mode}", mode, steps))
    other_path = world.good_headers("/items/1")
    steps = [Step(request("/private", other_path)), Step(request("/items/1", other_path))]
    corpus.put(Case("again/refused-then-good", "mixed", steps))
    token = world.prover.token()
    steps = [
        Step(request("/private", world.good_headers(token=token, jti="same"))),
        Step(request("/sync", world.good_headers("/sync", token=token, jti="same"))),
    ]
    corpus.put(Case("again/same-jti-in-another-proof", "mixed", steps))
