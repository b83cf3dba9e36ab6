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
