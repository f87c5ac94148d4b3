"""Two consoles: results on stdout, progress and messages on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.segment import Segments

if TYPE_CHECKING:
    from rich.table import Table

    from halubench.errors import HalubenchError

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

NARROWEST = 80
"""Columns in which every table of figures fits."""


def figures(table: Table) -> None:
    """Print a table whole: where the terminal is narrower its lines run on, but no figure is cut."""
    options = out.options.update(width=max(out.width, NARROWEST))
    out.print(Segments(out.render(table, options)), crop=False, end="")


def fail(error: HalubenchError | None) -> int:
    """Print one sentence about ``error`` (None: interrupted by the user); return the exit code."""
    if error is None:
        err.print("[yellow]Stopped.[/] Nothing is lost: run the same command again to go on.")
        return 130
    err.print(f"[bold red]error:[/] {escape(error.what)}", soft_wrap=True)
    if error.remedy:
        err.print(f"[bold]fix:[/] {escape(error.remedy)}", soft_wrap=True)
    return error.exit_code


def note(message: str) -> None:
    """Print one line of progress or advice."""
    err.print(message, soft_wrap=True)
