"""The jury: blind, independent, unanimous or nothing."""

import asyncio
import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.records import Candidate, Edit, Item, Unscored
from halubench.verify.ballot import Ballot, Vote, fleiss_kappa
from halubench.verify.jury import check_jury, vote

UNREAD = Unscored("no verdict")
VERDICTS = st.sampled_from(["PASS", "FAIL", UNREAD])
BALLOTS = st.integers(2, 4).flatmap(
    lambda jurors: st.lists(
        st.lists(st.tuples(VERDICTS, VERDICTS), min_size=jurors, max_size=jurors).map(
            lambda pairs: Ballot(tuple((f"j{n}", *pair) for n, pair in enumerate(pairs)))
        ),
        min_size=1,
        max_size=12,
    )
)


def candidate(number: int) -> Candidate:
    item = Item("s", str(number), "general", f"Passage {number}.", "How many?", "7")
    edit = Edit(0, 1, "7", "9")
    return Candidate(
        item, "7 it was.", "7 it was.", "9 it was.", edit, None, "number", "c", "L1", "", "rules"
    )


class Juror:
    """Knows the truth and errs on the answers it is told to."""

    def __init__(self, wrong=()):
        self.seen = []
        self.wrong = wrong

    rewords = False

    async def hear(self, rows, turn):
        for row in rows:
            self.seen.append(row)
            verdict = "FAIL" if row.answer.startswith("9") else "PASS"
            if row.passage in self.wrong:
                verdict = self.wrong[row.passage]
            yield row.id, Vote(verdict)


def ballots(jurors, candidates, seed=0):
    return asyncio.run(vote(jurors, candidates, {}, seed))


def test_unanimous_pairs_are_kept_and_the_rest_says_why():
    candidates = [candidate(n) for n in range(4)]
    errs = Juror({"Passage 1.": "PASS", "Passage 2.": "FAIL", "Passage 3.": UNREAD})
    refusals = [b.refusal() for b in ballots({"a": Juror(), "b": errs}, candidates)]
    assert refusals == [
        None,
        "jury: FAIL answer not found hallucinated",
        "jury: PASS answer found hallucinated",
        "jury: a vote could not be read",
    ]


def test_jurors_see_neither_label_nor_twin():
    juror = Juror()
    ballots({"a": juror}, [candidate(n) for n in range(30)])
    assert len({row.id for row in juror.seen}) == 60
    assert not any(mark in row.id for row in juror.seen for mark in ("PASS", "FAIL", "-"))
    neighbours = Counter(
        one.passage == two.passage
        for one, two in zip(juror.seen[::2], juror.seen[1::2], strict=True)
    )
    assert neighbours[True] < 10


def test_order_depends_on_the_seed_alone():
    def order(seed, items):
        juror = Juror()
        ballots({"a": juror}, items, seed)
        return [row.answer + row.passage for row in juror.seen]

    items = [candidate(n) for n in range(10)]
    mixed = random.Random(1).sample(items, 10)
    assert order(1, items) == order(1, mixed)
    assert order(1, items) != order(2, items)


def test_votes_and_hardness_are_told_per_row():
    ballot = Ballot((("a", "PASS", "PASS"), ("b", "PASS", "FAIL")))
    told = {"a": {"PASS": "PASS", "FAIL": "PASS"}, "b": {"PASS": "PASS", "FAIL": "FAIL"}}
    assert json.loads(ballot.json()) == told
    assert ballot.hardness() == 0.25


@pytest.mark.parametrize(
    "jury",
    [
        ["openai:gpt-x"],
        ["openai:gpt-x@http://127.0.0.1:8000/v1"],
        ["openai:other", "openai:Other"],
        ["baseline:length"],
        ["recorded:votes.jsonl"],
    ],
)
def test_a_jury_that_is_not_independent_is_refused(jury):
    with pytest.raises(InputError):
        check_jury(jury, "openai:gpt-x")


def test_an_independent_jury_is_let_through():
    check_jury(["openai:other", "embedded:smollm2"], "openai:gpt-x")


def test_kappa_agrees_with_the_worked_example_of_two_categories():
    # Two raters, 2x2 counts 20/5/10/15: Scott's pi (Fleiss' kappa of two raters) by hand.
    cells = [("PASS", "PASS", 20), ("PASS", "FAIL", 5), ("FAIL", "PASS", 10), ("FAIL", "FAIL", 15)]
    said = [(a, b) for a, b, n in cells for _ in range(n)]
    pairs = [
        Ballot((("a", x[0], y[0]), ("b", x[1], y[1])))
        for x, y in zip(said[::2], said[1::2], strict=True)
    ]
    share = (20 * 2 + 5 + 10) / 100
    chance = share**2 + (1 - share) ** 2
    assert fleiss_kappa(pairs) == pytest.approx((0.7 - chance) / (1 - chance))


@given(BALLOTS)
def test_kappa_is_bounded_and_does_not_mind_the_order(sheets):
    kappa = fleiss_kappa(sheets)
    assert kappa is None or -1 - 1e-9 <= kappa <= 1 + 1e-9
    turned = fleiss_kappa([Ballot(tuple(reversed(sheet.votes))) for sheet in reversed(sheets)])
    assert turned == (kappa if kappa is None else pytest.approx(kappa))


@given(BALLOTS)
def test_a_pair_is_kept_exactly_when_nobody_is_wrong(sheets):
    for sheet in sheets:
        assert (sheet.refusal() is None) == (sheet.hardness() == 0)
