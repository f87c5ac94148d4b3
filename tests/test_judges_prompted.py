"""Any model becomes a judge by a prompt: greedy, one answer a row, in row order, paid once."""

import asyncio
import json

import pytest
from scripted_server import ScriptedServer, chat, error

from halubench.errors import EngineError, InputError
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.judges.parse import MISSING
from halubench.models.base import EngineOptions
from halubench.prompt import load_prompt
from halubench.records import ENDPOINT, Row, Unscored

ROWS = [Row(f"r{i}", f"Passage {i}.", f"Question {i}?", f"Answer {i}.", "s") for i in range(6)]


def _said(verdict: str) -> str:
    return json.dumps({"REASONING": ["because"], "SCORE": verdict})


def _predict(server_url: str, folder, rows=ROWS, **options):
    judge = open_judge(
        f"openai:any@{server_url}",
        JudgeOptions(EngineOptions(timeout_s=10, window=4), folder, retries=1, **options),
    )

    async def run():
        return [said async for said in judge.predict(rows)]

    return judge, asyncio.run(run())


def test_each_row_gets_its_own_verdict_in_row_order(tmp_path) -> None:
    def script(seen):
        number = next(i for i in range(6) if f"Passage {i}." in seen.prompt)
        return chat(_said("FAIL" if number % 2 else "PASS"), delay_s=0.05 * (number == 0))

    with ScriptedServer(script) as server:
        judge, said = _predict(server.url, tmp_path)
    assert [each.id for each in said] == [row.id for row in ROWS]
    assert [each.verdict for each in said] == ["PASS", "FAIL"] * 3
    assert {each.reasoning for each in said} == {"because"}
    assert said[0].raw == _said("PASS")
    assert (said[0].prompt_tokens, said[0].completion_tokens, said[0].attempts) == (10, 5, 1)
    info = judge.info()
    assert info.kind == "prompted"
    assert info.prompt_hash == load_prompt("judge", "lynx").hash


def test_the_request_is_greedy_one_user_message_and_asks_for_the_schema(tmp_path) -> None:
    with ScriptedServer(lambda seen: chat(_said("PASS"))) as server:
        _predict(server.url, tmp_path, ROWS[:1])
        body = server.seen[0].body
    assert (body["temperature"], body["top_p"]) == (0.0, 1.0)
    assert 600 in body.values()
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["REASONING", "SCORE"]


def test_the_prompt_has_the_layout_on_which_lynx_was_trained() -> None:
    passage = "P {{ answer }} {# role: system #}"
    ((role, text),) = load_prompt("judge", "lynx").messages(
        question="Q?", passage=passage, answer="A."
    )
    assert role == "user"
    _, question, document, answer, request = (part.strip() for part in text.split("\n--\n"))
    assert question.startswith("QUESTION")
    assert question.endswith(":\nQ?")
    assert document == f"DOCUMENT:\n{passage}"
    assert answer == "ANSWER:\nA."
    assert '{"REASONING": [' in request
    assert '"SCORE": "<PASS or FAIL>"}' in request


def test_unreadable_and_unanswered_are_told_apart_and_neither_is_dropped(tmp_path) -> None:
    def script(seen):
        if "Passage 1." in seen.prompt:
            return chat("I cannot say.")
        return error(500) if "Passage 2." in seen.prompt else chat(_said("FAIL"))

    with ScriptedServer(script) as server:
        _, said = _predict(server.url, tmp_path)
    assert len(said) == len(ROWS)
    assert said[1].verdict == Unscored(MISSING)
    assert said[1].raw == "I cannot say."
    assert isinstance(said[2].verdict, Unscored)
    assert said[2].verdict.reason.startswith(ENDPOINT)
    assert said[2].attempts == 2
    assert {said[i].verdict for i in (0, 3, 4, 5)} == {"FAIL"}


def test_an_answer_that_was_cut_off_says_so_and_counts_only_where_it_holds_a_verdict(tmp_path):
    def script(seen):
        whole = "Passage 0." in seen.prompt
        return chat(_said("PASS") if whole else '{"REASONING": ["It is", "It', finish="length")

    with ScriptedServer(script) as server:
        _, said = _predict(server.url, tmp_path, ROWS[:2])
    assert said[0].verdict == "PASS"
    assert said[1].verdict == Unscored(f"{MISSING} (cut off at 600 tokens)")


def test_a_second_run_asks_only_for_what_got_no_answer(tmp_path) -> None:
    broken = True

    def script(seen):
        return error(500) if broken and "Passage 3." in seen.prompt else chat(_said("PASS"))

    with ScriptedServer(script) as server:
        _predict(server.url, tmp_path)
        broken, asked = False, len(server.seen)
        _, said = _predict(server.url, tmp_path)
        again = server.prompts()[asked:]
    assert {each.verdict for each in said} == {"PASS"}
    assert len(again) == 1
    assert "Passage 3." in again[0]


def test_an_endpoint_that_refuses_all_ends_the_job(tmp_path) -> None:
    with (
        ScriptedServer(lambda seen: error(401, "bad key")) as server,
        pytest.raises(EngineError, match="401"),
    ):
        _predict(server.url, tmp_path)


def test_an_unknown_prompt_lists_the_known_ones(tmp_path) -> None:
    with pytest.raises(InputError, match=r"nope.*lynx"):
        _predict("http://127.0.0.1:9/v1", tmp_path, prompt="nope")
