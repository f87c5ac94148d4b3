"""Words that give the label away, for those who can still make other rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest

from halubench.audit import probes
from halubench.audit.auc import auroc, interval
from halubench.audit.rows import Rows, fold_ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Example

MOST = 20
"""Words looked at in one scope."""
LEVEL = 0.05
"""A word is a giveaway where so uneven a spread over the labels is rarer than this by chance."""


@dataclass(frozen=True, slots=True)
class Giveaway:
    """``excess``: by how much the answer-only AUROC passes its limit (0: it does not, or so few rows
    cannot tell). ``words``: the words and word pairs that FAIL answers have too often."""

    excess: float
    words: tuple[str, ...] = ()


def giveaway(
    examples: Sequence[Example], groups: Sequence[str], limit: float, seed: int
) -> Giveaway:
    """How far these rows' answers tell the label by themselves, and by which words.

    Args:
        examples: the rows of one scope.
        groups: the passage group of each; folds never share one.
        limit: the AUROC that is allowed.
        seed: of folds and bootstrap.
    """
    fail = np.array([one.label == "FAIL" for one in examples], dtype=bool)
    rows = Rows(
        tuple(examples), fail, np.array(groups, dtype=str), np.arange(len(fail)), seed
    ).sample
    if rows.too_few():
        return Giveaway(0.0)
    scores = fold_ranks(probes.answer_scores(rows), rows)
    excess = auroc(scores, rows.fail) - limit
    if excess <= 0 or interval(scores, rows.fail, rows.groups, seed)[0] <= 0.5:
        return Giveaway(0.0)
    found = [one for one in probes.ngrams(rows, MOST) if one.label == "FAIL"]
    uneven = [one for one in found if _p(one.n_fail, one.n_pass) < LEVEL]
    return Giveaway(excess, tuple(one.text for one in uneven))


def _p(n_fail: int, n_pass: int) -> float:
    """The chance of at least ``n_fail`` of all under even odds."""
    return float(binomtest(n_fail, n_fail + n_pass, 0.5, alternative="greater").pvalue)
