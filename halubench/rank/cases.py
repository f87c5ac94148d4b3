"""The row explorer's material: each question with its answers, and what every judge said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from halubench.columns import FAIL, PASS, UNSCORED
from halubench.dataset import content_hash
from halubench.errors import InputError
from halubench.rank import columns
from halubench.rank.board import key_of
from halubench.rank.recount import recount_length
from halubench.rank.spans import Span, differing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from halubench.dataset import Dataset
    from halubench.rank.board import Site
    from halubench.rank.columns import Columns
    from halubench.rank.read import Entry
    from halubench.records import Example

LONGEST = 1200
"""Characters of a judge's reasoning that are shown."""
_LETTERS = {PASS: "P", FAIL: "F", UNSCORED: "U"}
_LABELS = {"PASS": PASS, "FAIL": FAIL}


@dataclass(frozen=True, slots=True)
class Case:
    """The rows of one passage and question (places in the data), PASS first; usually a pair.

    ``dispute`` in [0, 0.5] is the greatest share of judges, over its rows, that stand against the
    others; ``wrong`` the share of all verdicts on it that are not right.
    """

    rows: tuple[int, ...]
    dispute: float
    wrong: float


@dataclass(frozen=True, slots=True)
class Explorer:
    """Cases, the most disputed first, and the judges who judged them, in the board's order.

    ``verdicts`` has shape (judges, rows of the data), with the codes of
    :mod:`halubench.columns`. ``total`` counts all cases, ``cases`` those to be shown.
    """

    data: Dataset
    judges: tuple[str, ...]
    judged: tuple[Columns, ...]
    verdicts: NDArray[np.int8]
    cases: tuple[Case, ...]
    total: int

    def letters(self, judge: int) -> str:
        """The judge's verdicts (P, F or U) on the rows of the cases, in their order."""
        rows = [row for case in self.cases for row in case.rows]
        return "".join(_LETTERS[code] for code in self.verdicts[judge, rows].tolist())

    def said(self) -> list[dict[int, str]]:
        """For each judge: place of a shown row -> its reasoning, cut to LONGEST characters."""
        rows = sorted({row for case in self.cases for row in case.rows})
        return [dict(zip(rows, map(_cut, each.words(rows)), strict=True)) for each in self.judged]


def explorers(
    site: Site, entries: Sequence[Entry], datasets: Sequence[Dataset], most: int
) -> dict[str, Explorer]:
    """An explorer, by sha256, for every board that has predictions; none without ``datasets``.

    ``most`` bounds the cases of each; with 0 the rows are checked and none is shown. Raises
    InputError where a board is of other rows than those given, a file of predictions is not of its
    board's rows, or there are no predictions at all.
    """
    known = {key_of(entry.results): entry for entry in entries}
    found: dict[str, Explorer] = {}
    for board in site.boards if datasets else ():
        of_board = {row.judge: known[key_of(row.results)] for row in board.rows}
        judged = {
            name: columns.read(entry.predictions)
            for name, entry in of_board.items()
            if entry.predictions.is_file()
        }
        first = next(iter(judged), board.rows[0].judge)
        data = rows_of(of_board[first], datasets, judged.get(first))
        for row in board.rows:
            if row.judge in judged:
                same_rows(data, judged[row.judge])
                recount_length(row.results, of_board[row.judge].predictions, data)
        if judged:
            found[board.data.sha256] = explore(data, judged, most)
    if datasets and not found:
        what = "No result has its predictions.parquet beside it, so there are no rows to show."
        raise InputError(what, "Keep predictions.parquet, or leave out --data.")
    return found if most else {}


def explore(data: Dataset, judged: Mapping[str, Columns], most: int) -> Explorer:
    """Join the rows of ``data`` with the predictions of every judge, by the judge's name.

    Raises InputError where predictions are not of exactly these rows.
    """
    for each in judged.values():
        same_rows(data, each)
    verdicts = np.stack([each.verdicts for each in judged.values()])
    cases = sorted(_cases(data, verdicts), key=lambda case: (-case.dispute, -case.wrong, case.rows))
    shown = tuple(cases[:most])
    return Explorer(data, tuple(judged), tuple(judged.values()), verdicts, shown, len(cases))


def rows_of(entry: Entry, datasets: Sequence[Dataset], judged: Columns | None) -> Dataset:
    """The rows that were judged. Raises InputError, with the hashes, where ``datasets`` lack them."""
    sha256 = entry.results.data.sha256
    data = matching(datasets, sha256, judged)
    if data is None:
        given = ", ".join(f"{each.ref} has {each.sha256[:16]}…" for each in datasets)
        raise InputError(
            f"{entry.path}: field data.sha256 is {sha256[:16]}…, of no rows in the data given "
            f"({given}).",
            "Evaluate the judge on this data, or give the data it judged by a --data of its own.",
        )
    return data


def matching(datasets: Sequence[Dataset], sha256: str, judged: Columns | None) -> Dataset | None:
    """The rows that were judged, if one of ``datasets`` holds them: a whole one, a split, a sample.

    Parts are found by the ids of the predictions and count only when their hash is ``sha256``.
    """
    for data in datasets:
        if data.sha256 == sha256:
            return data
        known = {example.id: example for example in data.examples} if judged else {}
        ids = judged.ids.to_pylist() if judged else []
        rows = tuple(known[id] for id in ids if id in known)
        if rows and len(rows) == len(ids) and content_hash(rows) == sha256:
            return replace(data, examples=rows, sha256=sha256)
    return None


def same_rows(data: Dataset, judged: Columns) -> None:
    """Raise InputError unless the predictions are of these rows, in this order, with these labels."""
    labels = np.array([_LABELS[example.label] for example in data.examples])
    wanted = [[getattr(example, name) for example in data.examples] for name in ("id", "source_ds")]
    given = (judged.ids, judged.sources)
    if len(labels) != len(judged.labels):
        what = f"{judged.path} has {len(judged.labels)} rows, but {data.ref} has {len(labels)}."
        raise InputError(what, _AGAIN)
    same = judged.labels == labels
    for column, values in zip(given, wanted, strict=True):
        same &= column.to_numpy() == np.array(values, dtype=object)
    if not same.all():
        row = int(np.flatnonzero(~same)[0])
        what = f"{judged.path}, row {row + 1} is not that row of {data.ref}: there it has the id "
        raise InputError(
            f"{what}{wanted[0][row]!r} and the label {data.examples[row].label}.", _AGAIN
        )


_AGAIN = "Evaluate this judge again on this data, or give the data it judged."


def answers(data: Dataset, case: Case) -> list[tuple[Example, list[Span]]]:
    """The rows of a case, each with the spans in which it differs from its other label."""
    rows = [data.examples[row] for row in case.rows]
    found: list[tuple[Example, list[Span]]] = []
    for row in rows:
        twin = next((each for each in rows if each.label != row.label), None)
        found.append((row, differing(row.answer, twin.answer)[0] if twin else []))
    return found


def _cases(data: Dataset, verdicts: NDArray[np.int8]) -> Iterator[Case]:
    groups: dict[tuple[str, str], list[int]] = {}
    for index, example in enumerate(data.examples):
        groups.setdefault((example.passage, example.question), []).append(index)
    labels = np.array([_LABELS[example.label] for example in data.examples])
    passed, failed = ((verdicts == code).sum(0) for code in (PASS, FAIL))
    dispute = np.minimum(passed, failed) / np.maximum(passed + failed, 1)
    wrong = (verdicts != labels).mean(0)
    for group in groups.values():
        rows = tuple(sorted(group, key=lambda row: (labels[row], row)))
        yield Case(rows, float(dispute[list(rows)].max()), float(wrong[list(rows)].mean()))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()} …"
