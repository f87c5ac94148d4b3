"""AUROC and its passage-clustered bootstrap interval. Positive class: FAIL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES = 1000
_CELLS = 4_000_000


def auroc(scores: NDArray[np.float64], fail: NDArray[np.bool_]) -> float:
    """P(a FAIL row scores above a PASS row), ties counted half; needs a row of each label."""
    return float(_weighted(scores, fail, np.ones((1, len(scores)), dtype=np.float64))[0])


def interval(
    scores: NDArray[np.float64], fail: NDArray[np.bool_], groups: NDArray[np.str_], seed: int
) -> tuple[float, float]:
    """The 95 % percentile interval of :func:`auroc` over 1,000 resamplings of whole groups with
    replacement (cluster bootstrap, Field and Welsh 2007); resamples of one label only are left out."""
    rng = np.random.default_rng(seed)
    _, member = np.unique(groups, return_inverse=True)
    clusters = int(member.max()) + 1
    chunk = max(1, _CELLS // max(1, len(scores)))
    values: list[NDArray[np.float64]] = []
    for start in range(0, REPLICATES, chunk):
        size = min(chunk, REPLICATES - start)
        drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=size)
        values.append(_weighted(scores, fail, drawn[:, member].astype(np.float64)))
    low, high = np.nanquantile(np.concatenate(values), [0.025, 0.975])
    return float(low), float(high)


def _weighted(
    scores: NDArray[np.float64], fail: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """One AUROC for each row of ``weights`` (replicates, rows); NaN where a label has no weight."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    ordered = weights[:, order]
    positive = np.add.reduceat(ordered * fail[order], starts, axis=1)
    negative = np.add.reduceat(ordered * ~fail[order], starts, axis=1)
    below = np.cumsum(negative, axis=1) - negative / 2
    total = positive.sum(axis=1) * negative.sum(axis=1)
    wins = (positive * below).sum(axis=1)
    values = np.full(len(wins), np.nan)
    np.divide(wins, total, out=values, where=total > 0)
    return values
