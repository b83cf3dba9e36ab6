"""Guards for MCP servers, and DPoP for MCP clients. Needs `bearward[mcp]`.

app = bearward.mcp.guard(server.streamable_http_app(), domain="tenant.auth0.com", resource="https://mcp.example.com/mcp")
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearward.mcp.client import DpopAuth as DpopAuth
    from bearward.mcp.client import DpopKey as DpopKey
    from bearward.mcp.client import DpopOAuthClientProvider as DpopOAuthClientProvider
    from bearward.mcp.server import McpGuard as McpGuard
    from bearward.mcp.server import guard as guard
    from bearward.mcp.verifier import BearwardTokenVerifier as BearwardTokenVerifier

# A server needs no HTTP client, and a client no server: each is imported when it is first used.
_PLACES = {
    "BearwardTokenVerifier": "verifier",
    "DpopAuth": "client",
    "DpopKey": "client",
    "DpopOAuthClientProvider": "client",
    "McpGuard": "server",
    "guard": "server",
}

__all__ = ["BearwardTokenVerifier", "DpopAuth", "DpopKey", "DpopOAuthClientProvider", "McpGuard", "guard"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(f"bearward.mcp.{_PLACES[name]}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("bearward"):
            raise
        package = error.name.partition(".")[0]
        raise ImportError(f"bearward.mcp needs the package {package!r}: pip install 'bearward[mcp]'") from error
    globals()[name] = getattr(module, name)
    return globals()[name]
