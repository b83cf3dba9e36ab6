"""What is kept per event loop: a pooled httpx client, and the fetches under way."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator
from typing import Optional

import httpx


class PerLoop:
    """Gives each event loop its own `Loop`. Event loops may run in several threads.

    Args:
        timeout: Of single network steps, seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._lock = threading.Lock()
        # Not weak: what is kept refers to its loop, so a weak key would never go. Closed loops are swept instead.
        self._loops: dict[asyncio.AbstractEventLoop, Loop] = {}
        self._tls: Optional[ssl.SSLContext] = None

    def current(self) -> Loop:
        """Of the running event loop."""
        running = asyncio.get_running_loop()
        with self._lock:
            kept = self._loops.get(running)
            if kept is None:
                for closed in [loop for loop in self._loops if loop.is_closed()]:
                    del self._loops[closed]
                kept = self._loops[running] = Loop(self)
            return kept

    def new_client(self) -> httpx.AsyncClient:
        """A client as documents need it: trusts what httpx trusts (`SSL_CERT_FILE` counts), follows no redirect."""
        with self._lock:
            if self._tls is None:
                # Loading the certificates takes tens of milliseconds, and no loop owns them.
                self._tls = httpx.create_ssl_context()
        return httpx.AsyncClient(verify=self._tls, timeout=self._timeout, follow_redirects=False)

    def forget(self, loop: Loop) -> None:
        """Let go of a loop that shuts down."""
        with self._lock:
            for running in [key for key, kept in self._loops.items() if kept is loop]:
                del self._loops[running]


class Loop:
    """What one event loop keeps. Used by that loop's tasks only, so it needs no lock."""

    def __init__(self, owner: PerLoop) -> None:
        self.flights: dict[str, asyncio.Task[None]] = {}
        self._owner = owner
        self._client: Optional[httpx.AsyncClient] = None
        self._closer: Optional[AsyncIterator[None]] = None

    async def client(self) -> httpx.AsyncClient:
        """The pooled client of this loop."""
        if self._client is None:
            self._client = self._owner.new_client()
            self._closer = self._close_with_loop(self._client)
            await self._closer.__anext__()
        return self._client

    async def _close_with_loop(self, client: httpx.AsyncClient) -> AsyncIterator[None]:
        # There is no "loop is closing" callback, but asyncio.run, uvicorn and FastAPI's TestClient finish with
        # `loop.shutdown_asyncgens()`, which closes every async generator begun on the loop: this one too.
        try:
            yield
        finally:
            self._owner.forget(self)
            self._client = None
            await client.aclose()
