"""Rules against brute force, ranks within folds, and what ids and row order give away."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from audit_twins import twins
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import balanced_accuracy_score

from halubench.audit import places, rules
from halubench.audit.rows import FOLDS, Rows, fold_ranks, out_of_fold, sparse
from halubench.records import Example

VALUES = st.lists(
    st.tuples(st.sampled_from([-2.5, -1.0, 0.0, 0.5, 1.0, 7.0, 1577.0]), st.booleans()),
    min_size=2,
    max_size=30,
).filter(lambda rows: len({fail for _, fail in rows}) == 2)
PLAIN = rules.quantity("x")


def arrays(rows) -> tuple[np.ndarray, np.ndarray]:
    return np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows], dtype=bool)


def labelled(ids: list[str], labels: str) -> Rows:
    """Rows with these ids; labels as a string of P and F."""
    examples = tuple(
        Example(name, f"p{i}", "q", "a", "FAIL" if each == "F" else "PASS", "s")
        for i, (name, each) in enumerate(zip(ids, labels, strict=True))
    )
    groups = np.array([e.passage for e in examples])
    fail = np.array([each == "F" for each in labels])
    return Rows(examples, fail, groups, np.arange(len(ids)), 0)


@settings(max_examples=20)
@given(VALUES)
def test_the_threshold_rule_is_no_worse_than_any_threshold_either_way(rows) -> None:
    values, fail = arrays(rows)
    cuts = [-np.inf, *np.unique(values)]
    every = [balanced_accuracy_score(fail, side) for cut in cuts
             for side in (values > cut, values <= cut)]  # fmt: skip
    found = rules.threshold_rule(values, fail, PLAIN)
    assert found.balanced_accuracy == pytest.approx(max(every))
    assert found.balanced_accuracy >= 0.5 - 1e-12


@settings(max_examples=50)
@given(VALUES)
def test_the_rule_s_sentence_is_the_rule(rows) -> None:
    values, fail = arrays(rows)
    found = rules.threshold_rule(values, fail, PLAIN)
    words = found.text.removesuffix(" is FAIL")
    threshold = float(words.split()[-1].replace(",", ""))
    called = values > threshold if " above " in words else values <= threshold
    assert found.accuracy == pytest.approx(float(np.mean(called == fail)))
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(fail, called))


@given(VALUES)
def test_swapped_labels_and_negated_values_keep_the_rule_s_worth(rows) -> None:
    values, fail = arrays(rows)
    here = rules.threshold_rule(values, fail, PLAIN).balanced_accuracy
    for other in (
        rules.threshold_rule(values, ~fail, PLAIN),
        rules.threshold_rule(-values, fail, PLAIN),
        rules.threshold_rule(np.exp(values / 1000), fail, PLAIN),
    ):
        assert other.balanced_accuracy == pytest.approx(here)


@pytest.mark.parametrize(
    ("values", "fail", "text", "worth"),
    [
        ([1, 2, 3, 4], [0, 0, 1, 1], "x above 2 is FAIL", 1.0),
        ([1, 2, 3, 4], [1, 1, 0, 0], "x of at most 2 is FAIL", 1.0),
        ([1, 2, 3, 4], [0, 1, 1, 1], "x above 1 is FAIL", 1.0),
        ([1, 2, 3, 4], [1, 0, 1, 1], "x above 2 is FAIL", 5 / 6),
        ([0.25, 0.25, 0.75], [0, 0, 1], "x above 0.25 is FAIL", 1.0),
        ([1577, 1577, 2000], [0, 0, 1], "x above 1,577 is FAIL", 1.0),
        ([5, 5, 5, 5], [0, 1, 0, 1], "x above 5 is FAIL", 0.5),
    ],
)
def test_threshold_rules_by_hand(values, fail, text: str, worth: float) -> None:
    found = rules.threshold_rule(np.array(values, float), np.array(fail, bool), PLAIN)
    assert found.text == text
    assert found.balanced_accuracy == pytest.approx(worth)


@given(VALUES)
def test_a_presence_rule_is_the_better_of_both_readings(rows) -> None:
    values, fail = arrays(rows)
    held = values > 0
    found = rules.presence_rule("mark", held, fail)
    good = balanced_accuracy_score(fail, held)
    assert found.balanced_accuracy == pytest.approx(max(good, 1 - good))
    if good != 0.5:
        assert found.text == ("mark is FAIL" if good > 0.5 else "mark is PASS")


@pytest.mark.parametrize(
    ("called", "fail", "accuracy", "balanced"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0, 1.0),
        ([0, 0, 1, 1], [1, 1, 0, 0], 0.0, 0.0),
        ([1, 1, 1, 1], [1, 0, 0, 0], 0.25, 0.5),
        ([0, 0, 0, 0], [1, 0, 0, 0], 0.75, 0.5),
        ([1, 1], [1, 1], 1.0, 0.75),
        ([1, 0], [0, 0], 0.5, 0.5),
    ],
)
def test_what_a_rule_is_worth_by_hand(called, fail, accuracy: float, balanced: float) -> None:
    found = rules.rule("r", np.array(called, bool), np.array(fail, bool))
    assert (found.accuracy, found.balanced_accuracy) == pytest.approx((accuracy, balanced))


def test_best_is_the_first_of_equals_and_none_of_none() -> None:
    fail = np.array([True, False])
    made = [rules.rule(name, np.array(called), fail) for name, called in
            (("even", [True, True]), ("one", [True, False]), ("two", [True, False]))]  # fmt: skip
    best = rules.best(made)
    assert best is not None
    assert best.text == "one"
    assert rules.best([]) is None


@settings(max_examples=15)
@given(st.integers(0, 5), st.lists(st.integers(0, 4), min_size=60, max_size=60))
def test_ranks_are_mid_ranks_of_each_fold(seed: int, drawn: list[int]) -> None:
    rows = labelled([str(i) for i in range(60)], "PF" * 30)
    rows = Rows(rows.examples, rows.fail, rows.groups, rows.index, seed)
    scores = np.array(drawn, dtype=float)
    ranks = fold_ranks(scores, rows)
    for _, test in rows.folds:
        want = (rankdata(scores[test]) - 0.5) / len(test)
        assert ranks[test].tolist() == pytest.approx(want.tolist())
        assert ranks[test].mean() == pytest.approx(0.5)
    assert ((ranks > 0) & (ranks < 1)).all()
    assert fold_ranks(scores**3 * 2 - 7, rows).tolist() == ranks.tolist()


def test_a_fold_s_own_level_does_not_reach_the_pooled_ranks() -> None:
    rows = labelled([str(i) for i in range(50)], "PF" * 25)
    scores = np.random.default_rng(0).random(50)
    lifted = scores.copy()
    for lift, (_, test) in enumerate(rows.folds):
        lifted[test] += 10 * lift
    assert fold_ranks(lifted, rows).tolist() == fold_ranks(scores, rows).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_folds_hold_each_row_once_and_each_passage_in_one(seed: int) -> None:
    rows = Rows.of(twins(40), seed)
    assert len(rows.folds) == FOLDS
    assert sorted(np.concatenate([test for _, test in rows.folds])) == list(range(80))
    for train, test in rows.folds:
        assert not set(rows.groups[train]) & set(rows.groups[test])
        assert abs(rows.fail[test].mean() - 0.5) < 0.1


def test_scores_of_a_row_do_not_move_with_its_own_label() -> None:
    rows = Rows.of(twins(40), 0)
    rng = np.random.default_rng(1)
    features = rng.random((80, 2))
    before = out_of_fold(features, rows)
    _, test = rows.folds[0]
    flipped = rows.fail.copy()
    flipped[test] = ~flipped[test]
    other = Rows(rows.examples, flipped, rows.groups, rows.index, 0)
    other.__dict__["folds"] = rows.folds
    after = out_of_fold(features, other)
    assert after[test].tolist() == before[test].tolist()
    rest = np.setdiff1d(np.arange(80), test)
    assert (after[rest] != before[rest]).all()


@pytest.mark.parametrize(
    ("labels", "passages", "reason"),
    [
        ("PF" * 20, 40, ""),
        ("PF" * 19, 38, "38 rows"),
        ("P" * 31 + "F" * 9, 40, "9 FAIL rows"),
        ("F" * 31 + "P" * 9, 40, "9 PASS rows"),
        ("P" * 30 + "F" * 10, 40, ""),
        ("PF" * 20, 10, ""),
        ("PF" * 20, 9, "9 distinct passages"),
        ("F" * 40, 40, "0 PASS rows"),
        ("", 1, "0 rows"),
    ],
)
def test_too_few_rows_at_each_border(labels: str, passages: int, reason: str) -> None:
    rows = labelled([str(i) for i in range(len(labels))], labels)
    groups = np.array([f"g{i % passages}" for i in range(len(labels))], dtype=str)
    found = Rows(rows.examples, rows.fail, groups, rows.index, 0).too_few()
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_where_keeps_the_row_numbers_of_the_whole() -> None:
    rows = labelled(list("abcde"), "PFPFP")
    some = rows.where(rows.fail)
    assert [e.id for e in some.examples] == ["b", "d"]
    assert some.index.tolist() == [1, 3]
    assert some.where(np.array([False, True])).index.tolist() == [3]


def test_texts_without_any_term_give_one_empty_column() -> None:
    table = sparse(CountVectorizer(min_df=2), ["one", "two", "three"])
    assert table.shape == (3, 1)
    assert table.nnz == 0
    assert sparse(CountVectorizer(min_df=2), ["one", "one two"]).shape == (2, 1)


@pytest.mark.parametrize(
    ("identity", "number"),
    [("a-12", 12), ("12-b-7x", 7), ("none", 0), ("", 0), ("007", 7), ("1.5", 5)],
)
def test_the_number_of_an_id_is_its_last(identity: str, number: int) -> None:
    assert places._numbers([identity]).tolist() == [number]


IDS = random.Random(0).sample([f"{i:03}" for i in range(100, 1000)], 60)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda i, fail: f"{IDS[i]}-{'fail' if fail else 'gold'}",
         'id that ends in "-(fail" is FAIL|gold" is PASS)'),
        (lambda i, fail: f"{'neg' if fail else 'pos'}_{IDS[i]}",
         'id that contains "(neg" is FAIL|pos" is PASS)'),
        (lambda i, fail: f"{'#' * (i % 3)}{1000 + 2 * i + fail}",
         "id ending in an odd number is FAIL"),
        (lambda i, fail: f"{'#' * (i % 3)}{5000 + i + 100 * (not fail)}",
         "id ending in a number of at most 5,0[45]\\d is FAIL"),
        (lambda i, fail: f"{IDS[i]}{'#' * (3 if fail else 1)}", "id length above 4 is FAIL"),
        (lambda i, fail: f"{IDS[i]}{'ac'[i % 2] if fail else 'bd'[i % 2]}",
         "id with one of a c as its character 4 is FAIL"),
    ],
)  # fmt: skip
def test_what_an_id_gives_away_is_told(make, text: str) -> None:
    labels = "".join(random.Random(1).sample("PF" * 30, 60))
    found = places.id_rule(labelled([make(i, x == "F") for i, x in enumerate(labels)], labels))
    assert found is not None
    assert found.balanced_accuracy == 1
    assert re.fullmatch(text, found.text)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ("PF" * 10, "every second row, from the second, is FAIL"),
        ("FP" * 10, "every second row, from the second, is PASS"),
        ("P" * 12 + "F" * 8, "every row after row 12 is FAIL"),
        ("F" * 5 + "P" * 15, "every row up to row 5 is FAIL"),
    ],
)
def test_row_order_is_told_in_words(labels: str, text: str) -> None:
    found = places.order_rule(labelled([str(i) for i in range(20)], labels))
    assert found is not None
    assert found.balanced_accuracy == 1
    assert found.text == text


def test_place_is_parity_and_tenth() -> None:
    rank = np.arange(20)
    table = places._placed(rank, rank % 2)
    assert table.shape == (20, 11)
    assert table[:, 0].tolist() == [0, 1] * 10
    assert table[:, 1:].sum(axis=1).tolist() == [1] * 20
    assert table[:, 1:].sum(axis=0).tolist() == [2] * 10
    assert table[13, 1 + 6] == 1
