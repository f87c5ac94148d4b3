"""Which reasoning may be learnt: what gives the change or the gold answer away may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from train_world import example

from halubench.judges.parse import parse_verdict_text
from halubench.train.reasoning import MOST_POINTS, completion, fault, points

FAIL = example(1, "FAIL")
CHANGE = "the length of the bridge was raised by seven metres"
GOLD = "Bridge 1 measures 101 metres from bank to bank."


@pytest.mark.parametrize(
    "point",
    [
        "The document states that it is 101 metres long.",
        "The answer claims 108 metres, which the document does not state.",
        "These do not agree, so the answer is not supported.",
    ],
)
def test_reasoning_from_the_document_may_be_learnt(point):
    assert fault([point], FAIL, CHANGE, GOLD) == ""


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("The correct answer is 101 metres.", "change"),
        ("The length was changed to 108.", "change"),
        ("The gold answer says 101.", "change"),
        ("101 metres -> 108 metres.", "change"),
        ("I was given the label, so it is wrong.", "change"),
        ("Here the length of the bridge was raised.", "change"),
        ("Bridge 1 measures 101 metres from bank to bank.", "gold"),
        ("This must FAIL.", "verdict"),
        ('Then "SCORE" is clear.', "verdict"),
    ],
)
def test_reasoning_that_tells_what_only_the_teacher_knew_may_not(point, reason):
    assert reason in fault([point], FAIL, CHANGE, GOLD)


def test_words_of_the_row_itself_give_nothing_away():
    row = example(1, "FAIL", passage="The perturbed cells were counted. There were 12 of them.")
    assert fault(["The perturbed cells were 12."], row, "", "") == ""
    assert fault(["The perturbed answer is wrong."], FAIL, "", "") == "gives the change away"


def test_none_and_too_many_points_are_refused():
    assert fault([], FAIL, "", "") == "no reasoning"
    assert "more than" in fault(["a"] * (MOST_POINTS + 1), FAIL, "", "")


@given(st.lists(st.text(min_size=1), max_size=5), st.sampled_from(["PASS", "FAIL"]))
def test_whatever_the_points_say_the_score_at_the_end_is_read(said, label):
    assert parse_verdict_text(completion(said, label))[0] == label


def test_points_are_read_from_lists_and_from_text():
    assert points('{"REASONING": ["- a", "b"], "SCORE": "FAIL"}') == (["a", "b"], "FAIL")
    assert points("nothing") == ([], "")
