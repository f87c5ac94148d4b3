"""``predictions.parquet``: every row that a judge was given, and what it said of it.

It holds enough to compute every figure of ``results.json`` again, intervals included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.errors import InputError, OutputError
from halubench.reading import scan
from halubench.records import LABELS, OVERFLOWS, Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from halubench.reading import Record
    from halubench.records import Json, Label, Overflow, Verdict

RESULTS, PREDICTIONS = "results.json", "predictions.parquet"
_SAID = [
    ("verdict", pa.string()),
    ("unscored_reason", pa.string()),
    ("p_fail", pa.float64()),
    ("reasoning", pa.string()),
    ("raw", pa.string()),
    ("overflow", pa.string()),
    ("prompt_tokens", pa.int64()),
    ("completion_tokens", pa.int64()),
    ("cost_usd", pa.float64()),
    ("latency_s", pa.float64()),
    ("attempts", pa.int64()),
    ("mass", pa.float64()),
]
VARIANTS = "variants"
_VARIED = pa.struct([("variant", pa.string()), *_SAID])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source_ds", pa.string()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("pair_id", pa.string()),
        ("domain", pa.string()),
        ("perturbation", pa.string()),
        ("level", pa.string()),
        *_SAID,
        (VARIANTS, pa.list_(_VARIED)),
    ]
)
_NEEDED = [name for name in SCHEMA.names if name != VARIANTS]
_TEXTS = ("id", "source_ds", "group", "pair_id", "domain", "perturbation", "level")
AGAIN = "Evaluate this judge again."


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


def write(path: Path, rows: Sequence[Judged]) -> None:
    """Write the table whole or not at all. Raises OutputError."""
    temporary = path.with_name(f".{path.name}")
    try:
        pq.write_table(pa.Table.from_pylist([_record(row) for row in rows], SCHEMA), temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}.",
            "Make room or give another --out; what was answered is kept.",
        ) from error


def read(path: Path) -> list[Judged]:
    """The rows that :func:`write` wrote. Raises InputError naming the row and what is wrong."""
    return [_row(record) for record in scan(path)]


def _record(row: Judged) -> dict[str, Json]:
    return {
        "id": row.said.id,
        "source_ds": row.source_ds,
        "label": row.label,
        "group": row.group,
        "pair_id": row.pair_id,
        "domain": row.domain,
        "perturbation": row.perturbation,
        "level": row.level,
        **_said(row.said),
        VARIANTS: [{"variant": name, **_said(said)} for name, said in row.variants.items()],
    }


def _said(said: Prediction) -> dict[str, Json]:
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


def _row(record: Record) -> Judged:
    fields = record.fields
    variants = _variants(fields)
    missing = [name for name in _NEEDED if name not in fields]
    missing += [name for one in variants for name in _VARIED.names if name not in one]
    label = _label(fields.get("label"))
    if missing or label is None:
        wrong = ", ".join(missing) or "the label"
        raise InputError(f"{record.where} is no row of predictions: {wrong} is wrong.", AGAIN)
    key, source_ds, group, *known = (str(fields[name]) for name in _TEXTS)
    pair_id, domain, perturbation, level = known
    said = _prediction(key, fields)
    place = (source_ds, label, group, pair_id, domain, perturbation, level)
    return Judged(*place, said, {str(one["variant"]): _prediction(key, one) for one in variants})


def _variants(fields: Mapping[str, object]) -> list[dict[str, object]]:
    """None in a table that was written before rows were varied."""
    found = fields.get(VARIANTS)
    return found if isinstance(found, list) else []


def _prediction(key: str, fields: Mapping[str, object]) -> Prediction:
    return Prediction(
        id=key,
        judge="",
        verdict=_verdict(fields["verdict"], fields["unscored_reason"]),
        p_fail=_number(fields["p_fail"]),
        reasoning=str(fields["reasoning"]),
        raw=str(fields["raw"]),
        prompt_tokens=int(_number(fields["prompt_tokens"]) or 0),
        completion_tokens=int(_number(fields["completion_tokens"]) or 0),
        cost_usd=_number(fields["cost_usd"]),
        latency_s=_number(fields["latency_s"]) or 0.0,
        attempts=int(_number(fields["attempts"]) or 0),
        mass=_number(fields["mass"]),
        overflow=_overflow(fields["overflow"]),
    )


def _verdict(value: object, reason: object) -> Verdict:
    return _label(value) or Unscored(str(reason or "no verdict"))


def _label(value: object) -> Label | None:
    known: dict[object, Label] = {label: label for label in LABELS}
    return known.get(value)


def _overflow(value: object) -> Overflow:
    known: dict[object, Overflow] = {each: each for each in OVERFLOWS}
    return known.get(value, "")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
