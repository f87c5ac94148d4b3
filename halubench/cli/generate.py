"""halubench generate: gold QA in, an audited benchmark out."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from halubench.cli._console import err, note, out
from halubench.cli._options import named
from halubench.errors import IncompleteError, InputError

if TYPE_CHECKING:
    from collections.abc import Generator

    from halubench.generate import Ask, Outcome, Plan, Tick
    from halubench.generate import Progress as Watch

_TITLES = {
    "ingest": "Reading sources",
    "group": "Grouping near-equal passages",
    "anchor": "Anchoring gold answers",
    "perturb": "Proposing edits",
    "jury": "Asking the jury",
    "assemble": "Assembling pairs",
    "audit": "Auditing",
}


def command(  # noqa: PLR0913, PLR0917  (a command's options are its parameters)
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Gold QA: file, folder or Hub dataset.")
    ],
    model: Annotated[
        str,
        typer.Option(
            help="Who proposes edits: rules, openai:NAME, openai:NAME@URL, embedded:smollm2."
        ),
    ],
    out_folder: Annotated[Path, typer.Option("--out", metavar="DIR", help="The run folder.")],
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
    window: Annotated[int, typer.Option(help="Requests in flight.")] = 64,
    timeout: Annotated[float, typer.Option(help="Seconds for one request.")] = 120.0,
    rpm: Annotated[
        float | None, typer.Option(help="Most requests a minute; else as the endpoint tells.")
    ] = None,
    tpm: Annotated[
        float | None, typer.Option(help="Most tokens a minute; else as the endpoint tells.")
    ] = None,
    retries: Annotated[int, typer.Option(help="Further attempts after a passing fault.")] = 6,
    max_candidates: Annotated[
        int | None, typer.Option(help="Most requests for edits; 20 a pair unless given.")
    ] = None,
    price_in: Annotated[
        float | None, typer.Option(help="US dollars per million tokens in.")
    ] = None,
    price_out: Annotated[
        float | None, typer.Option(help="US dollars per million tokens out.")
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="Licence of the sources, as SPDX.")
    ] = None,
    prompt: Annotated[str, typer.Option(help="Prompt of prompts/perturb/.")] = "edit",
    content: Annotated[
        list[Path] | None, typer.Option(help="A folder of your own content.")
    ] = None,
) -> None:
    """Make a benchmark of PASS/FAIL pairs out of gold QA documents, and audit it."""
    from halubench import content as lookup
    from halubench.generate import Ask, generate, plan
    from halubench.models.base import EngineOptions

    for folder in content or []:
        lookup.add_folder(folder)
    ask = Ask(
        sources=tuple(sources),
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
    )
    if dry_run:
        with _watching() as watch:
            planned = plan(ask, watch)
        _show_plan(ask, planned)
        return
    with _watching() as watch:
        outcome = generate(ask, watch)
    _show(ask, outcome)
    if outcome.incomplete:
        raise IncompleteError(
            outcome.incomplete, "Run the same command again: only those are asked again."
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


@contextmanager
def _watching() -> Generator[Watch]:
    """Bars on stderr, one a stage, with what remains of each."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=err) as bars:
        shown: dict[str, int] = {}

        def watch(tick: Tick) -> None:
            if tick.stage not in shown:
                for earlier in shown.values():
                    bars.stop_task(earlier)  # type: ignore[arg-type]
                title = _TITLES.get(tick.stage, tick.stage)
                shown[tick.stage] = bars.add_task(title, total=tick.total or None, note="")
            bars.update(
                shown[tick.stage],  # type: ignore[arg-type]
                completed=min(tick.done, tick.total or tick.done),
                total=tick.total or None,
                note=escape(tick.note),
            )

        yield watch


def _show(ask: Ask, outcome: Outcome) -> None:
    out.print(_stages(outcome))
    out.print(_gates(outcome))
    for warning in outcome.warnings:
        note(f"[yellow]note:[/] {escape(warning)}")
    cost = "unknown" if outcome.cost_usd is None else f"${outcome.cost_usd:.4f}"
    wanted = f" of {outcome.asked:,} asked" if outcome.asked else ""
    out.print(
        f"[bold]{outcome.pairs:,} pairs[/]{wanted} ({2 * outcome.pairs:,} rows) in {ask.out}; "
        f"cost {cost}.",
        soft_wrap=True,
    )
    out.print(f"Card {ask.out}/README.md, audit {ask.out}/audit/audit.html", soft_wrap=True)
    out.print(
        f"Next: halubench evaluate --model baseline:length --data {ask.out} --out results",
        soft_wrap=True,
    )


def _stages(outcome: Outcome) -> Table:
    table = Table("stage", "in", "out", "left out, by reason", title="From rows to pairs")
    for stage in outcome.ledger.stages:
        reasons = sorted(stage.rejected.items(), key=lambda pair: -pair[1])
        told = "\n".join(f"{count:,} {escape(reason)}" for reason, count in reasons)
        table.add_row(stage.name, f"{stage.entered:,}", f"{stage.kept:,}", told)
    return table


def _gates(outcome: Outcome) -> Table:
    """The gates over all rows that could be decided, and those of any source that do not hold."""
    marks = {"pass": "[green]holds[/]", "fail": "[red]does not hold[/]"}
    gates = list(outcome.audit.gates)
    counts = Counter(gate.status for gate in gates)
    title = (
        f"Release gates: {counts['pass']} hold, {counts['fail']} do not, "
        f"{counts['undecided']} undecided for want of rows"
    )
    table = Table("gate", "scope", "measured", "limit", "", title=title)
    for gate in gates:
        if gate.status == "fail" or (gate.scope == gates[0].scope and gate.status == "pass"):
            value = "" if gate.value is None else f"{gate.value:.3f}"
            table.add_row(gate.name, gate.scope, value, gate.limit, marks[gate.status])
    return table


def _show_plan(ask: Ask, planned: Plan) -> None:
    for read in planned.reads:
        out.print(
            f"{escape(read.name)} ({read.domain}): {len(read.items):,} items of {read.rows:,} rows"
        )
    last = planned.ledger.stages[-1]
    out.print(f"Supported by their passage: {last.kept:,} of {last.entered:,}")
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
    if planned.usd() is None:
        note("A price is unknown: give --price-in and --price-out.")
    if ask.max_usd is not None:
        note(f"The run stops before it spends more than ${ask.max_usd:g}, and can be resumed.")
