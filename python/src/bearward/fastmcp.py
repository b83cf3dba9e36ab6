"""An auth provider for FastMCP that accepts Bearer and DPoP. Needs `bearward[fastmcp]`.

FastMCP("invoices", auth=BearwardProvider(domain="tenant.auth0.com", base_url="https://mcp.example.com"))
"""

from __future__ import annotations

from typing import Any, Optional, Union

try:
    from fastmcp.server.auth import AccessToken, AuthProvider
    from pydantic import AnyHttpUrl, Field
    from starlette.middleware import Middleware
    from starlette.routing import Route
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    raise ImportError(f"bearward.fastmcp needs the package {package!r}: pip install 'bearward[fastmcp]'") from missing

from bearward._asgi.answers import App, Receive, Send
from bearward._asgi.connection import Headers, Scope
from bearward._asgi.principal import Principal, with_user
from bearward.client import ApiClient
from bearward.errors import ConfigurationError
from bearward.mcp.server import McpGuard, Operations, User, native_operations, options_for, scopes_of
from bearward.mcp.tokens import access_token, credentials_of
from bearward.mcp.verifier import verified_token
from bearward.resource import ProtectedResource

__all__ = ["BearwardProvider"]


class BearwardProvider(AuthProvider):
    """Verifies the tokens of a FastMCP server, Bearer and DPoP, and serves its metadata document (RFC 9728).

    Tools find who calls them by `bearward.asgi.current_principal()`, or by FastMCP's `get_access_token()`. Custom
    routes of the server stay open, as with FastMCP's own providers.

    Args:
        base_url: Scheme and host of the server, as clients use it, and a path prefix if it has one. The path of the MCP
            endpoint comes behind it.
        required_scopes: Scopes that every request needs.
        operations: Scopes that some operations need besides: `{"tools/call": {"pay": ["invoices:pay"]}}`. A request
            whose body can't be read is refused.
        client: Verifies the tokens, instead of one that is made from `options`.
        resource_name: The name of the server for people.
        end_streams_at_expiry: End a stream when its token expires.
        trusted_hops: How many proxies stand in front of the server, as of `bearward.mcp.guard`.
        **options: Options of `ApiClientOptions`: `domain` or `issuer`, and what differs from these defaults: `audience`
            is the URL of the MCP endpoint, and a proof may be 300 seconds ahead of our clock (`dpop_iat_leeway`).

    Raises:
        ConfigurationError: an argument can't be used. Some are looked at only when FastMCP says what the path of the
            endpoint is.
    """

    def __init__(
        self,
        *,
        base_url: Union[str, AnyHttpUrl],
        required_scopes: Optional[list[str]] = None,
        operations: Optional[Operations] = None,
        client: Optional[ApiClient] = None,
        resource_name: Optional[str] = None,
        end_streams_at_expiry: bool = False,
        trusted_hops: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(base_url=base_url, required_scopes=required_scopes)
        if client is not None and options:
            raise ConfigurationError(f"Give a client or options, not both: {', '.join(sorted(options))}.")
        native_operations(operations)
        self._operations = operations
        self._options = options
        self._resource_name = resource_name
        self._ends_streams = end_streams_at_expiry
        self._trusted_hops = trusted_hops
        self._given = client
        self._guarded: Optional[tuple[ApiClient, ProtectedResource]] = None

    def set_mcp_path(self, mcp_path: Optional[str]) -> None:
        """FastMCP says where its endpoint is; that is the name of the resource."""
        super().set_mcp_path(mcp_path)
        url = str(self._resource_url)
        supported = dict.fromkeys([*self.required_scopes, *scopes_of(self._operations)])
        resource = ProtectedResource(url, scopes_supported=list(supported), resource_name=self._resource_name)
        client = self._given if self._given is not None else ApiClient(options_for(url, self._options))
        self._guarded = client, resource

    def get_routes(self, mcp_path: Optional[str] = None) -> list[Route]:
        """The routes of the metadata document."""
        self.set_mcp_path(mcp_path)
        client, resource = self._known()
        return resource.routes(client)

    def get_middleware(self) -> list[Any]:
        """The guard, which FastMCP puts around its app."""
        return [Middleware(_Guarding, self)]

    async def verify_token(self, token: str) -> Optional[AccessToken]:
        """A verified Bearer token, for code that has no request. A token that is bound to a key is refused."""
        # Nobody is answered here, so there is nothing to do about an outage.
        verified = await verified_token(self._known()[0], token, _AccessToken, lambda _: None)
        return verified if isinstance(verified, AccessToken) else None

    def _known(self) -> tuple[ApiClient, ProtectedResource]:
        if self._guarded is None:
            raise ConfigurationError("BearwardProvider doesn't know the path of the endpoint yet: FastMCP tells it.")
        return self._guarded

    def _guard_of(self, app: App, *, optional: bool) -> _FastMcpGuard:
        client, resource = self._known()
        return _FastMcpGuard(
            app,
            client,
            resource=resource,
            scopes=self.required_scopes,
            operations=self._operations,
            optional=optional,
            end_streams_at_expiry=self._ends_streams,
            trusted_hops=self._trusted_hops,
        )


class _AccessToken(AccessToken):
    token: str = Field(repr=False)


class _FastMcpGuard(McpGuard):
    async def _is_open(self, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        # At other paths than the endpoint's: a body there need not be JSON.
        return True, receive

    def _admitted(self, scope: Scope, principal: Principal, presented: Headers) -> Scope:
        token = credentials_of(presented)
        admitted = with_user(scope, principal, User(access_token(principal, token, _AccessToken)))
        # FastMCP's own middleware wants the word Bearer. The token is verified, whatever scheme it came in.
        others = [(name, value) for name, value in presented.raw if name.lower() not in _OF_SCHEME]
        return {**admitted, "headers": [*others, (b"authorization", b"Bearer " + token.encode("latin-1"))]}


_OF_SCHEME = (b"authorization", b"dpop")


class _Guarding:
    """The guard inside FastMCP's app. The path of the endpoint is known only when the first request comes.

    At other paths a request without credentials passes: FastMCP refuses it where it needs a user, and its custom routes
    are for everybody.
    """

    def __init__(self, app: App, provider: BearwardProvider) -> None:
        self._app = app
        self._provider = provider
        self._guards: Optional[tuple[_FastMcpGuard, _FastMcpGuard]] = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._guards is None:
            provider = self._provider
            self._guards = provider._guard_of(self._app, optional=False), provider._guard_of(self._app, optional=True)
        strict, lenient = self._guards
        is_endpoint = scope["type"] == "http" and _path(scope) == (self._provider._mcp_path or "/")
        await (strict if is_endpoint else lenient)(scope, receive, send)


def _path(scope: Scope) -> str:
    path, root = str(scope["path"]), str(scope.get("root_path") or "")
    return path[len(root) :] if path.startswith(root) else path
