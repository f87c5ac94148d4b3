"""The rows of a recipe's source, from a local file that stands in or from the Hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from halubench.errors import InputError
from halubench.reading import HubId, Record, resolve, scan, scan_hub
from halubench.records import LABELS, Example
from halubench.text import digest, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from halubench.generate.recipe import Part
    from halubench.records import Label

_ROW = {
    "passage": "passage",
    "question": "question",
    "answer": "answer",
    "id": "id",
    "label": "label",
}


def gold(part: Part, file: str | None, folder: Path) -> str:
    """The file that ``generate`` reads as the gold questions and answers of a part.

    A local file whose fields the recipe does not name is that file. Else the rows are written into
    ``folder``: those of the Hub as they are, those of named fields in our columns. Raises InputError.
    """
    if file is not None and not part.fields:
        return file
    rows = _answers(part, file) if part.fields else _as_they_are(part)
    path = folder / f"{part.name}.jsonl"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as told:
        told.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    return str(path)


def _as_they_are(part: Part) -> Iterator[dict[str, object]]:
    return (dict(record.fields) for record in _records(part, None))


def _answers(part: Part, file: str | None) -> Iterator[dict[str, object]]:
    """All labelled answers: ``generate`` counts those labelled FAIL and leaves them out."""
    for row in rows_of(part, file):
        yield {"passage": row.passage, "question": row.question, "answer": row.answer,
               "label": row.label, "source_ds": part.source_ds, "license": part.license}  # fmt: skip


def draw(part: Part, rows: Iterable[Example], seed: int) -> list[Example]:
    """As many labelled rows of each label as the part wants or as there are: one a question, drawn
    by hash, and no answer twice."""
    wanted: dict[Label, int] = {"PASS": part.passed, "FAIL": part.failed}
    drawn: dict[Label, list[Example]] = {"PASS": [], "FAIL": []}
    asked: set[str] = set()
    taken: set[str] = set()
    ordered = sorted(rows, key=lambda row: digest(str(seed), row.id, row.answer))
    for alone in (True, False):  # A question is used twice only where rows would be lacking.
        for row in ordered:
            question = digest(row.passage, row.question)
            room = len(drawn[row.label]) < wanted[row.label] and row.id not in taken
            if room and not (alone and question in asked):
                asked.add(question)
                taken.add(row.id)
                drawn[row.label].append(row)
    return [row for label in LABELS for row in drawn[label]]


def rows_of(part: Part, file: str | None) -> Iterator[Example]:
    """The labelled rows; gold answers are PASS rows. Raises InputError naming the row."""
    for record in _records(part, file):
        yield from _examples(part, record, _ROW if "label" in record.fields else part.fields)


def _records(part: Part, file: str | None) -> Iterator[Record]:
    for record in _all(part, file):
        apart = (str(record.fields.get(name)) != value for name, value in part.where.items())
        if "label" in record.fields or not any(apart):
            yield record


def _all(part: Part, file: str | None) -> Iterable[Record]:
    if file is not None:
        place = resolve(file)
        if isinstance(place, HubId):
            raise InputError(f"There is no file {file}.", f"Check --source-file {part.name}=FILE.")
        return scan(place)
    return (record for _, record in scan_hub(part.place, part.split))


def _examples(part: Part, record: Record, fields: Mapping[str, str]) -> Iterator[Example]:
    passage = _told(record, fields["passage"], "\n")
    question = _told(record, fields["question"])
    known = _told(record, fields["id"], optional=True) if "id" in fields else ""
    sides: tuple[tuple[Label, str], ...] = (("PASS", "answer"), ("FAIL", "wrong"))
    for label, side in sides:
        if side in fields:
            answer = _told(record, fields[side])
            name = digest(part.name, known, passage, question, answer)[:24]
            own = _label(record, fields) or label
            yield Example(name, passage, question, answer, own, part.source_ds)


def _label(record: Record, fields: Mapping[str, str]) -> Label | None:
    if "label" in fields:
        label = str(record.fields[fields["label"]]).strip().upper()
        if label not in LABELS:
            raise InputError(f"{record.where}: label is {label!r}.", "Use PASS or FAIL.")
        return "PASS" if label == "PASS" else "FAIL"
    if "spans" in fields:
        marked = record.fields.get(fields["spans"])
        return "FAIL" if marked and str(marked).strip() not in ("[]", "") else "PASS"
    return None


def _told(record: Record, path: str, join: str = "", *, optional: bool = False) -> str:
    found: Any = record.fields
    for name in path.split("."):
        found = found.get(name) if hasattr(found, "get") else None
    if isinstance(found, list | tuple):
        found = join.join(map(str, found)) if join else (found[0] if found else None)
    text = "" if found is None else str(found)
    if not squeeze(text) and not optional:
        raise InputError(f"{record.where} has no {path}.", "Check that the file is the right one.")
    return text
