"""``halubench train parity``: whether converted weights judge as the originals do."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from halubench.cli import _console


def command(
    results: Annotated[
        list[Path],
        typer.Argument(help="Folders of halubench evaluate; the first is the reference."),
    ],
    card: Annotated[
        Path | None, typer.Option(help="Also add the table to this model card (README.md).")
    ] = None,
) -> None:
    """Compare judges of the same rows with the first: same verdicts, unscored rows, accuracy."""
    from halubench.train.export.parity import markdown, parity

    table = markdown(parity(results))
    _console.out.print(table, soft_wrap=True, end="", markup=False)
    if card is not None:
        with card.open("a", encoding="utf-8") as file:
            file.write(f"\n## Parity\n\n{table}")
        _console.note(f"Added to {card}")
