"""From statements to pairs: pools, turns of sources, choice and the votes of a jury."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from generate_world import ask, row
from hypothesis import given
from hypothesis import strategies as st

from halubench.generate.ask import silent
from halubench.generate.court import Court, key
from halubench.generate.job import Job
from halubench.generate.pen import in_turn
from halubench.generate.propose import Pool, RuleProposer
from halubench.generate.select import Wanted, select
from halubench.generate.spend import Purse
from halubench.perturb.base import Statement
from halubench.records import Item, Unscored
from halubench.verify.ballot import Ballot, Vote
from halubench.verify.jury import vote

UNREAD = Unscored("no verdict")


def statement(number, source_ds="s"):
    made = row(number)
    cars = made["answer"]
    text = f"The number of cars that the ferry carries is {cars}."
    item = Item(
        source_ds,
        f"{source_ds}{number}",
        "general",
        made["passage"],
        made["question"],
        cars,
        (cars,),
    )
    return Statement(item, text, text.index(cars), text.index(cars) + len(cars))


def proposed(count, sources=("s",)):
    pool = Pool()
    statements = [statement(n, name) for name in sources for n in range(count)]
    told = []
    return RuleProposer(pool, statements, 0, told.append), statements, told


def test_every_statement_has_candidates_or_a_fate():
    proposer, statements, told = proposed(6)
    pool = proposer.pool
    assert told == list(range(1, 7))
    lost = [one for stage in ("perturb", "gate") for one in pool.rejected(statements, stage)]
    assert len(pool.passed) + len(lost) == len(statements)
    passed = sum(len(found) for found in pool.passed.values())
    assert passed == sum(not reason for reason in pool.reasons)


def test_an_item_that_nobody_asked_about_says_so():
    pool = Pool()
    (lost,) = pool.rejected([statement(1)], "perturb")
    assert lost.reason == "not needed: enough pairs"
    pool.unasked = "not asked: ceiling on candidates reached"
    assert pool.rejected([statement(1)], "perturb")[0].reason == pool.unasked
    assert pool.rejected([statement(1)], "gate") == []


@given(st.lists(st.sampled_from("abc"), max_size=12), st.sampled_from(["0", "1"]))
def test_sources_take_turns_and_nobody_is_left_out(names, seed):
    statements = [statement(n, name) for n, name in enumerate(names)]
    kinds = {one.item.id: "one" for one in statements}
    order = list(in_turn(statements, kinds, seed))
    assert sorted(one.item.id for one in order) == sorted(one.item.id for one in statements)
    assert order == list(in_turn(statements[::-1], kinds, seed))
    sizes = Counter(names)
    everyone = min(sizes.values(), default=0) * len(sizes)
    if everyone:
        seen = Counter(one.item.source_ds for one in order[:everyone])
        assert set(seen.values()) == {min(sizes.values())}


class Reader:
    """A juror that gives each answer the verdict its function says."""

    rewords = True

    def __init__(self, verdict):
        self.verdict = verdict
        self.asked = []

    async def hear(self, rows, turn):
        for one in rows:
            self.asked.append((turn, one.id))
            yield one.id, Vote(self.verdict(one))


def knows(one):
    cars = one.passage.partition("carries ")[2].split()[0]
    return "PASS" if f" {cars}" in one.answer else "FAIL"


def jury(*readers):
    jurors = {f"j{n}": one for n, one in enumerate(readers)}
    job = Job(ask(Path("nowhere"), jury=tuple(jurors)), None, Purse(), silent)
    return Court(job, _jurors=jurors)


@pytest.mark.parametrize("accept", [1, 3, 6, 99])
def test_without_a_jury_each_item_is_kept_or_left_out_once(accept):
    proposer, _, _ = proposed(6)
    found = asyncio.run(select(proposer, Wanted(accept, 0), jury()))
    ids = [one.item.id for one in found.kept] + [one.id for one in found.by_choice]
    assert sorted(ids) == sorted(proposer.pool.passed)
    assert len(found.kept) <= accept
    assert found.by_jury == []


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [
        (lambda _: "PASS", "jury: FAIL answer not found hallucinated"),
        (lambda _: "FAIL", "jury: PASS answer found hallucinated"),
        (lambda _: UNREAD, "jury: a vote could not be read"),
    ],
)
def test_a_jury_that_is_always_wrong_leaves_nothing(verdict, reason):
    proposer, _, _ = proposed(4)
    found = asyncio.run(select(proposer, Wanted(2, 0), jury(Reader(verdict))))
    assert list(found.kept) == []
    refused = {one.id: one.reason for one in found.by_jury}
    left = {one.id for one in found.by_choice}
    assert refused.keys() | left == set(proposer.pool.passed)
    assert set(refused.values()) == {reason}


def test_no_pair_is_put_to_the_vote_twice_and_votes_go_by_item():
    proposer, _, _ = proposed(5)
    reader = Reader(knows)
    court = jury(reader)
    first = asyncio.run(select(proposer, Wanted(3, 0), court))
    asked = len(reader.asked)
    again = asyncio.run(select(proposer, Wanted(3, 0), court))
    assert [key(one) for one in again.kept] == [key(one) for one in first.kept]
    assert len(reader.asked) == asked == len(set(reader.asked))
    votes = court.votes(first.kept)
    assert votes.keys() == {one.item.id for one in first.kept}
    assert all(hardness == 0.0 for _, hardness in votes.values())


def test_only_votes_that_an_endpoint_did_not_give_are_unanswered():
    court = jury()
    court.ballots = {
        ("a", "p", "f"): Ballot((("j", Unscored("endpoint: timeout"), "FAIL"),)),
        ("b", "p", "f"): Ballot((("j", Unscored("no verdict"), Unscored("endpoint: timeout")),)),
        ("c", "p", "f"): Ballot((("j", "PASS", Unscored("endpoint: HTTP 500")),)),
    }
    assert court.unanswered() == {"timeout": 2, "HTTP 500": 1}


def test_a_vote_that_was_cast_before_is_not_asked_again():
    pool = proposed(1)[0].pool
    (one, *_), *_ = map(pool.read, pool.passed.values())
    reader, cast = Reader(knows), {}
    (first,) = asyncio.run(vote({"j": reader}, [one], cast, 0))
    (second,) = asyncio.run(vote({"j": reader}, [one], cast, 0))
    assert (first, len(reader.asked), len(cast)) == (second, 2, 2)
