"""Reads the body of a request, and lets the app read it again."""

from __future__ import annotations

from bearward._asgi.answers import Message, Receive


class Disconnected(Exception):  # noqa: N818 - no error: the client went away
    """The client went away before its request was there: there is nobody to answer."""


async def read(receive: Receive, bytes_at_most: int) -> tuple[bytes, Receive]:
    """The body, and how the app receives it.

    Of a body that is longer, only one more byte than allowed is looked at.

    Raises:
        Disconnected: the client went away.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = bytes(message.get("body", b""))
        chunks.append(chunk)
        size += len(chunk)
        if size > bytes_at_most or not message.get("more_body", False):
            break
    body = b"".join(chunks)
    return body, _again(body, receive)


def _again(body: bytes, receive: Receive) -> Receive:
    left = [body]

    async def receiving() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        # What comes behind the body: that the client goes away.
        return await receive()

    return receiving
