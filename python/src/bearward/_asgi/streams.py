"""Ends what an app sends when the token that it was asked with ends."""

from __future__ import annotations

import time

import anyio

from bearward._asgi.answers import App, Message, Receive, Send
from bearward._asgi.connection import Scope

# The token has expired; the client may come again with another one. RFC 6455 section 7.4.2.
_EXPIRED = 4401


async def until(end: float, app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Run `app`. A stream of it, or a WebSocket, ends at `end` (Unix time) at the latest.

    A stream is a response without Content-Length. Another response is sent as a whole. A stream that begins after
    `end` ends at once.
    """
    stream = _Stream(end, send)
    with stream.cancels:
        await app(scope, receive, stream.send)
    if stream.cancels.cancelled_caught:
        await stream.close(scope["type"])


class _Stream:
    def __init__(self, end: float, send: Send) -> None:
        self.cancels = anyio.CancelScope()
        self._end = end
        self._send = send
        self._open = False

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept" or (kind == "http.response.start" and _is_stream(message)):
            self._open = True
            self.cancels.deadline = anyio.current_time() + self._end - time.time()
        elif kind == "websocket.close" or (kind == "http.response.body" and not message.get("more_body", False)):
            self._open = False
        await self._send(message)

    async def close(self, scope_type: str) -> None:
        if not self._open:
            return
        if scope_type == "websocket":
            await self._send({"type": "websocket.close", "code": _EXPIRED, "reason": "token_expired"})
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_stream(message: Message) -> bool:
    return all(bytes(name).lower() != b"content-length" for name, _ in message.get("headers", ()))
