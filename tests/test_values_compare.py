"""Values compared and respelled: what says the same is the same, whatever its spelling."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import values


def one(text: str) -> values.Value:
    [value] = values.find(text)
    return value


ANY = st.sampled_from(
    [
        *(
            "5",
            "5.0",
            "-5",
            "(5)",
            "$5",
            "$5 million",
            "5,000,000",
            "5 thousand",
            "5%",
            "5 percent",
        ),
        *(
            "5 mg",
            "5.2 mg",
            "5 kg",
            "5 years",
            "5-year",
            "five",
            "2019",
            "June 2019",
            "9 June 2019",
        ),
        *("$1,577.00 million", "$1.577 billion", "1.6 billion", "1577", "0", "€5", "0.05", "0.052"),
    ]
).map(one)


@given(ANY)
def test_a_value_is_the_same_as_itself(value: values.Value) -> None:
    assert values.same(value, value)
    assert values.close(value, value)


@given(ANY, ANY)
def test_equality_does_not_depend_on_the_order(left: values.Value, right: values.Value) -> None:
    assert values.same(left, right) == values.same(right, left)
    assert values.close(left, right) == values.close(right, left)
    assert values.close(left, right) or not values.same(left, right)


SAME = [
    ("1,577.00 million", "$1.577 billion"),
    ("5%", "5 percent"),
    ("5 per cent", "five percent"),
    ("5 years", "5-year"),
    ("6 feet", "6 foot"),
    ("twelve", "12.0"),
    ("two thousand", "2,000"),
    ("Two Thousand", "2,000"),
    ("$(5) million", "-$5 million"),
    ("5%", "5"),
    ("$5", "5"),
    ("June 9, 2019", "9th June 2019"),
    ("June 9, 2019", "Jun. 9 2019"),
    ("Sept 2019", "September, 2019"),
]
DIFFERENT = [
    ("5 mg", "5 kg"),
    ("$5", "€5"),
    ("5%", "5 years"),
    ("5%", "$5"),
    ("-5%", "5%"),
    ("5 million", "5 billion"),
    ("June 9, 2019", "June 8, 2019"),
    ("June 9", "June 2019"),
    ("2019", "June 2019"),
    ("5", "5.1"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_same(left: str, right: str) -> None:
    assert values.same(one(left), one(right))


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_not_the_same(left: str, right: str) -> None:
    assert not values.same(one(left), one(right))


@pytest.mark.parametrize(
    ("left", "right", "is_close"),
    [
        ("52.3%", "52.26%", True),
        ("52.3%", "52.36%", False),
        ("$1.6 billion", "$1,577 million", True),
        ("$1.5 billion", "$1,577 million", False),
        ("1,577", "$1,577 million", True),
        ("1,577 thousand", "1,577 million", False),
        ("5", "5.4", True),
        ("5", "5.6", False),
        ("0.1", "0", False),
        ("June 2019", "June 2018", False),
    ],
)
def test_close_is_rounding_or_an_unspelled_magnitude(left: str, right: str, is_close: bool) -> None:
    assert values.close(one(left), one(right)) is is_close


AMOUNTS = st.decimals("0", "99999999", places=2)
SHAPES = st.sampled_from(
    ["$1,577.25 million", "(12.50)", "-3.25%", "1.00 percent", "20.75 mg", "US$4.10", "€1,234.56"]
)


@given(SHAPES, AMOUNTS)
def test_a_respelled_amount_is_found_again(shape: str, amount: Decimal) -> None:
    value = one(shape)
    start, end = value.core
    again = one(shape[:start] + values.spell_like(shape[start:end], amount) + shape[end:])
    assert abs(again.amount) == amount
    assert (again.magnitude, again.unit, again.kind) == (value.magnitude, value.unit, value.kind)
    assert again.amount.is_zero() or (again.amount < 0) == (value.amount < 0)


@given(st.sampled_from(["seven", "Seven", "fifty-two"]), st.integers(0, 100))
def test_a_number_word_stays_a_word(model: str, amount: int) -> None:
    spelled = values.spell_like(model, Decimal(amount))
    assert one(spelled).amount == amount
    assert spelled[0].isupper() == model[0].isupper()


@given(st.decimals("0", "1e9", places=4), st.decimals("0", "1e9", places=3))
def test_spell_like_keeps_decimals(shape: Decimal, amount: Decimal) -> None:
    spelled = values.spell_like(str(shape), amount)
    assert len(spelled.partition(".")[2]) == len(str(shape).partition(".")[2])


@pytest.mark.parametrize(
    ("model", "amount", "spelled"),
    [
        ("1,204", "9876", "9,876"),
        ("1204", "9876", "9876"),
        ("120", "9876", "9,876"),
        ("2019", "2021", "2021"),
        ("1.20", "-3", "3.00"),
        ("12", "3.7", "4"),
    ],
)
def test_spell_like_keeps_commas(model: str, amount: str, spelled: str) -> None:
    assert values.spell_like(model, Decimal(amount)) == spelled


@pytest.mark.parametrize(
    ("text", "count"), [("$1,577.00 million", 2), ("5 mg", 0), ("(2.9)%", 1), ("seven", 0)]
)
def test_decimals_counts_what_is_spelled(text: str, count: int) -> None:
    assert values.decimals(one(text)) == count


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("7 days", "1 week", True),
        ("1000 mg", "1 g", True),
        ("842 metres", "842 meters", True),
        ("48 hours", "2 days", True),
        ("18 months", "1.5 years", True),
        ("20 mg", "20 g", False),
        ("9 days", "9 weeks", False),
        ("30 days", "1 month", False),
        ("5 ml", "5 mg", False),
    ],
)
def test_units_of_one_measure_are_converted(left: str, right: str, equal: bool) -> None:
    one, other = values.find(left)[0], values.find(right)[0]
    assert values.same(one, other) is equal
    assert values.close(one, other) is equal
