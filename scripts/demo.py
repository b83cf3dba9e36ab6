"""Runs the example against a local tenant, makes real requests, and compares the answers with what they should be.

Prints a table; the exit code is 1 if an answer differs. Stops what it started, whatever happens.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from typing import IO, TYPE_CHECKING, NamedTuple

import httpx

import local

if TYPE_CHECKING:
    from collections.abc import Iterator

SCOPE = "read:messages"


class Row(NamedTuple):
    """A request, and what came of it."""

    request: str
    expected: str
    actual: str


class Stage(NamedTuple):
    """What is running, and where its output goes."""

    tenant: local.LocalTenant
    api: Api
    log: IO[str]


class Api:
    """The example, as a client sees it. Answers are told in a few words: the status, and the subject or the error."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, *authorization: str) -> str:
        """The answer to a request with these Authorization fields."""
        fields = [("Authorization", value) for value in authorization]
        answer = httpx.get(f"{self.url}{path}", headers=fields, trust_env=False)
        body = answer.json()
        words = [str(answer.status_code), body.get("sub", "") if answer.is_success else body["detail"]["error"]]
        return " ".join(filter(None, words))

    def bearer(self, path: str, token: str) -> str:
        """The answer to a request with this token."""
        return self.get(path, f"Bearer {token}")


def main() -> int:
    """Run everything; 1 if an answer differs."""
    local.end_in_order()
    with tempfile.TemporaryFile("w+") as log:
        try:
            rows = list(_run(log))
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
        except KeyboardInterrupt:
            return 130
    wrong = sum(row.actual != row.expected for row in rows)
    print(f"\n{len(rows)} requests, " + (f"{wrong} not answered as expected" if wrong else "all answered as expected"))
    return 1 if wrong else 0


def _run(log: IO[str]) -> Iterator[Row]:
    with (
        local.tenant(log, "--client-id", "demo", "--scope", SCOPE) as tenant,
        local.uvicorn(log, local.EXAMPLE, tenant.environment()) as url,
    ):
        print(f"Tenant {tenant.issuer}, example {url}")
        stage = Stage(tenant, Api(url), log)
        for title, rows in SECTIONS.items():
            print(f"\n{title:<58} {'expected':<28} actual")
            for row in rows(stage):
                verdict = "ok" if row.actual == row.expected else "DIFFERS"
                print(f"  {row.request:<56} {row.expected:<28} {row.actual:<28} {verdict}", flush=True)
                yield row


def _credentials(stage: Stage) -> Iterator[Row]:
    api, token = stage.api, stage.tenant.request_token()
    yield Row("no token, public route", "200", api.get("/api/public"))
    yield Row("no token", "400 invalid_request", api.get("/api/private"))
    yield Row("another scheme", "400 invalid_request", api.get("/api/private", "Basic dXNlcjpwYXNz"))
    yield Row("a scheme without a token", "400 invalid_request", api.get("/api/private", "Bearer"))
    yield Row(
        "two Authorization fields",
        "400 invalid_request",
        api.get("/api/private", f"Bearer {token}", f"Bearer {token}"),
    )


def _tokens(stage: Stage) -> Iterator[Row]:
    tenant, api = stage.tenant, stage.api
    subject = f"{tenant.client_id}@clients"
    good = tenant.request_token()
    yield Row("a good token", f"200 {subject}", api.bearer("/api/private", good))
    yield Row("a good token, another route", f"200 {subject}", api.bearer("/api/profile", good))
    for request, token in {
        "garbage": "garbage",
        "cut short": good[:-1],
        "unsigned (alg none)": _unsigned(good),
        "signed by another key under the published key's kid": tenant.order_token(
            key="unpublished", header={"kid": _header(good)["kid"]}
        ),
        "of another issuer": tenant.order_token(claims={"iss": "https://other.example.com/"}),
        "for another audience": tenant.order_token(claims={"aud": "https://other.example.com"}),
        "expired": tenant.order_token(expires_in=-60),
        "not valid yet": tenant.order_token(claims={"nbf": 4_000_000_000}),
        "17 KiB long": tenant.order_token(claims={"padding": "x" * 17 * 1024}),
    }.items():
        yield Row(request, "401 invalid_token", api.bearer("/api/private", token))


def _scopes(stage: Stage) -> Iterator[Row]:
    tenant, api = stage.tenant, stage.api
    for request, scope, expected in [
        ("the right scope", SCOPE, "200"),
        ("the right scope among others", f"openid {SCOPE} email", "200"),
        ("another scope", "write:messages", "403 insufficient_scope"),
        ("a longer scope", f"{SCOPE}:all", "403 insufficient_scope"),
        ("no scope", None, "403 insufficient_scope"),
    ]:
        yield Row(request, expected, api.bearer("/api/messages", tenant.order_token(claims={"scope": scope})))


def _rotation(stage: Stage) -> Iterator[Row]:
    tenant, api = stage.tenant, stage.api
    subject = f"{tenant.client_id}@clients"
    old = tenant.request_token()
    yield Row("before the rotation", f"200 {subject}", api.bearer("/api/private", old))
    tenant.admin("rotate-keys")
    tenant.admin("withdraw-key")
    # The API meets an unknown kid and asks for the key set once more; for half a minute it doesn't ask again.
    new = tenant.request_token()
    yield Row("signed by the new key", f"200 {subject}", api.bearer("/api/private", new))
    yield Row("signed by the old key, which was withdrawn", "401 invalid_token", api.bearer("/api/private", old))
    unpublished = tenant.order_token(key="unpublished")
    yield Row("signed by a key never published", "401 invalid_token", api.bearer("/api/private", unpublished))
    yield Row("signed by the new key, again", f"200 {subject}", api.bearer("/api/private", new))


def _unreachable(stage: Stage) -> Iterator[Row]:
    domain = f"127.0.0.1:{local.free_port()}"
    environment = {**stage.tenant.environment(), "AUTH0_DOMAIN": domain}
    token = stage.tenant.order_token(claims={"iss": f"https://{domain}/"})
    with local.uvicorn(stage.log, local.EXAMPLE, environment) as url:
        api = Api(url)
        yield Row("a token", "503 temporarily_unavailable", api.bearer("/api/private", token))
        yield Row("no token", "400 invalid_request", api.get("/api/private"))
        yield Row("no token, public route", "200", api.get("/api/public"))


SECTIONS = {
    "GET /api/private, by its Authorization field": _credentials,
    "GET /api/private, by its token": _tokens,
    "GET /api/messages, by the token's scope": _scopes,
    "GET /api/private, after the tenant rotated its keys": _rotation,
    "GET /api/private, while the tenant can't be reached": _unreachable,
}


def _header(token: str) -> dict[str, str]:
    header: dict[str, str] = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    return header


def _unsigned(token: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({**_header(token), "alg": "none"}).encode()).decode().rstrip("=")
    return f"{header}.{token.split('.')[1]}."


if __name__ == "__main__":
    sys.exit(main())
