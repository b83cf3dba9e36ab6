"""Serves the metadata document of a protected resource. RFC 9728 section 3."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Callable, Optional

from bearward._asgi.answers import Receive, Send, refuse, send_json
from bearward._asgi.connection import Scope
from bearward.errors import BaseAuthError, ConfigurationError

# Pages of any origin may read it, as they may read any public document.
_PUBLIC = {"access-control-allow-origin": "*"}
# The clients of MCP send a field of their own with it, so that browsers ask first.
_PREFLIGHT = {**_PUBLIC, "access-control-allow-methods": "GET", "access-control-allow-headers": "*"}
_CACHE = {"cache-control": "public, max-age=300"}


class MetadataDocument:
    """An ASGI app that serves the document.

    Args:
        paths: Where it is.
        document: Makes it. May raise a `BaseAuthError`.
    """

    def __init__(self, paths: Sequence[str], document: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        self._paths = frozenset(paths)
        self._document = document

    def is_at(self, scope: Scope) -> bool:
        """Whether this is a request for the document."""
        if scope["type"] != "http":
            return False
        path, root = str(scope["path"]), str(scope.get("root_path") or "")
        # A server that knows the prefix of the app has it in front of the path.
        return path in self._paths or (bool(root) and path.startswith(root) and path[len(root) :] in self._paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET, HEAD, and what browsers ask before."""
        if scope["method"] == "OPTIONS":
            await send_json(send, 200, None, _PREFLIGHT)
        elif scope["method"] not in ("GET", "HEAD"):
            await send_json(send, 405, {"detail": "Method Not Allowed"}, {"allow": "GET, HEAD, OPTIONS"})
        else:
            try:
                document = await self._document()
            except BaseAuthError as error:
                await refuse(error, None, scope, receive, send)
            else:
                await send_json(send, 200, document, {**_PUBLIC, **_CACHE})


def origin_for(public_origin: Optional[str], origin: Optional[str]) -> Optional[str]:
    """The origin that clients use. `origin`: that of the resource, if there is one.

    Raises:
        ConfigurationError: `public_origin` is another one than that of the resource.
    """
    if origin is None or public_origin is None:
        return public_origin if origin is None else origin
    if public_origin.rstrip("/") != origin:
        raise ConfigurationError("public_origin is another origin than that of the resource: leave it out.")
    return public_origin
