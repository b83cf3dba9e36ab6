"""The configurations, and what each of them answers to the requests that matter to it."""

from compat.cases import ORIGIN, bearer, dpop
from support import AUDIENCE


def of(world):
    """Configurations by name: `arguments` of `Auth0FastAPI`, and what is set on the app. `app.py` reads them."""
    domain = {"domain": world.a.domain}

    def configured(*, app=None, **arguments):
        return {"arguments": {"audience": AUDIENCE, **arguments}, **(app or {})}

    configurations = {
        "mixed": configured(**domain),
        "off": configured(**domain, dpop_enabled=False),
        "required": configured(**domain, dpop_required=True),
        "list": configured(domains=world.domains),
        "list-required": configured(domains=world.domains, dpop_required=True),
        "list-of-urls": configured(domains=[f"https://{world.a.domain}/", world.b.domain.upper()]),
        "list-and-domain": configured(domain=world.b.domain, domains=[world.a.domain]),
        "proxied": configured(**domain, app={"trust_proxy": True}),
        "not-proxied": configured(**domain, app={"trust_proxy": False}),
        "proxied-by-text": configured(**domain, app={"trust_proxy": "yes"}),
        "narrow": configured(**domain, dpop_iat_offset=120, dpop_iat_leeway=0),
        "wide": configured(**domain, dpop_iat_offset=3600, dpop_iat_leeway=3600),
        "no-cache": configured(**domain, cache_ttl_seconds=0),
        "json-cache": configured(**domain, cache_adapter="=json_cache"),
        "small-cache": configured(**domain, cache_adapter="=small_cache"),
        "broken-cache": configured(**domain, cache_adapter="=broken_cache"),
        "junk-cache": configured(**domain, cache_adapter="=junk_cache"),
        "mounted": configured(**domain, app={"mount": "/v1"}),
        "rooted": configured(**domain, app={"root_path": "/api"}),
        "rooted-and-proxied": configured(**domain, app={"root_path": "/api", "trust_proxy": True}),
        "mounted-and-proxied": configured(**domain, app={"mount": "/v1", "trust_proxy": True}),
        "two-entries": configured(**domain, cache_max_entries=2),
        "handler": configured(**domain, app={"handler": True}),
        "domain-url": configured(domain=f"https://{world.a.domain}"),
        "domain-slash": configured(domain=f"{world.a.domain}/"),
        "domain-upper-case": configured(domain=world.a.domain.upper()),
        "audience-slash": configured(domain=world.a.domain)
        | {"arguments": {"domain": world.a.domain, "audience": f"{AUDIENCE}/"}},
        "fetch-response": configured(**domain, custom_fetch="=fetch_response"),
        "fetch-dict": configured(**domain, custom_fetch="=fetch_dict"),
        "fetch-nothing": configured(**domain, custom_fetch="=fetch_nothing"),
    }
    for name in RESOLVERS:
        configurations[name] = configured(domains=f"=resolve_{name[9:].replace('-', '_')}")
    configurations["resolver"] = configured(domains="=resolve_all")
    configurations["resolver-async"] = configured(domains="=resolve_all_async")
    configurations["resolver-required"] = configured(domains="=resolve_all", dpop_required=True)
    configurations["resolver-raises"] = configured(domains="=resolver_raises")
    configurations["resolver-raises-async"] = configured(domains="=resolver_raises_async")
    configurations["resolver-raises-off"] = configured(domains="=resolver_raises", dpop_enabled=False)
    return configurations


RESOLVERS = [
    "resolver-by-host",
    "resolver-by-issuer",
    "resolver-by-url",
    "resolver-by-credentials",
    "resolver-by-object",
    "resolver-by-partial",
    "resolver-by-lambda",
    "resolver-in-the-main-thread",
    "resolver-in-the-main-thread-async",
    "resolver-urls",
    "resolver-none",
    "resolver-text",
    "resolver-tuple",
    "resolver-empty",
    "resolver-blank",
    "resolver-number",
    "resolver-http",
    "resolver-path",
    "resolver-other",
]


def add_to(corpus, world):
    for name in of(world):
        add_usual(corpus, world, name)
    for name in ("list", "list-of-urls", "list-and-domain", "resolver", "resolver-async", "resolver-urls"):
        corpus.add(f"configuration/{name}/token-of-b", name, bearer(world.b.token()))
        corpus.add(f"configuration/{name}/foreign", name, bearer(world.foreign.token()))
    for host in ("brand.example", "api.example.com"):
        for tenant in "ab":
            token = getattr(world, tenant).token()
            corpus.add(f"resolver-by-host/{host}/{tenant}", "resolver-by-host", bearer(token), host=host)
    corpus.add("resolver-by-url/other-path", "resolver-by-url", bearer(world.a.token()), path="/sync")
    for slash in ("", "/"):
        token = world.a.token(aud=f"{AUDIENCE}{slash}")
        corpus.add(f"audience{slash or '-bare'}", "audience-slash", bearer(token))
    for name, (configuration, path, htu, fields) in PREFIXES.items():
        token = world.prover.token()
        proof = world.prover.proof(token, f"{ORIGIN}{htu}")
        corpus.add(f"prefix/{name}", configuration, *fields, dpop(token), ("DPoP", proof), path=path)
    shop = [("X-Forwarded-Host", "shop.example")]
    for name in ("proxied", "proxied-by-text"):
        headers = world.good_headers(origin="http://shop.example")
        corpus.add(f"configuration/{name}/forwarded", name, *shop, *headers)


# Configuration, path of the request, what the proof says, and what a proxy says.
PREFIXES = {
    "mounted/whole": ("mounted", "/v1/private", "/v1/private", []),
    "mounted/without-prefix": ("mounted", "/v1/private", "/private", []),
    "mounted/twice": ("mounted", "/v1/private", "/v1/v1/private", []),
    "mounted/escaped": ("mounted", "/v1/items/a%20b", "/v1/items/a%20b", []),
    "mounted/bearer-path": ("mounted", "/private", "/private", []),
    "rooted/stripped-and-whole": ("rooted", "/private", "/api/private", []),
    "rooted/stripped": ("rooted", "/private", "/private", []),
    "rooted/kept-and-whole": ("rooted", "/api/private", "/api/private", []),
    "rooted/kept": ("rooted", "/api/private", "/private", []),
    "rooted/kept-and-twice": ("rooted", "/api/private", "/api/api/private", []),
    "rooted-and-proxied/stripped": ("rooted-and-proxied", "/private", "/api/private", [("X-Forwarded-Prefix", "/api")]),
    "rooted-and-proxied/other-prefix": (
        *("rooted-and-proxied", "/private", "/x/private"),
        [("X-Forwarded-Prefix", "/x")],
    ),
    "rooted-and-proxied/both-prefixes": (
        *("rooted-and-proxied", "/private", "/x/api/private"),
        [("X-Forwarded-Prefix", "/x")],
    ),
    "rooted-and-proxied/none": ("rooted-and-proxied", "/private", "/private", []),
    "mounted-and-proxied/stripped": (
        *("mounted-and-proxied", "/v1/private", "/api/v1/private"),
        [("X-Forwarded-Prefix", "/api")],
    ),
}


def add_usual(corpus, world, name):
    """What a client may meet anywhere."""
    corpus.add(f"configuration/{name}/no-token", name)
    corpus.add(f"configuration/{name}/bearer", name, bearer(world.a.token()))
    corpus.add(f"configuration/{name}/expired", name, bearer(world.a.token(exp=1)))
    corpus.add(f"configuration/{name}/dpop", name, *world.good_headers())
    corpus.add(f"configuration/{name}/dpop-expired", name, *world.good_headers(token=world.prover.token(exp=1)))
    corpus.add(f"configuration/{name}/dpop-old-proof", name, *world.good_headers(iat=1))
    corpus.add(f"configuration/{name}/lacks-scope", name, bearer(world.a.token(scope="x")), path="/messages")
