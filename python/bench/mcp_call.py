"""Times a call of a tool of an MCP server, without a guard and behind `bearward.mcp.guard`.

    python mcp_call.py ROUNDS CALLS

In one process, without sockets: the server is called as a web server calls it. Prints microseconds of CPU time per
call, for each kind a list with one number per round, as JSON. The kinds take turns in each round.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

import bearward.mcp

URL = "https://mcp.example.com/mcp"
ISSUER = "https://tenant.example/"
KINDS = ("nothing", "bearer", "operations", "dpop")
OPEN = TransportSecuritySettings(enable_dns_rebinding_protection=False)
# What a real client sends besides.
FIELDS = [
    (b"host", b"mcp.example.com"),
    (b"accept", b"application/json, text/event-stream"),
    (b"content-type", b"application/json"),
    (b"user-agent", b"bench"),
    (b"mcp-protocol-version", b"2025-11-25"),
]
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "echo", "arguments": {"text": "hello"}}}
HELLO = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    },
}

App = Callable[..., Awaitable[None]]
Fields = list[tuple[bytes, bytes]]


class Issuer:
    """Signs tokens."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self._key.public_key().public_numbers()
        n, e = (_b64(number.to_bytes(-(-number.bit_length() // 8), "big")) for number in (numbers.n, numbers.e))
        self.keys = {"keys": [{"kty": "RSA", "kid": "1", "alg": "RS256", "use": "sig", "n": n, "e": e}]}

    def token(self, **more: object) -> str:
        """A token for the server."""
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": URL, "sub": "auth0|1", "iat": now, "exp": now + 3600, "azp": "app"}
        claims.update(scope="invoices:read invoices:pay", **more)
        parts = ({"alg": "RS256", "typ": "at+jwt", "kid": "1"}, claims)
        signed = ".".join(_b64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_b64(self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


async def main(rounds: int, calls: int) -> None:
    """Print the times of all rounds."""
    issuer, key = Issuer(), bearward.mcp.DpopKey.generate()
    bearer = issuer.token()
    bound = issuer.token(cnf={"jkt": key.jkt})

    def fields(kind: str) -> Fields:
        if kind == "nothing":
            return []
        if kind == "dpop":
            proof = key.proof("POST", URL, bound)
            return [(b"authorization", f"DPoP {bound}".encode()), (b"dpop", proof.encode())]
        return [(b"authorization", f"Bearer {bearer}".encode())]

    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            async with served(kind, issuer) as app:
                session = await begun(app, fields(kind))
                # Proofs are new in each call, and made before.
                prepared = [fields(kind) for _ in range(calls)]
                # A token counts as seen from its third time on.
                for one in [fields(kind) for _ in range(5)]:
                    await called(app, CALL, [*one, session])
                started = time.process_time()
                for one in prepared:
                    await called(app, CALL, [*one, session])
                times[kind].append((time.process_time() - started) * 1e6 / calls)
    print(json.dumps(times))


@asynccontextmanager
async def served(kind: str, issuer: Issuer) -> AsyncIterator[App]:
    """A new server, behind the guard or not."""
    server = MCPServer("bench", log_level="ERROR")

    @server.tool()
    def echo(text: str) -> str:
        return text

    app: Any = server.streamable_http_app(json_response=True, transport_security=OPEN)
    guarded: Any = app
    if kind != "nothing":
        operations = {"tools/call": {"echo": ["invoices:pay"]}} if kind == "operations" else None
        scopes = ["invoices:read"]
        guarded = bearward.mcp.guard(
            app, resource=URL, scopes=scopes, operations=operations, issuer=ISSUER, jwks=issuer.keys
        )
    async with app.router.lifespan_context(app):
        yield guarded


async def begun(app: App, fields: Fields) -> tuple[bytes, bytes]:
    """The field that names a new session."""
    headers = await called(app, HELLO, fields)
    return next((name, value) for name, value in headers if name == b"mcp-session-id")


async def called(app: App, message: dict[str, Any], fields: Fields) -> Fields:
    """Send a message. Returns the header fields of the answer."""
    body = json.dumps(message).encode()
    sent: list[dict[str, Any]] = []
    bodies = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if bodies:
            return bodies.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(part: dict[str, Any]) -> None:
        sent.append(part)

    length = (b"content-length", str(len(body)).encode())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "query_string": b"",
        "root_path": "",
        "headers": [*FIELDS, length, *fields],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
        "state": {},
    }
    await app(scope, receive, send)
    if sent[0]["status"] != 200:
        raise RuntimeError(f"status {sent[0]['status']}: {sent[1]['body']!r}")
    headers: Fields = sent[0]["headers"]
    return headers


def _b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
