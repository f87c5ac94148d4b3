"""The rows of one scope as arrays, and their out-of-fold scores."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from halubench import near
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sklearn.feature_extraction.text import CountVectorizer

    from halubench.records import Example

Scores: TypeAlias = NDArray[np.float64]
FOLDS = 5
MIN_ROWS, MIN_GROUPS, MIN_LABEL = 40, 10, 10
MOST_ROWS = 20_000
"""Rows that a probe is fitted on, and a passage group more at most. By chance an AUROC of so many, half
of each label, is .004 off (Hanley and McNeil 1982)."""


@dataclass(frozen=True)
class Rows:
    """``n`` examples; ``fail`` (n,) labels, ``groups`` (n,) passage groups, ``index`` (n,) row
    numbers in the whole dataset."""

    examples: tuple[Example, ...]
    fail: NDArray[np.bool_]
    groups: NDArray[np.str_]
    index: NDArray[np.int64]
    seed: int

    @classmethod
    def of(cls, examples: Sequence[Example], seed: int) -> Rows:
        """All rows, grouped by passage."""
        fail = np.array([example.label == "FAIL" for example in examples], dtype=bool)
        groups = np.array(near.groups([example.passage for example in examples]), dtype=str)
        return cls(tuple(examples), fail, groups, np.arange(len(examples)), seed)

    def where(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows at which ``mask`` (n,) is true."""
        kept = np.flatnonzero(mask)
        examples = tuple(self.examples[i] for i in kept)
        return Rows(examples, self.fail[kept], self.groups[kept], self.index[kept], self.seed)

    @cached_property
    def sample(self) -> Rows:
        """These rows; of more than :data:`MOST_ROWS`, whole passage groups drawn by hash."""
        if len(self.fail) <= MOST_ROWS:
            return self
        names, member, sizes = np.unique(self.groups, return_inverse=True, return_counts=True)
        drawn = np.argsort([digest("sample", str(self.seed), str(name)) for name in names])
        enough = int(np.searchsorted(np.cumsum(sizes[drawn]), MOST_ROWS)) + 1
        return self.where(np.isin(member, drawn[:enough]))

    @cached_property
    def folds(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """(train, test) row numbers: five folds, labels balanced, no passage group in two folds."""
        splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=self.seed)
        return list(splitter.split(np.zeros(len(self.fail)), self.fail, self.groups))

    def too_few(self) -> str:
        """Why no probe can be measured on these rows; empty when one can."""
        n, fails, groups = len(self.examples), int(self.fail.sum()), len(np.unique(self.groups))
        if n < MIN_ROWS:
            return f"{n} rows; a probe needs at least {MIN_ROWS}"
        if min(fails, n - fails) < MIN_LABEL:
            label = "FAIL" if fails < n - fails else "PASS"
            count = min(fails, n - fails)
            return f"{count} {label} rows; a probe needs at least {MIN_LABEL} of each label"
        if groups < MIN_GROUPS:
            return f"{groups} distinct passages; a probe needs at least {MIN_GROUPS}"
        return ""


def out_of_fold(features: NDArray[np.float64] | csr_matrix, rows: Rows) -> NDArray[np.float64]:
    """P(FAIL) of each row (n,) by a logistic regression that never saw the row's passage group."""
    scores = np.full(len(rows.fail), 0.5)
    for train, test in rows.folds:
        if len(np.unique(rows.fail[train])) == 2 and len(test):
            model = _model(features).fit(features[train], rows.fail[train])
            scores[test] = model.predict_proba(features[test])[:, 1]
    return scores


def fold_ranks(scores: NDArray[np.float64], rows: Rows) -> NDArray[np.float64]:
    """Scores as mid-ranks in [0, 1] within their fold, so that folds can be pooled although each
    has a model of its own."""
    ranks = np.empty(len(scores))
    for _, test in rows.folds:
        _, value, count = np.unique(scores[test], return_inverse=True, return_counts=True)
        middle = np.cumsum(count) - (count - 1) / 2
        ranks[test] = (middle[value] - 0.5) / max(1, len(test))
    return ranks


def sparse(vectoriser: CountVectorizer, texts: Sequence[str]) -> csr_matrix:
    """The texts' features (n, terms); one empty column where no term occurs twice."""
    try:
        return csr_matrix(vectoriser.fit_transform(texts))
    except ValueError:
        return csr_matrix((len(texts), 1))


def _model(features: NDArray[np.float64] | csr_matrix) -> Pipeline:
    if isinstance(features, np.ndarray):
        return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return make_pipeline(LogisticRegression(solver="liblinear", random_state=0))
