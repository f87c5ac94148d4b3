"""Figures of an order of the rows: AUROC, average precision, risk and coverage.

Rows may carry weights (how often a resample has them), so that rows are sorted once and one call
scores many resamples. Rows with equal keys are one *block*: no figure depends on their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halubench.metrics.rates import Counts, Floats, Ints, ratio

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks that hold a *marked* row, highest key first, under k weightings: (k, blocks).

    ``marked`` and ``every`` are the weights of a block's marked rows and of all its rows;
    ``marked_upto`` and ``every_upto`` add up those of the blocks above, its own included.
    ``total_marked`` and ``total``, shape (k,), are of all rows.
    """

    marked: Counts
    every: Counts
    marked_upto: Counts
    every_upto: Counts
    total_marked: Floats
    total: Floats


class Ranking:
    """Rows sorted by falling key. ``marked`` (n,): the rows that ought to come first."""

    def __init__(self, marked: NDArray[np.bool_], keys: Floats) -> None:
        self._order = np.argsort(-keys, kind="stable")
        ordered, places = keys[self._order], np.flatnonzero(marked[self._order])
        starts = np.flatnonzero(np.diff(ordered, prepend=np.inf))
        held, self._first = np.unique(
            np.searchsorted(starts, places, side="right") - 1, return_index=True
        )
        self._marked = self._order[places]
        self._start = starts[held]
        self._end = np.append(starts[1:], len(ordered))[held]

    def blocks(self, weights: Counts) -> Blocks:
        """The blocks under each line of ``weights``, whole numbers of shape (k, n)."""
        upto = np.zeros((len(weights), len(self._order) + 1), dtype=np.int32)
        np.cumsum(weights[:, self._order], axis=1, out=upto[:, 1:])
        marked = weights[:, self._marked]
        if len(self._first) < len(self._marked):
            marked = np.add.reduceat(marked, self._first, axis=1)
        ends = upto[:, self._end]
        return Blocks(
            marked=marked,
            every=ends - upto[:, self._start],
            marked_upto=np.cumsum(marked, axis=1, dtype=np.int32),
            every_upto=ends,
            total_marked=marked.sum(1, dtype=np.float64),
            total=upto[:, -1].astype(np.float64),
        )

    def once(self) -> Blocks:
        """The blocks of the rows themselves, each counting once; k = 1."""
        return self.blocks(np.ones((1, len(self._order)), dtype=np.int32))


def auroc(blocks: Blocks) -> Floats:
    """P(a marked row has a higher key than an unmarked one), ties counting half (Hanley & McNeil
    1982), shape (k,). NaN where one of the two kinds has no row."""
    unmarked_upto = blocks.every_upto - blocks.marked_upto
    ahead = 2 * unmarked_upto - (blocks.every - blocks.marked)
    lost = _dot(blocks.marked, ahead) / 2
    return 1 - ratio(lost, blocks.total_marked * (blocks.total - blocks.total_marked))


def average_precision(blocks: Blocks) -> Floats:
    """The area under the precision-recall curve as a step function: precision at each block's end,
    weighted by the recall that the block adds, shape (k,). NaN where no row is marked."""
    precision = blocks.marked_upto / np.maximum(blocks.every_upto, 1)
    return ratio(_dot(blocks.marked, precision), blocks.total_marked)


def mean_risk(blocks: Blocks) -> Floats:
    """AURC (Geifman & El-Yaniv 2017): the share of wrong (marked) rows among the j rows with the
    highest keys, averaged over every j; within a block, over every order of it. Shape (k,).

    A wrong row in place i is among the j first for every j from i to n, so it adds H(n) - H(i - 1)
    with H the harmonic numbers; its place in a block is any of the block's with equal chance.
    """
    most = int(blocks.total.max(initial=0))
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, most + 1))])
    places = np.concatenate([[0.0], np.cumsum(harmonic)])
    starts = blocks.every_upto - blocks.every
    share = blocks.marked / np.maximum(blocks.every, 1)
    saved = _dot(share, places[blocks.every_upto] - places[starts])
    whole = harmonic[blocks.total.astype(np.int64)] * blocks.total_marked
    return ratio(whole - saved, blocks.total)


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


def _dot(one: Counts | Floats, other: Counts | Floats) -> Floats:
    """The inner product of each line, in double precision."""
    product: Floats = np.einsum("ij,ij->i", one, other, dtype=np.float64)
    return product
