"""Which domains are allowed, asked of the deployer's function for each request."""

import asyncio
import contextvars
import functools
import threading
import time
from unittest.mock import MagicMock

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import Headers

from bearward import ApiClient, ApiClientOptions, DomainsResolverError, VerifyAccessTokenError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, Tenant

FAILED = "Domains resolver function failed"


class Resolver:
    """Allows what it is told to, and remembers what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.threads = set()

    def sync(self, context):
        self.asked.append(context)
        self.threads.add(threading.current_thread())
        return self.answer

    async def later(self, context):
        await asyncio.sleep(0)
        return self.sync(context)


class CallableObject(Resolver):
    def __call__(self, context):
        return self.sync(context)


class AsyncCallableObject(Resolver):
    async def __call__(self, context):
        return self.sync(context)


KINDS = {
    "sync": lambda resolver: resolver.sync,
    "async": lambda resolver: resolver.later,
    "lambda_gives_coroutine": lambda resolver: lambda context: resolver.later(context),
    "partial": lambda resolver: functools.partial(resolver.sync),
    "async_partial": lambda resolver: functools.partial(functools.partial(resolver.later)),
    "object": lambda resolver: CallableObject.__call__.__get__(resolver),
    "async_object": lambda resolver: AsyncCallableObject.__call__.__get__(resolver),
    "mock": lambda resolver: MagicMock(side_effect=resolver.sync),
}


def client_of(tenant, resolve, **options):
    return ApiClient(ApiClientOptions(domains=resolve, audience=AUDIENCE, custom_fetch=tenant.fetch, **options))


@pytest.mark.parametrize("kind", KINDS)
async def test_kinds_of_resolvers(tenant, kind):
    resolver = Resolver(["other.example", f" {tenant.domain.upper()} "])
    api_client = client_of(tenant, KINDS[kind](resolver))
    assert (await api_client.verify_access_token(tenant.token()))["iss"] == tenant.issuer
    assert [context["unverified_iss"] for context in resolver.asked] == [tenant.issuer]
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url], "asked once, and not again for each document"


@pytest.mark.parametrize("resolver_class", [CallableObject, AsyncCallableObject])
async def test_objects_that_can_be_called(tenant, resolver_class):
    resolver = resolver_class([tenant.domain])
    assert await client_of(tenant, resolver).verify_access_token(tenant.token())
    in_loop = threading.current_thread() in resolver.threads
    assert in_loop == (resolver_class is AsyncCallableObject)


async def test_a_sync_resolver_does_not_hold_up_the_loop(tenant):
    def slow(context):
        time.sleep(0.2)
        return [tenant.domain]

    api_client = client_of(tenant, slow)
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.ensure_future(tick())
    begin = time.monotonic()
    await asyncio.gather(*(api_client.verify_access_token(tenant.token()) for _ in range(8)))
    assert time.monotonic() - begin < 0.8, "side by side"
    ticking.cancel()
    assert ticks > 10


async def test_a_resolver_sees_context_variables(tenant):
    variable = contextvars.ContextVar("variable", default=None)
    variable.set("of this request")
    seen = []

    def resolve(context):
        seen.append(variable.get())
        return [tenant.domain]

    await client_of(tenant, resolve).verify_access_token(tenant.token())
    assert seen == ["of this request"]


@pytest.mark.parametrize("kind", [dict, httpx.Headers, Headers])
async def test_what_a_resolver_is_told(tenant, kind):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.sync)
    token = tenant.token()
    headers = kind({"Authorization": f"Bearer {token}", "X-Tenant": "one", "Host": "api.example"})
    await api_client.verify_request(headers, "GET", "https://api.example/path?query")
    assert resolver.asked == [
        {
            "request_url": "https://api.example/path?query",
            "request_headers": {"x-tenant": "one", "host": "api.example"},
            "unverified_iss": tenant.issuer,
        }
    ]
    assert token.split(".")[2] not in repr(resolver.asked)


async def test_credentials_are_not_told_in_any_case_of_letters(tenant):
    resolver = Resolver([tenant.domain])
    fields = {"AUTHORIZATION": "Bearer x", "dPoP": "proof", "authorization": "Bearer y", "X-Tenant": "a"}
    await client_of(tenant, resolver.sync).verify_access_token(tenant.token(), "https://a.example/", fields)
    assert resolver.asked[0]["request_headers"] == {"x-tenant": "a"}


async def test_a_repeated_field_is_told_as_a_whole(tenant):
    resolver = Resolver([tenant.domain])
    raw = [(b"authorization", f"Bearer {tenant.token()}".encode()), (b"x-tenant", b"one"), (b"X-Tenant", b"two")]
    await client_of(tenant, resolver.sync).verify_request(Headers(raw=raw))
    assert resolver.asked[0]["request_headers"] == {"x-tenant": "one, two"}


async def test_without_a_request_there_is_little_to_tell(tenant):
    resolver = Resolver([tenant.domain])
    await client_of(tenant, resolver.later).verify_access_token(tenant.token())
    assert resolver.asked == [{"request_url": None, "request_headers": None, "unverified_iss": tenant.issuer}]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "Domains resolver must return a list"),
        ("tenant.example", "Domains resolver must return a list"),
        (("tenant.example",), "Domains resolver must return a list"),
        ({"tenant.example"}, "Domains resolver must return a list"),
        ([], "Domains resolver returned an empty list"),
        ([""], "Domains resolver must return a list of non-empty strings"),
        (["tenant.example", None], "Domains resolver must return a list of non-empty strings"),
        (["tenant.example", b"x"], "Domains resolver must return a list of non-empty strings"),
        ([["tenant.example"]], "Domains resolver must return a list of non-empty strings"),
        (["http://tenant.example"], "Domains resolver returned invalid domain"),
        (["tenant.example/path"], "Domains resolver returned invalid domain"),
        (["tenant.example", "a b"], "Domains resolver returned invalid domain"),
        (["\ud800"], "Domains resolver returned invalid domain"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_answers_that_cannot_be_used(tenant, answer, text, kind, caplog):
    api_client = client_of(tenant, KINDS[kind](Resolver(answer)))
    with pytest.raises(DomainsResolverError) as refusal:
        await api_client.verify_access_token(tenant.token())
    error = refusal.value
    assert str(error) == error.get_error_description() == text
    assert (error.get_status_code(), error.get_error_code()) == (500, "domains_resolver_error")
    assert text in caplog.text
    assert tenant.fetched == []


@pytest.mark.parametrize("error", [KeyError("of the deployer"), asyncio.TimeoutError(), asyncio.CancelledError()])
@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_resolver_that_raises(tenant, error, kind, caplog):
    def sync(context):
        raise error

    async def later(context):
        raise error

    api_client = client_of(tenant, sync if kind == "sync" else later)
    for _ in range(5):
        with pytest.raises(DomainsResolverError, match=rf"^{FAILED}$") as refusal:
            await api_client.verify_access_token(tenant.token())
    assert type(error).__name__ in refusal.value.detail
    # asyncio makes other objects of these, on the way out of a thread or a task.
    if isinstance(error, KeyError):
        assert "test_resolver.py, line" in refusal.value.detail
        assert refusal.value.__cause__ is error
    said = [record.getMessage() for record in caplog.records if record.name == "bearward"]
    assert len(said) == 1
    assert type(error).__name__ in said[0]


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_a_resolver_that_hangs(tenant, kind, caplog):
    go_on = threading.Event()

    def sync(context):
        go_on.wait(10)
        return [tenant.domain]

    async def later(context):
        await asyncio.Event().wait()

    api_client = client_of(tenant, sync if kind == "sync" else later, resolver_timeout=0.1)
    begin = time.monotonic()
    # More of them than there are threads.
    answers = await asyncio.gather(
        *(api_client.verify_access_token(tenant.token()) for _ in range(40)), return_exceptions=True
    )
    assert time.monotonic() - begin < 1
    assert {(answer.get_status_code(), answer.get_error_code(), answer.code) for answer in answers} == {
        (503, "temporarily_unavailable", "domains_resolver_timeout")
    }
    assert "no answer within 0.1 s" in caplog.text
    go_on.set()
    if kind == "sync":
        await asyncio.sleep(0.05)
        assert await api_client.verify_access_token(tenant.token())


async def test_a_made_up_issuer_causes_no_fetch(tenant):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.later)
    for number in range(20):
        with pytest.raises(VerifyAccessTokenError, match="Token issuer is not in the list of allowed domains"):
            await api_client.verify_access_token(Tenant(f"evil-{number}.example").token())
    assert tenant.fetched == []
    assert api_client.status() == []
    for malformed in ("http://tenant.example/", "not a host", "", 5, None):
        with pytest.raises(VerifyAccessTokenError):
            await api_client.verify_access_token(tenant.token(iss=malformed))
    assert len(resolver.asked) == 20, "not asked about what is no issuer"


async def test_each_request_is_asked_about(tenant):
    """Who is allowed may change, and one request's answer is not another's."""
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.sync)
    await api_client.verify_access_token(tenant.token())
    resolver.answer = ["other.example"]
    with pytest.raises(VerifyAccessTokenError):
        await api_client.verify_access_token(tenant.token())


async def test_an_answer_can_be_remembered(tenant):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.later, resolver_ttl_seconds=0.2)

    async def ask(url, host="a.example", of=tenant):
        await api_client.verify_access_token(of.token(), url, {"host": host})

    for _ in range(5):
        await ask("https://a.example/path")
        await ask("https://a.example/other?query")
    assert len(resolver.asked) == 1
    await ask("https://b.example/path")
    await ask("http://a.example/path")
    await ask("https://a.example/path", host="b.example")
    await ask("https://[not a URL")
    with pytest.raises(VerifyAccessTokenError):
        await ask("https://a.example/path", of=Tenant("evil.example"))
    assert len(resolver.asked) == 6
    await asyncio.sleep(0.25)
    await ask("https://a.example/path")
    assert len(resolver.asked) == 7


async def test_a_failure_is_not_remembered(tenant):
    resolver = Resolver([])
    api_client = client_of(tenant, resolver.later, resolver_ttl_seconds=60)
    for _ in range(2):
        with pytest.raises(DomainsResolverError):
            await api_client.verify_access_token(tenant.token())
    resolver.answer = [tenant.domain]
    assert await api_client.verify_access_token(tenant.token())


async def test_memory_of_answers_is_bounded(tenant):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.later, resolver_ttl_seconds=60)
    for number in range(1100):
        with pytest.raises(VerifyAccessTokenError):
            await api_client.verify_access_token(tenant.token(iss=f"https://evil-{number}.example/"))
    assert len(api_client._driver._resolver._answers[False]._entries) == 1000


async def test_different_issuers_for_different_hosts():
    tenants = {f"api-{name}.example": Tenant(f"{name}.example") for name in ("a", "b")}
    documents = {url: document for tenant in tenants.values() for url, document in tenant.documents().items()}

    async def fetch(url):
        return documents[url]

    async def resolve(context):
        return [tenants[context["request_headers"]["host"]].domain]

    api_client = ApiClient(ApiClientOptions(domains=resolve, audience=AUDIENCE, custom_fetch=fetch))
    for host, tenant in tenants.items():
        assert await api_client.verify_request({**tenant.authorization(), "Host": host})
        for other in set(tenants) - {host}:
            with pytest.raises(VerifyAccessTokenError, match="not in the list of allowed domains"):
                await api_client.verify_request({**tenant.authorization(), "Host": other})


def test_in_an_app(tenant):
    resolver = Resolver([tenant.domain])
    auth0 = Auth0FastAPI(domains=resolver.sync, audience=AUDIENCE, custom_fetch=tenant.fetch)
    client = TestClient(guarded_app(auth0))
    assert client.get("/private?query", headers=tenant.authorization()).status_code == 200
    (context,) = resolver.asked
    assert context["request_url"] == "http://testserver/private?query"
    assert context["request_headers"]["host"] == "testserver"
    assert "authorization" not in context["request_headers"]
    assert client.get("/messages", headers=tenant.authorization(scope="openid")).status_code == 403
    assert client.get("/messages", headers=tenant.authorization()).status_code == 200
    assert client.get("/private", headers=Tenant("evil.example").authorization()).status_code == 401
    assert client.get("/private").status_code == 400


def test_a_failure_in_an_app_tells_the_client_nothing(tenant, caplog):
    caplog.set_level("INFO", "bearward")

    def resolve(context):
        raise LookupError("password of the database:\nhunter2")

    auth0 = Auth0FastAPI(domains=resolve, audience=AUDIENCE, custom_fetch=tenant.fetch)
    answer = TestClient(guarded_app(auth0)).get("/private", headers=tenant.authorization())
    assert answer.status_code == 500
    assert answer.json() == {"detail": {"error": "domains_resolver_error", "error_description": FAILED}}
    assert "hunter2" not in str(answer.headers)
    assert "LookupError: password of the database" in caplog.text
    assert all("\n" not in record.getMessage() for record in caplog.records if record.name == "bearward")


def test_with_a_domain_of_its_own_only_the_resolver_counts(tenant):
    auth0 = Auth0FastAPI(
        domain="login.example", domains=lambda context: [tenant.domain], audience=AUDIENCE, custom_fetch=tenant.fetch
    )
    client = TestClient(guarded_app(auth0))
    assert client.get("/private", headers=tenant.authorization()).status_code == 200
    assert client.get("/private", headers=Tenant("login.example").authorization()).status_code == 401
    assert "https://login.example/authorize" in str(client.get("/openapi.json").json())


def test_docs_without_a_place_to_log_in(tenant):
    auth0 = Auth0FastAPI(domains=lambda context: [tenant.domain], audience=AUDIENCE, custom_fetch=tenant.fetch)
    app = FastAPI()

    @app.get("/messages", dependencies=[Depends(auth0.require_auth("read:messages"))])
    async def messages():
        return {}

    client = TestClient(app)
    document = client.get("/openapi.json").json()
    assert set(document["components"]["securitySchemes"]) == {"Bearer"}
    assert document["paths"]["/messages"]["get"]["security"] == [{"Bearer": []}]
    assert "parameters" not in document["paths"]["/messages"]["get"]
    for _ in range(2):
        assert client.get("/messages", headers=tenant.authorization()).status_code == 200
        assert client.get("/messages", headers=tenant.authorization(scope="")).status_code == 403


def test_the_environment_names_no_domain_beside_a_resolver(monkeypatch):
    monkeypatch.setenv("AUTH0_DOMAIN", "env.example")
    assert Auth0FastAPI(domains=lambda context: ["a.example"], audience=AUDIENCE).api_client.options.domain is None


@pytest.mark.parametrize(
    "field",
    [
        ("Cookie", "session=1"),
        ("Cookie2", "x"),
        ("X-Api-Key", "k"),
        ("apikey", "k"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("X-Auth-Token", "t"),
        ("X-Amz-Security-Token", "t"),
        ("X-Access-Token", "t"),
        ("X-Csrf-Token", "t"),
        ("X-Client-Secret", "t"),
        ("Cf-Access-Jwt-Assertion", "t"),
        ("X-Hub-Signature-256", "sha256=00"),
        ("X-Session-Id", "1"),
        ("X-Forwarded-Password", "p"),
        ("X-Auth", "a"),
        ("X-Custom", "Bearer abc"),
        ("X-Custom", "basic eDp5"),
        ("X-Custom", "id=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA"),
        ("Sec-WebSocket-Protocol", "bearer, opaque-token"),
    ],
    ids=str,
)
async def test_no_credentials_reach_a_resolver(tenant, field):
    resolver = Resolver([tenant.domain])
    name, value = field
    headers = {name: value, "Host": "a.example", "X-Tenant": "one", "X-Author": "me", "X-Tenant-Key": "acme"}
    await client_of(tenant, resolver.sync).verify_access_token(tenant.token(), "https://a.example/", headers)
    told = resolver.asked[0]["request_headers"]
    assert told == {"host": "a.example", "x-tenant": "one", "x-author": "me", "x-tenant-key": "acme"}


@pytest.mark.parametrize(
    "value", ["eyJ" * 20_000, "eyjafjallajokull.a.example", "-" * 60_000, "eyJaaaa." + "a" * 60_000]
)
async def test_long_values_that_are_no_credentials_are_passed_on(tenant, value):
    resolver = Resolver([tenant.domain])
    await client_of(tenant, resolver.sync).verify_access_token(tenant.token(), None, {"x": value})
    assert resolver.asked[0]["request_headers"] == {"x": value}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?tenant=a&page=2", "?tenant=a&page=2"),
        ("?access_token=t&tenant=a", "?tenant=a"),
        ("?tenant=a&api%5Fkey=k&API_KEY=k&key=k&code=c", "?tenant=a"),
        ("?access%5ftoken=t", ""),
        ("?id=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA", ""),
        ("?a=%zz&b&=&c", "?a=%zz&b&=&c"),
    ],
)
async def test_no_credentials_of_the_query_reach_a_resolver(tenant, query, told):
    resolver = Resolver([tenant.domain])
    await client_of(tenant, resolver.sync).verify_access_token(tenant.token(), f"https://a.example/p{query}", {})
    assert resolver.asked[0]["request_url"] == f"https://a.example/p{told}"


@pytest.mark.parametrize("host", ["a" * 60_000, "a.example/" + "x" * 60_000, "a b", "a,b", "", "[::1", "a:1:2"])
async def test_nothing_is_kept_for_a_host_that_is_no_host(tenant, host):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.later, resolver_ttl_seconds=60)
    for _ in range(3):
        await api_client.verify_access_token(tenant.token(), "https://a.example/", {"host": host})
    assert len(resolver.asked) == 3
    assert all(not cache._entries for cache in api_client._driver._resolver._answers.values())


@pytest.mark.parametrize("host", ["a.example", "a.example:8443", "[::1]:80", "10.0.0.1", "xn--a.example", "a_b"])
async def test_an_answer_takes_little_room_whatever_a_stranger_sends(tenant, host):
    resolver = Resolver([tenant.domain])
    api_client = client_of(tenant, resolver.later, resolver_ttl_seconds=60)
    for number in range(20):
        long_iss = f"https://{'a' * 60}.{number}.example/"
        with pytest.raises(VerifyAccessTokenError):
            await api_client.verify_access_token(
                tenant.token(iss=long_iss), f"https://a.example/{'p' * 10_000}", {"host": host, "x": "y" * 10_000}
            )
    entries = api_client._driver._resolver._answers[False]._entries
    assert len(entries) == 20
    assert {len(name) for name in entries} == {64}


async def test_equal_questions_are_asked_once_where_answers_are_remembered(tenant):
    asked = []

    def resolve(context):
        asked.append(context)
        time.sleep(0.05)
        return [tenant.domain]

    api_client = client_of(tenant, resolve, resolver_ttl_seconds=60)
    await asyncio.gather(*(api_client.verify_access_token(tenant.token()) for _ in range(50)))
    assert len(asked) == 1


async def test_without_remembering_each_request_has_a_call_of_its_own(tenant):
    """A resolver may look at context variables, which differ between requests that look the same."""
    variable, answers = contextvars.ContextVar("tenant"), []

    async def resolve(context):
        await asyncio.sleep(0.01)
        answers.append(variable.get())
        return [variable.get()]

    api_client = client_of(tenant, resolve)

    async def ask(domain):
        variable.set(domain)
        return await api_client.verify_access_token(tenant.token())

    outcomes = await asyncio.gather(ask(tenant.domain), ask("other.example"), return_exceptions=True)
    assert isinstance(outcomes[0], dict)
    assert isinstance(outcomes[1], VerifyAccessTokenError)


@pytest.mark.parametrize("ttl", [0, 0.001])
async def test_a_good_client_is_served_while_made_up_issuers_fill_the_queue(tenant, ttl):
    def slow(context):
        time.sleep(0.5)
        return [tenant.domain]

    api_client = client_of(tenant, slow, resolver_ttl_seconds=ttl)
    await api_client.verify_access_token(tenant.token())
    attack = [
        asyncio.ensure_future(api_client.verify_access_token(tenant.token(iss=f"https://evil-{number}.example/")))
        for number in range(300)
    ]
    await asyncio.sleep(0.1)
    begin = time.monotonic()
    good = await asyncio.gather(*(api_client.verify_access_token(tenant.token()) for _ in range(4)))
    assert len(good) == 4
    assert time.monotonic() - begin < 2.5, "not behind 300 calls in 16 threads, which are 10 s"
    for task in attack:
        task.cancel()
    await asyncio.gather(*attack, return_exceptions=True)


async def test_more_than_can_wait_are_refused_at_once(tenant):
    go_on = threading.Event()

    def hangs(context):
        go_on.wait(10)
        return [tenant.domain]

    api_client = client_of(tenant, hangs, resolver_timeout=30)
    waiting = [asyncio.ensure_future(api_client.verify_access_token(tenant.token())) for _ in range(600)]
    done, pending = await asyncio.wait(waiting, timeout=1)
    codes = {(task.exception().get_status_code(), task.exception().code) for task in done}
    assert codes == {(503, "domains_resolver_timeout")}
    assert len(pending) == 12 + 500, "a quarter of 16 places is for known issuers"
    go_on.set()
    assert all([await task for task in pending])


async def test_a_caller_that_gives_up_frees_its_place(tenant):
    api_client = client_of(tenant, KINDS["async"](Resolver([tenant.domain])))
    hanging = asyncio.Event()

    async def hangs(context):
        await hanging.wait()
        return [tenant.domain]

    api_client._driver._resolver._resolve = hangs
    for _ in range(3):
        tasks = [asyncio.ensure_future(api_client.verify_access_token(tenant.token())) for _ in range(40)]
        await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    hanging.set()
    assert await api_client.verify_access_token(tenant.token())
