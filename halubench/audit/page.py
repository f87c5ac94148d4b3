"""The report as files: ``audit.json`` and one self-contained ``audit.html``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from halubench.audit.probes import PROBES, TITLES
from halubench.audit.scope import sentence_case
from halubench.run import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.audit.report import AuditReport
    from halubench.records import Example

CUT = 600
"""Characters of a passage or answer that the page shows."""


def write(report: AuditReport, examples: Sequence[Example], folder: Path) -> tuple[Path, Path]:
    """Write ``audit.json`` and ``audit.html`` to ``folder``; return their paths.

    Raises OutputError when the folder cannot be written or holds another's files of that name.
    """
    texts = {
        "audit.json": report.model_dump_json(indent=1) + "\n",
        "audit.html": render(report, examples) + "\n",
    }
    told, page = publish(folder, texts, "audit.json")
    return told, page


def render(report: AuditReport, examples: Sequence[Example]) -> str:
    """The page: one HTML text that asks for nothing from outside. Everything is escaped."""
    shown = {identity for finding in report.findings for identity in finding.ids}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"cut": _cut, "number": _number, "sentence": sentence_case}
    return environment.get_template("page.html.jinja").render(
        report=report,
        rows={example.id: example for example in examples if example.id in shown},
        titles=TITLES,
        zones={spec.name: (spec.low, spec.high) for spec in PROBES},
    )


def _cut(text: str) -> str:
    return text if len(text) <= CUT else f"{text[:CUT]} … ({len(text) - CUT:,} more characters)"


def _number(value: float | None) -> str:
    """Three decimals for a share, a whole number as it is, a dash for None."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == round(value) and value > 1 else f"{value:.3f}"
