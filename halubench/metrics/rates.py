"""The metrics, as pure functions on numpy arrays. Undefined is NaN, never 0.

A *table* of counts has shape (..., 2, 3): label (PASS, FAIL) by verdict (PASS, FAIL, unscored).
All functions take any leading shape, so that one call scores every bootstrap resample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Counts: TypeAlias = NDArray[np.float32]
"""Whole numbers below 2^24, which float32 holds exactly and sums at twice the speed."""

PASS, FAIL, UNSCORED = 0, 1, 2
CELLS = 6


def confusion(labels: Ints, verdicts: Ints) -> Floats:
    """The 2 x 3 table of ``labels`` (0 PASS, 1 FAIL) by ``verdicts`` (0 PASS, 1 FAIL, 2 unscored)."""
    cells = np.bincount(labels * 3 + verdicts, minlength=CELLS)
    return cells.reshape(2, 3).astype(np.float64)


def coverage(table: Floats) -> Floats:
    """Share of rows with a verdict."""
    return _ratio(table[..., :2].sum((-1, -2)), table.sum((-1, -2)))


def accuracy(table: Floats) -> Floats:
    """Right verdicts over all rows: an unscored row is not right."""
    return _ratio(_right(table), table.sum((-1, -2)))


def accuracy_scored(table: Floats) -> Floats:
    """Right verdicts over the rows with a verdict; flatters a judge that skips hard rows."""
    return _ratio(_right(table), table[..., :2].sum((-1, -2)))


def balanced_accuracy(table: Floats) -> Floats:
    """Mean of the two labels' recalls (Brodersen et al. 2010), an unscored row counting as missed.

    Undefined where a label has no row.
    """
    recalls = (recall(table, PASS) + recall(table, FAIL)) / 2
    return np.asarray(recalls, dtype=np.float64)


def recall(table: Floats, label: int) -> Floats:
    """Rows of ``label`` judged so, over all rows of ``label``, unscored ones among them."""
    return _ratio(table[..., label, label], table[..., label, :].sum(-1))


def fail_precision(table: Floats) -> Floats:
    """Of the rows judged FAIL, the share that is. Undefined where nothing was judged FAIL."""
    return _ratio(table[..., FAIL, FAIL], table[..., :, FAIL].sum(-1))


def fail_recall(table: Floats) -> Floats:
    """Of the FAIL rows, the share judged FAIL."""
    return recall(table, FAIL)


def fail_f1(table: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) with FAIL positive (van Rijsbergen 1979); an unscored FAIL row is
    a false negative. Undefined where no row is or was judged FAIL."""
    hits = 2 * table[..., FAIL, FAIL]
    return _ratio(hits, table[..., FAIL, :].sum(-1) + table[..., :, FAIL].sum(-1))


RATES: dict[str, Callable[[Floats], Floats]] = {
    "accuracy": accuracy,
    "accuracy_scored": accuracy_scored,
    "balanced_accuracy": balanced_accuracy,
    "fail_precision": fail_precision,
    "fail_recall": fail_recall,
    "fail_f1": fail_f1,
}
"""Every rate that is a function of a table of counts, by its name in ``results.Scores``."""


class Ranking:
    """Rows sorted by P(FAIL) once, so that the AUROC of many weightings is cheap.

    AUROC is the probability that a random FAIL row has a higher P(FAIL) than a random PASS row,
    ties counting half (Hanley & McNeil 1982).
    """

    def __init__(self, labels: Ints, p_fail: Floats) -> None:
        passes = np.flatnonzero(labels == PASS)
        self._passes = passes[np.argsort(p_fail[passes], kind="stable")]
        self._fails = np.flatnonzero(labels == FAIL)
        ranked, asked = p_fail[self._passes], p_fail[self._fails]
        self._below = np.searchsorted(ranked, asked, side="left")
        self._to_tie = np.searchsorted(ranked, asked, side="right")

    def auroc(self, weights: Counts) -> Floats:
        """The AUROC of each column of ``weights`` (how often each row counts): (n, k) -> (k,).

        NaN where the weights leave one label without a row.
        """
        upto = np.zeros((len(self._passes) + 1, weights.shape[1]), dtype=np.float32)
        np.cumsum(weights[self._passes], axis=0, out=upto[1:])
        beaten = upto[self._below]
        beaten += upto[self._to_tie]
        fails = weights[self._fails]
        won = np.einsum("ij,ij->j", fails, beaten, dtype=np.float64)
        return _ratio(won, 2 * fails.sum(0, dtype=np.float64) * upto[-1])


def auroc(labels: Ints, p_fail: Floats) -> float:
    """AUROC of one sample, rows with NaN ``p_fail`` left out. NaN where a label has no row."""
    given = ~np.isnan(p_fail)
    ranking = Ranking(labels[given], p_fail[given])
    return float(ranking.auroc(np.ones((int(given.sum()), 1), dtype=np.float32))[0])


def _right(table: Floats) -> Floats:
    right: Floats = table[..., PASS, PASS] + table[..., FAIL, FAIL]
    return right


def _ratio(top: Floats, bottom: Floats) -> Floats:
    out = np.full(np.shape(top), np.nan)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) > 0)
    return out
