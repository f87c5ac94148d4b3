"""halubench generate: gold QA in, an audited benchmark out."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from halubench.cli._composing import composed
from halubench.cli._console import note, out
from halubench.cli._generating import show, watching
from halubench.cli._options import (
    Content,
    PriceIn,
    PriceOut,
    Retries,
    Rpm,
    Timeout,
    Tpm,
    Window,
    look_in,
    named,
)
from halubench.errors import IncompleteError, InputError

if TYPE_CHECKING:
    from halubench.generate import Ask, Plan, Worked


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    model: Annotated[
        str,
        typer.Option(
            help="Who proposes edits: rules, openai:NAME, openai:NAME@URL, embedded:smollm2."
        ),
    ],
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="The run folder.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE...", help="Gold QA: file, folder or Hub dataset."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="A composition of perturbations/recipes/ in place of sources."),
    ] = None,
    source_file: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=FILE", help="A file in place of a recipe's Hub dataset."),
    ] = None,
    accept: Annotated[
        int | None,
        typer.Option(help="Pairs wanted, over all sources; all that can be had unless given."),
    ] = None,
    domain: Annotated[
        str | None, typer.Option(help="general, finance or medical; the source's own unless given.")
    ] = None,
    control: Annotated[
        str, typer.Option(help="restate: one sentence for both labels. none: bare gold answers.")
    ] = "restate",
    jury: Annotated[
        list[str] | None, typer.Option(help="A judge that must agree; repeat for several.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show the plan and its price; spend and write nothing."),
    ] = False,
    max_usd: Annotated[
        float | None, typer.Option(help="The most that this command may spend.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="A dataset whose passages must not be used; repeat for several."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--map", metavar="passage=COL,question=COL,answer=COL", help="Column of each field."
        ),
    ] = None,
    split: Annotated[
        str, typer.Option(help="Names and shares of the splits.")
    ] = "validation=.2,test=.8",
    window: Window = 64,
    timeout: Timeout = 120.0,
    rpm: Rpm = None,
    tpm: Tpm = None,
    retries: Retries = 6,
    max_candidates: Annotated[
        int | None, typer.Option(help="Most requests for edits; 20 a pair unless given.")
    ] = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="Licence of the sources, as SPDX.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="Prompt of prompts/perturb/.")] = "edit",
    temperature: Annotated[
        float | None,
        typer.Option(
            help="Of the model's edits; 0, .7 and 1 for an item's three tries unless given."
        ),
    ] = None,
    anchor: Annotated[
        str, typer.Option(help="code, or model: ask it about answers that code cannot find.")
    ] = "code",
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Do one of N parts; halubench merge puts them together."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Processes for the stages by code; the dataset is the same.")
    ] = 1,
    content: Content = None,
) -> None:
    """Make a benchmark of PASS/FAIL pairs out of gold QA documents, and audit it."""
    from halubench.generate import Ask, generate, plan, work
    from halubench.models.base import EngineOptions

    look_in(content)
    ask = Ask(
        sources=tuple(sources or ()),
        model=model,
        out=out_folder,
        accept=accept,
        domain=domain,
        control=control,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (checked by Ask)
        jury=tuple(jury or ()),
        seed=seed,
        max_usd=max_usd,
        exclude=tuple(exclude or ()),
        mapping=named(mapping, "--map", "passage=COLUMN,question=COLUMN,answer=COLUMN"),
        splits=_shares(split),
        license=license_,
        max_candidates=max_candidates,
        retries=retries,
        engine=EngineOptions(timeout, window, price_in, price_out, rpm, tpm, note),
        prompt=prompt,
        temperature=temperature,
        anchor=anchor,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  (checked by Ask)
        shard=_part(shard),
        workers=workers,
    )
    if recipe:
        composed(recipe, ask, source_file or [], dry_run=dry_run)
        return
    if dry_run:
        with watching() as watch:
            planned = plan(ask, watch)
        _show_plan(ask, planned)
        return
    if ask.shard:
        with watching() as watch:
            worked = work(ask, watch)
        _show_shard(ask, worked)
        return
    with watching() as watch:
        outcome = generate(ask, watch)
    show(outcome)


def _part(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    part, slash, parts = text.partition("/")
    if not slash or not part.isdecimal() or not parts.isdecimal():
        raise InputError(f"--shard {text!r} cannot be read.", "Write --shard 1/4 to --shard 4/4.")
    return int(part), int(parts)


def _show_shard(ask: Ask, worked: Worked) -> None:
    part, parts = worked.part
    out.print(
        f"[bold]Part {part} of {parts}[/]: {worked.tried:,} items, {worked.passed:,} with a pair that "
        f"passed, {worked.upheld:,} upheld; in {ask.out}, cost {worked.told}.",
        soft_wrap=True,
    )
    if worked.unanswered:
        raise IncompleteError(worked.unanswered, "Run the same command again for those.")
    out.print(
        f"Next, once all {parts} parts are done: halubench merge PART... --out DIR", soft_wrap=True
    )


def _shares(text: str) -> tuple[tuple[str, float], ...]:
    try:
        return tuple(
            (name, float(share))
            for name, share in named(text, "--split", "validation=.2,test=.8").items()
        )
    except ValueError as error:
        raise InputError(
            f"--split {text!r} holds a share that is no number.", "Use a=.2,b=.8."
        ) from error


def _show_plan(ask: Ask, planned: Plan) -> None:
    for read in planned.reads:
        out.print(
            f"{escape(read.name)} ({read.domain}): {len(read.items):,} items of {read.rows:,} rows"
        )
    kept, entered = planned.supported
    out.print(f"Supported by their passage, as far as code sees: {kept:,} of {entered:,}")
    types = Table("perturbation", "statements that offer a span")
    for name, count in planned.types.items():
        types.add_row(name, f"{count:,}")
    out.print(types)
    if not planned.lines:
        out.print(f"Up to {planned.wanted:,} pairs by rules, offline: nothing to pay.")
        return
    table = Table("stage", "model", "", "calls", "tokens in", "tokens out", "US dollars")
    for line in planned.lines:
        for place, case in enumerate(("low", "expected", "high")):
            numbers = (line.calls[place], line.tokens_in[place], line.tokens_out[place])
            price = "unknown" if line.usd is None else f"{line.usd[place]:.4f}"
            table.add_row(line.stage, line.model, case, *(f"{n:,.0f}" for n in numbers), price)
    out.print(table)
    if not any(line.measured for line in planned.lines):
        note(
            f"Tokens are estimated. Run a few pairs into {escape(str(ask.out))} first (--accept 20): "
            "the plan then goes by what those used."
        )
    if planned.usd() is None:
        note("A price is unknown: give --price-in and --price-out.")
    if ask.max_usd is not None:
        note(f"The run stops before it spends more than ${ask.max_usd:g}, and can be resumed.")
