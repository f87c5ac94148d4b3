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
from halubench.metrics.ranking import Ranking, mean_risk, ranked, risk_curve
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

    ``cluster`` (n,) numbers the cluster of each row from 0, ``clusters`` is how many there are;
    ``times`` says how often each counts, shape (clusters, k). Gives each of :data:`FIGURES` as an
    array of shape (k,).
    """

    def __init__(self, rows: Probabilities, cluster: Ints, clusters: int) -> None:
        self._order = Ranking(rows.labels == FAIL, rows.keys, cluster, clusters)
        self._sure = Ranking(rows.wrong, rows.confidence, cluster, clusters)
        self._sums = _sums(rows, cluster, clusters)

    def figures(self, times: Counts) -> dict[str, Floats]:
        auroc, auprc = ranked(self._order, times)
        sums = self._sums @ times
        return {
            "auroc": auroc,
            "auroc_scored": _among_given(auroc, sums[:4]),
            "auprc": auprc,
            "aurc": mean_risk(self._sure, times),
            **_calibration(sums),
        }


def _sums(rows: Probabilities, cluster: Ints, clusters: int) -> Floats:
    """By cluster: PASS and FAIL rows with ``p_fail``, PASS and FAIL rows without, squared error,
    and by bin the excess of ``p_fail`` over the labels; shape (5 + BINS, clusters)."""
    given, fail = rows.given, (rows.labels == FAIL).astype(np.float64)
    p_fail = np.where(given, rows.p_fail, 0.0)
    columns = np.zeros((len(given), 5 + BINS))
    columns[np.arange(len(given)), rows.labels + 2 * ~given] = 1
    columns[:, 4] = np.where(given, (p_fail - fail) ** 2, 1.0)
    columns[np.flatnonzero(given), 5 + bins(p_fail[given])] = (p_fail - fail)[given]
    sums = np.zeros((clusters, columns.shape[1]))
    np.add.at(sums, cluster, columns)
    return sums.T


def _among_given(auroc: Floats, counts: Floats) -> Floats:
    """The AUROC among the rows with ``p_fail``, from that of all and the numbers of :func:`_sums`.

    A FAIL row is ranked below so many PASS rows without ``p_fail`` as there are, and one without
    ``p_fail`` below all others: what remains of the pairs in the wrong order are those given.
    """
    passes, fails, blank_passes, blank_fails = counts
    every = passes + blank_passes
    lost = np.rint(2 * (1 - auroc) * (fails + blank_fails) * every) / 2
    return 1 - ratio(lost - fails * blank_passes - blank_fails * every, fails * passes)


def _calibration(sums: Floats) -> dict[str, Floats]:
    """Brier score (Brier 1950) and expected calibration error (Naeini et al. 2015): in a bin,
    n |mean p - share of FAIL| is the absolute excess of p over the labels."""
    n, missing, error, excess = sums[:4].sum(0), sums[2] + sums[3], sums[4], sums[5:]
    return {
        "brier": ratio(error, n),
        "ece": ratio(missing + np.abs(excess).sum(0), n),
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
