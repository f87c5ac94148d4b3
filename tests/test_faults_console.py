"""What is shown: whole figures, whatever the width."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from rich.console import Console
from rich.table import Table

from halubench.cli import _console, _generating
from halubench.generate.ask import Tick


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


def test_a_source_named_in_brackets_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr(_generating, "err", Console(file=file, width=120, force_terminal=True))
    with _generating.watching() as watch:
        watch(Tick("Y [/] [v2]: perturb", 1, 2))
    assert "Y [/] [v2]: Proposing edits" in file.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminal_of_few_characters_ends_no_job(encoding: str) -> None:
    code = (
        "from halubench import cli; from halubench.errors import InputError\n"
        "def broken(): print('–', flush=True); raise InputError('Ωmega is no file.', 'Name one.')\n"
        "cli._register = lambda: cli.app.command(name='broken')(broken)\n"
        "cli.main()"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    shown = subprocess.run(
        [sys.executable, "-c", code, "broken"], capture_output=True, env=environment, check=False
    )
    assert shown.returncode == 2
    assert b"mega is no file." in shown.stderr
    assert b"Traceback" not in shown.stderr
