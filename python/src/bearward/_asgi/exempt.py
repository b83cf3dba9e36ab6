"""Requests that need no token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Union

from bearward._asgi.connection import Scope
from bearward.errors import ConfigurationError


def is_preflight(scope: Scope) -> bool:
    """Whether a browser asks if it may send a request. Such a question never has credentials. Fetch, section 4.8."""
    if scope["type"] != "http" or scope["method"] != "OPTIONS":
        return False
    names = {bytes(name).lower() for name, _ in scope["headers"]}
    return {b"origin", b"access-control-request-method"} <= names


def exemption(given: Union[Callable[[Scope], bool], Sequence[str]]) -> Callable[[Scope], bool]:
    """The function that says which requests need no token.

    Raises:
        ConfigurationError: there is something that is no path.
    """
    if callable(given):
        return lambda scope: given(scope) is True
    paths: Any = given
    if isinstance(paths, str) or not all(isinstance(path, str) and path.startswith("/") for path in paths):
        raise ConfigurationError("exempt must be a function, or a list of paths such as ['/health', '/public/*'].")
    exact = frozenset(path for path in paths if not path.endswith("/*"))
    below = tuple(path[:-1] for path in paths if path.endswith("/*"))
    if any("*" in path for path in (*exact, *below)):
        raise ConfigurationError("exempt: only the end of a path can be '/*'.")

    def is_exempt(scope: Scope) -> bool:
        path = scope["path"]
        return path in exact or (bool(below) and path.startswith(below) and _is_plain(path))

    return is_exempt


def _is_plain(path: str) -> bool:
    """Whether no router, proxy or file system reads it as a path somewhere else."""
    *folders, last = path.split("/")[1:]
    # Parsers of URLs remove tabs and line breaks.
    strange = "\\" in path or "%" in path or not path.isprintable()
    return not strange and not any(map(_is_dots, folders)) and (last == "" or not _is_dots(last))


def _is_dots(segment: str) -> bool:
    """Whether a segment may mean this folder, or the one above: `..;x` to Java servers, `.. ` to Windows."""
    return segment.partition(";")[0].strip(". ") == ""
