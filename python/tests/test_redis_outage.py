"""`RedisReplayStore` on bad days of real servers: hanging, restarted, full, failed over."""

import asyncio
import contextlib
import logging
import os
import subprocess
import time
from types import SimpleNamespace

import pytest
import redis
import redis.asyncio

from bearward import RedisReplayStore
from bearward._driver.bounded_store import BoundedStore
from redis_servers import PROOFS, ask, cluster, masters, sentinels, server, stopped
from support import HttpsIssuer, free_port

takes_long = pytest.mark.skipif(PROOFS < 1000, reason="takes 20 s or more: CI sets BEARWARD_REDIS_PROOFS=2000")


def new_key():
    return os.urandom(32)


def proof(key=None, usable_since=None):
    since = time.time() - 35 if usable_since is None else usable_since
    return SimpleNamespace(key=key or new_key(), ttl_seconds=335.0, usable_since=since)


def said(caplog, level=logging.WARNING):
    return [record.getMessage() for record in caplog.records if record.name == "bearward" and record.levelno >= level]


@pytest.fixture
async def opened():
    """Makes stores with `RedisReplayStore.from_...`, and closes them in the end."""
    stores = []

    def opens(how, *arguments, **named):
        stores.append(getattr(RedisReplayStore, how)(*arguments, **named))
        return stores[-1]

    yield opens
    for store in stores:
        await store.aclose()


# What a client gets


async def test_a_thousand_at_once_over_a_client_of_the_stores_own(opened, redis_server):
    store = opened("from_url", f"redis://127.0.0.1:{redis_server[0]}", prefix=f"a{os.getpid()}:")
    answers = await asyncio.gather(*(store.remember(new_key(), 10) for _ in range(1000)))
    assert answers == [True] * 1000
    assert store._watch._connections.made <= 32
    names = [line.split("name=")[1].split(" ")[0] for line in ask(redis_server[0], "CLIENT", "LIST").splitlines()]
    assert "bearward" in names


async def test_a_user_who_may_only_set_and_get(opened, tmp_path, caplog):
    caplog.set_level(logging.INFO, "bearward")
    with server(tmp_path / "a") as (port, _):
        ask(port, "ACL", "SETUSER", "api", "on", ">secret", "+set", "+get", "~bearward:*")
        store = opened("from_url", f"redis://api:secret@127.0.0.1:{port}")
        key = new_key()
        assert [await store.remember(key, 10) for _ in range(2)] == [True, False]
        assert any("gives no INFO" in line for line in said(caplog, logging.INFO))


@pytest.mark.parametrize("trouble", ["wrong_password", "unknown_host", "tls_to_a_plain_port", "nothing_there"])
async def test_the_cause_is_logged(opened, tmp_path, caplog, trouble):
    with server(tmp_path / "a", "--requirepass", "right") as (port, _):
        url, words = {
            "wrong_password": (f"redis://:wrong@127.0.0.1:{port}", ("WRONGPASS", "invalid username-password")),
            "unknown_host": (f"redis://host.invalid:{port}", ("Name or service", "name resolution", "host.invalid")),
            "tls_to_a_plain_port": (f"rediss://:right@127.0.0.1:{port}", ("SSL", "Connection", "Timeout")),
            "nothing_there": (f"redis://127.0.0.1:{free_port()}", ("Connect call failed", "refused")),
        }[trouble]
        store = opened("from_url", url)
        bounded = BoundedStore(store, 1.0, "refuse")
        assert await bounded.is_new(proof()) is None
        assert any(word in said(caplog)[0] for word in words), said(caplog)
        assert "no answer within" not in said(caplog)[0]


async def test_tls_that_hangs_costs_no_new_context(opened, tmp_path, report, monkeypatch):
    """300 questions a second, and nobody stops the event loop."""
    import ssl

    HttpsIssuer(tmp_path).close()
    made = []
    create = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda *args, **named: made.append(1) or create(*args, **named))
    files = ["--tls-cert-file", "server.pem", "--tls-key-file", "server.pem", "--tls-ca-cert-file", "ca.pem"]
    files = [str(tmp_path / word) if word.endswith(".pem") else word for word in files]
    with server(tmp_path / "a", *files, "--tls-auth-clients", "no", tls=True) as (port, started):
        store = opened("from_url", f"rediss://localhost:{port}", ssl_ca_certs=str(tmp_path / "ca.pem"))
        bounded = BoundedStore(store, 1.0, "refuse")
        assert await bounded.is_new(proof()) is True
        stalls, ending = [], asyncio.Event()

        async def heartbeat():
            while not ending.is_set():
                begin = time.monotonic()
                await asyncio.sleep(0.01)
                stalls.append(time.monotonic() - begin - 0.01)

        beating = asyncio.ensure_future(heartbeat())
        asked = []
        with stopped(started):
            for _ in range(400):
                asked.append(asyncio.ensure_future(bounded.is_new(proof())))
                await asyncio.sleep(0.005)
        answers = await asyncio.gather(*asked)
        ending.set()
        await beating
        assert answers.count(None) > 300
        for _ in range(100):
            if await bounded.is_new(proof()):
                break
            await asyncio.sleep(0.05)
        assert await bounded.is_new(proof()) is True
        report(f"TLS, hangs 2 s at 200/s: event loop stalled {max(stalls):.3f} s at most, {len(made)} contexts\n")
        # redis-py may make one of its own version, too.
        assert len(made) <= 2


# What a store has forgotten


async def test_a_restart_without_persistence_is_noticed(opened, tmp_path, caplog):
    with server(tmp_path / "a") as (port, _):
        store = opened("from_url", f"redis://127.0.0.1:{port}")
        strict = BoundedStore(store, 1.0, "refuse", "refuse")
        lax = BoundedStore(store, 1.0, "refuse", "allow")
        # Not the first seconds of this store.
        before = [proof(usable_since=time.time() + 1) for _ in range(20)]
        assert [await strict.is_new(each) for each in before] == [True] * 20
    with server(tmp_path / "b", port=port):
        old = time.time() - 1
        for each in before:
            each.usable_since = old
        assert [await strict.is_new(each) for each in before[:10]] == [None] * 10, "none is good again"
        assert [await lax.is_new(each) for each in before[10:]] == [True] * 10
        assert sum("may have forgotten" in line for line in said(caplog)) >= 1
        assert await strict.is_new(proof(usable_since=time.time() + 1)) is True
        assert lax.status()["forgotten"] == 10


async def test_an_emptied_server_is_noticed_by_a_client_of_ones_own(redis_server, caplog, monkeypatch):
    async with redis.asyncio.Redis(port=redis_server[0]) as client:
        await client.flushall()
        store = RedisReplayStore(client)
        assert await store.remember(new_key(), 10)
        since = store.remembers_since
        assert 0 <= time.time() - since < 5
        await client.flushall()
        monkeypatch.setattr("bearward._driver.redis_watch._MARKER_SECONDS", 0)
        store._watch._next_marker = 0
        await asyncio.sleep(0.01)
        await store.remember(new_key(), 10)
        await store._watch._looking
        assert store.remembers_since > since
        (line,) = said(caplog)
        assert "it was emptied, or restarted without its data" in line


def fill(port):
    """More than the memory that the server may use."""
    script = "for i = 1, 8000 do redis.call('SET', 'x' .. i, string.rep('v', 1000), 'PX', 300000) end"
    with contextlib.suppress(subprocess.CalledProcessError):
        ask(port, "EVAL", script, 0)


async def test_evicted_proofs_are_noticed(opened, tmp_path, caplog):
    with server(tmp_path / "a", "--maxmemory", "5mb", "--maxmemory-policy", "allkeys-lru") as (port, _):
        store = opened("from_url", f"redis://127.0.0.1:{port}")
        await store.remember(new_key(), 300)
        assert any("maxmemory-policy is allkeys-lru" in line for line in said(caplog))
        fill(port)
        store._watch._next_marker = store._watch._next_info = 0
        await store.remember(new_key(), 300)
        await store._watch._looking
        assert any("its memory is full" in line for line in said(caplog)), said(caplog)
        assert 0 <= time.time() - store.remembers_since < 30


async def test_a_full_server_that_forgets_nothing_fails(opened, tmp_path):
    with server(tmp_path / "a", "--maxmemory", "5mb", "--maxmemory-policy", "noeviction") as (port, _):
        store = opened("from_url", f"redis://127.0.0.1:{port}")
        keys = [new_key() for _ in range(50)]
        assert [await store.remember(key, 300) for key in keys] == [True] * 50
        fill(port)
        bounded = BoundedStore(store, 1.0, "refuse")
        answers = [await bounded.is_new(proof(key)) for key in [*keys, *(new_key() for _ in range(50))]]
        assert True not in answers
        assert None in answers


# Failover


async def accepted_and_refused(stores, seconds, report=None):
    """Send each proof by all stores at once, for some seconds; gives the answers of each proof."""
    outcomes = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        key = new_key()

        async def one(store, key=key):
            try:
                return await asyncio.wait_for(store.remember(key, 60), 1.0)
            except Exception:  # noqa: BLE001 - whatever an outage brings
                return None

        outcomes.append((time.monotonic(), await asyncio.gather(*(one(store) for store in stores))))
        if None in outcomes[-1][1]:
            await asyncio.sleep(0.02)
    return outcomes


async def warm(stores):
    """Until each store has found its servers."""
    for store in stores:
        for _ in range(100):
            with contextlib.suppress(Exception):
                await store.remember(new_key(), 60)
                break
            await asyncio.sleep(0.05)


def check_outcomes(outcomes):
    assert max(answers.count(True) for _, answers in outcomes) == 1, "accepted twice"
    # None accepted it, none failed: then an honest request was refused though its proof was new.
    refused = [answers for _, answers in outcomes if True not in answers and None not in answers]
    assert refused == []


def recovery(outcomes, begin):
    """How long after `begin` the first proof was accepted that came after a failure."""
    failed = [at for at, answers in outcomes if at > begin and None in answers]
    if not failed:
        return 0.0
    good = [at for at, answers in outcomes if at > max(failed) and True in answers]
    return (good[0] if good else float("inf")) - begin


@takes_long
@pytest.mark.parametrize("how", ["killed", "hangs"])
async def test_sentinel_failover_while_a_sentinel_hangs(opened, tmp_path, report, how):
    with sentinels(tmp_path) as (servers, watchers):
        first = next(iter(watchers))
        addresses = [("127.0.0.1", port) for port in watchers]
        stores = [opened("from_sentinel", addresses, "main") for _ in range(4)]
        await warm(stores)
        check_outcomes(await accepted_and_refused(stores, 0.5))
        (master,) = masters(servers)
        with stopped(watchers[first]):
            begin = time.monotonic()
            running = asyncio.ensure_future(accepted_and_refused(stores, 12))
            if how == "killed":
                servers[master].kill()
                outcomes = await running
            else:
                with stopped(servers[master]):
                    outcomes = await running
        check_outcomes(outcomes)
        took = recovery(outcomes, begin)
        report(f"sentinel, master {how}, one sentinel hangs: good again after {took:.1f} s ({len(outcomes)} proofs)\n")
        assert took < 10


# redis-py 5 drops connections to a server that is gone without closing them.
@takes_long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_cluster_whose_master_is_killed_and_whose_slots_move(opened, tmp_path, report):
    with cluster(tmp_path) as servers:
        port = next(iter(servers))
        stores = [opened("from_cluster", f"redis://127.0.0.1:{port}") for _ in range(4)]
        await warm(stores)
        check_outcomes(await accepted_and_refused(stores, 0.5))
        victim = masters(servers)[-1]
        begin = time.monotonic()
        running = asyncio.ensure_future(accepted_and_refused(stores, 10))
        await asyncio.sleep(0.2)
        servers[victim].kill()
        outcomes = await running
        check_outcomes(outcomes)
        took = recovery(outcomes, begin)
        report(f"cluster, a master killed: good again after {took:.1f} s ({len(outcomes)} proofs)\n")
        assert took < 9
        alive = masters(servers)
        target, source = (ask(alive[number], "CLUSTER", "MYID") for number in (0, 1))
        moving = await asyncio.create_subprocess_exec(
            "redis-cli",
            "--cluster",
            "reshard",
            f"127.0.0.1:{alive[0]}",
            "--cluster-from",
            source,
            "--cluster-to",
            target,
            "--cluster-slots",
            "1000",
            "--cluster-yes",
            stdout=asyncio.subprocess.DEVNULL,
        )
        outcomes = await accepted_and_refused(stores, 5)
        await moving.wait()
        check_outcomes(outcomes)
        failed = sum(None in answers for _, answers in outcomes)
        report(f"cluster, slots move: {failed} of {len(outcomes)} proofs with a failure\n")


# As above.
@takes_long
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_cluster_without_one_of_its_masters(opened, tmp_path, caplog, report):
    """Two of three proofs are still checked, and the log says it once."""
    if int(redis.__version__.split(".")[0]) < 8:
        pytest.skip("older versions of redis-py close the connections to all servers when one of them fails")
    with cluster(tmp_path, replicas=0) as servers:
        port = next(iter(servers))
        store = opened("from_cluster", f"redis://127.0.0.1:{port}")
        await warm([store])
        bounded = BoundedStore(store, 1.0, "refuse")
        servers[masters(servers)[-1]].kill()
        answers, end = [], time.monotonic() + 6
        while time.monotonic() < end:
            answers += await asyncio.gather(*(bounded.is_new(proof()) for _ in range(10)))
        lines = [line for line in said(caplog) if "replay store" in line]
        good = answers.count(True) / len(answers)
        report(f"cluster, one of three masters dead: {good:.0%} of {len(answers)} accepted, {len(lines)} log lines\n")
        assert good > 0.3
        assert len(lines) <= 2, lines


async def test_replicas_confirm_each_proof(opened, tmp_path):
    with server(tmp_path / "master") as (port, _):
        options = ["--replicaof", "127.0.0.1", str(port), "--repl-diskless-sync-delay", "0"]
        with server(tmp_path / "replica", *options) as (_, replica):
            store = opened("from_url", f"redis://127.0.0.1:{port}", replicas=1)
            bounded = BoundedStore(store, 1.0, "refuse")
            for _ in range(100):
                if await bounded.is_new(proof()):
                    break
                await asyncio.sleep(0.1)
            key = new_key()
            assert [await bounded.is_new(proof(key)) for _ in range(2)] == [True, False]
            with stopped(replica):
                assert await bounded.is_new(proof()) is None


def test_replicas_are_not_for_a_cluster():
    client = SimpleNamespace(nodes_manager=None)

    async def execute_command():
        """As a cluster's client has it."""

    client.execute_command = execute_command
    with pytest.raises(ValueError, match="not for a cluster"):
        RedisReplayStore(client, replicas=1)


# Exactly one


@contextlib.contextmanager
def four_stores(kind, opened, folder):
    """Four stores with a client each, on servers of this kind."""
    with contextlib.ExitStack() as stack:
        if kind == "sentinel":
            _, watchers = stack.enter_context(sentinels(folder))
            where = ("from_sentinel", [("127.0.0.1", port) for port in watchers], "main")
        elif kind == "cluster":
            servers = stack.enter_context(cluster(folder))
            where = ("from_cluster", f"redis://127.0.0.1:{next(iter(servers))}")
        else:
            port, _ = stack.enter_context(server(folder / "a", name=f"{kind}-server"))
            where = ("from_url", f"redis://127.0.0.1:{port}")
        yield [opened(*where) for _ in range(4)]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "kind",
    ["redis", "valkey", pytest.param("sentinel", marks=takes_long), pytest.param("cluster", marks=takes_long)],
)
async def test_exactly_one_acceptance(opened, tmp_path, kind, report):
    with four_stores(kind, opened, tmp_path) as stores:
        await warm(stores)
        await exactly_one(stores)
        report(f"{kind}: {PROOFS} proofs by four stores at once, each accepted once\n")


async def exactly_one(stores):
    for _ in range(PROOFS):
        key = new_key()
        answers = await asyncio.gather(*(store.remember(key, 60) for store in stores))
        assert sorted(answers) == [False] * 3 + [True]
