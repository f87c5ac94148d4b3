"""The Batch API: nothing is paid twice wherever the client stops, and what is left is sent anew."""

from __future__ import annotations

import asyncio
import json

import pytest
from batch_server import LATE, BatchServer
from scripted_server import dead_url

from halubench.errors import BudgetError, EngineError
from halubench.models import _desk, open_model
from halubench.models.base import CallFailure, EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

ROWS = 7


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(_desk, "FIRST_POLL_S", 0.01)
    monkeypatch.setattr(_desk, "POLL_S", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-canary-0123456789")


@pytest.fixture
def server():
    with BatchServer() as server:
        yield server


def run(url, folder, limits=None, rows=ROWS, engine=None, killer=None):
    """The outcomes by row. ``killer`` is given a function that stops the client where it is."""
    journal = Journal(folder / "journal.sqlite")
    engine = engine or EngineOptions(20)
    requests = [(i, Request((("user", f"row {i % 6}"),))) for i in range(rows)]

    async def main():
        model = open_model(f"batch:m@{url}", engine)
        if killer is not None:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            killer(lambda: loop.call_soon_threadsafe(task.cancel))
        return dict([p async for p in complete_all(model, requests, journal, limits or Limits())])

    try:
        return asyncio.run(main())
    finally:
        journal.close()


def texts(outcomes):
    return [outcomes[i].text for i in range(len(outcomes))]


EXPECTED = [f"to row {i % 6}" for i in range(ROWS)]


def test_a_batch_answers_in_input_order_and_equal_requests_once(server, tmp_path):
    told = []
    options = EngineOptions(20, price_in=1.0, price_out=2.0, tell=told.append)
    outcomes = run(server.url, tmp_path, engine=options)
    assert texts(outcomes) == EXPECTED
    assert [outcomes[i].cached for i in range(ROWS)] == [False] * 6 + [True]
    assert outcomes[0].cost_usd == pytest.approx(20e-6)
    line = json.loads(server.files["file-0"].splitlines()[0])
    assert (line["method"], line["url"]) == ("POST", "/v1/chat/completions")
    assert (line["body"]["model"], line["body"]["temperature"]) == ("m", 0.0)
    assert told[0] == "Batch batch_0 of 6 requests is sent."
    assert told[-1] == "Batch batch_0: completed, 6 of 6."
    assert texts(run(server.url, tmp_path)) == EXPECTED
    assert len(server.batches) == 1


def test_its_answers_serve_the_chat_engine_too(server, tmp_path):
    run(server.url, tmp_path)
    journal = Journal(tmp_path / "journal.sqlite")
    (identity,) = journal.identities().values()
    journal.close()
    chat = open_model(f"openai:m@{server.url}", EngineOptions())
    assert identity == chat.identity()


STEPS = 5
"""Upload, create, two looks, download."""


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(STEPS))
def test_stopped_at_any_step_nothing_is_paid_twice_and_nothing_lost(server, tmp_path, step, done):
    def killer(stop):
        server.step = lambda number, now_done: (number, now_done) == (step, done) and stop()

    with pytest.raises(asyncio.CancelledError):
        run(server.url, tmp_path, killer=killer)
    server.step = lambda number, done: None
    assert texts(run(server.url, tmp_path)) == EXPECTED
    assert sorted(server.paid.values()) == [1] * 6


def test_a_creation_whose_answer_is_lost_is_found_by_its_mark(server, tmp_path):
    def lost(number, done):
        if server.steps[number] == "POST /v1/batches" and done:
            raise ConnectionResetError

    server.step = lost
    assert texts(run(server.url, tmp_path)) == EXPECTED
    assert len(server.batches) == 1


@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_what_an_ended_batch_finished_is_kept_and_the_rest_is_sent_anew(server, tmp_path, end):
    server.ends = lambda batch: end if batch == 0 else "completed"
    usual = server.plan
    server.plan = lambda batch, line, body: (
        LATE if (batch, line % 2) == (0, 1) else usual(batch, line, body)
    )
    assert texts(run(server.url, tmp_path)) == EXPECTED
    assert sorted(server.paid.values()) == [1] * 6
    assert [len(server.files[one["input_file_id"]].splitlines()) for one in server.batches] == [
        6,
        3,
    ]


def test_failed_lines_are_sent_anew_or_told_as_their_fault_deserves(server, tmp_path):
    fates = {"row 1": 500, "row 2": 400, "row 3": 429}

    def plan(batch, line, body):
        prompt = body["messages"][-1]["content"]
        return fates[prompt] if prompt in fates and (batch == 0 or prompt == "row 3") else prompt

    server.plan = plan
    outcomes = run(server.url, tmp_path, Limits(retries=2))
    assert outcomes[1].text == "row 1"
    assert outcomes[2] == CallFailure("refused (HTTP 400): status 400", 1)
    assert outcomes[3] == CallFailure("HTTP 429", 3)
    assert len(server.batches) == 3
    fates.clear()
    assert [one.text for one in run(server.url, tmp_path).values()][1:4] == [
        "row 1",
        "row 2",
        "row 3",
    ]


def test_a_full_queue_is_waited_for(server, tmp_path):
    server.ends = lambda batch: "token_limit_exceeded" if batch < 2 else "completed"
    assert texts(run(server.url, tmp_path)) == EXPECTED
    assert len(server.batches) == 3


def test_a_batch_refused_as_a_whole_is_one_sentence_and_the_next_run_goes_on(server, tmp_path):
    server.ends = lambda batch: "invalid_model" if batch == 0 else "completed"
    with pytest.raises(EngineError, match="batch_0 was refused as a whole: it is invalid_model"):
        run(server.url, tmp_path)
    assert texts(run(server.url, tmp_path)) == EXPECTED


@pytest.mark.parametrize(("lines", "size"), [(2, 10**6), (10**6, 500)])
def test_a_file_is_never_larger_than_the_api_takes(server, tmp_path, monkeypatch, lines, size):
    monkeypatch.setattr(_desk, "MOST_LINES", lines)
    monkeypatch.setattr(_desk, "LARGEST_FILE", size)
    assert texts(run(server.url, tmp_path)) == EXPECTED
    sent = [server.files[one["input_file_id"]] for one in server.batches]
    assert len(sent) == 3
    assert all(len(one) <= size and len(one.splitlines()) <= lines for one in sent)


def test_the_ceiling_is_never_passed_and_the_next_run_goes_on(server, tmp_path):
    engine = EngineOptions(20, price_in=1e6, price_out=1e6)
    bound = 16 + len("row 0") + 600
    with pytest.raises(BudgetError):
        run(server.url, tmp_path, Limits(max_usd=3.5 * bound), engine=engine)
    assert len(server.paid) == 3
    assert texts(run(server.url, tmp_path, Limits(max_usd=4 * bound), engine=engine)) == EXPECTED
    assert sorted(server.paid.values()) == [1] * 6


def test_an_endpoint_that_cannot_be_asked_is_one_sentence_without_the_key(tmp_path):
    with pytest.raises(EngineError, match="connection failed") as caught:
        run(dead_url(), tmp_path, Limits(retries=0))
    assert "nothing is sent twice" in caught.value.remedy
    assert "canary" not in str(caught.value)
