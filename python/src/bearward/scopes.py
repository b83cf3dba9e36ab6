"""Scopes: those that a route requires, and those that a token grants. RFC 6749 section 3.3."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Optional, Union

from bearward import _native
from bearward.errors import ConfigurationError

__all__ = ["validate_scopes"]


def validate_scopes(claims: Mapping[str, Any], required_scopes: Sequence[str]) -> bool:
    """Whether the `scope` claim holds all of `required_scopes`. RFC 6749 section 3.3.

    A claim that is missing, empty or not a string grants no scope. This does not verify the claims themselves.
    """
    scope = claims.get("scope")
    return isinstance(scope, str) and scope != "" and _native.scope_grants(scope, required_scopes)


def names_of(argument: str, names: Optional[Union[str, Sequence[str]]]) -> tuple[str, ...]:
    """As `scope_names`, for what the SDK that Bearward replaces doesn't have: an empty text is refused.

    It may come from a variable that isn't set. Then it must not turn "this is required" into "nothing is required".

    Raises:
        ConfigurationError: there is something that is not a name.
    """
    if names == "":
        raise ConfigurationError(f"{argument} must not be an empty text.")
    return scope_names(names, argument)


def scope_names(scopes: Optional[Union[str, Sequence[str]]], argument: str = "scopes") -> tuple[str, ...]:
    """The scopes, or other names, that are given to `require_auth`, each once.

    Raises:
        ConfigurationError: there is something that is not a name.
    """
    if not scopes:
        return ()
    given: Collection[object] = scopes.split() if isinstance(scopes, str) else scopes
    if not isinstance(given, Collection):
        raise ConfigurationError(f"{argument} must be a string or a list of non-empty strings.")
    names = [name for name in given if isinstance(name, str) and name and not name.isspace()]
    # An empty name must not turn "this scope is required" into "no scope is required".
    if not names or len(names) != len(given):
        raise ConfigurationError(f"{argument} must be a string or a list of non-empty strings.")
    return tuple(dict.fromkeys(names))
