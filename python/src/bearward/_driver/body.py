"""Reads response bodies, up to a limit that also holds for compressed ones."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

# Documents and tokens are some kilobytes. More than this is an error of the server, compressed or not.
MAX_BODY_BYTES = 1024 * 1024


class UnusableAnswerError(Exception):
    """A server answered, but the answer can't be used. The text says why, for the log."""


async def read_body(response: httpx.Response) -> bytes:
    """The decoded body. Never more than the limit is in memory; httpx's own decoders have no limit.

    Raises:
        UnusableAnswerError: the body is too large, or can't be decoded.
    """
    if response.is_stream_consumed:
        # A mock's: already read and decoded.
        check_size(len(response.content))
        return response.content
    body = _Body(_decoder(response.headers.get("content-encoding", "identity")))
    async for chunk in response.aiter_raw():
        body.add(chunk)
        # No variable holds a piece of the answer while we wait for the next one: see `_Body`.
        del chunk
    return body.whole()


class _Body:
    """What has been read so far.

    An answer may have a token in it, and error reporters write down what local variables hold. This one shows nothing.
    """

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._decoded = bytearray()
        self._received = 0

    def add(self, chunk: bytes) -> None:
        """Take the next piece, as it came."""
        self._received += len(chunk)
        # One more than allowed, so that it shows.
        room = MAX_BODY_BYTES + 1 - len(self._decoded)
        try:
            self._decoded += chunk if self._decoder is None else self._decoder.decompress(chunk, room)
        except zlib.error as error:
            raise UnusableAnswerError(f"not gzip: {error}") from None
        check_size(max(self._received, len(self._decoded)))

    def whole(self) -> bytes:
        """All of it, decoded."""
        if self._decoder is not None and not self._decoder.eof:
            raise UnusableAnswerError("gzip that ends too early")
        return bytes(self._decoded)


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
