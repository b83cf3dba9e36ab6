"""Reads response bodies, up to a limit that also holds for compressed ones."""

from __future__ import annotations

import zlib
from typing import Any, Optional

import httpx

# Documents and tokens are some kilobytes. More than this is an error of the server, compressed or not.
MAX_BODY_BYTES = 1024 * 1024


class UnusableAnswerError(Exception):
    """A server answered, but the answer can't be used.

    Args:
        reason: What is wrong with it, for the log.
        retry_after: After how many seconds the server wants to be asked again, if it said so.
    """

    def __init__(self, reason: str, retry_after: Optional[float] = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


async def read_body(response: httpx.Response) -> bytes:
    """The decoded body. Never more than the limit is in memory; httpx's own decoders have no limit.

    Raises:
        UnusableAnswerError: the body is too large, or can't be decoded.
    """
    if response.is_stream_consumed:
        # A mock's: already read and decoded.
        check_size(len(response.content))
        return response.content
    decoder = _decoder(response.headers.get("content-encoding", "identity"))
    body = bytearray()
    received = 0
    try:
        async for chunk in response.aiter_raw():
            received += len(chunk)
            # One byte more than allowed, so that `check_size` sees it.
            body += chunk if decoder is None else decoder.decompress(chunk, MAX_BODY_BYTES + 1 - len(body))
            check_size(max(received, len(body)))
    except zlib.error as error:
        raise UnusableAnswerError(f"not gzip: {error}") from None
    if decoder is not None and not decoder.eof:
        raise UnusableAnswerError("gzip that ends too early")
    return bytes(body)


def check_size(size: int) -> None:
    """Refuse a body of more than the limit; bytes.

    Raises:
        UnusableAnswerError: it is too large.
    """
    if size > MAX_BODY_BYTES:
        raise UnusableAnswerError(f"more than {MAX_BODY_BYTES} bytes")


def _decoder(content_encoding: str) -> Any:
    # We ask for no compression, but a server may send a file as it is stored.
    encoding = content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    raise UnusableAnswerError(f"content encoding {encoding[:20]!r}, which was not asked for")
