"""``halubench leaderboard``: rank measured judges on a static page; check, show and export it."""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in, named

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from halubench.dataset import Dataset
    from halubench.rank import Board, Explorer, Site

app = typer.Typer(
    help="Rank measured judges on a page that needs no server; check, show and export it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Results = Annotated[
    list[Path], typer.Argument(help="Folders of halubench evaluate, searched recursively.")
]
Data = Annotated[
    list[str] | None,
    typer.Option(help="The rows that were judged: a file, run folder or Hub dataset. Repeatable."),
]
Map = Annotated[
    str | None,
    typer.Option("--map", help="Other column names of the data: passage=context,label=gold"),
]
Built = Annotated[Path, typer.Argument(help="A folder of halubench leaderboard build.")]


class Form(StrEnum):
    """What a leaderboard can be exported to."""

    MARKDOWN = "markdown"
    CSV = "csv"
    JSON = "json"
    PNG = "png"
    SPACE = "space"


@app.command()
def build(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    results: Results,
    out: Annotated[Path, typer.Option(help="Folder for the page and the tables.")],
    data: Data = None,
    map_: Map = None,
    cases: Annotated[
        int, typer.Option(min=0, help="With --data: so many questions to look into, a benchmark.")
    ] = 1000,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Hallucination judges",
    reported: Annotated[
        str | None,
        typer.Option(help="A table of leaderboard/reported by name, or none. Default: all."),
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="An audit.json of the data, shown beside its board.")
    ] = None,
    content: Content = None,
) -> None:
    """Rank judges in bands, beside the floors any judge must clear; others' figures apart."""
    from halubench import rank

    look_in(content)
    with _counting("Reading results") as seen:
        entries = rank.read_entries(results, seen)
    with _console.err.status("Ranking"):
        measured = [entry.results for entry in entries]
        cards = {rank.key_of(entry.results): entry.card for entry in entries if entry.card}
        local = [Path(ref) for ref in data or [] if Path(ref).is_dir()]
        audits = rank.read_audits([*results, *local], audit, measured)
        site = rank.build_all(measured, title, rank.load_reported(reported), audits, cards)
    with _console.err.status("Reading rows and predictions"):
        explorers = rank.explorers(site, entries, _load(data, map_), cases)
    for board in site.boards:
        _show(board)
    with _console.err.status("Writing the page"):
        page, *tables = rank.write(site, out, explorers)
    _tell(site, explorers, page, tables)


@app.command()
def check(results: Results, data: Data = None, map_: Map = None) -> None:
    """Check results against their schema, their predictions and each other; with --data, the rows.

    Ends with exit code 2 when one of them is refused, after telling of every one.
    """
    from halubench import rank

    with _counting("Checking results") as seen:
        findings = rank.validate(results, _load(data, map_), seen)
    for finding in findings:
        if finding.fault:
            _console.out.print(f"[red]refused[/] {escape(finding.fault)}", soft_wrap=True)
            _console.out.print(f"        fix: {escape(finding.remedy)}", soft_wrap=True)
        else:
            told = f"{finding.judge} on {finding.benchmark}: agrees with {_join(finding.checked)}"
            _console.out.print(f"[green]ok[/]      {escape(told)}", soft_wrap=True)
    refused = sum(bool(finding.fault) for finding in findings)
    _console.note(f"{len(findings)} results: {len(findings) - refused} ok, {refused} refused")
    if refused:
        raise typer.Exit(2)


@app.command()
def serve(
    folder: Built,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Show a built page on this machine alone (127.0.0.1), until ctrl-C."""
    from halubench.rank.serve import HOST, server

    with server(folder, port) as serving:
        _console.note(f"Page: http://{HOST}:{serving.server_port}/ (ctrl-C ends it)")
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            _console.note("Ended.")


@app.command()
def export(
    folder: Built,
    form: Annotated[Form, typer.Option("--to", help="The form to write.")],
    out: Annotated[Path, typer.Option(help="The file to write; for space, a new folder.")],
) -> None:
    """Write a built page as a table, a picture, or a folder for a static Hugging Face Space."""
    from halubench.rank.export import export as write

    written = write(folder, form.value, out)
    _console.note(f"Written: {escape(str(written))}")
    if form is Form.SPACE:
        _console.note(f"Next: hf upload OWNER/NAME {escape(str(written))} --repo-type=space")


@contextmanager
def _counting(what: str) -> Generator[Callable[[int, int], object]]:
    """A bar with the time left, moved by calling what is given with (done, of all)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), Left())
    shown = _console.err.is_terminal
    with Progress(*columns, console=_console.err, transient=True, disable=not shown) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _load(data: list[str] | None, map_: str | None) -> list[Dataset]:
    from halubench import dataset

    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    return [dataset.load(ref, mapping=mapping) for ref in data or []]


def _join(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _tell(site: Site, explorers: dict[str, Explorer], page: Path, tables: list[Path]) -> None:
    for board in site.boards:
        if explorer := explorers.get(board.data.sha256):
            told = f"{len(explorer.cases)} of {explorer.total} questions of {board.data.name}"
            _console.note(f"To look into: {escape(told)}, the most disputed first")
    names = ", ".join(path.name for path in tables)
    _console.note(f"Page: {escape(str(page))} (the same as {names} beside it)")
    if not explorers:
        _console.note(
            "Without --data single rows are left out, and the floor of length is as the results "
            "state it."
        )
    _console.note(f"Next: open {escape(str(page))} in a browser")


def _show(board: Board) -> None:
    """One table a benchmark; it fits 80 columns."""
    from rich import box
    from rich.table import Table

    from halubench.rank.tables import DASH, interval, percent

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
