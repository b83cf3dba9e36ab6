"""`RedisReplayStore` over real servers: exactly one acceptance, and what happens on bad days."""

import asyncio
import os

import pytest
import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bearward import RedisReplayStore
from redis_servers import PROOFS, LossyLine


def new_key():
    return os.urandom(32)


async def until(condition):
    for _ in range(200_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it didn't happen")


async def test_more_requests_at_once_than_the_client_has_connections(redis_server):
    async with redis.asyncio.Redis(port=redis_server[0], max_connections=4) as client:
        store = RedisReplayStore(client)
        answers = await asyncio.gather(*(store.remember(new_key(), 10) for _ in range(1000)))
        assert answers == [True] * 1000


async def test_a_bounded_number_of_connections(redis_server):
    async with redis.asyncio.Redis(port=redis_server[0]) as client:
        store = RedisReplayStore(client)
        await asyncio.gather(*(store.remember(new_key(), 10) for _ in range(300)))
        assert len(await client.client_list()) <= 40


async def test_a_lost_answer_is_no_replay(redis_server):
    """The client repeats the command, and finds what its own first attempt has written."""
    async with LossyLine(redis_server[0], every=5) as line:
        repeating = {"retry": Retry(NoBackoff(), 3), "retry_on_error": [redis.ConnectionError]}
        async with redis.asyncio.Redis(port=line.port, **repeating) as client:
            store = RedisReplayStore(client)
            keys = [new_key() for _ in range(PROOFS)]
            assert [await store.remember(key, 10) for key in keys] == [True] * PROOFS
            assert [await store.remember(key, 10) for key in keys] == [False] * PROOFS
    assert line.lost >= PROOFS / 5


async def test_a_redis_without_set_nx_get(redis_server):
    """Redis 6.2 refuses the two together."""

    class OldRedis(redis.asyncio.Redis):
        async def execute_command(self, *words, **options):
            if "NX" in words and "GET" in words:
                raise redis.ResponseError("syntax error")
            return await super().execute_command(*words, **options)

    async with LossyLine(redis_server[0], every=5) as line:
        repeating = {"retry": Retry(NoBackoff(), 3), "retry_on_error": [redis.ConnectionError]}
        async with OldRedis(port=line.port, **repeating) as client:
            store = RedisReplayStore(client)
            keys = [new_key() for _ in range(50)]
            assert [await store.remember(key, 10) for key in keys] == [True] * 50
            assert [await store.remember(key, 10) for key in keys] == [False] * 50
            same = await asyncio.gather(*(store.remember(b"same" * 8, 10) for _ in range(50)))
            assert sorted(same) == [False] * 49 + [True]
    assert line.lost >= 10


async def test_two_steps_on_one_key_of_another(redis_server):
    """A worker with the old way and one with the new way understand each other."""
    async with redis.asyncio.Redis(port=redis_server[0]) as client:
        old, new = RedisReplayStore(client), RedisReplayStore(client)
        old._values._in_one_step = False
        first, second = new_key(), new_key()
        assert [await store.remember(first, 10) for store in (old, new)] == [True, False]
        assert [await store.remember(second, 10) for store in (new, old)] == [True, False]


async def test_what_is_not_an_async_client_is_refused():
    client = redis.asyncio.Redis()
    for wrong in (client.pipeline(), redis.Redis(), redis.Redis().pipeline(), object(), None, redis.asyncio.Redis):
        with pytest.raises(TypeError, match=r"needs a redis\.asyncio"):
            RedisReplayStore(wrong)


@pytest.mark.parametrize("answer", [False, True, 0, 1, [], object()])
async def test_an_answer_that_redis_does_not_give(answer):
    """Whatever a client of one's own says instead of a value or nothing: it isn't "new"."""

    class Client:
        async def execute_command(self, *words):
            raise AssertionError

        async def set(self, name, value, **options):
            return answer

    with pytest.raises(TypeError):
        await RedisReplayStore(Client()).remember(new_key(), 10)


async def test_a_question_goes_on_when_its_caller_gives_up(redis_server):
    """Its connection is used again, instead of being dropped."""
    async with redis.asyncio.Redis(port=redis_server[0]) as client:
        store = RedisReplayStore(client)
        await store.remember(new_key(), 10)
        own = str(await client.client_id())
        # Of tests before this one, whose event loops have ended.
        others = {entry["id"] for entry in await client.client_list()} - {own}
        for _ in range(20):
            asking = asyncio.ensure_future(store.remember(new_key(), 10))
            await until(lambda: store._questions.running)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            await until(lambda: not store._questions.running)
        assert {entry["id"] for entry in await client.client_list()} - others == {own}
