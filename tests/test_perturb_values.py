"""Edits of values: taken from elsewhere in the passage, slipped, rescaled, turned in sign."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from perturb_world import fails, ground, proposals

from halubench import values
from halubench.perturb import respell

SITES = ("number", "percent", "money", "year", "date")


@pytest.fixture(autouse=True)
def _spelled_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is respelled is seen in test_perturb_respell.py."""
    monkeypatch.setattr(respell, "SHARE", 0.0)


def swapped(passage: str, text: str, question: str = "What was it?", **more: object) -> set[str]:
    rule = {"operator": "swap", "sites": SITES, **more}
    return {
        wrong for seed in range(8) for wrong in fails(ground(passage, question, text, seed=seed), **rule)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("passage", "right", "wrong"),
    [
        ("48 cars and 52 vans", "48 came", {"52 came"}),
        ("1,204 cars and 1,187 vans", "1,204 came", {"1,187 came"}),
        ("1,204 cars and 1187 vans", "1,204 came", {"1,187 came"}),
        ("$8.4 million and $1.9 million", "It was $8.4 million.", {"It was $1.9 million."}),
        ("61.2% and 58.4%", "It was 61.2%.", {"It was 58.4%."}),
        ("20 mg and 10 mg", "It was 20 mg.", {"It was 10 mg."}),
        ("in 1911 and in 1914", "It was 1914", {"It was 1911"}),
        ("March 3, 2017 and June 9, 2019", "On June 9, 2019", {"On March 3, 2017"}),
        ("seven cars and 9 vans", "seven", {"nine"}),
        ("Seven cars and 9 vans", "Seven", {"Nine"}),
    ],
)
def test_a_value_of_the_same_type_in_the_same_spelling(
    passage: str, right: str, wrong: set[str]
) -> None:
    assert swapped(passage, right) == wrong


@pytest.mark.parametrize(
    ("passage", "text"),
    [
        ("20 mg and 10 kg", "It was 20 mg."),
        ("61.2% and 58.4", "It was 61.2%."),
        ("61.2% and 58%", "It was 61.2%."),
        ("$8 and €9", "It was $8."),
        ("$8.4 million and $1.9 billion", "It was $8.4 million."),
        ("1 year and 4 years", "It was 4 years."),
        ("20 cars and 10,000 vans", "20 cars"),
        ("on March 3 and June 9, 2019", "on June 9, 2019"),
        ("in 1911 and 1400 men", "in 1911"),
        ("48 cars and 48.0 vans", "48 cars"),
        ("52 vans", "48 cars"),
    ],
)
def test_no_value_of_another_type_unit_or_order(passage: str, text: str) -> None:
    assert swapped(passage, text) == set()


def test_never_the_gold_in_another_spelling() -> None:
    of = "It sold $1,577 million, $1.577 billion, or $1,420 million."
    assert swapped(of, "It was $1,577 million.") == {"It was $1,420 million."}


def test_never_a_value_that_the_question_names() -> None:
    passage = "In 2018 it sold 40 cars, in 2019 52 and in 2020 61."
    assert swapped(passage, "In 2019, 52 came", "How many came in 2019?") == {
        "In 2019, 40 came",
        "In 2019, 61 came",
    }
    assert swapped(passage, "52 came", "How many came besides the 40 that left?") == {"61 came"}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("more than 40 came", {"more than 52 came"}),
        ("At least 40 came", {"At least 52 came"}),
        ("fewer than 40 came", {"fewer than 31 came"}),
        ("up to 40 came", {"up to 31 came"}),
        ("40 came", {"31 came", "52 came"}),
    ],
)
def test_after_a_bound_only_what_the_bound_does_not_entail(text: str, wrong: set[str]) -> None:
    assert swapped("Groups of 31, 40 and 52 came.", text) == wrong


@pytest.mark.parametrize(
    "text",
    ["40-45 mg were taken", "40 to 45 mg were taken", "40 mg to 45 mg", "40 and 45", "40% CI"],
)
def test_ranges_and_confidence_levels_are_left_alone(text: str) -> None:
    assert swapped("Of 40 mg, 45 mg, 52 mg, 40%, 52%, 52 and 61.", text) == set()


def test_a_copied_prose_may_hold_a_word_that_is_no_amount() -> None:
    assert swapped("one of two men and seven women", "At last one of the many men came.") == set()


def test_units_of_the_rule() -> None:
    of = "20 mg for 4 days, 10 mg for 9 days"
    assert swapped(of, "It was 20 mg for 4 days.", units=["mg"]) == {"It was 10 mg for 4 days."}


def test_no_swap_where_the_question_offers_the_alternatives() -> None:
    assert swapped("40 or 52 or 61", "40", "Was it more, 40 or 52?") == set()


def slips(text: str, passage: str = "12 and 9", seed: int = 0) -> list[str]:
    of = ground(passage, "What is the difference?", text, seed=seed)
    return [
        one.fail for one in proposals(of, operator="shift", sites=("number", "percent", "money"))
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(2, 99_999), st.integers(0, 50))
def test_a_slip_is_at_least_two_percent_off_and_of_the_same_form(number: int, seed: int) -> None:
    text = f"{number:,}"
    for wrong in slips(text, "no numbers", seed):
        [value] = values.find(wrong)
        assert abs(value.amount - number) >= Decimal("0.02") * number
        assert len(wrong) == len(text)
        assert [char == "," for char in wrong] == [char == "," for char in text]
        assert not wrong.startswith("0")


def test_only_a_computed_value_slips_and_never_onto_a_value_of_the_passage() -> None:
    assert slips("12") == []
    assert slips("12.0") == []
    every = {wrong for seed in range(60) for wrong in slips("3", "1 2 4 5 6 7 8", seed)}
    assert every == {"9"}


def test_number_words_slip_into_number_words() -> None:
    made = {wrong for seed in range(40) for wrong in slips("Three", "no numbers", seed)}
    assert made == {"Two", "Four", "Five"}


def scaled(text: str, passage: str = "in million or thousand") -> set[str]:
    words = [["million", "billion"], ["thousand", "million"]]
    return fails(
        ground(passage, "?", text), operator="scale", sites=["money", "number"], words=words
    )


def test_the_magnitude_alone_is_exchanged() -> None:
    assert scaled("It was $8.4 million.") == {"It was $8.4 billion.", "It was $8.4 thousand."}
    assert scaled("It was 8 thousand.") == {"It was 8 million."}
    assert scaled("It was 8 a million times.") == set()


def test_no_magnitude_that_the_passage_states() -> None:
    assert scaled("It was $8.4 million.", "in million, from $8.4 billion") == {
        "It was $8.4 thousand."
    }


def test_no_magnitude_is_exchanged_that_the_passage_does_not_give() -> None:
    assert scaled("It was 8.4 million.", "It was 8,400,000.") == set()


def signed(text: str, question: str = "What was the change?") -> set[str]:
    return fails(ground("", question, text), operator="sign", sites=["number", "percent", "money"])


def test_the_sign_of_a_change() -> None:
    assert signed("-2.9%") == {"2.9%"}
    assert signed("2.9%") == {"-2.9%"}
    assert signed("It was -29 million") == {"It was 29 million"}
    assert signed("(2.9)%") == signed("$5") == signed("0%") == set()


@pytest.mark.parametrize(
    "question",
    [
        "What was the decrease in the change?",
        "What was the difference after the increase?",
        "What was the loss?",
        "What was the share?",
    ],
)
def test_no_sign_where_either_sign_may_be_right(question: str) -> None:
    assert signed("2.9%", question) == set()
