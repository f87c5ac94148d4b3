"""``halubench audit``: can the labels be told without reading answer against passage?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from halubench.cli import _console
from halubench.cli._options import named
from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.audit import AuditReport, Gate, Probe, Scope
    from halubench.dataset import Dataset
    from halubench.records import Example

_COLOURS = {"pass": "green", "fail": "bold red", "undecided": "yellow"}
_SHOWN = 12


def command(
    data: Annotated[
        list[str], typer.Argument(help="Files, run folders or Hub ids in six columns.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; audit-NAME when not given.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="Data that must not share passages. Repeatable.")
    ] = None,
    map_: Annotated[
        str | None, typer.Option("--map", help="Other column names: passage=context,label=gold")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of folds and intervals.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 when a gate fails.")] = False,
) -> None:
    """Measure shortcuts, duplicates, contradictions, leakage and balance of labelled data."""
    from halubench.dataset import load

    mapping = named(map_, "--map", "passage=COLUMN,label=COLUMN")
    with _console.err.status("Reading the data"):
        datasets = [load(ref, mapping=mapping) for ref in data]
        others = {known.name: known.examples for known in map(load, against or [])}
    failed = 0
    for dataset, folder in zip(datasets, _folders(datasets, out), strict=True):
        report = _audit(dataset, others, seed)
        page = _save(report, dataset, folder)
        _show(report)
        _console.note(f"Open {escape(str(page))} for the whole report; audit.json lies beside it.")
        failed += len(report.failed)
    if strict and failed:
        _console.note(f"[bold red]{failed} gates fail[/] (--strict).")
        raise typer.Exit(1)
    _console.note(_next(data[0], failed))


def _next(ref: str, failed: int) -> str:
    if failed:
        return "Next: mend what was found, or report baseline:length and baseline:overlap beside every judge."
    return f"Next: halubench evaluate --model baseline:overlap --data {escape(ref)} --out results"


def _folders(datasets: list[Dataset], out: Path | None) -> list[Path]:
    if out and len(datasets) == 1:
        return [out]
    names = [dataset.name.replace("/", "-") for dataset in datasets]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(f"Two of the datasets are called {twice[0]}.", "Audit them one at a time.")
    return [out / name if out else Path(f"audit-{name}") for name in names]


def _audit(dataset: Dataset, others: dict[str, tuple[Example, ...]], seed: int) -> AuditReport:
    from halubench.audit import audit_examples

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, TimeRemainingColumn(), console=_console.err, transient=True) as bar:
        task = bar.add_task("Grouping passages", total=None)

        def advance(title: str, done: float, whole: float) -> None:
            bar.update(task, description=escape(title), completed=done, total=whole)

        report = audit_examples(
            dataset.examples,
            provenance=dataset.provenance or None,
            splits=dataset.splits,
            against=others,
            seed=seed,
            progress=advance,
        )
    return report.model_copy(update={"name": dataset.name, "sha256": dataset.sha256})


def _save(report: AuditReport, dataset: Dataset, folder: Path) -> Path:
    from halubench.audit.page import write

    return write(report, dataset.examples, folder)[1]


def _show(report: AuditReport) -> None:
    colour = "red" if report.failed else "green"
    scopes = report.scopes
    _console.out.print(
        f"\n[bold]{escape(report.name)}[/] [{colour}]{report.verdict}[/]", soft_wrap=True
    )
    _console.out.print(
        f"{report.overall.n:,} rows = {report.overall.n_pass:,} PASS + {report.overall.n_fail:,} FAIL; "
        f"{report.overall.groups:,} distinct passages. AUROC of each shortcut, .5 is chance:",
        soft_wrap=True,
    )
    columns = max(1, (_console.out.width - 34) // 20)
    for start in range(0, len(scopes), columns):
        _console.out.print(_probes(scopes[start : start + columns]))
    _gates(report)
    _findings(report)


def _probes(scopes: tuple[Scope, ...]) -> Table:
    from halubench.audit.probes import PROBES

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("shortcut", no_wrap=True)
    for scope in scopes:
        name = "all rows" if scope.name == "all" else escape(scope.name)
        table.add_column(f"{name}\n[dim]{scope.n:,} rows[/]", no_wrap=True)
    table.add_column("gate", style="dim", no_wrap=True)
    for i, spec in enumerate(PROBES):
        cells = (_cell(scope.probes[i], scope.gates[i]) for scope in scopes)
        table.add_row(spec.title, *cells, scopes[0].gates[i].limit)
    return table


def _cell(probe: Probe, gate: Gate) -> str:
    if probe.auroc is None:
        return "[yellow]undecided[/]"
    interval = f"[dim]{probe.low:.3f}–{probe.high:.3f}[/]"
    return f"[{_COLOURS[gate.status]}]{probe.auroc:.3f}[/] {interval}"


def _gates(report: AuditReport) -> None:
    from halubench.audit.probes import TITLES

    others = [gate for gate in report.gates if gate.name not in TITLES.values()]
    for gate in sorted(others, key=lambda each: ("fail", "undecided", "pass").index(each.status)):
        value = "–" if gate.value is None else f"{gate.value:.3g}"
        _console.out.print(
            f"[{_COLOURS[gate.status]}]{gate.status:9}[/] {escape(gate.scope)}: {escape(gate.name)} "
            f"{value} ({gate.limit}) {escape(gate.reason)}",
            soft_wrap=True,
        )
    for reason, names in _undecided(report).items():
        _console.out.print(
            f"[yellow]undecided[/] {escape(', '.join(names))}: {escape(reason)}.", soft_wrap=True
        )


def _undecided(report: AuditReport) -> dict[str, list[str]]:
    """Reason -> scopes whose probes cannot be decided for it."""
    found: dict[str, list[str]] = {}
    for scope in report.scopes:
        for probe in scope.probes[:1]:
            if probe.auroc is None:
                found.setdefault(probe.note, []).append(scope.name)
    return found


def _findings(report: AuditReport) -> None:
    marks = {"high": "[bold red]●[/]", "medium": "[yellow]●[/]", "low": "[dim]●[/]"}
    for finding in report.findings[:_SHOWN]:
        where = "" if finding.scope == "all" else f"[bold]{escape(finding.scope)}[/] "
        _console.out.print(
            f"{marks[finding.severity]} {where}{escape(finding.text)}", soft_wrap=True
        )
    more = len(report.findings) - _SHOWN
    if more > 0:
        _console.out.print(f"[dim]… and {more} more in the report.[/]")
