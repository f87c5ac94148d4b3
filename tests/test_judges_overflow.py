"""Passages longer than the context: found before anything is asked, cut or windowed, never lost."""

import asyncio
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import ScriptedServer, chat, error

from halubench.errors import InputError
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.judges.lengths import MARGIN, counter
from halubench.judges.modes import ModeOptions, Reading
from halubench.judges.overflow import (
    LEAST_ROOM,
    NO_ROOM,
    LengthOptions,
    any_supports,
    pieces,
    windows,
)
from halubench.judges.prompted import OVERFLOW
from halubench.models.base import EngineOptions, Ruler
from halubench.records import ENDPOINT, Row, Unscored

SHORT = Row("short", "Bees make honey.", "What do bees make?", "Honey.", "s")
LONG = Row("long", " ".join(f"w{i}" for i in range(3000)), "Which is last?", "w2999", "s")
ENDLESS = Row("endless", "Bees make honey.", "Why? " * 3000, "Honey.", "s")
VERDICTS = st.sampled_from(["PASS", "FAIL", Unscored("unread")])


def _said(verdict: str) -> str:
    return json.dumps({"REASONING": [verdict], "SCORE": verdict})


def _predict(url: str, folder, rows, *length, mode: str = "reason"):
    options = JudgeOptions(
        EngineOptions(timeout_s=10, window=4),
        folder,
        retries=0,
        mode=ModeOptions(mode, 3),
        length=LengthOptions(*length),
    )

    async def run():
        return [said async for said in open_judge(f"openai:any@{url}", options).predict(rows)]

    return asyncio.run(run())


def _by_words(text: str) -> "asyncio.Future[int]":
    async def count() -> int:
        return len(text.split())

    return count()


@given(st.text(alphabet="ab \n", max_size=400), st.integers(4, 60))
def test_windows_hold_all_of_the_text_in_order_and_overlap(text: str, size: int) -> None:
    found = windows(text, size)
    assert all(0 < len(each) <= size for each in found) or text == found[0]
    covered = 0
    start = -1
    for each in found:
        start = text.index(each, start + 1)
        assert start <= covered
        covered = max(covered, start + len(each))
    assert covered == len(text)


def test_windows_are_cut_at_white_space_and_no_more_than_needed() -> None:
    found = windows(LONG.passage, 1000)
    assert all(re.fullmatch(r"w\d+( w\d+)*", each.strip()) for each in found)
    assert len(found) <= len(LONG.passage) // 750 + 1


@given(st.integers(LEAST_ROOM, 200), st.sampled_from(["truncate", "window"]))
def test_a_piece_has_room(room: int, policy) -> None:
    found = asyncio.run(pieces(LONG.passage, room, _by_words, policy))
    assert all(len(each.split()) <= room for each in found)
    assert LONG.passage.startswith(found[0])
    assert (len(found) == 1) == (policy == "truncate")
    assert asyncio.run(pieces(LONG.passage, LEAST_ROOM - 1, _by_words, policy)) == []


@given(st.lists(st.tuples(VERDICTS, st.none() | st.floats(0, 1)), min_size=1))
def test_support_anywhere_is_support_and_only_what_was_read_is_fail(said) -> None:
    got = any_supports([Reading(verdict, p_fail) for verdict, p_fail in said])
    verdicts = [verdict for verdict, _ in said]
    if "PASS" in verdicts:
        assert got.verdict == "PASS"
    else:
        assert (got.verdict == "FAIL") == (set(verdicts) == {"FAIL"})
    deciding = [p for verdict, p in said if verdict == got.verdict and p is not None]
    if not isinstance(got.verdict, Unscored) and got.p_fail is not None:
        assert got.p_fail == min(deciding)


def test_rows_that_do_not_fit_stop_the_job_before_anything_is_asked(tmp_path) -> None:
    with ScriptedServer(lambda seen: chat(_said("PASS"))) as server:
        with pytest.raises(InputError, match=r"1 of 2 rows.*2000 tokens.*estimate.*'long'"):
            _predict(server.url, tmp_path, [SHORT, LONG], "error", 2000)
        assert server.seen == []


def test_windows_of_a_row_make_one_prediction_in_its_place(tmp_path) -> None:
    def script(seen):
        return chat(_said("PASS" if "w2999" in seen.prompt.split("--")[2] else "FAIL"))

    with ScriptedServer(script) as server:
        said = _predict(server.url, tmp_path, [SHORT, LONG, ENDLESS, SHORT], "window", 2000)
        asked = len({seen.prompt for seen in server.seen})
    assert [each.id for each in said] == ["short", "long", "endless", "short"]
    assert [each.overflow for each in said] == ["", "windowed", "windowed", ""]
    assert [each.verdict for each in said] == ["FAIL", "PASS", Unscored(NO_ROOM), "FAIL"]
    texts = json.loads(said[1].raw)
    assert len(texts) == asked - 1 > 5
    assert said[1].prompt_tokens == 10 * len(texts)


def test_the_start_of_a_passage_is_one_request_and_is_marked(tmp_path) -> None:
    with ScriptedServer(lambda seen: chat(_said("FAIL"))) as server:
        (said,) = _predict(server.url, tmp_path, [LONG], "truncate", 2000)
        (prompt,) = server.prompts()
    assert "w0 w1 " in prompt
    assert "w1500" not in prompt
    assert (said.verdict, said.overflow) == ("FAIL", "truncated")


def test_samples_of_windows_are_read_window_by_window(tmp_path) -> None:
    def script(seen):
        last = "w2999" in seen.prompt.split("--")[2]
        return chat(_said("PASS" if last and seen.body["seed"] else "FAIL"))

    with ScriptedServer(script) as server:
        (said,) = _predict(server.url, tmp_path, [LONG], "window", 2000, mode="vote")
    assert (said.verdict, said.p_fail) == ("PASS", pytest.approx(1 / 3))


def test_an_overflow_that_the_server_finds_is_final_and_says_what_to_do(tmp_path) -> None:
    with ScriptedServer(lambda seen: error(400, "maximum context length is 8")) as server:
        (said,) = _predict(server.url, tmp_path, [SHORT])
    assert said.verdict == Unscored(OVERFLOW)
    assert not OVERFLOW.startswith(ENDPOINT)


@pytest.mark.parametrize(
    "card", [{"max_model_len": 2000}, {"meta": {"n_ctx": 2000, "n_ctx_train": 8192}}]
)
def test_a_server_that_tells_its_context_is_asked_to_count(tmp_path, card) -> None:
    server = ScriptedServer(lambda seen: chat(_said("PASS")))
    server.models = {"data": [{"id": "other"}, {"id": "any", **card}]}
    server.tokenize = str.split
    with server:
        with pytest.raises(InputError, match=r"2000 tokens of openai:any@[^ ]*, the first"):
            _predict(server.url, tmp_path, [SHORT, LONG])
        said = _predict(server.url, tmp_path, [SHORT, LONG], "window")
        longest = max(len(prompt.split()) for prompt in server.prompts())
    assert [each.overflow for each in said] == ["", "windowed"]
    assert 1200 < longest <= 2000 - 600 - MARGIN


@pytest.mark.parametrize("models", [None, [], {"data": 3}, {"data": [{"id": "any"}]}])
def test_a_server_that_tells_nothing_is_left_to_refuse(tmp_path, models) -> None:
    server = ScriptedServer(lambda seen: chat(_said("PASS")))
    server.models = models
    with server:
        (said,) = _predict(server.url, tmp_path, [LONG])
    assert (said.verdict, said.overflow) == ("PASS", "")


def test_an_engine_that_cannot_count_one_text_is_helped_out() -> None:
    async def told(text: str) -> int | None:
        return None if "x" in text else 1

    count, exact = counter(Ruler(100, told), "")
    assert exact
    assert [asyncio.run(count(text)) for text in ("abc", "xxx")] == [1, 2]
