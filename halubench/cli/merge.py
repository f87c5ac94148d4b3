"""halubench merge: the parts of one job, put together."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer

from halubench.cli._generating import show, watching
from halubench.cli._options import Content, PriceIn, PriceOut, Retries, Timeout, Window, look_in


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    parts: Annotated[
        list[Path],
        typer.Argument(metavar="PART...", help="Folders of generate --shard, all of them."),
    ],
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="The run folder.")],
    max_usd: Annotated[
        float | None,
        typer.Option(help="The most that may be spent on what the parts lack; 0: nothing."),
    ] = None,
    window: Window = 64,
    timeout: Timeout = 120.0,
    retries: Retries = 6,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    content: Content = None,
) -> None:
    """Put the parts of one generate job together: what one machine would have made, byte for byte."""
    from halubench.generate import Rest, merge
    from halubench.models.base import EngineOptions

    look_in(content)
    rest = Rest(EngineOptions(timeout, window, price_in, price_out), max_usd, retries)
    with watching() as watch:
        outcome = merge(parts, out_folder, rest, watch)
    show(outcome)
