"""The scheduler: order, laziness, retries, journal hits, the cost ceiling, and how jobs end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import HANG, ScriptedServer, chat, dead_url, error, in_turn

from halubench.errors import BudgetError, EngineError, InputError, OutputError
from halubench.models import open_model, scheduler
from halubench.models.base import (
    CallFailure,
    Completion,
    EngineOptions,
    Prices,
    RefusedError,
    Request,
    RetryableError,
    Sampling,
)
from halubench.models.scheduler import (
    LOOKAHEAD,
    Limits,
    complete_all,
    read_payload,
    write_payload,
)
from halubench.run import Journal, request_key

FREE = Prices(0.0, 0.0)


class Echo:
    """An engine that answers each request with its prompt, after what ``act`` does."""

    uri = "echo:test"

    def __init__(self, act=None, prices=FREE):
        self.notes = []
        self.asked = []
        self.in_flight = self.most_in_flight = 0
        self._act = act
        self._prices = prices

    def prices(self):
        return self._prices

    def identity(self):
        return {"engine": "echo"}

    async def complete(self, request):
        prompt = request.messages[-1][1]
        self.asked.append(prompt)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)
            if self._act is not None:
                await self._act(prompt)
            return Completion(prompt, prompt_tokens=10, completion_tokens=10)
        finally:
            self.in_flight -= 1

    async def aclose(self):
        pass


DEFAULT = Limits()


def ask(text, **sampling):
    return Request((("user", text),), Sampling(**sampling))


def numbered(n):
    return [(i, ask(str(i))) for i in range(n)]


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(scheduler, "wait_before", lambda attempt, error: 0.0)


def run(model, requests, journal, limits=DEFAULT):
    async def main():
        return [pair async for pair in complete_all(model, requests, journal, limits)]

    return asyncio.run(main())


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 9))
def test_outcomes_come_in_input_order_whatever_finishes_first(tmp_path_factory, delays, window):
    async def act(prompt):
        for _ in range(delays[int(prompt)]):
            await asyncio.sleep(0)

    model, journal = Echo(act), Journal(tmp_path_factory.mktemp("run") / "journal.sqlite")
    got = run(model, numbered(len(delays)), journal, Limits(window=window))
    journal.close()
    assert [(key, answer.text) for key, answer in got] == [(i, str(i)) for i in range(len(delays))]
    assert sorted(model.asked, key=int) == [str(i) for i in range(len(delays))]
    assert model.most_in_flight <= window


def test_the_window_rolls_past_a_slow_request(journal):
    finished = asyncio.Event()

    async def act(prompt):
        if prompt == "0":
            await finished.wait()
        if prompt == "7":
            finished.set()

    model = Echo(act)
    assert len(run(model, numbered(20), journal, Limits(window=4))) == 20
    assert model.most_in_flight == 4


def test_requests_are_pulled_lazily_and_stopping_stops_paying(journal):
    pulled = []

    def endless():
        for i in count():
            pulled.append(i)
            yield i, ask(str(i))

    async def main(model):
        async with aclosing(complete_all(model, endless(), journal, Limits(window=4))) as outcomes:
            async for key, _ in outcomes:
                assert len(pulled) <= key + 1 + 4 * LOOKAHEAD
                if key == 10:
                    break

    model = Echo()
    asyncio.run(main(model))
    assert len(model.asked) <= 11 + 4 * LOOKAHEAD
    assert model.in_flight == 0


def test_a_second_run_asks_only_what_is_new(journal):
    run(Echo(), numbered(30), journal, Limits(window=8))
    model = Echo()
    got = run(model, numbered(35), journal, Limits(window=8))
    assert model.asked == ["30", "31", "32", "33", "34"]
    assert [answer.cached for _, answer in got] == [True] * 30 + [False] * 5
    assert [answer.text for _, answer in got] == [str(i) for i in range(35)]


def test_equal_requests_are_asked_once_and_samples_apart(journal):
    one, other = ask("a"), Request((("user", "a"),), sample=1)
    model = Echo()
    got = run(model, enumerate([one, one, other, one]), journal)
    assert model.asked == ["a", "a"]
    assert [answer.cached for _, answer in got] == [False, True, False, True]


def test_a_passing_fault_is_retried_and_counted(journal):
    left = {"3": 2}

    async def act(prompt):
        if left.get(prompt):
            left[prompt] -= 1
            raise RetryableError("HTTP 500")

    got = run(Echo(act), numbered(6), journal)
    assert [answer.attempts for _, answer in got] == [1, 1, 1, 3, 1, 1]


def test_a_lasting_fault_is_one_failure_that_a_later_run_asks_again(journal):
    async def act(prompt):
        if prompt == "1":
            raise RetryableError("HTTP 503")
        if prompt == "2":
            raise RefusedError("context overflow")

    model = Echo(act)
    got = dict(run(model, numbered(4), journal, Limits(retries=2)))
    assert got[1] == CallFailure("HTTP 503", 3)
    assert got[2] == CallFailure("context overflow", 1)
    assert model.asked.count("1") == 3
    again = Echo()
    run(again, numbered(4), journal)
    assert again.asked == ["1", "2"]


def test_an_engine_error_ends_the_job_at_once_and_keeps_the_answers(journal):
    never = asyncio.Event()

    async def act(prompt):
        if prompt == "0":
            await never.wait()
        if prompt == "5":
            raise EngineError("The key is refused.")

    model = Echo(act)
    with pytest.raises(EngineError, match="key is refused"):
        run(model, numbered(100), journal, Limits(window=8))
    assert len(model.asked) <= 8 * LOOKAHEAD
    assert model.in_flight == 0
    later = Echo()
    run(later, numbered(5), journal)
    assert later.asked == ["0"]


def test_a_bug_in_an_engine_is_not_swallowed(journal):
    async def act(prompt):
        if prompt == "2":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Echo(act), numbered(9), journal)


@pytest.mark.parametrize("rows", [3, 100])
def test_a_dead_endpoint_ends_the_job(journal, rows):
    model = open_model(f"openai:m@{dead_url()}", EngineOptions(timeout_s=5))
    with pytest.raises(EngineError, match="does not answer: connection failed"):
        run(model, numbered(rows), journal, Limits(window=8))


def test_an_endpoint_that_hangs_ends_the_job(journal):
    with ScriptedServer(in_turn(HANG)) as server:
        model = open_model(f"openai:m@{server.url}", EngineOptions(timeout_s=0.2))
        with pytest.raises(EngineError, match="no answer within"):
            run(model, numbered(3), journal)
    assert len(server.seen) == 9


def test_bursts_of_faults_lose_nothing(journal):
    def script(seen):
        faults = {0: error(429, retry_after="0"), 3: error(500), 4: error(500), 5: error(502)}
        return faults.get(seen.number) or chat(seen.prompt)

    with ScriptedServer(script) as server:
        model = open_model(f"openai:m@{server.url}", EngineOptions(timeout_s=20))
        got = run(model, numbered(50), journal, Limits(window=4))
    assert [answer.text for _, answer in got] == [str(i) for i in range(50)]
    assert len(server.seen) == 54
    assert server.most_in_flight <= 4


# One request of `ask` is at most 16 + 1..2 prompt tokens and 10 answer tokens; it costs 20 tokens.
PRICES = Prices(1e6, 1e6)


def test_the_cost_ceiling_is_never_passed_and_the_next_run_goes_on(journal):
    requests = [(i, ask(str(i), max_tokens=10)) for i in range(30)]
    limits = Limits(window=4, max_usd=200.0)
    paid = 0
    for _ in range(2):
        model = Echo(prices=PRICES)
        with pytest.raises(BudgetError, match="of 200 US dollars") as stop:
            run(model, requests, journal, limits)
        assert stop.value.exit_code == 75
        assert 100 < len(model.asked) * 20 <= 200
        paid += len(model.asked)
        assert len(journal) == paid
    model = Echo(prices=PRICES)
    assert len(run(model, requests, journal, Limits(window=4, max_usd=600.0))) == 30
    assert len(model.asked) == 30 - paid


def test_a_ceiling_needs_prices_and_is_free_of_charge_for_local_engines(journal):
    with pytest.raises(InputError, match="prices of echo:test"):
        run(Echo(prices=None), numbered(1), journal, Limits(max_usd=1.0))
    assert len(run(Echo(), numbered(9), journal, Limits(max_usd=0.0))) == 9


def test_a_journal_that_cannot_be_written_ends_the_job(journal, monkeypatch):
    def full(answers):
        raise OutputError("The disk is full.")

    monkeypatch.setattr(journal, "put_all", full)
    with pytest.raises(OutputError):
        run(Echo(), numbered(9), journal)


REQUEST = Request((("system", "s"), ("user", "u")), Sampling(seed=1), {"type": "object"}, 2, 0)
OTHERS = [
    Request((("system", "S"), ("user", "u")), Sampling(seed=1), {"type": "object"}, 2, 0),
    Request((("user", "s"), ("user", "u")), Sampling(seed=1), {"type": "object"}, 2, 0),
    Request(REQUEST.messages, Sampling(0.1, seed=1), {"type": "object"}, 2, 0),
    Request(REQUEST.messages, Sampling(top_p=0.9, seed=1), {"type": "object"}, 2, 0),
    Request(REQUEST.messages, Sampling(max_tokens=1, seed=1), {"type": "object"}, 2, 0),
    Request(REQUEST.messages, Sampling(seed=2), {"type": "object"}, 2, 0),
    Request(REQUEST.messages, Sampling(seed=1), {"type": "string"}, 2, 0),
    Request(REQUEST.messages, Sampling(seed=1), None, 2, 0),
    Request(REQUEST.messages, Sampling(seed=1), {"type": "object"}, 1, 0),
    Request(REQUEST.messages, Sampling(seed=1), {"type": "object"}, 2, 1),
]


def test_the_key_changes_with_every_part_of_the_request_and_the_engine():
    keys = [request_key({"model": "a"}, request) for request in [REQUEST, *OTHERS]]
    keys.append(request_key({"model": "b"}, REQUEST))
    assert len(set(keys)) == len(keys)
    schema = {"a": 1, "b": {"c": 2, "d": 3}}
    turned = {"b": {"d": 3, "c": 2}, "a": 1}
    assert request_key({}, Request((), schema=schema)) == request_key(
        {}, Request((), schema=turned)
    )


@given(st.text(), st.lists(st.tuples(st.text(), st.floats(-50, 0)), max_size=3))
def test_an_answer_survives_the_journal(text, logprobs):
    answer = Completion(text, "length", 3, 4, tuple(logprobs), 0.25, 1.5, 2, body=text)
    kept = read_payload(write_payload(answer))
    assert kept.cached
    assert (kept.text, kept.body, kept.first_logprobs) == (text, text, tuple(logprobs))
    assert (kept.cost_usd, kept.latency_s, kept.attempts) == (0.25, 1.5, 2)


@pytest.mark.parametrize("settings", [{"window": 0}, {"retries": -1}])
def test_limits_that_would_drop_rows_are_refused(settings):
    with pytest.raises(InputError, match="at least"):
        Limits(**settings)
