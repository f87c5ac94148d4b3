"""Both twins of a value's edit may be respelled; the value itself never changes by it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import ground, proposals

from halubench import values
from halubench.perturb import respell


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ("12%", "twelve percent"),
        ("12 %", "twelve percent"),
        ("1.2%", "1.2 percent"),
        ("120%", "120 percent"),
        ("12 percent", "12%"),
        ("5 days", "five days"),
        ("five", "5"),
        ("June 9, 2019", "9 June 2019"),
        ("9 June 2019", "June 9, 2019"),
        ("13", "thirteen"),
        ("99 days", "ninety-nine days"),
        ("Sixty-five", "65"),
        ("100", None),
        ("13 mg", None),
        ("1", None),
        ("$5", None),
        ("3.5", None),
    ],
)
def test_the_other_spelling(value: str, other: str | None) -> None:
    assert respell.respell(value) == other


@given(
    st.sampled_from(["{} days", "{}%", "{} percent", "{}", "June {}, 2019"]), st.integers(1, 130)
)
def test_a_respelled_value_is_the_same_value(form: str, number: int) -> None:
    text = form.format(number)
    other = respell.respell(text)
    if other:
        assert values.same(values.find(text)[0], values.find(other)[0])


def test_both_twins_are_respelled_or_neither() -> None:
    text = "In the town 12% of the men could swim."
    value = values.find(text)[0]
    made = [respell.edit(text, value, "14", "L2", Random(seed)) for seed in range(20)]
    assert {(one.fail, one.twin) for one in made} == {
        ("fourteen percent", "twelve percent"),
        ("14", None),
    }
    assert {one.change for one in made} == {"12 -> 14"}


def test_no_word_against_digits() -> None:
    text = "In the town 99% of the men could swim."
    value = values.find(text)[0]
    assert {respell.edit(text, value, "100", "L2", Random(n)).twin for n in range(20)} == {None}


CLINGING = (
    "a 5-day stay", "it cost $5", "from 5/7 on", "a(5) b", "x-5", "at 1:5 they", "of 5 ± 2 days",
    "n = 5 of them", "took 5 mg of it", "at 5 U/l of it", "of 5 CD patients", "turned 5° left",
    "it is ~5 days off", "of 8 vs. 5 days",
    "of (n=5) them", "it is ≤5 days", "in ±5 days", "from 5 000 on", "in 05 days",
)  # fmt: skip


@pytest.mark.parametrize("text", CLINGING)
def test_no_word_where_something_clings_to_the_number(text: str) -> None:
    for value in values.find(text):
        assert respell.edit(text, value, "6", "L2", Random(1)).twin is None


def test_a_respelled_word_keeps_its_capital() -> None:
    of = ground("5 cars and 7 vans", "What came?", "5 cars came.")
    made = [
        one
        for seed in range(20)
        for one in proposals(
            ground("5 cars and 7 vans", "What came?", "5 cars came.", seed=seed),
            operator="swap",
            sites=["number"],
        )
    ]
    assert {one.fail for one in made} == {"7", "Seven"}
    assert of.statement.text.startswith("5")
