"""`htu`, and the URL that a client used: spellings, ports, proxies."""

from compat.cases import dpop

# Path of the request; what the proof says.
SPELLINGS = {
    "same": ("/private", "http://api.example.com/private"),
    "query-in-request": ("/private?a=1&b=2", "http://api.example.com/private"),
    "query-in-proof": ("/private", "http://api.example.com/private?a=1"),
    "fragment-in-proof": ("/private", "http://api.example.com/private#x"),
    "scheme-upper-case": ("/private", "HTTP://api.example.com/private"),
    "host-upper-case": ("/private", "http://API.EXAMPLE.com/private"),
    "default-port": ("/private", "http://api.example.com:80/private"),
    "other-port": ("/private", "http://api.example.com:8080/private"),
    "port-of-https": ("/private", "http://api.example.com:443/private"),
    "https": ("/private", "https://api.example.com/private"),
    "path-upper-case": ("/private", "http://api.example.com/PRIVATE"),
    "slash-at-end": ("/private", "http://api.example.com/private/"),
    "dot-segment-in-proof": ("/private", "http://api.example.com/x/../private"),
    "double-slash-in-proof": ("/private", "http://api.example.com//private"),
    "user-in-proof": ("/private", "http://user@api.example.com/private"),
    "dot-after-host": ("/private", "http://api.example.com./private"),
    "relative": ("/private", "/private"),
    "without-scheme": ("/private", "api.example.com/private"),
    "space-around": ("/private", " http://api.example.com/private "),
    "tab-within": ("/private", "http://api.example.com/pri\tvate"),
    "newline-within": ("/private", "http://api.example.com/pri\nvate"),
    "backslash": ("/private", "http://api.example.com\\private"),
    "three-slashes": ("/private", "http:///api.example.com/private"),
    "no-slashes": ("/private", "http:api.example.com/private"),
    "not-ascii-host": ("/private", "http://api.ex\u00e4mple.com/private"),
    "full-width-host": ("/private", "http://\uff41pi.example.com/private"),
    "escaped-letter-in-proof": ("/private", "http://api.example.com/%70rivate"),
    "escaped-letter-in-request": ("/%70rivate", "http://api.example.com/private"),
    "escaped-letter-in-both": ("/%70rivate", "http://api.example.com/%70rivate"),
    "escaped-space": ("/items/a%20b", "http://api.example.com/items/a%20b"),
    "escaped-space-other-case": ("/items/a%2fb", "http://api.example.com/items/a%2Fb"),
    "escaped-slash-and-slash": ("/items/a%2Fb", "http://api.example.com/items/a/b"),
    "slash-and-escaped-slash": ("/items/a/b", "http://api.example.com/items/a%2Fb"),
    "escaped-percent": ("/items/100%25", "http://api.example.com/items/100%25"),
    "escaped-question-mark": ("/items/a%3Fb", "http://api.example.com/items/a%3Fb"),
    "escaped-hash": ("/items/a%23b", "http://api.example.com/items/a%23b"),
    "escaped-umlaut": ("/items/%C3%A4", "http://api.example.com/items/%C3%A4"),
    "umlaut-in-proof": ("/items/%C3%A4", "http://api.example.com/items/\u00e4"),
    "escaped-latin-1": ("/items/%E4", "http://api.example.com/items/%E4"),
    "escaped-tilde": ("/items/%7Ea", "http://api.example.com/items/~a"),
    "tilde-escaped-in-proof": ("/items/~a", "http://api.example.com/items/%7Ea"),
    "plus": ("/items/a+b", "http://api.example.com/items/a+b"),
    "colon-and-at": ("/items/a:b@c", "http://api.example.com/items/a:b@c"),
    "semicolon": ("/items/a;v=1", "http://api.example.com/items/a;v=1"),
    "comma-and-star": ("/items/a,b*c", "http://api.example.com/items/a,b*c"),
    "brackets": ("/items/[a]", "http://api.example.com/items/[a]"),
    "pipe": ("/items/a|b", "http://api.example.com/items/a|b"),
    "braces": ("/items/{a}", "http://api.example.com/items/{a}"),
    "caret": ("/items/a^b", "http://api.example.com/items/a^b"),
    "braces-escaped-in-proof": ("/items/{a}", "http://api.example.com/items/%7Ba%7D"),
    "brackets-escaped-in-proof": ("/items/[a]", "http://api.example.com/items/%5Ba%5D"),
    "apostrophe": ("/items/it's", "http://api.example.com/items/it's"),
    "double-slash-in-both": ("/items//a", "http://api.example.com/items//a"),
    "dot-segment-in-request": ("/items/a/../b", "http://api.example.com/items/b"),
    "dot-segment-in-both": ("/items/a/../b", "http://api.example.com/items/a/../b"),
    "single-dot": ("/items/./b", "http://api.example.com/items/b"),
    "empty-query": ("/private?", "http://api.example.com/private"),
    "query-with-brackets": ("/private?filter[name]=a", "http://api.example.com/private"),
    "query-with-brackets-in-both": ("/private?filter[name]=a", "http://api.example.com/private?filter[name]=a"),
    "query-with-pipe": ("/private?a|b", "http://api.example.com/private"),
    "query-with-braces": ("/private?q={a}", "http://api.example.com/private"),
    "query-with-quotes": ('/private?q="a"', "http://api.example.com/private"),
    "query-with-caret": ("/private?q=a^b", "http://api.example.com/private"),
    "query-with-percent": ("/private?q=100%", "http://api.example.com/private"),
    "query-with-latin-1": ("/private?q=\u00e4", "http://api.example.com/private"),
    "query-with-fragment-sign": ("/private?a=%23", "http://api.example.com/private"),
}

# Host field; what the proof says.
HOSTS = {
    "upper-case": ("API.Example.COM", "http://api.example.com/private"),
    "with-default-port": ("api.example.com:80", "http://api.example.com/private"),
    "with-port": ("api.example.com:8080", "http://api.example.com:8080/private"),
    "with-port-proof-without": ("api.example.com:8080", "http://api.example.com/private"),
    "ip": ("10.1.2.3", "http://10.1.2.3/private"),
    "ipv6": ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080/private"),
    "localhost": ("localhost:3000", "http://localhost:3000/private"),
    "underscore": ("my_service:8000", "http://my_service:8000/private"),
    "of-another": ("evil.example", "http://api.example.com/private"),
    "with-path": ("api.example.com/private", "http://api.example.com/private/private"),
    "with-user": ("user@api.example.com", "http://api.example.com/private"),
    "with-space": ("api example", "http://api.example.com/private"),
    "dot-at-end": ("api.example.com.", "http://api.example.com./private"),
    "punycode": ("xn--bcher-kva.example", "http://xn--bcher-kva.example/private"),
}

# Fields that a proxy writes; what the proof says.
PROXIES = {
    "none": ([], "http://api.example.com/private"),
    "proto": ([("X-Forwarded-Proto", "https")], "https://api.example.com/private"),
    "proto-upper-case": ([("X-Forwarded-Proto", "HTTPS")], "https://api.example.com/private"),
    "proto-unknown": ([("X-Forwarded-Proto", "gopher")], "http://api.example.com/private"),
    "proto-list": ([("X-Forwarded-Proto", "https, http")], "https://api.example.com/private"),
    "proto-ignored": ([("X-Forwarded-Proto", "https")], "http://api.example.com/private"),
    "host": ([("X-Forwarded-Host", "shop.example")], "http://shop.example/private"),
    "host-port": ([("X-Forwarded-Host", "shop.example:8443")], "http://shop.example:8443/private"),
    "host-ignored": ([("X-Forwarded-Host", "shop.example")], "http://api.example.com/private"),
    "host-empty": ([("X-Forwarded-Host", "")], "http://api.example.com/private"),
    "host-list-first": ([("X-Forwarded-Host", "first.example, last.example")], "http://first.example/private"),
    "host-list-last": ([("X-Forwarded-Host", "first.example, last.example")], "http://last.example/private"),
    "host-two-fields-first": (
        [("X-Forwarded-Host", "first.example"), ("X-Forwarded-Host", "last.example")],
        "http://first.example/private",
    ),
    "host-two-fields-last": (
        [("X-Forwarded-Host", "first.example"), ("X-Forwarded-Host", "last.example")],
        "http://last.example/private",
    ),
    "host-with-path": ([("X-Forwarded-Host", "shop.example/x")], "http://shop.example/x/private"),
    "host-with-user": ([("X-Forwarded-Host", "user@shop.example")], "http://shop.example/private"),
    "host-junk-falls-back": ([("X-Forwarded-Host", "shop.example/x")], "http://api.example.com/private"),
    "prefix": ([("X-Forwarded-Prefix", "/api")], "http://api.example.com/api/private"),
    "prefix-slash-at-end": ([("X-Forwarded-Prefix", "/api/")], "http://api.example.com/api/private"),
    "prefix-without-slash": ([("X-Forwarded-Prefix", "api")], "http://api.example.com/api/private"),
    "prefix-without-slash-ignored": ([("X-Forwarded-Prefix", "api")], "http://api.example.com/private"),
    "prefix-dots": ([("X-Forwarded-Prefix", "/../x")], "http://api.example.com/private"),
    "prefix-escaped-dots": ([("X-Forwarded-Prefix", "/%2e%2e/x")], "http://api.example.com/private"),
    "prefix-half-escaped-dots": ([("X-Forwarded-Prefix", "/.%2e/x")], "http://api.example.com/private"),
    "prefix-half-escaped-dots-taken": ([("X-Forwarded-Prefix", "/y/.%2e/x")], "http://api.example.com/x/private"),
    "prefix-double-slash": ([("X-Forwarded-Prefix", "//evil.example")], "http://api.example.com/private"),
    "prefix-colon": ([("X-Forwarded-Prefix", "/a:b")], "http://api.example.com/private"),
    "prefix-question-mark": ([("X-Forwarded-Prefix", "/private?x=")], "http://api.example.com/private"),
    "prefix-list-first": ([("X-Forwarded-Prefix", "/a, /b")], "http://api.example.com/a/private"),
    "prefix-list-last": ([("X-Forwarded-Prefix", "/a, /b")], "http://api.example.com/b/private"),
    "nginx": (
        [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example"), ("X-Forwarded-Prefix", "/api")],
        "https://shop.example/api/private",
    ),
    "proto-and-port": (
        [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example:443")],
        "https://shop.example/private",
    ),
    "forwarded-alone": ([("Forwarded", "host=shop.example;proto=https")], "https://shop.example/private"),
    "forwarded-ignored": ([("Forwarded", "host=shop.example;proto=https")], "http://api.example.com/private"),
}


def add_to(corpus, world):
    for name, (path, htu) in SPELLINGS.items():
        corpus.add(f"url/{name}", "mixed", *headers(world, htu), path=path)
    for name, (host, htu) in HOSTS.items():
        corpus.add(f"host/{name}", "mixed", *headers(world, htu), host=host)
    for name, (fields, htu) in PROXIES.items():
        for configuration in ("proxied", "not-proxied"):
            corpus.add(f"proxy/{name}/{configuration}", configuration, *fields, *headers(world, htu))
        corpus.add(f"proxy/{name}/bearer", "proxied", *fields, ("Authorization", f"Bearer {world.a.token()}"))


def headers(world, htu):
    token = world.prover.token()
    return [dpop(token), ("DPoP", world.prover.proof(token, htu))]
