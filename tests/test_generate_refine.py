"""The audit's word while rows can be changed, anchoring by a model, a jury with quotes."""

import asyncio
import json
from collections import Counter

import pytest
from generate_world import TOWNS, ask
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import ScriptedServer
from strong_server import Strong

from halubench import dataset, sources
from halubench.audit.words import giveaway
from halubench.generate import generate
from halubench.models.base import Completion
from halubench.perturb import anchored
from halubench.records import Candidate, Edit, Example, Item, Rejected, Unscored
from halubench.verify.ballot import Ballot, Vote, by_hardness
from halubench.verify.juror import read
from halubench.verify.jury import vote
from halubench.verify.proof import proves_fail

PASSAGE = "The ferry of Calne carries 48 cars. Its master is Anna Berg, its owner Carl Lund."
ITEM = Item("s", "1", "general", PASSAGE, "Who is the master?", "Anna Berg", ("Anna Berg",))


def said(score, *quotes):
    claims = [{"claim": "c", "quote": quote} for quote in quotes]
    return Completion(json.dumps({"claims": claims, "SCORE": score}))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (said("PASS", "carries 48 cars"), "PASS"),
        (said("PASS", "The ferry … 48 cars"), "PASS"),
        (said("FAIL"), "FAIL"),
        (said("FAIL", ""), "FAIL"),
        (said("FAIL", "its owner Carl Lund"), "FAIL"),
        (said("PASS"), Unscored("PASS without a quote for each claim")),
        (said("PASS", "carries 48 cars", ""), Unscored("PASS without a quote for each claim")),
        (said("PASS", "carries 49 cars"), Unscored("a quote is not in the passage")),
        (said("FAIL", "carries no cars"), Unscored("a quote is not in the passage")),
        (Completion('{"claims": 7, "SCORE": "FAIL"}'), "FAIL"),
    ],
)
def test_a_vote_counts_only_with_quotes_that_the_passage_has(answer, verdict):
    assert read(answer, PASSAGE).verdict == verdict


def pair(old, new, base=None, passage=PASSAGE):
    text = base or f"It is {old}."
    start = text.index(old)
    item = Item("s", "1", "general", passage, "What?", old, (old,))
    edit = Edit(start, start + len(old), old, new)
    return Candidate(
        item, text, text, text.replace(old, new), edit, None, "number-swap", "c", "L1", "", "m"
    )


@pytest.mark.parametrize(
    ("old", "new", "proven"),
    [
        ("48", "49", True),
        ("48 cars", "52 cars", True),
        ("48", "48.0", False),
        ("7", "9", False),
        ("Anna Berg", "Carl Lund", False),
        ("Anna Berg", "52", False),
    ],
)
def test_code_proves_a_value_wrong_only_where_the_passage_has_the_true_one_alone(old, new, proven):
    assert proves_fail(pair(old, new)) is proven
    assert not proves_fail(pair(old, new, passage=f"{PASSAGE} Also {new}."))


class Reader:
    """Votes by a table of (answer, pass); says PASS to whatever is not in it."""

    def __init__(self, table, *, rewords=True):
        self.table, self.rewords, self.asked = table, rewords, []

    async def hear(self, rows, turn):
        for row in rows:
            self.asked.append((row.answer, turn))
            yield row.id, Vote(self.table.get((row.answer, turn), "PASS"), "q")


def heard(candidate, *readers):
    jurors = {f"j{n}": one for n, one in enumerate(readers)}
    return asyncio.run(vote(jurors, [candidate], {}, 0))[0]


WRONG = ("It is Carl Lund.", "It is Anna Berg.")


def test_a_split_row_is_put_to_all_once_more_and_that_vote_counts():
    right = {(WRONG[0], turn): "FAIL" for turn in (0, 1)}
    late = {(WRONG[0], 1): "FAIL"}
    readers = Reader(right), Reader(late)
    ballot = heard(pair("Anna Berg", "Carl Lund"), *readers)
    assert ballot.refusal() is None
    assert ballot.hardness() == 1 / 8
    assert [one.asked.count((WRONG[0], 1)) for one in readers] == [1, 1]
    assert not any((WRONG[1], 1) in one.asked for one in readers)
    assert json.loads(ballot.json())["j1"]["first"] == {"PASS": "PASS", "FAIL": "PASS"}


def test_a_row_on_which_all_agree_is_not_asked_again_and_a_plain_judge_never():
    both = {(WRONG[0], 0): "PASS"}
    reader = Reader(both)
    assert heard(pair("Anna Berg", "Carl Lund"), reader).refusal()
    plain = Reader({(WRONG[0], 0): Unscored("x")}, rewords=False)
    assert (
        heard(pair("Anna Berg", "Carl Lund"), plain).refusal() == "jury: a vote could not be read"
    )
    assert {turn for _, turn in (*reader.asked, *plain.asked)} == {0}


def test_what_code_proves_is_kept_against_the_jury_and_is_hard():
    ballot = heard(pair("48", "49"), Reader({}), Reader({}))
    assert ballot.proven
    assert ballot.refusal() is None
    assert ballot.hardness() == 0.5
    assert json.loads(ballot.json())["code"] == {"FAIL": "FAIL"}


VERDICTS = st.sampled_from(["PASS", "FAIL", Unscored("x")])
BALLOTS = st.lists(
    st.builds(
        Ballot,
        votes=st.lists(st.tuples(st.just("j"), VERDICTS, VERDICTS), min_size=1, max_size=3).map(
            tuple
        ),
        proven=st.booleans(),
    ),
    max_size=12,
)


@given(BALLOTS)
def test_every_ballot_is_in_one_class_of_hardness(ballots):
    found = by_hardness(ballots)
    assert sum(one["kept"] + one["dropped"] for one in found) == len(ballots)
    assert sum(one["kept"] for one in found) == sum(not one.refusal() for one in ballots)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"supported": False}, "does not support"),
        ({"quote": "the master is Bo"}, "not a quote"),
        ({"quote": ""}, "not a quote"),
        ({"statement": "The master is Carl Lund."}, "does not hold the answer"),
        ({"statement": "The master is Anna Berg"}, "not one sentence"),
        ({"statement": "The master is Anna Berg. She is kind."}, "not one sentence"),
        ({"statement": "The master of the 52 cars is Anna Berg."}, "number of its own"),
        ({"statement": "Anna Berg bravely commands several harbour vessels."}, "more than"),
    ],
)
def test_a_statement_of_the_model_is_held_to_the_passage(change, reason):
    told = {"quote": "Its master is Anna Berg", "supported": True}
    reply = {**told, "statement": "The master of the ferry is Anna Berg.", **change}
    made = anchored.apply(ITEM, json.dumps(reply))
    if reason:
        assert isinstance(made, Rejected)
        assert reason in made.reason
    else:
        assert made.text[made.start : made.end] == "Anna Berg"


@given(st.text())
def test_no_reply_of_an_anchoring_model_is_a_crash(text):
    assert isinstance(anchored.apply(ITEM, text), Rejected)


def rows(words):
    return [
        Example("", f"Passage {n}.", "Q?", f"Answer {n % 7} {word} here.", label, "s")
        for n, word in enumerate(words)
        for label, word in (("PASS", "calm"), ("FAIL", word))
    ]


def test_a_word_of_the_fail_answers_is_found_and_an_even_one_is_not():
    examples = rows(["Ravenford"] * 40)
    found = giveaway(examples, [one.passage for one in examples], 0.6, 0)
    assert found.excess > 0.3
    assert "ravenford" in found.words
    even = rows(["calm"] * 40)
    assert giveaway(even, [one.passage for one in even], 0.6, 0).words == ()
    assert giveaway(examples[:10], [one.passage for one in examples[:10]], 0.6, 0).excess == 0


def masters(folder, count):
    """Gold questions after names; a passage holds four of them."""
    names = ["Anna", "Carl", "Dora", "Emil", "Frida", "Georg", "Hanna", "Ivar", "Johan", "Karin"]
    path = folder / "masters.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            four = [f"{names[(n + k) % 10]} {TOWNS[(n // 3 + 2 * k) % 8]}" for k in range(4)]
            town = f"{TOWNS[n % 8]} {chr(65 + n // 8)}"
            passage = (
                f"In {town} the ferry was steered by {four[0]}. The harbour of {town} was led by "
                f"{four[1]}, the school of number {n} by {four[2]} and the mill by {four[3]}."
            )
            when = "in the summer of the long drought, before the harbour was closed"
            told = {"passage": passage, "question": f"Who steered the ferry of {town} {when}?"}
            file.write(json.dumps({**told, "id": f"m{n}", "answer": four[0], "domain": "general"}))
            file.write("\n")
    return path


def test_a_word_that_the_model_overuses_is_banned_and_the_pairs_are_proposed_anew(tmp_path):
    path = masters(tmp_path, 60)
    items = sources.read(str(path), sources.SourceOptions()).items
    with ScriptedServer(Strong(items, slips=0.0, taste="Ravenford Hall")) as server:
        wanted = ask(tmp_path, path, model=f"openai:pen@{server.url}")
        generate(wanted)
        told = [seen.prompt for seen in server.seen if "Do not use these words" in seen.prompt]
    manifest = json.loads((wanted.out / "manifest.json").read_text("utf-8"))
    first = manifest["rounds"][0]
    assert any("ravenford" in word for word in first["banned"])
    assert first["excess_after"] < first["excess_before"]
    assert len(told) >= first["pairs"] > 0
    data = dataset.load(str(wanted.out))
    used = Counter("Ravenford" in one.answer for one in data.examples if one.label == "FAIL")
    assert used[False] > used[True]


def test_dropped_pairs_are_kept_aside_as_labelled_rows(tmp_path):
    path = masters(tmp_path, 40)
    items = sources.read(str(path), sources.SourceOptions()).items
    with ScriptedServer(Strong(items, slips=0.0, dissent=0.4)) as server:
        jury = (f"openai:one@{server.url}", f"openai:two@{server.url}")
        wanted = ask(tmp_path, path, model=f"openai:pen@{server.url}", jury=jury)
        generate(wanted)
    aside = dataset.load(str(wanted.out / "aside.jsonl"))
    assert Counter(one.label for one in aside.examples)["PASS"] * 2 == len(aside.examples) > 0
    manifest = json.loads((wanted.out / "manifest.json").read_text("utf-8"))
    dropped = sum(one["dropped"] for one in manifest["jury"]["hardness"])
    kept = sum(one["kept"] for one in manifest["jury"]["hardness"])
    assert dropped + kept == manifest["jury"]["pairs"]
    assert dropped > 0
    assert manifest["jury"]["second_pass"] > 0
