"""Whether converted weights judge as the originals do: ``train parity``, from evaluated results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench import predictions
from halubench.errors import InputError
from halubench.metrics.agreement import share
from halubench.metrics.paired import mcnemar
from halubench.records import Unscored

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.predictions import Judged
    from halubench.results import Estimate


@dataclass(frozen=True, slots=True)
class Parity:
    """One judge beside the reference, on the same rows. ``agreement``: the share of rows with the
    same outcome (an unscored row agrees with an unscored one); ``p``: McNemar's exact test of the
    two accuracies (unscored counts as wrong). None for the reference itself."""

    name: str
    rows: int
    unscored: int
    accuracy: Estimate
    agreement: Estimate | None
    p: float | None


def parity(results: Sequence[Path]) -> list[Parity]:
    """The first folder of ``halubench evaluate`` is the reference.

    Raises InputError where they do not hold the same rows.
    """
    tables = [_read(path) for path in results]
    first = tables[0]
    for path, table in zip(results, tables, strict=True):
        if table.keys() != first.keys():
            raise InputError(
                f"{path} and {results[0]} do not hold the same rows.",
                "Evaluate both on the same data.",
            )
    found = zip(results, tables, strict=True)
    return [_beside(path.name, first, table) for path, table in found]


def markdown(table: Sequence[Parity]) -> str:
    """The table for a model card."""
    lines = [
        "| weights | rows | unscored | accuracy | same verdict as the first | p |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for one in table:
        same = "" if one.agreement is None else figure(one.agreement)
        p = "" if one.p is None else f"{one.p:.3g}"
        cells = (one.name, f"{one.rows:,}", f"{one.unscored:,}", figure(one.accuracy), same, p)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def figure(value: Estimate) -> str:
    """A share with its interval."""
    if value.value is None or value.low is None or value.high is None:
        return "undefined"
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _read(path: Path) -> dict[str, Judged]:
    return {row.said.id: row for row in predictions.read(path / predictions.PREDICTIONS)}


def _beside(name: str, first: dict[str, Judged], other: dict[str, Judged]) -> Parity:
    right = [row.right for row in other.values()]
    unscored = sum(isinstance(row.said.verdict, Unscored) for row in other.values())
    accuracy = share(sum(right), len(right))
    if other is first:
        return Parity(name, len(right), unscored, accuracy, None, None)
    same = sum(_outcome(first[key]) == _outcome(other[key]) for key in first)
    only_first = sum(first[key].right and not other[key].right for key in first)
    only_other = sum(other[key].right and not first[key].right for key in first)
    p = mcnemar(only_first, only_other)
    return Parity(name, len(right), unscored, accuracy, share(same, len(first)), p)


def _outcome(row: Judged) -> str:
    verdict = row.said.verdict
    return "" if isinstance(verdict, Unscored) else verdict
