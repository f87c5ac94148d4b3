"""``halubench compare``: judges against each other, row by row."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from halubench.cli import _console

if TYPE_CHECKING:
    from halubench.compare import Comparison, Pair
    from halubench.results import Estimate

MOST = 12
"""Pairs and slices shown; the file has them all."""


def command(
    results: Annotated[list[Path], typer.Argument(help="Folders of halubench evaluate.")],
    out: Annotated[
        Path | None, typer.Option(help="Also write the comparison to this JSON file.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the intervals.")] = 0,
) -> None:
    """Compare judges of the same rows: differences with intervals, tests, where they disagree."""
    from halubench.compare import compare, save

    with _console.err.status("Comparing the judges"):
        found = compare(results, seed)
    _console.figures(_judges(found))
    _console.figures(_pairs(found))
    _console.figures(_where(found))
    for line in _remarks(found):
        _console.out.print(escape(line), soft_wrap=True)
    if out is not None:
        save(out, found)
        _console.note(f"Comparison: {escape(str(out))}")


def _table(title: str, *columns: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    for number, column in enumerate(columns):
        table.add_column(
            column,
            justify="right" if number else "left",
            overflow="fold",
            no_wrap=number > 0,
        )
    return table


def _judges(found: Comparison) -> Table:
    table = _table(
        f"{escape(found.data.name)}, {found.data.rows:,} rows",
        "judge", "no.", "rank", "accuracy % [95 %]", "mean of sources", "unsc.",
    )  # fmt: skip
    for number, judge in enumerate(found.judges, 1):
        best, worst = judge.rank_best, judge.rank_worst
        table.add_row(
            escape(judge.name),
            str(number),
            f"{best}" if best == worst else f"{best}-{worst}",
            _percent(judge.accuracy),
            _percent(judge.macro_accuracy),
            str(judge.unscored),
        )
    return table


def _pairs(found: Comparison) -> Table:
    """The judges by their numbers, so that long names leave the figures their room."""
    number = {judge.name: number for number, judge in enumerate(found.judges, 1)}
    table = _table(
        "Differences of accuracy, in points",
        "judges", "difference [95 %]", "only right", "McNemar", "p", "Holm p", "kappa",
    )  # fmt: skip
    for pair in found.pairs[:MOST]:
        table.add_row(
            f"{number[pair.one]} - {number[pair.other]}",
            _percent(pair.difference, signed=True),
            f"{pair.only_one}:{pair.only_other}",
            _p(pair.mcnemar_p),
            _p(pair.p),
            _p(pair.holm_p),
            "–" if pair.kappa is None else f"{pair.kappa:.2f}",
        )
    return table


def _where(found: Comparison) -> Table:
    """Where the first pair disagrees most, by what is known of the rows."""
    pair = found.pairs[0]
    table = _table(
        f"Rows that only one of {escape(pair.one)} and {escape(pair.other)} has right",
        "rows", "n", "only the first", "only the second",
    )  # fmt: skip
    for name, n, one, other in _disagreements(pair)[:MOST]:
        table.add_row(escape(name), str(n), str(one), str(other))
    return table


def _disagreements(pair: Pair) -> list[tuple[str, int, int, int]]:
    parts = [
        (f"{by.removesuffix('_ds')} {name}", part.n, part.only_one, part.only_other)
        for by, group in pair.by.items()
        for name, part in group.items()
    ]
    return sorted(parts, key=lambda part: -(part[2] + part[3]) / part[1])


def _remarks(found: Comparison) -> list[str]:
    told = [
        (
            "p: paired bootstrap of whole passages; McNemar's exact test takes rows for independent. "
            f"Holm: over all pairs of judges ({len(found.pairs)}). Ranks differ where Holm p < 0.05."
        ),
        (
            f"All judges right on {found.all_right:,} rows, all wrong on {found.all_wrong:,}; one "
            f"verdict from all on {_percent(found.unanimous)} %."
        ),
    ]
    if len(found.pairs) > MOST:
        told.append(f"{len(found.pairs) - MOST} more pairs are in the file that --out writes.")
    told += [
        f"{each.uri} under {len(each.prompts)} prompts ({', '.join(each.prompts)}): accuracy "
        f"{100 * each.lowest_accuracy:.1f} to {100 * each.highest_accuracy:.1f} %, the same verdict "
        f"under all on {_percent(each.stable)} % of rows."
        for each in found.sensitivity
    ]
    return told


def _percent(estimate: Estimate, *, signed: bool = False) -> str:
    if estimate.value is None:
        return "–"
    sign = "+" if signed else ""
    text = f"{100 * estimate.value:{sign}.2f}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} [{100 * estimate.low:{sign}.1f}, {100 * estimate.high:{sign}.1f}]"


def _p(value: float | None) -> str:
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
