"""An error for guards that are written where FastAPI doesn't see them.

FastAPI looks for dependencies at the top of a parameter's type, and in the parameter's default. Everywhere else it
would take the claims from the request, and leave the route open: in `Optional[Annotated[dict, guard]]`, in a list of
such types, in a field of a model or in its default, in `Body(guard)`. All of these are types that pydantic makes a
schema of. It asks whatever stands in `Annotated` about the type, and makes each default a part of the schema.
"""

import functools
import logging
from typing import Annotated, Any, Callable, get_origin

from fastapi import params
from pydantic import Field, TypeAdapter
from pydantic_core import core_schema

_MISPLACED = (
    "A guard stands {}. FastAPI doesn't see it there, so it would guard nothing. Write `claims: Annotated[dict, "
    "Depends(auth0.require_auth())]`, with `Annotated` outermost, for a parameter of a route or of a dependency. For "
    "claims that may be missing, write `Annotated[Optional[dict], Depends(auth0.require_auth(optional=True))]`."
)
_IN_A_TYPE = "with {} inside another type, or in a field of a model"
_AS_A_DEFAULT = "as the default of a field of a model, or in `Body`, `Query` and the like"
# For an `Auth0FastAPI` in place of what its `require_auth` returns.
_NO_GUARD = "{} is no guard by itself. Write `Depends(auth0.require_auth())`."


def refuse_in_types(*kinds: type[Any]) -> None:
    """Have types that hold an object of these classes, or a `Depends` of one, raise a `TypeError` when they are used.

    Args:
        *kinds: The classes. The first is a guard's.
    """
    core_schema.with_default_schema = _refusing_defaults(core_schema.with_default_schema, kinds)
    classes: tuple[Any, ...] = (params.Depends, *kinds)
    for kind in classes:
        kind.__get_pydantic_core_schema__ = _refusing_in_annotated(kinds)
    _check(kinds[0])


def _refusing_in_annotated(kinds: tuple[type[Any], ...]) -> Callable[..., Any]:
    """A method `__get_pydantic_core_schema__`."""

    def schema_of(*given: Any) -> Any:
        # pydantic asks an object in `Annotated`, which then comes first; or a class, about itself or in `Annotated`.
        *asked, source, handler = given
        kind = get_origin(source) or source
        is_about_itself = isinstance(kind, type) and issubclass(kind, (*kinds, params.Depends))
        if _is_guard(asked[0], kinds) if asked else not is_about_itself:
            raise _misplaced(asked[0] if asked else None, _IN_A_TYPE.format(source))
        schema = handler(source)
        return schema if asked else core_schema.is_instance_schema(kind)

    return schema_of


def _refusing_defaults(made: Callable[..., Any], kinds: tuple[type[Any], ...]) -> Callable[..., Any]:
    """What makes a schema with a default, for pydantic."""

    @functools.wraps(made)
    def with_default_schema(schema: Any, **more: Any) -> Any:
        for value in (more.get("default"), more.get("default_factory")):
            # No request can hold an instance of a class.
            if _is_guard(value, kinds) and schema["type"] != "is-instance":
                raise _misplaced(value, _AS_A_DEFAULT)
        return made(schema, **more)

    return with_default_schema


def _is_guard(value: Any, kinds: tuple[type[Any], ...]) -> bool:
    if isinstance(value, functools.partial):
        value = value.func
    # That of a guard is the guard itself.
    return isinstance(value, kinds) or (isinstance(value, params.Depends) and isinstance(value.dependency, kinds))


def _misplaced(value: Any, where: str) -> TypeError:
    if value is None or isinstance(value, (params.Depends, functools.partial)):
        return TypeError(_MISPLACED.format(where))
    return TypeError(_NO_GUARD.format(type(value).__name__))


def _check(kind: type[Any]) -> None:
    """Say so if another pydantic makes schemas in another way: it leaves such routes open."""
    # Without what a guard is made of. If it is accepted, pydantic looks at its `repr`.
    guard = type("Guard", (kind,), {"__init__": lambda _: None, "__repr__": object.__repr__})()
    holders: tuple[Any, ...] = (Annotated[int, guard], Annotated[int, Field(default=guard)])
    for holder in holders:
        try:
            TypeAdapter(holder)
        except TypeError:
            continue
        logging.getLogger("bearward").warning(
            "this pydantic makes schemas in another way: a guard in a field of a model guards nothing, and is no error"
        )
        return
