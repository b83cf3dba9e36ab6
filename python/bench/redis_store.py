"""What the shared replay store costs: latency, a worker's ceiling, memory per proof. Starts a Redis of its own.

For `make bench-redis`.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from bearward import ApiClient, ApiClientOptions, RedisReplayStore
from redis_servers import ask, server  # type: ignore[import-not-found]
from support import AUDIENCE, Prover, Tenant  # type: ignore[import-not-found]

URL = "https://api.example.com/private"
REQUESTS = 3000
ENTRIES = 50_000


async def latency(url: str) -> tuple[float, float]:
    """Of one question at a time, milliseconds: median and 99th percentile."""
    store = RedisReplayStore.from_url(url, prefix="latency:")
    await store.remember(os.urandom(32), 60)
    took = []
    for _ in range(REQUESTS):
        begin = time.perf_counter()
        await store.remember(os.urandom(32), 60)
        took.append((time.perf_counter() - begin) * 1000)
    await store.aclose()
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


async def ceiling(tenant: Tenant, requests: list[dict[str, str]], replay: Any) -> float:
    """Requests per second of one process, 32 at once, with nothing but the verification."""
    options = {"domain": tenant.domain, "audience": AUDIENCE, "custom_fetch": tenant.fetch, "store_timeout": 10}
    client = ApiClient(ApiClientOptions(dpop_replay=replay, **options))
    await client.verify_request(Prover(tenant).headers(URL), "GET", URL)
    waiting = iter(requests)

    async def work() -> None:
        for headers in waiting:
            await client.verify_request(headers, "GET", URL)

    begin = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(32)))
    return len(requests) / (time.perf_counter() - begin)


async def bytes_per_proof(port: int, url: str) -> float:
    """Of the server's memory."""
    store = RedisReplayStore.from_url(url, timeout=10)
    await store.remember(os.urandom(32), 335)

    def used() -> int:
        return int(ask(port, "INFO", "memory").split("used_memory:")[1].split()[0])

    before = used()
    for _ in range(ENTRIES // 500):
        await asyncio.gather(*(store.remember(os.urandom(32), 335) for _ in range(500)))
    after = used()
    await store.aclose()
    return (after - before) / ENTRIES


async def main() -> None:
    tenant = Tenant()
    prover = Prover(tenant)
    token = prover.token()
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "redis") as (port, _):
        url = f"redis://127.0.0.1:{port}"
        median, slow = await latency(url)
        print(
            f"latency added by the store     p50 {median:.2f} ms, p99 {slow:.2f} ms (one question at a time, loopback)"
        )
        rates = {}
        for name, replay in (("off", False), ("in this process", True), ("Redis", None)):
            requests = [prover.headers(URL, token=token) for _ in range(REQUESTS)]
            store = RedisReplayStore.from_url(url, prefix="ceiling:", timeout=10) if replay is None else None
            rates[name] = await ceiling(tenant, requests, replay if store is None else store)
            if store is not None:
                await store.aclose()
        for name, rate in rates.items():
            print(f"one worker, replay check {name:15} {rate:6.0f} verifications/s")
        print(f"memory per proof               {await bytes_per_proof(port, url):.0f} bytes")


if __name__ == "__main__":
    asyncio.run(main())
