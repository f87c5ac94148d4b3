"""AUROC and its passage-clustered bootstrap interval. Positive class: FAIL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halubench.metrics.bootstrap import draw_clusters
from halubench.metrics.ranking import Ranking, ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES = 1000


def auroc(scores: NDArray[np.float64], fail: NDArray[np.bool_]) -> float:
    """P(a FAIL row scores above a PASS row), ties counted half; needs a row of each label."""
    alone = Ranking(fail, scores, np.zeros(len(fail), dtype=np.int64), 1)
    return float(ranked(alone, np.ones((1, 1), dtype=np.int32))[0][0])


def interval(
    scores: NDArray[np.float64], fail: NDArray[np.bool_], groups: NDArray[np.str_], seed: int
) -> tuple[float, float]:
    """The 95 % percentile interval of :func:`auroc` over 1,000 resamplings of whole groups with
    replacement (cluster bootstrap, Field and Welsh 2007); resamples of one label only are left out."""
    names, member = np.unique(groups, return_inverse=True)
    ranking = Ranking(fail, scores, member, len(names))
    rng = np.random.default_rng(seed)
    draws = draw_clusters(len(names), REPLICATES, rng)
    values = [ranked(ranking, times)[0] for times in draws]
    low, high = np.nanquantile(np.concatenate(values), [0.025, 0.975])
    return float(low), float(high)
