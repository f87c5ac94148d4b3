"""``halubench push``: a finished folder onto the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import Annotated

import typer
from rich.markup import escape

from halubench.cli import _console


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="Folder of generate, evaluate, leaderboard build or train export.",
        ),
    ],
    repo: Annotated[str, typer.Argument(metavar="NAMESPACE/NAME", help="Repository of the Hub.")],
    public: Annotated[
        bool, typer.Option("--public", help="Make a new repository public; private unless given.")
    ] = False,
    tag: Annotated[
        str | None, typer.Option(help="Tag of the commit; named after the rows unless given.")
    ] = None,
    message: Annotated[str | None, typer.Option(help="Message of the commit.")] = None,
    force_gates: Annotated[
        bool,
        typer.Option("--force-gates", help="Publish although a gate fails; the card then says so."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be published; ask the Hub nothing.")
    ] = False,
) -> None:
    """Publish a finished folder on the Hugging Face Hub: one commit, or none.

    The token comes from `hf auth login` or HF_TOKEN.
    """
    from halubench.publish import PushOptions, bundle_of, push
    from halubench.publish.base import check_repo, check_tag

    if tag is not None:
        check_tag(tag)
    options = PushOptions(public, tag, message, force_gates)
    if dry_run:
        bundle = bundle_of(folder, check_repo(repo), options)
        for path in sorted(bundle.files):
            _console.out.print(escape(path), soft_wrap=True)
        for gate in bundle.failing:
            _console.note(f"[red]gate does not hold:[/] {escape(gate)}")
        _console.note(f"{len(bundle.files)} files would be published; nothing was sent.")
        return
    done = push(folder, repo, options, say=lambda step: _console.note(f"{escape(step)} ..."))
    if done.written or done.removed:
        removed = f", {done.removed} removed" if done.removed else ""
        what = f"{done.written} files written{removed} in one commit, {done.commit[:12]}."
    else:
        what = f"Nothing has changed: no commit was made; the head is {done.commit[:12]}."
    _console.out.print(f"[bold]{escape(done.repo)}[/] ({done.kind}): {what}", soft_wrap=True)
    if done.verified:
        _console.out.print("Read back from the Hub: the same rows, hash for hash.")
    tagged = f" (tag {done.tag})" if done.tag else ""
    _console.out.print(f"{escape(done.url)}{tagged}", soft_wrap=True)
    ref = f"{done.repo}@{done.tag or done.commit[:12]}"
    if done.kind == "benchmark":
        next_ = f"halubench evaluate --model baseline:length --data {ref} --out results"
    else:
        next_ = f"open {done.url}"
    _console.out.print(f"Next: {escape(next_)}", soft_wrap=True)
