"""Paired tests agree with statsmodels, and the paired bootstrap is what it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference
from statsmodels.stats.multitest import multipletests

from halubench.metrics.paired import difference, holm, mcnemar


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_statsmodels(one, other) -> None:
    table = [[7, one], [other, 5]]
    want = reference(table, exact=True).pvalue if one + other else 1.0
    assert mcnemar(one, other) == pytest.approx(want, abs=1e-9)
    assert mcnemar(one, other) == pytest.approx(mcnemar(other, one))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_agrees_with_statsmodels(ps) -> None:
    assert holm(ps) == pytest.approx(multipletests(ps, method="holm")[1].tolist(), abs=1e-9)


def sample(rng: np.random.Generator, clusters: int, gain: float) -> tuple[dict, dict]:
    """Passages of two rows; each passage is won, lost or neither as a whole."""
    won = rng.choice([1, 0, -1], clusters, p=[0.3 + gain, 0.4, 0.3 - gain])
    return {"a": np.repeat(won, 2)}, {"a": np.repeat(np.arange(clusters), 2)}


def test_the_interval_covers_no_difference_and_the_p_says_so() -> None:
    """120 samples of 100 passages without a difference: 95 % nominal."""
    rng = np.random.default_rng(0)
    found = [difference(*sample(rng, 100, 0.0), seed=0, resamples=400) for _ in range(120)]
    covered = sum(each.low <= 0 <= each.high for each, _ in found)
    assert 0.88 <= covered / 120 <= 0.99
    small = sum(p < 0.05 for _, p in found)
    assert small / 120 <= 0.12


def test_a_real_difference_is_found_and_turns_with_the_judges() -> None:
    gains, clusters = sample(np.random.default_rng(1), 400, 0.2)
    found, p = difference(gains, clusters, seed=0)
    turned, again = difference({"a": -gains["a"]}, clusters, seed=0)
    assert found.low > 0
    assert p < 0.01
    assert (turned.value, again < 0.01, turned.high < 0) == (-found.value, True, True)


def test_rows_of_one_passage_widen_the_interval() -> None:
    gains, clusters = sample(np.random.default_rng(2), 200, 0.0)
    together, _ = difference(gains, clusters, seed=0)
    alone, _ = difference(gains, {"a": np.arange(400)}, seed=0)
    assert together.high - together.low > 1.25 * (alone.high - alone.low)


def test_sources_count_alike_and_one_passage_cannot_be_drawn() -> None:
    gains = {"large": np.array([1, 1, 1, 1, 0, 0]), "small": np.array([-1, -1])}
    clusters = {"large": np.arange(6), "small": np.arange(2)}
    found, _ = difference(gains, clusters, seed=0)
    assert found.value == pytest.approx((4 / 6 - 1) / 2)
    lone, p = difference({"a": np.array([1, 0])}, {"a": np.zeros(2, dtype=int)}, seed=0)
    assert (lone.value, lone.low, lone.high, p) == (0.5, None, None, None)
