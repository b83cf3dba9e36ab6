"""Whatever a client sends, the answer is a 4xx; and no piece of a token shows in logs, errors or tracebacks."""

import base64
import json
import logging
import traceback
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from bearward import ApiClient, ApiClientOptions, BaseAuthError
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, OTHER_KEY, raw_exchange, running


def segment(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def corpus(tenant):
    """Good, bad and absurd tokens."""
    good = tenant.token()
    header, payload, signature = good.split(".")
    yield from (good, tenant.token(exp=1), tenant.token(aud="other"), tenant.token(key=OTHER_KEY))
    yield from (
        f"{header}.{payload}",
        f"{good}.{signature}.{signature}",
        f"{header}..{signature}",
        good + "=",
        good[:-4],
    )
    for odd in (
        {},
        {"alg": "none"},
        {"alg": "HS256", "kid": "key-1"},
        {"alg": 5},
        {"alg": "RS256", "kid": ["k"]},
        [],
        None,
        7,
        "x",
    ):
        yield f"{segment(odd)}.{payload}.{signature}"
    for odd in ({}, [], None, "text", {"iss": 5}, {"iss": "https://evil.example/"}, {"iss": "\ud800"}, {"iss": None}):
        yield f"{header}.{segment(odd)}.{signature}"
    for odd in (
        b"",
        b"{",
        b"\xff\xfe",
        b'{"iss":1e999}',
        b"[" * 10_000,
        b'{"iss":' + b"9" * 5000 + b"}",
        b'{"a":1,"a":2}',
    ):
        yield f"{segment(odd)}.{payload}.{signature}"
        yield f"{header}.{segment(odd)}.{signature}"
    for claim in ("iss", "sub", "aud", "exp", "nbf", "iat", "scope", "cnf", "act"):
        for odd in (None, True, -1, 1e300, "", "text", [], [[]], {}, {"a": {"b": []}}):
            yield tenant.token(**{claim: odd}) if odd is not None else good
    yield from ("", ".", "..", "a.b.c", "opaque-token-of-another-kind", "é" * 10, "%00", "A" * 20_000)


def fields(tenant):
    """Authorization fields as bytes, wild ones included."""
    good = tenant.token().encode()
    for token in corpus(tenant):
        yield b"Bearer " + token.encode("utf-8", "surrogatepass")
    yield from (b"", b" ", b"Bearer", b"Bearer ", b"bearer  \t" + good, b"Basic dXNlcjpwYXNz", b"DPoP " + good, good)
    yield from (
        b"Bearer " + good + b" " + good,
        b"Bearer\t" + good,
        b"\xff\xfe",
        b"Bearer \xff",
        b"Bearer, Bearer " + good,
    )
    yield from (b"Bearer " + b"." * 5000, b'Bearer "' + good + b'"', b"B" * 5000)


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_hostile_fields_over_a_socket_never_get_a_5xx(app, tenant, http):
    statuses = set()
    with running(app, http=http) as port:
        for field in fields(tenant):
            request = b"GET /messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: " + field + b"\r\n\r\n"
            status, answer = raw_exchange(port, request)
            assert status < 500, (field[:80], answer[:200])
            statuses.add(status)
        for host in (b"\xff", b"a b", b"[", b"x:99999", b"//@", b""):
            request = b"GET /messages?\xff HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
            assert raw_exchange(port, request)[0] < 500
    assert {200, 400, 401} <= statuses


def test_hostile_fields_in_process_never_get_a_5xx(client, tenant):
    for field in fields(tenant):
        answer = client.get("/messages", headers=[(b"authorization", field)])
        assert answer.status_code < 500, field[:80]


def pieces(token):
    """What of a token must not be found: its segments, whole or in part. Short ones are found by chance."""
    return [part[start : start + 16] for part in token.split(".") for start in (0, len(part) // 2) if len(part) >= 32]


def assert_clean(text, token):
    assert not [piece for piece in pieces(token) if piece in text]


def test_tokens_are_not_logged_or_answered(client, tenant, caplog):
    caplog.set_level(logging.DEBUG)
    for token in corpus(tenant):
        caplog.clear()
        try:
            field = f"Bearer {token}".encode("latin-1")
        except UnicodeEncodeError:
            continue
        answer = client.get("/messages", headers=[(b"authorization", field)])
        if answer.status_code != 200:
            assert_clean(caplog.text + answer.text + str(answer.headers), token)


async def test_tokens_are_not_in_errors(auth0, tenant):
    for token in corpus(tenant):
        try:
            await auth0.api_client.verify_access_token(token)
        except BaseAuthError as error:
            shown = [
                repr(error),
                str(vars(error)),
                "".join(traceback.format_exception(None, error, error.__traceback__)),
            ]
            assert_clean("".join(shown), token)


def test_tokens_are_not_in_the_traceback_of_a_defect(app, auth0, tenant, caplog):
    caplog.set_level(logging.DEBUG)
    token = tenant.token()

    async def verify(self, headers, http_method, http_url):
        raise RuntimeError(f"got {headers['authorization']!r}") from ValueError(token.split(".")[1])

    with patch.object(ApiClient, "verify_request", verify):
        answer = TestClient(app).get("/private", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 500
    assert "[redacted]" in caplog.text
    assert "RuntimeError" in caplog.text
    assert_clean(caplog.text + answer.text, token)


def proofs(prover, token, htu):
    """Good, bad and absurd DPoP proofs."""
    good = prover.proof(token, htu)
    header, payload, signature = good.split(".")
    yield from (
        good,
        good,
        f"{header}.{payload}",
        f"{good}.{signature}",
        f"{header}..{signature}",
        good + "=",
        good[:-4],
    )
    for odd in ({}, {"alg": "none"}, {"alg": 5}, {"typ": "dpop+jwt", "alg": "ES256"}, [], None, 7, "x"):
        yield f"{segment(odd)}.{payload}.{signature}"
    jwk = prover.key.as_dict(private=False)
    private = prover.key.as_dict(private=True)
    for odd in (
        {**jwk, "x": "A"},
        {**jwk, "x": jwk["x"] + "="},
        {**jwk, "y": jwk["x"]},
        {**jwk, "crv": []},
        private,
        {"kty": "oct", "k": "A" * 43},
        {"kty": "RSA", "n": "A" * 20_000, "e": "AQAB"},
        [],
        "x",
        {},
    ):
        yield prover.proof(token, htu, header={"jwk": odd})
    for odd in (
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"a":1,"a":2}',
        b'{"iat":1e999}',
        b'{"iat":' + b"9" * 5000 + b"}",
    ):
        yield f"{segment(odd)}.{payload}.{signature}"
        yield f"{header}.{segment(odd)}.{signature}"
    for claim in ("jti", "htm", "htu", "iat", "ath", "exp", "nbf", "nonce"):
        for odd in (True, -1, 1e300, "", "text", "A" * 10_000, [], [[]], {}, {"a": {"b": []}}):
            yield prover.proof(token, **{"htu": htu, claim: odd})
    yield from ("", ".", "..", "a.b.c", "%00", "A" * 20_000, f"{good},{good}")


def dpop_app(tenant, **options):
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options)
    return guarded_app(auth0)


@pytest.mark.parametrize("http", ["h11", "httptools"])
@pytest.mark.parametrize("nonces", [False, True])
def test_hostile_proofs_over_a_socket_never_get_a_5xx(tenant, prover, http, nonces):
    token, statuses = prover.token(), set()
    with running(dpop_app(tenant, dpop_nonce=nonces), http=http) as port:
        for proof in proofs(prover, token, "http://x/private"):
            head = f"GET /private HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: DPoP {token}\r\n"
            status, answer = raw_exchange(port, f"{head}DPoP: {proof}\r\n\r\n".encode())
            assert status < 500, (proof[:80], answer[:200])
            statuses.add(status)
    assert {400, 401 if nonces else 200} <= statuses


@pytest.mark.parametrize("options", [{}, {"dpop_nonce": True}, {"dpop_replay": True, "dpop_required": True}])
def test_proofs_are_not_logged_or_answered(tenant, prover, caplog, options):
    caplog.set_level(logging.DEBUG)
    client = TestClient(dpop_app(tenant, **options))
    token = prover.token()
    for proof in proofs(prover, token, "http://testserver/private"):
        caplog.clear()
        answer = client.get("/private", headers={"Authorization": f"DPoP {token}", "DPoP": proof})
        shown = caplog.text + answer.text + str(answer.headers)
        if answer.status_code != 200:
            assert_clean(shown, proof)
            assert_clean(shown, token)


async def test_proofs_are_not_in_errors(auth0, tenant, prover):
    url = "https://api.example/"
    token = prover.token()
    for proof in proofs(prover, token, url):
        for attempt in (
            auth0.api_client.verify_request({"authorization": f"DPoP {token}", "dpop": proof}, "GET", url),
            auth0.api_client.verify_dpop_proof(token, proof or "x", "GET", url),
        ):
            try:
                await attempt
            except BaseAuthError as error:
                trace = "".join(traceback.format_exception(None, error, error.__traceback__))
                assert_clean(f"{error!r}{vars(error)}{trace}", proof)
                assert_clean(f"{error!r}{vars(error)}{trace}", token)


def test_proofs_are_not_in_the_traceback_of_a_defect(tenant, prover, caplog):
    caplog.set_level(logging.DEBUG)
    headers = prover.headers("http://testserver/private")

    async def verify(self, headers, http_method, http_url):
        raise RuntimeError(f"got {headers['dpop']!r}")

    with patch.object(ApiClient, "verify_request", verify):
        answer = TestClient(dpop_app(tenant)).get("/private", headers=headers)
    assert answer.status_code == 500
    assert "[redacted]" in caplog.text
    assert_clean(caplog.text + answer.text, headers["DPoP"])


async def test_a_failing_store_does_not_tell_the_proof(tenant, prover, caplog):
    class Store:
        async def remember(self, key, ttl_seconds):
            raise OSError("down")

    caplog.set_level(logging.DEBUG)
    options = ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, dpop_replay=Store())
    headers = prover.headers("https://api.example/")
    with pytest.raises(BaseAuthError) as refusal:
        await ApiClient(options).verify_request(headers, "GET", "https://api.example/")
    shown = caplog.text + "".join(traceback.format_exception(None, refusal.value, refusal.value.__traceback__))
    assert_clean(shown, headers["DPoP"])
    assert_clean(shown, headers["Authorization"])


def test_keys_are_not_in_reprs(tenant):
    key = b"a-very-secret-key-of-32-bytes!!!"
    auth0 = Auth0FastAPI(domain=tenant.domain, audience=AUDIENCE, dpop_nonce=True, dpop_nonce_key=key)
    shown = f"{auth0!r}{auth0.api_client!r}{auth0.api_client.options!r}{auth0.api_client._engine!r}"
    assert key.decode() not in shown
