"""What a route requires of a valid token. The rules are the engine's: `crates/bearward-core/src/requirement.rs`."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Callable, Optional, TypedDict, Union

from bearward import _native
from bearward.errors import ConfigurationError
from bearward.scopes import names_of, scope_names

Names = Optional[Union[str, Sequence[str]]]

# The claims that the engine looks at, besides those that `claims` names.
_CLAIMS_OF = {
    "scopes": ("scope",),
    "any_scope": ("scope",),
    "permissions": ("permissions",),
    "any_permission": ("permissions",),
    "organizations": ("org_id", "org_name"),
    "acr": ("acr",),
    "max_age": ("auth_time",),
}


class Requirements(TypedDict, total=False):
    """The keyword arguments of `Requirement`, for type checkers."""

    any_scope: Names
    permissions: Names
    any_permission: Names
    organization: Names
    claims: Optional[Mapping[str, Any]]
    acr: Names
    max_age: Optional[int]


class Requirement:
    """What a route requires of a valid token. Everything that is given must hold. Two with equal arguments are equal.

    Args:
        scopes: Scopes that the token must have, all of them, in the claim `scope`: a list, or a string, separated by
            spaces.
        any_scope: Scopes of which the token must have at least one.
        permissions: Permissions that the token must have, all of them, in the claim `permissions`. Auth0 puts them
            there for APIs with RBAC.
        any_permission: Permissions of which the token must have at least one.
        organization: Organizations of Auth0 of which the user must have logged in to one. A value that begins with
            `org_` is compared with `org_id`, any other with `org_name`, without regard to upper case.
        claims: For each name the value that the claim must have, or a list of values of which it must have one. If the
            claim is a list, it must contain such a value. Or a function that is given the claim and returns whether it
            is acceptable. A claim that is missing is never acceptable.
        acr: Authentication context classes of which the token must have one (`acr`, RFC 9470).
        max_age: The user must have logged in at most so many seconds ago (`auth_time`, RFC 9470).

    Raises:
        ConfigurationError: an argument can't be required.
    """

    def __init__(
        self,
        scopes: Names = None,
        *,
        any_scope: Names = None,
        permissions: Names = None,
        any_permission: Names = None,
        organization: Names = None,
        claims: Optional[Mapping[str, Any]] = None,
        acr: Names = None,
        max_age: Optional[int] = None,
    ) -> None:
        self.scopes = scope_names(scopes)
        wanted = _checked_claims(claims or {})
        self._tests = tuple((name, value) for name, value in wanted.items() if callable(value))
        values = {name: value for name, value in wanted.items() if not callable(value)}
        self._given: dict[str, Any] = {
            "scopes": self.scopes,
            "any_scope": _any_of("any_scope", any_scope),
            "permissions": names_of("permissions", permissions),
            "any_permission": _any_of("any_permission", any_permission),
            "organizations": _organizations(organization),
            "claims": _as_json("claims", values) if values else None,
            "acr": _any_of("acr", acr),
            "max_age": _max_age(max_age),
        }
        self._key = (*self._given.values(), self._tests)
        self._hash = hash(self._key)
        looked_at = (_CLAIMS_OF.get(name, ()) for name, value in self._given.items() if value not in (None, ()))
        self._names = {*(name for names in looked_at for name in names), *values}
        self._engines = _engines(self._given)

    @property
    def native(self) -> Optional[_native.Requirement]:
        """What the engine is to check of it, if anything."""
        return self._engines if self._names else None

    @property
    def has_tests(self) -> bool:
        """Whether functions check something of it."""
        return bool(self._tests)

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Requirement) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        given = [f"{name}={value!r}" for name, value in self._given.items() if value not in (None, ())]
        return f"Requirement({', '.join([*given, *(f'{name}: {test!r}' for name, test in self._tests)])})"

    def __bool__(self) -> bool:
        """Whether anything is required."""
        return bool(self._names or self._tests)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_engines"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        # Another process may have other hashes.
        self._hash = hash(self._key)
        self._engines = _native.Requirement(**self._given)

    def with_scopes(self, scopes: Sequence[str]) -> Requirement:
        """The same, and these scopes as well."""
        more = Requirement.__new__(Requirement)
        state = self.__getstate__()
        state["scopes"] = scope_names([*self.scopes, *scopes])
        state["_given"] = {**self._given, "scopes": state["scopes"]}
        state["_key"] = (*state["_given"].values(), self._tests)
        state["_names"] = {*self._names, "scope"}
        more.__setstate__(state)
        return more

    def refused_by_function(self, claims: Mapping[str, Any]) -> Optional[str]:
        """The claim that a function refuses, if any."""
        for name, test in self._tests:
            if name not in claims or not _passes(test, claims[name]):
                return name
        return None

    def unmet(
        self, claims: Mapping[str, Any], scope_claim: Names = None
    ) -> Union[str, tuple[_native.Requirement, str], None]:
        """For `ApiClient.unmet`: the claim that a function refuses; or what to ask the engine, if anything.

        `scope_claim`: the claim with the scopes, or several, if they are neither `scope` nor `scp`.
        """
        refused = self.refused_by_function(claims)
        if refused is not None:
            return refused
        names = self._names
        if "scope" in names:
            names = {*names, *_scope_claims(scope_claim)}
        return (self._engines, _some_as_json(claims, names)) if names else None


def _engines(given: Mapping[str, Any]) -> _native.Requirement:
    try:
        return _native.Requirement(**given)
    except (UnicodeError, OverflowError):
        raise ConfigurationError("There is a character or a number that no token can have.") from None


def _scope_claims(given: Names) -> Sequence[str]:
    if given is None:
        return ("scp",)
    return (given,) if isinstance(given, str) else given


def _passes(test: Callable[[Any], Any], claim: object) -> bool:
    outcome = test(claim)
    # An awaitable is true, whatever it would give.
    if inspect.isawaitable(outcome):
        getattr(outcome, "close", lambda: None)()
        raise TypeError("a function in `claims` must not be async")
    return bool(outcome)


def _any_of(argument: str, names: Names) -> Optional[tuple[str, ...]]:
    if names is None:
        return None
    required = scope_names(names, argument)
    if not required:
        raise ConfigurationError(f"{argument} must not be empty: no token could meet it.")
    return required


def _organizations(organization: Names) -> Optional[tuple[str, ...]]:
    return _any_of("organization", [organization] if isinstance(organization, str) else organization)


def _max_age(max_age: object) -> Optional[int]:
    if max_age is None:
        return None
    if not isinstance(max_age, int) or isinstance(max_age, bool) or max_age < 0:
        raise ConfigurationError("max_age must be a number of whole seconds, not negative.")
    return max_age


def _checked_claims(claims: object) -> dict[str, Any]:
    if not isinstance(claims, Mapping):
        raise ConfigurationError("claims must be a dict of names and wanted values.")
    return {_claim_name(name): _wanted(name, value) for name, value in claims.items()}


def _claim_name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigurationError("claims: a name must be a non-empty string.")
    return name


def _wanted(name: object, value: Any) -> Any:
    if callable(value):
        if inspect.iscoroutinefunction(value):
            raise ConfigurationError(f"claims: the function for {name!r} must not be async.")
        return value
    options = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
    options = list(options) if isinstance(options, tuple) else options
    if options is None or options == [] or (isinstance(options, list) and None in options):
        raise ConfigurationError(f"claims: {name!r} needs a value, a list of values, or a function.")
    _as_json(f"claims: {name!r}", options)
    return options


def _as_json(argument: str, value: object) -> str:
    try:
        # Sorted: equal arguments make equal requirements.
        return json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{argument} can't be compared with a claim, which is JSON: {error}.") from None


def _some_as_json(claims: Mapping[str, Any], names: Iterable[str]) -> str:
    some = {name: claims[name] for name in names if name in claims}
    try:
        return json.dumps(some, allow_nan=False)
    except (TypeError, ValueError):
        # A test's stand-in for claims may hold anything. What is no JSON meets nothing.
        return json.dumps({name: value for name, value in some.items() if _is_json(value)})


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True
