"""The pace: buckets a minute, a window that halves and grows, pauses, and waits before a retry."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.models import _pace
from halubench.models._pace import BURST_S, Bucket, Pace, wait_before
from halubench.models.base import Completion, Quota, RetryableError, UnreachableError

ANSWER = Completion("PASS")
REAL_SLEEP = asyncio.sleep


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(_pace, "monotonic", lambda: self.now)
        monkeypatch.setattr(_pace.asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def sent(pace, tokens=(1,)):
    """When requests of so many tokens, one after the other, may be sent."""

    async def main():
        times = []
        for each in tokens:
            times.append(await pace.turn(each))
            pace.leave()
        return times

    return asyncio.run(main())


@given(
    st.floats(1, 1e5),
    st.lists(st.tuples(st.floats(0, 30), st.floats(0.1, 500)), min_size=1, max_size=60),
)
def test_a_bucket_never_lets_more_go_than_its_rate_and_one_burst(per_minute, steps):
    bucket, now, used = Bucket(per_minute), 1000.0, []
    for pause, units in steps:
        now += pause
        used.append((now + bucket.take(units, now), units))
    for first, (start, _) in enumerate(used):
        for last in range(first, len(used)):
            before = sum(units for _, units in used[first:last])
            span = used[last][0] - start
            assert before <= per_minute / 60 * (span + BURST_S) * (1 + 1e-9) + 1e-6


def test_a_bucket_without_a_bound_never_waits():
    assert [Bucket(None).take(1e9, 0.0) for _ in range(3)] == [0.0] * 3


def test_requests_a_minute_are_spread(clock):
    times = sent(Pace(8, 60, None), [1] * 5)
    assert [round(time - times[0]) for time in times] == [0, 0, 1, 2, 3]


def test_tokens_a_minute_are_spread_and_what_was_guessed_too_high_is_given_back(clock):
    pace = Pace(8, None, 6000)
    assert sent(pace, [600] * 3) == [1000.0, 1005.0, 1011.0]
    pace.answered(600, Completion("", prompt_tokens=90, completion_tokens=10))
    assert sent(pace) == [1012.0]


def test_limits_are_learnt_from_the_endpoint_unless_told(clock):
    quota = Completion("", quota=Quota(rpm=60.0, tpm=600.0))
    learnt, told = Pace(8, None, None), Pace(8, 6000, 60_000)
    for pace in (learnt, told):
        pace.answered(0, quota)
    assert sent(learnt, [1] * 12)[-1] - 1000 > 9
    start = clock.now
    assert sent(told, [1] * 12)[-1] - start < 1


def room(pace):
    """How many requests the pace lets be in flight at a time."""

    async def main():
        tasks = [asyncio.ensure_future(pace.turn(1)) for _ in range(50)]
        for _ in range(5):
            await REAL_SLEEP(0)
        gone = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in gone:
            pace.leave()
        return len(gone)

    return asyncio.run(main())


def test_the_window_halves_once_for_all_in_flight_and_grows_by_one_a_window(clock):
    pace = Pace(16, None, None)
    assert room(pace) == 16
    early = clock.now
    clock.now += 1
    pace.overrun(early, None)
    pace.overrun(early, None)
    assert room(pace) == 8
    for expected in (8, 9):
        assert room(pace) == expected
        for _ in range(9):
            pace.answered(0, ANSWER)
    for _ in range(1000):
        pace.answered(0, ANSWER)
    assert room(pace) == 16
    for _ in range(9):
        clock.now += 1
        pace.overrun(clock.now, None)
    assert room(pace) == 1


def test_who_waits_goes_as_soon_as_another_has_left(clock):
    async def main():
        pace = Pace(1, None, None)
        await pace.turn(1)
        second, third = (asyncio.ensure_future(pace.turn(1)) for _ in range(2))
        await REAL_SLEEP(0)
        second.cancel()
        await REAL_SLEEP(0)
        pace.leave()
        await third

    asyncio.run(main())


@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7.0), (3600.0, 60.0), (None, 0.0)])
def test_all_requests_wait_as_long_as_the_endpoint_says_up_to_a_minute(clock, asked, waited):
    pace = Pace(8, None, None)
    pace.overrun(clock.now, asked)
    assert sent(pace) == [1000.0 + waited]


@pytest.mark.parametrize(("asked", "least"), [(0.0, 0.0), (7.0, 7.0), (60.0, 60.0), (9999.0, 60.0)])
def test_the_wait_is_what_was_asked_for_up_to_a_minute(asked, least):
    assert least <= wait_before(1, RetryableError("x", asked)) <= least + 0.25


@pytest.mark.parametrize("attempt", [1, 2, 3, 6, 20])
@pytest.mark.parametrize("error", [RetryableError("x"), UnreachableError("x")], ids=repr)
def test_the_wait_doubles_otherwise_and_has_an_end(error, attempt):
    least = min(2.0 ** (attempt - 1), _pace.LONGEST_WAIT_S)
    assert least <= wait_before(attempt, error) <= min(least + 1, _pace.LONGEST_WAIT_S)
