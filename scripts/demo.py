"""Runs the examples against a local tenant, makes real requests, and compares the answers with the expected ones.

The example of FastAPI and that of axum get the same requests. Where they answer differently, the table says what each
should: FastAPI answers as the SDK that Bearward replaces there, and axum as the RFCs say.

Prints a table for each; the exit code is 1 if an answer differs. Stops what it started, whatever happens.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, Optional, Protocol, Union

import httpx

import local
from gateway import PREFIX, gateway
from proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCOPE = "read:messages"
OTHER_AUDIENCE = "https://other.example.com"


class Expected(NamedTuple):
    """An answer that differs."""

    fastapi: str
    axum: str


NO_CREDENTIALS = Expected("400 invalid_request", "401 invalid_request")
BAD_PROOF = Expected("400 invalid_dpop_proof", "401 invalid_dpop_proof")


class Row(NamedTuple):
    """A request, with the expected and the actual answer."""

    request: str
    expected: Union[str, Expected]
    actual: str


class Door(Protocol):
    """An example, for one framework."""

    name: str

    def api(
        self, log: IO[str], environment: Mapping[str, str], *, behind_proxy: bool = False
    ) -> contextlib.AbstractContextManager[str]:
        """Run the example, and give its URL."""
        ...


class FastApi:
    """`examples/fastapi` under uvicorn."""

    name = "fastapi"

    def api(
        self, log: IO[str], environment: Mapping[str, str], *, behind_proxy: bool = False
    ) -> contextlib.AbstractContextManager[str]:
        """Run it."""
        # uvicorn has its own rules for X-Forwarded-Proto. Behind the proxy the guard's rules must decide.
        arguments = ["--no-proxy-headers"] if behind_proxy else []
        return local.uvicorn(log, local.EXAMPLE, environment, *arguments)


class Axum:
    """`examples/axum`."""

    name = "axum"

    def api(
        self, log: IO[str], environment: Mapping[str, str], *, behind_proxy: bool = False
    ) -> contextlib.AbstractContextManager[str]:
        """Run it."""
        return local.rust_example(log, local.AXUM_EXAMPLE, environment)


class Stage(NamedTuple):
    """The running programs, and the log that they write to."""

    door: Door
    tenant: local.LocalTenant
    api: Api
    log: IO[str]


class Api:
    """The example, as a client sees it. An answer is a few words: the status, and the subject or the error."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, *authorization: str, **fields: str) -> str:
        """The answer to a request with these Authorization fields and other fields, named with _ instead of -."""
        headers = [("Authorization", value) for value in authorization]
        headers += [(name.replace("_", "-"), value) for name, value in fields.items()]
        answer = httpx.get(f"{self.url}{path}", headers=headers, trust_env=False)
        body = answer.json()
        # FastAPI wraps what is wrong.
        words = [
            str(answer.status_code),
            body.get("sub", "") if answer.is_success else body.get("detail", body)["error"],
        ]
        return " ".join(filter(None, words))

    def bearer(self, path: str, token: str) -> str:
        """The answer to a request with this token."""
        return self.get(path, f"Bearer {token}")

    def dpop(self, path: str, token: str, proof: str, **fields: str) -> str:
        """The answer to a request with this token and this proof."""
        return self.get(path, f"DPoP {token}", DPoP=proof, **fields)


def main() -> int:
    """Run everything. Return 1 if an answer is not the expected one."""
    local.end_in_order()
    with tempfile.TemporaryFile("w+") as log:
        try:
            rows = [is_right for door in (FastApi(), Axum()) for is_right in _run(door, log)]
        except Exception:
            log.seek(0)
            sys.stderr.write(log.read())
            raise
        except KeyboardInterrupt:
            return 130
    wrong = sum(not is_right for is_right in rows)
    print(f"\n{len(rows)} requests, " + (f"{wrong} not answered as expected" if wrong else "all answered as expected"))
    return 1 if wrong else 0


def _run(door: Door, log: IO[str]) -> Iterator[bool]:
    """For each request, whether it was answered as expected."""
    with (
        local.tenant(log, "--client-id", "demo", "--scope", SCOPE, "--audience", OTHER_AUDIENCE) as tenant,
        door.api(log, tenant.environment()) as url,
    ):
        print(f"\n{door.name}: tenant {tenant.issuer}, example {url}")
        stage = Stage(door, tenant, Api(url), log)
        for title, rows in SECTIONS.items():
            print(f"\n{title:<58} {'expected of ' + door.name:<28} actual")
            for row in rows(stage):
                yield _printed(row, door)


def _printed(row: Row, door: Door) -> bool:
    """Whether it was answered as expected, which is printed."""
    expected: str = row.expected if isinstance(row.expected, str) else getattr(row.expected, door.name)
    verdict = "ok" if row.actual == expected else "DIFFERS"
    print(f"  {row.request:<56} {expected:<28} {row.actual:<28} {verdict}", flush=True)
    return row.actual == expected


def _credentials(stage: Stage) -> Iterator[Row]:
    api, token = stage.api, stage.tenant.request_token()
    yield Row("no token, public route", "200", api.get("/api/public"))
    yield Row("no token", NO_CREDENTIALS, api.get("/api/private"))
    yield Row("another scheme", NO_CREDENTIALS, api.get("/api/private", "Basic dXNlcjpwYXNz"))
    yield Row("a scheme without a token", NO_CREDENTIALS, api.get("/api/private", "Bearer"))
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


def _dpop(stage: Stage) -> Iterator[Row]:
    tenant, api = stage.tenant, stage.api
    path, url = "/api/private", f"{api.url}/api/private"
    subject = f"{tenant.client_id}@clients"
    client, thief = Prover(), Prover()
    token, unbound = tenant.request_token(client), tenant.request_token()
    used = client.proof(url, token)
    yield Row("a bound token with a fresh proof", f"200 {subject}", api.dpop(path, token, used))
    yield Row("another fresh proof", f"200 {subject}", api.dpop(path, token, client.proof(url, token)))
    yield Row("the first proof again", BAD_PROOF, api.dpop(path, token, used))
    for request, proof in {
        "a proof for another URL": client.proof(f"{api.url}/api/messages", token),
        "a proof for another host": client.proof("http://other.example.com/api/private", token),
        "a proof for another method": client.proof(url, token, "POST"),
        "a proof for another token": client.proof(url, unbound),
        "a proof that is too old": client.proof(url, token, age=400),
        "a proof from the future": client.proof(url, token, age=-400),
        "two proofs": f"{client.proof(url, token)}, {client.proof(url, token)}",
    }.items():
        yield Row(request, BAD_PROOF, api.dpop(path, token, proof))
    yield Row("a proof by another key", "401 invalid_token", api.dpop(path, token, thief.proof(url, token)))
    yield Row("no proof", NO_CREDENTIALS, api.get(path, f"DPoP {token}"))
    yield Row("a stolen bound token as Bearer", "401 invalid_token", api.bearer(path, token))
    proof = client.proof(url, unbound)
    yield Row("an unbound token in the DPoP scheme", "401 invalid_token", api.dpop(path, unbound, proof))
    yield Row("an unbound token as Bearer", f"200 {subject}", api.bearer(path, unbound))


def _command_line(stage: Stage) -> Iterator[Row]:
    url, environment = f"{stage.api.url}/api/private", stage.tenant.client_environment()
    with tempfile.TemporaryDirectory() as folder:
        key = ["--dpop-key", str(Path(folder) / "dpop-key.pem")]
        asked = local.bearward(environment, "token", "--dpop", *key)
        yield Row("bearward token --dpop", "exit code 0", f"exit code {asked.returncode}")
        for request, arguments, expected in [
            ("bearward call", key, "exit code 0"),
            ("bearward call, once more", key, "exit code 0"),
            ("bearward call --bearer", ["--bearer"], "exit code 1"),
        ]:
            called = local.bearward(environment, "call", "--token", "-", *arguments, url, given=asked.stdout)
            yield Row(request, expected, f"exit code {called.returncode}")


def _gateway(stage: Stage) -> Iterator[Row]:
    environment = {**stage.tenant.environment(), "TRUST_PROXY": "1"}
    with (
        stage.door.api(stage.log, environment, behind_proxy=True) as inner,
        gateway(stage.log, inner) as outer,
    ):
        print(f"  by {outer.program}, {outer.url} -> {inner}")
        yield from _through(Api(outer.url), inner, stage.tenant)


def _through(api: Api, inner: str, tenant: local.LocalTenant) -> Iterator[Row]:
    client = Prover()
    token = tenant.request_token(client)

    def answer(origin: str, forged_host: Optional[str] = None) -> str:
        fields = {} if forged_host is None else {"X_Forwarded_Host": forged_host}
        return api.dpop("/api/private", token, client.proof(f"{origin}/api/private", token), **fields)

    good, refused, forged = f"200 {tenant.client_id}@clients", BAD_PROOF, "other.example.com"
    yield Row("a proof for the URL that the client used", good, answer(api.url))
    yield Row("a proof for the URL behind the proxy", refused, answer(inner))
    yield Row("a proof for the URL without the prefix", refused, answer(api.url.removesuffix(PREFIX)))
    yield Row("a proof for another host", refused, answer(f"http://{forged}{PREFIX}"))
    yield Row("the same, with that host in X-Forwarded-Host", refused, answer(f"http://{forged}{PREFIX}", forged))
    yield Row("the right URL, with that host in X-Forwarded-Host", good, answer(api.url, forged))


def _onward(stage: Stage) -> Iterator[Row]:
    tenant = stage.tenant
    other_environment = {**tenant.environment(), "AUTH0_AUDIENCE": OTHER_AUDIENCE}
    with stage.door.api(stage.log, other_environment) as other:
        onward = {"OTHER_API": other, "OTHER_AUDIENCE": OTHER_AUDIENCE}
        with stage.door.api(stage.log, {**tenant.client_environment(), **onward}) as url:
            yield from _called_onward(Api(url), Api(other), tenant)


def _called_onward(api: Api, other: Api, tenant: local.LocalTenant) -> Iterator[Row]:
    path, client = "/api/onward", Prover()
    ann, bob = (
        tenant.order_token(claims={"sub": user, "azp": "web-app", "gty": None}) for user in ("auth0|ann", "auth0|bob")
    )
    yield Row("Ann's token, sent to the other API as it is", "401 invalid_token", other.bearer("/api/profile", ann))
    tenant.admin("requests/reset")
    yield Row("Ann's token, exchanged for one that acts for her", "200 auth0|ann", api.bearer(path, ann))
    yield Row("Ann's token again", "200 auth0|ann", api.bearer(path, ann))
    yield Row("Bob's token", "200 auth0|bob", api.bearer(path, bob))
    exchanged = tenant.admin("requests", method="GET")["token"]["total"]
    yield Row("exchanges at the tenant for these three", "2", str(exchanged))
    bound = tenant.request_token(client)
    proof = client.proof(f"{api.url}{path}", bound)
    yield Row("a token bound to a key of Ann's alone", "502 invalid_request", api.dpop(path, bound, proof))


def _mcp(stage: Stage) -> Iterator[Row]:
    if sys.version_info < (3, 10):
        print("  not here: the official SDK needs Python 3.10")
        return
    import demo_mcp

    yield from (Row(*row) for row in demo_mcp.rows(stage.log))


def _rotation(stage: Stage) -> Iterator[Row]:
    tenant, api = stage.tenant, stage.api
    subject = f"{tenant.client_id}@clients"
    old = tenant.request_token()
    yield Row("before the rotation", f"200 {subject}", api.bearer("/api/private", old))
    tenant.admin("rotate-keys")
    tenant.admin("withdraw-key")
    # The API sees an unknown kid and fetches the key set again. It won't do that a second time for 30 seconds.
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
    with stage.door.api(stage.log, environment) as url:
        api = Api(url)
        yield Row("a token", "503 temporarily_unavailable", api.bearer("/api/private", token))
        yield Row("no token", NO_CREDENTIALS, api.get("/api/private"))
        yield Row("no token, public route", "200", api.get("/api/public"))


SECTIONS = {
    "GET /api/private, by its Authorization field": _credentials,
    "GET /api/private, by its token": _tokens,
    "GET /api/messages, by the token's scope": _scopes,
    "GET /api/private, by its token, which is bound to a key": _dpop,
    "GET /api/private, by the command line": _command_line,
    f"GET {PREFIX}/api/private, through a proxy": _gateway,
    "GET /api/onward, which calls another API for the user": _onward,
    "An MCP client that knows only the URL of the server": _mcp,
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
