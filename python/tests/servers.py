"""Servers that run an app on loopback, besides uvicorn (`support.running`)."""

import contextlib
import functools
import socket
import sys
import threading
import time

import anyio
import hypercorn.asyncio
import hypercorn.config
import hypercorn.trio
import pytest

from support import free_port

SANSIO = pytest.param(
    "websockets-sansio",
    marks=pytest.mark.skipif(
        sys.version_info < (3, 10),
        reason="uvicorn 0.39, the last one for Python 3.9, sends Content-Length twice to a refused WebSocket",
    ),
)


@contextlib.contextmanager
def under_hypercorn(app, worker):
    port, stop, config = free_port(), threading.Event(), hypercorn.config.Config()
    config.bind, config.errorlog, config.accesslog = [f"127.0.0.1:{port}"], None, None

    async def stopped():
        while not stop.is_set():  # noqa: ASYNC110 - set by another thread
            await anyio.sleep(0.01)

    serve = {"asyncio": hypercorn.asyncio.serve, "trio": hypercorn.trio.serve}[worker]
    arguments = (functools.partial(serve, app, config, shutdown_trigger=stopped),)
    thread = threading.Thread(target=anyio.run, args=arguments, kwargs={"backend": worker})
    thread.start()
    try:
        wait_until_it_listens(port)
        yield port
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def wait_until_it_listens(port):
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < deadline
        time.sleep(0.01)
