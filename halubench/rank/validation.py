"""Checks results one by one and against each other, and says of each what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.rank import columns
from halubench.rank.board import key_of
from halubench.rank.cases import rows_of, same_rows
from halubench.rank.check import check
from halubench.rank.read import find_results, read_entry
from halubench.rank.recount import recount_length

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.dataset import Dataset
    from halubench.rank.columns import Columns
    from halubench.rank.read import Entry, Seen


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one ``results.json``: an empty ``fault`` if nothing is wrong.

    ``checked`` says what it was held against: its parts, its predictions, the data.
    """

    path: Path
    judge: str = ""
    benchmark: str = ""
    checked: tuple[str, ...] = ()
    fault: str = ""
    remedy: str = ""


def validate(
    folders: Sequence[Path], data: Sequence[Dataset] = (), seen: Seen | None = None
) -> list[Finding]:
    """Check every ``results.json`` under the folders; one finding each, in the order of paths.

    Each is checked against its schema, its own parts and its predictions; with ``data``, against
    the rows themselves; and against the other results of the same hash, which must be of the same
    rows. ``seen`` is told after each how many of how many were checked. Raises InputError where no
    results are found.
    """
    firsts: dict[str, Columns] = {}
    taken: dict[tuple[str, str, str], Path] = {}
    findings: list[Finding] = []
    paths = find_results(folders)
    for number, path in enumerate(paths, 1):
        try:
            entry = read_entry(path, slowly=True)
            checked = _check(entry, data, firsts)
            other = taken.setdefault(key_of(entry.results), path)
            if other != path:
                what = f"{other} holds results of the same judge on the same data."
                raise InputError(what, "Remove one of them.")  # noqa: TRY301
        except InputError as error:
            findings.append(Finding(path, fault=error.what, remedy=error.remedy))
        else:
            told = entry.results
            findings.append(Finding(path, told.judge.name, told.data.name, checked))
        if seen:
            seen(number, len(paths))
    return findings


def _check(
    entry: Entry, datasets: Sequence[Dataset], firsts: dict[str, Columns]
) -> tuple[str, ...]:
    """What the result was held against. Raises InputError at the first fault."""
    check(entry.results)
    judged = columns.read(entry.predictions) if entry.predictions.is_file() else None
    data = rows_of(entry, datasets, judged) if datasets else None
    if judged is None:
        return ("its parts", "the hash of the data") if data else ("its parts",)
    if data is None:
        _same_as_first(judged, firsts.setdefault(entry.results.data.sha256, judged))
        return ("its parts", "its predictions")
    same_rows(data, judged)
    recount_length(entry.results, entry.predictions, data)
    return ("its parts", "its predictions", "the data")


def _same_as_first(judged: Columns, first: Columns) -> None:
    """Raise InputError unless both are of the same rows: one hash cannot stand for two data sets."""
    if not (judged.ids.equals(first.ids) and (judged.labels == first.labels).all()):
        what = f"{judged.path} and {first.path} claim the same data but are not of the same rows."
        raise InputError(what, "Give the data by --data, to learn which of them is wrong.")
