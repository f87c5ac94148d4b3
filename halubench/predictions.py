"""``predictions.parquet``: every row that a judge was given, and what it said of it.

It holds enough to compute every figure of ``results.json`` again, intervals included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.columns import NO_VERDICT, SAID, SCHEMA, TEXTS, VARIANT, VARIANTS, load
from halubench.errors import OutputError
from halubench.records import LABELS, OVERFLOWS, Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from halubench.records import Json, Label, Overflow, Verdict

RESULTS, PREDICTIONS = "results.json", "predictions.parquet"


@dataclass(frozen=True, slots=True)
class Judged:
    """One row and what one judge said of it.

    ``group`` names the row's passage group (the cluster of the intervals), ``pair_id`` its pair;
    it, ``domain``, ``perturbation`` and ``level`` are empty where they are not known. ``variants``
    holds what the judge said of the row in another form, by the name of the variant.
    """

    source_ds: str
    label: Label
    group: str
    pair_id: str
    domain: str
    perturbation: str
    level: str
    said: Prediction
    variants: Mapping[str, Prediction] = field(default_factory=dict[str, Prediction])

    @property
    def right(self) -> bool:
        return self.said.verdict == self.label


def write(path: Path, judged: pa.Table) -> None:
    """Write what :func:`table` made, whole or not at all. Raises OutputError."""
    temporary = path.with_name(f".{path.name}")
    try:
        pq.write_table(judged, temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Make room or give another --out; what was answered is kept.",
        ) from error


def read(path: Path) -> list[Judged]:
    """The rows of a table that :func:`write` wrote. Raises InputError naming the row and what is wrong."""
    return [_row(fields) for fields in load(path).to_pylist()]


def table(rows: Sequence[Judged]) -> pa.Table:
    """The rows as a table of :data:`halubench.columns.SCHEMA`."""
    told = {name: [getattr(row, name) for row in rows] for name in TEXTS[1:]}
    columns = {"id": [row.said.id for row in rows], **told, **_said(row.said for row in rows)}
    varied = [
        [{VARIANT: name, **_record(said)} for name, said in row.variants.items()] for row in rows
    ]
    return pa.table({**columns, VARIANTS: varied}, SCHEMA)


def _said(said: Iterable[Prediction]) -> dict[str, list[Json]]:
    records = [_record(one) for one in said]
    return {name: [record[name] for record in records] for name, _ in SAID}


def _record(said: Prediction) -> dict[str, Json]:
    return {
        "verdict": None if isinstance(said.verdict, Unscored) else said.verdict,
        "unscored_reason": said.verdict.reason if isinstance(said.verdict, Unscored) else None,
        "p_fail": said.p_fail,
        "reasoning": _utf8(said.reasoning),
        "raw": _utf8(said.raw),
        "overflow": said.overflow,
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "cost_usd": said.cost_usd,
        "latency_s": said.latency_s,
        "attempts": said.attempts,
        "mass": said.mass,
    }


def _utf8(text: str) -> str:
    """A lone surrogate, which a model can answer, as its escape: parquet cannot hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(fields: Mapping[str, Any]) -> Judged:
    key: str = fields["id"]
    place: dict[str, Any] = {name: fields[name] for name in TEXTS[1:]}
    varied = {one[VARIANT]: _prediction(key, one) for one in fields[VARIANTS] or ()}
    return Judged(**place, said=_prediction(key, fields), variants=varied)


def _prediction(key: str, fields: Mapping[str, Any]) -> Prediction:
    return Prediction(
        id=key,
        judge="",
        verdict=_verdict(fields["verdict"], fields["unscored_reason"]),
        p_fail=fields["p_fail"],
        reasoning=fields["reasoning"] or "",
        raw=fields["raw"] or "",
        prompt_tokens=fields["prompt_tokens"] or 0,
        completion_tokens=fields["completion_tokens"] or 0,
        cost_usd=fields["cost_usd"],
        latency_s=fields["latency_s"] or 0.0,
        attempts=fields["attempts"] or 0,
        mass=fields["mass"],
        overflow=_overflow(fields["overflow"]),
    )


def _verdict(value: str | None, reason: str | None) -> Verdict:
    return value if value in LABELS else Unscored(reason or NO_VERDICT)


def _overflow(value: str | None) -> Overflow:
    return value if value in OVERFLOWS else ""
