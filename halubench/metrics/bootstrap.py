"""Scores with intervals: the passage-clustered percentile bootstrap.

Rows that share a passage are not independent, so passages are drawn, not rows (Davison & Hinkley
1997, 2.4 and 3.8): within a source for its figures and for the means over sources, which are fixed
and not sampled; among all passages for the figures over all rows. A source of a single passage
says nothing about how passages differ, so it has values but no intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halubench.columns import FAIL, PASS, UNSCORED
from halubench.metrics.probability import FIGURES, Probabilities, ProbabilityFigures
from halubench.metrics.rates import (
    CELLS,
    RATES,
    Counts,
    Floats,
    Ints,
    coverage,
    ratio,
)
from halubench.results import Confusion, Estimate, Scores
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESAMPLES = 2000
_CHUNK_CELLS, _COUNTED_CELLS = 1 << 22, 1 << 16
"""Resamples are drawn in chunks of so many numbers, so that memory stays small, and counted in
smaller ones, which stay in the processor's cache."""
NO_PAIR = -1


@dataclass(frozen=True, slots=True)
class Slice:
    """Judged rows, as arrays of one length: ``labels`` (0 PASS, 1 FAIL), ``verdicts`` (0 PASS,
    1 FAIL, 2 unscored), ``p_fail`` (NaN: none), ``clusters`` (any sortable names, equal for rows
    of one passage) and ``pairs`` (equal for twins; -1: the row has none)."""

    labels: Ints
    verdicts: Ints
    p_fail: Floats
    clusters: np.ndarray[tuple[int], np.dtype[np.str_]] | Ints
    pairs: Ints

    def take(self, which: Ints) -> Slice:
        """The rows of those numbers."""
        return Slice(
            self.labels[which],
            self.verdicts[which],
            self.p_fail[which],
            self.clusters[which],
            self.pairs[which],
        )


def score(
    part: Slice,
    seed: int,
    name: str = "",
    resamples: int = RESAMPLES,
    p_resamples: int | None = None,
) -> Scores:
    """The metrics of one slice, with 95 % intervals.

    They depend on the rows, ``seed`` and ``name`` only, not on the order of the rows. What is made
    of ``p_fail`` takes twenty times as long to draw; ``p_resamples`` draws it less often.
    """
    cells = _cells(part)
    draws = draw_cells(part, seed, name, resamples)
    whole = cells.sum(0)
    table, tables = _table(whole), _table(draws)
    rates = {rate: estimate(float(f(table)), f(tables)) for rate, f in RATES.items()}
    pairs = estimate(float(_pair_accuracy(whole)), _pair_accuracy(draws))
    n_pass, n_fail = table[PASS], table[FAIL]
    names = Confusion.model_fields
    return Scores(
        n=int(table.sum()),
        n_pass=int(n_pass.sum()),
        n_fail=int(n_fail.sum()),
        unscored=int(table[:, UNSCORED].sum()),
        coverage=float(coverage(table)),
        confusion=Confusion(**dict(zip(names, map(int, table.ravel()), strict=True))),
        pairs=int(whole[CELLS]),
        pair_accuracy=pairs,
        p_rows=int((~np.isnan(part.p_fail)).sum()),
        **rates,
        **_probability_scores(part, seed, name, resamples if p_resamples is None else p_resamples),
    )


def draw_cells(part: Slice, seed: int, name: str, resamples: int) -> Floats:
    """Counts (confusion, pairs, right pairs) of draws of the clusters: see :func:`draw_sums`."""
    return draw_sums(_cells(part), seed, name, resamples)


def draw_sums(cells: Ints, seed: int, name: str, resamples: int) -> Floats:
    """Sums of ``cells``, shape (clusters, k), over ``resamples`` draws of the clusters, shape
    (resamples, k); none for a single cluster.

    Clusters with equal counts are interchangeable, so the number drawn of each *kind* of cluster
    is multinomial: exact, and as cheap as there are few kinds.
    """
    groups = len(cells)
    kinds, counts = np.unique(cells, axis=0, return_counts=True)
    size = resamples if groups > 1 else 0
    drawn = stream(seed, name).multinomial(groups, counts / groups, size=size)
    return (drawn @ kinds).astype(np.float64)


def macro(rate: str, parts: Mapping[str, Slice], draws: Mapping[str, Floats]) -> Estimate:
    """The unweighted mean of a rate over sources; undefined where a source's rate is.

    ``draws`` are each source's :func:`draw_cells`.
    """
    value = np.mean([RATES[rate](_table(_cells(part).sum(0))) for part in parts.values()])
    fewest = min(len(drawn) for drawn in draws.values())
    drawn = [RATES[rate](_table(cells[:fewest])) for cells in draws.values()]
    return estimate(float(value), np.mean(drawn, axis=0))


def estimate(value: float, draws: Floats) -> Estimate:
    """``value`` with its 2.5 and 97.5 percentiles over the draws where it is defined."""
    if np.isnan(value):
        return Estimate(value=None)
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return Estimate(value=value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))


def draw_clusters(groups: int, resamples: int, rng: np.random.Generator) -> Iterator[Counts]:
    """How often each of ``groups`` clusters is drawn, in chunks of shape (groups, k); none for one
    cluster."""
    size, step = (max(1, cells // max(1, groups)) for cells in (_CHUNK_CELLS, _COUNTED_CELLS))
    for start in range(0, resamples if groups > 1 else 0, size):
        times = np.empty((groups, min(size, resamples - start)), dtype=np.int32)
        for first in range(0, times.shape[1], step):
            part = times[:, first : first + step]
            k = part.shape[1]
            drawn = rng.integers(0, groups, size=(k, groups)) + np.arange(k)[:, None] * groups
            part[:] = np.bincount(drawn.ravel(), minlength=groups * k).reshape(k, groups).T
        yield times


def numbered(part: Slice) -> tuple[Ints, int]:
    """The cluster of each row as a number from 0, and how many there are."""
    names, cluster = np.unique(part.clusters, return_inverse=True)
    return cluster.astype(np.int64), len(names)


def _probability_scores(part: Slice, seed: int, name: str, resamples: int) -> dict[str, Estimate]:
    rows = Probabilities(part.labels, part.verdicts, part.p_fail)
    if not rows.given.any():
        return {}
    cluster, groups = numbered(part)
    scorer = ProbabilityFigures(rows, cluster, groups)
    whole = scorer.figures(np.ones((groups, 1), dtype=np.int32))
    rng = stream(seed, name, "p_fail")
    draws = [scorer.figures(times) for times in draw_clusters(groups, resamples, rng)]
    return {
        figure: estimate(
            float(whole[figure][0]), np.concatenate([np.empty(0), *(d[figure] for d in draws)])
        )
        for figure in FIGURES
    }


def stream(seed: int, *names: str) -> np.random.Generator:
    """The random numbers of that seed and name, the same on every machine."""
    return np.random.default_rng([seed, int(digest(*names)[:15], 16)])


def _cells(part: Slice) -> Ints:
    """By cluster: the six counts of its confusion table, its pairs, and those with both verdicts
    right; shape (clusters, 8). A pair counts with the cluster of its FAIL row."""
    cluster, groups = numbered(part)
    cells = np.zeros((groups, CELLS + 2), dtype=np.int64)
    np.add.at(cells, (cluster, part.labels * 3 + part.verdicts), 1)
    passes, fails = _twins(part)
    right = part.labels == part.verdicts
    np.add.at(cells[:, CELLS], cluster[fails], 1)
    np.add.at(cells[:, CELLS + 1], cluster[fails], right[passes] & right[fails])
    return cells


def _twins(part: Slice) -> tuple[Ints, Ints]:
    """The rows (PASS, FAIL) of every pair that has exactly one of each here."""
    rows = np.flatnonzero(part.pairs != NO_PAIR)
    sides = [rows[part.labels[rows] == label] for label in (PASS, FAIL)]
    single = []
    for side in sides:
        names, first, times = np.unique(part.pairs[side], return_index=True, return_counts=True)
        single.append((names[times == 1], side[first[times == 1]]))
    (pass_names, passes), (fail_names, fails) = single
    _, one, other = np.intersect1d(pass_names, fail_names, return_indices=True)
    return passes[one], fails[other]


def _table(cells: Ints | Floats) -> Floats:
    return cells[..., :CELLS].reshape(*cells.shape[:-1], 2, 3).astype(np.float64)


def _pair_accuracy(cells: Ints | Floats) -> Floats:
    return ratio(cells[..., CELLS + 1].astype(np.float64), cells[..., CELLS].astype(np.float64))
