"""``halubench train launch``: the job file of a scheduler or cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in
from halubench.errors import OutputError


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    recipe: Annotated[str, typer.Argument(help="A recipe with a launch block.")],
    on: Annotated[
        str, typer.Option(help="slurm, skypilot, kubernetes, mcli, dstack, hf-jobs, or your own.")
    ],
    data: Annotated[
        str, typer.Option(help="The training set, below launch.storage.")
    ] = "training-set",
    out: Annotated[str, typer.Option(help="The run folder, below launch.storage.")] = "run",
    to: Annotated[Path, typer.Option(help="Folder for the job file.")] = Path(),
    submit: Annotated[
        bool, typer.Option("--submit", help="Hand it in, where the target's client is installed.")
    ] = False,
    content: Content = None,
) -> None:
    """Write (and submit) the job that runs a recipe, requeued after a stop or a lost node."""
    from halubench.train import launch as launches
    from halubench.train.recipe import find

    look_in(content)
    made = launches.job(find(recipe), on, recipe, data, out)
    path = to / made.name
    try:
        to.mkdir(parents=True, exist_ok=True)
        path.write_text(made.text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}.", "Use --to.") from error
    _console.out.print(f"Job file {escape(str(path))}", soft_wrap=True)
    if submit:
        _console.out.print(escape(launches.submit(made, path)), soft_wrap=True)
        return
    words = " ".join(made.submit).replace("{file}", str(path))
    _console.note(f"Next: {escape(words)}")
