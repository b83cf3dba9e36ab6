"""What is known of httpx and httpx2 without importing them, which takes longer than all the rest of the package."""

import sys


def is_http_client(value: object) -> bool:
    """Whether this can be used as an `httpx.AsyncClient` or `httpx2.AsyncClient`: by its methods."""
    return all(callable(getattr(value, method, None)) for method in ("stream", "aclose"))


def errors_named(*names: str) -> tuple[type[Exception], ...]:
    """The errors of these names, of each of the two that the program uses."""
    libraries = [sys.modules.get(library) for library in ("httpx", "httpx2")]
    # One that is still being imported by another thread hasn't raised anything.
    return tuple(getattr(library, name) for library in libraries for name in names if hasattr(library, name))
