"""Checks of single options: each raises a `ConfigurationError` that names the option."""

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from bearward._driver.http_library import is_http_client
from bearward.errors import ConfigurationError
from bearward.replay import ReplayStore
from bearward.resource import ProtectedResource

# Neither infinity nor what an integer of 64 bits can't hold is a time.
_NO_TIME = 2**63


def text(name: str, value: object) -> None:
    """A string."""
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string")


def flag(name: str, value: object) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False.")


def certificate_header(name: str, value: object) -> None:
    """The name of a header that the engine can read, in any case, or `None`."""
    known = ("X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "Client-Cert")
    if value is not None and (not isinstance(value, str) or value.lower() not in map(str.lower, known)):
        raise ConfigurationError(f"{name} must be one of {', '.join(map(repr, known))}, as your proxy writes it.")


def decryption_keys(name: str, value: object) -> None:
    """Texts or bytes, in a list or by name, or `None`. Whether they are keys is checked by the engine."""
    if value is None:
        return
    keys: list[Any] = [value]
    if isinstance(value, Mapping) and all(isinstance(kid, str) for kid in value):
        keys = list(value.values())
    elif isinstance(value, (list, tuple)):
        # A bare string is a sequence too.
        keys = list(value)
    if keys == [value] or not all(isinstance(pem, (str, bytes)) for pem in keys):
        raise ConfigurationError(f"{name} must be a list of private keys in PEM, or a dict of them by their kid.")


def sendable_text(name: str, value: object) -> None:
    """A string that can be sent over a network, or `None`."""
    if value is None:
        return
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a string.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ConfigurationError(f"{name} has characters that can't be sent.")


def duration(name: str, value: object) -> None:
    """Seconds; 0 is one, infinity is none."""
    if not _is_duration(value):
        raise ConfigurationError(f"{name} must be a non-negative number of seconds.")


def positive_duration(name: str, value: object) -> None:
    """Seconds, more than 0."""
    if not _is_duration(value) or value == 0:
        raise ConfigurationError(f"{name} must be a positive number of seconds.")


def at_least(least: int) -> Callable[[str, object], None]:
    """An integer of at least this."""

    def check(name: str, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigurationError(f"{name} must be an integer, at least {least}.")

    return check


def between(least: int, most: int) -> Callable[[str, object], None]:
    """An integer from `least` to `most`."""

    def check(name: str, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ConfigurationError(f"{name} must be an integer from {least} to {most}.")

    return check


def algorithms(name: str, value: object) -> None:
    """Names. Whether there are algorithms of these names is checked by the engine."""
    # A bare string is a sequence too: "RS256" would be read as five algorithms of one letter.
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ConfigurationError(f"{name} must be a sequence of names, such as ['RS256'].")
    if not all(isinstance(item, str) for item in value):
        raise ConfigurationError(f"{name} must be names, such as 'RS256'.")


def cache_adapter(name: str, value: object) -> None:
    """By its methods, not by its class: users of the SDK that Bearward replaces have classes of their own."""
    if value is not None and not all(callable(getattr(value, method, None)) for method in ("get", "set")):
        raise ConfigurationError(f"{name} must be a CacheAdapter or an AsyncCacheAdapter.")


def replay(name: str, value: object) -> None:
    """On, off, or a store."""
    if not isinstance(value, (bool, ReplayStore)):
        raise ConfigurationError(f"{name} must be True, False, or a ReplayStore.")


def store_error(name: str, value: object) -> None:
    """One of three."""
    if value not in ("refuse", "allow", "local"):
        raise ConfigurationError(f"{name} must be 'refuse', 'allow' or 'local'.")


def store_loss(name: str, value: object) -> None:
    """One of two."""
    if value not in ("refuse", "allow"):
        raise ConfigurationError(f"{name} must be 'refuse' or 'allow'.")


def ca_file(name: str, value: object) -> None:
    """A file with certificates in PEM, or `None`."""
    if value is None:
        return
    if not isinstance(value, (str, os.PathLike)) or not isinstance(os.fspath(value), str) or not os.fspath(value):
        raise ConfigurationError(f"{name} must be the path of a file.")
    import ssl

    from bearward._driver import trust

    try:
        trust.add_file(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), name, value)
    except trust.UntrustableFileError as error:
        raise ConfigurationError(f"{error}.") from None


def resource(name: str, value: object) -> None:
    """A `ProtectedResource`, or `None`."""
    if value is not None and not isinstance(value, ProtectedResource):
        raise ConfigurationError(f"{name} must be a ProtectedResource: ProtectedResource('https://api.example.com').")


def http_client(name: str, value: object) -> None:
    """A client, a function that makes one, or `None`."""
    # A class is a function, although it has the methods of a client.
    is_function = callable(value) and not inspect.iscoroutinefunction(value)
    if value is not None and not is_function and not is_http_client(value):
        raise ConfigurationError(
            f"{name} must be an httpx.AsyncClient or httpx2.AsyncClient, or a function that makes one and is not async."
        )


def secret_keys(name: str, value: object) -> None:
    """32 bytes, or a list of such keys, or `None`."""
    keys = value if isinstance(value, (list, tuple)) else [value]
    if value is not None and (not keys or not all(isinstance(key, bytes) and len(key) == 32 for key in keys)):
        raise ConfigurationError(f"{name} must be 32 bytes, or a list of keys of 32 bytes.")


def _is_duration(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _NO_TIME
