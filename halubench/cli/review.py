"""``halubench review``: people read a sample, blind; how often is the label wrong?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from halubench.cli import _console
from halubench.cli._options import named
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.results import Estimate
    from halubench.review import Report, Sheet
    from halubench.review.desk import Desk


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    data: Annotated[str, typer.Argument(help="A run folder, a file or a Hub dataset.")],
    reviewer: Annotated[
        str | None, typer.Option(help="Your name: names the file of your decisions.")
    ] = None,
    per_source: Annotated[int, typer.Option(help="Rows to read of each source.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the sample; the same for all reviewers.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder of sample and decisions; DATA/review unless given.")
    ] = None,
    terminal: Annotated[
        bool, typer.Option("--terminal", help="Review here, without a browser.")
    ] = False,
    show_report: Annotated[
        bool, typer.Option("--report", help="Show and write what was found so far.")
    ] = False,
    apply_to: Annotated[
        Path | None, typer.Option("--apply", help="Write a mended revision into this new folder.")
    ] = None,
    remedy: Annotated[
        str, typer.Option(help="What --apply does with a wrong label: drop or relabel.")
    ] = "drop",
    split: Annotated[str | None, typer.Option(help="Only this split.")] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
) -> None:
    """Have people read a sample blind, one answer at a time, and report label errors."""
    from halubench import dataset
    from halubench.review import open_sheet

    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    loaded = dataset.load(data, split=split, mapping=mapping)
    folder = out or (
        Path(data) / "review" if Path(data).is_dir() else Path(f"review-{loaded.name}")
    )
    sheet = open_sheet(loaded, folder, per_source=per_source, seed=seed)
    if show_report or apply_to is not None:
        _report(sheet, apply_to, remedy)
        return
    if reviewer is None:
        what = "Whose review is it?"
        raise InputError(what, "Give --reviewer NAME, or --report for what was found so far.")
    _review(sheet, reviewer, f"{data} --map {map_}" if map_ else data, terminal=terminal)


def _review(sheet: Sheet, reviewer: str, data: str, *, terminal: bool) -> None:
    from halubench.review import Ledger
    from halubench.review.desk import Desk

    ledger = Ledger(sheet.folder, reviewer)
    desk = Desk(sheet, ledger)
    try:
        if terminal:
            _in_terminal(desk)
        else:
            _in_browser(desk)
    finally:
        ledger.close()
    _console.note(
        f"{desk.done} of {desk.total} rows reviewed; they are in {escape(str(ledger.path))}"
    )
    again = f"halubench review {data} --reviewer {reviewer}"
    report = f"halubench review {data} --report"
    _console.note(f"Next: {escape(again if desk.done < desk.total else report)}")


def _in_terminal(desk: Desk) -> None:
    from halubench.review.terminal import review

    review(desk, _console.out, typer.getchar, lambda told: str(typer.prompt(told, default="")))


def _in_browser(desk: Desk) -> None:
    import asyncio

    from halubench.review.server import ReviewServer

    async def serve() -> None:
        server = ReviewServer(desk)
        link = await server.start()
        _console.out.print(f"Open {escape(link)}", soft_wrap=True)
        _console.note("The link works once, on this machine. Stop with ctrl-C; all is saved.")
        try:
            while True:
                await asyncio.sleep(3600)
        finally:
            await server.stop()

    try:
        asyncio.run(serve())
    except KeyboardInterrupt:
        _console.note("")


def _report(sheet: Sheet, apply_to: Path | None, remedy: str) -> None:
    from halubench.review import apply, report, write_report

    found = report(sheet)
    path = write_report(sheet, found)
    _show(found)
    _console.note(f"Report: {escape(str(path))}")
    if apply_to is None:
        return
    if remedy not in {"drop", "relabel"}:
        raise InputError(f"--remedy {remedy!r} is not known.", "Give drop or relabel.")
    done = apply(sheet, found, apply_to, remedy)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _console.out.print(
        f"[bold]{done.kept:,} of {done.rows:,} rows[/] in {escape(str(done.out))}: {done.dropped} "
        f"dropped ({done.pairs_dropped} pairs), {done.relabelled} relabelled.",
        soft_wrap=True,
    )
    _console.note(
        f"Next: halubench audit {escape(str(done.out))} --out {escape(str(done.out))}-audit"
    )


def _show(found: Report) -> None:
    people = Table("reviewer", "read", "agree", "differ", "unclear", "agreement [95 %]", "kappa")
    for one in found.reviewers:
        counts = (f"{one.read} of {one.rows}", one.agree, one.differ, one.unclear)
        people.add_row(
            escape(one.name), *map(str, counts), _percent(one.agreement), _kappa(one.kappa)
        )
    _console.figures(people)
    for pair in found.between:
        _console.out.print(
            f"{escape(pair.one)} and {escape(pair.other)}: {pair.same} of {pair.rows} alike, "
            f"Cohen's kappa {_kappa(pair.kappa)}"
        )
    if len(found.reviewers) > 2:
        told = f"Fleiss' kappa {_kappa(found.fleiss)} over {found.fleiss_rows} rows"
        _console.out.print(told)
    labels = Table("source", "read", "right", "wrong", "open", "label error [95 %]")
    for part in (found.overall, *found.sources):
        numbers = (part.read, part.right, part.wrong, part.open)
        labels.add_row(escape(part.source_ds), *map(str, numbers), _percent(part.error))
    _console.figures(labels)
    marks = {"pass": "holds", "fail": "does not hold", "undecided": "undecided: read more rows"}
    _console.out.print(
        f"Label error at most {found.limit:.0%}: {marks[found.status]}. Share of FAIL as people see "
        f"it {_percent(found.prevalence)}; by the labels {found.stated:.1%}."
    )
    if found.disputes:
        _console.out.print(f"{len(found.disputes)} disputed rows are listed in the report.")


def _percent(found: Estimate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "not known"
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _kappa(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
