"""The review in a terminal: one key a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from halubench.records import Row
    from halubench.review.desk import Desk
    from halubench.review.ledger import Opinion

_KEYS: dict[str, Opinion] = {"p": "PASS", "f": "FAIL", "u": "unclear"}
_HELP = "[b]p[/] supported  [b]f[/] not supported  [b]u[/] unclear  [b]n[/] note  [b]z[/] undo  [b]q[/] stop"


def review(
    desk: Desk, console: Console, key: Callable[[], str], line: Callable[[str], str]
) -> None:
    """Show rows until all are decided or the reviewer stops.

    Args:
        desk: whose rows, and where decisions go.
        console: where to show.
        key: waits for one key and gives it.
        line: asks for a line of text with that prompt.
    """
    note = ""
    while (row := desk.next()) is not None:
        _show(row, desk, console)
        pressed = key().lower()
        if pressed in _KEYS:
            desk.decide(row.id, _KEYS[pressed], note=note)
            note = ""
        elif pressed == "n":
            note = line("note").strip()
        elif pressed == "z":
            desk.undo()
        elif pressed in {"q", "\x1b", ""}:
            return


def _show(row: Row, desk: Desk, console: Console) -> None:
    console.rule(f"{desk.done} of {desk.total}", style="dim")
    console.print(Padding(escape(row.passage), (1, 2)))
    console.print(f"[dim]Question[/]  {escape(row.question)}", soft_wrap=True)
    console.print(f"[dim]Answer[/]    [bold]{escape(row.answer)}[/]", soft_wrap=True)
    console.print(_HELP)
