"""One table of raw answers as models write them, and what is read out of each."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.judges.parse import BOTH, EMPTY, MISSING, NEITHER, THINKING, parse_verdict_text
from halubench.records import Unscored

READ = {
    "plain json pass": ('{"REASONING": ["ok"], "SCORE": "PASS"}', "PASS"),
    "plain json fail": ('{"REASONING": ["no"], "SCORE": "FAIL"}', "FAIL"),
    "no space after the colon": ('{"SCORE":"FAIL"}', "FAIL"),
    "space before the colon": ('{"SCORE" : "PASS"}', "PASS"),
    "value on the next line": ('{"SCORE":\n  "FAIL"\n}', "FAIL"),
    "lynx, unquoted score": ('{"REASONING": ["The answer agrees."], "SCORE": PASS}', "PASS"),
    "lynx, python list": ("{\"REASONING\": ['It is 3.', 'Not 4.'], \"SCORE\": FAIL}", "FAIL"),
    "lynx, apostrophes inside": ("{\"REASONING\": ['Tom's car'], \"SCORE\": PASS}", "PASS"),
    "lynx, mixed quotes": ('{"REASONING": [\'One\', "Two\'s"], "SCORE": FAIL}', "FAIL"),
    "lynx, leaked end": ('{"REASONING": [], "SCORE": PASS}<|eot_id|>', "PASS"),
    "lynx, leaked header": (
        '<|start_header_id|>assistant<|end_header_id|>\n\n{"REASONING": [], "SCORE": FAIL}',
        "FAIL",
    ),
    "header without its marks": ('assistant\n\n{"SCORE": "PASS"}', "PASS"),
    "header and a second turn": ('{"SCORE": PASS}assistant\n\n{"SCORE": PASS}', "PASS"),
    "chatml end": ('{"SCORE": "FAIL"}<|im_end|>', "FAIL"),
    "llama-2 end": ('{"SCORE": "FAIL"}</s>', "FAIL"),
    "single quotes throughout": ("{'REASONING': ['x'], 'SCORE': 'FAIL'}", "FAIL"),
    "no key quotes": ("{REASONING: [x], SCORE: FAIL}", "FAIL"),
    "backticks": ("`SCORE`: `PASS`", "PASS"),
    "curly quotes": ("{“REASONING”: [“x”], “SCORE”: “FAIL”}", "FAIL"),
    "single curly quotes": ("{‘SCORE’: ‘PASS’}", "PASS"),
    "code fence with language": ('```json\n{"SCORE": "PASS"}\n```', "PASS"),
    "code fence without": ('```\n{"SCORE": "FAIL"}\n```', "FAIL"),
    "code fence never closed": ('```json\n{"SCORE": "FAIL"}', "FAIL"),
    "prose before": ('Sure! Here is the JSON you asked for:\n{"SCORE": "PASS"}', "PASS"),
    "prose after": ('{"SCORE": "FAIL"}\n\nLet me know if you need more.', "FAIL"),
    "prose after naming the other": ('{"SCORE": "FAIL"}\nIt cannot PASS.', "FAIL"),
    "trailing comma": ('{"REASONING": ["x",], "SCORE": "PASS",}', "PASS"),
    "no closing brace": ('{"REASONING": ["x"], "SCORE": "PASS"', "PASS"),
    "no closing quote": ('{"REASONING": ["x"], "SCORE": "FAIL', "FAIL"),
    "score first, cut reasoning": ('{"SCORE": "FAIL", "REASONING": ["The document sa', "FAIL"),
    "two scores, last wins": ('{"SCORE": "FAIL"}\nOn reflection:\n{"SCORE": "PASS"}', "PASS"),
    "three scores, last wins": ("SCORE: PASS\nSCORE: FAIL\nSCORE: FAIL", "FAIL"),
    "repeated score": ("SCORE: PASS\nSCORE: PASS", "PASS"),
    "template quoted, then answer": (
        '{"REASONING": <bullets>, "SCORE": <PASS or FAIL>}\n{"REASONING": [], "SCORE": "PASS"}',
        "PASS",
    ),
    "think block": ('<think>It may FAIL.</think>{"SCORE": "PASS"}', "PASS"),
    "think block with a decoy": (
        '<think>{"SCORE": "PASS"}</think>\n\n{"SCORE": "FAIL"}',
        "FAIL",
    ),
    "end of thinking without start": ('SCORE: PASS?\n</think>\n{"SCORE": "FAIL"}', "FAIL"),
    "two think blocks": ('<think>a</think>x<think>b</think>{"SCORE": "PASS"}', "PASS"),
    "empty think block": ("<think>\n\n</think>\n\nFAIL", "FAIL"),
    "list value": ('{"SCORE": ["FAIL"]}', "FAIL"),
    "brackets": ("SCORE: [PASS]", "PASS"),
    "angle brackets": ("SCORE: <FAIL>", "FAIL"),
    "equals sign": ("SCORE = FAIL", "FAIL"),
    "lower case": ('{"score": "pass"}', "PASS"),
    "title case": ('{"Score": "Fail"}', "FAIL"),
    "markdown heading": ("## SCORE: FAIL", "FAIL"),
    "markdown bold": ("**SCORE:** **PASS**", "PASS"),
    "bullet": ("* SCORE: FAIL", "FAIL"),
    "plain lines": ("REASONING: it follows\nSCORE: PASS", "PASS"),
    "windows lines": ("REASONING: it follows\r\nSCORE: FAIL\r\n", "FAIL"),
    "full stop": ("SCORE: FAIL.", "FAIL"),
    "a word": ("FAIL", "FAIL"),
    "a word in quotes": ('"PASS"', "PASS"),
    "a word with space": ("\n  fail \n", "FAIL"),
    "spanish reasoning": ('{"REASONING": ["La respuesta es fiel."], "SCORE": "PASS"}', "PASS"),
    "german reasoning": ('{"REASONING": ["Das steht nicht im Text."], "SCORE": "FAIL"}', "FAIL"),
    "chinese reasoning": ('{"REASONING": ["答案与文档不符。"], "SCORE": "FAIL"}', "FAIL"),
    "arabic reasoning": ('{"REASONING": ["الإجابة صحيحة"], "SCORE": "PASS"}', "PASS"),
    "reasoning with the word pass": ('{"REASONING": ["A pass of 8 yards"], "SCORE": "FAIL"}', "FAIL"),
    "reasoning with a match's score": (
        '{"REASONING": ["The score: 21-7", "they fail"], "SCORE": "PASS"}',
        "PASS",
    ),
    "nested": ('{"result": {"REASONING": [], "SCORE": "FAIL"}}', "FAIL"),
    "a list of one": ('[{"SCORE": "PASS"}]', "PASS"),
}  # fmt: skip

UNREAD = {
    "nothing": ("", EMPTY),
    "white space": ("\n\t ", EMPTY),
    "end mark alone": ("</s>", EMPTY),
    "thought and nothing said": ("<think>hm</think>", EMPTY),
    "thinking cut off": ('<think>So "SCORE": "FAIL"', THINKING),
    "second thinking cut off": ("<think>a</think><think>SCORE: PASS", THINKING),
    "refusal": ("I'm sorry, but I can't help with that.", MISSING),
    "refusal naming both": ("I cannot decide between PASS and FAIL.", MISSING),
    "prose verdict": ("The answer should FAIL because it is not in the document.", MISSING),
    "reasoning alone": ('{"REASONING": ["It passes."]}', MISSING),
    "cut inside reasoning": ('{"REASONING": ["The document says that the', MISSING),
    "cut inside the key": ('{"REASONING": ["x"], "SCO', MISSING),
    "another key": ('{"verdict": "PASS"}', MISSING),
    "spanish refusal": ("Lo siento, no puedo ayudar con eso.", MISSING),
    "an html error": ("<html><body>502 Bad Gateway</body></html>", MISSING),
    "cut before the value": ('{"REASONING": ["x"], "SCORE": ', NEITHER),
    "cut inside the value": ('{"REASONING": ["x"], "SCORE": "FAI', NEITHER),
    "a number": ('{"SCORE": 0}', NEITHER),
    "a share": ('{"SCORE": 0.87}', NEITHER),
    "a truth value": ('{"SCORE": true}', NEITHER),
    "another word": ('{"SCORE": "CORRECT"}', NEITHER),
    "another language": ('{"SCORE": "APROBADO"}', NEITHER),
    "undecided": ('{"SCORE": "UNKNOWN"}', NEITHER),
    "a longer word": ('{"SCORE": "FAILURE"}', NEITHER),
    "negated": ('{"SCORE": "not FAIL"}', NEITHER),
    "empty value": ('{"SCORE": ""}', NEITHER),
    "last score is unreadable": ('{"SCORE": "PASS"}\n{"SCORE": "?"}', NEITHER),
    "template copied": ('{"REASONING": <bullets>, "SCORE": <PASS or FAIL>}', BOTH),
    "both, the other way": ('{"SCORE": "FAIL or PASS"}', BOTH),
    "both with a bar": ('{"SCORE": "PASS|FAIL"}', BOTH),
    "both with a comma": ("SCORE: FAIL, PASS", BOTH),
    "both with and": ("SCORE: PASS and FAIL", BOTH),
}


@pytest.mark.parametrize(("text", "verdict"), READ.values(), ids=READ)
def test_the_verdict_is_read(text: str, verdict: str) -> None:
    assert parse_verdict_text(text)[0] == verdict


@pytest.mark.parametrize(("text", "reason"), UNREAD.values(), ids=UNREAD)
def test_what_says_no_verdict_is_unscored_for_its_reason(text: str, reason: str) -> None:
    assert parse_verdict_text(text)[0] == Unscored(reason)


@pytest.mark.parametrize(("text", "verdict"), READ.values(), ids=READ)
def test_swapping_the_two_words_swaps_the_verdict(text: str, verdict: str) -> None:
    swapped = text
    for one, other in (("PASS", "FAIL"), ("pass", "fail"), ("Pass", "Fail")):
        swapped = swapped.replace(one, "\0").replace(other, one).replace("\0", other)
    assert parse_verdict_text(swapped)[0] == {"PASS": "FAIL", "FAIL": "PASS"}[verdict]


@pytest.mark.parametrize(
    ("text", "reasoning"),
    [
        ('{"REASONING": ["one", "two"], "SCORE": "PASS"}', "one\ntwo"),
        ('{"REASONING": "one text", "SCORE": "PASS"}', "one text"),
        ('{"REASONING": [1, 2.5], "SCORE": "FAIL"}', "1\n2.5"),
        ('{"REASONING": [], "SCORE": "FAIL"}', ""),
        ("{\"REASONING\": ['a', 'b'], \"SCORE\": FAIL}", "['a', 'b']"),
        ("REASONING: because\nSCORE: PASS", "because"),
        ('{"REASONING": ["cut off', '["cut off'),
        ("FAIL", ""),
        ("SCORE: FAIL", ""),
        ("<think>REASONING: hidden</think>SCORE: FAIL", ""),
    ],
)
def test_the_reasoning_is_read_as_far_as_it_goes(text: str, reasoning: str) -> None:
    assert parse_verdict_text(text)[1] == reasoning


@given(st.sampled_from(["PASS", "FAIL"]), st.text(alphabet=" \n\t", max_size=8))
def test_white_space_around_an_answer_does_not_matter(verdict: str, space: str) -> None:
    said = json.dumps({"REASONING": ["x"], "SCORE": verdict})
    assert parse_verdict_text(space + said + space) == parse_verdict_text(said) == (verdict, "x")
