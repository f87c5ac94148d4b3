"""Ranking, calibration and selective accuracy agree with scikit-learn and with plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_world import figures
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from halubench.metrics import ranking
from halubench.metrics.probability import BINS, Probabilities, reliability, risk_coverage

P_FAIL = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.5000001, 0.9, 1.0]) | st.floats(0, 1)
SCORED = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), P_FAIL), min_size=1, max_size=60)
GAPPED = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), P_FAIL | st.just(np.nan)),
    min_size=1,
    max_size=60,
)


def columns(rows):
    return tuple(np.array(part) for part in zip(*rows, strict=True))


def told(rows) -> Probabilities:
    labels, verdicts, p_fail = columns(rows)
    return Probabilities(labels, verdicts, p_fail.astype(np.float64))


@given(SCORED)
def test_all_agree_with_scikit_learn(rows) -> None:
    labels, verdicts, p_fail = columns(rows)
    found = figures(labels, verdicts, p_fail)
    assert found["brier"] == pytest.approx(sk.brier_score_loss(labels, p_fail), abs=1e-9)
    share, mean = calibration_curve(labels, p_fail, n_bins=BINS)
    sizes = np.bincount(np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], p_fail))
    gaps = np.abs(share - mean) @ sizes[sizes > 0] / len(labels)
    assert found["ece"] == pytest.approx(gaps, abs=1e-9)
    if labels.any():
        want = sk.average_precision_score(labels, p_fail)
        assert found["auprc"] == pytest.approx(want, abs=1e-9)
    if len(set(labels.tolist())) == 2:
        want = sk.roc_auc_score(labels, p_fail)
        assert found["auroc"] == found["auroc_scored"] == pytest.approx(want, abs=1e-9)
    else:
        assert np.isnan(found["auroc"])


@given(GAPPED)
def test_a_row_without_a_probability_is_the_worst_answer(rows) -> None:
    """Ranked last of its kind, a squared error of 1, a gap of 1; left out of auroc_scored alone."""
    labels, verdicts, p_fail = columns(rows)
    found, given_ = figures(labels, verdicts, p_fail), ~np.isnan(p_fail)
    worst = np.where(given_, p_fail, np.where(labels == 1, -1.0, 2.0))
    error = np.where(given_, (p_fail - labels) ** 2, 1.0)
    assert found["brier"] == pytest.approx(error.mean(), abs=1e-9)
    if len(set(labels.tolist())) == 2:
        assert found["auroc"] == pytest.approx(sk.roc_auc_score(labels, worst), abs=1e-9)
        want = sk.average_precision_score(labels, worst)
        assert found["auprc"] == pytest.approx(want, abs=1e-9)
    if len(set(labels[given_].tolist())) == 2:
        want = sk.roc_auc_score(labels[given_], p_fail[given_])
        assert found["auroc_scored"] == pytest.approx(want, abs=1e-9)
    share = 1 - given_.mean()
    inner = figures(labels[given_], verdicts[given_], p_fail[given_])["ece"] if given_.any() else 0
    assert found["ece"] == pytest.approx(share + (1 - share) * inner, abs=1e-9)


@settings(max_examples=50)
@given(GAPPED, st.integers(0, 9))
def test_aurc_is_the_mean_risk_over_orders_of_equal_confidence(rows, seed) -> None:
    """Two orders of the rows, each and its reverse within equal confidence, average to it for
    blocks of at most two rows; in general by many shuffles."""
    labels, verdicts, p_fail = columns(rows)
    confidence = np.where(np.isnan(p_fail), -1.0, np.maximum(p_fail, 1 - p_fail))
    wrong = labels != verdicts
    rng, risks = np.random.default_rng(seed), []
    ranks = np.arange(1, len(rows) + 1)
    ties = len(np.unique(confidence)) < len(rows)
    for _ in range(4000 if ties else 1):
        order = np.lexsort((rng.random(len(rows)), -confidence))
        risks.append(np.mean(np.cumsum(wrong[order]) / ranks))
    spread = np.std(risks) / len(risks) ** 0.5
    assert figures(labels, verdicts, p_fail)["aurc"] == pytest.approx(
        np.mean(risks), abs=1e-9 + 6 * spread
    )


@given(GAPPED, st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=60, max_size=60))
def test_weights_are_rows_repeated(rows, drawn) -> None:
    """Rows of a cluster count as often as it does, in narrow and in wide arrays alike."""
    rows_, cluster = told(rows), np.array([number for number, _ in drawn[: len(rows)]])
    times = np.array([weight for _, weight in drawn[:5]], dtype=np.int32)
    often = times[cluster]
    for marked, keys in ((rows_.labels == 1, rows_.keys), (rows_.wrong, rows_.confidence)):
        repeated = np.repeat(marked, often), np.repeat(keys, often), np.repeat(cluster, often)
        once = np.ones((5, 1), dtype=np.int32)
        for k in (1, 100):
            many = np.column_stack([times] * k)
            found = ranking.Ranking(marked, keys, cluster, 5)
            want = ranking.Ranking(*repeated, 5)
            for one, other in zip(figures_of(found, many), figures_of(want, once), strict=True):
                assert one == pytest.approx(np.repeat(other, k), abs=1e-9, nan_ok=True)


def figures_of(order: ranking.Ranking, times: np.ndarray) -> list[np.ndarray]:
    return [*ranking.ranked(order, times), ranking.mean_risk(order, times)]


@given(GAPPED)
def test_the_diagram_has_every_row_with_a_probability_once(rows) -> None:
    found = reliability(told(rows))
    given_ = [(label, p) for label, _, p in rows if not np.isnan(p)]
    assert sum(each.n for each in found) == len(given_)
    for each in found:
        inside = [
            (label, p)
            for label, p in given_
            if each.low < p <= each.high or (each.low == 0 and p == 0)
        ]
        assert each.n == len(inside)
        if inside:
            assert each.mean_p_fail == pytest.approx(np.mean([p for _, p in inside]))
            assert each.fail_share == pytest.approx(np.mean([label for label, _ in inside]))


@given(GAPPED)
def test_the_curve_ends_at_all_rows_and_its_points_are_the_surest_rows(rows) -> None:
    rows_ = told(rows)
    curve = risk_coverage(rows_)
    if not rows_.given.any():
        assert curve == []
        return
    assert curve[-1].coverage == 1.0
    assert curve[-1].risk == pytest.approx(rows_.wrong.mean())
    for point in curve:
        least = -1.0 if point.confidence is None else point.confidence
        kept = rows_.confidence >= least
        assert point.coverage == pytest.approx(kept.mean())
        assert point.risk == pytest.approx(rows_.wrong[kept].mean())
