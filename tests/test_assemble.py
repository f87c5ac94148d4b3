"""The rows of the kept twins: one PASS and one FAIL each, ids that tell nothing, whole groups a split."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_balance import twin

from halubench import assemble
from halubench.text import passage_key

if TYPE_CHECKING:
    from halubench.records import Candidate, Example, Provenance

SPLITS = {"train": 0.8, "dev": 0.1, "test": 0.1}


def rows(
    kept: list[Candidate], seed: int = 0, **groups: str
) -> tuple[list[Example], dict[str, Provenance]]:
    own = {one.item.id: groups.get(one.item.id, passage_key(one.item.passage)) for one in kept}
    votes = {kept[0].item.id: ('["FAIL"]', 0.5)} if kept else {}
    return assemble.examples(kept, seed=seed, splits=SPLITS, groups=own, votes=votes)


KEPT = [twin(f"i{n}", "number-swap", str(n), f"{n}0") for n in range(300)]
ROWS, ORIGIN = rows(KEPT)


def test_one_pass_and_one_fail_row_a_twin_with_the_same_passage_and_question() -> None:
    assert len(ROWS) == 2 * len(KEPT)
    pairs: dict[str, list[Example]] = {}
    for row in ROWS:
        pairs.setdefault(ORIGIN[row.id].pair_id, []).append(row)
    told = {
        frozenset((row.passage, row.question, row.label, row.answer) for row in pair)
        for pair in pairs.values()
    }
    assert told == {
        frozenset(
            (one.item.passage, one.item.question, label, answer)
            for label, answer in (("PASS", one.pass_answer), ("FAIL", one.fail_answer))
        )
        for one in KEPT
    }


def test_ids_are_unique_hex_and_tell_neither_label_nor_pair() -> None:
    ids = [row.id for row in ROWS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{24}", one) for one in ids)
    firsts: dict[str, str] = {}
    for row in ROWS:
        firsts.setdefault(ORIGIN[row.id].pair_id, row.label)
    share = Counter(firsts.values())["PASS"] / len(KEPT)
    assert 0.4 < share < 0.6
    assert 0.4 < Counter(row.label for row in ROWS[: len(KEPT)])["PASS"] / len(KEPT) < 0.6


def test_ids_change_with_the_seed_and_not_with_the_company() -> None:
    assert not {row.id for row in rows(KEPT, 1)[0]} & set(ORIGIN)
    assert rows(KEPT[::-1])[0] == ROWS
    few, _ = rows(KEPT[:5])
    assert {row.id for row in few} <= set(ORIGIN)


def test_ids_do_not_depend_on_the_label() -> None:
    one = twin("x", "number-swap", "5", "7")
    told = {row.answer: row.id for row in rows([one])[0]}
    turned = twin("x", "number-swap", "5", "5", kept="7")
    other = {row.answer: (row.id, row.label) for row in rows([turned])[0]}
    assert told == {answer: name for answer, (name, _) in other.items()}
    assert other["It 7."][1] == "PASS"


def test_provenance_of_both_sides() -> None:
    one = twin("x", "direction-flip", "rose", "fell", kept="grew")
    found, origin = rows([one], x="g")
    by_label = {row.label: origin[row.id] for row in found}
    assert (by_label["PASS"].edit_old, by_label["PASS"].edit_new) == ("rose", "grew")
    assert (by_label["FAIL"].edit_old, by_label["FAIL"].edit_new) == ("rose", "fell")
    assert {side.group for side in by_label.values()} == {"g"}
    assert {side.votes for side in by_label.values()} == {'["FAIL"]'}
    bare, plain = rows([twin("y", "number-swap", "5", "7")])
    assert {row.label: plain[row.id].edit_new for row in bare} == {"PASS": "", "FAIL": "7"}


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=30, unique=True), st.data())
def test_adding_rows_moves_nobody_and_groups_stay_whole(
    names: list[str], data: st.DataObject
) -> None:
    kept = [twin(name, "number-swap", "5", "7") for name in names]
    groups = {name: data.draw(st.sampled_from("abcdef")) for name in names}
    facts = {"seed": 0, "splits": SPLITS, "votes": {}}
    few, before = assemble.examples(kept[: len(kept) // 2], groups=groups, **facts)  # type: ignore[arg-type]
    _, after = assemble.examples(kept, groups=groups, **facts)  # type: ignore[arg-type]
    assert all(after[row.id] == before[row.id] for row in few)
    by_group: dict[str, set[str]] = {}
    for one in after.values():
        by_group.setdefault(one.group, set()).add(one.split)
    assert all(len(splits) == 1 for splits in by_group.values())


@given(st.text(max_size=20), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_group_falls_into_one_of_the_splits(group: str, weights: list[int]) -> None:
    splits = {f"s{place}": weight / sum(weights) for place, weight in enumerate(weights)}
    assert assemble.split_of(group, splits) in splits
    assert assemble.split_of(group, splits) == assemble.split_of(group, dict(splits))


def test_shares_come_out_about_right() -> None:
    counted = Counter(assemble.split_of(f"group {number}", SPLITS) for number in range(5000))
    for name, share in SPLITS.items():
        assert counted[name] / 5000 == pytest.approx(share, abs=0.02)
    assert {assemble.split_of(str(n), {"only": 1.0}) for n in range(50)} == {"only"}


def test_a_split_without_a_share_gets_nothing() -> None:
    splits = {"train": 0.0, "test": 1.0, "rest": 0.0}
    assert {assemble.split_of(str(n), splits) for n in range(500)} == {"test"}


@given(st.integers(0, 10_000))
def test_no_label_comes_first_more_often_than_chance_would_let_it(seed: int) -> None:
    made, _ = rows(KEPT, seed)
    lean = sum(place if row.label == "PASS" else -place for place, row in enumerate(made))
    assert {row.id for row in made} == {row.id for row in rows(KEPT, seed)[0]}
    assert abs(lean) <= len(made) ** 2 / 8


@given(st.integers(0, 10_000))
def test_neither_every_second_row_nor_a_part_of_the_file_leans_to_a_label(seed: int) -> None:
    sources = ("one", "two", "three")
    many = [twin(f"q{n}", "number-swap", str(n), f"{n}0", source=sources[n % 3]) for n in range(60)]
    made, _ = rows(many, seed)
    for name in (None, *sources):
        signs = [1 if row.label == "PASS" else -1 for row in made if name in (None, row.source_ds)]
        for part in (signs[::2], signs[: len(signs) // 2]):
            assert abs(sum(part)) <= len(part) / 3
