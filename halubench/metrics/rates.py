"""Rates of a table of counts, as pure functions on numpy arrays. Undefined is NaN, never 0.

A *table* of counts has shape (..., 2, 3): label (PASS, FAIL) by verdict (PASS, FAIL, unscored).
All functions take any leading shape, so that one call scores every bootstrap resample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from halubench.columns import FAIL, PASS

if TYPE_CHECKING:
    from collections.abc import Callable

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Counts: TypeAlias = NDArray[np.int32]
"""How often rows count: numpy sums 32-bit integers many times faster than floats."""

CELLS = 6


def confusion(labels: Ints, verdicts: Ints) -> Floats:
    """The 2 x 3 table of ``labels`` (0 PASS, 1 FAIL) by ``verdicts`` (0 PASS, 1 FAIL, 2 unscored)."""
    cells = np.bincount(labels * 3 + verdicts, minlength=CELLS)
    return cells.reshape(2, 3).astype(np.float64)


def coverage(table: Floats) -> Floats:
    """Share of rows with a verdict."""
    return ratio(table[..., :2].sum((-1, -2)), table.sum((-1, -2)))


def accuracy(table: Floats) -> Floats:
    """Right verdicts over all rows: an unscored row is not right."""
    return ratio(_right(table), table.sum((-1, -2)))


def accuracy_scored(table: Floats) -> Floats:
    """Right verdicts over the rows with a verdict; flatters a judge that skips hard rows."""
    return ratio(_right(table), table[..., :2].sum((-1, -2)))


def balanced_accuracy(table: Floats) -> Floats:
    """Mean of the two labels' recalls (Brodersen et al. 2010), an unscored row counting as missed.

    Undefined where a label has no row.
    """
    recalls = (recall(table, PASS) + recall(table, FAIL)) / 2
    return np.asarray(recalls, dtype=np.float64)


def recall(table: Floats, label: int) -> Floats:
    """Rows of ``label`` judged so, over all rows of ``label``, unscored ones among them."""
    return ratio(table[..., label, label], table[..., label, :].sum(-1))


def fail_precision(table: Floats) -> Floats:
    """Of the rows judged FAIL, the share that is. Undefined where nothing was judged FAIL."""
    return ratio(table[..., FAIL, FAIL], table[..., :, FAIL].sum(-1))


def fail_recall(table: Floats) -> Floats:
    """Of the FAIL rows, the share judged FAIL."""
    return recall(table, FAIL)


def fail_f1(table: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) with FAIL positive (van Rijsbergen 1979); an unscored FAIL row is
    a false negative. Undefined where no row is or was judged FAIL."""
    hits = 2 * table[..., FAIL, FAIL]
    return ratio(hits, table[..., FAIL, :].sum(-1) + table[..., :, FAIL].sum(-1))


def mcc(table: Floats) -> Floats:
    """Matthews' correlation in [-1, 1], in its form for several classes (Gorodkin 2004, R_K):
    unscored is a third verdict, which no label has. Undefined where all rows have one label, or
    all verdicts are the same."""
    n = table.sum((-1, -2))
    truth, said = table.sum(-1), table.sum(-2)
    agreement = _right(table) * n - (truth * said[..., :2]).sum(-1)
    spread = (n**2 - (truth**2).sum(-1)) * (n**2 - (said**2).sum(-1))
    return ratio(agreement, np.sqrt(spread))


RATES: dict[str, Callable[[Floats], Floats]] = {
    "accuracy": accuracy,
    "accuracy_scored": accuracy_scored,
    "balanced_accuracy": balanced_accuracy,
    "fail_precision": fail_precision,
    "fail_recall": fail_recall,
    "fail_f1": fail_f1,
    "mcc": mcc,
}
"""Every rate that is a function of a table of counts, by its name in ``results.Scores``."""


def ratio(top: Floats, bottom: Floats) -> Floats:
    """``top / bottom``, NaN where ``bottom`` is not above 0."""
    out = np.full(np.shape(top), np.nan)
    np.divide(top, bottom, out=out, where=np.asarray(bottom) > 0)
    return out


def _right(table: Floats) -> Floats:
    right: Floats = table[..., PASS, PASS] + table[..., FAIL, FAIL]
    return right
