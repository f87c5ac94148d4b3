"""``halubench train``: from labelled rows to a judge; one file a command."""

from __future__ import annotations

import typer

from halubench.cli._commands import register

app = typer.Typer(
    help="Train a judge: prepare rows, plan and launch a run, export what came of it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
register(app, __name__, __path__)
