"""All figures of one judge on one dataset, from its judged rows alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from halubench.metrics.bootstrap import NO_PAIR, RESAMPLES, Slice, draw_cells, macro, score
from halubench.metrics.consistency import consistency
from halubench.metrics.probability import Probabilities, reliability, risk_coverage
from halubench.metrics.rates import FAIL, PASS, UNSCORED, Ints
from halubench.records import ENDPOINT, Unscored
from halubench.results import Figures, Scores, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from halubench.predictions import Judged
    from halubench.records import Prediction

BY = ("domain", "perturbation", "level")


def summarise(rows: Sequence[Judged], seed: int = 0, resamples: int = RESAMPLES) -> Figures:
    """The figures of ``rows``, which do not depend on the order of the rows."""
    rows = sorted(rows, key=lambda row: row.said.id)
    whole = arrays(rows)
    parts = _parts(whole, [row.source_ds for row in rows])
    sources = {name: score(part, seed, name, resamples) for name, part in parts.items()}
    draws = {name: draw_cells(part, seed, name, resamples) for name, part in parts.items()}
    alone = next(iter(sources.values())) if len(sources) == 1 else None
    said = Probabilities(whole.labels, whole.verdicts, whole.p_fail)
    return Figures(
        overall=alone or score(whole, seed, "", resamples),
        macro_accuracy=macro("accuracy", parts, draws),
        macro_balanced_accuracy=macro("balanced_accuracy", parts, draws),
        sources=sources,
        slices=_slices(rows, whole, seed, resamples),
        reliability=reliability(said),
        risk_coverage=risk_coverage(said),
        unscored_reasons=_reasons(rows),
        overflow=_counted(row.said.overflow for row in rows),
        usage=usage([row.said for row in rows]),
        consistency=consistency(rows, seed, resamples),
    )


def arrays(rows: Sequence[Judged]) -> Slice:
    """The rows as arrays."""
    _, clusters = np.unique([row.group for row in rows], return_inverse=True)
    names, pairs = np.unique([row.pair_id for row in rows], return_inverse=True)
    return Slice(
        labels=np.array([PASS if row.label == "PASS" else FAIL for row in rows]),
        verdicts=np.array([_code(row.said) for row in rows]),
        p_fail=np.array([np.nan if row.said.p_fail is None else row.said.p_fail for row in rows]),
        clusters=clusters.astype(np.int64),
        pairs=np.where(names[pairs] == "", NO_PAIR, pairs),
    )


def usage(said: Sequence[Prediction]) -> Usage:
    """Tokens, cost and latency. The cost is unknown where that of any answered row is."""
    costs = [each.cost_usd for each in said if each.attempts and not unanswered(each)]
    latencies = [each.latency_s for each in said if each.latency_s > 0]
    p50, p95 = np.percentile(latencies, [50, 95]).tolist() if latencies else (None, None)
    known = [cost for cost in costs if cost is not None]
    return Usage(
        prompt_tokens=sum(each.prompt_tokens for each in said),
        completion_tokens=sum(each.completion_tokens for each in said),
        cost_usd=sum(known) if known and len(known) == len(costs) else None,
        latency_p50=p50,
        latency_p95=p95,
    )


def unanswered(said: Prediction) -> bool:
    """Whether the endpoint gave no answer."""
    return isinstance(said.verdict, Unscored) and said.verdict.reason.startswith(ENDPOINT)


def _parts(whole: Slice, names: Sequence[str]) -> dict[str, Slice]:
    """The rows by name, in order of the names."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[name].append(place)
    return {name: whole.take(_numbers(places[name])) for name in sorted(places)}


def _slices(
    rows: Sequence[Judged], whole: Slice, seed: int, resamples: int
) -> dict[str, dict[str, Scores]]:
    """Scores by what provenance tells; nothing where it tells nothing of any row."""
    found: dict[str, dict[str, Scores]] = {}
    for by in BY:
        names: list[str] = [getattr(row, by) for row in rows]
        if any(names):
            parts = _parts(whole, [name or "unknown" for name in names])
            found[by] = {
                name: score(part, seed, f"{by}={name}", resamples) for name, part in parts.items()
            }
    return found


def _numbers(places: Sequence[int]) -> Ints:
    return np.array(places, dtype=np.int64)


def _code(said: Prediction) -> int:
    if isinstance(said.verdict, Unscored):
        return UNSCORED
    return PASS if said.verdict == "PASS" else FAIL


def _reasons(rows: Sequence[Judged]) -> dict[str, int]:
    verdicts = (row.said.verdict for row in rows)
    return _counted(verdict.reason for verdict in verdicts if isinstance(verdict, Unscored))


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(name for name in names if name).items()))
