"""Times `ApiClient.verify_request` of Bearward, or of the SDK it replaces, on the same tokens.

    python verify_request.py {bearward|auth0} {bearer|dpop} FIXTURE

`FIXTURE` is a JSON file: `domain`, `audience`, `documents` by URL, `url`, and for each scheme a list of header fields.
Prints microseconds of CPU time per request, one number per round, as JSON. In each round every token, and every proof,
is new to the client that verifies it.
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
HEADERS = {
    "host": "127.0.0.1",
    "user-agent": "bench",
    "accept": "application/json",
    "accept-encoding": "gzip",
}


async def main(sdk: str, scheme: str, fixture: dict[str, Any]) -> None:
    """Print the times of all rounds."""
    package = importlib.import_module(PACKAGES[sdk])
    requests = [_request(fixture["url"], fields) for fields in fixture[scheme]]
    print(json.dumps([await _round(_client(package, fixture), *requests) for _ in range(ROUNDS)]))


async def _round(client: Any, first: dict[str, Any], *requests: dict[str, Any]) -> float:
    # Brings the documents.
    await client.verify_request(**first)
    started = time.process_time()
    for request in requests:
        await client.verify_request(**request)
    return (time.process_time() - started) * 1e6 / len(requests)


def _client(package: Any, fixture: dict[str, Any]) -> Any:
    async def fetch(url: str, **_: object) -> Any:
        return fixture["documents"][url]

    options = package.ApiClientOptions(domain=fixture["domain"], audience=fixture["audience"], custom_fetch=fetch)
    return package.ApiClient(options)


def _request(url: str, fields: dict[str, str]) -> dict[str, Any]:
    return {"headers": {**HEADERS, **fields}, "http_method": "GET", "http_url": url}


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
