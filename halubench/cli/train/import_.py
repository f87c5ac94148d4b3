"""``halubench train import``: a recipe from a YAML file of LLM Foundry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.errors import OutputError


def command(
    file: Annotated[
        Path,
        typer.Argument(help="A training YAML of LLM Foundry or a run of mcli, Lynx's for one."),
    ],
    gpus: Annotated[
        int | None,
        typer.Option(min=0, help="GPUs it ran on. Default: what a run of mcli says, else 8."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder or Hub id, in place of the file's base model.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the recipe. Default: the file's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the recipe.")] = Path(
        "halubench.d/trainers"
    ),
) -> None:
    """Make a recipe of an LLM Foundry YAML; lists what had to be migrated or left out."""
    from halubench.train import published

    found = published.read(file, name or file.stem, gpus, model)
    target = out / f"{found.name}.yaml"
    if target.exists():
        raise OutputError(f"{target} is there already.", "Give another --name or --out.")
    out.mkdir(parents=True, exist_ok=True)
    target.write_text(found.recipe, encoding="utf-8")
    for told in found.migrations:
        _console.out.print(f"migrated: {escape(told)}", soft_wrap=True)
    for told in found.left_out:
        _console.out.print(f"left out: {escape(told)}", soft_wrap=True)
    count = f"{len(found.migrations)} migrations, {len(found.left_out)} left out"
    _console.out.print(f"Recipe {escape(str(target))} ({count}).", soft_wrap=True)
    _console.note(f"Next: halubench train plan {escape(found.name)} --rows 2400")
