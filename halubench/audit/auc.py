"""AUROC and its passage-clustered bootstrap interval. Positive class: FAIL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halubench.metrics import rates

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES = 1000
_CELLS = 4_000_000


def auroc(scores: NDArray[np.float64], fail: NDArray[np.bool_]) -> float:
    """P(a FAIL row scores above a PASS row), ties counted half; needs a row of each label."""
    return rates.auroc(fail.astype(np.int64), scores)


def interval(
    scores: NDArray[np.float64], fail: NDArray[np.bool_], groups: NDArray[np.str_], seed: int
) -> tuple[float, float]:
    """The 95 % percentile interval of :func:`auroc` over 1,000 resamplings of whole groups with
    replacement (cluster bootstrap, Field and Welsh 2007); resamples of one label only are left out."""
    rng = np.random.default_rng(seed)
    ranking = rates.Ranking(fail.astype(np.int64), scores)
    _, member = np.unique(groups, return_inverse=True)
    clusters = int(member.max()) + 1
    chunk = max(1, _CELLS // max(1, len(scores)))
    values: list[NDArray[np.float64]] = []
    for start in range(0, REPLICATES, chunk):
        size = min(chunk, REPLICATES - start)
        drawn = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=size)
        values.append(ranking.auroc(drawn.T.astype(np.float32)[member]))
    low, high = np.nanquantile(np.concatenate(values), [0.025, 0.975])
    return float(low), float(high)
