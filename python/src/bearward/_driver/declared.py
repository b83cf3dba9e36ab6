"""Options that are declared like the fields of a dataclass, each with the check of its value.

Not `dataclasses`: before Python 3.10 these have no keyword-only fields.
"""

import inspect
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, TypeVar, cast

from bearward.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """For type checkers only."""
        return lambda decorator: decorator


_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., Any])

Check = Callable[[str, Any], None]
"""Raises a `ConfigurationError` that names the option if its value can't be used."""


class _Option(NamedTuple):
    default: Any
    check: Optional[Check]
    needs: Optional[str]
    kw_only: bool


def option(*, default: _T, check: Optional[Check] = None, needs: Optional[str] = None, kw_only: bool = False) -> _T:
    """Declare an option.

    Args:
        default: Its value when it is not given.
        check: The check of its value.
        needs: The name of another option, without which this one makes no sense.
        kw_only: Whether it can be given by keyword only.
    """
    # To type checkers a field is its value.
    return cast("_T", _Option(default, check, needs, kw_only))


@dataclass_transform(field_specifiers=(option,))
def declares_options(cls: type[_T]) -> type[_T]:
    """Make the constructor that the declared options describe. Later, `check_options` checks their values."""
    options: dict[str, _Option] = {name: cls.__dict__[name] for name in cls.__annotations__}
    parameters = [
        inspect.Parameter(name, _kind(declared), default=declared.default, annotation=cls.__annotations__[name])
        for name, declared in options.items()
    ]
    signature = inspect.Signature(parameters)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes the constructor
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        self.__dict__.update(given.arguments)

    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = inspect.Signature([this, *parameters])  # type: ignore[attr-defined]
    for name, declared in options.items():
        setattr(cls, name, declared.default)
    cls.__init__ = __init__  # type: ignore[method-assign]
    cls._declared = options  # type: ignore[attr-defined]
    return cls


def check_options(options: Any) -> None:
    """Check each value, in the order in which the options are declared.

    Raises:
        ConfigurationError: one can't be used.
    """
    declared: dict[str, _Option] = options._declared
    for name, (_, check, needs, _) in declared.items():
        value = getattr(options, name)
        if check is not None:
            check(name, value)
        if needs is not None and value and not getattr(options, needs):
            raise ConfigurationError(f"{name} needs {needs}.")


def spells_out(options: type) -> Callable[[_F], _F]:
    """Have `inspect.signature` show each option in place of a function's `**` parameter, for editors and readers."""

    def decorate(function: _F) -> _F:
        own = {name: it for name, it in inspect.signature(function).parameters.items() if it.kind is not it.VAR_KEYWORD}
        more = [it for name, it in inspect.signature(options).parameters.items() if name not in own]
        keyword_only = [it.replace(kind=inspect.Parameter.KEYWORD_ONLY) for it in more]
        function.__signature__ = inspect.Signature([*own.values(), *keyword_only])  # type: ignore[attr-defined]
        return function

    return decorate


def _kind(declared: _Option) -> Any:
    return inspect.Parameter.KEYWORD_ONLY if declared.kw_only else inspect.Parameter.POSITIONAL_OR_KEYWORD
