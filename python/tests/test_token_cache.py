"""Who is given what the client flows have remembered, and who shares a request."""

import asyncio
import time
from urllib.parse import parse_qsl

import httpx
import pytest

from bearward import ApiError
from exchanges import ACCESS_TOKEN, ExchangeTenant, on_behalf_of, profile, sent, vault
from support import in_new_loop


@pytest.fixture
def tenant():
    return ExchangeTenant()


def answers(httpx_mock, **more):
    """Each answer is another token."""
    granted = iter(range(1_000_000))
    httpx_mock.add_callback(
        lambda _: httpx.Response(200, json={"access_token": f"t{next(granted)}", "expires_in": 600, **more}),
        is_reusable=True,
        is_optional=True,
    )


async def test_200_calls_for_one_user_are_one_request(client_of, httpx_mock):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    given = await asyncio.gather(*(on_behalf_of(client) for _ in range(200)))
    assert {result["access_token"] for result in given} == {"t0"}
    assert len(httpx_mock.get_requests()) == 1
    given[0]["access_token"] = "changed"
    assert (await on_behalf_of(client))["access_token"] == "t0"
    assert len(httpx_mock.get_requests()) == 1


async def test_200_users_are_200_requests_and_each_gets_their_own(client_of, httpx_mock):
    def answer(request):
        subject = dict(parse_qsl(request.content.decode()))["subject_token"]
        return httpx.Response(200, json={"access_token": f"for {subject}"})

    httpx_mock.add_callback(answer, is_reusable=True)
    client = client_of(token_cache=True)
    users = [f"user-{n}" for n in range(200)]
    for _ in range(2):
        given = await asyncio.gather(*(on_behalf_of(client, user) for user in users))
        assert [result["access_token"] for result in given] == [f"for {user}" for user in users]
    assert len(httpx_mock.get_requests()) == 200


async def test_by_default_nothing_is_remembered(client_of, httpx_mock):
    answers(httpx_mock)
    client = client_of()
    given = await asyncio.gather(*(on_behalf_of(client) for _ in range(3)))
    assert len({result["access_token"] for result in given}) == 3


async def test_calls_that_differ_in_anything_share_nothing(client_of, httpx_mock):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    calls = [
        on_behalf_of(client),
        on_behalf_of(client, scope="read"),
        on_behalf_of(client, audience="https://another"),
        profile(client),
        profile(client, subject_token_type="urn:t2"),
        profile(client, audience="https://other"),
        profile(client, requested_token_type="urn:r"),
        profile(client, extra={"x": "1"}),
        profile(client, extra={"x": ["1", "1"]}),
        vault(client),
        vault(client, login_hint="me"),
        vault(client, connection="github"),
    ]
    given = await asyncio.gather(*calls)
    assert len({result["access_token"] for result in given}) == len(calls)


async def test_it_is_remembered_until_shortly_before_it_ends(client_of, httpx_mock, exchange_clock):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    exchange_clock.stopped_at = float(int(time.time()))
    first = await on_behalf_of(client)
    exchange_clock.stopped_at += 569
    later = await on_behalf_of(client)
    assert later == {**first, "expires_in": 31}
    exchange_clock.stopped_at += 1
    assert (await on_behalf_of(client))["access_token"] == "t1"


async def test_not_beyond_the_end_of_the_users_token(client_of, httpx_mock, exchange_clock, tenant):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    exchange_clock.stopped_at = float(int(time.time()))
    token = tenant.token(exp=int(exchange_clock.stopped_at) + 60)
    await on_behalf_of(client, token)
    exchange_clock.stopped_at += 59
    assert (await on_behalf_of(client, token))["access_token"] == "t0"
    exchange_clock.stopped_at += 1
    assert (await on_behalf_of(client, token))["access_token"] == "t1"


async def test_refresh_tokens_are_not_shared(client_of, httpx_mock):
    answers(httpx_mock, refresh_token="r")
    client = client_of(token_cache=True)
    given = await asyncio.gather(*(profile(client, scope="offline_access") for _ in range(3)))
    assert len({result["access_token"] for result in given}) == 3
    assert (await profile(client))["access_token"] == "t3"
    assert (await profile(client))["access_token"] == "t4"


async def test_nobody_shares_a_refresh_token_that_nobody_asked_for(client_of, httpx_mock):
    granted = iter(range(10))
    httpx_mock.add_callback(
        lambda _: httpx.Response(200, json={"access_token": "t", "refresh_token": f"r{next(granted)}"}),
        is_reusable=True,
    )
    client = client_of(token_cache=True)
    given = await asyncio.gather(*(profile(client) for _ in range(3)))
    assert sorted(result["refresh_token"] for result in given) == ["r0", "r1", "r2"]


async def test_on_behalf_of_is_not_given_what_a_profile_with_the_same_form_was(client_of, httpx_mock):
    answers(httpx_mock, id_token="i", refresh_token="r")
    client = client_of(token_cache=True)
    same = {"audience": "https://other", "requested_token_type": ACCESS_TOKEN}
    given = await asyncio.gather(
        profile(client, subject_token_type=ACCESS_TOKEN, **same),
        on_behalf_of(client),
    )
    first, second = sent(httpx_mock)
    assert first == second
    assert given[1].keys() == {"access_token", "expires_in", "expires_at"}


async def test_a_clock_that_is_set_back_does_not_prolong_a_token(client_of, httpx_mock, exchange_clock, clock):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    exchange_clock.ahead = clock.ahead = 1_000_000
    await on_behalf_of(client)
    exchange_clock.ahead = clock.ahead = 0
    assert (await on_behalf_of(client))["access_token"] == "t1"


async def test_failures_are_shared_and_not_remembered(client_of, httpx_mock):
    httpx_mock.add_response(status_code=403, json={"error": "denied"}, is_reusable=True)
    client = client_of(token_cache=True)
    failures = await asyncio.gather(*(on_behalf_of(client) for _ in range(3)), return_exceptions=True)
    assert [failure.code for failure in failures] == ["denied"] * 3
    assert len({id(failure) for failure in failures}) == 3, "each raises their own"
    assert len(httpx_mock.get_requests()) == 1
    with pytest.raises(ApiError):
        await on_behalf_of(client)
    assert len(httpx_mock.get_requests()) == 2


async def test_a_defect_reaches_everybody_who_waits(client_of, httpx_mock):
    httpx_mock.add_exception(ZeroDivisionError("a defect"))
    client = client_of(token_cache=True)
    failures = await asyncio.gather(*(on_behalf_of(client) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [ZeroDivisionError] * 3


async def test_a_caller_that_gives_up_takes_nobody_with_it(client_of, httpx_mock):
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_request):
        asked.set()
        await go_on.wait()
        return httpx.Response(200, json={"access_token": "t"})

    httpx_mock.add_callback(answer)
    client = client_of(token_cache=True)
    first = asyncio.ensure_future(on_behalf_of(client))
    second = asyncio.ensure_future(on_behalf_of(client))
    await asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go_on.set()
    assert (await second)["access_token"] == "t"


def test_event_loops_share_what_is_remembered(client_of, httpx_mock):
    answers(httpx_mock)
    client = client_of(token_cache=True)
    given = [in_new_loop(on_behalf_of(client)) for _ in range(2)]
    assert given[0]["access_token"] == given[1]["access_token"] == "t0"
