"""The verdict is read however an answer is wrapped, and never made up."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.judges.parse import BOTH, EMPTY, MISSING, NEITHER, THINKING, parse_verdict_text
from halubench.records import Unscored

SPACE = st.text(" \t\r\n", max_size=4)
VERDICTS = st.sampled_from(["PASS", "FAIL"])
QUOTES = st.sampled_from(['"', "'", "", "`", "**"])
KEYS = st.sampled_from(["SCORE", "Score", "score"])
SPACES = st.sampled_from(["", " ", "\n  ", "  "])
POINTS = st.lists(
    st.text(max_size=40).filter(lambda text: not re.search("score", text, re.IGNORECASE)),
    max_size=3,
)
PLAIN = [
    "{}",
    "```json\n{}\n```",
    "Here is my judgement:\n\n{}\n\nI hope it helps.",
    "<|start_header_id|>assistant<|end_header_id|>\n\n{}<|eot_id|>",
    "assistant\n\n{}",
    "{}assistant\n\n",
    "{}</s>",
]
WITH_DECOYS = [
    '<think>At first "SCORE": "PASS", then "SCORE": "FAIL".</think>\n{}',
    '"SCORE": "PASS" or "SCORE": "FAIL"? I say\n{}',
    'Answer as {{"REASONING": [], "SCORE": "<PASS or FAIL>"}}.\n{}',
]


@st.composite
def rendered(draw: st.DrawFn, wrappers: list[str]) -> tuple[str, str]:
    """(verdict, an answer that says so), as models write them."""
    verdict = draw(VERDICTS)
    key_quote = draw(st.sampled_from(['"', "'", ""]))
    value_quote = draw(QUOTES)
    key = draw(KEYS if key_quote else st.just("SCORE"))
    said = draw(st.sampled_from([verdict, verdict.lower(), verdict.capitalize()]))
    score = f"{key_quote}{key}{key_quote}:{draw(SPACES)}{value_quote}{said}{value_quote}"
    points = draw(POINTS)
    style = draw(st.sampled_from([json.dumps, str, "; ".join, "\n- ".join]))
    reasoning = f'"REASONING": {style(points)}'
    shape = draw(st.sampled_from(["{{{r}, {s}}}", "{{\n  {r},\n  {s}\n}}", "{{{r},\n{s}", "{s}"]))
    return verdict, draw(st.sampled_from(wrappers)).format(shape.format(r=reasoning, s=score))


@given(rendered(PLAIN + WITH_DECOYS))
def test_parse_of_a_rendering_is_the_identity(case: tuple[str, str]) -> None:
    verdict, text = case
    assert parse_verdict_text(text)[0] == verdict


@given(VERDICTS, POINTS)
def test_key_order_does_not_matter(verdict: str, points: list[str]) -> None:
    text = json.dumps({"SCORE": verdict, "REASONING": points})
    assert parse_verdict_text(text)[0] == verdict


@given(POINTS, VERDICTS)
def test_reasoning_of_valid_json_is_one_point_a_line(points: list[str], verdict: str) -> None:
    text = json.dumps({"REASONING": points, "SCORE": verdict})
    assert parse_verdict_text(text)[1] == "\n".join(points)


@given(POINTS, VERDICTS, st.data())
def test_white_space_between_the_parts_of_json_is_none_of_its_meaning(
    points: list[str], verdict: str, data: st.DataObject
) -> None:
    """As a server that holds a weak model to a schema lets it write."""
    key, said, reasons, listed = map(json.dumps, ("SCORE", verdict, "REASONING", points))
    parts = ["{", reasons, ":", listed, ",", key, ":", said, "}"]
    blanks = st.lists(SPACE, min_size=len(parts), max_size=len(parts))
    text = "".join(part + blank for part, blank in zip(parts, data.draw(blanks), strict=True))
    assert json.loads(text)["SCORE"] == verdict
    assert parse_verdict_text(text) == (verdict, "\n".join(points))


@given(rendered(PLAIN), st.data())
def test_an_answer_cut_off_is_read_right_or_not_at_all(
    case: tuple[str, str], data: st.DataObject
) -> None:
    verdict, text = case
    got = parse_verdict_text(text[: data.draw(st.integers(0, len(text)))])[0]
    assert got == verdict or isinstance(got, Unscored)


@given(st.text())
def test_arbitrary_text_never_crashes(text: str) -> None:
    parse_verdict_text(text)


@given(st.text().filter(lambda text: not re.search("pass|fail", text, re.IGNORECASE)))
def test_no_verdict_is_made_up(text: str) -> None:
    for said in (text, f"SCORE: {text}", f'{{"REASONING": ["{text}"]}}'):
        assert isinstance(parse_verdict_text(said)[0], Unscored)


@given(st.text(alphabet="abc SCORE:PASSFAIL{}[]\"',\n", max_size=60))
def test_a_verdict_needs_its_word_in_the_answer(text: str) -> None:
    verdict = parse_verdict_text(text)[0]
    if not isinstance(verdict, Unscored):
        assert verdict in text.upper()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", EMPTY),
        (" \n", EMPTY),
        ("<|eot_id|>", EMPTY),
        ("<think>The SCORE: PASS seems", THINKING),
        ("The answer is faithful.", MISSING),
        ("PASS FAIL", MISSING),
        ("I would say FAIL", MISSING),
        ('{"REASONING": ["the SCO', MISSING),
        ('{"SCORE": "PASS or FAIL"}', BOTH),
        ('{"SCORE": ["PASS", "FAIL"]}', BOTH),
        ("SCORE: PASS/FAIL", BOTH),
        ('{"SCORE": "<PASS or FAIL>"}', BOTH),
        ('{"SCORE":', NEITHER),
        ('{"SCORE": "PA', NEITHER),
        ("SCORE: not PASS", NEITHER),
        ("SCORE: PASSED", NEITHER),
        ("SCORE: PASS is not warranted", NEITHER),
        ("SCORE: 5", NEITHER),
        ('{"SCORE": null}', NEITHER),
    ],
)
def test_what_cannot_be_read_is_unscored_with_its_reason(text: str, reason: str) -> None:
    assert parse_verdict_text(text)[0] == Unscored(reason)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("PASS", "PASS"),
        ("**Fail.**", "FAIL"),
        ("assistant\n\nFAIL", "FAIL"),
        ('{"SCORE": "PASS"}\n{"SCORE": "FAIL"}', "FAIL"),
        ('{"SCORE": PASS}assistant\n\n{"SCORE": FAIL}', "FAIL"),
        ("{\"REASONING\": ['It's the film's', 'x'], \"SCORE\": FAIL}", "FAIL"),
        (
            '{"SCORE": "FAIL", "REASONING": ["the final score: 3-2", "a SCORE: PASS is wrong"]}',
            "FAIL",
        ),
        ('{"SCORE": "FAIL", "REASONING": ["\\"SCORE\\": \\"PASS\\" is wrong"]}', "FAIL"),
        ("I hesitated, but the SCORE: FAIL", "FAIL"),
        ("- **SCORE**: PASS", "PASS"),
        ('{"SCORE": "FAIL', "FAIL"),
        ("“SCORE”: “PASS”", "PASS"),
        ('{"SCORE": "PASS" (faithful)}', "PASS"),
    ],
)
def test_answers_seen_in_the_wild(text: str, verdict: str) -> None:
    assert parse_verdict_text(text)[0] == verdict


@pytest.mark.parametrize("unit", ["\n", "{", '"', "SCORE", "REASONING:", ", ", "<|", "assistant "])
def test_long_junk_is_unscored(unit: str) -> None:
    assert isinstance(parse_verdict_text(unit * 50_000)[0], Unscored)
