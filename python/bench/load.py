"""Where there is no wrk: sends the tokens of a file (one a line) in turn, for some seconds, and prints JSON.

python load.py HOST PORT PATH TOKENS SECONDS CONNECTIONS
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


class Connection(asyncio.Protocol):
    """Sends the next request when the whole answer to the last one is there. Answers need a Content-Length."""

    answered = 0
    failed = 0

    def __init__(self, requests: itertools.cycle[bytes]) -> None:
        self._requests = requests
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
        Connection.answered += 1
        Connection.failed += not head.startswith(b"HTTP/1.1 200")
        self._received = b""
        self._send()

    def _send(self) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(next(self._requests))


async def main(host: str, port: str, path: str, tokens: str, seconds: str, connections: str) -> None:
    """Load, then print what was done."""
    head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer "
    requests = itertools.cycle([f"{head}{token}\r\n\r\n".encode() for token in Path(tokens).read_text().split()])
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(int(connections)):
        await loop.create_connection(lambda: Connection(requests), host, int(port))
    await asyncio.sleep(float(seconds))
    took = time.perf_counter() - started
    print(json.dumps({"requests": Connection.answered, "seconds": took, "failed": Connection.failed}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
