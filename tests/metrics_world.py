"""Arrays of judged rows, scored as ``evaluate`` scores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from judged_world import judged_row

from halubench.metrics.probability import Probabilities, ProbabilityFigures
from halubench.metrics.summary import summarise

if TYPE_CHECKING:
    from halubench.predictions import Judged
    from halubench.results import Figures

VERDICTS = ("PASS", "FAIL", "UNSCORED")


@dataclass(frozen=True)
class Part:
    """The rows of one source: labels (0 PASS, 1 FAIL), verdicts (2: unscored), p_fail (NaN: none)."""

    labels: np.ndarray
    verdicts: np.ndarray
    p_fail: np.ndarray
    clusters: np.ndarray


def rows_of(parts: dict[str, Part]) -> list[Judged]:
    """The rows of several sources, one after the other."""
    rows: list[Judged] = []
    for source, part in parts.items():
        columns = (part.labels, part.verdicts, part.p_fail, part.clusters)
        for label, verdict, p_fail, cluster in zip(*(c.tolist() for c in columns), strict=True):
            told = (VERDICTS[label], VERDICTS[verdict], None if np.isnan(p_fail) else p_fail)
            rows.append(judged_row(len(rows), told, source_ds=source, group=str(cluster)))
    return rows


def score(parts: dict[str, Part], seed: int = 0, resamples: int = 2000) -> Figures:
    """The figures of the rows of several sources."""
    return summarise(rows_of(parts), seed, resamples)


def figures(labels, verdicts, p_fail) -> dict[str, float]:
    """The figures of probabilities, every row counting once."""
    rows = Probabilities(
        np.array(labels, dtype=np.int64),
        np.array(verdicts, dtype=np.int64),
        np.array(p_fail, dtype=np.float64),
    )
    n = len(rows.labels)
    scorer = ProbabilityFigures(rows, np.arange(n), n)
    found = scorer.figures(np.ones((n, 1), dtype=np.int32))
    return {name: float(value[0]) for name, value in found.items()}
