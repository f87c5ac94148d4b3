"""generate --recipe: what a recipe wants, where it comes from, and what came of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from halubench.cli._console import note, out
from halubench.cli._generating import show, watching
from halubench.cli._options import named
from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halubench.generate import Ask
    from halubench.generate.recipe import Recipe

EXAMPLE = "drop=FILE"


def composed(name: str, ask: Ask, stand_ins: Sequence[str], *, dry_run: bool) -> None:
    """Make, or only plan, the benchmark of a recipe."""
    from halubench.generate.compose import check_files, compose
    from halubench.generate.recipe import load

    if ask.sources or ask.accept is not None or ask.shard is not None:
        what = "--recipe names its sources and sizes itself."
        raise InputError(what, "Leave SOURCE, --accept and --shard out.")
    recipe = load(name)
    files = {
        key: file for one in stand_ins for key, file in named(one, "--source-file", EXAMPLE).items()
    }
    check_files(recipe, files)
    if dry_run:
        _plan(recipe, ask, files)
        return
    with watching() as watch:
        outcome = compose(recipe, ask, files, watch)
    show(outcome)


def _plan(recipe: Recipe, ask: Ask, files: Mapping[str, str]) -> None:
    passed, failed = recipe.rows()
    out.print(
        f"[bold]{recipe.title}[/]: {passed + failed:,} rows, {passed:,} PASS, {failed:,} FAIL."
    )
    out.print(recipe.about)
    table = Table("source", "PASS", "FAIL", "", "from")
    for part in recipe.parts:
        place = files.get(part.name, part.origin)
        table.add_row(
            part.source_ds, f"{part.passed:,}", f"{part.failed:,}", part.how, escape(place)
        )
    out.print(table)
    for part in recipe.parts:
        if part.note:
            note(f"[yellow]{part.source_ds}:[/] {escape(part.note)}")
    _price(recipe, ask, files)


def _price(recipe: Recipe, ask: Ask, files: Mapping[str, str]) -> None:
    """Pairs and calls of the generated parts whose file is here: nothing is downloaded for a plan."""
    from halubench.generate import plan
    from halubench.generate.compose import part_ask
    from halubench.generate.upstream import gold

    table = Table("source", "stage", "model", "pairs at most", "calls", "US dollars")
    for part in recipe.parts:
        if part.how == "import" or part.name not in files:
            continue
        with watching() as watch, TemporaryDirectory() as folder:
            source = gold(part, files[part.name], Path(folder))
            planned = plan(part_ask(part, recipe, ask, source), watch)
        for line in planned.lines:
            price = "unknown" if line.usd is None else f"{line.usd[1]:.4f}"
            calls = f"{line.calls[1]:,.0f}"
            table.add_row(
                part.source_ds, line.stage, line.model, f"{planned.wanted:,}", calls, price
            )
        lacks = min(part.passed, part.failed) - planned.wanted
        if lacks > 0:
            told = f"{planned.wanted:,} pairs at most, {lacks:,} fewer than the recipe has."
            note(f"[yellow]{part.source_ds}:[/] {told}")
        if not planned.lines:
            table.add_row(part.source_ds, "perturb", "rules", f"{planned.wanted:,}", "0", "0")
    if table.row_count:
        out.print(table)
    unread = [
        part.source_ds for part in recipe.parts if part.how == "generate" and part.name not in files
    ]
    if unread:
        note(f"Not counted, since nothing is downloaded for a plan: {', '.join(unread)}.")
