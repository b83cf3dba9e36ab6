"""Fetches the documents that the engine asks for: one flight per document and event loop, bounded in time and size."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
from typing import Any, Callable, NamedTuple, Optional, Union
from urllib.parse import urlsplit

import httpx

from bearward import _native
from bearward._loops import Loop, PerLoop

_logger = logging.getLogger("bearward")

# Key sets are some kilobytes; this is what an issuer gone wrong may cost us.
_MAX_BODY_BYTES = 1024 * 1024


class DocumentFetcher:
    """Brings documents to one engine.

    Args:
        engine: Who asks, and gets the answers.
        custom_fetch: Used instead of httpx, if given.
        timeout: For one document altogether, seconds.
    """

    def __init__(self, engine: _native.Engine, custom_fetch: Optional[Callable[..., Any]], timeout: float) -> None:
        self._engine = engine
        self._custom_fetch = custom_fetch
        self._timeout = timeout
        self._loops = PerLoop(timeout)

    async def bring(self, needed: _native.DocumentNeeded) -> None:
        """Return once the engine was told the document, or that it can't be had. A failed fetch raises nothing."""
        loop = self._loops.current()
        flight = loop.flights.get(needed.url)
        if flight is None or flight.done():
            flight = loop.flights[needed.url] = asyncio.ensure_future(self._fly(needed, loop))
        # Others may be waiting for it too: a caller that gives up must not take it down.
        await asyncio.shield(flight)

    async def _fly(self, needed: _native.DocumentNeeded, loop: Loop) -> None:
        # If it is cancelled, the loop is shutting down: nothing was learnt of the issuer, the engine is told nothing.
        try:
            document = await asyncio.wait_for(self._fetch(needed.url, loop), self._timeout)
        except asyncio.TimeoutError:
            self._failed(needed, f"no answer within {self._timeout} s")
        except Exception as error:  # noqa: BLE001 - whatever a network or a custom fetch may raise
            self._failed(needed, f"{type(error).__name__}: {error}")
        else:
            problem = self._engine.document_received(needed, document.body, document.cache_control, time.time())
            if problem is not None:
                _warn(needed, problem)
        finally:
            loop.flights.pop(needed.url, None)

    async def _fetch(self, url: str, loop: Loop) -> _Document:
        if self._custom_fetch is not None:
            return await _custom_document(self._custom_fetch, url)
        return await _httpx_document(await loop.client(), url)

    def _failed(self, needed: _native.DocumentNeeded, reason: str) -> None:
        self._engine.document_failed(needed, time.time())
        _warn(needed, reason)


class _Document(NamedTuple):
    body: bytes
    cache_control: Optional[str]


class _UnusableAnswerError(Exception):
    """The answer came, but is not one to keep."""


async def _httpx_document(client: httpx.AsyncClient, url: str) -> _Document:
    if not url.startswith("https://"):
        raise _UnusableAnswerError("not an https URL")
    async with client.stream("GET", url) as response:
        _check_status(response.status_code)
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            _check_size(body)
        return _Document(bytes(body), response.headers.get("cache-control"))


async def _custom_document(custom_fetch: Callable[..., Any], url: str) -> _Document:
    response = await _awaited(custom_fetch(url))
    if isinstance(response, dict):
        body = json.dumps(response).encode()
        cache_control = None
    else:
        _check_status(getattr(response, "status_code", 200))
        content = getattr(response, "content", None)
        # The bytes themselves, where there are any: parsing them here would hide duplicate members.
        body = content if isinstance(content, bytes) else json.dumps(await _awaited(response.json())).encode()
        cache_control = _cache_control(getattr(response, "headers", None))
    _check_size(body)
    return _Document(body, cache_control)


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _cache_control(headers: Any) -> Optional[str]:
    try:
        fields = dict(headers)
    except (TypeError, ValueError):
        return None
    for name, value in fields.items():
        if isinstance(name, str) and name.lower() == "cache-control" and isinstance(value, str):
            return value
    return None


def _check_status(status: object) -> None:
    # A test's stand-in for a response may have anything here; only a number can say no.
    if isinstance(status, int) and status != httpx.codes.OK:
        raise _UnusableAnswerError(f"status {int(status)}")


def _check_size(body: Union[bytes, bytearray]) -> None:
    if len(body) > _MAX_BODY_BYTES:
        raise _UnusableAnswerError(f"more than {_MAX_BODY_BYTES} bytes")


def _warn(needed: _native.DocumentNeeded, reason: str) -> None:
    # `%a`: the reason may quote what a server sent, and a log line must stay one line.
    _logger.warning("no usable %s document from %s: %a", needed.kind, urlsplit(needed.url).hostname, reason[:300])
