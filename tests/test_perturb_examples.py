"""The worked examples of every perturbation are executed: they are what its YAML promises."""

from __future__ import annotations

import pytest

from halubench.perturb import definitions
from halubench.verify import worked

KNOWN = definitions.load_all()
RULED = {name: one for name, one in KNOWN.items() if one.rule}
LEVELS = {
    "swap": {"L2"}, "exchange": {"L2"}, "flip": {"L1"}, "scale": {"L1"},
    "row": {"L3"}, "column": {"L3"}, "label": {"L3"}, "shift": {"L3"}, "operand": {"L3"},
    "operation": {"L3"}, "sign": {"L3"}, "conclusion": {"L3"}, "choice": {"L2", "L3"},
}  # fmt: skip


@pytest.mark.parametrize("one", KNOWN.values(), ids=KNOWN)
def test_the_worked_examples_hold(one: definitions.Perturbation) -> None:
    assert list(worked.faults(one)) == []


@pytest.mark.parametrize("one", KNOWN.values(), ids=KNOWN)
def test_every_shipped_kind_says_level_twin_and_check(one: definitions.Perturbation) -> None:
    assert one.levels
    assert one.twin
    assert one.rule or one.check in ("jury", "name")


@pytest.mark.parametrize("one", RULED.values(), ids=RULED)
def test_a_rule_proposes_at_the_levels_that_the_file_states(one: definitions.Perturbation) -> None:
    made = [edit for example in one.examples for edit in worked.edits(one, example)]
    assert {edit.level for edit in made} <= set(one.levels)
    assert one.rule is not None
    assert set(one.levels) <= LEVELS[one.rule.operator]


@pytest.mark.parametrize("one", [one for one in KNOWN.values() if one.rule and one.rule.words])
def test_no_word_is_its_own_opposite_or_paired_twice(one: definitions.Perturbation) -> None:
    assert one.rule is not None
    pairs = [frozenset(pair) for pair in one.rule.words]
    assert all(len(pair) == 2 for pair in pairs)
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("one", [one for one in KNOWN.values() if one.rule and one.rule.twins])
def test_a_twin_says_the_same_of_one_word_and_nothing_of_its_opposite(
    one: definitions.Perturbation,
) -> None:
    assert one.rule is not None
    twins = one.rule.twins
    assert set(twins) <= {word for pair in one.rule.words for word in pair}
    for pair in one.rule.words:
        said = [twins[word] for word in pair if word in twins]
        assert len(set(said)) == len(said)
        assert set(said).isdisjoint(pair)


def changed(name: str, **example: str) -> definitions.Perturbation:
    """A shipped kind with its first example changed."""
    one = KNOWN[name]
    first, *others = one.examples
    return one.model_copy(update={"examples": (first.model_copy(update=example), *others)})


@pytest.mark.parametrize(
    ("name", "example", "fault"),
    [
        ("number-swap", {"answer": "93"}, "example 1: its answer cannot be anchored"),
        ("number-swap", {"change": "48 -> 7"}, "not 48 -> 7"),
        ("number-swap", {"fail": "7"}, "example 1: the rule makes"),
        ("added-detail", {"fail": "Something else."}, "example 1: the gate refuses it"),
    ],
)
def test_a_fault_is_told_in_one_sentence(name: str, example: dict[str, str], fault: str) -> None:
    [told] = worked.faults(changed(name, **example))
    assert fault in told
    assert "\n" not in told


def test_two_examples_of_one_change_are_a_fault() -> None:
    one = KNOWN["number-swap"]
    twice = one.model_copy(update={"examples": one.examples[:1] * 2})
    assert next(worked.faults(twice)).startswith("it needs two worked examples")
