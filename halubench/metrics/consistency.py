"""Whether a judge stands by its verdicts when a row is put in another form that means the same.

The invariance tests of Ribeiro et al. 2020 (CheckList, arXiv 2005.04118): a change that keeps the
label must keep the prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halubench.columns import UNSCORED, VARIANT, codes, places, reasons, varied
from halubench.metrics.bootstrap import draw_sums, estimate
from halubench.metrics.rates import ratio
from halubench.results import Estimate, Variant

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from halubench.metrics.rates import Ints

    Truths = NDArray[np.bool_]

ALL = "all"
"""Every variant of a row at once."""
SHARES = ("same", "accuracy", "as_given", "both_right")


def consistency(judged: pa.Table, seed: int, resamples: int) -> dict[str, Variant]:
    """The figures of each variant, and of all together; nothing where no row was varied.

    ``judged`` has the columns :data:`halubench.columns.COUNTED`.
    """
    row, said = varied(judged)
    if not len(row):
        return {}
    truths = _truths(judged, row, codes(said["verdict"]))
    cluster = places(judged["group"])[1]
    names, variant = places(said[VARIANT])
    found: dict[str, Variant] = {}
    for at, name in enumerate(names):
        mine = np.flatnonzero(variant == at)
        shares = _shares(truths[mine], cluster[row[mine]], name, seed, resamples)
        unread = reasons(said.take(mine))
        found[name] = Variant(n=len(mine), of=len(judged), unscored_reasons=unread, **shares)
    rows, first = np.unique(row, return_index=True)
    together = np.logical_and.reduceat(truths, first)
    shares = _shares(together, cluster[rows], ALL, seed, resamples)
    return {**found, ALL: Variant(n=len(rows), of=len(judged), unscored_reasons={}, **shares)}


def _truths(judged: pa.Table, row: Ints, said: Ints) -> Truths:
    """Of each variant: True, then whether each of :data:`SHARES` holds; shape (variants, 5)."""
    labels, verdicts = codes(judged["label"])[row], codes(judged["verdict"])[row]
    same = (verdicts != UNSCORED) & (said == verdicts)
    right, as_given = said == labels, verdicts == labels
    return np.column_stack([np.ones_like(same), same, right, as_given, right & as_given])


def _shares(
    truths: Truths, cluster: Ints, name: str, seed: int, resamples: int
) -> dict[str, Estimate]:
    groups, place = np.unique(cluster, return_inverse=True)
    cells = np.zeros((len(groups), truths.shape[1]), dtype=np.int64)
    np.add.at(cells, place, truths)
    whole = cells.sum(0).astype(np.float64)
    draws = draw_sums(cells, seed, f"variant={name}", resamples)
    return {
        share: estimate(float(ratio(whole[at], whole[0])), ratio(draws[:, at], draws[:, 0]))
        for at, share in enumerate(SHARES, 1)
    }
