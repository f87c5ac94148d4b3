"""Figures of the judge's probabilities: ranking, calibration, and knowing when it is wrong.

A row without ``p_fail`` counts as the worst answer possible, unless a figure says ``scored``: it is
ranked below every other if it is FAIL and above every other if it is PASS, its squared error and
its gap are 1, and it is the one of which the judge is least sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halubench.columns import FAIL
from halubench.metrics.ranking import Ranking, auroc, average_precision, mean_risk, risk_curve
from halubench.metrics.rates import Counts, Floats, Ints, ratio
from halubench.results import ReliabilityBin, RiskPoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BINS = 10
POINTS = 20
FIGURES = ("auroc", "auroc_scored", "auprc", "aurc", "brier", "ece")


@dataclass(frozen=True, slots=True)
class Probabilities:
    """``p_fail`` (NaN: none) of n rows, with what is needed to score it, each of shape (n,)."""

    labels: Ints
    verdicts: Ints
    p_fail: Floats

    @property
    def given(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.p_fail)

    @property
    def keys(self) -> Floats:
        """``p_fail``, with a place below or above all others for the rows without."""
        return np.where(self.given, self.p_fail, np.where(self.labels == FAIL, -1.0, 2.0))

    @property
    def confidence(self) -> Floats:
        """max(p, 1 - p), and -1 for the rows without."""
        return np.where(self.given, np.maximum(self.p_fail, 1 - self.p_fail), -1.0)

    @property
    def wrong(self) -> NDArray[np.bool_]:
        return np.asarray(self.labels != self.verdicts)


class ProbabilityFigures:
    """Scores many weightings of the same rows: ``figures(times)``.

    ``cluster`` (n,) numbers the cluster of each row from 0; ``times`` says how often each cluster
    counts, shape (k, clusters). Gives each of :data:`FIGURES` as an array of shape (k,).
    """

    def __init__(self, rows: Probabilities, cluster: Ints) -> None:
        fail, given = rows.labels == FAIL, rows.given
        self._cluster = cluster
        self._given = given
        self._all = Ranking(fail, rows.keys)
        self._scored = Ranking(fail[given], rows.p_fail[given])
        self._sure = Ranking(rows.wrong, rows.confidence)
        self._sums = _sums(rows, cluster)

    def figures(self, times: Counts) -> dict[str, Floats]:
        weights = times[:, self._cluster]
        blocks = self._all.blocks(weights)
        ranked = auroc(blocks)
        scored = self._given.all()
        return {
            "auroc": ranked,
            "auroc_scored": (
                ranked if scored else auroc(self._scored.blocks(weights[:, self._given]))
            ),
            "auprc": average_precision(blocks),
            "aurc": mean_risk(self._sure.blocks(weights)),
            **_calibration(times.astype(np.float64) @ self._sums),
        }


def _sums(rows: Probabilities, cluster: Ints) -> Floats:
    """By cluster: rows, rows without ``p_fail``, squared error, and by bin the excess of
    ``p_fail`` over the labels; shape (clusters, 3 + BINS)."""
    given, fail = rows.given, (rows.labels == FAIL).astype(np.float64)
    p_fail = np.where(given, rows.p_fail, 0.0)
    error = np.where(given, (p_fail - fail) ** 2, 1.0)
    excess = np.zeros((len(given), BINS))
    excess[np.flatnonzero(given), bins(p_fail[given])] = (p_fail - fail)[given]
    columns = np.column_stack([np.ones(len(given)), ~given, error, excess])
    sums = np.zeros((int(cluster.max(initial=-1)) + 1, columns.shape[1]))
    np.add.at(sums, cluster, columns)
    return sums


def _calibration(sums: Floats) -> dict[str, Floats]:
    """Brier score (Brier 1950) and expected calibration error (Naeini et al. 2015): in a bin,
    n |mean p - share of FAIL| is the absolute excess of p over the labels."""
    n, missing, error, excess = sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3:]
    return {
        "brier": ratio(error, n),
        "ece": ratio(missing + np.abs(excess).sum(1), n),
    }


def bins(p_fail: Floats) -> Ints:
    """The number of the equal-width bin (low, high] of each probability."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    return np.searchsorted(edges[1:-1], p_fail)


def reliability(rows: Probabilities) -> list[ReliabilityBin]:
    """The reliability diagram (Murphy & Winkler 1977); nothing where no row has ``p_fail``."""
    p_fail, fail = rows.p_fail[rows.given], rows.labels[rows.given] == FAIL
    if not len(p_fail):
        return []
    place, edges = bins(p_fail), np.linspace(0.0, 1.0, BINS + 1).tolist()
    return [_bin(edges[i : i + 2], p_fail[place == i], fail[place == i]) for i in range(BINS)]


def _bin(edges: Sequence[float], p_fail: Floats, fail: NDArray[np.bool_]) -> ReliabilityBin:
    low, high = edges
    if not len(p_fail):
        return ReliabilityBin(low=low, high=high, n=0)
    mean, share = float(p_fail.mean()), float(fail.mean())
    return ReliabilityBin(low=low, high=high, n=len(p_fail), mean_p_fail=mean, fail_share=share)


def risk_coverage(rows: Probabilities) -> list[RiskPoint]:
    """The risk-coverage curve (El-Yaniv & Wiener 2010) at up to 20 coverages; nothing where no row
    has ``p_fail``."""
    if not rows.given.any():
        return []
    return [
        RiskPoint(coverage=coverage, risk=risk, confidence=None if key < 0 else key)
        for coverage, risk, key in risk_curve(rows.wrong, rows.confidence, POINTS)
    ]
