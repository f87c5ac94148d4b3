"""Each reason of the free gate is reached by one candidate that is otherwise clean."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from perturb_world import item

from halubench.perturb import rules
from halubench.records import Candidate, Edit
from halubench.verify import checks

PASSAGE = "The harbour counted 4,120 cars and 4,311 vans. In the north of the bay, sales rose."
BASE = "In all of the year the ferry of the town carried 4,120 cars over the bay."


def twin(
    base: str = BASE,
    old: str = "4,120",
    new: str = "4,311",
    *,
    kept: str | None = None,
    **more: object,
) -> Candidate:
    """A twin that replaces the first ``old`` of the base by ``new`` in FAIL and ``kept`` in PASS."""
    start = base.index(old)
    fail = Edit(start, start + len(old), old, new)
    keep = None if kept is None else Edit(start, start + len(old), old, kept)
    gold = item(PASSAGE, "How many cars did it carry?", "4,120", aliases=("4,120", "4120"))
    made = Candidate(
        item=gold,
        base=base,
        pass_answer=rules.apply(base, keep) if keep else base,
        fail_answer=rules.apply(base, fail),
        fail_edit=fail,
        pass_edit=keep,
        perturbation="mine",
        relation="contradiction",
        level="L2",
        change_made=f"{old} -> {new}",
        generator="rules",
    )
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


CLEAN = {
    "number": twin(),
    "word with twin": twin(old="carried", new="lost", kept="took"),
    "sign": twin("In all of the year the sales of the town changed by -5% over the bay.", "-5", "5"),
    "magnitude": twin("In all of the year the ferry took $8.4 million from the town.", "million", "billion"),
}  # fmt: skip


@pytest.mark.parametrize("one", CLEAN.values(), ids=CLEAN)
def test_a_clean_candidate_passes(one: Candidate) -> None:
    assert checks.check(one) is None
    assert checks.check(one, bare=True) is None


LONG = BASE.replace("over the bay", "over the wide blue bay that lies in front of the town " * 2)
QUOTED = "in the north of the bay, sales rose"
REASONS = {
    "exactly the named span": [
        twin(fail_answer=BASE.replace("4,120", "4,311").replace("town", "village")),
        twin(pass_answer=BASE + " Indeed."),
        twin(old="carried", new="lost", kept="took", pass_answer=BASE),
        twin(fail_edit=Edit(0, 2, "On", "At")),
    ],
    "twins do not differ": [
        twin(new="4,120"),
        twin(old="carried", new="lost", kept="lost"),
        twin(old="the year", new="The  year"),
    ],
    "more than 3 tokens": [
        twin(LONG, "carried 4,120 cars over the wide blue bay", "a b c d e f g h 4,311 i j k l m n o")
    ],
    "more than 20 % of the answer": [twin("It took 4,120 cars.", "4,120 cars", "some vans")],
    "length differs": [twin(old="carried", new="telecommunicated")],
    "gives itself away": [
        twin(old="all of the", new="wrong of it"),
        twin(old="ferry of", new="ferry not", kept="original answer"),
        twin(LONG, "carried", "instead of"),
    ],
    "text of a list": [twin(BASE + " ['x', 'y'] and so on as it was in the year before that.")],
    "white space or final punctuation": [
        twin(old="bay.", new="sea"),
        twin(old="bay.", new="sea!"),
        twin(old="town", new="old  one"),
        twin(old="town", new="city\n"),
    ],
    "digits on one side": [twin(old="town", new="B12")],
    "capitals differ": [twin(old="town", new="Calne")],
    "is a gold answer": [
        twin(old="4,120", new="4,220", item=item(PASSAGE, "?", "4,120", aliases=("4,220",))),
        twin("It carried 4,120 cars of the whole town in the whole year before.", "cars", "vans",
             item=item(PASSAGE, "?", "x", aliases=("it carried 4,120 vans of the whole town in the whole year before",))),
    ],
    "wrong value equals the gold": [
        twin(item=item(PASSAGE, "?", "$4,311 thousand", aliases=())),
        twin(old="4,120", new="4,121", item=item(PASSAGE, "?", "4,120.9", aliases=())),
        twin("In all of the year the sales of the town changed by -5% over the bay.", "-5", "5",
             item=item(PASSAGE, "?", "-5%", aliases=("5%",))),
    ],
    "states the wrong answer word for word": [
        twin("The harbour counted 4,120 vans", "4,120", "4,311",
             item=item("First, the harbour counted 4,311 vans.", "?", "4,120 vans")),
    ],
    "breaks a quote": [twin(f"It is known that {QUOTED}.", "bay", "sea", level="L1")],
}  # fmt: skip
BROKEN = [
    pytest.param(reason, one, id=f"{reason}-{number}")
    for reason, ones in REASONS.items()
    for number, one in enumerate(ones)
]


@pytest.mark.parametrize(("reason", "one"), BROKEN)
def test_each_fault_is_named(reason: str, one: Candidate) -> None:
    assert reason in str(checks.check(one))


def test_a_bare_gold_answer_may_change_wholly_but_not_become_gold() -> None:
    bare = twin("4,120", "4,120", "4,311")
    assert checks.check(bare) is not None
    assert checks.check(bare, bare=True) is None
    again = twin("4,120", "4,120", "4,120.0")
    assert checks.check(again, bare=True) == "the wrong value equals the gold"
    listed = twin("4,120", "4,120", "['4,311']")
    assert checks.check(listed, bare=True) == "an answer is the text of a list"


def test_a_bare_quote_may_be_broken() -> None:
    [quote] = REASONS["breaks a quote"]
    assert "breaks a quote" not in str(checks.check(quote, bare=True))


def test_l1_and_long_values_may_stand_in_the_passage() -> None:
    one = REASONS["states the wrong answer word for word"][0]
    assert "word for word" not in str(checks.check(dataclasses.replace(one, level="L1")))


TOKENS = "the a mill 4 5.5 , . rose fell"
TEXTS = st.lists(st.sampled_from(TOKENS.split()), max_size=12).map(" ".join)


@given(TEXTS, TEXTS)
def test_edited_share_is_a_symmetric_share(left: str, right: str) -> None:
    share = checks.edited_share(left, right)
    assert 0.0 <= share <= 1.0
    assert share == checks.edited_share(right, left)
    assert (share == 0.0) == (left.split() == right.split())


@given(TEXTS, TEXTS, TEXTS)
def test_edited_share_obeys_the_triangle(left: str, middle: str, right: str) -> None:
    def edits(one: str, other: str) -> float:
        longest = max(len(one.split()), len(other.split()), 1)
        return round(checks.edited_share(one, other) * longest)

    assert edits(left, right) <= edits(left, middle) + edits(middle, right)


def test_edited_share_of_known_pairs() -> None:
    assert checks.edited_share("a b c d e", "a b X d e") == pytest.approx(1 / 5)
    assert checks.edited_share("a b c d", "a c d") == pytest.approx(1 / 4)
    assert checks.edited_share("rose 5.5 percent", "rose 5.6 percent") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("kind", "edit", "reason"),
    [
        ("number-swap", {}, None),
        ("number-swap", {"old": "carried", "new": "lost"}, "one side of the edit holds no value"),
        ("number-swap", {"new": "4,120.4"}, "the wrong value equals the gold"),
        ("dose-unit-shift", {}, "the edit is no exchange of a unit"),
        ("entity-swap", {"old": "carried", "new": "4120"}, "digits on one side only"),
    ],
)
def test_an_edit_has_to_be_of_its_kind(kind: str, edit: dict[str, str], reason: str | None) -> None:
    assert checks.check(twin(**edit, perturbation=kind)) == reason  # type: ignore[arg-type]


def test_a_part_of_the_gold_is_no_wrong_name() -> None:
    base = "In the end of the long match on that day it was won by Orla Venn of the club."
    gold = item("Venn and Brandt played.", "Who won?", "Mara Brandt")
    made = twin(base, "Venn", "Brandt", item=gold, perturbation="entity-swap")
    assert checks.check(made) == "the wrong name is part of a gold answer"


def test_a_listed_synonym_is_no_error() -> None:
    base = "In the harbour of the town at least forty of the boats on the water were red."
    made = twin(base, "at least", "no less than", perturbation="threshold-flip")
    assert checks.check(made) == "the word that was put in says the same"
    assert checks.check(twin(base, "at least", "at most", perturbation="threshold-flip")) is None
