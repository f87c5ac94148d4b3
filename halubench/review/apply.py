"""A new revision of a benchmark: rows that people found wrong are dropped or relabelled."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from halubench import audit, dataset
from halubench.audit import page
from halubench.errors import InputError, OutputError
from halubench.records import LABELS
from halubench.run import publish

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.records import Example
    from halubench.review.report import Dispute, Report
    from halubench.review.sample import Sheet

FORMAT = "halubench/revision/1"
REVISION = "revision.json"
Remedy = Literal["drop", "relabel"]


@dataclass(frozen=True, slots=True)
class Applied:
    """``kept + dropped = rows`` of the old revision; ``relabelled`` are among those kept."""

    out: Path
    rows: int
    kept: int
    dropped: int
    relabelled: int
    pairs_dropped: int


def apply(sheet: Sheet, found: Report, out: Path, remedy: Remedy) -> Applied:
    """Write a revision without the labels that a majority of reviewers contradicts.

    Args:
        sheet: the sample, of a benchmark with provenance.
        found: the report on it.
        out: a new folder.
        remedy: ``drop`` removes a contradicted row and its twin (pairs stay pairs); ``relabel``
            gives the row the label that the reviewers gave it.

    Rows on which reviewers are split or unclear stay as they are; the report lists them. The audit
    is made anew, and ``revision.json`` keeps each change with its reason.

    Raises InputError (no provenance, nothing to change), OutputError (``out`` is not empty).
    """
    data = sheet.data
    wrong = {one.id: one for one in found.disputes if _contradicted(one)}
    if not data.provenance:
        what = f"{data.ref} has no provenance: which rows are twins cannot be told."
        raise InputError(what, "Give the folder of halubench generate.")
    if not wrong:
        what = "No label is contradicted by a majority of its reviewers."
        raise InputError(what, "There is nothing to apply; the data are as they should be.")
    if out.exists() and any(out.iterdir()):
        raise OutputError(f"{out} is not empty.", "Give a new folder.")
    pairs = {data.provenance[name].pair_id for name in wrong}
    if remedy == "drop":
        kept = [row for row in data.examples if data.provenance[row.id].pair_id not in pairs]
    else:
        kept = [_relabelled(row, wrong) for row in data.examples]
    if not kept:
        raise InputError("No row would be left.", "Generate again; these labels cannot be mended.")
    dataset.write(out, kept, data.provenance)
    _audit(out)
    told = json.dumps(_told(sheet, wrong, remedy), indent=1, ensure_ascii=False) + "\n"
    publish(out, {REVISION: told}, REVISION)
    dropped = len(data.examples) - len(kept)
    return Applied(
        out=out,
        rows=len(data.examples),
        kept=len(kept),
        dropped=dropped,
        relabelled=len(wrong) if remedy == "relabel" else 0,
        pairs_dropped=len(pairs) if remedy == "drop" else 0,
    )


def _contradicted(one: Dispute) -> bool:
    return one.verdict in LABELS and one.verdict != one.label


def _relabelled(row: Example, wrong: dict[str, Dispute]) -> Example:
    one = wrong.get(row.id)
    return row if one is None else replace(row, label=one.verdict)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _audit(out: Path) -> None:
    data = dataset.load(str(out))
    made = audit.audit_examples(data.examples, provenance=data.provenance, splits=data.splits)
    made = made.model_copy(update={"name": out.name, "sha256": data.sha256})
    page.write(made, data.examples, out / "audit")


def _told(sheet: Sheet, wrong: dict[str, Dispute], remedy: Remedy) -> dict[str, object]:
    return {
        "format": FORMAT,
        "of": sheet.data.sha256,
        "remedy": remedy,
        "changes": [
            {
                "id": one.id,
                "pair_id": sheet.data.provenance[one.id].pair_id,
                "label": one.label,
                "people": one.verdict,
                "reason": "; ".join(one.notes.values()) or "the reviewers contradict the label",
                "opinions": one.opinions,
            }
            for one in wrong.values()
        ],
    }
