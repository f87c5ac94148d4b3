"""Three ways to ask a model: what is sent, and what verdict and P(FAIL) come of the answers."""

import asyncio
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import ScriptedServer, chat, error

from halubench.errors import InputError
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.judges.modes import NO_WORD, SCHEMA, ModeOptions, open_mode
from halubench.models.base import Completion, EngineOptions
from halubench.records import ENDPOINT, Row, Unscored

ROW = Row("r", "A passage.", "A question?", "An answer.", "s")
TOKENS = st.sampled_from(
    ["P", "PASS", " pass", '"Pass', "F", "FA", "FAIL", "ĠFail", "The", '"', "\n"]
)
SCORES = st.sampled_from(["PASS", "FAIL", "maybe"])


def _said(score: str) -> str:
    return json.dumps({"REASONING": [f"so {score}"], "SCORE": score})


def _judge(server_url: str, folder, mode: ModeOptions, **options):
    engine = EngineOptions(timeout_s=10, window=4)
    return open_judge(
        f"openai:any@{server_url}", JudgeOptions(engine, folder, mode=mode, **options)
    )


def _predict(judge, rows=(ROW,)):
    async def run():
        return [said async for said in judge.predict(rows)]

    return asyncio.run(run())


def _direct(logprobs: dict[str, float], text: str = "") -> tuple:
    completion = Completion(text, first_logprobs=tuple(logprobs.items()))
    reading = open_mode(ModeOptions("direct")).read([completion])
    return reading.verdict, reading.p_fail, reading.mass


def test_direct_asks_for_one_word_with_probabilities_and_no_schema(tmp_path) -> None:
    logprobs = {"PASS": math.log(0.3), "FAIL": math.log(0.6)}
    with ScriptedServer(lambda seen: chat("FAIL", top_logprobs=logprobs)) as server:
        judge = _judge(server.url, tmp_path, ModeOptions("direct"))
        (said,) = _predict(judge)
        body = server.seen[0].body
    assert (body["temperature"], body["top_logprobs"]) == (0.0, 20)
    assert 4 in body.values()
    assert "response_format" not in body
    assert "one word" in body["messages"][-1]["content"]
    assert (said.verdict, said.raw) == ("FAIL", "FAIL")
    assert said.p_fail == pytest.approx(2 / 3)
    assert said.mass == pytest.approx(0.9)
    assert judge.info().name.endswith("(direct)")
    assert judge.warnings() == []


def test_words_that_the_model_would_not_have_said_are_warned_of(tmp_path) -> None:
    logprobs = {"The": math.log(0.9), "PASS": math.log(0.05)}
    with ScriptedServer(lambda seen: chat("The", top_logprobs=logprobs)) as server:
        judge = _judge(server.url, tmp_path, ModeOptions("direct"))
        (said,) = _predict(judge)
    assert (said.verdict, said.p_fail) == ("PASS", 0.0)
    assert "median of 0.05" in judge.warnings()[0]


@given(st.dictionaries(TOKENS, st.floats(-20, -3), min_size=1))
def test_p_fail_is_the_share_of_what_falls_on_the_two_words(logprobs: dict[str, float]) -> None:
    def mass(letter: str) -> float:
        begins = (token for token in logprobs if token.upper().strip(' "Ġ').startswith(letter))
        return sum(math.exp(logprobs[token]) for token in begins)

    verdict, p_fail, held = _direct(logprobs)
    whole = mass("P") + mass("F")
    assert held == pytest.approx(whole)
    if not whole:
        assert (verdict, p_fail) == (Unscored(NO_WORD), None)
    else:
        assert p_fail == pytest.approx(mass("F") / whole)
        assert verdict == ("FAIL" if p_fail > 0.5 else "PASS")


@pytest.mark.parametrize(
    "token", ["PASSED", "Failure", "Possibly", "not", "1", '{"', "FAILPASS", ""]
)
def test_another_word_counts_for_neither(token: str) -> None:
    assert _direct({token: -0.1}) == (Unscored(NO_WORD), None, 0.0)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("PASS", "PASS"), ("**Fail**", "FAIL"), ("SCORE: FAIL", "FAIL"), ("Passed", None), ("", None)],
)
def test_without_probabilities_the_word_itself_is_read(text: str, verdict: str | None) -> None:
    got, p_fail, mass = _direct({}, text)
    assert (p_fail, mass) == (None, None)
    assert got == verdict if verdict else isinstance(got, Unscored)


def test_a_vote_asks_for_samples_that_differ_in_their_seed(tmp_path) -> None:
    with ScriptedServer(lambda seen: chat(_said("FAIL" if seen.number else "PASS"))) as server:
        judge = _judge(server.url, tmp_path, ModeOptions("vote", 3, 0.9))
        (said,) = _predict(judge)
        bodies = [seen.body for seen in server.seen]
        assert (_predict(judge)[0].verdict, len(server.seen)) == ("FAIL", 3)
    assert {body["seed"] for body in bodies} == {0, 1, 2}
    assert {body["temperature"] for body in bodies} == {0.9}
    assert said.p_fail == pytest.approx(2 / 3)
    assert (said.verdict, said.reasoning) == ("FAIL", "so FAIL")
    assert len(json.loads(said.raw)) == 3
    assert (said.prompt_tokens, said.completion_tokens, said.attempts) == (30, 15, 3)


@given(st.lists(SCORES, min_size=1, max_size=7))
def test_a_vote_is_the_share_of_fail_among_what_could_be_read(scores: list[str]) -> None:
    mode = open_mode(ModeOptions("vote", len(scores)))
    reading = mode.read([Completion(_said(score)) for score in scores])
    fails, passes = scores.count("FAIL"), scores.count("PASS")
    if not fails + passes:
        assert isinstance(reading.verdict, Unscored)
        assert reading.p_fail is None
    else:
        assert reading.p_fail == pytest.approx(fails / (fails + passes))
        assert reading.verdict == ("FAIL" if fails > passes else "PASS")
        assert reading.reasoning == f"so {reading.verdict}"


def test_a_vote_with_a_sample_unanswered_is_no_vote_yet(tmp_path) -> None:
    broken = True

    def script(seen):
        return error(500) if broken and seen.body["seed"] == 1 else chat(_said("FAIL"))

    with ScriptedServer(script) as server:
        judge = _judge(server.url, tmp_path, ModeOptions("vote", 3), retries=0)
        (said,) = _predict(judge)
        assert said.verdict == Unscored(f"{ENDPOINT}HTTP 500")
        broken, asked = False, len(server.seen)
        assert (_predict(judge)[0].p_fail, len(server.seen) - asked) == (1.0, 1)


def test_the_schema_ends_within_the_tokens_of_an_answer() -> None:
    points = SCHEMA["properties"]["REASONING"]
    assert points["maxItems"] * points["items"]["maxLength"] / 3 <= 600


@pytest.mark.parametrize("bad", [("guess",), ("vote", 0), ("vote", 3, 0.0), ("vote", 3, math.nan)])
def test_a_mode_that_cannot_be_is_refused_in_one_sentence(bad: tuple) -> None:
    with pytest.raises(InputError):
        ModeOptions(*bad)
