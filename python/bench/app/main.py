"""One route, `/guarded`, behind the dependency that BENCH_GUARD names: bearward, auth0 or nothing."""

import json
import os
from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, Request

FIXTURE = json.loads(Path(os.environ["BENCH_FIXTURE"]).read_text())


async def nothing(request: Request) -> dict[str, Any]:
    """What a dependency costs that looks at the request and lets it pass."""
    return {"sub": request.method}


async def fetch(url: str, **_: object) -> Any:
    """The tenant's documents, without a network."""
    return FIXTURE["documents"][url]


def guard() -> Any:
    """The dependency to measure."""
    if os.environ["BENCH_GUARD"] == "nothing":
        return nothing
    # The same import either way: which package it is depends on the environment that this runs in.
    from fastapi_plugin import Auth0FastAPI

    auth0 = Auth0FastAPI(domain=FIXTURE["domain"], audience=FIXTURE["audience"], custom_fetch=fetch)
    return auth0.require_auth()


app = FastAPI()


@app.get("/guarded")
async def guarded(claims: dict[str, Any] = Depends(guard())) -> dict[str, Any]:
    """What a small route does."""
    return {"sub": claims["sub"]}
