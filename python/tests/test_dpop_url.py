"""The URL that a proof must name: how requests are spelt, where apps are mounted, what proxies write. RFC 9449 4.3.

Over real sockets, so that nobody normalises what is sent. `crates/bearward-core/src/url.rs` has the rules.
"""

import contextlib
import warnings

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from fastapi_plugin.utils import get_canonical_url
from support import AUDIENCE, raw_exchange, running

HOST = "api.example.com"


@pytest.fixture
def guard(tenant):
    """Makes guards."""
    return lambda **options: Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)


def routes(auth0, **options):
    """An app that takes any path below `/f/`, and `/private`."""
    with warnings.catch_warnings():
        # FastAPI 0.165 has deprecated `root_path`. It is used all the same.
        warnings.simplefilter("ignore")
        app = FastAPI(**options)

    @app.get("/private")
    @app.get("/f/{rest:path}")
    async def route(claims: dict = Depends(auth0.require_auth())):
        return {}

    return app


class Sender:
    def __init__(self, prover, port):
        self.prover = prover
        self.port = port

    def __call__(self, target, htu, *lines, host=HOST):
        """Status of a request to `target`, byte for byte, with a proof for `htu` and further header lines."""
        credentials = [f"{name}: {value}" for name, value in self.prover.headers(htu).items()]
        head = [f"GET {target} HTTP/1.1", "Connection: close", *([f"Host: {host}"] if host else []), *credentials]
        return raw_exchange(self.port, "\r\n".join([*head, *lines, "", ""]).encode("latin-1"))[0]


@pytest.fixture
def serve(prover):
    """Starts an app; gives a `Sender`."""
    with contextlib.ExitStack() as stack:
        # uvicorn takes X-Forwarded-Proto from loopback for the scheme by itself.
        yield lambda app, **config: Sender(prover, stack.enter_context(running(app, proxy_headers=False, **config)))


def trusting(app):
    app.state.trust_proxy = True
    return app


# Honest clients


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_honest_spellings(guard, serve, http):
    send = serve(routes(guard()), http=http)
    for target, htu in (
        ("/private", "http://api.example.com/private"),
        ("/private?a=b", "http://api.example.com/private"),
        ("/private", "http://api.example.com/private?a=b#c"),
        ("/private", "HTTP://API.EXAMPLE.COM/private"),
        ("/private", "http://api.example.com:80/private"),
        ("/private", "http://api.example.com/%70riv%61te"),
        ("/%70rivate", "http://api.example.com/private"),
        ("/f/~u", "http://api.example.com/f/%7Eu"),
        ("/f/%7Eu", "http://api.example.com/f/~u"),
        ("/f/%7Eu", "http://api.example.com/f/%7Eu"),
        ("/f/%7eu", "http://api.example.com/f/%7Eu"),
        ("/f/a%2Fb", "http://api.example.com/f/a%2Fb"),
        ("/f/a%2fb", "http://api.example.com/f/a%2Fb"),
        ("/f/a%25b", "http://api.example.com/f/a%25b"),
        ("/f/a%252Fb", "http://api.example.com/f/a%252Fb"),
        ("/f/caf%C3%A9", "http://api.example.com/f/caf%c3%a9"),
        ("/f/a;b=c,d:e@f!$&'()*+", "http://api.example.com/f/a;b=c,d:e@f!$&'()*+"),
        ("/f/", "http://api.example.com/f/"),
        ("/f/a//b", "http://api.example.com/f/a//b"),
        ("/f/%FF", "http://api.example.com/f/%ff"),
    ):
        assert send(target, htu) == 200, (target, htu)


def test_honest_hosts(guard, serve):
    send = serve(routes(guard()))
    for host, origin in (
        ("API.Example.com", "http://api.example.com"),
        ("api.example.com", "http://Api.Example.Com"),
        ("api.example.com:80", "http://api.example.com"),
        ("api.example.com", "http://api.example.com:80"),
        ("api.example.com:8000", "http://api.example.com:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("[2001:DB8::1]", "http://[2001:db8::1]:80"),
    ):
        assert send("/private", f"{origin}/private", host=host) == 200, host


# Others


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_other_targets(guard, serve, http):
    send = serve(routes(guard()), http=http)
    for target, htu in (
        ("/private", "https://api.example.com/private"),
        ("/private", "http://api.example.com/Private"),
        ("/private", "http://api.example.com/private/"),
        ("/private", "http://api.example.com/f/private"),
        ("/private", "http://api.example.com:8000/private"),
        ("/private", "http://api.example.com./private"),
        ("/private", "http://example.com/private"),
        ("/private", "http://api.example.com.evil.example/private"),
        ("/private", "http://api.example.com"),
        ("/private", "/private"),
        ("/private", ""),
        ("/f/a%2Fb", "http://api.example.com/f/a/b"),
        ("/f/a/b", "http://api.example.com/f/a%2Fb"),
        ("/f/a%252Fb", "http://api.example.com/f/a%2Fb"),
        ("/f/a%3Fb", "http://api.example.com/f/a?b"),
        ("/f/a?b", "http://api.example.com/f/a%3Fb"),
        ("/f/a%00", "http://api.example.com/f/a"),
        ("/f/x/%2e%2e/private", "http://api.example.com/f/private"),
        ("/f/%2e%2e/private", "http://api.example.com/private"),
        ("/f/../private", "http://api.example.com/private"),
        ("/f/.%2e/private", "http://api.example.com/private"),
        ("/f/a/./b", "http://api.example.com/f/a/b"),
    ):
        assert send(target, htu) in {400, 404}, (target, htu)


# The Host field


def test_host_of_another_resource_server_is_closed_by_public_origin(guard, serve):
    """A proof that a client made for another API that takes the same tokens. RFC 9449 section 11.9."""
    for options, status in (({}, 200), ({"public_origin": "http://api.example.com"}, 400)):
        send = serve(routes(guard(**options)))
        assert send("/private", "http://other.example/private", host="other.example") == status
        assert send("/private", "http://api.example.com/private") == 200


def test_public_origin_is_changed_by_no_header(guard, serve):
    send = serve(trusting(routes(guard(public_origin="https://api.example.com"))))
    wrong = (
        "X-Forwarded-Host: evil.example",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Prefix: /p",
        "Forwarded: host=evil.example;proto=http",
    )
    for host in ("evil.example", "", HOST):
        for htu in (
            "https://evil.example/private",
            "http://api.example.com/private",
            "https://api.example.com/p/private",
        ):
            assert send("/private", htu, *wrong, host=host) == 400
    assert send("/private", "https://api.example.com/private", *wrong, host="evil.example") == 200


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_two_host_fields(guard, serve, http):
    send = serve(routes(guard()), http=http)
    for htu in ("http://api.example.com/private", "http://evil.example/private"):
        for second in ("evil.example", HOST):
            assert send("/private", htu, f"Host: {second}") == 400


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_two_proofs(guard, serve, tenant, prover, http):
    send = serve(routes(guard()), http=http)
    token = prover.token()

    def status(*lines, authorization=None):
        head = ["GET /private HTTP/1.1", f"Host: {HOST}", "Connection: close"]
        head.append(f"Authorization: {authorization or f'DPoP {token}'}")
        return raw_exchange(send.port, "\r\n".join([*head, *lines, "", ""]).encode())

    def proof():
        return prover.proof(token, f"http://{HOST}/private")

    assert status(f"DPoP: {proof()}")[0] == 200
    for first, second in ((proof(), proof()), (proof(), "x"), ("x", proof()), (proof(), ""), ("", proof())):
        code, answer = status(f"DPoP: {first}", f"dpop: {second}")
        assert code == 400, (first, second)
        assert b"Multiple DPoP proofs are not allowed" in answer
        code, _ = status(f"DPoP: {first},{second}")
        assert code == 400
    for odd in ("\xff", "é" * 3, "," * 100, "." * 5000, "a.b.c", "\x01", "\t", "e30.e30.", "e30.e30.e30"):
        assert status(f"DPoP: {odd}")[0] == 400, odd
        assert status(f"DPoP: {proof()}", authorization=f"DPoP {odd}")[0] in {400, 401}, odd
    assert status(f"DPoP: {proof()}", f"Authorization: DPoP {token}")[0] == 400
    assert status(f"DPoP: {proof()}", f"Authorization: Bearer {tenant.token()}")[0] == 400
    assert status(f"DPoP: {proof()}", authorization=f"DPoP {token} {token}")[0] == 401


# Proxies


def test_without_trust_no_word_of_a_proxy_counts(guard, serve):
    send = serve(routes(guard()))
    said = ("X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "X-Forwarded-Prefix: /p")
    assert send("/private", "https://evil.example/p/private", *said) == 400
    assert send("/private", "https://evil.example/private", "Forwarded: host=evil.example;proto=https") == 400
    assert send("/private", "http://api.example.com/private", *said) == 200


def test_only_true_means_trust(guard, serve):
    app = routes(guard())
    send = serve(app)
    for flag in ("true", "false", "0", "yes", object(), [True], 2, 0, None, False):
        app.state.trust_proxy = flag
        assert send("/private", "http://evil.example/private", "X-Forwarded-Host: evil.example") == 400, flag


def test_a_proxy_that_is_trusted(guard, serve):
    send = serve(trusting(routes(guard())))
    for lines, url in (
        ((), "http://api.example.com/private"),
        (("X-Forwarded-Proto: https",), "https://api.example.com/private"),
        (("X-Forwarded-Host: public.example",), "http://public.example/private"),
        (("X-Forwarded-Host: public.example:8443",), "http://public.example:8443/private"),
        (("X-Forwarded-Host: [::1]:8000",), "http://[::1]:8000/private"),
        (("X-Forwarded-Prefix: /p",), "http://api.example.com/p/private"),
        (("X-Forwarded-Prefix: /p/q/",), "http://api.example.com/p/q/private"),
        (("x-forwarded-proto: HTTPS", "x-forwarded-host: a.b", "x-forwarded-prefix: /p"), "https://a.b/p/private"),
        (("Forwarded: for=1.2.3.4;host=a.b;proto=https",), "https://a.b/private"),
        (('Forwarded: for="[::1]";Host="a.b:8443";Proto=https',), "https://a.b:8443/private"),
    ):
        assert send("/private", url, *lines) == 200, lines


def test_a_forged_leftmost_forwarded_host(guard, serve):
    send = serve(trusting(routes(guard())))
    for lines in (
        ("X-Forwarded-Host: evil.example, public.example",),
        ("X-Forwarded-Host: evil.example", "X-Forwarded-Host: public.example"),
        ("Forwarded: host=evil.example, host=public.example",),
        ("Forwarded: host=evil.example", "Forwarded: host=public.example"),
        ("Forwarded: host=evil.example", "X-Forwarded-Host: public.example"),
    ):
        assert send("/private", "http://evil.example/private", *lines) == 400, lines
        assert send("/private", "http://public.example/private", *lines) == 200, lines
    lines = ("X-Forwarded-Proto: http, https", "X-Forwarded-Prefix: /evil, /p")
    assert send("/private", "http://api.example.com/evil/private", *lines) == 400
    assert send("/private", "https://api.example.com/p/private", *lines) == 200


def test_more_trusted_hops_count_from_the_right(guard, serve):
    send = serve(trusting(routes(guard(trusted_hops=2))))
    lines = ("X-Forwarded-Host: evil.example, public.example, inner.example",)
    assert send("/private", "http://public.example/private", *lines) == 200
    for other in ("evil.example", "inner.example", HOST):
        assert send("/private", f"http://{other}/private", *lines) == 400
    # Fewer than there are proxies: none of it is known to be a proxy's.
    assert send("/private", "http://evil.example/private", "X-Forwarded-Host: evil.example") == 400


def test_a_forwarded_field_that_is_more_than_it_should_be(guard, serve):
    """`crates/bearward-core/src/url.rs` has many more; here are the ones that show how fields reach it."""
    send = serve(trusting(routes(guard())))
    for line, htu in (
        ("X-Forwarded-Host: user@evil.example", "http://evil.example/private"),
        ("X-Forwarded-Host: evil.example/other?", "http://evil.example/other"),
        ("X-Forwarded-Host: ", "http:///private"),
        ("X-Forwarded-Host: [::1", "http://[::1]/private"),
        ("X-Forwarded-Prefix: //evil.example", "http://api.example.com//evil.example/private"),
        ("X-Forwarded-Prefix: /f/%2e%2e/g", "http://api.example.com/g/private"),
        ("X-Forwarded-Prefix: f", "http://api.example.com/f/private"),
        ("X-Forwarded-Prefix: /caf\xe9", "http://api.example.com/caf%E9/private"),
        ("X-Forwarded-Proto: ftp", "ftp://api.example.com/private"),
        ("X-Forwarded-Proto: https;http", "https://api.example.com/private"),
        ("X-Forwarded-Proto: ", "https://api.example.com/private"),
    ):
        assert send("/private", htu, line) == 400, line
        assert send("/private", "http://api.example.com/private", line) == 200, line


# Where an app stands


PUBLIC = "http://api.example.com"


def test_root_path_of_the_app(guard, serve):
    send = serve(routes(guard(), root_path="/api"))
    # The proxy strips the prefix, or it doesn't.
    for target in ("/private", "/api/private"):
        assert send(target, f"{PUBLIC}/api/private") == 200
        assert send(target, f"{PUBLIC}/private") == 400
    assert send("/f/a%2Fb", f"{PUBLIC}/api/f/a%2Fb") == 200


def test_root_path_of_the_server(guard, serve):
    send = serve(routes(guard()), root_path="/api")
    assert send("/private", f"{PUBLIC}/api/private") == 200
    assert send("/private", f"{PUBLIC}/private") == 400
    assert send("/f/a%2Fb", f"{PUBLIC}/api/f/a%2Fb") == 200


def test_root_path_and_a_forwarded_prefix_that_say_the_same(guard, serve):
    send = serve(trusting(routes(guard(), root_path="/api")))
    assert send("/private", f"{PUBLIC}/api/private", "X-Forwarded-Prefix: /api") == 200
    assert send("/private", f"{PUBLIC}/api/private", "X-Forwarded-Prefix: /api/") == 200


def test_root_path_of_the_server_and_a_forwarded_prefix_that_say_the_same(guard, serve):
    # Traefik's StripPrefix in front of `uvicorn --root-path`: the client asked for /api/private.
    send = serve(trusting(routes(guard())), root_path="/api")
    assert send("/private", f"{PUBLIC}/api/private", "X-Forwarded-Prefix: /api") == 200
    assert send("/private", f"{PUBLIC}/api/api/private", "X-Forwarded-Prefix: /api") == 400


def test_a_router_with_a_prefix(guard, serve):
    router = APIRouter(prefix="/v1", dependencies=[Depends(guard().require_auth())])
    router.get("/private")(lambda: {})
    app = FastAPI()
    app.include_router(router, prefix="/api")
    assert serve(app)("/api/v1/private", f"{PUBLIC}/api/v1/private") == 200


def mounted(app, *paths, under=FastAPI):
    for path in paths:
        outer = under()
        outer.mount(path, app)
        app = outer
    return app


def test_sub_applications(guard, serve):
    for under in (FastAPI, lambda: Starlette(routes=[])):
        send = serve(mounted(routes(guard()), "/sub", under=under))
        assert send("/sub/private", f"{PUBLIC}/sub/private") == 200
        assert send("/sub/private", f"{PUBLIC}/private") == 400
        assert send("/sub/f/a%2Fb", f"{PUBLIC}/sub/f/a%2Fb") == 200
        assert send("/%73ub/private", f"{PUBLIC}/sub/private") == 200
    send = serve(mounted(routes(guard()), "/inner", "/outer"))
    assert send("/outer/inner/private", f"{PUBLIC}/outer/inner/private") == 200


def test_sub_applications_at_paths_that_need_escapes(guard, serve):
    send = serve(mounted(routes(guard()), "/s b"))
    assert send("/s%20b/private", f"{PUBLIC}/s%20b/private") == 200
    send = serve(Starlette(routes=[Mount("/{tenant}", routes(guard()))]))
    for name in ("a", "~u", "%7Eu", "caf%C3%A9", "a%20b"):
        assert send(f"/{name}/private", f"{PUBLIC}/{name}/private") == 200
    assert send("/a/private", f"{PUBLIC}/b/private") == 400


def test_a_sub_application_with_a_root_path_of_its_own(guard, serve):
    send = serve(mounted(routes(guard(), root_path="/whatever"), "/sub"))
    # FastAPI lets the inner root_path hide the mount, and finds no route then.
    assert send("/sub/private", f"{PUBLIC}/sub/private") == 404


def test_sub_applications_below_a_root_path(guard, serve):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        app = mounted(routes(guard()), "/sub", under=lambda: FastAPI(root_path="/api"))
    send = serve(app)
    assert send("/api/sub/private", f"{PUBLIC}/api/sub/private") == 200
    # Behind a proxy that strips, Starlette finds no route in a sub-application.
    assert send("/sub/private", f"{PUBLIC}/api/sub/private") == 404
    send = serve(mounted(routes(guard()), "/sub"), root_path="/api")
    assert send("/sub/private", f"{PUBLIC}/api/sub/private") == 200
    assert send("/sub/private", f"{PUBLIC}/sub/private") == 400


def test_trust_is_the_sub_applications_own(guard, serve):
    said = "X-Forwarded-Host: public.example"
    inner = routes(guard())
    send = serve(trusting(mounted(inner, "/sub")))
    assert send("/sub/private", "http://public.example/sub/private", said) == 400
    trusting(inner)
    assert send("/sub/private", "http://public.example/sub/private", said) == 200


def test_a_server_that_gives_no_raw_path(guard, prover):
    app = routes(guard())

    async def without(scope, receive, send):
        await app({name: value for name, value in scope.items() if name != "raw_path"}, receive, send)

    client = TestClient(without)
    for target in ("/private", "/f/a%20b", "/f/~u", "/f/a;b:c@d", "/f/caf%C3%A9"):
        assert client.get(target, headers=prover.headers(f"http://testserver{target}")).status_code == 200


def test_get_canonical_url():
    app = FastAPI()
    scope = {
        "type": "http",
        "app": app,
        "scheme": "http",
        "path": "/a/b",
        "raw_path": b"/a%2Fb",
        "query_string": b"c=d",
        "headers": [
            (b"host", b"inner:8000"),
            (b"x-forwarded-proto", b"https"),
            (b"x-forwarded-host", b"evil.example, api.example.com"),
            (b"x-forwarded-prefix", b"/p"),
        ],
    }
    assert get_canonical_url(Request(scope)) == "http://inner:8000/a%2Fb?c=d"
    app.state.trust_proxy = True
    assert get_canonical_url(Request(scope)) == "https://api.example.com/p/a%2Fb?c=d"


# A real proxy


NGINX = """
daemon off; master_process off; error_log stderr warn; pid {folder}/pid;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  map $request_uri $rest {{ "~^/raw(?<stripped>/.*)$" $stripped; default /; }}
  server {{
    listen 127.0.0.1:{port};
    # As most people write it: nginx passes on a path that it has normalised.
    location /plain/ {{
      proxy_set_header Host inner.example;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix /plain;
      proxy_pass http://127.0.0.1:{app}/;
    }}
    # The path as it came.
    location /raw/ {{
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Prefix /raw;
      proxy_pass http://127.0.0.1:{app}$rest;
    }}
    # Without a prefix that is stripped; the host appended to what the client sent.
    location /f/ {{
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host "$http_x_forwarded_host, $http_host";
      proxy_set_header X-Forwarded-Prefix "";
      proxy_pass http://127.0.0.1:{app};
    }}
  }}
}}
"""


def test_behind_nginx(guard, serve, nginx, prover):
    inner = serve(trusting(routes(guard())))
    send = Sender(prover, nginx(NGINX, app=inner.port))
    for target, path in (
        ("/plain/private", "/plain/private"),
        ("/plain/f/~u", "/plain/f/%7Eu"),
        ("/plain/f/a%25b", "/plain/f/a%25b"),
        ("/plain/private?a=b", "/plain/private"),
        ("/raw/private", "/raw/private"),
        ("/raw/f/%7Eu", "/raw/f/~u"),
        ("/raw/f/a%2Fb", "/raw/f/a%2Fb"),
        ("/f/a%2Fb", "/f/a%2Fb"),
    ):
        assert send(target, PUBLIC + path) == 200, target
    for host, origin in (("api.example.com:8443", "http://api.example.com:8443"), ("[::1]", "http://[::1]")):
        assert send("/plain/private", f"{origin}/plain/private", host=host) == 200
    for target, htu in (
        ("/plain/private", "http://inner.example/plain/private"),
        ("/plain/private", "http://inner.example/private"),
        ("/plain/private", f"{PUBLIC}/private"),
        ("/plain/private", f"{PUBLIC}/raw/private"),
        ("/raw/f/a%2Fb", f"{PUBLIC}/raw/f/a/b"),
        ("/plain/x/../private", f"{PUBLIC}/private"),
    ):
        assert send(target, htu) == 400, target
    forged = ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https", "X-Forwarded-Prefix: /evil")
    for target in ("/plain/private", "/f/a"):
        for htu in ("http://evil.example", "https://evil.example", "https://api.example.com"):
            for prefix in ("", "/evil"):
                assert send(target, f"{htu}{prefix}{target}", *forged) == 400
    assert send("/plain/private", f"{PUBLIC}/plain/private", *forged) == 200


def test_a_guarded_app_of_the_shared_kind(guard, serve):
    assert serve(guarded_app(guard()))("/private", f"{PUBLIC}/private") == 200
