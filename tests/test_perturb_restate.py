"""Gold answers anchored in their passage and put into one sentence, or turned away with the reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import item

from halubench.perturb import restate
from halubench.perturb.base import Statement
from halubench.perturb.loosen import loosen
from halubench.perturb.support import coverage
from halubench.records import Item, Rejected

FERRY = "The ferry carries 48 cars and 52 vans, and made 31 crossings of the bay in June 2019."
PROSE = (
    "The ferry of the bay carries both cars and vans across it. Nothing else was ever seen on Mars."
)


def made(one: Item, control: str = "restate") -> Statement:
    statement = restate.restate(one, control)
    assert isinstance(statement, Statement), statement
    return statement


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (item(FERRY, "How many?", "48", aliases=("48", "52")), "annotators' numbers differ"),
        (item(FERRY, "How many?", "47"), "neither in the passage nor computed"),
        (item(FERRY, "How many?", "77%"), "neither in the passage nor computed"),
        (item(FERRY, "Which?", "cars and vans", meta={"answer_type": "spans"}), "list of spans"),
        (item(FERRY, "Which?", "cars", meta={"parts": ["a", "b"]}), "list of spans"),
        (item(FERRY, "Which?", "and 52 vans"), "broken text"),
        (item(FERRY, "Which?", "cross- ings"), "broken text"),
        (item(FERRY, "Which?", "the yellow submarine"), "does not support"),
        (item(FERRY, "Which?", "the ferry made 99 crossings of it"), "does not support"),
        (item(FERRY, "Which?", " . "), "no words"),
    ],
)  # fmt: skip
def test_an_item_is_turned_away_with_its_reason(one: Item, reason: str) -> None:
    found = restate.restate(one, "restate")
    assert isinstance(found, Rejected)
    assert reason in found.reason
    assert (found.source_ds, found.id, found.stage) == ("made", "one", "anchor")


@pytest.mark.parametrize(
    "answer",
    ["48", "48 cars", "100", "4", "21", "June 2019", "forty-eight", "the ferry", "52%"],
    ids=[
        "stated",
        "with unit",
        "sum",
        "difference",
        "difference",
        "date",
        "word",
        "span",
        "less 48",
    ],
)
def test_supported_answers_pass(answer: str) -> None:
    assert restate.unsupported(item(FERRY, "What is it?", answer)) == ""


def test_things_counted_are_not_added_up_by_chance() -> None:
    assert restate.unsupported(item(FERRY, "How many goats are there?", "100"))
    assert not restate.unsupported(item(FERRY, "How many more cars than vans?", "4"))


def test_annotators_agree_through_spelling_and_rounding() -> None:
    one = item("It was $1,577 million.", "How much?", "$1,577 million", aliases=("$1.577 billion",))
    assert restate.unsupported(one) == ""


@pytest.mark.parametrize("number", range(12))
def test_the_answer_proper_is_anchored_not_whichever_alias_comes_first(number: int) -> None:
    exact, rounded = f"{60 + number}.26%", f"{60 + number}%"
    one = item(f"It was {exact}.", "How much?", exact, aliases=(rounded, exact))
    assert restate.unsupported(one) == ""


@pytest.mark.parametrize(
    ("question", "answer", "passage", "told"),
    [
        ("What was the revenue?", "$8", "It took $8.", "The revenue was $8."),
        ("What are the cats known as?", "Tom", "Tom", None),
        ("What are the two colours?", "red", "red", "The two colours are red."),
        ("How many cars are in the bay?", "48", FERRY, "48 cars are in the bay."),
        ("Who built the mill of the town?", "Orla", "by Orla", "Orla built the mill of the town."),
        ("Who is older?", "Orla", "by Orla", None),
        ("Who built it, Orla or Otto?", "Orla", "by Orla", None),
        ("What was the meeting held on?", "$8", "It took $8.", None),
        ("What was the sum, all told?", "$8", "It took $8.", None),
        ("Why was it so?", "the storm", "the storm", None),
    ],
)
def test_a_declarative_where_safe_else_a_frame(
    question: str, answer: str, passage: str, told: str | None
) -> None:
    statement = made(item(passage, question, answer))
    assert statement.text[statement.start : statement.end] == answer
    if told:
        assert statement.text == told
    else:
        assert restate.tidy_question(question) in statement.text
    assert re.fullmatch(r"[A-Z0-9\"$].*[.]", statement.text)


QUESTIONS = st.sampled_from(
    ["What was it?", "What was the size?", "How many cars are in it?", "Who built it then?"]
) | st.text(st.sampled_from("abc ?.\"'ABW:,é"), min_size=1, max_size=40).map(lambda t: f"Which {t}")


@given(QUESTIONS, st.sampled_from(["48", "52 vans", "the ferry", "June 2019"]), st.integers(0, 99))
def test_the_answer_stands_once_named_inside_one_sentence(
    question: str, answer: str, number: int
) -> None:
    statement = made(item(FERRY, question, answer, id=str(number)))
    assert statement.text[statement.start : statement.end] == answer
    assert "{" not in statement.text
    assert "  " not in statement.text
    assert "\n" not in statement.text
    assert statement.text.count('"') in (0, 2)
    assert statement.text.endswith(".")
    assert made(item(FERRY, question, answer, id=str(number))) == statement


def test_a_long_answer_takes_a_colon_and_a_short_one_none() -> None:
    span = "48 cars and 52 vans, and made 31 crossings"
    for number in range(12):
        long = made(item(FERRY, "Why is it so?", span, id=str(number)))
        assert long.text[: long.start].rstrip('"').endswith(": ")
        assert made(item(FERRY, "Why is it so?", "48 cars", id=str(number))).text.count(":") == 0


def test_what_has_a_verb_of_its_own_takes_a_colon() -> None:
    told = "the Lark was sold"
    for number in range(12):
        one = made(item(f"First {told}.", "What came first?", told, id=str(number)))
        assert one.text[: one.start].rstrip('"').endswith(": ")


@pytest.mark.parametrize(
    ("answer", "said"), [("39-yard", "39 yards"), ("1-year", "1 year"), ("6-foot", "6 feet")]
)
def test_a_measure_that_stood_before_a_noun_stands_alone(answer: str, said: str) -> None:
    one = made(item(f"It was a {answer} one.", "What was the longest goal?", answer))
    assert one.text == f"The longest goal was {said}."


def test_a_dash_before_words_is_no_part_of_the_answer() -> None:
    assert "-" not in made(item("the -red mill", "Why is it so?", "-red mill")).text
    assert "-5 °C" in made(item("at -5 °C", "Why is it so?", "-5 °C")).text


def test_frames_vary_with_the_item() -> None:
    texts = {made(item(FERRY, "Why?", "48", id=str(number))).text for number in range(40)}
    assert len(texts) == len(restate.FRAMES)


def test_no_control_gives_the_bare_gold() -> None:
    statement = made(item(FERRY, "How many?", " 48\n cars "), control="none")
    assert (statement.text, statement.start, statement.end) == ("48 cars", 0, 7)
    assert isinstance(restate.restate(item(FERRY, "How many?", "47"), "none"), Rejected)


def test_prose_keeps_its_supported_sentences_only() -> None:
    statement = made(item(FERRY + " It goes across both.", "What of it?", PROSE))
    assert statement.text == PROSE.partition(" Nothing")[0]
    assert (statement.start, statement.end) == (0, len(statement.text))


def test_a_number_that_the_passage_lacks_is_no_support() -> None:
    wrong = PROSE.replace("both cars", "99 cars")
    found = restate.restate(
        item(FERRY + " It goes across. Nothing else seen.", "?", wrong), "restate"
    )
    assert isinstance(found, Rejected)


@pytest.mark.parametrize(
    ("question", "tidy"),
    [
        ("  who   won\nit ", "Who won it?"),
        ('What is "it"?', "What is 'it'?"),
        ("They met. Who won?", "Who won?"),
        ("For the record: who won the final of 2011?", "Who won the final of 2011?"),
        ("Two new drugs: is there a difference?", "Two new drugs: is there a difference?"),
        ("In the text: a b?", "In the text: a b?"),
        ("who won.", "Who won?"),
    ],
)
def test_tidy_question(question: str, tidy: str) -> None:
    assert restate.tidy_question(question) == tidy


@pytest.mark.parametrize("question", ["?", "", "...", " \n"])
def test_a_question_without_words_does_not_break_the_sentence(question: str) -> None:
    assert made(item(FERRY, question, "48")).text.endswith(".")


@pytest.mark.parametrize("control", ["restate", "none"])
@pytest.mark.parametrize("answer", ["", " ", "."])
def test_an_answer_without_words_is_turned_away(answer: str, control: str) -> None:
    assert isinstance(restate.restate(item(FERRY, "What?", answer), control), Rejected)


def test_conclusion_of_a_study() -> None:
    study = item(
        FERRY, "Does it carry cars?", "It does carry cars.", meta={"final_decision": "yes"}
    )
    told = restate.conclusion(study)
    assert told is not None
    assert told.text[told.start : told.end] == "yes"
    disputed = {"final_decision": "yes", "annotators_agree": False}
    assert restate.conclusion(item(FERRY, "Does it?", "It does.", meta=disputed)) is None
    assert restate.conclusion(item(FERRY, "Does it?", "It does.")) is None


LONG = "they stayed at home because of storms and the ferry was late due to fog among other things"


@given(st.text(max_size=8))
def test_loosening_swaps_function_words_alone(key: str) -> None:
    loose = loosen(LONG, key)
    assert loose == loosen(LONG, key)
    assert {word for word in LONG.split() if len(word) > 5} - {"because"} <= set(loose.split())
    assert loosen("five words are not many", key) == "five words are not many"


def test_loosening_differs_by_key() -> None:
    assert len({loosen(LONG, str(number)) for number in range(20)}) > 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_coverage_is_a_share(text: str, passage: str) -> None:
    assert 0.0 <= coverage(text, passage) <= 1.0
    assert coverage(text, text) in (0.0, 1.0)
