"""The worked examples of every perturbation are executed: they are what its YAML promises."""

from __future__ import annotations

import pytest

from halubench.perturb import definitions, restate, rules
from halubench.perturb.base import Statement
from halubench.records import Candidate, Item
from halubench.verify import checks

KNOWN = definitions.load_all()
WORKED = [
    pytest.param(one, example, id=f"{name}-{number}")
    for name, one in KNOWN.items()
    for number, example in enumerate(one.examples)
]


def item(one: definitions.Perturbation, example: definitions.Example) -> Item:
    return Item(
        "worked",
        one.name,
        one.domains[0],
        example.passage,
        example.question,
        example.answer,
        (example.answer,),
    )


def proposed(
    one: definitions.Perturbation, example: definitions.Example
) -> tuple[Statement, list[Candidate]]:
    """What any of a few seeds proposes: an operator draws among the values that would do."""
    statement = restate.restate(item(one, example), "restate")
    assert isinstance(statement, Statement), statement
    return statement, [
        candidate for seed in range(30) for candidate in rules.propose(statement, seed, KNOWN)
    ]


@pytest.mark.parametrize(("one", "example"), WORKED)
def test_the_stated_change_is_proposed_and_passes_the_checks(
    one: definitions.Perturbation, example: definitions.Example
) -> None:
    statement, found = proposed(one, example)
    own = [candidate for candidate in found if candidate.perturbation == one.name]
    stated = [candidate for candidate in own if candidate.change_made == example.change]
    assert stated, {candidate.change_made for candidate in own}
    right = statement.text[statement.start : statement.end]
    assert right.rstrip(".") == example.answer.rstrip(".")
    wrong = statement.text[: statement.start] + example.fail + statement.text[statement.end :]
    assert stated[0].fail_answer == wrong
    assert checks.check(stated[0]) is None


@pytest.mark.parametrize("one", KNOWN.values(), ids=KNOWN)
def test_two_different_examples_each(one: definitions.Perturbation) -> None:
    assert len({example.change for example in one.examples}) >= 2
    for example in one.examples:
        assert example.answer != example.fail


@pytest.mark.parametrize("one", [one for one in KNOWN.values() if one.rule and one.rule.words])
def test_no_word_is_its_own_opposite_or_paired_twice(one: definitions.Perturbation) -> None:
    assert one.rule is not None
    pairs = [frozenset(pair) for pair in one.rule.words]
    assert all(len(pair) == 2 for pair in pairs)
    assert len(set(pairs)) == len(pairs)
