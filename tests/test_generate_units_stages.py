"""The stages before any edit, item by item: ids, groups, exclusion, anchoring."""

import json
import random
from collections import Counter
from dataclasses import replace

import pytest
from generate_world import ask, row, source
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.generate import stages
from halubench.generate.ledger import kind
from halubench.records import Item
from halubench.shelf import Shelf
from halubench.sources import SourceRead

LONG = " ".join(f"word{n}" for n in range(60))
PASSAGES = (
    f"{LONG} one.",
    f"{LONG} two.",
    "A short passage on ferries.",
    "Another on trams, and buses.",
)


def item(number, passage=PASSAGES[0], source_ds="s", **meta):
    return Item(source_ds, str(number), "general", passage, "How many?", "7", ("7",), meta)


def gold(number, **change):
    made = row(number)
    fields = ("source_ds", "id", "domain", "passage", "question", "answer")
    return replace(Item(*(made[name] for name in fields), (made["answer"],)), **change)


ITEMS = st.lists(
    st.tuples(st.sampled_from(PASSAGES), st.sampled_from([None, "a", "b"]), st.sampled_from("st")),
    max_size=10,
).map(
    lambda drawn: [
        item(n, passage, name, **({"article_key": key} if key else {}))
        for n, (passage, key, name) in enumerate(drawn)
    ]
)


def parts(groups):
    """The partition as sets of ids, whatever the keys are."""
    return {frozenset(one for one in groups if groups[one] == key) for key in groups.values()}


@settings(max_examples=25)
@given(ITEMS, st.randoms(use_true_random=False))
def test_groups_are_a_partition_that_does_not_mind_the_order(items, chance):
    groups = stages.group(items)
    assert sorted(groups) == sorted(one.id for one in items)
    mixed = list(items)
    chance.shuffle(mixed)
    assert stages.group(mixed) == groups


@settings(max_examples=25)
@given(ITEMS)
def test_what_belongs_together_is_never_split(items):
    groups = stages.group(items)
    for one in items:
        for other in items:
            same_article = (
                one.source_ds == other.source_ds
                and one.meta.get("article_key") is not None
                and one.meta.get("article_key") == other.meta.get("article_key")
            )
            if one.passage == other.passage or same_article:
                assert groups[one.id] == groups[other.id]


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ([], 0),
        ([item(1, PASSAGES[2]), item(2, PASSAGES[3])], 2),
        ([item(1, PASSAGES[0]), item(2, PASSAGES[1])], 1),
        ([item(1, PASSAGES[2]), item(2, PASSAGES[2].upper())], 1),
        ([item(1, PASSAGES[2], article_key="a"), item(2, PASSAGES[3], article_key="a")], 1),
        (
            [
                item(1, PASSAGES[2], "s", article_key="a"),
                item(2, PASSAGES[3], "t", article_key="a"),
            ],
            2,
        ),
        ([item(1, PASSAGES[2], article_key=5), item(2, PASSAGES[3], article_key="5")], 1),
        ([item(1, PASSAGES[2], article_key=""), item(2, PASSAGES[3], article_key="")], 2),
        (
            [
                item(1, PASSAGES[2], article_key="a"),
                item(2, PASSAGES[3], article_key="a"),
                item(3, PASSAGES[3], article_key="b"),
                item(4, PASSAGES[0], article_key="b"),
                item(5, PASSAGES[1]),
            ],
            1,
        ),
    ],
)
def test_groups_by_hand(items, count):
    assert len(parts(stages.group(items))) == count


def read(name, ids, license_="MIT", own=None):
    items = [
        Item(name, one, "general", "p", "q?", "a", (), {"license": own} if own else {})
        for one in ids
    ]
    return SourceRead(name, license_, "general", items, [], len(items))


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=4))
def test_no_id_names_two_items_and_no_row_is_lost(ids):
    taken = set()
    reads = [stages._distinct(read(f"s{n}", one), taken, Shelf()) for n, one in enumerate(ids)]
    names = [one.id for found in reads for one in found.items]
    assert len(names) == len(set(names))
    for given_ids, found in zip(ids, reads, strict=True):
        assert len(found.items) + len(found.rejected) == found.rows == len(given_ids)
        assert len(found.items) == len(set(given_ids))
        assert all(one.reason == "id occurs before" for one in found.rejected)


def test_a_clashing_id_is_prefixed_with_its_source():
    taken = {"a"}
    found = stages._distinct(read("wiki", ["a", "b"]), taken, Shelf())
    assert [one.id for one in found.items] == ["wiki/a", "b"]
    assert taken == {"a", "b", "wiki/a"}


@pytest.mark.parametrize(
    ("of_source", "own", "known"),
    [("MIT", None, "MIT"), ("MIT", "CC0-1.0", "CC0-1.0"), ("", None, ""), ("MIT", "", "MIT")],
)
def test_an_item_has_its_own_licence_or_that_of_its_source(of_source, own, known):
    (found,) = stages._distinct(read("s", ["a"], of_source, own), set(), Shelf()).items
    assert found.meta["license"] == known


def test_a_source_is_told_when_it_is_read_and_no_row_disappears(tmp_path):
    first, second = source(tmp_path, 5, "one"), source(tmp_path, 4, "two")
    told = []
    reads = stages.ingest(ask(tmp_path, first, second), lambda: told.append(1))
    assert (len(told), [one.rows for one in reads]) == (2, [5, 4])
    ids = [one.id for found in reads for one in found.items]
    assert len(ids) == len(set(ids)) == 9


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"missing\.jsonl"):
        stages.ingest(ask(tmp_path, tmp_path / "missing.jsonl"), lambda: None)


def dataset_file(folder, numbers, name="known"):
    path = folder / f"{name}.jsonl"
    rows = ({**row(n), "label": "PASS"} for n in numbers)
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("numbers", [[0], [3, 1], [0, 1, 2, 3, 4, 5], [7, 8]])
def test_each_hit_is_reported_with_the_dataset_and_the_text(tmp_path, numbers):
    items = [gold(n) for n in range(6)]
    ref = dataset_file(tmp_path, numbers)
    hits = stages.exclude(items, [ref])
    assert {hit.item.id for hit in hits} == {f"q{n}" for n in numbers if n < 6}
    for hit, told in zip(hits, stages.excluded(hits), strict=True):
        assert (hit.ref, hit.overlap.share) == (ref, 1.0)
        assert (told.stage, told.id, told.source_ds) == ("exclude", hit.item.id, "ferries")
        assert kind(told.reason) == f"passage is in {ref}"
        assert hit.overlap.shared_text in told.reason
        assert hit.overlap.shared_text.split()[:4] == hit.item.passage.lower().split()[:4]


def test_a_passage_in_two_datasets_is_one_hit_in_the_first(tmp_path):
    refs = [dataset_file(tmp_path, [1], "one"), dataset_file(tmp_path, [1, 2], "two")]
    hits = stages.exclude([gold(n) for n in range(4)], refs)
    assert [(hit.item.id, hit.ref) for hit in hits] == [("q1", refs[0]), ("q2", refs[1])]


def test_two_items_of_one_excluded_passage_are_two_hits(tmp_path):
    items = [gold(1), gold(1, id="again"), gold(2)]
    hits = stages.exclude(items, [dataset_file(tmp_path, [1])])
    assert [hit.item.id for hit in hits] == ["q1", "again"]


def test_nothing_to_exclude_is_nothing():
    assert stages.exclude([gold(1)], []) == []


@pytest.mark.parametrize("control", ["restate", "none"])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"answer": "..."},
        {"answer": "a purple giraffe", "aliases": ()},
        {"meta": {"answer_type": "spans"}},
        {"answer": "999999", "aliases": ("999999",)},
    ],
    ids=str,
)
def test_every_item_is_anchored_or_rejected_with_a_reason(control, change):
    items = [gold(0), gold(1, **change), gold(2)]
    told = []
    statements, rejected = stages.anchor(items, control, lambda: told.append(1))
    assert len(told) == len(items) == len(statements) + len(rejected)
    assert len(rejected) == bool(change)
    assert all(one.reason and one.stage == "anchor" and item.id == one.id for item, one in rejected)
    for one in statements:
        assert one.text[one.start : one.end] == one.item.answer
        assert (one.text == one.item.answer) == (control == "none")


def test_the_reason_names_what_is_wrong_with_an_answer():
    broken = [gold(1, answer="--"), gold(2, meta={"parts": ["a", "b"]})]
    _, rejected = stages.anchor(broken, "restate", lambda: None)
    assert Counter(one.reason for _, one in rejected) == {
        "the answer has no words": 1,
        "the answer is a list of spans": 1,
    }


def test_the_order_of_items_does_not_change_a_statement():
    items = [gold(n) for n in range(12)]
    mixed = random.Random(3).sample(items, 12)
    first, _ = stages.anchor(items, "restate", lambda: None)
    second, _ = stages.anchor(mixed, "restate", lambda: None)
    assert {one.item.id: one.text for one in first} == {one.item.id: one.text for one in second}
