"""Kappas and Wilson's interval against scikit-learn, scipy's formula and worked tables."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from halubench.metrics.agreement import cohen_kappa, fleiss_kappa, share

NAMES = st.sampled_from(["PASS", "FAIL", "unclear"])


@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=40))
def test_cohens_kappa_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    one, other = zip(*pairs, strict=True)
    ours = cohen_kappa(one, other)
    if len({*one, *other}) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


def test_fleiss_kappa_of_his_own_worked_table() -> None:
    """Fourteen raters, ten subjects, five categories: .210 (Fleiss 1971 as usually reprinted)."""
    table = [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
    assert fleiss_kappa(np.array(table)) == pytest.approx(0.20993, abs=1e-5)


@pytest.mark.parametrize("table", [np.zeros((0, 2), int), np.array([[1, 0]]), np.array([[3, 0]])])
def test_fleiss_kappa_is_undefined_without_disagreement_to_expect(table: np.ndarray) -> None:
    assert fleiss_kappa(table) is None


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_is_wilsons(counts: tuple[int, int]) -> None:
    right, of = counts
    z, p = 1.959963984540054, right / of
    middle = (p + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    found = share(right, of)
    assert found.value == p
    assert found.low == pytest.approx(max(0, middle - half), abs=1e-9)
    assert found.high == pytest.approx(min(1, middle + half), abs=1e-9)


def test_no_rows_have_no_share() -> None:
    assert share(0, 0).value is None
