"""``halubench show``: walk the rows of one judge."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from halubench.cli import _console
from halubench.cli._options import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.mistakes import Case, Cases

Label = Literal["PASS", "FAIL"]
COLOURS = {"PASS": "green", "FAIL": "red"}


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    run: Annotated[Path, typer.Argument(help="The folder of one judge's results.")],
    errors: Annotated[
        bool, typer.Option("--errors", help="Only rows judged wrongly, or not at all.")
    ] = False,
    unscored: Annotated[
        bool, typer.Option("--unscored", help="Only rows whose answer could not be read.")
    ] = False,
    label: Annotated[Label | None, typer.Option(help="Only rows of this label.")] = None,
    source: Annotated[str | None, typer.Option(help="Only rows of this source_ds.")] = None,
    perturbation: Annotated[
        str | None, typer.Option("--type", help="Only rows of this perturbation.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many rows.")] = None,
    data: Annotated[
        str | None, typer.Option(help="Where the rows are, if they were moved since.")
    ] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
) -> None:
    """Walk the rows of a judge: what it was given, what it said, and where the twins differ."""
    from halubench.mistakes import Choice, load_cases

    choice = Choice(errors, unscored, source, perturbation, label)
    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    with _console.err.status("Reading the rows"):
        found = load_cases(run, choice, data, mapping)
    shown = found.cases[:limit]
    _console.note(
        f"{found.results.judge.name}: {len(found.cases):,} of {found.of:,} rows"
        + (f", the first {len(shown):,} shown" if len(shown) < len(found.cases) else "")
    )
    if _console.out.is_terminal and _keys():
        _walk(found, shown)
        return
    for number, case in enumerate(shown):
        _console.out.print(_view(case, f"{number + 1} of {len(shown)}"))


def _keys() -> bool:
    """Whether somebody is there to press one."""
    import sys

    return sys.stdin.isatty()


def _walk(found: Cases, cases: Sequence[Case]) -> None:
    """One row a screen: next (Enter, space, n, right), back (p, b, left), the raw answer (r),
    end (q)."""
    at, raw = 0, False
    while 0 <= at < len(cases):
        _console.out.clear()
        title = f"{found.results.judge.name}: {at + 1} of {len(cases)}"
        _console.out.print(_view(cases[at], title, raw=raw))
        _console.out.print("n next   p back   r raw answer   q end", style="dim")
        key = typer.getchar()
        raw = not raw if key == "r" else False
        if key in {"q", "\x1b", "\x04"}:
            return
        if key in {"p", "b", "\x1b[D"}:
            at = max(0, at - 1)
        elif key != "r":
            at += 1


def _view(case: Case, title: str, *, raw: bool = False) -> Group:
    example, said = case.example, case.row.said
    parts: list[RenderableType] = [
        Rule(Text(f"{title}: {example.source_ds} {example.id}"), align="left"),
        _field("Passage", _passage(case)),
        _field("Question", Text(example.question)),
        _field(f"Answer, {example.label}", _marked(example.answer, case.marked, example.label)),
    ]
    if case.twin is not None and case.twin_row is not None:
        right = "right" if case.twin_row.right else "wrong"
        told = (
            f"Its twin, {case.twin.label} (judged {_verdict(case.twin_row.said.verdict)}: {right})"
        )
        parts.append(_field(told, _marked(case.twin.answer, case.twin_marked, case.twin.label)))
    if case.origin is not None:
        told = f"{case.origin.perturbation} {case.origin.level}: {case.origin.change_made}"
        parts.append(_field("Change", Text(told)))
    p_fail = "" if said.p_fail is None else f", P(FAIL) {said.p_fail:.2f}"
    verdict = f"Judged {_verdict(said.verdict)}: {'right' if case.row.right else 'wrong'}{p_fail}"
    words = (said.raw if raw or not said.reasoning else said.reasoning) or "(no text was kept)"
    style = "green" if case.row.right else "yellow"
    parts.append(Panel(Text(words), title=Text(verdict), title_align="left", border_style=style))
    return Group(*parts)


def _field(name: str, text: Text) -> Group:
    return Group(Text(name, style="bold dim"), text, Text())


def _marked(answer: str, spans: Sequence[tuple[int, int]], label: str) -> Text:
    text = Text(answer)
    for start, end in spans:
        text.stylize(f"bold reverse {COLOURS[label]}", start, end)
    return text


def _passage(case: Case) -> Text:
    """With the evidence, and what the edit put in or took out, marked where they stand."""
    text = Text(case.example.passage)
    if case.origin is not None:
        for words, style in ((case.origin.evidence, "underline"), (case.origin.edit_old, "bold")):
            if words.strip():
                text.highlight_words([words], style)
    return text


def _verdict(verdict: object) -> str:
    from halubench.records import Unscored

    return f"unscored ({verdict.reason})" if isinstance(verdict, Unscored) else str(verdict)
