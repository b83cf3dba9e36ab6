"""Turns claims into the type that a route asks for."""

import dataclasses
import sys
from typing import Any, Callable, Generic, Optional, TypeVar, Union, cast

from bearward.errors import ConfigurationError

_Model = TypeVar("_Model")

# How much of a reason is logged.
_REASON_CHARACTERS = 300


class UnfitClaimsError(Exception):
    """The claims don't fit the type. The text names members, and no values."""


class Converter(Generic[_Model]):
    """Turns claims into instances of a type.

    Args:
        model: A class with a method `from_claims`; a `msgspec.Struct`; or what pydantic can validate: a model, a
            dataclass, a `TypedDict`.

    Raises:
        ConfigurationError: `model` is none of these.
    """

    def __init__(self, model: type[_Model]) -> None:
        own: Any = getattr(model, "from_claims", None)
        self._convert: Callable[[dict[str, Any]], _Model]
        self._reason: Callable[[Exception], Optional[str]]
        if callable(own):
            self._convert = cast("Callable[[dict[str, Any]], _Model]", own)
            self._reason = _reason_of_own
        elif _is_struct(model):
            self._convert, self._reason = _by_msgspec(model), _reason_of_msgspec
        else:
            self._convert, self._reason = _by_pydantic(model), _reason_of_pydantic

    def __call__(self, claims: dict[str, Any]) -> _Model:
        """The claims as the type.

        Raises:
            UnfitClaimsError: they don't fit.
        """
        try:
            return self._convert(claims)
        except Exception as error:
            reason = self._reason(error)
            if reason is None:
                raise
        # Outside of `except`: the library's error holds claims.
        # Escaped: a member's name may be a claim's.
        raise UnfitClaimsError(reason.encode("unicode_escape").decode("ascii")[:_REASON_CHARACTERS])


def _is_struct(model: object) -> bool:
    msgspec = sys.modules.get("msgspec")
    return msgspec is not None and isinstance(model, type) and issubclass(model, msgspec.Struct)


def _by_msgspec(model: type[_Model]) -> Callable[[dict[str, Any]], _Model]:
    convert = sys.modules["msgspec"].convert

    def converted(claims: dict[str, Any]) -> _Model:
        made: _Model = convert(claims, model)
        return made

    return converted


def _reason_of_msgspec(error: Exception) -> Optional[str]:
    # Its texts name the member and the types. A value of an Enum may be in one, behind "Invalid enum value".
    if isinstance(error, sys.modules["msgspec"].ValidationError):
        return str(error) if "value" not in str(error) else "a value is not allowed"
    return None


def _by_pydantic(model: type[_Model]) -> Callable[[dict[str, Any]], _Model]:
    try:
        from pydantic import TypeAdapter
    except ImportError:
        raise ConfigurationError("model needs pydantic 2, or a class with `from_claims`.") from None
    if not (dataclasses.is_dataclass(model) or hasattr(model, "model_validate") or hasattr(model, "__total__")):
        raise ConfigurationError(
            "model must be a pydantic model, a dataclass, a TypedDict, a msgspec.Struct, or a class with `from_claims`."
        )
    try:
        return TypeAdapter(model).validate_python
    except Exception as error:  # noqa: BLE001 - whatever pydantic says about the type
        raise ConfigurationError(f"model can't be used: {str(error).splitlines()[0]}") from None


def _reason_of_pydantic(error: Exception) -> Optional[str]:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return None
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{_path(fault['loc'])}: {fault['type']}" for fault in faults)


def _path(location: tuple[Union[str, int], ...]) -> str:
    return ".".join(str(step) for step in location) or "claims"


def _reason_of_own(error: Exception) -> Optional[str]:
    # Its text may quote claims.
    return type(error).__name__ if isinstance(error, (ValueError, TypeError, LookupError)) else None
