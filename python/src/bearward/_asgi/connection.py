"""A request as ASGI gives it, for code that must not import a framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Optional, Protocol, overload

Scope = MutableMapping[str, Any]


class HeaderFields(Protocol):
    """Header fields, as Starlette's `Headers` and ours give them."""

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """All of them, names in lower case."""
        ...

    @overload
    def get(self, key: str, /) -> Optional[str]: ...
    @overload
    def get(self, key: str, default: str, /) -> str: ...

    def getlist(self, key: str) -> list[str]:
        """The values of all fields of this name."""
        ...


class Connection(Protocol):
    """A request or a WebSocket: Starlette's `HTTPConnection`, or `AsgiConnection`."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        ...

    @property
    def headers(self) -> HeaderFields:
        """The header fields."""
        ...


class Headers(Mapping[str, str]):
    """Header fields, names in any case. Of several fields of one name, a mapping shows the first."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self.raw = raw

    def getlist(self, key: str) -> list[str]:
        """The values of all fields of this name."""
        name = key.lower().encode("latin-1", "replace")
        return [value.decode("latin-1") for field, value in self.raw if field.lower() == name]

    def __getitem__(self, key: str) -> str:
        values = self.getlist(key)
        if not values:
            raise KeyError(key)
        return values[0]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.decode("latin-1").lower() for name, _ in self.raw))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self.raw})

    def __repr__(self) -> str:
        # The values may be credentials.
        return f"Headers({list(self)!r})"


class AsgiConnection:
    """A request, from its ASGI scope.

    Args:
        scope: The scope, which is not copied.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        fields: Any = scope["headers"]
        self.headers: Headers = Headers([(bytes(name), bytes(value)) for name, value in fields])

    def with_headers(self, raw: list[tuple[bytes, bytes]]) -> AsgiConnection:
        """The same request with these header fields."""
        return AsgiConnection({**self.scope, "headers": raw})
