"""Two judges on the same rows: how far apart, and whether the rows can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from halubench.metrics.bootstrap import RESAMPLES, estimate, stream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halubench.metrics.rates import Floats, Ints
    from halubench.results import Estimate


def mcnemar(only_one: int, only_other: int) -> float:
    """The exact two-sided p of McNemar's test (1947): rows that only one judge has right, against
    those that only the other has. It takes rows for independent; :func:`difference` does not."""
    of = only_one + only_other
    return float(binomtest(only_one, of).pvalue) if of else 1.0


def difference(
    gains: Mapping[str, Ints], clusters: Mapping[str, Ints], seed: int, resamples: int = RESAMPLES
) -> tuple[Estimate, float | None]:
    """The mean of ``gains`` (1: only the first judge is right, -1: only the second, 0) over each
    source, averaged over sources, with its 95 % interval, and the p that it is 0.

    A paired bootstrap of whole passages, within each source; p is twice the smaller share of
    resamples on either side of 0 (Davison & Hinkley 1997, 4.4), None where nothing can be drawn.
    ``gains`` and ``clusters`` hold the rows by source; one source: the difference of accuracies.
    """
    value = float(np.mean([gain.mean() for gain in gains.values()]))
    drawn = [
        _draws(gains[name], clusters[name], stream(seed, "difference", name), resamples)
        for name in sorted(gains)
    ]
    if not all(len(each) for each in drawn):
        return estimate(value, np.empty(0)), None
    means = np.mean(drawn, axis=0)
    tails = [(np.count_nonzero(side) + 1) / (len(means) + 1) for side in (means <= 0, means >= 0)]
    return estimate(value, means), min(1.0, 2 * min(tails))


def _draws(gain: Ints, cluster: Ints, rng: np.random.Generator, resamples: int) -> Floats:
    """The mean gain of resamples of whole clusters. Clusters with equal sums are interchangeable,
    so the number drawn of each kind is multinomial."""
    names, place = np.unique(cluster, return_inverse=True)
    sums = np.zeros((len(names), 2), dtype=np.int64)
    np.add.at(sums, place, np.column_stack([gain, np.ones_like(gain)]))
    kinds, counts = np.unique(sums, axis=0, return_counts=True)
    size = resamples if len(names) > 1 else 0
    drawn = rng.multinomial(len(names), counts / len(names), size=size) @ kinds
    means: Floats = drawn[:, 0] / drawn[:, 1]
    return means


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment (1979): the chance of any false finding is held."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for done, place in enumerate(sorted(range(len(ps)), key=lambda place: ps[place])):
        highest = max(highest, min(1.0, ps[place] * (len(ps) - done)))
        adjusted[place] = highest
    return adjusted
