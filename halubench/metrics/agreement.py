"""Agreement between people or judges beyond chance, and the interval of a share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from halubench.results import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def share(right: int, of: int) -> Estimate:
    """``right / of`` with its 95 % Wilson score interval; None where ``of`` is 0.

    Wilson, E. B. (1927), Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22(158), 209-212.
    """
    if not of:
        return Estimate(value=None)
    interval = binomtest(right, of).proportion_ci(method="wilson")
    return Estimate(value=right / of, low=float(interval.low), high=float(interval.high))


def cohen_kappa(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Agreement of two raters on the same rows beyond chance, in [-1, 1].

    Cohen, J. (1960), A coefficient of agreement for nominal scales, Educational and Psychological
    Measurement 20(1), 37-46. None without rows, or where both gave one and the same answer to all.
    """
    names = sorted({*one, *other})
    if len(names) < 2:
        return None
    place = {name: n for n, name in enumerate(names)}
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([place[a] for a in one], [place[b] for b in other]), 1)
    table /= table.sum()
    observed = float(np.trace(table))
    chance = float(table.sum(axis=1) @ table.sum(axis=0))
    return (observed - chance) / (1 - chance)


def fleiss_kappa(counts: NDArray[np.int64]) -> float | None:
    """Agreement of several raters beyond chance, in [-1, 1].

    Fleiss, J. L. (1971), Measuring nominal scale agreement among many raters, Psychological
    Bulletin 76(5), 378-382.

    Args:
        counts: (rows, categories): how many raters gave each category; every row has as many.

    None with no rows, fewer than two raters, or one category only, where kappa is undefined.
    """
    raters = int(counts[0].sum()) if len(counts) else 0
    if raters < 2:
        return None
    agreeing = (counts * (counts - 1)).sum() / (len(counts) * raters * (raters - 1))
    chance = float(((counts.sum(axis=0) / counts.sum()) ** 2).sum())
    return None if chance == 1 else (float(agreeing) - chance) / (1 - chance)
