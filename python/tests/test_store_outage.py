"""While a replay store fails, nobody waits for it again and again, and the log says once that it fails."""

import asyncio
import os
from types import SimpleNamespace

import pytest

from bearward._driver import bounded_store
from bearward._driver.bounded_store import BoundedStore
from bearward._driver.breaker import Breaker
from bearward._driver.own_memory import OwnMemory


class Monotonic:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def monotonic(monkeypatch):
    clock = Monotonic()
    monkeypatch.setattr(bounded_store, "time", SimpleNamespace(monotonic=clock))
    return clock


class Store:
    """Fails with `error`, or hangs, or answers."""

    def __init__(self):
        self.error = None
        self.hangs = False
        self.asked = []
        self.last_failure = None

    async def remember(self, key, ttl_seconds):
        self.asked.append(key)
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return key not in self.asked[:-1]


def proof(number=None):
    key = os.urandom(32) if number is None else bytes([number]) * 32
    return SimpleNamespace(key=key, ttl_seconds=330.0, usable_since=0)


def said(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "bearward"]


@pytest.mark.parametrize("on_error", ["refuse", "allow", "local"])
async def test_after_the_first_failures_answers_come_at_once(monotonic, on_error):
    store = Store()
    store.hangs = True
    bounded = BoundedStore(store, 0.02, on_error)
    answers = [await bounded.is_new(proof()) for _ in range(100)]
    assert answers == [None if on_error == "refuse" else True] * 100
    assert len(store.asked) == 3
    assert bounded.status()["breaker"] == "open"


async def test_one_probe_at_a_time_finds_out_when_it_is_over(monotonic, caplog):
    store = Store()
    store.error = OSError("down")
    bounded = BoundedStore(store, 1.0, "refuse")
    for _ in range(20):
        assert await bounded.is_new(proof()) is None
    for _ in range(5):
        # Between a quarter and half of a second later.
        monotonic.now += 0.5
        before = len(store.asked)
        assert await asyncio.gather(*(bounded.is_new(proof()) for _ in range(50))) == [None] * 50
        assert len(store.asked) == before + 1
    store.error = None
    monotonic.now += 0.5
    new = proof()
    assert await bounded.is_new(new) is True, "this request starts the probe, and need not be refused"
    assert new.key not in store.asked[:-1], "the probe uses up nobody's proof"
    assert await bounded.is_new(new) is False
    assert bounded.status()["breaker"] == "closed"
    assert len(said(caplog)) == 2
    assert said(caplog)[1] == "the DPoP replay store answers again"


async def test_a_probe_that_hangs_holds_up_nobody_for_long(monotonic):
    store = Store()
    store.error = OSError("down")
    bounded = BoundedStore(store, 60.0, "refuse")
    for _ in range(20):
        await bounded.is_new(proof())
    store.hangs = True
    monotonic.now += 0.5
    assert await asyncio.wait_for(bounded.is_new(proof()), 10) is None


async def test_a_store_that_answers_most_questions_is_not_given_up(monotonic, caplog):
    """One of three masters of a cluster is dead."""
    store = Store()
    bounded = BoundedStore(store, 1.0, "refuse")
    assert await bounded.is_new(proof())
    answers = []
    for number in range(600):
        monotonic.now += 0.01
        store.error = OSError("down") if number % 6 in (0, 1, 2, 3) else None
        answers.append(await bounded.is_new(proof()))
    assert answers.count(True) == 200
    assert len(said(caplog)) == 1
    store.error = None
    monotonic.now += 4.9
    assert await bounded.is_new(proof())
    assert len(said(caplog)) == 1, "it may fail again at once"
    monotonic.now += 0.2
    assert await bounded.is_new(proof())
    assert [line[:38] for line in said(caplog)] == [
        "the DPoP replay store fails, proofs ar",
        "the DPoP replay store answers again",
    ]


async def test_the_cause_is_logged_once_when_it_is_known(monotonic, caplog):
    store = Store()
    store.hangs = True
    bounded = BoundedStore(store, 0.01, "refuse")
    await bounded.is_new(proof())
    store.last_failure = "AuthenticationError: invalid username-password pair"
    for _ in range(5):
        monotonic.now += 0.5
        await bounded.is_new(proof())
    assert len(said(caplog)) == 2
    assert "no answer within 0.01 s" in said(caplog)[0]
    assert "invalid username-password pair" in said(caplog)[1]


async def test_local_memory_knows_what_this_process_has_seen(monotonic):
    store = Store()
    bounded = BoundedStore(store, 1.0, "local")
    assert [await bounded.is_new(proof(1)) for _ in range(2)] == [True, False]
    store.error = OSError("down")
    assert [await bounded.is_new(proof(number)) for number in (1, 2, 2, 3)] == [False, True, False, True]
    store.error = None
    monotonic.now += 1
    assert [await bounded.is_new(proof(number)) for number in (2, 3, 4, 1)] == [False, False, True, False]


def test_local_memory_is_bounded_and_forgets_nothing_early(monotonic):
    memory = OwnMemory(monotonic, most=3)
    keys = [bytes([number]) for number in range(4)]
    assert [memory.remember(key, 300) for key in keys[:3]] == [True] * 3
    with pytest.raises(MemoryError):
        memory.remember(keys[3], 300)
    monotonic.now += 299
    assert memory.remember(keys[0], 300) is False
    monotonic.now += 12
    assert memory.remember(keys[0], 300) is True
    assert memory.remember(keys[3], 300) is True


async def test_local_memory_that_is_full_refuses(monotonic, caplog):
    bounded = BoundedStore(Store(), 1.0, "local")
    bounded._own = OwnMemory(monotonic, most=1)
    assert [await bounded.is_new(proof(number)) for number in (1, 2)] == [True, None]
    assert "remembers 1 proofs already" in said(caplog)[0]


def test_probes_of_several_workers_are_spread():
    clock = Monotonic()
    breakers = [Breaker(clock) for _ in range(50)]
    for breaker in breakers:
        for _ in range(3):
            breaker.failed(slow=True)
    due = set()
    for _ in range(60):
        clock.now += 0.01
        due |= {round(clock.now, 2) for breaker in breakers if breaker.take_probe()}
    assert len(due) > 10
    assert 1000.24 < min(due) <= max(due) < 1000.52


async def test_counters():
    store = Store()
    bounded = BoundedStore(store, 1.0, "refuse")
    for number in (1, 1, 2):
        await bounded.is_new(proof(number))
    store.error = OSError()
    await bounded.is_new(proof())
    status = bounded.status()
    assert {name: status[name] for name in ("questions", "replays", "errors", "not_asked", "breaker")} == {
        "questions": 4,
        "replays": 1,
        "errors": 1,
        "not_asked": 0,
        "breaker": "closed",
    }
    assert status["mean_seconds"] >= 0
