"""Every metric against scikit-learn or by hand, degenerate inputs and symmetries of AUROC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_world import Part, figures, score
from sklearn import metrics

from halubench.audit import auc
from halubench.metrics import rates

ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=50)
LABELLED = st.lists(st.tuples(st.booleans(), st.integers(-20, 20)), min_size=2, max_size=40).filter(
    lambda rows: len({fail for fail, _ in rows}) == 2
)


def table(rows) -> rates.Floats:
    labels, verdicts = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return rates.confusion(labels, verdicts)


def scored_slice(labels, verdicts, p_fail=None, clusters=None) -> Part:
    n = len(labels)
    return Part(
        np.array(labels, dtype=np.int64),
        np.array(verdicts, dtype=np.int64),
        np.full(n, np.nan) if p_fail is None else np.array(p_fail, dtype=np.float64),
        np.array([f"g{i}" for i in range(n)] if clusters is None else clusters),
    )


def noisy(seed: int, clusters: int) -> Part:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, clusters * 2)
    verdicts = np.where(rng.random(clusters * 2) < 0.7, labels, 1 - labels)
    verdicts[rng.random(clusters * 2) < 0.1] = 2
    p_fail = 0.2 * labels + 0.8 * rng.random(clusters * 2)
    return Part(labels, verdicts, p_fail, np.repeat([f"g{i:04}" for i in range(clusters)], 2))


@given(ROWS)
def test_the_table_counts_each_pair_of_label_and_verdict(rows) -> None:
    found = table(rows)
    for label in (0, 1):
        for verdict in (0, 1, 2):
            assert found[label, verdict] == rows.count((label, verdict))


@settings(max_examples=40)
@given(ROWS)
def test_rates_over_the_scored_rows_agree_with_scikit_learn(rows) -> None:
    kept = [row for row in rows if row[1] != 2]
    found = table(kept)
    if not kept:
        assert all(np.isnan(rate(found)) for rate in rates.RATES.values())
        return
    labels, verdicts = zip(*kept, strict=True)
    assert rates.accuracy(found) == pytest.approx(metrics.accuracy_score(labels, verdicts))
    assert rates.accuracy_scored(table(rows)) == rates.accuracy(found)
    for rate, judge in (
        (rates.fail_precision, metrics.precision_score),
        (rates.fail_recall, metrics.recall_score),
        (rates.fail_f1, metrics.f1_score),
    ):
        want = judge(labels, verdicts, zero_division=np.nan)
        assert float(rate(found)) == pytest.approx(want, nan_ok=True)


@given(ROWS)
def test_an_unscored_row_counts_as_the_wrong_verdict_in_recall_and_accuracy(rows) -> None:
    wrong = [(label, 1 - label if said == 2 else said) for label, said in rows]
    for rate in (rates.accuracy, rates.balanced_accuracy, rates.fail_recall):
        assert float(rate(table(rows))) == pytest.approx(float(rate(table(wrong))), nan_ok=True)


@given(ROWS)
def test_an_unscored_row_never_lowers_precision_and_lowers_coverage(rows) -> None:
    before, after = table(rows), table([*rows, (0, 2)])
    assert float(rates.fail_precision(after)) == pytest.approx(
        float(rates.fail_precision(before)), nan_ok=True
    )
    assert rates.coverage(after) <= rates.coverage(before)
    assert rates.coverage(after) < 1


@pytest.mark.parametrize(
    ("rows", "want"),
    [
        # ten rows: 3 PASS right, 1 PASS wrong, 1 PASS unscored; 2 FAIL right, 1 wrong, 2 unscored
        (
            [(0, 0)] * 3 + [(0, 1)] + [(0, 2)] + [(1, 1)] * 2 + [(1, 0)] + [(1, 2)] * 2,
            (0.5, 5 / 7, 0.5, 2 / 3, 0.4, 4 / 8, 15 / (50 * 66) ** 0.5, 0.7),
        ),
        ([(1, 1)], (1, 1, None, 1, 1, 1, None, 1)),
        ([(1, 0)], (0, 0, None, None, 0, 0, None, 1)),
        ([(0, 0)], (1, 1, None, None, None, None, None, 1)),
        ([(0, 1)], (0, 0, None, 0, None, 0, None, 1)),
        ([(1, 2)], (0, None, None, None, 0, 0, None, 0)),
        ([(0, 2)], (0, None, None, None, None, None, None, 0)),
        ([(0, 2), (1, 2)], (0, None, 0, None, 0, 0, None, 0)),
        ([(0, 0), (1, 0)], (0.5, 0.5, 0.5, None, 0, 0, None, 1)),
        ([(0, 1), (1, 1)], (0.5, 0.5, 0.5, 0.5, 1, 2 / 3, None, 1)),
        ([(0, 1), (1, 0)], (0, 0, 0, 0, 0, 0, -1, 1)),
        ([], (None,) * 8),
    ],
)
def test_every_rate_by_hand(rows, want) -> None:
    found = table(rows)
    values = [*(float(rate(found)) for rate in rates.RATES.values()), float(rates.coverage(found))]
    expected = [np.nan if value is None else value for value in want]
    assert values == pytest.approx(expected, nan_ok=True)


@settings(max_examples=40)
@given(st.lists(ROWS, min_size=1, max_size=5))
def test_a_stack_of_tables_is_scored_table_by_table(many) -> None:
    stack = np.stack([table(rows) for rows in many])
    for rate in (*rates.RATES.values(), rates.coverage):
        one_by_one = [float(rate(each)) for each in stack]
        assert rate(stack).tolist() == pytest.approx(one_by_one, nan_ok=True)


@given(LABELLED)
def test_auroc_is_turned_by_negation_and_by_swapping_the_labels(rows) -> None:
    fail, value = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    there = auc.auroc(value, fail)
    assert auc.auroc(-value, fail) == pytest.approx(1 - there)
    assert auc.auroc(value, ~fail) == pytest.approx(1 - there)
    assert auc.auroc(-value, ~fail) == pytest.approx(there)


@given(LABELLED)
def test_auroc_does_not_change_under_a_monotone_map(rows) -> None:
    fail, value = np.array([r[0] for r in rows]), np.array([float(r[1]) for r in rows])
    there = auc.auroc(value, fail)
    for mapped in (3 * value + 7, value**3, np.exp(value / 10), np.arctan(value)):
        assert auc.auroc(mapped, fail) == there


@given(LABELLED)
def test_auroc_of_a_binary_score_is_its_balanced_accuracy(rows) -> None:
    fail, value = np.array([r[0] for r in rows]), np.array([r[1] > 0 for r in rows])
    want = metrics.balanced_accuracy_score(fail, value)
    assert auc.auroc(value.astype(float), fail) == pytest.approx(want)


@pytest.mark.parametrize(
    ("labels", "p_fail", "want"),
    [
        ([0, 1], [0.1, 0.9], 1.0),
        ([0, 1], [0.9, 0.1], 0.0),
        ([0, 1], [0.5, 0.5], 0.5),
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ([0, 1, 1], [0.3, 0.3, 0.9], 0.75),
        ([0, 1, 1], [0.3, np.nan, 0.9], 1.0),
        ([0, 1], [np.nan, 0.9], np.nan),
        ([1, 1], [0.1, 0.2], np.nan),
        ([0], [0.5], np.nan),
        ([], [], np.nan),
    ],
)
def test_auroc_by_hand(labels, p_fail, want: float) -> None:
    assert figures(labels, labels, p_fail)["auroc_scored"] == pytest.approx(want, nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_every_interval_holds_its_estimate(seed: int) -> None:
    scored = score({"a": noisy(seed, 40), "b": noisy(seed + 10, 30)}, seed=seed, resamples=400)
    for scores in (scored.overall, *scored.sources.values()):
        for name in (*rates.RATES, "auroc"):
            each = getattr(scores, name)
            assert -1 <= each.low <= each.value <= each.high <= 1
            assert each.low < each.high
    assert scored.macro_accuracy.low < scored.macro_accuracy.value < scored.macro_accuracy.high


def test_intervals_shrink_with_more_passages() -> None:
    few, many = (score({"a": noisy(1, n)}, resamples=400).overall for n in (20, 320))
    for name in (*rates.RATES, "auroc"):
        wide, narrow = getattr(few, name), getattr(many, name)
        assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_equal_seeds_give_equal_results_and_other_seeds_others() -> None:
    parts = {"a": noisy(2, 30)}
    one, again, other = (score(parts, seed=seed, resamples=200).overall for seed in (5, 5, 6))
    assert one == again
    assert one.accuracy.value == other.accuracy.value
    assert (one.accuracy, one.auroc) != (other.accuracy, other.auroc)


def test_a_judge_that_is_always_right_has_no_width() -> None:
    labels = [0, 1] * 20
    found = score({"a": scored_slice(labels, labels, labels)}, resamples=200).overall
    for name in (*rates.RATES, "auroc"):
        each = getattr(found, name)
        assert (each.value, each.low, each.high) == (1, 1, 1)


@pytest.mark.parametrize(
    ("labels", "verdicts", "coverage", "undefined"),
    [
        ([1] * 4, [1, 1, 0, 2], 0.75, {"balanced_accuracy", "auroc", "mcc"}),
        ([0] * 4, [0, 0, 0, 2], 0.75,
         {"balanced_accuracy", "auroc", "fail_precision", "fail_recall", "fail_f1", "mcc"}),
        ([0, 1] * 2, [2] * 4, 0.0, {"accuracy_scored", "fail_precision", "auroc", "mcc"}),
    ],
)  # fmt: skip
def test_degenerate_slices_leave_just_what_they_must_undefined(
    labels, verdicts, coverage: float, undefined: set[str]
) -> None:
    found = score({"a": scored_slice(labels, verdicts)}, resamples=100).overall
    names = {name for name in (*rates.RATES, "auroc") if getattr(found, name).value is None}
    assert names == undefined
    assert found.coverage == coverage
    assert found.unscored == verdicts.count(2)
    for name in undefined:
        assert getattr(found, name).low is getattr(found, name).high is None


def test_one_row_has_a_value_and_no_interval() -> None:
    found = score({"a": scored_slice([1], [1], [0.9])}, resamples=100).overall
    assert found.accuracy.value == 1
    assert found.accuracy.low is None
    assert (found.n, found.n_pass, found.n_fail) == (1, 0, 1)


def test_macro_is_undefined_where_one_source_has_no_such_rate() -> None:
    parts = {"a": scored_slice([0, 1], [0, 1]), "b": scored_slice([1, 1], [1, 0])}
    found = score(parts, resamples=50)
    assert found.macro_balanced_accuracy.value is None
    assert found.macro_accuracy.value == pytest.approx(0.75)


def test_the_audit_s_interval_holds_its_auroc_shrinks_and_repeats() -> None:
    widths = []
    for clusters in (20, 300):
        part = noisy(3, clusters)
        fail = part.labels == 1
        low, high = auc.interval(part.p_fail, fail, part.clusters, 0)
        assert low < auc.auroc(part.p_fail, fail) < high
        assert (low, high) == auc.interval(part.p_fail, fail, part.clusters, 0)
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_the_audit_s_interval_turns_with_the_scores() -> None:
    part = noisy(4, 30)
    fail = part.labels == 1
    low, high = auc.interval(part.p_fail, fail, part.clusters, 0)
    turned = auc.interval(-part.p_fail, fail, part.clusters, 0)
    assert turned == pytest.approx((1 - high, 1 - low))
