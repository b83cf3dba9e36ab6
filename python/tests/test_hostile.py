"""Whatever a client sends, the answer is a 4xx; and no piece of a token shows in logs, errors or tracebacks."""

import base64
import json
import logging
import traceback
from unittest.mock import patch

import pytest
from fastapi.testclient import TestClient

from bearward import ApiClient, BaseAuthError
from support import OTHER_KEY, raw_exchange, running


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
