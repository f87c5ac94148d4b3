"""Every way in which an endpoint fails: recovered and counted, one row told, or one sentence.

Whatever happens, nothing is lost (a later run asks only what has no answer), the counts add up,
and nothing hangs.
"""

from __future__ import annotations

import asyncio

import pytest
from scripted_server import (
    DRIP,
    EMPTY,
    HANG,
    HTML,
    HUGE,
    RESET,
    TRUNCATED,
    ScriptedServer,
    chat,
    error,
    raw,
)

from halubench.errors import EngineError
from halubench.models import open_model, scheduler
from halubench.models.base import CallFailure, EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

ROWS, WINDOW = 12, 4
TIMEOUT_S = 0.5
NEVER_S = 60
"""No job here takes a tenth of it."""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(scheduler, "wait_before", lambda attempt, error: 0.01)


def run(server, folder):
    """The outcomes of all rows, by row."""
    journal = Journal(folder / "journal.sqlite")

    async def main():
        model = open_model(f"openai:m@{server.url}", EngineOptions(TIMEOUT_S))
        requests = [(i, Request((("user", f"row {i}"),))) for i in range(ROWS)]
        try:
            async with asyncio.timeout(NEVER_S):
                outcomes = complete_all(model, requests, journal, Limits(window=WINDOW))
                return dict([pair async for pair in outcomes])
        finally:
            await model.aclose()

    try:
        return asyncio.run(main())
    finally:
        journal.close()


def good(seen):
    return chat(f"to {seen.prompt}")


def healed(server, folder):
    """What is asked by a later run, the endpoint being sound; every row then has its own answer."""
    before, server.script = len(server.seen), good
    outcomes = run(server, folder)
    assert [outcomes[i].text for i in range(ROWS)] == [f"to row {i}" for i in range(ROWS)]
    return len(server.seen) - before


PASSING = {
    "429 storm with Retry-After": [error(429, retry_after="0.05")] * 9,
    "429 storm without": [error(429)] * 9,
    "5xx burst": [error(status) for status in (500, 502, 503, 504, 529)] * 2,
    "503 with Retry-After": [error(503, retry_after="0")] * 4,
    "silence": [HANG] * 2,
    "slow-loris body": [DRIP] * 2,
    "reset in the body": [RESET] * 5,
    "cut JSON": [TRUNCATED] * 5,
    "wrong content type": [HTML] * 5,
    "empty choices": [EMPTY] * 5,
    "empty body": [raw(b"")] * 5,
}


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_asked_again_and_counted(tmp_path, fault):
    faults = dict(enumerate(PASSING[fault], start=2))
    with ScriptedServer(lambda seen: faults.get(seen.number) or good(seen)) as server:
        outcomes = run(server, tmp_path)
        assert [outcomes[i].text for i in range(ROWS)] == [f"to row {i}" for i in range(ROWS)]
        assert sum(outcome.attempts for outcome in outcomes.values()) == len(server.seen)
        assert len(server.seen) == ROWS + len(faults)
        assert healed(server, tmp_path) == 0


HOPELESS = {
    "answer of 9 MB": (HUGE, "longer than 8 MB"),
    "context overflow": (error(400, "maximum context length is 8192"), "context overflow"),
    "refused content": (error(400, "against the content policy"), "content policy"),
    "lasting 500": (error(500), "HTTP 500"),
    "lasting empty choices": (EMPTY, "empty choices"),
}


@pytest.mark.parametrize("fault", HOPELESS)
def test_a_hopeless_row_is_told_and_the_others_are_answered(tmp_path, fault):
    reply, reason = HOPELESS[fault]
    hit = {"row 3", "row 7"}
    with ScriptedServer(lambda seen: reply if seen.prompt in hit else good(seen)) as server:
        outcomes = run(server, tmp_path)
        assert sum(outcome.attempts for outcome in outcomes.values()) == len(server.seen)
        assert healed(server, tmp_path) == 2
    failed = {i: outcome for i, outcome in outcomes.items() if isinstance(outcome, CallFailure)}
    assert sorted(failed) == [3, 7]
    assert all(reason in failure.reason for failure in failed.values())


ENDING = {
    "model not found": (error(404), "Model m is unknown"),
    "key expired on the way": (error(401), "refuses the key"),
    "no quota left": (error(429, code="insufficient_quota"), "no quota left"),
    "wrong address": (error(405), "answers HTTP 405"),
}


@pytest.mark.parametrize("fault", ENDING)
@pytest.mark.parametrize("before", [0, 5])
def test_a_fault_of_the_whole_job_is_one_sentence_and_keeps_what_was_answered(
    tmp_path, fault, before
):
    reply, told = ENDING[fault]
    with ScriptedServer(lambda seen: good(seen) if seen.number < before else reply) as server:
        with pytest.raises(EngineError, match=told) as caught:
            run(server, tmp_path)
        assert len(server.seen) <= before + WINDOW
        in_flight = WINDOW - 1
        assert 0 <= healed(server, tmp_path) - (ROWS - before) <= in_flight
    assert caught.value.remedy
