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
    """What ``generate`` can read as the gold questions and answers of a part.

    A local file, in its publisher's format or with PASS rows, is named as it is; so is a Hub dataset
    in its publisher's format. Rows of another are written into ``folder`` first. Raises InputError.
    """
    if file is not None:
        return file
    if not part.fields:
        return f"hf:{part.hub}" + (f"@{part.revision}" if part.revision else "")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{part.name}.jsonl"
    rows = (row for row in rows_of(part, file) if row.label == "PASS")
    told = (
        {"id": row.id, "passage": row.passage, "question": row.question, "answer": row.answer,
         "source_ds": part.source_ds, "license": part.license, "answer_type": part.answer_type}
        for row in rows
    )  # fmt: skip
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")
    return str(path)


def draw(part: Part, file: str | None, seed: int) -> list[Example]:
    """The labelled rows of a part, as many of each label as it wants or as there are: one a
    question, drawn by hash. Raises InputError."""
    wanted: dict[Label, int] = {"PASS": part.passed, "FAIL": part.failed}
    drawn: dict[Label, list[Example]] = {"PASS": [], "FAIL": []}
    taken: set[str] = set()
    rows = sorted(rows_of(part, file), key=lambda row: digest(str(seed), row.id, row.answer))
    for alone in (True, False):  # A question is used twice only where rows would be lacking.
        for row in rows:
            key = digest(row.passage, row.question)
            room = len(drawn[row.label]) < wanted[row.label]
            if room and (key not in taken if alone else row not in drawn[row.label]):
                taken.add(key)
                drawn[row.label].append(row)
    return [row for label in LABELS for row in drawn[label]]


def rows_of(part: Part, file: str | None) -> Iterator[Example]:
    """The labelled rows; gold answers are PASS rows. Raises InputError naming the row."""
    for record in _records(part, file):
        labelled = "label" in record.fields
        apart = (str(record.fields.get(name)) != value for name, value in part.where.items())
        if not labelled and any(apart):
            continue
        yield from _examples(part, record, _ROW if labelled else part.fields)


def _records(part: Part, file: str | None) -> Iterable[Record]:
    if file is not None:
        place = resolve(file)
        if isinstance(place, HubId):
            raise InputError(f"There is no file {file}.", f"Check --source-file {part.name}=FILE.")
        return scan(place)
    hub = HubId(part.hub, part.revision, config=part.config)
    return (record for _, record in scan_hub(hub, part.split))


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
