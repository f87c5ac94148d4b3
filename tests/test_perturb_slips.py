"""Arithmetic over a passage's numbers, and its typical slips."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import fails, ground, item

from halubench import values
from halubench.perturb import arithmetic, respell

SITES = ["number", "percent", "money"]


@pytest.fixture(autouse=True)
def _spelled_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(respell, "SHARE", 0.0)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("(7,125-5,534)/5,534", "0.29"),
        ("margin = 6098/16388", "0.37"),
        ("$42 + $29", "71"),
        ("(18,649+15,401) / 2", "17025"),
        ("1093/1874-1", "-0.42"),
        ("3 × 4", "12"),
    ],
)
def test_an_expression_in_a_text(text: str, result: str) -> None:
    [tree] = arithmetic.parse(text)
    found = arithmetic.evaluate(tree)
    assert found is not None
    assert round(found, 2) == Decimal(result)


@pytest.mark.parametrize("text", ["7,125", "no numbers", "1/0 of it", "(5", "5 - ", "__import__"])
def test_what_is_no_arithmetic_or_divides_by_zero(text: str) -> None:
    assert all(arithmetic.evaluate(tree) is None for tree in arithmetic.parse(text))


@given(st.integers(1, 999), st.integers(1, 999))
def test_a_formula_that_is_found_comes_to_the_value(one: int, other: int) -> None:
    gold = values.find(f"{one + other}")[0]
    made = arithmetic.formulas(gold, item(f"It was {one} and then {other}.", "How much?", "x"))
    for formula in made:
        amount = formula.amount()
        assert amount is not None
        assert arithmetic.rounds_to(amount, gold)
    assert made or gold.kind == "year" or one == other


def test_the_recorded_calculation_goes_before_those_that_fit_by_chance() -> None:
    of = item("42, 29, 50, 37", "?", "13", meta={"derivation": "50-37"})
    [formula] = arithmetic.formulas(values.find("13")[0], of)
    assert arithmetic.leaves(formula.tree) == [50, 37]


def test_a_recorded_number_that_the_passage_lacks_is_not_used() -> None:
    of = item("42 and 29", "?", "13", meta={"derivation": "50-37"})
    [formula] = arithmetic.formulas(values.find("13")[0], of)
    assert arithmetic.leaves(formula.tree) == [42, 29]


def slipped(operator: str, passage: str, gold: str) -> set[str]:
    text = f"The change was {gold} on the whole."
    return {
        wrong.removeprefix("The change was ").removesuffix(" on the whole.")
        for seed in range(8)
        for wrong in fails(
            ground(passage, "What was the change?", text, gold, seed=seed),
            operator=operator,
            sites=SITES,
        )
    }


def test_the_wrong_operation() -> None:
    assert slipped("operation", "42 and 29", "13") == {"71"}
    assert slipped("operation", "500 in 2020, 400 in 2019", "25%") == {"20%"}


def test_the_wrong_operand_is_a_near_number_of_the_passage() -> None:
    assert slipped("operand", "42, 29 and 31", "13") == {"11", "2"}
    assert slipped("operand", "42, 29 and 310", "13") == set()


def test_nothing_slips_onto_a_value_of_the_passage_nor_where_the_passage_states_the_gold() -> None:
    assert slipped("operation", "42, 29 and 71", "13") == set()
    assert slipped("operation", "42, 29 and 13", "13") == set()


def test_an_average_left_undivided_does_not_show_by_its_noughts() -> None:
    passage = "The mill ground 775 sacks of rye, 650 of oats and 613 of barley in that year."
    plain = ground(passage, "What was the average of rye and oats?", "It was 712.5 sacks.", "712.5")
    odd = ground(passage, "What was the average of oats and barley?", "It was 631.5.", "631.5")
    for one in (plain, odd):
        assert not any(wrong.count(".0") for wrong in fails(one, operator="operation", sites=SITES))
    near = "The mill ground 70 sacks of rye and 25 of oats in that year."  # 45 is as long as 95
    whole = ground(near, "What was the sum of rye and oats?", "It was 95.", "95")
    assert fails(whole, operator="operation", sites=SITES) == {"It was 45."}
