"""All figures of one judge on one dataset, from its judged rows alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from halubench.columns import codes, counted, floats, places, reasons, varied
from halubench.metrics.bootstrap import NO_PAIR, RESAMPLES, Slice, draw_cells, macro, score
from halubench.metrics.consistency import consistency
from halubench.metrics.probability import Probabilities, reliability, risk_coverage
from halubench.predictions import table
from halubench.records import ENDPOINT
from halubench.results import Figures, Scores, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from halubench.predictions import Judged

BY = ("domain", "perturbation", "level")


def summarise(rows: Sequence[Judged], seed: int = 0, resamples: int = RESAMPLES) -> Figures:
    """The figures of ``rows``, which do not depend on the order of the rows."""
    return figures(table(rows), seed, resamples)


def figures(
    judged: pa.Table, seed: int = 0, resamples: int = RESAMPLES, p_resamples: int | None = None
) -> Figures:
    """The same from the columns :data:`halubench.columns.COUNTED` of such rows; ``p_resamples`` as
    of :func:`halubench.metrics.bootstrap.score`."""
    judged = judged.sort_by("id")
    drawn = (resamples, p_resamples)
    whole = _slice(judged)
    parts = _parts(whole, judged["source_ds"])
    sources = {name: score(part, seed, name, *drawn) for name, part in parts.items()}
    draws = {name: draw_cells(part, seed, name, resamples) for name, part in parts.items()}
    alone = next(iter(sources.values())) if len(sources) == 1 else None
    said = Probabilities(whole.labels, whole.verdicts, whole.p_fail)
    return Figures(
        overall=alone or score(whole, seed, "", *drawn),
        macro_accuracy=macro("accuracy", parts, draws),
        macro_balanced_accuracy=macro("balanced_accuracy", parts, draws),
        sources=sources,
        slices=_slices(judged, whole, seed, drawn),
        reliability=reliability(said),
        risk_coverage=risk_coverage(said),
        unscored_reasons=reasons(judged),
        overflow=counted(judged["overflow"]),
        usage=_usage(judged),
        consistency=consistency(judged, seed, resamples),
    )


def arrays(rows: Sequence[Judged]) -> Slice:
    """The rows as arrays."""
    return _slice(table(rows))


def _slice(judged: pa.Table) -> Slice:
    pairs, pair = places(judged["pair_id"])
    return Slice(
        labels=codes(judged["label"]),
        verdicts=codes(judged["verdict"]),
        p_fail=floats(judged["p_fail"]),
        clusters=places(judged["group"])[1],
        pairs=np.where(np.array(pairs)[pair] == "", NO_PAIR, pair),
    )


def _usage(judged: pa.Table) -> Usage:
    """Tokens, cost and latency of all answers, those on variants too. The cost is unknown where
    that of any answered row is."""
    said = pa.concat_tables([judged.select(_USED), varied(judged)[1].select(_USED)])
    used = {name: floats(said[name]) for name in _NUMBERS}
    latencies = used["latency_s"][used["latency_s"] > 0]
    p50, p95 = np.percentile(latencies, [50, 95]).tolist() if len(latencies) else (None, None)
    answered = (used["attempts"] > 0) & ~_unanswered(said)
    costs = used["cost_usd"][answered]
    known = len(costs) and not np.isnan(costs).any()
    return Usage(
        prompt_tokens=int(np.nansum(used["prompt_tokens"])),
        completion_tokens=int(np.nansum(used["completion_tokens"])),
        cost_usd=math.fsum(costs.tolist()) if known else None,
        latency_p50=p50,
        latency_p95=p95,
    )


_NUMBERS = ("prompt_tokens", "completion_tokens", "cost_usd", "latency_s", "attempts")
_USED = [*_NUMBERS, "unscored_reason"]


def _unanswered(said: pa.Table) -> NDArray[np.bool_]:
    """Whether the endpoint gave no answer."""
    told, place = places(said["unscored_reason"].fill_null(""))
    return np.array([text.startswith(ENDPOINT) for text in told], dtype=np.bool_)[place]


def _parts(whole: Slice, column: pa.ChunkedArray) -> dict[str, Slice]:
    """The rows by what a column names, in order of the names."""
    names, place = places(column)
    return {name: whole.take(np.flatnonzero(place == at)) for at, name in enumerate(names)}


def _slices(
    judged: pa.Table, whole: Slice, seed: int, drawn: tuple[int, int | None]
) -> dict[str, dict[str, Scores]]:
    """Scores by what provenance tells; nothing where it tells nothing of any row."""
    found: dict[str, dict[str, Scores]] = {}
    for by in BY:
        names = judged[by].to_pylist()
        if any(names):
            parts = _parts(whole, pa.chunked_array([[name or "unknown" for name in names]]))
            found[by] = {
                name: score(part, seed, f"{by}={name}", *drawn) for name, part in parts.items()
            }
    return found
