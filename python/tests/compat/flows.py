"""Tokens for other services: what is sent to a token endpoint, and what is made of its answer.

For `calls.py`, and so without anything of ours but the package. The endpoint is a stand-in for httpx's transport.
"""

import base64
import contextlib
import time
import urllib.parse
from unittest import mock

import httpx

DOMAIN = "tenant.example"
ENDPOINT = f"https://{DOMAIN}/oauth/token"
METADATA = {"issuer": f"https://{DOMAIN}/", "jwks_uri": f"https://{DOMAIN}/jwks.json", "token_endpoint": ENDPOINT}
CREDENTIALS = {"client_id": "id", "client_secret": "secret: &%\u00e9"}
GRANTED = {"access_token": "granted", "expires_in": 60, "scope": "a b", "token_type": "Bearer"}
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"
NOW = 1_700_000_000


def flows(sdk):
    """Calls by name. Each gives the result and what was sent for it."""
    calls = {}
    for name, (options, answer) in VAULT.items():
        calls[f"vault/{name}"] = call(sdk, "get_access_token_for_connection", answer, options)
    for name, (changes, answer) in PROFILE.items():
        arguments = {"subject_token": "theirs", "subject_token_type": "urn:acme:token", **changes}
        calls[f"profile/{name}"] = call(sdk, "get_token_by_exchange_profile", answer, **arguments)
    for name, (changes, answer) in ON_BEHALF_OF.items():
        arguments = {"access_token": "theirs", "audience": "https://other.example", **changes}
        calls[f"on-behalf-of/{name}"] = call(sdk, "get_token_on_behalf_of", answer, **arguments)
    for name, (options, metadata) in CONFIGURATIONS.items():
        for method, arguments in (
            ("get_access_token_for_connection", [{"connection": "a", "access_token": "theirs"}]),
            ("get_token_by_exchange_profile", ["theirs", "urn:acme:token"]),
            ("get_token_on_behalf_of", ["theirs", "https://other.example"]),
        ):
            made = call(sdk, method, GRANTED, *arguments, options=options, metadata=metadata)
            calls[f"{method}/{name}"] = made
    return {f"flow/{name}": made for name, made in calls.items()}


def call(sdk, method, answer, *arguments, options=None, metadata=None, **keywords):
    async def called():
        async def fetch(url, **_):
            return METADATA if metadata is None else metadata

        given = {
            "domain": DOMAIN,
            "audience": "a",
            "custom_fetch": fetch,
            **(CREDENTIALS if options is None else options),
        }
        api_client = sdk.ApiClient(sdk.ApiClientOptions(**given))
        with endpoint(answer) as sent:
            result = await getattr(api_client, method)(*arguments, **keywords)
        return {"result": result, "sent": sent}

    return called


@contextlib.contextmanager
def endpoint(answer):
    """Answers at the token endpoint; gives the list of what was sent there. The time stands still meanwhile."""
    sent = []

    async def handle(transport, request):
        form = urllib.parse.parse_qsl((await request.aread()).decode(), keep_blank_values=True)
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        credentials = base64.b64decode(basic).decode("utf-8", "replace")
        sent.append([request.method, str(request.url), scheme, credentials, sorted(form)])
        if isinstance(answer, type):
            raise answer("secret inner text", request=request)
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)

    with (
        mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", handle),
        mock.patch.object(time, "time", return_value=NOW),
    ):
        yield sent


def granted(**changes):
    return {name: value for name, value in {**GRANTED, **changes}.items() if value is not LEFT_OUT}


LEFT_OUT = object()


def refused(status, **kind):
    return httpx.Response(status, **kind)


# What an endpoint may answer.
ANSWERS = {
    "good": GRANTED,
    "no-lifetime": granted(expires_in=LEFT_OUT),
    "lifetime-text": granted(expires_in="90"),
    "lifetime-float": granted(expires_in=90.7),
    "lifetime-true": granted(expires_in=True),
    "lifetime-null": granted(expires_in=None),
    "lifetime-junk": granted(expires_in="soon"),
    "lifetime-list": granted(expires_in=[1]),
    "lifetime-0": granted(expires_in=0),
    "lifetime-negative": granted(expires_in=-1),
    "no-scope": granted(scope=LEFT_OUT),
    "empty-scope": granted(scope=""),
    "more": granted(id_token="id", refresh_token="refresh", issued_token_type=ACCESS_TOKEN_TYPE, other="x"),
    "empty-members": granted(id_token="", refresh_token="", issued_token_type=""),
    "no-token": granted(access_token=LEFT_OUT),
    "token-empty": granted(access_token=""),
    "token-null": granted(access_token=None),
    "token-number": granted(access_token=5),
    "list": [],
    "null": httpx.Response(200, content=b"null"),
    "no-json": httpx.Response(200, text="<html>"),
    "empty": httpx.Response(200),
    "created": httpx.Response(201, json=GRANTED),
    "redirect": httpx.Response(302, headers={"Location": "https://other.example/"}),
    "refused": refused(403, json={"error": "access_denied", "error_description": "Not for you."}),
    "refused-without-description": refused(400, json={"error": "invalid_grant"}),
    "refused-without-error": refused(400, json={"message": "no"}),
    "refused-other-json-type": refused(
        401, content=b'{"error": "a", "error_description": "b"}', headers={"Content-Type": "application/problem+json"}
    ),
    "refused-json-as-text": refused(401, text='{"error": "a", "error_description": "b"}'),
    "refused-html": refused(502, html="<html>"),
    "refused-broken-json": refused(500, content=b"{", headers={"Content-Type": "application/json"}),
    "refused-list": refused(400, json=["a"]),
    "refused-number": refused(400, json={"error": 5, "error_description": ["x"]}),
    "too-many": refused(429, json={"error": "too_many_requests", "error_description": "Slow down."}),
    "timeout": httpx.ReadTimeout,
    "connect-timeout": httpx.ConnectTimeout,
    "no-connection": httpx.ConnectError,
    "protocol": httpx.RemoteProtocolError,
}

CONNECTION = {"connection": "google-oauth2", "access_token": "theirs"}
VAULT = {
    **{name: (CONNECTION, answer) for name, answer in ANSWERS.items()},
    "hint": ({**CONNECTION, "login_hint": "google|1"}, GRANTED),
    "hint-empty": ({**CONNECTION, "login_hint": ""}, GRANTED),
    "hint-none": ({**CONNECTION, "login_hint": None}, GRANTED),
    "more-options": ({**CONNECTION, "scope": "x"}, GRANTED),
    "no-connection-name": ({"access_token": "theirs"}, GRANTED),
    "connection-empty": ({**CONNECTION, "connection": ""}, GRANTED),
    "no-access-token": ({"connection": "a"}, GRANTED),
    "access-token-none": ({**CONNECTION, "access_token": None}, GRANTED),
    "nothing": ({}, GRANTED),
}

EXTRAS = {
    "text": {"device": "a b&c=d"},
    "not-ascii": {"name": "Zo\u00eb"},
    "number": {"n": 5, "f": 1.5},
    "boolean": {"yes": True, "no": False},
    "none": {"n": None},
    "list": {"l": ["a", 1, True]},
    "tuple": {"t": ("a", "b")},
    "list-empty": {"l": []},
    "list-of-20": {"l": list(range(20))},
    "list-of-21": {"l": list(range(21))},
    "dict": {"d": {"a": 1}},
    "set": {"s": {"a"}},
    "bytes": {"b": b"a"},
    "number-as-name": {5: "x"},
    "empty": {},
    **{
        f"reserved-{name}": {name: "x"}
        for name in (
            *("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
            *("subject_token", "subject_token_type", "requested_token_type", "actor_token", "actor_token_type"),
            *("subject_issuer", "audience", "aud", "resource", "resources", "resource_indicator", "scope"),
            *("connection", "login_hint", "organization", "assertion", "AUDIENCE", "Client_Id"),
        )
    },
}
PROFILE = {
    **{name: ({}, answer) for name, answer in ANSWERS.items()},
    **{f"extra/{name}": ({"extra": extra}, GRANTED) for name, extra in EXTRAS.items()},
    "everything": (
        {"audience": "https://x", "scope": "a b", "requested_token_type": ACCESS_TOKEN_TYPE, "extra": {"a": "b"}},
        GRANTED,
    ),
    "empty-options": ({"audience": "", "scope": "", "requested_token_type": ""}, GRANTED),
    "refused-with-audience": ({"audience": "https://x"}, ANSWERS["refused-html"]),
    "token-empty-text": ({"subject_token": ""}, GRANTED),
    "token-none": ({"subject_token": None}, GRANTED),
    "token-blank": ({"subject_token": "  "}, GRANTED),
    "token-space-before": ({"subject_token": " a"}, GRANTED),
    "token-space-after": ({"subject_token": "a\n"}, GRANTED),
    "token-bearer": ({"subject_token": "Bearer a"}, GRANTED),
    "token-bearer-upper-case": ({"subject_token": "BEARER a"}, GRANTED),
    "token-bearers": ({"subject_token": "bearers"}, GRANTED),
    "token-a-number": ({"subject_token": 5}, GRANTED),
    "type-empty": ({"subject_token_type": ""}, GRANTED),
    "type-none": ({"subject_token_type": None}, GRANTED),
}

ON_BEHALF_OF = {
    **{name: ({}, answer) for name, answer in ANSWERS.items()},
    "scope": ({"scope": "a b"}, GRANTED),
    "scope-empty": ({"scope": ""}, GRANTED),
    "no-audience": ({"audience": ""}, GRANTED),
    "audience-none": ({"audience": None}, GRANTED),
    "no-token-given": ({"access_token": ""}, GRANTED),
    "token-bearer": ({"access_token": "Bearer a"}, GRANTED),
    "nothing": ({"access_token": "", "audience": ""}, GRANTED),
}

CONFIGURATIONS = {
    "positional": (None, None),
    "no-credentials": ({}, None),
    "no-secret": ({"client_id": "id"}, None),
    "no-id": ({"client_secret": "secret"}, None),
    "empty-secret": ({"client_id": "id", "client_secret": ""}, None),
    "no-endpoint": (None, {name: value for name, value in METADATA.items() if name != "token_endpoint"}),
    "endpoint-empty": (None, {**METADATA, "token_endpoint": ""}),
    "domains-too": ({**CREDENTIALS, "domains": ["other.example"]}, None),
}
