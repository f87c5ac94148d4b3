"""Release gates: which measurements let a dataset pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from halubench.audit import pairs, probes
from halubench.audit.auc import auroc, interval
from halubench.audit.report import Gate, Probe
from halubench.audit.rows import MIN_ROWS, Rows, fold_ranks

if TYPE_CHECKING:
    from halubench.audit.pairs import Context
    from halubench.audit.report import Status

TYPE_LIMIT = 0.65
MIN_PAIRS = 20


def probe_gate(probe: Probe, scope: str, low: float, high: float, name: str = "") -> Gate:
    """A probe passes inside [low, high]. Outside it fails, unless its interval still holds .5:
    then so few rows cannot tell, and the gate is undecided."""
    limit = f"{low:.2f} to {high:.2f}" if low > 0 else f"at most {high:.2f}"
    name = name or probes.TITLES[probe.name]
    status: Status = "undecided"
    reason = probe.note
    if probe.auroc is not None and probe.low is not None and probe.high is not None:
        if low <= probe.auroc <= high:
            status = "pass"
        elif probe.low <= 0.5 <= probe.high:
            reason = (
                f"the interval {probe.low:.2f} to {probe.high:.2f} holds .5: too few rows to tell"
            )
        else:
            status = "fail"
    return Gate(
        name=name, scope=scope, value=probe.auroc, low=low, high=high, limit=limit,
        status=status, reason=reason, kind="shortcut",
    )  # fmt: skip


def pair_gates(rows: Rows, scope: str, context: Context) -> list[Gate]:
    """Gates that need provenance, splits or another dataset; none where that is not given."""
    found: list[Gate] = []
    if context.provenance:
        found.append(_edit_gate(rows, scope, context))
        if len({example.source_ds for example in rows.examples}) == 1:
            found.append(_entropy_gate(rows, scope, context))
    if len(set(context.splits.values())) > 1:
        found.append(
            _zero("Passages shared across splits", scope, len(pairs.leaking(rows, context)))
        )
    for name, hits in pairs.contaminated(rows, context).items():
        found.append(_zero(f"Rows also in {name}", scope, len(hits)))
    return found


def type_gates(rows: Rows, context: Context) -> list[Gate]:
    """One gate for each perturbation type: its answer-only AUROC, refitted on its rows alone."""
    names = pairs.types(rows, context)
    found: list[Gate] = []
    for name in sorted(set(names.tolist()) - {""}):
        probe = _type_probe(rows.where(names == name).sample)
        found.append(probe_gate(probe, "all", 0.0, TYPE_LIMIT, f"Answer only, type {name}"))
    return found


def _type_probe(rows: Rows) -> Probe:
    if reason := rows.too_few():
        return Probe(name="answer", auroc=None, rows=len(rows.fail), note=reason)
    scores = fold_ranks(probes.answer_scores(rows), rows)
    low, high = interval(scores, rows.fail, rows.groups, rows.seed)
    value = auroc(scores, rows.fail)
    return Probe(name="answer", auroc=value, low=low, high=high, rows=len(scores))


def _edit_gate(rows: Rows, scope: str, context: Context) -> Gate:
    shares = pairs.edit_shares(rows, context)
    value = float(np.mean([share <= pairs.SMALL_EDIT for share in shares])) if shares else None
    reason = (
        f"{len(shares)} pairs; at least {MIN_PAIRS} are needed" if len(shares) < MIN_PAIRS else ""
    )
    return _floor("Pairs with at most 20 % of tokens edited", scope, value, 0.95, reason)


def _entropy_gate(rows: Rows, scope: str, context: Context) -> Gate:
    few = len(rows.fail) < MIN_ROWS
    reason = f"{len(rows.fail)} rows; at least {MIN_ROWS} are needed" if few else ""
    value = pairs.type_entropy(pairs.types(rows, context))
    return _floor("Entropy of perturbation types", scope, value, 0.90, reason)


def _floor(name: str, scope: str, value: float | None, low: float, reason: str) -> Gate:
    if value is None:
        reason = reason or "no provenance for these rows"
    status: Status = "undecided" if reason or value is None else "pass" if value >= low else "fail"
    return Gate(
        name=name, scope=scope, value=value, low=low, high=1.0, limit=f"at least {low:.2f}",
        status=status, reason=reason,
    )  # fmt: skip


def _zero(name: str, scope: str, count: int) -> Gate:
    status: Status = "fail" if count else "pass"
    return Gate(
        name=name,
        scope=scope,
        value=float(count),
        low=0,
        high=0,
        limit="0 rows",
        status=status,
        kind="leakage",
    )
