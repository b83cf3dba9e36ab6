"""The client flows: what is sent, what is made of the answers, and who is given what was remembered."""

import asyncio
import base64
import dataclasses
import logging
import time
import traceback
from urllib.parse import parse_qsl

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import RSAKey

from bearward import (
    ApiError,
    ConfigurationError,
    GetAccessTokenForConnectionError,
    GetTokenByExchangeProfileError,
    InMemoryCache,
    MissingRequiredArgumentError,
    VerifyAccessTokenError,
)
from exchanges import (
    ACCESS_TOKEN,
    ENDPOINT,
    EXCHANGE,
    FLOWS,
    SECRET,
    SUBJECT,
    VAULT,
    VAULT_TOKEN,
    ExchangeTenant,
    on_behalf_of,
    profile,
    sent,
    vault,
)

GRANTED = "granted-token-that-nobody-sees"
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - to be refused
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.fixture
def tenant():
    return ExchangeTenant()


@pytest.mark.parametrize(
    ("call", "form"),
    [
        (
            vault,
            {
                "connection": "google",
                "requested_token_type": VAULT_TOKEN,
                "grant_type": VAULT,
                "client_id": "client",
                "subject_token": SUBJECT,
                "subject_token_type": ACCESS_TOKEN,
            },
        ),
        (lambda client: vault(client, login_hint="me"), {"login_hint": "me", "client_id": "client"}),
        (profile, {"grant_type": EXCHANGE, "subject_token": SUBJECT, "subject_token_type": "urn:t"}),
        (
            lambda client: profile(
                client, audience="api", scope="a b", requested_token_type="urn:r", extra={"x": 1, "y": True}
            ),
            {"audience": "api", "scope": "a b", "requested_token_type": "urn:r", "x": "1", "y": "True"},
        ),
        (
            on_behalf_of,
            {
                "grant_type": EXCHANGE,
                "subject_token": SUBJECT,
                "subject_token_type": ACCESS_TOKEN,
                "audience": "https://other",
                "requested_token_type": ACCESS_TOKEN,
            },
        ),
        (lambda client: on_behalf_of(client, scope="read"), {"scope": "read"}),
    ],
)
async def test_what_is_sent(client_of, httpx_mock, call, form):
    httpx_mock.add_response(url=ENDPOINT, method="POST", json={"access_token": "t"})
    await call(client_of())
    (request,) = httpx_mock.get_requests()
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"client:{SECRET}".encode()).decode()
    pairs = sent(httpx_mock)[0]
    assert len(pairs) == len(dict(pairs))
    assert dict(pairs).items() >= form.items()
    if call is not vault:
        assert "client_id" not in dict(pairs) or form.get("client_id")
    if call in FLOWS:
        assert dict(pairs) == form


async def test_what_a_vault_gives(client_of, httpx_mock):
    before = int(time.time())
    httpx_mock.add_response(json={"access_token": "t", "expires_in": 60, "scope": "a", "id_token": "i"})
    given = await vault(client_of())
    assert before + 60 <= given.pop("expires_at") <= int(time.time()) + 60
    assert given == {"access_token": "t", "scope": "a"}
    httpx_mock.add_response(json={"access_token": "t"})
    given = await vault(client_of())
    assert before + 3600 <= given.pop("expires_at") <= int(time.time()) + 3600
    assert given == {"access_token": "t", "scope": ""}


async def test_what_a_profile_and_on_behalf_of_give(client_of, httpx_mock):
    answer = {"access_token": "t", "expires_in": "60", "scope": "", "id_token": "i", "refresh_token": "r"}
    answer.update(token_type="Bearer", issued_token_type=ACCESS_TOKEN, other=1)
    httpx_mock.add_response(json=answer, is_reusable=True)
    given = await profile(client_of())
    assert type(given.pop("expires_at")) is int
    assert given == {
        "access_token": "t",
        "expires_in": 60,
        "scope": "",
        "id_token": "i",
        "refresh_token": "r",
        "token_type": "Bearer",
        "issued_token_type": ACCESS_TOKEN,
    }
    given = await on_behalf_of(client_of())
    assert "id_token" not in given
    assert "refresh_token" not in given
    assert given["issued_token_type"] == ACCESS_TOKEN


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        ({"status_code": 403, "json": {"error": "denied", "error_description": "no"}}, "denied", 403),
        ({"status_code": 429, "text": "slow down"}, None, 429),
        ({"status_code": 500, "json": []}, None, 500),
        ({"status_code": 302, "headers": {"Location": "https://elsewhere.example/"}}, None, 302),
        ({"json": {}}, "invalid_response", 502),
        ({"json": {"access_token": 1}}, "invalid_response", 502),
        ({"json": {"access_token": "t", "expires_in": "soon"}}, "invalid_response", 502),
        ({"content": b"x" * (1024 * 1024 + 1)}, "invalid_response", 502),
        ({"content": b"x", "headers": {"Content-Encoding": "br"}}, "invalid_response", 502),
    ],
)
async def test_answers_that_grant_nothing(client_of, httpx_mock, flow, answer, code, status):
    httpx_mock.add_response(**answer)
    with pytest.raises(ApiError) as raised:
        await flow(client_of())
    default = "connection_token_error" if flow is vault else "token_exchange_error"
    assert (raised.value.get_error_code(), raised.value.get_status_code()) == (code or default, status)
    assert len(httpx_mock.get_requests()) == 1


async def test_the_texts_for_an_answer_without_words(client_of, httpx_mock):
    httpx_mock.add_response(status_code=500, is_reusable=True)
    for call, text in [
        (vault, "Failed to get token for connection: 500"),
        (profile, "Failed to exchange token of type 'urn:t'"),
        (on_behalf_of, f"Failed to exchange token of type '{ACCESS_TOKEN}' for audience 'https://other'"),
    ]:
        with pytest.raises(ApiError) as raised:
            await call(client_of())
        assert str(raised.value) == text


@pytest.mark.parametrize(("flow", "status"), [(vault, 500), (profile, 502), (on_behalf_of, 502)])
async def test_what_is_not_json(client_of, httpx_mock, flow, status):
    httpx_mock.add_response(text="<html>")
    with pytest.raises(ApiError) as raised:
        await flow(client_of())
    assert (raised.value.code, raised.value.status_code) == ("invalid_json", status)


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("failure", "code", "status"),
    [
        (httpx.ConnectTimeout("slow"), "timeout_error", 504),
        (httpx.ReadTimeout("slow"), "timeout_error", 504),
        (httpx.ConnectError("refused"), "network_error", 502),
        (httpx.RemoteProtocolError("broken"), "network_error", 502),
        (httpx.InvalidURL("bad"), "network_error", 502),
    ],
)
async def test_no_answer(client_of, httpx_mock, flow, failure, code, status):
    httpx_mock.add_exception(failure)
    with pytest.raises(ApiError) as raised:
        await flow(client_of())
    assert (raised.value.code, raised.value.status_code) == (code, status)


@pytest.mark.parametrize("token_cache", [False, True])
async def test_the_timeout_is_for_the_whole_call(client_of, httpx_mock, token_cache):
    hanging = asyncio.Event()

    async def hang(_request):
        await hanging.wait()

    httpx_mock.add_callback(hang)
    with pytest.raises(ApiError) as raised:
        await on_behalf_of(client_of(timeout=0.05, token_cache=token_cache))
    assert raised.value.code == "timeout_error"


@pytest.mark.parametrize("token_cache", [False, True])
async def test_the_timeout_is_for_the_discovery_document_too(client_of, token_cache):
    async def fetch(_url):
        await asyncio.Event().wait()

    with pytest.raises(ApiError) as raised:
        await on_behalf_of(client_of(timeout=0.05, token_cache=token_cache, custom_fetch=fetch))
    assert raised.value.code == "timeout_error"


async def test_the_timeout_ends_a_call_that_cleans_up_after_it_was_cancelled(client_of, httpx_mock):
    hanging = asyncio.Event()

    async def hang(_request):
        await hanging.wait()

    async def work():
        try:
            await hanging.wait()
        finally:
            await on_behalf_of(client_of(timeout=0.05))

    httpx_mock.add_callback(hang)
    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(ApiError) as raised:
        await task
    assert raised.value.code == "timeout_error"


async def test_who_gives_up_a_call_is_not_told_that_it_timed_out(client_of, httpx_mock):
    asked = asyncio.Event()

    async def hang(_request):
        asked.set()
        await asyncio.Event().wait()

    httpx_mock.add_callback(hang)
    task = asyncio.ensure_future(on_behalf_of(client_of()))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("flow", FLOWS)
async def test_an_issuer_without_a_token_endpoint(client_of, tenant, flow):
    kind = GetAccessTokenForConnectionError if flow is vault else GetTokenByExchangeProfileError
    for url in (None, "", 5, "http://tenant.example/oauth/token", "https://10.0.0.1/token", "https://u@t.example/"):
        tenant.documents()[tenant.discovery_url]["token_endpoint"] = url
        with pytest.raises(kind, match="Token endpoint missing"):
            await flow(client_of())


@pytest.mark.parametrize("flow", FLOWS)
async def test_an_issuer_that_is_down(client_of, flow):
    async def fetch(url):
        raise OSError("down")

    with pytest.raises(ApiError) as raised:
        await flow(client_of(custom_fetch=fetch))
    error = raised.value
    assert (error.get_status_code(), error.get_error_code()) == (503, "temporarily_unavailable")
    assert int(error.get_headers()["Retry-After"]) >= 1
    assert error.detail


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("missing", [{"client_id": None}, {"client_secret": None}, {"client_secret": ""}])
async def test_client_credentials_are_needed(client_of, flow, missing):
    kind = GetAccessTokenForConnectionError if flow is vault else GetTokenByExchangeProfileError
    with pytest.raises(kind, match="client_id"):
        await flow(client_of(**missing))


@pytest.mark.parametrize("name", ["client_id", "client_secret"])
def test_client_credentials_that_cannot_be_sent(client_of, name):
    for value in (5, b"x", f"{SECRET}\udfff"):
        with pytest.raises(ConfigurationError, match=name) as raised:
            client_of(**{name: value})
        assert SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda client: client.get_access_token_for_connection({}), "connection"),
        (lambda client: client.get_access_token_for_connection({"connection": "c"}), "access_token"),
        (lambda client: profile(client, subject_token=""), "subject_token"),
        (lambda client: profile(client, subject_token_type=""), "subject_token_type"),
        (lambda client: on_behalf_of(client, audience=""), "audience"),
        (lambda client: on_behalf_of(client, access_token=""), "subject_token"),
    ],
)
async def test_missing_arguments(client_of, tenant, call, argument):
    with pytest.raises(MissingRequiredArgumentError) as raised:
        await call(client_of())
    assert raised.value.argument == argument
    assert tenant.fetched == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: profile(client, subject_token=" \t"),
        lambda client: profile(client, subject_token=f"{SUBJECT} "),
        lambda client: profile(client, subject_token=f"BEARER {SUBJECT}"),
        lambda client: on_behalf_of(client, access_token=f"Bearer {SUBJECT}"),
        lambda client: profile(client, subject_token=5),
        lambda client: profile(client, subject_token="\ud800"),
        lambda client: profile(client, audience=["api"]),
        lambda client: profile(client, extra={"Audience": "api"}),
        lambda client: profile(client, extra={"CLIENT_SECRET": "x"}),
        lambda client: profile(client, extra={"x": {"a": 1}}),
        lambda client: profile(client, extra={"x": {1}}),
        lambda client: profile(client, extra={"x": b"1"}),
        lambda client: profile(client, extra={"x": ["1"] * 21}),
        lambda client: profile(client, extra={"x": "\ud800"}),
        lambda client: profile(client, extra={"\udfff": "x"}),
    ],
)
async def test_arguments_that_cannot_be_sent(client_of, tenant, call):
    with pytest.raises(GetTokenByExchangeProfileError) as raised:
        await call(client_of())
    assert SUBJECT not in str(raised.value)
    assert tenant.fetched == []


async def test_a_refused_parameter_names_its_type(client_of):
    for value, name in [({}, "dict"), (set(), "set"), (b"", "bytes")]:
        with pytest.raises(GetTokenByExchangeProfileError, match=f"unsupported type {name}"):
            await profile(client_of(), extra={"x": value})


async def test_lists_are_repeated_fields(client_of, httpx_mock):
    httpx_mock.add_response(json={"access_token": "t"})
    await profile(client_of(), extra={"x": ["1", 2], "y": (3,), "z": []})
    assert sent(httpx_mock)[0][3:] == [("x", "1"), ("x", "2"), ("y", "3")]


class TestPrivateKeyJwt:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256"])
    @pytest.mark.parametrize("flow", FLOWS)
    async def test_an_assertion_takes_the_place_of_the_secret(self, client_of, httpx_mock, flow, algorithm):
        httpx_mock.add_response(json={"access_token": "t"}, is_reusable=True)
        client = client_of(client_secret=None, client_assertion_key=pem(RSA), client_assertion_algorithm=algorithm)
        await flow(client)
        await flow(client)
        assert all("authorization" not in request.headers for request in httpx_mock.get_requests())
        claims = [self.verified(form, algorithm) for form in sent(httpx_mock)]
        assert claims[0]["jti"] != claims[1]["jti"]

    def verified(self, pairs, algorithm):
        form = dict(pairs)
        assert len(pairs) == len(form)
        assert form["client_id"] == "client"
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        token = jwt.decode(form["client_assertion"], RSAKey.import_key(pem(RSA)), algorithms=[algorithm])
        assert token.header["alg"] == algorithm
        assert (token.claims["iss"], token.claims["sub"]) == ("client", "client")
        assert token.claims["aud"] == "https://tenant.example/"
        assert token.claims["iat"] <= time.time() < token.claims["exp"] <= time.time() + 120
        return token.claims

    def test_text_is_as_good_as_bytes(self, client_of):
        assert client_of(client_secret=None, client_assertion_key=pem(RSA).decode())

    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_secret": SECRET},
            {"client_id": None, "client_secret": None},
            {"client_assertion_algorithm": "HS256"},
            {"client_assertion_algorithm": None},
            {"client_assertion_key": "hush"},
            {"client_assertion_key": ""},
            {"client_assertion_key": 5},
            {"client_assertion_key": pem(ec.generate_private_key(ec.SECP256R1()))},
            {"client_assertion_key": pem(WEAK)},
            {"client_assertion_key": pem(RSA, BestAvailableEncryption(b"hush"))},
        ],
        ids=str,
    )
    def test_what_cannot_be_used_is_refused_at_construction(self, client_of, wrong):
        with pytest.raises(ConfigurationError) as raised:
            client_of(**{"client_secret": None, "client_assertion_key": pem(RSA), **wrong})
        assert "hush" not in str(raised.value)
        assert "PRIVATE" not in "".join(traceback.format_exception(None, raised.value, raised.value.__traceback__))


def local_variables(error):
    """What error reporters find of the client's secret and key: the users' own tokens are arguments of their calls."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return [
        repr(frame.f_locals[name]) for frame in frames for name in ("identified", "client") if name in frame.f_locals
    ]


def looked_into(value):
    """A value as pytest and rich show it: they open containers, whatever their `repr` says, and data classes."""
    yield repr(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = list(vars(value).values())
    if isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            yield from looked_into(item)


def assert_frames_hold_no_token(error):
    """No local variable of ours on the way of `error` shows a granted token, or the client's secret."""
    frames = 0
    while error is not None:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if frame.f_globals["__name__"].startswith("bearward."):
                frames += 1
                shown = "".join(text for value in frame.f_locals.values() for text in looked_into(value))
                assert GRANTED not in shown, frame
                assert SECRET not in shown, frame
        error = error.__cause__ or error.__context__
    assert frames, "none of our frames was looked into"


class Broken(httpx.AsyncByteStream):
    """An answer that begins with a token, and then raises `error`; without one, nothing more comes."""

    def __init__(self, error):
        self.begun = asyncio.Event()
        self._error = error

    async def __aiter__(self):
        yield f'{{"access_token": "{GRANTED}", '.encode()
        self.begun.set()
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()


class TestSecrets:
    @pytest.mark.parametrize("flow", FLOWS)
    @pytest.mark.parametrize("token_cache", [False, True])
    async def test_they_are_in_no_log_error_or_repr(self, client_of, httpx_mock, caplog, flow, token_cache):
        caplog.set_level(logging.DEBUG)
        client = client_of(token_cache=token_cache)
        basic = base64.b64encode(f"client:{SECRET}".encode()).decode()
        echo = {"error": f"bad {SECRET}", "error_description": f"{SUBJECT} of {SECRET}, Basic {basic}"}
        told = [repr(client), repr(client.options), repr(client._exchanger)]
        httpx_mock.add_response(json={"access_token": GRANTED})
        await flow(client)
        for failure in (
            lambda: httpx_mock.add_response(status_code=400, json=echo),
            lambda: httpx_mock.add_response(text=f"<html>{SECRET} {SUBJECT}"),
            lambda: httpx_mock.add_exception(httpx.ConnectError("refused")),
        ):
            failure()
            with pytest.raises(ApiError) as raised:
                await flow(client_of(token_cache=token_cache))
            error = raised.value
            assert error.__cause__ is error.__context__ is None
            told += [str(error), repr(error), repr(vars(error)), *local_variables(error)]
            told += traceback.format_exception(type(error), error, error.__traceback__)
        told = "\n".join([*told, caplog.text])
        assert "[redacted]" in told
        for secret in (SECRET, SUBJECT, "granted-token", basic):
            assert secret not in told

    @pytest.mark.parametrize("token_cache", [False, True])
    @pytest.mark.parametrize("flow", FLOWS)
    @pytest.mark.parametrize(
        "answer",
        [
            {"json": {"access_token": GRANTED, "expires_in": "soon"}},
            {"json": {"access_token": GRANTED, "expires_in": [3600]}},
            {"json": {"access_token": "", "refresh_token": GRANTED}},
            {"text": f'{{"access_token": "{GRANTED}", "expires_in"'},
            {"json": {"error": "slow", "access_token": GRANTED}, "status_code": 429},
            {"text": GRANTED, "headers": {"Content-Encoding": "br"}},
        ],
        ids=str,
    )
    async def test_no_frame_holds_a_token_that_was_granted_in_vain(
        self, client_of, httpx_mock, answer, flow, token_cache
    ):
        httpx_mock.add_response(**answer)
        with pytest.raises(ApiError) as raised:
            await flow(client_of(token_cache=token_cache))
        assert_frames_hold_no_token(raised.value)

    @pytest.mark.parametrize("flow", FLOWS)
    async def test_no_frame_holds_the_beginning_of_an_answer_that_breaks_off(self, client_of, httpx_mock, flow):
        httpx_mock.add_response(stream=Broken(RuntimeError("the transport has a defect")))
        with pytest.raises(RuntimeError, match="defect") as raised:
            await flow(client_of())
        assert_frames_hold_no_token(raised.value)

    @pytest.mark.parametrize("flow", FLOWS)
    async def test_no_frame_holds_the_beginning_of_an_answer_that_is_given_up(self, client_of, httpx_mock, flow):
        stream = Broken(None)
        httpx_mock.add_response(stream=stream)
        call = asyncio.ensure_future(flow(client_of()))
        await stream.begun.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as raised:
            await call
        assert_frames_hold_no_token(raised.value)

    async def test_an_assertion_that_is_told_back_is_cut_out(self, client_of, httpx_mock):
        def answer(request):
            assertion = dict(parse_qsl(request.content.decode()))["client_assertion"]
            return httpx.Response(401, json={"error": "invalid_client", "error_description": f"not {assertion}"})

        httpx_mock.add_callback(answer)
        with pytest.raises(ApiError, match=r"^not \[redacted\]$"):
            await profile(client_of(client_secret=None, client_assertion_key=pem(RSA)))

    async def test_cookies_of_one_answer_are_not_sent_with_the_next_request(self, client_of, httpx_mock):
        cookie = {"Set-Cookie": "session=of-one-user; Path=/; Secure"}
        httpx_mock.add_response(json={"access_token": "t"}, headers=cookie, is_reusable=True)
        client = client_of()
        await on_behalf_of(client, "user-1")
        await on_behalf_of(client, "user-2")
        assert all("cookie" not in request.headers for request in httpx_mock.get_requests())


async def test_the_discovery_document_is_the_one_that_verification_keeps(client_of, httpx_mock, tenant):
    httpx_mock.add_response(json={"access_token": "t"}, is_reusable=True)
    client = client_of()
    await client.verify_access_token(tenant.token())
    await on_behalf_of(client)
    await on_behalf_of(client)
    assert tenant.fetched == [tenant.discovery_url, tenant.jwks_url]


async def test_with_several_domains_the_client_is_that_of_domain(client_of, httpx_mock, tenant):
    httpx_mock.add_response(url=ENDPOINT, json={"access_token": "t"})
    client = client_of(domains=["brand.example"])
    assert (await on_behalf_of(client))["access_token"] == "t"
    assert tenant.fetched == [tenant.discovery_url]
    with pytest.raises(VerifyAccessTokenError):
        await client.verify_access_token(tenant.token())
    assert tenant.fetched == [tenant.discovery_url]


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    "more", [{}, {"issuer": "https://tenant.example/"}, {"jwks_uri": "https://tenant.example/keys"}]
)
async def test_a_mocked_discovery_document_may_hold_a_token_endpoint_only(client_of, httpx_mock, flow, more):
    async def fetch(_url):
        return {"token_endpoint": ENDPOINT, **more}

    httpx_mock.add_response(url=ENDPOINT, json={"access_token": "t"}, is_reusable=True)
    client = client_of(custom_fetch=fetch)
    for _ in range(2):
        assert (await flow(client))["access_token"] == "t"


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    "document",
    [
        {"token_endpoint": ENDPOINT, "issuer": "https://evil.example/"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"token_endpoint": ENDPOINT, "jwks_uri": "https://10.0.0.1/keys"},
        {},
    ],
    ids=str,
)
async def test_a_suspicious_document_gets_no_secret(client_of, flow, document):
    async def fetch(_url):
        return document

    with pytest.raises(ApiError):
        await flow(client_of(custom_fetch=fetch))


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_a_discovery_that_fails_is_one_of_the_errors_that_callers_catch(httpx_mock, client_of, status):
    httpx_mock.add_response(status_code=status)
    with pytest.raises(ApiError) as raised:
        await on_behalf_of(client_of(custom_fetch=None))
    assert raised.value.get_status_code() == 503


@pytest.mark.parametrize("flow", FLOWS)
async def test_the_place_for_secrets_never_comes_from_a_shared_cache(client_of, httpx_mock, tenant, flow):
    cache = InMemoryCache()
    forged = {**tenant.documents()[tenant.discovery_url], "token_endpoint": "https://evil.example/token"}
    cache.set(tenant.issuer, forged)
    httpx_mock.add_response(url=ENDPOINT, json={"access_token": "t"}, is_reusable=True)
    client = client_of(cache_adapter=cache)
    # Verification has taken the document out of the cache already.
    assert await client.verify_access_token(tenant.token())
    assert tenant.discovery_url not in tenant.fetched
    for _ in range(2):
        assert (await flow(client))["access_token"] == "t"
    assert tenant.fetched.count(tenant.discovery_url) == 1
    assert {str(request.url) for request in httpx_mock.get_requests()} == {ENDPOINT}


async def test_while_the_issuer_is_down_a_cache_does_not_say_where_secrets_go(client_of, tenant):
    cache = InMemoryCache()
    cache.set(tenant.issuer, {**tenant.documents()[tenant.discovery_url], "token_endpoint": "https://evil.example/t"})

    async def fetch(url):
        if url == tenant.discovery_url:
            raise OSError
        return await tenant.fetch(url)

    client = client_of(cache_adapter=cache, custom_fetch=fetch)
    assert await client.verify_access_token(tenant.token()), "verification goes on with what the cache has"
    with pytest.raises(ApiError):
        await on_behalf_of(client)


async def test_a_cache_that_is_changed_later_redirects_nothing(client_of, httpx_mock, tenant, clock, exchange_clock):
    cache = InMemoryCache()
    httpx_mock.add_response(url=ENDPOINT, json={"access_token": "t"}, is_reusable=True)
    client = client_of(cache_adapter=cache)
    assert await on_behalf_of(client)
    cache.set(tenant.issuer, {**tenant.documents()[tenant.discovery_url], "token_endpoint": "https://evil.example/t"})
    for ahead in (470, 700, 1400):
        clock.ahead = exchange_clock.ahead = ahead
        assert await client.verify_access_token(tenant.token(exp=int(time.time()) + 10_000))
        assert await on_behalf_of(client)
    assert {str(request.url) for request in httpx_mock.get_requests()} == {ENDPOINT}
