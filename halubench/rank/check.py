"""Refuses results whose numbers do not add up, and says by how much."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.results import Estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.results import Results, Scores

TOLERANCE = 1e-6
FEWEST = 1000
"""Resamples of an interval that can rank."""


def check(results: Results) -> None:
    """Raise InputError naming the judge, the field and the difference unless the counts of every
    source add up to the whole and the averages are those of the sources."""
    if 0 < results.resamples < FEWEST:
        what = f"The intervals of {results.judge.name!r} are of {results.resamples} resamples only."
        raise InputError(what, f"Evaluate this judge again; a board takes {FEWEST} and more.")
    for field, stated, found in _pairs(results):
        if not math.isclose(stated, found, abs_tol=TOLERANCE, rel_tol=0.0):
            raise InputError(
                f"The results of {results.judge.name!r} on {results.data.name!r} do not add up: "
                f"{field} is {stated:.10g} but its parts give {found:.10g} "
                f"(difference {stated - found:+.6g}).",
                "Evaluate this judge again.",
            )


def _pairs(results: Results) -> Iterator[tuple[str, float, float]]:
    """(field, stated value, value from the parts)."""
    overall, sources = results.overall, results.sources
    yield "data.rows", results.data.rows, overall.n
    for name, scores in {"overall": overall, **sources, **results.baselines}.items():
        yield from _own(name, scores)
    for name, scores in results.baselines.items():
        for count in ("n", "n_pass", "n_fail"):
            yield f"{name}.{count}", getattr(scores, count), getattr(overall, count)
    for count in ("n", "n_pass", "n_fail", "unscored"):
        parts = sum(getattr(scores, count) for scores in sources.values())
        yield f"overall.{count}", getattr(overall, count), parts
    yield "overall.unscored", overall.unscored, sum(results.unscored_reasons.values())
    right = [(s.accuracy.value or 0.0) * s.n for s in sources.values()]
    if overall.n:
        yield "overall.accuracy", overall.accuracy.value or 0.0, sum(right) / overall.n
    yield from _means(results)
    yield from _range("macro_accuracy", results.macro_accuracy)
    for field, used in results.usage:
        if used is not None:
            yield f"usage.{field}", used, max(used, 0.0) if math.isfinite(used) else 0.0


def _own(name: str, scores: Scores) -> Iterator[tuple[str, float, float]]:
    yield f"{name}.n", scores.n, scores.n_pass + scores.n_fail
    yield f"{name}.unscored", scores.unscored, min(max(scores.unscored, 0), scores.n)
    for label in ("pass", "fail"):
        cells = {f"{label}_{verdict}" for verdict in ("pass", "fail", "unscored")}
        counted = sum(scores.confusion.model_dump(include=cells).values())
        yield f"{name}.n_{label}", getattr(scores, f"n_{label}"), counted
    if scores.n:
        yield f"{name}.coverage", scores.coverage, 1 - scores.unscored / scores.n
    for field, value in scores:
        if isinstance(value, Estimate):
            yield from _range(f"{name}.{field}", value)


def _means(results: Results) -> Iterator[tuple[str, float, float]]:
    """The macro averages are unweighted means over the sources, undefined where one of them is."""
    for field in ("accuracy", "balanced_accuracy"):
        stated = getattr(results, f"macro_{field}").value
        values = [getattr(scores, field).value for scores in results.sources.values()]
        if stated is not None and None not in values and values:
            yield f"macro_{field}", stated, sum(values) / len(values)


def _range(field: str, estimate: Estimate) -> Iterator[tuple[str, float, float]]:
    """Every figure lies in [0, 1] (which NaN does not), MCC in [-1, 1], its low end not above its
    high one."""
    least = -1.0 if field.endswith(".mcc") else 0.0
    for end in (estimate.value, estimate.low, estimate.high):
        if end is not None:
            inside = min(max(end, least), 1.0) if math.isfinite(end) else 0.0
            yield field, end, inside
    if estimate.low is not None and estimate.high is not None:
        yield f"{field}.low", estimate.low, min(estimate.low, estimate.high)
