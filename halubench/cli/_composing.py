"""generate --recipe: what a recipe wants, where it comes from, and what came of it."""

from __future__ import annotations

from collections import Counter
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
    from halubench.generate.recipe import Part, Recipe

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
    """Rows, pairs and calls of the parts whose file is here: nothing is downloaded for a plan."""
    table = Table("source", "stage", "model", "pairs at most", "calls", "US dollars")
    unread = [part.source_ds for part in recipe.parts if part.name not in files]
    for part in recipe.parts:
        if part.name in files and part.how == "import":
            _count(part, files[part.name], ask.seed)
        elif part.name in files:
            _cost(part, recipe, ask, files[part.name], table)
    if table.row_count:
        out.print(table)
    if unread:
        note(f"Not counted, since nothing is downloaded for a plan: {', '.join(unread)}.")


def _count(part: Part, file: str, seed: int) -> None:
    from halubench.generate.upstream import draw, rows_of

    labels = Counter(row.label for row in draw(part, rows_of(part, file), seed))
    _lacking(part, labels["PASS"], labels["FAIL"])


def _cost(part: Part, recipe: Recipe, ask: Ask, file: str, table: Table) -> None:
    from halubench.generate import plan
    from halubench.generate.compose import part_ask
    from halubench.generate.upstream import gold

    with watching() as watch, TemporaryDirectory() as folder:
        planned = plan(part_ask(part, recipe, ask, gold(part, file, Path(folder))), watch)
    for line in planned.lines:
        price = "unknown" if line.usd is None else f"{line.usd[1]:.4f}"
        calls = f"{line.calls[1]:,.0f}"
        table.add_row(part.source_ds, line.stage, line.model, f"{planned.wanted:,}", calls, price)
    if not planned.lines:
        table.add_row(part.source_ds, "perturb", "rules", f"{planned.wanted:,}", "0", "0")
    _lacking(part, planned.wanted, planned.wanted)


def _lacking(part: Part, passed: int, failed: int) -> None:
    if (passed, failed) != (part.passed, part.failed):
        note(
            f"[yellow]{part.source_ds}:[/] at most {passed:,} PASS and {failed:,} FAIL rows of the "
            f"{part.passed:,} and {part.failed:,} of the recipe."
        )
