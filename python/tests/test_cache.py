import os
import signal
import threading
import time

import pytest

from bearward import CacheAdapter, InMemoryCache, cache


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

    monkeypatch.setattr(cache.time, "monotonic", lambda: Clock.now)
    return Clock


def test_keeps_and_forgets():
    kept = InMemoryCache()
    assert isinstance(kept, CacheAdapter)
    kept.set("a", {"x": 1})
    assert kept.get("a") == {"x": 1}
    assert kept.get("b") is None
    kept.delete("a")
    kept.delete("a")
    assert kept.get("a") is None
    kept.set("a", 1)
    kept.clear()
    assert kept.get("a") is None


def test_time_to_live(clock):
    kept = InMemoryCache()
    kept.set("short", 1, ttl_seconds=10)
    kept.set("none", 1, ttl_seconds=0)
    kept.set("for ever", 1)
    assert kept.get("none") is None
    clock.now += 9.9
    assert kept.get("short") == 1
    clock.now += 0.1
    assert kept.get("short") is None
    clock.now += 1e9
    assert kept.get("for ever") == 1


def test_the_least_recently_used_goes_first():
    kept = InMemoryCache(max_entries=2)
    kept.set("a", 1)
    kept.set("b", 2)
    kept.get("a")
    kept.set("c", 3)
    assert [kept.get(key) for key in "abc"] == [1, None, 3]
    kept.set("a", 4)
    kept.set("d", 5)
    assert [kept.get(key) for key in "acd"] == [4, None, 5]


@pytest.mark.parametrize("entries", [0, -1, "2", 1.5, None])
def test_an_impossible_size_is_refused(entries):
    with pytest.raises(ValueError, match="max_entries"):
        InMemoryCache(max_entries=entries)


def test_many_threads():
    kept = InMemoryCache(max_entries=8)

    def work(seed):
        for n in range(2000):
            key = str((n * seed) % 16)
            kept.set(key, n, ttl_seconds=n % 3)
            kept.get(key)
            kept.delete(str(n % 16))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 5, 7)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(kept._entries) <= 8


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_child_does_not_wait_for_a_thread_of_its_parent():
    kept = InMemoryCache()
    kept.set("a", 1)
    with kept._lock:
        child = os.fork()
        if child == 0:
            # A lock that nobody will ever release would hang here.
            os._exit(0 if kept.get("a") == 1 else 1)
    deadline = time.monotonic() + 5
    done = 0
    while not done:
        done, status = os.waitpid(child, os.WNOHANG)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    assert status == 0


@pytest.mark.parametrize("ttl", [1, 5.5, 0])
def test_expired_entries_go_although_nobody_asks_for_them(monkeypatch, ttl):
    now = [100.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: now[0])
    kept = InMemoryCache(1000)
    for number in range(500):
        kept.set(f"short-{number}", "x", ttl)
    kept.set("long", "x", 1000)
    kept.set("for ever", "x")
    now[0] += 10
    kept.set("next", "x", 1000)
    assert list(kept._entries) == ["long", "for ever", "next"]
