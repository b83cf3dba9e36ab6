"""Times `ApiClient.verify_request` of Bearward, or of the SDK it replaces, on the same tokens.

    python verify_request.py {bearward|auth0} FIXTURE

`FIXTURE` is a JSON file: `domain`, `audience`, `documents` by URL, `tokens`. Prints microseconds of CPU time per
request, one number per round, as JSON. In each round every token is new to the client that verifies it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

ROUNDS = 5
PACKAGES = {"bearward": "bearward", "auth0": "auth0_api_python"}


async def main(sdk: str, fixture: dict[str, Any]) -> None:
    """Print the times of all rounds."""
    package = importlib.import_module(PACKAGES[sdk])
    first, *requests = [_headers(token) for token in fixture["tokens"]]
    print(json.dumps([await _round(_client(package, fixture), first, requests) for _ in range(ROUNDS)]))


async def _round(client: Any, first: dict[str, str], requests: list[dict[str, str]]) -> float:
    # Brings the documents.
    await client.verify_request(headers=first, http_method="GET", http_url="http://127.0.0.1/guarded")
    started = time.process_time()
    for headers in requests:
        await client.verify_request(headers=headers, http_method="GET", http_url="http://127.0.0.1/guarded")
    return (time.process_time() - started) * 1e6 / len(requests)


def _client(package: Any, fixture: dict[str, Any]) -> Any:
    async def fetch(url: str, **_: object) -> Any:
        return fixture["documents"][url]

    options = package.ApiClientOptions(domain=fixture["domain"], audience=fixture["audience"], custom_fetch=fetch)
    return package.ApiClient(options)


def _headers(token: str) -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "user-agent": "bench",
        "accept": "application/json",
        "accept-encoding": "gzip",
        "authorization": f"Bearer {token}",
    }


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(Path(sys.argv[2]).read_text())))
