"""The URL that a client used. The rules are in the engine; the facts come from an ASGI scope."""

from collections.abc import Mapping
from typing import Any, Optional
from urllib.parse import quote

from bearward import _native
from bearward._asgi.connection import Connection
from bearward._driver import checks
from bearward.errors import ConfigurationError


def get_canonical_url(request: Connection) -> str:
    """The URL that a client used: scheme, host, path as it was sent, and query.

    With `app.state.trust_proxy = True` it is made from what the nearest proxy wrote (`X-Forwarded-Proto`, `-Host`,
    `-Prefix`, or `Forwarded`); or else from the Host field and the connection. Empty if these make no valid URL: no
    DPoP proof is accepted then.
    """
    return _DEFAULT_URLS.of(request)


class PublicUrls:
    """Finds the URLs that clients used. The rules are the engine's: `crates/bearward-core/src/http/forwarded.rs`."""

    def __init__(self, public_origin: Optional[str], trusted_hops: int) -> None:
        checks.at_least(1)("trusted_hops", trusted_hops)
        if public_origin is not None and not isinstance(public_origin, str):
            raise ConfigurationError("public_origin must be a string, such as 'https://api.example.com'.")
        self._direct = _native.PublicUrl(origin=public_origin)
        self._by_proxies = self._direct if public_origin else _native.PublicUrl(trusted_hops=trusted_hops)

    def of(self, request: Connection, trusts_proxies: Optional[bool] = None) -> str:
        """The URL of this request; empty if there is none.

        Args:
            request: The request.
            trusts_proxies: Whether proxies are believed. By default the app says so: `app.state.trust_proxy`.
        """
        scope = request.scope
        raw_path = scope.get("raw_path")
        if raw_path is None:
            raw_path = quote(scope["path"], safe=_PATH_CHARACTERS).encode()
        # Starlette sets it for the outermost app. Below a mount, `root_path` includes the mount's path, unescaped, but
        # `raw_path` is still the whole path.
        root_path = scope.get("app_root_path")
        if root_path is None:
            root_path = scope.get("root_path", "")
        trusted = trusts_proxy(scope) if trusts_proxies is None else trusts_proxies
        rule = self._by_proxies if trusted else self._direct
        scheme: str = scope.get("scheme", "http")
        scheme = _HTTP_SCHEMES.get(scheme, scheme)
        return rule.of(scheme, request.headers.raw, raw_path, root_path, scope.get("query_string", b""), _server(scope))


# The URL of a WebSocket in the spelling of its handshake, which is an HTTP request. RFC 6455 section 4.1.
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}

_DEFAULT_URLS = PublicUrls(None, 1)

# These need no escape in a path. RFC 3986 section 3.3.
_PATH_CHARACTERS = "/:@!$&'()*+,;=~"


def trusts_proxy(scope: Mapping[str, Any]) -> bool:
    """Whether the app that has the route says that its requests come through a proxy of its own."""
    # Not every true value: the string "false" from an environment variable is one.
    app = scope.get("app")
    state = getattr(app, "state", None)
    # Starlette's raises an error for what it doesn't have, which takes longer than all the rest.
    known = getattr(state, "_state", None)
    if type(known) is dict:
        return known.get("trust_proxy") in (True, 1)
    return getattr(state, "trust_proxy", False) in (True, 1)


def _server(scope: Mapping[str, Any]) -> str:
    """Host and port, for a request without Host field (HTTP/1.0)."""
    server = scope.get("server")
    if server is None or server[1] is None:
        return ""
    host, port = server
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
