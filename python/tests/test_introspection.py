"""Opaque tokens, over real https. `vectors/introspection.json` has the rules."""

import asyncio
import json
import logging
import pickle
import traceback
from urllib.parse import parse_qs

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi.testclient import TestClient

import bearward._driver.introspect
import bearward.mcp
from asgi_apps import plain
from bearward import (
    ApiClient,
    ApiClientOptions,
    ConfigurationError,
    InMemoryCache,
    Introspection,
    IssuerUnavailableError,
)
from bearward.asgi import AuthMiddleware
from bearward.errors import VerifyAccessTokenError
from bearward.fastapi import Guard
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from local_tenant import CLIENT_KEY
from support import AUDIENCE, running, settled

SECRET = "secret-of-the-api"


@pytest.fixture
def clock(clock, monkeypatch):
    monkeypatch.setattr(bearward._driver.introspect, "time", clock)
    return clock


@pytest.fixture
def tenant(local_tenant):
    return local_tenant


def client_of(tenant, **options):
    credentials = Introspection(client_id=tenant.client_id, client_secret=tenant.client_secret)
    return ApiClient(
        ApiClientOptions(**{"domain": tenant.domain, "audience": AUDIENCE, "introspection": credentials, **options})
    )


def opaque(tenant, **order):
    return tenant.token(format="opaque", **order)


async def refusal(api_client, token):
    with pytest.raises(VerifyAccessTokenError) as refused:
        await api_client.verify_access_token(token)
    assert refused.value.get_status_code() == 401
    return refused.value.code


async def outage(api_client, token):
    with pytest.raises(IssuerUnavailableError) as refused:
        await api_client.verify_access_token(token)
    assert (refused.value.get_status_code(), refused.value.code) == (503, "introspection_unavailable")
    return int(refused.value.get_headers()["Retry-After"])


def revoke(tenant, token):
    with tenant._client() as client:
        answer = client.post(
            f"{tenant.issuer}oauth/revoke", auth=(tenant.client_id, tenant.client_secret), data={"token": token}
        )
    assert answer.status_code == 200


def test_a_guard_asks_the_tenant(tenant):
    credentials = Introspection(client_id=tenant.client_id, client_secret=tenant.client_secret)
    guard = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, introspection=credentials)
    client = TestClient(guarded_app(guard))

    def ask(path, token):
        return client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code

    token = opaque(tenant, scope="read:messages", user="auth0|ann")
    assert ask("/messages", token) == 200
    assert ask("/both", token) == 403
    assert ask("/private", opaque(tenant, claims={"aud": "https://other.example.com"})) == 401
    assert ask("/private", opaque(tenant, expires_in=-5)) == 401
    assert ask("/private", "made-up") == 401
    assert ask("/private", tenant.token()) == 200


async def test_a_revoked_token_is_refused_after_half_a_minute(tenant, clock):
    api_client, token = client_of(tenant), opaque(tenant)
    assert (await api_client.verify_access_token(token))["active"] is True
    revoke(tenant, token)
    clock.ahead = 20
    assert await api_client.verify_access_token(token)
    clock.ahead = 31
    assert await refusal(api_client, token) == "token_inactive"


async def test_nothing_is_remembered_if_so_configured(tenant):
    credentials = Introspection(client_id=tenant.client_id, client_secret=tenant.client_secret, remember_seconds=0)
    api_client, token = client_of(tenant, introspection=credentials), opaque(tenant)
    assert await api_client.verify_access_token(token)
    revoke(tenant, token)
    assert await refusal(api_client, token) == "token_inactive"


async def test_it_may_authenticate_with_a_key(tenant):
    pem = CLIENT_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    good = Introspection(client_id=tenant.client_id, client_assertion_key=pem)
    api_client = client_of(tenant, introspection=good)
    # Each assertion is good once.
    for _ in range(2):
        assert await api_client.verify_access_token(opaque(tenant))


async def test_wrong_credentials_are_an_outage_for_the_log(tenant, caplog):
    wrong = Introspection(client_id=tenant.client_id, client_secret="wrong")
    assert await outage(client_of(tenant, introspection=wrong), opaque(tenant)) >= 1
    assert "no answer of the introspection endpoint of 127.0.0.1" in caplog.text
    assert "status 401" in caplog.text


async def test_a_bound_token_needs_its_proof(tenant, prover):
    api_client, url = client_of(tenant), "https://api.example.com/"
    token = opaque(tenant, claims={"cnf": {"jkt": prover.jkt}})
    assert await api_client.verify_request(prover.headers(url, token), "GET", url)
    with pytest.raises(VerifyAccessTokenError) as refused:
        await api_client.verify_request({"Authorization": f"Bearer {token}"})
    assert refused.value.code == "bound_token_as_bearer"


# httpcore leaves a connection whose TLS handshake is cancelled to the garbage collector.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("connections", ["reset", "silent"])
async def test_an_outage_is_503_until_it_is_over(tenant, clock, connections):
    api_client = client_of(tenant, **({"fetch_timeout": 1.0} if connections == "silent" else {}))
    known, other = opaque(tenant), opaque(tenant)
    assert await api_client.verify_access_token(known)
    tenant.admin("down", {} if connections == "reset" else {"connections": connections})
    assert await outage(api_client, other) >= 1
    assert await api_client.verify_access_token(known), "remembered"
    clock.ahead = 31
    # Nothing old is used.
    assert await outage(api_client, known) >= 1
    await settled(api_client)
    tenant.admin("recover")
    clock.ahead = 120
    assert await api_client.verify_access_token(known)
    assert await api_client.verify_access_token(other)


class Endpoint:
    """The introspection endpoint of an `HttpsIssuer`."""

    PATH = "/introspect"

    def __init__(self, issuer):
        self.issuer, self.tenant = issuer, issuer.tenant
        documents = issuer.tenant.documents()
        documents[issuer.tenant.discovery_url]["introspection_endpoint"] = f"{issuer.tenant.issuer}introspect"
        issuer.tenant.documents = lambda: documents
        self.say(active=True)

    def say(self, status=200, headers=None, body=None, **claims):
        claims = {"aud": AUDIENCE, "iss": self.tenant.issuer, "sub": "auth0|1234", "scope": "read:messages", **claims}
        self.issuer.answers[self.PATH] = status, headers or {}, json.dumps(claims).encode() if body is None else body

    def asked(self):
        return self.issuer.requests.count(self.PATH)

    def options(self, **more):
        credentials = Introspection(client_id="api", client_secret=SECRET)
        return {"domain": self.tenant.domain, "audience": AUDIENCE, "introspection": credentials, **more}


@pytest.fixture
def endpoint(https_issuer):
    return Endpoint(https_issuer)


async def test_a_herd_asks_once(endpoint):
    endpoint.issuer.latency = 0.1
    with running(guarded_app(Auth0FastAPI(**endpoint.options()))) as port:
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=300), timeout=60, trust_env=False) as client:
            url, headers = f"http://127.0.0.1:{port}/messages", {"Authorization": "Bearer opaque"}
            answers = await asyncio.gather(*(client.get(url, headers=headers) for _ in range(300)))
    assert {answer.status_code for answer in answers} == {200}
    assert endpoint.asked() == 1
    assert parse_qs(endpoint.issuer.forms[0]) == {"token": ["opaque"], "token_type_hint": ["access_token"]}


def test_under_trio(endpoint, clock):
    with TestClient(guarded_app(Auth0FastAPI(**endpoint.options())), backend="trio") as client:
        for ahead, asked in ((0, 1), (10, 1), (40, 2)):
            clock.ahead = ahead
            assert client.get("/messages", headers={"Authorization": "Bearer opaque"}).status_code == 200
            assert endpoint.asked() == asked


def test_nobody_says_when_a_token_expires(endpoint):
    api_client = ApiClient(ApiClientOptions(**endpoint.options(rfc_status_codes=True)))
    client = TestClient(AuthMiddleware(plain, api_client, end_streams_at_expiry=True))
    assert client.get("/show", headers={"Authorization": "Bearer opaque"}).json()["subject"] == "auth0|1234"


def test_an_mcp_server_whose_issuer_does_not_say_when_a_token_expires(endpoint):
    pytest.importorskip("mcp", reason="the SDK of MCP is not installed: it needs Python 3.10 and a newer FastAPI")
    api_client = ApiClient(ApiClientOptions(**endpoint.options(rfc_status_codes=True)))
    client = TestClient(bearward.mcp.guard(plain, resource="https://mcp.example.com/mcp", client=api_client))
    assert client.get("/show", headers={"Authorization": "Bearer opaque"}).json()["subject"] == "auth0|1234"


async def test_a_shared_cache_does_not_say_where_tokens_go(endpoint):
    forged = {
        **endpoint.tenant.documents()[endpoint.tenant.discovery_url],
        "introspection_endpoint": "https://evil.example/",
    }
    cache = InMemoryCache()
    cache.set(endpoint.tenant.issuer, forged)
    api_client = ApiClient(ApiClientOptions(**endpoint.options(cache_adapter=cache)))
    # The forged document is good enough for keys.
    assert await api_client.verify_access_token(endpoint.tenant.token())
    assert endpoint.tenant.discovery_url not in {f"{endpoint.tenant.issuer}{it[1:]}" for it in endpoint.issuer.requests}
    assert await api_client.verify_access_token("opaque")
    assert endpoint.asked() == 1


async def test_a_jwt_is_never_sent(endpoint):
    api_client = ApiClient(ApiClientOptions(**endpoint.options()))
    assert await api_client.verify_access_token(endpoint.tenant.token())
    for token in (endpoint.tenant.token(exp=1), "a.b.c", "a.b.c.d.e", "not a token", "x\r\ny", "", "\u00e9"):
        with pytest.raises(Exception):  # noqa: B017, PT011 - of several classes
            await api_client.verify_access_token(token)
    assert endpoint.asked() == 0


async def test_one_caller_that_gives_up_ends_nobody_elses_question(endpoint):
    endpoint.issuer.latency = 0.2
    api_client = ApiClient(ApiClientOptions(**endpoint.options()))
    assert await api_client.warm()
    first = asyncio.ensure_future(api_client.verify_access_token("opaque"))
    second = asyncio.ensure_future(api_client.verify_access_token("opaque"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    assert (await second)["active"] is True
    assert endpoint.asked() == 1


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (302, {"Location": "https://localhost/"}, None),
        (500, {}, None),
        (200, {}, b"<html>"),
        (200, {}, b"[]"),
        (200, {"Content-Encoding": "gzip"}, b"no gzip"),
        (200, {}, b" " * 2_000_000),
        (200, {}, b'{"active": true' + b" " * 100_000 + b"}"),
        (200, {}, b'{"active": "true"}'),
    ],
)
async def test_an_answer_that_is_none_lets_nobody_in(endpoint, status, headers, body):
    endpoint.say(status, headers, body, active=True)
    assert await outage(ApiClient(ApiClientOptions(**endpoint.options())), "opaque") >= 1
    assert endpoint.asked() == 1


async def test_the_endpoint_says_when_to_come_back(endpoint):
    endpoint.say(503, {"Retry-After": "17"})
    api_client = ApiClient(ApiClientOptions(**endpoint.options()))
    assert await outage(api_client, "opaque") == 17
    assert await outage(api_client, "other") in (16, 17)
    assert endpoint.asked() == 1


async def test_a_configured_endpoint_is_asked(endpoint):
    credentials = Introspection(client_id="api", client_secret=SECRET, endpoint=f"{endpoint.tenant.issuer}introspect")
    guard = Guard(issuer=endpoint.tenant.issuer, audience=AUDIENCE, introspection=credentials)
    assert await guard.api_client.verify_access_token("opaque")
    assert endpoint.issuer.requests == ["/introspect"]


async def test_nobody_sees_the_token_or_the_secret(endpoint, caplog):
    caplog.set_level(logging.DEBUG)
    token = "opaque-and-secret"
    endpoint.say(500)
    api_client = ApiClient(ApiClientOptions(**endpoint.options()))
    guard = Auth0FastAPI.from_client(api_client)
    with pytest.raises(IssuerUnavailableError) as refused:
        await api_client.verify_access_token(token)
    TestClient(guarded_app(guard)).get("/private", headers={"Authorization": f"Bearer {token}"})
    error = refused.value
    shown = [repr(it) for it in (api_client, api_client.options.introspection, api_client._engine, guard, error)]
    shown += [caplog.text, "".join(traceback.format_exception(type(error), error, error.__traceback__))]
    assert not [text for text in shown if token in text or SECRET in text]
    assert SECRET.encode() in pickle.dumps(api_client), "as the page says"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Introspection(client_id="a"), "needs client_id, and client_secret or client_assertion_key"),
        (lambda: Introspection(client_id="", client_secret="b"), "needs client_id"),
        (lambda: Introspection(client_id=1, client_secret="b"), "client_id must be a string"),
        (lambda: Introspection(client_id="a", client_secret="b", remember_seconds=301), "at most 300"),
        (lambda: Introspection(client_id="a", client_secret="b", remember_seconds=-1), "non-negative number"),
        (lambda: configured(endpoint="http://a.example/"), "endpoint must be a plain https URL"),
        (lambda: configured(endpoint=""), "endpoint must be a plain https URL"),
        (lambda: configured(client_assertion_key="x"), "give one of them"),
        (lambda: configured({"introspection": {"client_id": "a"}}), "must be an Introspection"),
        (lambda: configured({"domain": None, "domains": ["a.example", "b.example"]}), "introspection needs one issuer"),
        (lambda: configured({"domain": None, "domains": lambda _: ["a.example"]}), "introspection needs one issuer"),
        (lambda: configured({"jwks": {"keys": []}}), "introspection needs endpoint="),
    ],
)
def test_mistakes(make, text):
    with pytest.raises(ConfigurationError, match=text):
        make()


def configured(options=None, **credentials):
    introspection = Introspection(client_id="a", client_secret="b", **credentials)
    given = {"domain": "a.example", "audience": AUDIENCE, "introspection": introspection, **(options or {})}
    return ApiClient(ApiClientOptions(**given))
