"""``halubench train prepare``: labelled rows to a training set."""

from __future__ import annotations

from collections import Counter
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from halubench.cli import _console
from halubench.cli._options import Content, PriceIn, PriceOut, Timeout, Window, look_in, named
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.train.prepare import Ask, Prepared
    from halubench.train.recipe import Recipe


def command(  # noqa: PLR0913, PLR0917  (an option each)
    data: Annotated[
        list[str], typer.Argument(help="Files, run folders or Hub ids of labelled rows.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the training set.")],
    recipe: Annotated[
        str | None, typer.Option(help="Take mix, target and length from this recipe.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="reasoning (by a teacher), or direct: the score alone.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(help="Model that writes the reasoning: openai:gpt-4o.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="The judge's prompt, of prompts/judge/.")] = "lynx",
    benchmark: Annotated[
        list[str] | None,
        typer.Option(help="Data to be evaluated on: no passage of it is trained on. Repeatable."),
    ] = None,
    contaminated: Annotated[
        str, typer.Option(help="Rows of a benchmark: refuse (stop and name them) or drop.")
    ] = "refuse",
    mix: Annotated[
        str | None, typer.Option(help="Training rows of each source: RAGTruth=600,DROP=600")
    ] = None,
    validation: Annotated[
        float, typer.Option(help="Share of passages kept for validation.")
    ] = 0.25,
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder or Hub id of the judge, to count its tokens.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=1, help="Most tokens of a row. Default: the recipe's.")
    ] = None,
    over_long: Annotated[str, typer.Option(help="Longer rows: refuse or drop.")] = "refuse",
    split: Annotated[str | None, typer.Option(help="Read this split of the data only.")] = None,
    mapping: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same rows.")] = 17,
    max_usd: Annotated[float | None, typer.Option(help="The most the teacher may cost.")] = None,
    window: Window = 64,
    timeout: Timeout = 120.0,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    content: Content = None,
) -> None:
    """Make a training set of labelled rows: reasoning, token counts, splits, no benchmark rows."""
    from halubench.models.base import EngineOptions
    from halubench.train.prepare import Ask
    from halubench.train.recipe import find
    from halubench.train.teacher import Teacher

    look_in(content)
    base = find(recipe) if recipe else None
    engine = EngineOptions(timeout, window, price_in, price_out)
    ask = Ask(
        data=tuple(data),
        out=out,
        target=_one_of("--target", target or _target(base), ("reasoning", "direct")),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        teacher=Teacher(teacher, engine=engine, max_usd=max_usd) if teacher else None,
        prompt=prompt,
        benchmarks=tuple(benchmark or ()),
        contaminated=_one_of("--contaminated", contaminated, ("refuse", "drop")),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        mix=_mix(mix) if mix else dict((base and base.data.mix) or {}),
        validation=validation,
        tokenizer=tokenizer,
        sequence_length=length or (base.sequence_length if base and tokenizer else None),
        over_long=_one_of("--over-long", over_long, ("refuse", "drop")),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        split=split,
        mapping=named(mapping, "--map", "passage=COLUMN,label=COLUMN"),
        seed=seed,
    )
    _show(_watched(ask), recipe)


def _watched(ask: Ask) -> Prepared:
    from halubench.train.prepare import prepare

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=_console.err, transient=True) as bar:
        task = bar.add_task("Reading the data", total=None)

        def tell(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total)

        return prepare(ask, tell)


def _target(recipe: Recipe | None) -> str:
    return recipe.data.target if recipe else "reasoning"


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InputError(f"{option} {value} is unknown.", f"Use {' or '.join(known)}.")
    return value


def _mix(text: str) -> dict[str, int]:
    parts = named(text, "--mix", "RAGTruth=600,DROP=600")
    odd = [f"{name}={count}" for name, count in parts.items() if not count.isdecimal()]
    if odd or not all(int(count) for count in parts.values()):
        what = f"--mix {text!r} holds a number of rows that is none."
        raise InputError(what, "Write --mix RAGTruth=600,DROP=600.")
    return {name: int(count) for name, count in parts.items()}


def _show(done: Prepared, recipe: str | None) -> None:
    table = Table("rows", "", "why")
    table.add_row(f"{done.read:,}", "read", "")
    for stage, count in done.reasons().items():
        for reason, number in sorted(count.items(), key=lambda pair: -pair[1]):
            table.add_row(f"-{number:,}", f"left out: {stage}", escape(reason))
    for name, made in done.splits.items():
        labels = Counter(row.example.label for row in made)
        lengths = sorted(row.tokens for row in made)
        words = "tokens" if done.counted else "tokens by estimate"
        told = f"{labels['PASS']:,} PASS, {labels['FAIL']:,} FAIL; {sum(lengths):,} {words}"
        middle = f", median {lengths[len(lengths) // 2]:,}, longest {lengths[-1]:,}" if made else ""
        table.add_row(f"{len(made):,}", name, told + middle)
    _console.out.print(table)
    for reason, number in done.lesson.tries.items():
        _console.note(
            f"[yellow]note:[/] {number:,} replies of the teacher did not serve: {reason}."
        )
    for label in {row.example.label for row in done.splits["train"]} ^ {"PASS", "FAIL"}:
        _console.note(f"[yellow]note:[/] No training row is {label}: it teaches one answer to all.")
    if not done.counted:
        _console.note("[yellow]note:[/] Tokens are estimated: give --tokenizer to count them.")
    where = escape(str(done.out))
    _console.out.print(f"Training set in {where}; what was left out in {where}/rejected.jsonl.")
    name = escape(recipe or "lynx-8b")
    _console.note(f"Next: halubench train plan {name} --data {where}")
