"""The rows of one judge to look at: ``halubench show``."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halubench import dataset, predictions
from halubench.errors import InputError
from halubench.rank.read import read_entry
from halubench.rank.spans import differing
from halubench.records import Unscored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from halubench.dataset import Dataset
    from halubench.predictions import Judged
    from halubench.rank.spans import Span
    from halubench.records import Example, Provenance
    from halubench.results import Results


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: those judged wrongly or not at all (``errors``), those not at all
    (``unscored``), those of a source, perturbation or label; all of them together."""

    errors: bool = False
    unscored: bool = False
    source: str | None = None
    perturbation: str | None = None
    label: str | None = None

    def takes(self, row: Judged) -> bool:
        return (
            not (self.errors and row.right)
            and not (self.unscored and not isinstance(row.said.verdict, Unscored))
            and self.source in {None, row.source_ds}
            and self.perturbation in {None, row.perturbation}
            and self.label in {None, row.label}
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One row, and its twin where it has one. ``marked`` and ``twin_marked`` are the [start, end)
    spans (characters) in which the two answers differ."""

    example: Example
    row: Judged
    twin: Example | None
    twin_row: Judged | None
    origin: Provenance | None
    marked: Sequence[Span]
    twin_marked: Sequence[Span]


@dataclass(frozen=True, slots=True)
class Cases:
    """The chosen rows of one judge, in the order of the data, of ``of`` rows."""

    results: Results
    cases: list[Case]
    of: int


def load_cases(
    run: Path,
    choice: Choice,
    data: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Cases:
    """Read the folder of one judge and the rows that it judged.

    ``data``: where the rows are now, if not where they were when they were judged; ``mapping``:
    target=column, as :func:`halubench.dataset.load` takes it. Raises InputError for a folder that
    is no judge's, and for other rows than those judged.
    """
    path = run / predictions.RESULTS
    if not path.is_file():
        what = f"{run} has no {predictions.RESULTS}."
        raise InputError(what, "Give the folder of one judge, as halubench evaluate wrote it.")
    results = read_entry(path).results
    rows = predictions.read(run / predictions.PREDICTIONS)
    source = dataset.load(data or _where(path), mapping=mapping)
    examples = _examples(source, rows, results.data.sha256)
    twins = _twins(rows)
    chosen = [row for row in rows if choice.takes(row)]
    cases = [_case(row, twins.get(row.said.id), examples, source.provenance) for row in chosen]
    return Cases(results, cases, len(rows))


def _where(path: Path) -> str:
    """Where the rows were: as written, for what is read for others names no folder of this machine."""
    return str(json.loads(path.read_bytes())["data"]["ref"])


def _examples(source: Dataset, rows: Sequence[Judged], sha256: str) -> dict[str, Example]:
    """The rows by id. Raises InputError unless each judged row is there as it was judged."""
    found = {example.id: example for example in source.examples}
    for row in rows:
        example = found.get(row.said.id)
        if example is None or example.label != row.label:
            told = "absent" if example is None else "labelled otherwise"
            raise _others(source, f"{row.said.id!r} is {told}")
    # A file that was moved may bear another name, which rows without a source are known by.
    judged = [replace(found[row.said.id], source_ds=row.source_ds) for row in rows]
    if dataset.content_hash(judged) != sha256:
        raise _others(source, "their texts are others")
    return found


def _others(source: Dataset, how: str) -> InputError:
    return InputError(
        f"{source.ref} does not hold the rows that were judged: {how}.",
        "Name the data that was judged by --data.",
    )


def _twins(rows: Sequence[Judged]) -> dict[str, Judged]:
    """The other row of each row whose pair has one PASS and one FAIL."""
    pairs: defaultdict[str, list[Judged]] = defaultdict(list)
    for row in rows:
        if row.pair_id:
            pairs[row.pair_id].append(row)
    twins: dict[str, Judged] = {}
    for pair in pairs.values():
        if sorted(row.label for row in pair) == ["FAIL", "PASS"]:
            one, other = pair
            twins |= {one.said.id: other, other.said.id: one}
    return twins


def _case(
    row: Judged,
    twin: Judged | None,
    examples: Mapping[str, Example],
    origins: Mapping[str, Provenance],
) -> Case:
    example = examples[row.said.id]
    other = examples[twin.said.id] if twin else None
    marked, twin_marked = differing(example.answer, other.answer) if other else ([], [])
    return Case(example, row, other, twin, origins.get(example.id), marked, twin_marked)
