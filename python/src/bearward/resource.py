"""What an API publishes about itself, so that clients find where to get a token for it. RFC 9728."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Optional, Protocol, Union

from bearward import _native
from bearward._asgi.metadata import MetadataDocument
from bearward.errors import ConfigurationError


class Publisher(Protocol):
    """The part of `ApiClient` that makes documents."""

    async def resource_document(self, resource: Optional[ProtectedResource] = None) -> dict[str, Any]:
        """The metadata document of a resource."""
        ...


class ProtectedResource:
    """An API, as its metadata document describes it. RFC 9728 section 2.

    What the document says of DPoP is taken from the options of the client that verifies, so it can't contradict them.

    Args:
        resource: The URL of the API, exactly as clients know it: https, or http for this machine. Without query and
            fragment. Its origin is the `public_origin` of the guard.
        authorization_servers: The issuers that clients can get a token from, each exactly as it spells itself. By
            default they are the issuers that are configured, spelled as their discovery documents spell them.
        scopes_supported: The scopes that clients may ask for.
        resource_name: The name of the API for people.
        documentation: The URL of a page for developers.
        policy_uri: The URL of a page about how clients may use the data.
        tos_uri: The URL of a page with the terms of service.

    Raises:
        ConfigurationError: an argument can't be published.
    """

    def __init__(
        self,
        resource: str,
        authorization_servers: Optional[Sequence[str]] = None,
        scopes_supported: Sequence[str] = (),
        resource_name: Optional[str] = None,
        documentation: Optional[str] = None,
        policy_uri: Optional[str] = None,
        tos_uri: Optional[str] = None,
    ) -> None:
        texts = {
            "resource": resource,
            "resource_name": resource_name,
            "documentation": documentation,
            "policy_uri": policy_uri,
            "tos_uri": tos_uri,
        }
        given: dict[str, object] = {**texts}
        for name, text in given.items():
            if not isinstance(text, str) and (text is not None or name == "resource"):
                raise ConfigurationError(f"{name} must be a string.")
        lists = {
            "authorization_servers": _names("authorization_servers", authorization_servers or ()),
            "scopes_supported": _names("scopes_supported", scopes_supported),
        }
        self._given: dict[str, Any] = {**texts, **lists}
        self._engines = _native.ProtectedResource(**self._given)
        # Whether anything was made that serves the document, in this process.
        self._is_served = False

    @property
    def resource(self) -> str:
        """The URL of the API."""
        return self._engines.resource

    @property
    def origin(self) -> str:
        """Scheme, host and port of that URL."""
        return self._engines.origin

    @property
    def metadata_url(self) -> str:
        """Where clients look for the document. RFC 9728 section 3.1."""
        return self._engines.metadata_url

    @property
    def metadata_paths(self) -> list[str]:
        """The paths that serve the document: the one of `metadata_url`, and the one without the path of the API."""
        return self._engines.metadata_paths

    async def document(self, client: Publisher) -> dict[str, Any]:
        """The metadata document. See `ApiClient.resource_document`.

        Args:
            client: The client that verifies the requests to this API.
        """
        return await client.resource_document(self)

    def routes(self, client: Publisher) -> list[Any]:
        """Starlette routes that serve the document, at both paths: for `Starlette(routes=[...])`.

        `AuthMiddleware` serves it by itself.

        Args:
            client: The client that verifies the requests to this API.
        """
        # Not every user of this class has Starlette.
        from starlette.routing import Route

        document = self._endpoint(client)
        return [Route(path, endpoint=document) for path in self.metadata_paths]

    def _endpoint(self, client: Publisher) -> MetadataDocument:
        self._is_served = True
        return MetadataDocument(self.metadata_paths, functools.partial(client.resource_document, self))

    def __eq__(self, other: object) -> bool:
        return self._given == other._given if isinstance(other, ProtectedResource) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.resource)

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in self._given.items() if value and name != "resource"]
        return f"ProtectedResource({', '.join([repr(self.resource), *given])})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), _arguments(self._given)


def _arguments(given: dict[str, Any]) -> tuple[Any, ...]:
    order = ("resource", "authorization_servers", "scopes_supported", "resource_name")
    return tuple(given[name] for name in (*order, "documentation", "policy_uri", "tos_uri"))


def _names(argument: str, names: Union[Sequence[str], object]) -> list[str]:
    if isinstance(names, str) or not isinstance(names, (list, tuple)):
        raise ConfigurationError(f"{argument} must be a list of strings.")
    if not all(isinstance(name, str) for name in names):
        raise ConfigurationError(f"{argument} must be a list of strings.")
    return list(names)
