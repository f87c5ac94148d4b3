"""``baseline:majority|length|overlap|numbers``: what a judge must beat to have read anything.

Every baseline is cross-fitted: the passages are dealt to five folds and no row is judged by a
model that saw its passage. With fewer passages than folds each passage is a fold; with a single
one there is nothing to learn from, and its rows are Unscored.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from halubench import shortcuts
from halubench.errors import InputError
from halubench.records import Prediction, Unscored, Verdict
from halubench.results import JudgeInfo
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from numpy.typing import NDArray

    from halubench.judges.base import JudgeOptions
    from halubench.records import Example, Row

FOLDS = 5
MAJORITY = "majority"
FEATURES: dict[str, Callable[[Row], float]] = {
    "length": shortcuts.length,
    "overlap": shortcuts.overlap,
    "numbers": shortcuts.numbers,
}
_ENOUGH = 1e-9
"""The length of a Newton step at which the fit is done."""
ONE_PASSAGE = "one passage only: nothing to learn from"


class BaselineJudge:
    """Learns one shortcut, source by source, from the labels of the other folds.

    ``majority`` says the likelier label of the source (PASS when even), with no ``p_fail``; the
    others are logistic regressions on one feature, ``p_fail`` their probability.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._judged: dict[str, tuple[Verdict, float | None]] = {}

    def info(self) -> JudgeInfo:
        uri = f"baseline:{self._name}"
        return JudgeInfo(name=uri, uri=uri, kind="baseline")

    def fit(self, examples: Sequence[Example], groups: Sequence[str]) -> None:
        """Cross-fit on the labelled rows; ``groups`` are their passage groups."""
        folds = deal(examples, groups)
        feature = self._feature(examples)
        fails = np.array([example.label == "FAIL" for example in examples], dtype=np.int64)
        sources = np.array([example.source_ds for example in examples], dtype=object)
        p_fail = np.full(len(examples), np.nan)
        for fold in np.unique(folds):
            for source in np.unique(sources[folds == fold]):
                here = np.flatnonzero((folds == fold) & (sources == source))
                known = _known(folds != fold, sources == source)
                p_fail[here] = self._learn(feature, fails, known, here)
        for example, value in zip(examples, p_fail.tolist(), strict=True):
            self._judged[example.id] = self._verdict(value)

    async def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """Rows must be those given to :meth:`fit`."""
        for row in rows:
            yield self.said(row.id)

    def said(self, name: str) -> Prediction:
        """What it says of the row of that id, one of those given to :meth:`fit`."""
        return Prediction(name, f"baseline:{self._name}", *self._judged[name])

    def _feature(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        if self._name == MAJORITY:
            return np.zeros(len(examples))
        return np.array([FEATURES[self._name](example.blind()) for example in examples])

    def _learn(
        self,
        feature: NDArray[np.float64],
        fails: NDArray[np.int64],
        known: NDArray[np.bool_],
        here: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """P(FAIL) of the rows ``here`` from the rows ``known``; NaN where there are none."""
        if not known.any():
            return np.full(len(here), np.nan)
        share = float(fails[known].mean())
        if self._name == MAJORITY or share in (0.0, 1.0):
            return np.full(len(here), share)
        learnt = feature[known]
        mean, spread = learnt.mean(), learnt.std() if np.ptp(learnt) else 1.0
        weight, intercept = logistic((learnt - mean) / spread, fails[known])
        return _chance(weight * (feature[here] - mean) / spread + intercept)

    def _verdict(self, p_fail: float) -> tuple[Verdict, float | None]:
        if math.isnan(p_fail):
            return Unscored(ONE_PASSAGE), None
        verdict: Verdict = "FAIL" if p_fail > 0.5 else "PASS"
        return verdict, None if self._name == MAJORITY else p_fail


def open_judge(spec: str, options: JudgeOptions) -> BaselineJudge:  # noqa: ARG001  (the contract of judges)
    """The baseline of that name. Raises InputError with the known names."""
    if spec != MAJORITY and spec not in FEATURES:
        known = ", ".join((MAJORITY, *FEATURES))
        raise InputError(f"There is no baseline {spec!r}.", f"Known: {known}.")
    return BaselineJudge(spec)


def deal(examples: Sequence[Example], groups: Sequence[str]) -> NDArray[np.int64]:
    """A fold for each row, rows of a group together; folds are alike in sources and labels.

    Groups of the same make-up (sources and labels of their rows) are dealt out in turn, by hash,
    so that an even source stays even in every fold, whatever the order of the rows.
    """
    makeup: defaultdict[str, list[str]] = defaultdict(list)
    for group, example in zip(groups, examples, strict=True):
        makeup[group].append(f"{example.source_ds}\n{example.label}")
    order = sorted(makeup, key=lambda group: (sorted(makeup[group]), digest(group)))
    fold = {group: turn % FOLDS for turn, group in enumerate(order)}
    return np.array([fold[group] for group in groups], dtype=np.int64)


def logistic(feature: NDArray[np.float64], fails: NDArray[np.int64]) -> NDArray[np.float64]:
    """(weight, intercept) of P(FAIL) by one feature, shape (n,); both labels must occur.

    Logistic regression with half the square of the weight as its penalty, which is what
    scikit-learn fits unless told otherwise, by Newton's method with halved steps (Boyd &
    Vandenberghe 2004, 9.5). Written out because of two numbers no command need wait for scikit-learn.
    """
    x = np.column_stack((feature, np.ones(len(feature))))
    sign, penalty = 1.0 - 2 * fails, np.diag((1.0, 0.0))

    def loss(at: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, sign * (x @ at)).sum() + at @ penalty @ at / 2)

    found = np.zeros(2)
    step: NDArray[np.float64] = np.ones(2)
    while np.abs(step).max() > _ENOUGH:
        p = _chance(x @ found)
        slope, curve = x.T @ (p - fails) + penalty @ found, (x.T * (p * (1 - p))) @ x + penalty
        step = np.asarray(np.linalg.solve(curve, slope), dtype=np.float64)
        while np.abs(step).max() > _ENOUGH and loss(found - step) > loss(found):
            step /= 2
        found = found - step
    return found


def _chance(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.exp(-np.logaddexp(0, -logit))


def _known(others: NDArray[np.bool_], source: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows to learn from: the source's in the other folds, or all of those if it has none."""
    same = others & source
    return same if same.any() else others
