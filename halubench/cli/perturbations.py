"""``halubench perturbations``: the kinds of error, one by one, and how to add one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in
from halubench.errors import InputError, OutputError

if TYPE_CHECKING:
    from halubench.perturb.definitions import Example, Perturbation

app = typer.Typer(help="Show the kinds of error, check them, and start one of your own.")


@app.command("list")
def list_(
    domain: Annotated[
        str | None, typer.Option(help="Only those of general, finance or medical.")
    ] = None,
    content: Content = None,
) -> None:
    """List the perturbations by domain, with who makes them, relation and level."""
    from rich import box
    from rich.table import Table

    known = _load(content)
    shown = [one for one in known.values() if domain is None or domain in one.domains]
    if not shown:
        raise InputError(f"No perturbation is of the domain {domain!r}.", _DOMAINS)
    title = f"{len(shown)} perturbations"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("domains", "perturbation", "made by", "relation", "level"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "perturbation")
    for one in sorted(shown, key=lambda one: (_domains(one), one.name)):
        cells = (_domains(one), one.name, ", ".join(one.kinds), one.relation, ", ".join(one.levels))
        table.add_row(*map(escape, cells))
    _console.figures(table)
    _console.note("Next: halubench perturbations show NAME")


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name of the list.")], content: Content = None
) -> None:
    """Show one perturbation whole, and what its rule makes of its worked examples."""
    known = _load(content)
    if name not in known:
        raise InputError(f"There is no perturbation {name!r}.", _near(name, known))
    one = known[name]
    _line(f"[bold]{escape(one.name)}[/]: {escape(one.title)}")
    for field in ("definition", "relation", "domains", "levels", "guidance", "twin", "check"):
        value = getattr(one, field)
        told = ", ".join(value) if isinstance(value, tuple) else value
        _line(f"[bold]{field}[/]: {escape(told)}")
    _line(f"[bold]quota[/]: at most {one.quota:.0%} of a source's pairs")
    _line(f"[bold]rule[/]: {escape(_rule(one))}")
    for number, example in enumerate(one.examples, 1):
        _example(one, example, number)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Lower case with dashes, as the file.")],
) -> None:
    """Write a commented starter file into ./halubench.d/perturbations."""
    import re

    from halubench.perturb import starter

    if not re.fullmatch(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", name):
        what = f"{name!r} cannot be the name of a perturbation."
        raise InputError(what, "Use lower case, digits and dashes, such as distance-swap.")
    path = Path("halubench.d", "perturbations", f"{name}.yaml")
    if path.exists():
        raise OutputError(f"{path} is there already.", "Take another name, or edit that file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(starter.text(name, str(path)), encoding="utf-8")
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}."
        raise OutputError(what, "Work in a folder in which you may write.") from error
    _console.note(f"Wrote {escape(str(path))}")
    _console.note(f"Next: halubench perturbations check {escape(str(path))}")


@app.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to check. Default: all there are.")
    ] = None,
    content: Content = None,
) -> None:
    """Validate perturbations and execute their worked examples; one sentence a fault."""
    from halubench.perturb import definitions
    from halubench.verify.worked import faults

    for path in files or []:
        if not path.is_file():
            raise InputError(f"There is no file {path}.", "Give a perturbation's YAML file.")
    found = [definitions.load(path) for path in files] if files else list(_load(content).values())
    wrong = [f"{one.name}: {fault}" for one in found for fault in faults(one)]
    for sentence in wrong:
        _line(f"[bold red]fault:[/] {escape(sentence)}.")
    if wrong:
        what = f"{len(wrong)} faults in {len(found)} perturbations."
        raise InputError(what, "Mend them as the sentences above say, and check again.")
    examples = sum(len(one.examples) for one in found)
    _line(f"{len(found)} perturbations hold, with {examples} worked examples.")


_DOMAINS = "Known: finance, general, medical."


def _load(content: list[Path] | None) -> dict[str, Perturbation]:
    from halubench.perturb import definitions

    look_in(content)
    return definitions.load_all()


def _near(name: str, known: dict[str, Perturbation]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    return f"Did you mean {' or '.join(near)}?" if near else "See halubench perturbations list."


def _domains(one: Perturbation) -> str:
    return "all" if len(one.domains) == len(_DOMAINS.split(",")) else ", ".join(one.domains)


def _rule(one: Perturbation) -> str:
    """The rule in one line: lists of words are counted."""
    if one.rule is None:
        return "none; only a model makes this edit"
    fields = one.rule.model_dump(exclude_defaults=True)
    operator = str(fields.pop("operator"))
    words = fields.pop("words", ())
    told = [f"{key} {', '.join(map(str, value)) if isinstance(value, tuple) else value}"
            for key, value in fields.items()]  # fmt: skip
    return "; ".join([operator, *([f"{len(words)} pairs of words"] if words else []), *told])


def _example(one: Perturbation, example: Example, number: int) -> None:
    from halubench.verify.worked import edits

    _line(f"\n[bold]example {number}[/]")
    for field in ("passage", "question", "answer", "fail", "change"):
        _line(f"  {field}: {escape(str(getattr(example, field)))}")
    for made in edits(one, example)[:4] if one.rule else []:
        _line(f"  [green]PASS[/] {escape(made.pass_answer)}")
        _line(f"  [red]FAIL[/] {escape(made.fail_answer)}  ({escape(made.change_made)})")


def _line(text: str) -> None:
    _console.out.print(text, soft_wrap=True)
