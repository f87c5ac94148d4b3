"""Computes the figures of a ``results.json`` again from the predictions beside it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from halubench.errors import InputError
from halubench.metrics.rates import FAIL, PASS, RATES, UNSCORED, auroc, confusion
from halubench.rank.check import TOLERANCE
from halubench.reading import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from halubench.results import Results, Scores

    _Row = tuple[int, int, float]

_LABELS = {"PASS": PASS, "FAIL": FAIL}
_COLUMNS = ("source_ds", "label", "verdict", "p_fail")


def recount(results: Results, path: Path) -> None:
    """Raise InputError naming the first figure of ``results`` that is not that of the predictions.

    Does nothing where there is no file of predictions: results may be published alone.
    """
    if not path.is_file():
        return
    rows = _rows(path)
    whole = [row for part in rows.values() for row in part]
    for name, scores in {"overall": results.overall, **results.sources}.items():
        found = whole if name == "overall" else rows.get(name, [])
        for field, stated, counted in _figures(scores, found):
            if not _same(stated, counted):
                raise InputError(
                    f"{path} disagrees with results.json of {results.judge.name!r}: {name}.{field} "
                    f"is {stated} there but {counted} by the predictions.",
                    "Evaluate this judge again.",
                )


def _rows(path: Path) -> dict[str, list[_Row]]:
    """(label, verdict, P(FAIL) or NaN) of every row, by source."""
    found: defaultdict[str, list[_Row]] = defaultdict(list)
    for record in scan(path):
        fields = record.fields
        missing = [name for name in _COLUMNS if name not in fields]
        if missing or fields["label"] not in _LABELS:
            what = f"{record.where} is no row of predictions: {missing or 'the label'} is wrong."
            raise InputError(what, "Evaluate this judge again.")
        p_fail = fields["p_fail"]
        found[str(fields["source_ds"])].append(
            (
                _LABELS[str(fields["label"])],
                _LABELS.get(str(fields["verdict"]), UNSCORED),
                float(p_fail) if isinstance(p_fail, float | int) else math.nan,
            )
        )
    return found


def _figures(
    scores: Scores, rows: Sequence[_Row]
) -> Iterator[tuple[str, float | None, float | None]]:
    """(field, stated, counted) of every count and rate."""
    labels = np.array([label for label, _, _ in rows], dtype=np.int64)
    verdicts = np.array([verdict for _, verdict, _ in rows], dtype=np.int64)
    table = confusion(labels, verdicts)
    yield "n", scores.n, len(rows)
    yield "n_fail", scores.n_fail, int(table[FAIL].sum())
    yield "unscored", scores.unscored, int(table[:, UNSCORED].sum())
    for name, rate in RATES.items():
        yield name, getattr(scores, name).value, _defined(float(rate(table)))
    ranked = auroc(labels, np.array([p_fail for _, _, p_fail in rows], dtype=np.float64))
    yield "auroc", scores.auroc.value, _defined(ranked)


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def _same(stated: float | None, counted: float | None) -> bool:
    if stated is None or counted is None:
        return stated is counted
    return math.isclose(stated, counted, rel_tol=0.0, abs_tol=TOLERANCE)
