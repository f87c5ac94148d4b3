"""What the floors of a result score: always the majority label, and the answer's length alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from halubench.columns import FAIL, PASS, UNSCORED
from halubench.judges.baseline import BaselineJudge
from halubench.metrics.bootstrap import NO_PAIR, RESAMPLES, Slice, score

if TYPE_CHECKING:
    from halubench.records import Example
    from halubench.results import Scores

MAJORITY, LENGTH = FLOORS = ("baseline:majority", "baseline:length")
_CODES = {"PASS": PASS, "FAIL": FAIL}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Rows with the passage group and the pair of each ("": it has none)."""

    examples: tuple[Example, ...]
    groups: tuple[str, ...]
    pairs: tuple[str, ...]


@lru_cache(maxsize=4)  # Many results are of the same rows.
def floor(
    name: str,
    rows: Labelled,
    seed: int,
    resamples: int = RESAMPLES,
    p_resamples: int | None = None,
) -> Scores:
    """The scores of one of :data:`FLOORS`, cross-fitted by passage group. ``majority`` reads labels,
    sources and groups only. The numbers of resamples: see :func:`halubench.metrics.bootstrap.score`."""
    judge = BaselineJudge(name.removeprefix("baseline:"))
    judge.fit(rows.examples, rows.groups)
    said = [judge.said(example.id) for example in rows.examples]
    pairs, pair = np.unique(np.array(rows.pairs, dtype=object), return_inverse=True)
    part = Slice(
        labels=np.array([_CODES[example.label] for example in rows.examples]),
        verdicts=np.array([_CODES.get(str(one.verdict), UNSCORED) for one in said]),
        p_fail=np.array([one.p_fail for one in said], dtype=np.float64),
        clusters=np.unique(np.array(rows.groups, dtype=object), return_inverse=True)[1],
        pairs=np.where(pairs[pair] == "", NO_PAIR, pair),
    )
    return score(part, seed, resamples=resamples, p_resamples=p_resamples)
