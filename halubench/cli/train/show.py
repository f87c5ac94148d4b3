"""``halubench train show``: how judges are fine-tuned, and what each schedule comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe
    from halubench.train.render import Place
    from halubench.train.schedule import Schedule


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    name: Annotated[
        str | None, typer.Argument(help="Show this recipe whole, with its sources. Default: all.")
    ] = None,
    rows: Annotated[
        int, typer.Option(min=1, help="Training rows; 2,400 is the size of Lynx's training set.")
    ] = 2400,
    engine: Annotated[
        str | None,
        typer.Option(help="Print what would run, for trl, foundry (LLM Foundry) or automodel."),
    ] = None,
    data: Annotated[str, typer.Option(help="With --engine: the training set.")] = "training-set",
    out: Annotated[str, typer.Option(help="With --engine: the run folder.")] = "run",
    model: Annotated[
        str | None, typer.Option(help="With --engine: in the place of the base model.")
    ] = None,
    content: Content = None,
) -> None:
    """Show the training recipes, their schedules, and what an engine would run."""
    from halubench.train import recipe as recipes
    from halubench.train.render import Place
    from halubench.train.schedule import schedule

    look_in(content)
    if engine:
        if name is None:
            raise InputError(
                "--engine shows one recipe.", "Name it: train show lynx-8b --engine trl."
            )
        _print(recipes.find(name), engine, Place(data, out, model, rows))
        return
    known = recipes.load_all() if name is None else {name: recipes.find(name)}
    schedules = {key: schedule(recipe, rows) for key, recipe in known.items()}
    if name is None:
        _table(known, schedules, rows)
    else:
        _whole(known[name], schedules[name])
    for key, found in schedules.items():
        for warning in found.warnings:
            _line(f"[yellow]![/] {escape(key)}: {escape(warning)}")
    if name is None and known:
        _console.note(f"Next: halubench train show {escape(next(iter(known)))}")


def _print(recipe: Recipe, engine: str, place: Place) -> None:
    """The file on stdout, ready to be redirected into one; all else on stderr."""
    from halubench.train.render import render

    found = render(recipe, engine, place)
    typer.echo(found.config, nl=False)
    for told in found.notes:
        _console.note(f"[yellow]note:[/] {escape(told)}")
    _console.note(f"As {escape(found.name)}, run by: {escape(found.command)}")


def _line(text: str) -> None:
    _console.out.print(text, soft_wrap=True)


def _table(known: dict[str, Recipe], schedules: dict[str, Schedule], rows: int) -> None:
    """One row a recipe; it fits 80 columns."""
    from rich import box
    from rich.table import Table

    title = f"{len(known)} recipes on {rows:,} training rows"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("recipe", overflow="fold")
    table.add_column("method")
    for heading in ("epochs", "batch", "steps", "warm-up", "peak LR"):
        table.add_column(heading, justify="right")
    for name, recipe in known.items():
        found = schedules[name]
        figures = (recipe.epochs, recipe.global_batch_size, found.steps)
        cells = (*(f"{figure:,}" for figure in figures), _warmup(found), _peak(found))
        table.add_row(escape(name), recipe.method, *cells)
    _console.out.print(table)


def _whole(recipe: Recipe, found: Schedule) -> None:
    """Every value beside the number of its source, the sources, then the schedule."""
    import json

    from rich import box
    from rich.table import Table

    title = escape(f"{recipe.name}: {recipe.title}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("key", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("source", justify="right")
    for key, value in recipe.leaves():
        number = recipe.source.index(recipe.origin(key)) + 1
        shown = value if isinstance(value, str) else json.dumps(value)
        table.add_row(key, escape(shown), str(number))
    _console.out.print(table)
    for number, source in enumerate(recipe.source, 1):
        _line(f"{number}. {escape(source.origin)} ({source.certainty})")
    if recipe.notes:
        _line(escape(recipe.notes.strip()))
    _line(
        f"On {found.rows:,} rows: {found.steps_per_epoch:,} steps an epoch (rows / batch, rounded "
        f"up), {found.steps:,} in all; warm-up {_warmup(found)}; highest learning rate used "
        f"{_peak(found)} of the peak; all learning rates add up to {found.travel:.4g}."
    )


def _warmup(found: Schedule) -> str:
    return f"{found.warmup_steps:,} {'ends' if found.warmup_ends else 'never ends'}"


def _peak(found: Schedule) -> str:
    return f"{100 * found.peak_lr_reached:.3g} %"
