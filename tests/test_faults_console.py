"""What is shown: whole figures, whatever the width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table

from halubench.cli import _console


@pytest.mark.parametrize("width", [20, 60, 120])
def test_no_figure_is_cut_however_narrow_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.StringIO()
    monkeypatch.setattr(_console, "out", Console(file=file, width=width, highlight=False))
    cells = [f"{number}.25 [{number}.1, {number}.9]" for number in (47, 56, 64)]
    table = Table(*(f"rate {number}" for number in range(3)))
    for column in table.columns:
        column.no_wrap = True
    table.add_row(*cells)
    _console.figures(table)
    assert all(cell in file.getvalue() for cell in cells)
