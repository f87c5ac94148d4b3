"""One scope (a source, or all rows): probes, gates and findings -> Scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halubench.audit import checks, gates, pairs, probes
from halubench.audit.report import Finding, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from halubench.audit.pairs import Context
    from halubench.audit.probes import Spec
    from halubench.audit.report import Gate, Probe
    from halubench.audit.rows import Rows

TOP_NGRAMS = 12
MIN_TELLING = 20
PLACES = ("ids", "order")
MEANS = {
    "length": "A judge can beat chance by measuring answers.",
    "format": "A judge can beat chance by looking at how answers are written.",
    "answer": "A judge can beat chance without passage or question.",
    "question_answer": "A judge can beat chance without the passage.",
    "overlap": "A judge can beat chance by counting words copied from the passage.",
    "numbers": "A judge can beat chance by looking numbers up in the passage.",
    "ids": "The ids tell the label: anything that sees the id column can read it off.",
    "order": "The row order tells the label: shuffle before any use.",
}


def work(rows: Rows) -> float:
    """The work of a scope, in arbitrary units: probe costs times rows."""
    return len(rows.fail) * sum(spec.cost for spec in probes.PROBES)


def audit(name: str, rows: Rows, context: Context, did: Callable[[Spec, float], None]) -> Scope:
    """Measure everything on one scope; ``did`` is told each probe and its work when it is done."""
    measured: list[Probe] = []
    for spec in probes.PROBES:
        measured.append(probes.measure(spec, rows))
        did(spec, spec.cost * len(rows.fail))
    judged = [
        gates.probe_gate(probe, name, spec.low, spec.high)
        for spec, probe in zip(probes.PROBES, measured, strict=True)
    ]
    counts, repeated = checks.duplicates(rows, name)
    findings = [
        *_shortcuts(measured, judged, name),
        *checks.ids(rows, name),
        *repeated,
        *_leaks(rows, name, context),
        *checks.balance(rows, name),
        *checks.marks(rows, name),
    ]
    return Scope(
        name=name,
        n=len(rows.fail),
        n_pass=int((~rows.fail).sum()),
        n_fail=int(rows.fail.sum()),
        groups=len(np.unique(rows.groups)),
        majority=float(max(np.mean(rows.fail), 1 - np.mean(rows.fail))),
        probes=tuple(measured),
        gates=(*judged, *gates.pair_gates(rows, name, context)),
        findings=tuple(findings),
        duplicates=counts,
        ngrams=tuple(probes.ngrams(rows, TOP_NGRAMS)),
        lengths=checks.lengths(rows),
    )


def _shortcuts(measured: list[Probe], judged: list[Gate], scope: str) -> list[Finding]:
    return [
        Finding(
            kind="ids" if probe.name in PLACES else "shortcut",
            severity="high" if abs((probe.auroc or 0.0) - 0.5) > 0.2 else "medium",
            scope=scope,
            text=_sentence(probe),
            rows=probe.rows,
        )
        for probe, gate in zip(measured, judged, strict=True)
        if gate.status == "fail" or _tells_all(probe)
    ]


def _tells_all(probe: Probe) -> bool:
    """Ids or order of a source too small for a probe that still tell every one of its rows."""
    told = probe.rule is not None and probe.rule.accuracy == 1.0
    return probe.auroc is None and probe.name in PLACES and told and probe.rows >= MIN_TELLING


def _sentence(probe: Probe) -> str:
    measured = "too few rows for a probe" if probe.auroc is None else f"AUROC {probe.auroc:.3f}"
    told = f"{probes.TITLES[probe.name]}: {measured}. {MEANS[probe.name]}"
    if probe.rule and probe.rule.balanced_accuracy >= 0.55:
        told += f" “{sentence_case(probe.rule.text)}” alone is right on {probe.rule.accuracy:.1%} of rows."
    return told


def sentence_case(text: str) -> str:
    """The text with a capital at its start."""
    return text[:1].upper() + text[1:]


def _leaks(rows: Rows, scope: str, context: Context) -> list[Finding]:
    found: list[Finding] = []
    across = pairs.leaking(rows, context)
    if across:
        sentence = f"Rows on passages that stand in more than one split: {len(across):,}."
        found.append(_leak(rows, scope, sentence, across))
    for name, hits in pairs.contaminated(rows, context).items():
        if hits:
            shared = context.hits[name][int(rows.index[hits[0]])].shared_text
            sentence = f"Rows on passages that {name} holds too: {len(hits):,} (“{shared} …”)."
            found.append(_leak(rows, scope, sentence, hits))
    return found


def _leak(rows: Rows, scope: str, sentence: str, hits: list[int]) -> Finding:
    named = tuple(rows.examples[i].id for i in hits[: checks.SHOWN])
    return Finding(
        kind="leakage", severity="high", scope=scope, text=sentence, rows=len(hits), ids=named
    )
