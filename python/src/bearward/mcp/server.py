"""The guard of an MCP server: Bearer and DPoP, metadata, and scopes by operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional, Union

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser

from bearward import _native
from bearward._asgi.answers import App, Receive
from bearward._asgi.body import read
from bearward._asgi.connection import Headers, Scope
from bearward._asgi.principal import Principal, with_user
from bearward.asgi import AuthMiddleware
from bearward.client import ApiClient, ApiClientOptions
from bearward.errors import ConfigurationError, OperationError
from bearward.mcp.tokens import access_token, credentials_of
from bearward.requirement import Names, Requirement
from bearward.resource import ProtectedResource
from bearward.scopes import names_of, scope_names

# Operations that need more scopes: by method, or for `tools/call` and `prompts/get` also by name.
Operations = Mapping[str, Union[Sequence[str], Mapping[str, Sequence[str]]]]

# MCP clients run on laptops, whose clocks are worse than those of servers. Seconds.
PROOF_LEEWAY = 300


def guard(
    app: Any,
    *,
    resource: Union[str, ProtectedResource],
    scopes: Names = None,
    operations: Optional[Operations] = None,
    client: Optional[ApiClient] = None,
    exempt: Union[Callable[[Scope], bool], Sequence[str]] = (),
    end_streams_at_expiry: bool = False,
    trusted_hops: int = 0,
    **options: Any,
) -> McpGuard:
    """A guard around an MCP server's ASGI app: `mcp.streamable_http_app()`.

    It must be the outermost app, but for CORS middleware. It serves the metadata document (RFC 9728). Tools find who
    calls them by `bearward.asgi.current_principal()`, or by the SDK's `get_access_token()`.

    Args:
        app: The app of the MCP server, without authentication of its own.
        resource: The URL of the server, exactly as clients use it: `https://mcp.example.com/mcp`. Or more about it.
        scopes: Scopes that every request needs.
        operations: Scopes that some operations need besides: `{"tools/call": {"pay": ["invoices:pay"]}}`. They are read
            from the body of a request. A body that can't be read is refused.
        client: Verifies the tokens, instead of one that is made from `options`.
        exempt: What needs no token, as of `AuthMiddleware`: `["/health"]`.
        end_streams_at_expiry: End a stream when its token expires.
        trusted_hops: How many proxies stand in front of the server, as of `AuthMiddleware`. It is needed only for
            `client_certificate_header`: the URL of the server comes from `resource`.
        **options: Options of `ApiClientOptions`: `domain` or `issuer`, and what differs from these defaults: `audience`
            is the URL of the server, and a proof may be 300 seconds ahead of our clock (`dpop_iat_leeway`).

    Raises:
        ConfigurationError: an argument can't be used.
        TypeError: an option is unknown.
    """
    native_operations(operations)
    described = _described(resource, scopes, operations)
    if client is None:
        client = ApiClient(options_for(described.resource, options))
    elif options:
        raise ConfigurationError(f"Give a client or options, not both: {', '.join(sorted(options))}.")
    return McpGuard(
        app,
        client,
        resource=described,
        scopes=scopes,
        operations=operations,
        exempt=exempt,
        end_streams_at_expiry=end_streams_at_expiry,
        trusted_hops=trusted_hops,
    )


class McpGuard(AuthMiddleware):
    """`AuthMiddleware` for MCP servers. See `guard`, which makes one.

    Args:
        app: The app of the MCP server.
        client: Verifies the tokens. It must have `rfc_status_codes`.
        operations: Scopes that some operations need. They need a token even with `optional=True`.
        **options: The other arguments of `AuthMiddleware`.

    Raises:
        ConfigurationError: an argument can't be used.
    """

    def __init__(self, app: App, client: ApiClient, *, operations: Optional[Operations] = None, **options: Any) -> None:
        # The SDK's middleware lets its `get_access_token()` know.
        super().__init__(AuthContextMiddleware(app), client, **options)
        if not client.options.rfc_status_codes:
            raise ConfigurationError("An MCP server needs rfc_status_codes=True: a 400 stops the clients of MCP.")
        self._operations = native_operations(operations)
        self._with_scopes: dict[tuple[str, ...], Requirement] = {(): self._requirement}

    async def _needs(self, scope: Scope, receive: Receive) -> tuple[Requirement, Receive]:
        if self._operations is None:
            return self._requirement, receive
        if scope["type"] != "http":
            detail = "it is a WebSocket: what comes later can't be read before it is accepted"
            raise OperationError("The body can't be read", code="operation_unreadable", detail=detail)
        body, again = await read(receive, self._operations.BYTES_AT_MOST)
        more = tuple(self._operations.scopes_of(body))
        requirement = self._with_scopes.get(more)
        if requirement is None:
            requirement = self._requirement.with_scopes(more)
            # As many as there are operations. Batches could make more.
            if len(self._with_scopes) < _REQUIREMENTS:
                self._with_scopes[more] = requirement
        return requirement, again

    async def _is_open(self, scope: Scope, receive: Receive) -> tuple[bool, Receive]:
        # An operation that needs scopes needs a token.
        requirement, again = await self._needs(scope, receive)
        return requirement is self._requirement, again

    def _admitted(self, scope: Scope, principal: Principal, presented: Headers) -> Scope:
        user = User(access_token(principal, credentials_of(presented)))
        return with_user(scope, principal, user)


_REQUIREMENTS = 1000


class User(AuthenticatedUser):
    """The user as the SDK knows it. The SDK lets only the user who started a session use it."""


def native_operations(operations: Optional[Operations]) -> Optional[_native.Operations]:
    """The engine's, `None` if no operation needs more scopes.

    Raises:
        ConfigurationError: they can't be used.
    """
    if not operations:
        return None
    given: Any = operations
    if not isinstance(given, Mapping):
        raise ConfigurationError("operations must be a dict: {'tools/call': {'pay': ['invoices:pay']}}.")
    checked: dict[str, Any] = {}
    for method, needs in given.items():
        if isinstance(needs, Mapping):
            checked[method] = {name: list(names_of("operations", one)) for name, one in needs.items()}
        else:
            checked[method] = list(names_of("operations", needs))
    if not all(isinstance(name, str) for name in checked):
        raise ConfigurationError("operations: a method must be a string.")
    return _native.Operations(checked)


def scopes_of(operations: Optional[Operations]) -> list[str]:
    """All scopes that operations need, each once."""
    lists = []
    for needs in (operations or {}).values():
        lists += list(needs.values()) if isinstance(needs, Mapping) else [needs]
    return list(dict.fromkeys(scope for scopes in lists for scope in scope_names(scopes, "operations")))


def options_for(resource: str, given: Mapping[str, Any]) -> ApiClientOptions:
    """The options of the client of an MCP server."""
    if given.get("rfc_status_codes", True) is not True:
        raise ConfigurationError("An MCP server needs rfc_status_codes=True: a 400 stops the clients of MCP.")
    options = {"dpop_iat_leeway": PROOF_LEEWAY, "rfc_status_codes": True, **given}
    if options.get("client_ids") is None:
        options.setdefault("audience", resource)
    return ApiClientOptions(**options)


def _described(
    resource: Union[str, ProtectedResource], scopes: Names, operations: Optional[Operations]
) -> ProtectedResource:
    if isinstance(resource, ProtectedResource):
        return resource
    supported = dict.fromkeys([*scope_names(scopes), *scopes_of(operations)])
    return ProtectedResource(resource, scopes_supported=list(supported))
