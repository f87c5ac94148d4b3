"""Rule edits as a whole: exact, at one site of one base, the same for the same seed."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import item

from halubench.perturb import definitions, restate, rules
from halubench.perturb.base import Statement
from halubench.records import Candidate, Edit
from halubench.text import digest

KNOWN = definitions.load_all()


@given(st.text(max_size=40), st.text(max_size=10), st.data())
def test_apply_changes_the_named_span_alone(text: str, new: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    made = rules.apply(text, Edit(start, end, text[start:end], new))
    assert made.startswith(text[:start] + new)
    assert made.endswith(text[end:])
    assert len(made) == len(text) - (end - start) + len(new)
    assert rules.apply(made, Edit(start, start + len(new), new, text[start:end])) == text


def test_apply_refuses_what_does_not_stand_there() -> None:
    with pytest.raises(ValueError, match="does not stand at 1:2"):
        rules.apply("abc", Edit(1, 2, "x", "y"))


@given(st.lists(st.sampled_from(["choice", "random", "sample"]), max_size=5), st.text(), st.text())
def test_late_random_numbers_are_those_of_their_seed(
    draws: list[str], left: str, right: str
) -> None:
    late, now = rules.LateRandom(), Random(int(digest(left, right)[:16], 16))
    late.begin("never drawn from")
    late.begin(left, right)
    for name in draws:
        told = {"choice": (range(99),), "random": (), "sample": (range(99), 4)}[name]
        assert getattr(late, name)(*told) == getattr(now, name)(*told)


NUMBERS = st.integers(2, 9999)
VOCABULARY = (
    "increased higher than more women with mild asthma not only May the an increase was net "
    "profit of significant early after treatment in vitro Otto Brandt Calne by likely may"
)
WORDS = st.lists(
    st.sampled_from(VOCABULARY.split()),
    min_size=8,
    max_size=25,
).map(" ".join)


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    prose, first, second, third = draw(WORDS), draw(NUMBERS), draw(NUMBERS), draw(NUMBERS)
    unit = draw(st.sampled_from([" mg", "%", " million", " cars", ""]))
    gold = draw(st.sampled_from([f"{first}{unit}", f"{prose.capitalize()} {first}{unit}.", "yes"]))
    passage = f"{prose}: {first}{unit}, {second}{unit} by Otto Brandt, {third:,}{unit} by Orla Venn in Calne."
    domain = draw(st.sampled_from(["general", "medical", "finance"]))
    question = draw(
        st.sampled_from(["What was the change?", "Which was it, 5 or 6?", "Who saw it?"])
    )
    made = restate.in_sentence(item(passage, question, gold, domain=domain), gold)
    whole = Statement(made.item, gold, 0, len(gold))
    return draw(st.sampled_from([made, whole]))


@given(statements(), st.integers(0, 3))
def test_every_candidate_is_an_edit_of_its_base_inside_the_answer(
    statement: Statement, seed: int
) -> None:
    for one in rules.propose(statement, seed, KNOWN):
        edit = one.fail_edit
        assert one.base[edit.start : edit.end] == edit.old
        assert one.base[: edit.start] + edit.new + one.base[edit.end :] == one.fail_answer
        assert one.fail_answer != one.pass_answer
        twin = one.pass_edit
        assert one.pass_answer == (rules.apply(one.base, twin) if twin else one.base)
        if one.base == statement.text:
            assert statement.start <= edit.start <= edit.end <= statement.end
        assert statement.item.domain in KNOWN[one.perturbation].domains
        assert (one.generator, one.prompt_hash) == ("rules", KNOWN[one.perturbation].hash)


@given(statements(), st.integers(0, 3))
def test_the_same_seed_gives_the_same_candidates_whatever_the_order_of_perturbations(
    statement: Statement, seed: int
) -> None:
    def key(one: Candidate) -> tuple[str, str]:
        return one.perturbation, one.fail_answer

    first = rules.propose(statement, seed, KNOWN)
    assert rules.propose(statement, seed, KNOWN) == first
    turned = rules.propose(statement, seed, dict(reversed(KNOWN.items())))
    assert sorted(map(key, turned)) == sorted(map(key, first))


MANY = "Of the cars, " + ", ".join(f"{number} left" for number in range(20, 60)) + "."


def drawn(seed: int, name: str = "one") -> list[str]:
    one = item(MANY, "How many stayed?", "31", id=name)
    statement = restate.restate(one, "restate")
    assert isinstance(statement, Statement)
    return [candidate.fail_edit.new for candidate in rules.propose(statement, seed, KNOWN)]


def test_seeds_and_items_draw_differently() -> None:
    assert len({tuple(drawn(seed)) for seed in range(12)}) > 3
    assert len({tuple(drawn(0, str(number))) for number in range(12)}) > 3


def test_a_perturbation_serves_its_domains_only() -> None:
    one = item("Net sales were $4 million.", "?", "The net sales were high.", domain="finance")
    statement = Statement(one, one.answer, 0, len(one.answer))
    found = {candidate.perturbation for candidate in rules.propose(statement, 0, KNOWN)}
    assert "metric-confusion" in found
    elsewhere = dataclasses.replace(statement, item=dataclasses.replace(one, domain="general"))
    found = {candidate.perturbation for candidate in rules.propose(elsewhere, 0, KNOWN)}
    assert found
    assert "metric-confusion" not in found


def test_a_perturbation_without_a_rule_proposes_nothing() -> None:
    prompted = {
        name: one.model_copy(update={"rule": None, "name": name}) for name, one in KNOWN.items()
    }
    statement = restate.restate(item(MANY, "How many stayed?", "31"), "restate")
    assert isinstance(statement, Statement)
    assert rules.propose(statement, 0, prompted) == []


def test_the_studys_conclusion_is_edited_beside_its_long_answer() -> None:
    text = "The new sole of the boot did not lower the number of blisters among walkers."
    study = item(
        text.lower(),
        "Does it help?",
        text,
        domain="medical",
        meta={"final_decision": "no"},
    )
    statement = restate.restate(study, "restate")
    assert isinstance(statement, Statement)
    found = rules.propose(statement, 0, KNOWN)
    [turned] = [one for one in found if one.perturbation == "conclusion-flip"]
    assert (turned.fail_edit.old, turned.fail_edit.new) == ("no", "yes")
    assert turned.base != statement.text
