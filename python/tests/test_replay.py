"""A proof is good once: in one process and its threads, and over Redis in several processes. RFC 9449 section 11.1."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from bearward import (
    ApiClient,
    ApiClientOptions,
    InvalidDpopProofError,
    RedisReplayStore,
    ReplayCheckUnavailableError,
    ReplayStore,
)
from conftest import guarded_app
from fastapi_plugin import Auth0FastAPI
from support import AUDIENCE, free_port, process, running

URL = "https://api.example.com/private"
PROOFS = 1000
APPS = Path(__file__).parent / "apps"


class MemoryStore:
    """What a user may write; it counts."""

    def __init__(self):
        self.seen = {}

    async def remember(self, key, ttl_seconds):
        new = key not in self.seen
        self.seen[key] = ttl_seconds
        return new


class BrokenStore:
    def __init__(self, error):
        self.error = error
        self.asked = 0

    async def remember(self, key, ttl_seconds):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return True


def new_client(tenant, **options):
    return ApiClient(ApiClientOptions(domain=tenant.domain, audience=AUDIENCE, custom_fetch=tenant.fetch, **options))


async def outcome(api_client, headers):
    try:
        await api_client.verify_request(headers, "GET", URL)
    except (InvalidDpopProofError, ReplayCheckUnavailableError) as error:
        return error.code
    return "good"


# In this process


def test_four_threads_with_the_same_proofs(tenant, prover):
    api_client = new_client(tenant)
    token = prover.token()
    requests = [prover.headers(URL, token=token) for _ in range(200)]
    outcomes = [[] for _ in range(4)]
    barrier = threading.Barrier(4)

    async def work(mine):
        for headers in requests:
            barrier.wait()
            mine.append(await outcome(api_client, headers))

    threads = [threading.Thread(target=lambda mine=mine: asyncio.run(work(mine))) for mine in outcomes]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for answers in zip(*outcomes):
        assert sorted(answers) == ["good", *["proof_replayed"] * 3]


async def test_each_client_has_its_own_memory(tenant, prover):
    headers = prover.headers(URL)
    assert [await outcome(new_client(tenant), headers) for _ in range(2)] == ["good", "good"]


# A store


async def test_a_store_of_the_users_own(tenant, prover):
    store = MemoryStore()
    assert isinstance(store, ReplayStore)
    clients = [new_client(tenant, dpop_replay=store) for _ in range(2)]
    headers = prover.headers(URL)
    assert [await outcome(client, headers) for client in clients] == ["good", "proof_replayed"]
    ((key, ttl),) = store.seen.items()
    assert (type(key), len(key)) == (bytes, 32)
    # As long as the proof is young, and by the leeway and 5 s longer: another host's clock may be behind.
    assert 333 < ttl <= 335


async def test_what_an_operator_sees_of_a_store(tenant, prover):
    api_client = new_client(tenant, dpop_replay=MemoryStore())
    headers = prover.headers(URL)
    assert [await outcome(api_client, headers) for _ in range(2)] == ["good", "proof_replayed"]
    status = api_client.status().replay_store
    assert (status["questions"], status["replays"], status["errors"], status["breaker"]) == (2, 1, 0, "closed")
    assert new_client(tenant).status().replay_store is None


async def test_a_worker_whose_clock_is_behind(tenant, prover, clock):
    """It accepts the proof for longer than the first worker's clock says."""
    store = MemoryStore()
    api_client = new_client(tenant, dpop_replay=store, dpop_iat_leeway=0)
    headers = prover.headers(URL)
    clock.stopped_at = time.time() + 1
    assert await outcome(api_client, headers) == "good"
    (ttl,) = store.seen.values()
    clock.stopped_at += ttl - 4.8
    assert await outcome(new_client(tenant, dpop_replay=False, dpop_iat_leeway=0), headers) == "proof_too_old"


async def test_a_store_is_asked_last(tenant, prover):
    store = MemoryStore()
    api_client = new_client(tenant, dpop_replay=store)
    token = prover.token()
    for headers in (
        prover.headers(URL + "/other", token=token),
        prover.headers(URL, token=token, iat=1),
        prover.headers(URL, token=prover.token(exp=1)),
        prover.headers(URL, token=prover.token(cnf={"jkt": "x"})),
    ):
        with contextlib.suppress(Exception):
            await api_client.verify_request(headers, "GET", URL)
    assert store.seen == {}


@pytest.mark.parametrize("answer", [None, False, 0, "OK", 1, object()])
async def test_only_true_means_new(tenant, prover, answer):
    class Store:
        async def remember(self, key, ttl_seconds):
            return answer

    assert await outcome(new_client(tenant, dpop_replay=Store()), prover.headers(URL)) == "proof_replayed"


@pytest.mark.parametrize("choice", ["refuse", "allow"])
async def test_a_store_that_fails(tenant, prover, caplog, choice, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("bearward._driver.bounded_store.time", SimpleNamespace(monotonic=lambda: now[0]))
    store = BrokenStore(ConnectionError("connection\nrefused"))
    api_client = new_client(tenant, dpop_replay=store, on_store_error=choice)
    expected = "good" if choice == "allow" else "replay_store_unavailable"
    assert [await outcome(api_client, prover.headers(URL)) for _ in range(3)] == [expected] * 3
    # Once per outage, in one line.
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("bearward", logging.WARNING)
    assert "ConnectionError: connection\\nrefused" in record.getMessage()
    assert ("let through" if choice == "allow" else "refused") in record.getMessage()
    store.error = None
    # It may fail again at once.
    now[0] += 6
    assert await outcome(api_client, prover.headers(URL)) == "good"
    assert "answers again" in caplog.records[1].getMessage()
    store.error = OSError("again")
    await outcome(api_client, prover.headers(URL))
    assert len(caplog.records) == 3


async def test_the_refusal_of_a_failed_store_drags_nothing_along(tenant, prover):
    api_client = new_client(tenant, dpop_replay=BrokenStore(ConnectionError("secret")))
    with pytest.raises(ReplayCheckUnavailableError) as refusal:
        await api_client.verify_request(prover.headers(URL), "GET", URL)
    error = refusal.value
    assert (error.get_status_code(), error.get_error_code()) == (503, "temporarily_unavailable")
    assert int(error.get_headers()["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in error.get_headers()
    assert error.__context__ is None
    assert "secret" not in f"{error!r}{vars(error)}"


@pytest.mark.parametrize("choice", ["refuse", "allow"])
async def test_a_store_that_hangs_does_not_hang_the_request(tenant, prover, caplog, choice):
    class Store:
        async def remember(self, key, ttl_seconds):
            await asyncio.Event().wait()

    api_client = new_client(tenant, dpop_replay=Store(), on_store_error=choice, store_timeout=0.05)
    expected = "good" if choice == "allow" else "replay_store_unavailable"
    assert await asyncio.wait_for(outcome(api_client, prover.headers(URL)), 5) == expected
    assert "no answer within 0.05 s" in caplog.text


async def test_a_client_that_hangs_up_takes_the_question_along(tenant, prover):
    asked, given_up = asyncio.Event(), asyncio.Event()

    class Store:
        async def remember(self, key, ttl_seconds):
            asked.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up.set()
                raise

    api_client = new_client(tenant, dpop_replay=Store(), store_timeout=60)
    request = asyncio.ensure_future(api_client.verify_request(prover.headers(URL), "GET", URL))
    await asked.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert given_up.is_set()


# Redis


async def test_redis_store(redis_client):
    store = RedisReplayStore(redis_client)
    assert isinstance(store, ReplayStore)
    key = bytes(range(32))
    assert [await store.remember(key, 330.0004) for _ in range(3)] == [True, False, False]
    assert sorted(await redis_client.keys()) == [b"bearward:1:dpop:" + key, b"bearward:1:dpop:since"]
    assert 329_000 < await redis_client.pttl(b"bearward:1:dpop:" + key) <= 330_001
    assert await RedisReplayStore(redis_client, prefix="other:").remember(key, 1)
    # Redis refuses a time of 0, and would forget too early if it were rounded down.
    assert [await store.remember(bytes([n]) * 32, ttl) for n, ttl in enumerate((0, 0.0001, 1e-9))] == [True] * 3


async def test_redis_store_with_decoded_answers_and_the_newer_protocol(redis_server):
    import redis.asyncio

    async with redis.asyncio.Redis(port=redis_server[0], decode_responses=True, protocol=3) as client:
        store = RedisReplayStore(client, prefix="decoded:")
        assert [await store.remember(b"k" * 32, 10) for _ in range(2)] == [True, False]


async def test_redis_store_side_by_side(redis_client):
    store = RedisReplayStore(redis_client)
    answers = await asyncio.gather(*(store.remember(b"same" * 8, 10) for _ in range(50)))
    assert sorted(answers) == [False] * 49 + [True]


async def test_a_redis_that_is_not_there(tenant, prover, caplog):
    import redis.asyncio

    async with redis.asyncio.Redis(port=free_port()) as client:
        for choice, expected in (("refuse", "replay_store_unavailable"), ("allow", "good")):
            api_client = new_client(tenant, dpop_replay=RedisReplayStore(client), on_store_error=choice)
            assert await outcome(api_client, prover.headers(URL)) == expected
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


async def test_a_redis_that_hangs(tenant, prover, redis_client, redis_server, caplog):
    api_client = new_client(tenant, dpop_replay=RedisReplayStore(redis_client), store_timeout=0.3)
    headers = prover.headers(URL)
    assert await outcome(api_client, headers) == "good"
    redis_server[1].send_signal(signal.SIGSTOP)
    try:
        started = time.monotonic()
        answers = await asyncio.gather(*(outcome(api_client, prover.headers(URL)) for _ in range(5)))
        took = time.monotonic() - started
    finally:
        redis_server[1].send_signal(signal.SIGCONT)
    assert answers == ["replay_store_unavailable"] * 5
    assert took < 2
    while await outcome(api_client, prover.headers(URL)) != "good":
        assert time.monotonic() < started + 10
        await asyncio.sleep(0.05)
    # What was asked before doesn't get another question's answer.
    for _ in range(5):
        assert await outcome(api_client, headers) == "proof_replayed"
        assert await outcome(api_client, prover.headers(URL)) == "good"


def test_a_store_that_is_down_over_http(tenant, prover):
    auth0 = Auth0FastAPI(
        domain=tenant.domain,
        audience=AUDIENCE,
        custom_fetch=tenant.fetch,
        dpop_replay=BrokenStore(OSError("down")),
        public_origin="https://api.example.com",
    )
    with running(guarded_app(auth0)) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/private", headers=prover.headers(URL))
        bearer = httpx.get(f"http://127.0.0.1:{port}/private", headers=tenant.authorization())
    assert bearer.status_code == 200
    assert (answer.status_code, answer.json()["detail"]["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "www-authenticate" not in answer.headers


@contextlib.contextmanager
def workers(tenant, redis_port):
    """Two uvicorn processes that share a Redis; gives their ports."""
    given = {
        "domain": tenant.domain,
        "audience": AUDIENCE,
        "documents": tenant.documents(),
        "redis_port": redis_port,
    }
    environment = {**os.environ, "WORKER": json.dumps(given)}
    with contextlib.ExitStack() as stack:
        ports = []
        for port in (free_port(), free_port()):
            ports.append(port)
            command = [sys.executable, "-m", "uvicorn", "worker:app", "--app-dir", str(APPS), "--port", str(port)]
            stack.enter_context(process([*command, "--log-level", "warning"], port, env=environment))
        yield ports


async def test_two_workers_with_the_same_proof_at_once(tenant, prover, redis_server):
    token = prover.token()
    proofs = [prover.headers(URL, token=token) for _ in range(PROOFS)]
    with workers(tenant, redis_server[0]) as ports:
        async with httpx.AsyncClient(timeout=30) as client:
            for port in ports:
                answer = await client.get(f"http://127.0.0.1:{port}/private", headers=prover.headers(URL))
                assert answer.status_code == 200, answer.text
        answers = await asyncio.wait_for(_send_to_both(ports, proofs), 60)
    assert len(answers) == PROOFS
    assert set(answers) == {(200, 400)}


async def _send_to_both(ports, proofs):
    """The same requests to both ports at once, over and over; gives the sorted statuses of each."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for port in ports]

    async def status(reader, writer, request):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        return int(head.split(b" ", 2)[1])

    answers = []
    for headers in proofs:
        lines = ["GET /private HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        request = "\r\n".join(lines).encode()
        answers.append(tuple(sorted(await asyncio.gather(*(status(*pair, request) for pair in connections)))))
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()
    return answers


def test_nothing_imports_redis_unless_it_is_used():
    code = "import sys, bearward, fastapi_plugin; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603
