"""How a run of generation is watched and shown, by the commands that make a dataset."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from halubench.cli._console import err, note, out
from halubench.errors import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Generator

    from halubench.generate import Outcome, Tick
    from halubench.generate import Progress as Watch

_TITLES = {
    "read": "Reading its rows",
    "ingest": "Reading sources",
    "group": "Grouping near-equal passages",
    "anchor": "Anchoring gold answers",
    "anchor by model": "Asking about the others",
    "perturb": "Proposing edits",
    "jury": "Asking the jury",
    "assemble": "Assembling pairs",
    "audit": "Auditing",
}


@contextmanager
def watching() -> Generator[Watch]:
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
                part, colon, stage = tick.stage.rpartition(": ")
                title = escape(f"{part}{colon}{_TITLES.get(stage, stage)}")
                shown[tick.stage] = bars.add_task(title, total=tick.total or None, note="")
            bars.update(
                shown[tick.stage],  # type: ignore[arg-type]
                completed=min(tick.done, tick.total or tick.done),
                total=tick.total or None,
                note=escape(tick.note),
            )

        yield watch


def show(outcome: Outcome) -> None:
    """What a run gave. Raises IncompleteError where requests got no answer."""
    out.print(_stages(outcome))
    out.print(_gates(outcome))
    for warning in outcome.warnings:
        note(f"[yellow]note:[/] {escape(warning)}")
    cost = "unknown" if outcome.cost_usd is None else f"${outcome.cost_usd:.4f}"
    wanted = f" of {outcome.asked:,} asked" if outcome.asked else ""
    out.print(
        f"[bold]{outcome.pairs:,} pairs[/]{wanted} ({outcome.rows:,} rows) in {outcome.out}; "
        f"cost {cost}.",
        soft_wrap=True,
    )
    out.print(f"Card {outcome.out}/README.md, audit {outcome.out}/audit/audit.html", soft_wrap=True)
    out.print(
        f"Next: halubench evaluate --model baseline:length --data {outcome.out} --out results",
        soft_wrap=True,
    )
    if outcome.incomplete:
        raise IncompleteError(
            outcome.incomplete, "Run the same command again: only those are asked again."
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
