"""Scores with intervals: the passage-clustered percentile bootstrap.

Rows that share a passage are not independent, so passages are drawn, not rows (Davison & Hinkley
1997, 2.4 and 3.8): within a source for its figures and for the means over sources, which are fixed
and not sampled; among all passages for the figures over all rows. A source of a single passage
says nothing about how passages differ, so it has values but no intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from halubench.metrics.rates import (
    CELLS,
    FAIL,
    PASS,
    RATES,
    UNSCORED,
    Counts,
    Floats,
    Ints,
    Ranking,
    auroc,
    confusion,
    coverage,
)
from halubench.results import Estimate, Scores
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RESAMPLES = 2000
_CHUNK_CELLS = 500_000
"""Resamples are drawn in chunks of about this many numbers, so that memory stays small."""


@dataclass(frozen=True, slots=True)
class Slice:
    """The judged rows of one source, as arrays of one length: ``labels`` (0 PASS, 1 FAIL),
    ``verdicts`` (0 PASS, 1 FAIL, 2 unscored), ``p_fail`` (NaN: none) and ``clusters`` (any
    sortable names, equal for rows of one passage)."""

    labels: Ints
    verdicts: Ints
    p_fail: Floats
    clusters: np.ndarray[tuple[int], np.dtype[np.str_]]


@dataclass(frozen=True, slots=True)
class Scored:
    """All metrics of one judge: overall, by source, and unweighted means over the sources."""

    overall: Scores
    macro_accuracy: Estimate
    macro_balanced_accuracy: Estimate
    sources: dict[str, Scores]


def score(sources: Mapping[str, Slice], seed: int = 0, resamples: int = RESAMPLES) -> Scored:
    """Score every source and all rows together, with 95 % intervals.

    The result depends on the rows and ``seed`` only, not on the order of rows or sources.
    """
    parts = {name: sources[name] for name in sorted(sources)}
    tables = {name: confusion(part.labels, part.verdicts) for name, part in parts.items()}
    draws = {name: _draw_tables(part, _rng(seed, name), resamples) for name, part in parts.items()}
    scored = {
        name: _scores(tables[name], draws[name], _auroc(part, _rng(seed, name, "auroc"), resamples))
        for name, part in parts.items()
    }
    return Scored(
        overall=_overall(parts, scored, seed, resamples),
        macro_accuracy=_macro("accuracy", tables, draws),
        macro_balanced_accuracy=_macro("balanced_accuracy", tables, draws),
        sources=scored,
    )


def _overall(
    parts: Mapping[str, Slice], scored: Mapping[str, Scores], seed: int, resamples: int
) -> Scores:
    if len(parts) == 1:
        return next(iter(scored.values()))
    names = ("labels", "verdicts", "p_fail", "clusters")
    whole = Slice(
        *(np.concatenate([getattr(part, name) for part in parts.values()]) for name in names)
    )
    draws = _draw_tables(whole, _rng(seed), resamples)
    ranked = _auroc(whole, _rng(seed, "auroc"), resamples)
    return _scores(confusion(whole.labels, whole.verdicts), draws, ranked)


def _rng(seed: int, *names: str) -> np.random.Generator:
    return np.random.default_rng([seed, int(digest(*names)[:15], 16)])


def _draw_tables(part: Slice, rng: np.random.Generator, resamples: int) -> Floats:
    """Confusion tables of ``resamples`` draws of the clusters, shape (resamples, 2, 3); none for
    a single cluster.

    Clusters with equal tables are interchangeable, so the number drawn of each *kind* of cluster
    is multinomial: exact, and as cheap as there are few kinds.
    """
    cluster, groups = _numbered(part)
    flat = cluster * CELLS + part.labels * 3 + part.verdicts
    cells = np.bincount(flat, minlength=groups * CELLS).reshape(groups, CELLS)
    kinds, counts = np.unique(cells, axis=0, return_counts=True)
    drawn = rng.multinomial(groups, counts / groups, size=resamples if groups > 1 else 0)
    return (drawn @ kinds).reshape(-1, 2, 3).astype(np.float64)


def _auroc(part: Slice, rng: np.random.Generator, resamples: int) -> Estimate:
    ranked = _ranked(part)
    cluster, groups = _numbered(ranked)
    ranking = Ranking(ranked.labels, ranked.p_fail)
    draws = [
        ranking.auroc(_draw_rows(cluster, groups, rng, size))
        for size in _chunks(resamples if groups > 1 else 0, len(cluster))
    ]
    value = auroc(ranked.labels, ranked.p_fail)
    return _estimate(value, np.concatenate([np.empty(0), *draws]))


def _ranked(part: Slice) -> Slice:
    given = ~np.isnan(part.p_fail)
    return Slice(part.labels[given], part.verdicts[given], part.p_fail[given], part.clusters[given])


def _numbered(part: Slice) -> tuple[Ints, int]:
    """The cluster of each row as a number from 0, and how many there are."""
    names, cluster = np.unique(part.clusters, return_inverse=True)
    return cluster.astype(np.int64), len(names)


def _draw_rows(cluster: Ints, groups: int, rng: np.random.Generator, size: int) -> Counts:
    """How often each row is drawn, shape (rows, size), when clusters are drawn."""
    drawn = rng.integers(0, groups, size=(groups, size)) * size + np.arange(size)
    times = np.bincount(drawn.ravel(), minlength=groups * size).reshape(groups, size)
    return times.astype(np.float32)[cluster]


def _chunks(resamples: int, width: int) -> Iterator[int]:
    size = max(1, _CHUNK_CELLS // max(1, width))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _macro(rate: str, tables: Mapping[str, Floats], draws: Mapping[str, Floats]) -> Estimate:
    """The unweighted mean over sources; undefined where a source's rate is."""
    value = np.mean([RATES[rate](table) for table in tables.values()])
    fewest = min(len(drawn) for drawn in draws.values())
    drawn = [RATES[rate](tables[:fewest]) for tables in draws.values()]
    return _estimate(float(value), np.mean(drawn, axis=0))


def _scores(table: Floats, draws: Floats, ranked: Estimate) -> Scores:
    rates = {name: _estimate(float(rate(table)), rate(draws)) for name, rate in RATES.items()}
    return Scores(
        n=int(table.sum()),
        n_pass=int(table[PASS].sum()),
        n_fail=int(table[FAIL].sum()),
        unscored=int(table[:, UNSCORED].sum()),
        coverage=float(coverage(table)),
        auroc=ranked,
        **rates,
    )


def _estimate(value: float, draws: Floats) -> Estimate:
    """``value`` with its 2.5 and 97.5 percentiles over the draws where it is defined."""
    if np.isnan(value):
        return Estimate(value=None)
    defined = draws[~np.isnan(draws)]
    if not len(defined):
        return Estimate(value=value)
    low, high = np.percentile(defined, [2.5, 97.5])
    return Estimate(value=value, low=float(low), high=float(high))
