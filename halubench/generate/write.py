"""The readable files of a run: one of JSON lines for each stage, and all that was rejected."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from halubench.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halubench.generate.job import Made, Prepared
    from halubench.generate.select import Jury
    from halubench.perturb.base import Statement
    from halubench.records import Candidate, Edit, Item, Json, Rejected
    from halubench.run import RunFolder


def lines(folder: RunFolder, name: str, rows: Iterable[dict[str, Json]]) -> None:
    """Write ``name`` as JSON lines. Raises OutputError."""
    path = folder.path / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent} cannot be made: {error.strerror}.") from error
    texts = (json.dumps(row, ensure_ascii=False, sort_keys=False) + "\n" for row in rows)
    folder.write_text(name, "".join(texts))


def prepared(folder: RunFolder, found: Prepared) -> None:
    """What came of the stages before any edit."""
    items = [item for read in found.reads for item in read.items]
    lines(folder, "stages/1-ingest.jsonl", (_item(one, found.groups) for one in items))
    lines(
        folder,
        "stages/2-exclude.jsonl",
        (
            {
                "item_id": hit.item.id,
                "found_in": hit.ref,
                "jaccard": round(hit.overlap.jaccard, 4),
                "shared_text": hit.overlap.shared_text,
            }
            for hit in found.hits
        ),
    )
    lines(folder, "stages/3-anchor.jsonl", map(_statement, found.statements))


def made(folder: RunFolder, found: Made, jury: Jury) -> None:
    """What came of the edits, the gate, the jury and the choice."""
    lines(
        folder,
        "stages/4-perturb.jsonl",
        ({**_candidate(one), "gate": reason or "passed"} for one, reason in found.pool.log),
    )
    lines(
        folder,
        "stages/5-jury.jsonl",
        (
            {
                "item_id": item,
                "refused": ballot.refusal(),
                "votes": json.loads(ballot.json()),
            }
            for (item, _, _), ballot in jury.ballots.items()
        ),
    )
    lines(folder, "stages/6-choose.jsonl", map(_candidate, found.selection.kept))


def rejected(folder: RunFolder, rows: Iterable[Rejected]) -> None:
    """Every row that left, with the stage and the reason."""
    lines(folder, "rejected.jsonl", (asdict(row) for row in rows))


def _item(item: Item, groups: dict[str, str]) -> dict[str, Json]:
    return {
        "item_id": item.id,
        "source_ds": item.source_ds,
        "domain": item.domain,
        "group": groups[item.id],
        "question": item.question,
        "answer": item.answer,
        "aliases": list(item.aliases),
        "license": item.meta.get("license"),
        "passage": item.passage,
    }


def _statement(one: Statement) -> dict[str, Json]:
    return {
        "item_id": one.item.id,
        "question": one.item.question,
        "answer": one.item.answer,
        "statement": one.text,
    }


def _candidate(one: Candidate) -> dict[str, Json]:
    return {
        "item_id": one.item.id,
        "perturbation": one.perturbation,
        "level": one.level,
        "question": one.item.question,
        "pass_answer": one.pass_answer,
        "fail_answer": one.fail_answer,
        "fail_edit": _edit(one.fail_edit),
        "pass_edit": _edit(one.pass_edit) if one.pass_edit else None,
        "change_made": one.change_made,
        "evidence": one.evidence,
        "generator": one.generator,
    }


def _edit(edit: Edit) -> list[Json]:
    return [edit.start, edit.end, edit.old, edit.new]
