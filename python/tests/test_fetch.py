import asyncio
import gzip
import json

import pytest

from bearward import ApiClient, ApiClientOptions, IssuerUnavailableError
from support import AUDIENCE


class Response:
    def __init__(self, document, *, status_code=200, headers=None):
        self.document = document
        self.status_code = status_code
        self.headers = headers or {}

    def json(self):
        return self.document


class AsyncResponse(Response):
    async def json(self):
        return self.document


class BytesResponse(Response):
    @property
    def content(self):
        return json.dumps(self.document).encode()

    def json(self):
        raise AssertionError("the bytes are enough")


def client_of(tenant, fetch=None, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=fetch, **options))


@pytest.mark.parametrize("kind", [lambda document: document, Response, AsyncResponse, BytesResponse])
@pytest.mark.parametrize("is_async", [True, False])
async def test_what_a_custom_fetch_may_give(tenant, kind, is_async):
    async def fetch(url):
        return kind(tenant.documents()[url])

    def fetch_at_once(url):
        return kind(tenant.documents()[url])

    api_client = client_of(tenant, fetch if is_async else fetch_at_once)
    assert (await api_client.verify_access_token(tenant.token()))["sub"] == "auth0|1234"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        5,
        "text",
        {},
        {"issuer": object()},
        Response({"issuer": "x"}, status_code=500),
        Response(None),
        Response({"padding": "x" * 1024 * 1024}),
    ],
    ids=lambda answer: type(answer).__name__,
)
async def test_what_a_custom_fetch_may_not_give(tenant, answer, caplog):
    async def fetch(url):
        return answer

    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant, fetch).verify_access_token(tenant.token())
    assert "no usable discovery document from tenant.example" in caplog.text


async def test_a_fetch_has_a_deadline(tenant, caplog):
    async def fetch(url):
        await asyncio.Event().wait()

    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant, fetch, fetch_timeout=0.01).verify_access_token(tenant.token())
    assert "no answer within 0.01 s" in caplog.text


async def test_a_log_line_stays_one_line(tenant, caplog):
    async def fetch(url):
        raise ValueError("first\nsecond\x1b[31m" + "x" * 10_000)

    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant, fetch).verify_access_token(tenant.token())
    (message,) = [record.getMessage() for record in caplog.records if record.name == "bearward"]
    assert "first\\nsecond" in message
    assert "\n" not in message
    assert len(message) < 500


async def test_real_https(https_issuer):
    tenant = https_issuer.tenant
    api_client = client_of(tenant)
    assert (await api_client.verify_access_token(tenant.token()))["sub"] == "auth0|1234"
    assert https_issuer.requests == ["/.well-known/openid-configuration", "/.well-known/jwks.json"]
    assert len(https_issuer.connections) == 1, "one pooled client: the key set came over the same connection"


async def test_an_untrusted_certificate_is_refused(https_issuer, monkeypatch, caplog):
    monkeypatch.delenv("SSL_CERT_FILE")
    tenant = https_issuer.tenant
    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant).verify_access_token(tenant.token())
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


HUGE = b" " * (1024 * 1024 + 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((302, {"Location": "/elsewhere"}, b""), "status 302"),
        ((404, {}, b"{}"), "status 404"),
        ((204, {}, b""), "status 204"),
        ((200, {}, HUGE), "more than 1048576 bytes"),
        ((200, {"Content-Encoding": "gzip"}, gzip.compress(HUGE)), "more than 1048576 bytes"),
        ((200, {"Content-Encoding": "gzip"}, b"not gzip"), "not gzip"),
        ((200, {}, b"<html>"), ""),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_answers_that_are_not_used(https_issuer, answer, reason, caplog):
    tenant = https_issuer.tenant
    https_issuer.answers["/.well-known/openid-configuration"] = answer
    with pytest.raises(IssuerUnavailableError):
        await client_of(tenant).verify_access_token(tenant.token())
    assert "no usable discovery document from localhost" in caplog.text
    assert reason in caplog.text
    assert https_issuer.requests == ["/.well-known/openid-configuration"]
