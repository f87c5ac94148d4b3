"""Whether a judge stands by its verdicts when a row is put in another form that means the same.

The invariance tests of Ribeiro et al. 2020 (CheckList, arXiv 2005.04118): a change that keeps the
label must keep the prediction.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from halubench.metrics.bootstrap import draw_sums, estimate
from halubench.metrics.rates import ratio
from halubench.records import Unscored
from halubench.results import Variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.predictions import Judged
    from halubench.records import Prediction

    Forms: TypeAlias = list[tuple[Judged, list[Prediction]]]

ALL = "all"
"""Every variant of a row at once."""
SHARES = ("same", "accuracy", "as_given", "both_right")


def consistency(rows: Sequence[Judged], seed: int, resamples: int) -> dict[str, Variant]:
    """The figures of each variant, and of all together; nothing where no row was varied."""
    names = sorted({name for row in rows for name in row.variants})
    forms: dict[str, Forms] = {
        name: [(row, [row.variants[name]]) for row in rows if name in row.variants]
        for name in names
    }
    if names:
        forms[ALL] = [(row, [*row.variants.values()]) for row in rows if row.variants]
    return {
        name: _variant(name, varied, len(rows), seed, resamples) for name, varied in forms.items()
    }


def _variant(name: str, varied: Forms, of: int, seed: int, resamples: int) -> Variant:
    counts = np.array([_counts(row, said) for row, said in varied], dtype=np.int64)
    names, cluster = np.unique([row.group for row, _ in varied], return_inverse=True)
    cells = np.zeros((len(names), counts.shape[1]), dtype=np.int64)
    np.add.at(cells, cluster, counts)
    whole = cells.sum(0).astype(np.float64)
    draws = draw_sums(cells, seed, f"variant={name}", resamples)
    shares = {
        share: estimate(float(ratio(whole[at], whole[0])), ratio(draws[:, at], draws[:, 0]))
        for at, share in enumerate(SHARES, 1)
    }
    verdicts = [one.verdict for _, said in varied for one in said if name != ALL]
    reasons = Counter(one.reason for one in verdicts if isinstance(one, Unscored))
    return Variant(n=len(varied), of=of, unscored_reasons=dict(sorted(reasons.items())), **shares)


def _counts(row: Judged, said: Sequence[Prediction]) -> tuple[bool, ...]:
    """True, then whether each of :data:`SHARES` holds of the row in all those forms."""
    steady = not isinstance(row.said.verdict, Unscored)
    same = steady and all(one.verdict == row.said.verdict for one in said)
    right = all(one.verdict == row.label for one in said)
    return True, same, right, row.right, right and row.right
