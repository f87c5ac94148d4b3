"""``halubench export``: results in other people's forms."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated, Literal

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in, named

Form = Literal["inspect", "lm-eval", "model-index"]
NEXT = {
    "inspect": "inspect eval {out}/task.py --model openai/NAME",
    "lm-eval": "lm_eval --include_path {out} --apply_chat_template (the rest stands in the YAML)",
    "model-index": "put the block of {out}/model-index.md on top of the model's card",
}


def command(
    run: Annotated[Path, typer.Argument(help="The folder of one judge's results.")],
    to: Annotated[
        Form,
        typer.Option(
            help="inspect or lm-eval: the same rows and prompt as a task of that tool; model-index: "
            "the scores as Hugging Face metadata."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    data: Annotated[
        str | None, typer.Option(help="Where the rows are, if they were moved since.")
    ] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
    content: Content = None,
) -> None:
    """Export a benchmark with a judge's prompt as a task of another tool, or its scores as metadata."""
    from halubench.export import export

    look_in(content)
    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    for path in export(run, to, out, data, mapping):
        _console.out.print(escape(str(path)), soft_wrap=True)
    _console.note(f"Next: {escape(NEXT[to].format(out=out))}")
