"""``halubench leaderboard``: rank measured judges on one static page."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from halubench.cli import _console

if TYPE_CHECKING:
    from halubench.rank import Board


def command(
    results: Annotated[
        list[Path], typer.Argument(help="Folders of halubench evaluate, searched recursively.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the page and the tables.")],
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Hallucination judges",
    reported: Annotated[
        str | None,
        typer.Option(help="A table of leaderboard/reported by name, or none. Default: all."),
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="An audit.json of the data, shown beside its board.")
    ] = None,
    content: Annotated[
        list[Path] | None, typer.Option(help="Your own folder of content. Repeatable.")
    ] = None,
) -> None:
    """Rank judges in bands, beside the floors any judge must clear; others' figures apart."""
    from halubench import content as contents
    from halubench import rank

    for folder in reversed(content or []):
        contents.add_folder(folder)
    with _console.err.status("Reading results"):
        measured = rank.read_results(results)
        audits = rank.read_audits(results, audit, measured)
        site = rank.build_all(measured, title, rank.load_reported(reported), audits)
    for board in site.boards:
        _show(board)
    page, *tables = rank.write(site, out)
    names = ", ".join(path.name for path in tables)
    _console.note(f"Page: {escape(str(page))} (the same as {names} beside it)")
    _console.note(f"Next: open {escape(str(page))} in a browser")


def _show(board: Board) -> None:
    """One table a benchmark; it fits 80 columns."""
    from rich import box
    from rich.table import Table

    from halubench.rank.page import DASH, interval, percent

    table = Table(
        title=escape(f"{board.data.name}, {board.data.rows} rows"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("judge", overflow="fold")
    for name in ("macro acc. % [95 %]", "rows %", "unsc."):
        table.add_column(name, justify="right", no_wrap=True)
    for row in board.rows:
        macro, overall = row.results.macro_accuracy, row.results.overall
        name = escape(row.judge) + ("" if row.clears_majority else " [yellow]†[/]")
        cells = f"{percent(macro)} {interval(macro)}", percent(overall.accuracy)
        table.add_row(row.rank, name, *cells, str(overall.unscored))
    table.add_section()
    for floor, scores in board.floors.items():
        table.add_row(
            DASH,
            escape(floor),
            "floor",
            percent(scores.accuracy),
            str(scores.unscored),
            style="dim",
        )
    _console.figures(table)
    if not all(row.clears_majority for row in board.rows):
        _console.out.print("† not shown to be better than always giving the majority label.")
    if board.audit:
        _console.out.print(escape(f"Audit: {board.audit.verdict}"), soft_wrap=True)
