"""``halubench pull``: a repository of the Hugging Face Hub as a folder."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.errors import InputError


def command(
    repo: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME@REVISION", help="Repository of the Hub.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder.")],
    kind: Annotated[str, typer.Option("--type", help="dataset, model or space.")] = "dataset",
) -> None:
    """Fetch a benchmark, results or a judge that was pushed, as a folder."""
    from halubench.publish import pull

    if kind not in {"dataset", "model", "space"}:
        raise InputError(f"--type {kind!r} is no type of repository.", "Use dataset, model, space.")
    with _console.err.status(f"Fetching {escape(repo)}"):
        done = pull(repo, out, kind)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    _console.out.print(
        f"{done.files} files of {escape(done.repo)} at {done.commit[:12]} in {escape(str(out))}",
        soft_wrap=True,
    )
    if (out / "manifest.json").is_file():
        _console.out.print(f"Next: halubench audit {escape(str(out))} --out audit", soft_wrap=True)
    elif (out / "results").is_dir():
        _console.out.print(
            f"Next: halubench leaderboard build {escape(str(out))} --out board", soft_wrap=True
        )
