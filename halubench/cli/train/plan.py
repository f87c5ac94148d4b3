"""``halubench train plan``: what a run comes to, before a GPU is paid for."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.train.load import Lengths
    from halubench.train.plan import Plan


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or the path of its YAML file.")],
    data: Annotated[
        Path | None, typer.Option(help="A training set that `train prepare` wrote.")
    ] = None,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Instead of --data: so many training rows.")
    ] = None,
    tokens: Annotated[
        int, typer.Option(min=1, help="With --rows: tokens of each row, on average.")
    ] = 1500,
    gpus: Annotated[
        str | None, typer.Option(help="32xH100, H200, cpu. Default: the recipe's, as H100.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder whose config.json tells the model's shape.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Memory by a dry run on fake tensors (minutes; torch).")
    ] = False,
    host_ram: Annotated[
        float | None, typer.Option(min=1, help="Host memory of a node, in GiB.")
    ] = None,
    price: Annotated[float | None, typer.Option(min=0, help="US dollars a GPU and hour.")] = None,
    content: Content = None,
) -> None:
    """Plan a run without a GPU: steps, tokens, memory, time. Exits 1 when it cannot work."""
    from halubench.train import plan as plans
    from halubench.train.dryrun import peak_gib
    from halubench.train.hardware import cluster
    from halubench.train.recipe import find
    from halubench.train.render import Place, run_command
    from halubench.train.shape import shape_of

    look_in(content)
    found = find(recipe)
    where = cluster(gpus or (f"{found.gpus}xH100" if found.gpus else "cpu"))
    shape = shape_of(model or found.base_model)
    measured = None
    if exact:
        with _console.err.status("Running one step on fake tensors"):
            measured = peak_gib(plans.on(found, where), shape, where.count)
    terms = plans.Terms(host_ram, price, measured)
    made = plans.plan(found, _lengths(data, rows, tokens), shape, where, terms)
    _show(made, exact)
    place = Place(data=str(data or "DATA"), model=model)
    _verdict(made, run_command(made.recipe, recipe, place))


def _lengths(data: Path | None, rows: int | None, tokens: int) -> Lengths:
    from halubench.train.load import Lengths, read

    if (data is None) == (rows is None):
        raise InputError("A plan needs --data or --rows.", "Give a training set, or --rows 2400.")
    return read(data) if data else Lengths([tokens] * (rows or 0), counted=True)


def _show(made: Plan, exact: bool) -> None:
    from rich import box
    from rich.table import Table

    title = escape(f"{made.recipe.name} on {made.cluster}")
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, told in (*_work(made), *_means(made, exact)):
        table.add_row(name, told)
    _console.out.print(table)


def _work(made: Plan) -> list[tuple[str, str]]:
    steps, work = made.schedule, made.load
    recipe = made.recipe
    return [
        (
            "steps",
            (
                f"{steps.steps:,} ({recipe.epochs} epochs of {steps.steps_per_epoch:,}); warm-up "
                f"{steps.warmup_steps:,} {'ends' if steps.warmup_ends else 'never ends'}; highest "
                f"learning rate {recipe.optimizer.lr * steps.peak_lr_reached:.3g}"
            ),
        ),
        (
            "batch",
            (
                f"{recipe.global_batch_size} sequences = {made.rows_a_step:.1f} rows a step: "
                f"{max(1, made.cluster.count)} x {recipe.device_microbatch_size} at once, "
                f"{recipe.accumulation()} times"
            ),
        ),
        (
            "tokens an epoch",
            (
                f"{work.real:,} real, {work.packed:,} packed, {work.padded:,} padded to "
                f"{recipe.sequence_length:,}; this run computes {work.computed:,}"
            ),
        ),
    ]


def _means(made: Plan, exact: bool) -> list[tuple[str, str]]:
    largest = sorted(made.memory.parts.items(), key=lambda part: -part[1])
    parts = ", ".join(f"{name} {size / 2**30:.1f}" for name, size in largest if size > 2**28)
    how = f"by dry run; closed form {made.memory.gib:.1f}" if exact else "closed form"
    how += f": {parts}" if parts else ""
    unit = "a GPU" if made.cluster.gpu else "in all"
    held = made.checkpoints * made.checkpoint_gib
    return [
        (f"memory {unit}", f"{made.gib:.1f} GiB ({how})"),
        ("host memory", f"{made.host_gib:,.0f} GiB a node to load the model"),
        (
            "disk",
            f"{held:,.0f} GiB: {made.checkpoints} checkpoints of {made.checkpoint_gib:,.1f} GiB",
        ),
        ("time", _time(made)),
    ]


def _time(made: Plan) -> str:
    if made.hours is None or made.cluster.gpu is None:
        return "not planned for a CPU"
    from halubench.train.hardware import ANCHORS

    low, high = made.hours
    shares = sorted(anchor.mfu for anchor in ANCHORS)
    said = (
        f"{_span(low, high)}, {low * made.cluster.count:.1f} to "
        f"{high * made.cluster.count:.1f} GPU-hours, at the {100 * shares[0]:.0f} to "
        f"{100 * shares[-1]:.0f} % of the peak that {', '.join(a.who for a in ANCHORS)} publish; "
        "without loading, validation and checkpoints"
    )
    if made.usd is None:
        return f"{said}; give --price for the cost"
    return f"{said}; {made.usd[0]:,.2f} to {made.usd[1]:,.2f} US dollars"


def _span(low: float, high: float) -> str:
    """Of hours; in minutes where they are few."""
    if high < _FEW_HOURS:
        return f"{60 * low:.0f} to {60 * high:.0f} minutes"
    return f"{low:.1f} to {high:.1f} hours"


_FEW_HOURS = 2


def _verdict(made: Plan, next_: str) -> None:
    for warning in made.warnings:
        _console.out.print(f"[yellow]![/] {escape(warning)}", soft_wrap=True)
    for problem in made.problems:
        _console.out.print(f"[bold red]cannot work:[/] {escape(problem)}", soft_wrap=True)
    if made.problems:
        raise typer.Exit(1)
    _console.note(f"Next: {escape(next_)}")
