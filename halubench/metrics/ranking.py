"""Figures of an order of the rows: AUROC, average precision, risk and coverage.

Rows count as often as a resample draws their cluster, so that rows are sorted once and one call
scores many resamples. Rows with equal keys are one *block*: no figure depends on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from halubench.metrics.rates import Counts, Floats, Ints, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_CELLS = 1 << 16
"""Numbers in an array of :class:`Blocks` at most, so that it stays in the processor's cache."""
_NARROW = 64
_MARKED, _OTHERS, _TIED = range(3)
_NOTHING: Counts = np.zeros((1, 1), dtype=np.int32)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Some of the blocks that hold a *marked* row, highest key first, and the last of all, under k
    weightings: (blocks, k).

    ``marked`` and ``tied`` are the weights of a block's marked rows and of its others;
    ``marked_upto`` and ``others_upto`` add up those of all blocks above, its own included.
    """

    marked: Counts
    tied: Counts
    marked_upto: Counts
    others_upto: Counts


class Ranking:
    """Rows sorted by falling key. ``marked`` (n,): the rows that ought to come first; ``cluster``
    (n,): the number of each row's cluster, below ``clusters``."""

    def __init__(
        self, marked: NDArray[np.bool_], keys: Floats, cluster: Ints, clusters: int
    ) -> None:
        _, level = np.unique(-keys, return_inverse=True)
        held = np.union1d(level[marked], level.max(initial=-1))
        block = np.searchsorted(held, level)
        tied = np.flatnonzero(~marked & (held[block] == level))
        self._kinds = 3 if len(tied) else 2
        kind = np.append(np.where(marked, _MARKED, _OTHERS), np.full(len(tied), _TIED))
        block, cluster = np.append(block, block[tied]), np.append(cluster, cluster[tied])
        place = block * self._kinds + kind, cluster
        shape = len(held) * self._kinds, clusters
        self._counts: Any = csr_array((np.ones(len(kind), dtype=np.int32), place), shape)

    def blocks(self, times: Counts) -> Iterator[Blocks]:
        """All blocks, some at a time. ``times`` (clusters, k): how often each cluster counts."""
        k, kinds = times.shape[1], self._kinds
        size = kinds * max(1, _CELLS // max(1, k))
        upto = np.zeros((1, 2, k), dtype=np.int32)
        for start in range(0, self._counts.shape[0], size):
            weights = (self._counts[start : start + size] @ times).reshape(-1, kinds, k)
            upto = _running(weights[:, :_TIED].copy(), upto[-1])
            tied = weights[:, _TIED] if kinds > _TIED else _NOTHING
            yield Blocks(weights[:, _MARKED], tied, upto[:, _MARKED], upto[:, _OTHERS])


def _running(lines: Counts, start: Counts) -> Counts:
    """Adds to each line those above it, and ``start``; in place."""
    lines[0] += start
    if lines.shape[-1] < _NARROW:
        return np.cumsum(lines, axis=0, out=lines, dtype=np.int32)
    for above, line in pairwise(lines):  # numpy's sum down wide lines takes five times as long
        np.add(line, above, out=line)
    return lines


def ranked(ranking: Ranking, times: Counts) -> tuple[Floats, Floats]:
    """AUROC and average precision, each of shape (k,).

    AUROC is P(a marked row has a higher key than an unmarked one), ties counting half (Hanley &
    McNeil 1982); NaN where one of the two kinds has no row. Average precision is the area under
    the precision-recall curve as a step function: precision at each block's end, weighted by the
    recall that the block adds; NaN where no row is marked.
    """
    lost, gained = np.zeros((2, times.shape[1]))
    marked = others = np.zeros(times.shape[1], dtype=np.int32)
    for block in ranking.blocks(times):
        ahead = 2 * block.others_upto - block.tied
        lost += _dot(block.marked, ahead) / 2
        precision = block.marked_upto / np.maximum(block.marked_upto + block.others_upto, 1)
        gained += _dot(block.marked, precision)
        marked, others = block.marked_upto[-1], block.others_upto[-1]
    whole = marked.astype(np.float64)
    return 1 - ratio(lost, whole * others), ratio(gained, whole)


def mean_risk(ranking: Ranking, times: Counts) -> Floats:
    """AURC (Geifman & El-Yaniv 2017): the share of wrong (marked) rows among the j rows with the
    highest keys, averaged over every j; within a block, over every order of it. Shape (k,).

    A wrong row in place i is among the j first for every j from i to n, so it adds H(n) - H(i - 1)
    with H the harmonic numbers; its place in a block is any of the block's with equal chance.
    """
    saved = np.zeros(times.shape[1])
    wrong = rows = np.zeros(times.shape[1], dtype=np.int32)
    harmonic = np.zeros(1)
    for block in ranking.blocks(times):
        upto, every = block.marked_upto + block.others_upto, block.marked + block.tied
        harmonic = np.append(0.0, np.cumsum(1 / np.arange(1, upto[-1].max(initial=0) + 1)))
        places = np.append(0.0, np.cumsum(harmonic))
        share = block.marked / np.maximum(every, 1)
        saved += _dot(share, places[upto] - places[upto - every])
        wrong, rows = block.marked_upto[-1], upto[-1]
    return ratio(harmonic[rows] * wrong - saved, rows.astype(np.float64))


def _dot(one: Counts | Floats, other: Counts | Floats) -> Floats:
    """The inner product of each column, in double precision."""
    product: Floats = np.multiply(one, other, dtype=np.float64).sum(0)
    return product


def risk_curve(
    wrong: NDArray[np.bool_], keys: Floats, points: int
) -> list[tuple[float, float, float]]:
    """(coverage, risk, lowest key) of the rows with the highest keys, at up to ``points`` evenly
    spaced coverages, each moved up to the end of its block of equal keys; the last covers all."""
    order = np.argsort(-keys, kind="stable")
    ordered, errors = keys[order], np.cumsum(wrong[order])
    ends = np.flatnonzero(np.diff(ordered, append=-np.inf)) + 1
    wanted = np.ceil(np.arange(1, points + 1) * len(keys) / points)
    counts: Ints = np.unique(ends[np.searchsorted(ends, wanted)])
    return [(float(n / len(keys)), float(errors[n - 1] / n), float(ordered[n - 1])) for n in counts]
