"""The readable files of a run: one of JSON lines for each stage, and all that was rejected."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeVar

from halubench.errors import OutputError
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from halubench.generate.court import Court
    from halubench.generate.job import Made, Prepared
    from halubench.generate.propose import Pool
    from halubench.perturb.base import Statement
    from halubench.records import Candidate, Edit, Item, Json, Rejected
    from halubench.run import RunFolder
    from halubench.verify.ballot import Ballot

T = TypeVar("T")
ASIDE = 0.05
"""Share of the dropped pairs that is kept for people, so that not only easy rows are looked at."""


def lines(folder: RunFolder, name: str, rows: Iterable[dict[str, Json]]) -> None:
    """Write ``name`` as JSON lines. Raises OutputError."""
    path = folder.path / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent} cannot be made: {error.strerror}.") from error
    texts = (json.dumps(row, ensure_ascii=False, sort_keys=False) + "\n" for row in rows)
    folder.write_parts(name, texts)


def prepared(folder: RunFolder, found: Prepared) -> None:
    """What came of the stages before any edit."""
    items = (item for read in found.reads for item in read.items)
    lines(folder, "stages/1-ingest.jsonl", (_item(one, found.groups) for one in items))
    lines(
        folder,
        "stages/2-exclude.jsonl",
        (
            {
                "item_id": hit.item.id,
                "found_in": hit.ref,
                "share": round(hit.overlap.share, 4),
                "shared_text": hit.overlap.shared_text,
            }
            for hit in found.hits
        ),
    )


def anchored(folder: RunFolder, statements: Iterable[Statement]) -> None:
    """The gold answers as statements."""
    lines(folder, "stages/3-anchor.jsonl", map(_statement, statements))


def heard(folder: RunFolder, pool: Pool, court: Court) -> None:
    """What came of the edits, the gate and the jury."""
    lines(
        folder,
        "stages/4-perturb.jsonl",
        (
            {**_candidate(one), "gate": reason or "passed"}
            for one, reason in zip(pool.candidates, pool.reasons, strict=True)
        ),
    )
    lines(
        folder,
        "stages/5-jury.jsonl",
        (
            {
                "item_id": item,
                "refused": ballot.refusal(),
                "hardness": ballot.hardness(),
                "votes": json.loads(ballot.json()),
            }
            for (item, _, _), ballot in court.ballots.items()
        ),
    )


def made(folder: RunFolder, found: Made, court: Court, seed: int) -> None:
    """What came of the edits, the gate, the jury and the choice, and what is kept aside."""
    heard(folder, found.pool, court)
    lines(folder, "stages/6-choose.jsonl", map(_candidate, found.selection.kept))
    lines(folder, "aside.jsonl", aside(found.pool, court, seed))


def aside(pool: Pool, court: Court, seed: int) -> Iterator[dict[str, Json]]:
    """Rows for people to look at: :data:`ASIDE` of the pairs that gate and jury dropped, at least
    one of each, drawn by hash. Both answers of a pair, in HaluBench's columns and some more."""
    refused = [place for place, reason in enumerate(pool.reasons) if reason]
    names = {place: _name(seed, pool.candidates[place]) for place in refused}
    for place in _some(sorted(refused, key=names.__getitem__)):
        yield from _aside(pool.candidates[place], seed, pool.reasons[place], None)
    heard = sorted(court.refused(), key=lambda told: _name(seed, told[0]))
    for one, ballot in _some(heard):
        yield from _aside(one, seed, ballot.refusal() or "", ballot)


def _some(drawn: Sequence[T]) -> Sequence[T]:
    return drawn[: math.ceil(ASIDE * len(drawn))]


def _aside(
    one: Candidate, seed: int, reason: str, ballot: Ballot | None
) -> Iterator[dict[str, Json]]:
    for label, answer in (("PASS", one.pass_answer), ("FAIL", one.fail_answer)):
        yield {
            "id": digest("aside", _name(seed, one), label)[:24],
            "passage": one.item.passage,
            "question": one.item.question,
            "answer": answer,
            "label": label,
            "source_ds": one.item.source_ds,
            "pair_id": _name(seed, one)[:16],
            "perturbation": one.perturbation,
            "stage": "jury" if ballot else "gate",
            "reason": reason,
            "votes": ballot.json() if ballot else "",
            "hardness": ballot.hardness() if ballot else None,
        }


def _name(seed: int, one: Candidate) -> str:
    return digest(str(seed), one.item.id, one.pass_answer, one.fail_answer)


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
