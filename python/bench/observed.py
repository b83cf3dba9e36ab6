"""Times a guard, by who observes its decisions.

    python observed.py {nobody|on_decision|opentelemetry} FIXTURE

`FIXTURE` is as of `verify_request.py`. Each token came before. Prints microseconds of CPU time per request, one number
per round, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from verify_request import HEADERS, ROUNDS, SIGHTS

from bearward.fastapi import Auth0FastAPI

if TYPE_CHECKING:
    from bearward.fastapi import Decision, RequireAuth

# As often as it takes until the time is much longer than the clock's steps.
TIMES = 20


async def main(observer: str, fixture: dict[str, Any]) -> None:
    """Print the times of all rounds."""
    scopes = [_scope(fields) for fields in fixture["bearer"]]
    print(json.dumps([await _round(_guard(observer, fixture), scopes) for _ in range(ROUNDS)]))


async def _round(guard: RequireAuth[dict[str, Any]], scopes: list[dict[str, Any]]) -> float:
    for _ in range(SIGHTS):
        await _pass(guard, scopes)
    started = time.process_time()
    for _ in range(TIMES):
        await _pass(guard, scopes)
    return (time.process_time() - started) * 1e6 / len(scopes) / TIMES


async def _pass(guard: RequireAuth[dict[str, Any]], scopes: list[dict[str, Any]]) -> None:
    for scope in scopes:
        # A new one for each request: guards remember there what they let in.
        await guard(Request(dict(scope)))


def _guard(observer: str, fixture: dict[str, Any]) -> RequireAuth[dict[str, Any]]:
    async def fetch(url: str, **_: object) -> Any:
        return fixture["documents"][url]

    decisions: list[Decision] = []
    auth0 = Auth0FastAPI(
        domain=fixture["domain"],
        audience=fixture["audience"],
        custom_fetch=fetch,
        on_decision=decisions.append if observer == "on_decision" else None,
    )
    if observer == "opentelemetry":
        _instrument(auth0)
    return auth0.require_auth()


def _instrument(auth0: Auth0FastAPI) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from bearward.opentelemetry import instrument

    instrument(auth0, MeterProvider([InMemoryMetricReader()]))


def _scope(fields: dict[str, str]) -> dict[str, Any]:
    headers = [(name.encode(), value.encode()) for name, value in {**HEADERS, **fields}.items()]
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "root_path": "",
        "path": "/guarded",
        "raw_path": b"/guarded",
        "query_string": b"",
        "headers": headers,
    }


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
