"""``halubench train export``: a trained run as a folder that others can load."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    run: Annotated[Path, typer.Argument(help="A finished run, or what was exported of one.")],
    out: Annotated[Path, typer.Option(help="The new folder; its name is the model's.")],
    format: Annotated[
        str, typer.Option(help="safetensors (bf16), fp8, w4a16, gguf:q8_0 or gguf:q4_k_m.")
    ] = "safetensors",
    llama_cpp: Annotated[
        Path | None, typer.Option(help="Folder of llama.cpp with its converter, for GGUF.")
    ] = None,
    license: Annotated[
        list[str] | None, typer.Option(help="Licence of the training data. Repeatable.")
    ] = None,
    base_license: Annotated[
        str | None, typer.Option(help="Licence of the base model, where its card is not here.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of halubench evaluate to put in the card. Repeatable."),
    ] = None,
    content: Content = None,
) -> None:
    """Write weights, tokenizer, judge prompt and model card in the format asked for."""
    from typing import cast

    from halubench.train.export import release

    look_in(content)
    ask = release.Ask(
        run=run,
        out=out,
        format=cast("release.Format", format),
        llama_cpp=llama_cpp,
        licenses=tuple(license or ()),
        base_license=base_license,
        results=tuple(results or ()),
    )
    release.export(ask, lambda message: _console.note(escape(message)))
    _console.note(f"Weights ({escape(format)}), prompt and card: {escape(str(out))}")
    _console.note("Next: evaluate it and the original, then: halubench train parity FIRST OTHER")
