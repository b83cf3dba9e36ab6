"""Sends a number of requests with the tokens of a file (one a line), and prints how long it took, as JSON.

python load.py HOST PORT PATH TOKENS FIRST COUNT CONNECTIONS

It begins with the token of the line FIRST, and begins again at the start of the file where there are too few. An own
program, because what sends requests must not send any token twice.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sys
import time
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Load:
    """What is left to send, and what came back."""

    def __init__(self, requests: list[bytes], done: asyncio.Future[None]) -> None:
        self._left = iter(requests)
        self._missing = len(requests)
        self._done = done
        self.failed = 0

    def next(self) -> bytes | None:
        """The next request, if there is one."""
        return next(self._left, None)

    def answered(self, *, well: bool) -> None:
        """Count an answer."""
        self.failed += not well
        self._missing -= 1
        if not self._missing:
            self._done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends the next request when the whole answer to the last one is there. Answers need a Content-Length."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Count, and go on. A server may write head and body one by one."""
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self._received = b""
        self._load.answered(well=head.startswith(b"HTTP/1.1 200"))
        self._send()

    def _send(self) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)
        request = self._load.next()
        if request is not None:
            self._transport.write(request)


async def main(host: str, port: str, path: str, tokens: str, first: str, count: str, connections: str) -> None:
    """Load, then print what was done."""
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer "
    lines = itertools.cycle(Path(tokens).read_text().split())
    wanted = itertools.islice(lines, int(first), int(first) + int(count))
    requests = [f"{head}{token}\r\n\r\n".encode() for token in wanted]
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    load = Load(requests, done)
    started = time.perf_counter()
    for _ in range(int(connections)):
        await loop.create_connection(lambda: Connection(load), host, int(port))
    await done
    print(json.dumps({"requests": len(requests), "seconds": time.perf_counter() - started, "failed": load.failed}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
