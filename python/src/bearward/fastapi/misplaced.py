"""An error for guards that are written where FastAPI doesn't see them.

FastAPI looks for dependencies at the top of a parameter's type only. In `Optional[Annotated[dict, guard]]`, in a list
of such types, or in a field of a body, it would take the claims from the request, and leave the route open. There,
pydantic is asked for the type, and asks whatever stands in `Annotated` about it.
"""

from typing import Any, Union

from fastapi import params


def refuse_in_types(*guards: type[Any]) -> None:
    """Have types that hold a guard of these classes, or a `Depends` of one, raise a `TypeError` when they are used."""

    def schema_of(self: params.Depends, source: Any, handler: Any) -> Any:
        # That of a guard is the guard itself.
        dependency: Union[object, None] = self.dependency
        if isinstance(dependency, guards):
            raise TypeError(
                f"A guard stands with {source} inside another type, or in a field of a model. FastAPI doesn't see it "
                "there, so it would guard nothing. Write `claims: Annotated[dict, Depends(auth0.require_auth())]`, "
                "with `Annotated` outermost, for a parameter of a route or of a dependency. For claims that may be "
                "missing, write `Annotated[Optional[dict], Depends(auth0.require_auth(optional=True))]`."
            )
        return handler(source)

    params.Depends.__get_pydantic_core_schema__ = schema_of  # type: ignore[attr-defined]
