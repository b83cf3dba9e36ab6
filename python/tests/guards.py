"""How people write guards, and what they forget."""

from typing import Annotated

from fastapi import Depends, FastAPI, Security

GUARDS = {
    "depends": lambda auth0: Depends(auth0.require_auth()),
    "depends_forgotten": lambda auth0: auth0.require_auth(),
    "security": lambda auth0: Security(auth0.require_auth()),
    "security_with_scopes": lambda auth0: Security(auth0.require_auth(), scopes=["read:messages"]),
    "not_cached": lambda auth0: Depends(auth0.require_auth(), use_cache=False),
    "with_a_scope": lambda auth0: auth0.require_auth("read:messages"),
}

CALL_FORGOTTEN = {
    "depends": lambda auth0: Depends(auth0.require_auth),
    "security": lambda auth0: Security(auth0.require_auth, scopes=["a"]),
    "nothing": lambda auth0: auth0.require_auth,
    "verify": lambda auth0: Depends(auth0.verify),
    "verify_alone": lambda auth0: auth0.verify,
}

# What a client may put there to become somebody: the claims as its body, or a guard's arguments in the query.
FORGED = {"sub": "admin", "claims": {"sub": "admin"}, "body": {}, "scopes": []}


def takes(kind, source=None):
    """Make a route whose parameter has this type; `source` is where its value comes from, by default the body."""

    async def route(order):
        return order

    route.__annotations__ = {"order": kind if source is None else Annotated[kind, source]}
    FastAPI().post("/")(route)
