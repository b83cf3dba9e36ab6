"""Times how a request is verified: by Bearward, by the SDK that it replaces, or by a library for tokens alone.

    python verify_request.py NAME {new|seen|dpop} FIXTURE

`NAME`: `bearward`, `auth0`, or a library of `libraries.py`. `FIXTURE` is a JSON file: `domain`, `audience`, `documents`
by URL, `url`, and for each scheme a list of header fields. Prints microseconds of CPU time per request, one number per
round, as JSON. With `new` and `dpop`, every token and every proof is new to who verifies it; with `seen`, each token
came before.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from libraries import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 5
# How often a token comes before it counts as seen.
SIGHTS = 3
PACKAGES = {"bearward": "bearward", "auth0": "auth0_api_python"}
HEADERS = {
    "host": "127.0.0.1",
    "user-agent": "bench",
    "accept": "application/json",
    "accept-encoding": "gzip",
}


async def main(name: str, kind: str, fixture: dict[str, Any]) -> None:
    """Print the times of all rounds."""
    scheme = "dpop" if kind == "dpop" else "bearer"
    requests = [_request(fixture["url"], fields) for fields in fixture[scheme]]
    sights = SIGHTS if kind == "seen" else 0
    print(json.dumps([await _round(_verifier(name, fixture), requests, sights) for _ in range(ROUNDS)]))


async def _round(verify: Callable[..., Awaitable[Any]], requests: list[dict[str, Any]], sights: int) -> float:
    first, *others = requests
    # Brings the documents.
    await verify(**first)
    for _ in range(sights):
        for request in others:
            await verify(**request)
    started = time.process_time()
    for request in others:
        await verify(**request)
    return (time.process_time() - started) * 1e6 / len(others)


def _verifier(name: str, fixture: dict[str, Any]) -> Callable[..., Awaitable[Any]]:
    if name in LIBRARIES:
        return _library(name, fixture)

    async def fetch(url: str, **_: object) -> Any:
        return fixture["documents"][url]

    package = importlib.import_module(PACKAGES[name])
    options = package.ApiClientOptions(domain=fixture["domain"], audience=fixture["audience"], custom_fetch=fetch)
    verify: Callable[..., Awaitable[Any]] = package.ApiClient(options).verify_request
    return verify


def _library(name: str, fixture: dict[str, Any]) -> Callable[..., Awaitable[Any]]:
    discovery, keys = fixture["documents"].values()
    verify = LIBRARIES[name](discovery["issuer"], fixture["audience"], keys)

    async def verify_request(headers: dict[str, str], **_: object) -> Any:
        return verify(headers["authorization"].removeprefix("Bearer "))

    return verify_request


def _request(url: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"headers": {**HEADERS, **fields}, "http_method": "GET", "http_url": url}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
