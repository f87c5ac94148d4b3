"""What the reviewers found: label errors, agreement, disputes."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from halubench.errors import InputError
from halubench.generate import card
from halubench.metrics.agreement import cohen_kappa, fleiss_kappa, share
from halubench.results import Estimate
from halubench.review.ledger import OPINIONS, Decision, check_rows, ledgers
from halubench.run import publish

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halubench.records import Example, Json
    from halubench.review.sample import Sheet

FORMAT: Literal["halubench/review-report/1"] = "halubench/review-report/1"
REPORT = "report.json"
LIMIT = 0.03
"""Largest label error that may be released, where people have reviewed."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reviewer(_Strict):
    """One reviewer against the labels: ``agree + differ + unclear = read``, of ``rows`` sampled."""

    name: str
    rows: int
    read: int
    agree: int
    differ: int
    unclear: int
    agreement: Estimate
    """``agree / read``, Wilson."""
    kappa: float | None
    """Cohen's, between the reviewer and the labels, unclear being a category of its own."""
    seconds: float | None = None
    """Median seconds a row."""


class Between(_Strict):
    """Two reviewers on the rows that both have read."""

    one: str
    other: str
    rows: int
    same: int
    kappa: float | None


class Dispute(_Strict):
    """A row whose reviewers differ among themselves or from its label."""

    id: str
    source_ds: str
    label: str
    opinions: dict[str, str]
    verdict: str
    notes: dict[str, str] = {}


class Stratum(_Strict):
    """One source: ``right + wrong + open = read`` rows by the majority of their reviewers."""

    source_ds: str
    read: int
    right: int
    wrong: int
    open: int
    """No majority, or the majority is unclear."""
    error: Estimate
    """``wrong / (right + wrong)``, Wilson."""


class Report(_Strict):
    """``report.json``. ``status``: whether the label error is shown to be at most ``limit``."""

    format: Literal["halubench/review-report/1"] = FORMAT
    sha256: str
    rows: int
    read: int
    reviewers: list[Reviewer]
    between: list[Between]
    fleiss: float | None
    fleiss_rows: int
    """Rows that every reviewer has read."""
    overall: Stratum
    sources: list[Stratum]
    prevalence: Estimate
    """Share of FAIL in the whole dataset as the reviewers see it; ``stated`` is by its labels."""
    stated: float
    limit: float = LIMIT
    status: Literal["pass", "fail", "undecided"]
    disputes: list[Dispute]


def report(sheet: Sheet) -> Report:
    """The state of the review. Raises InputError when nobody has decided anything, or when a decision
    is of a row of another sample; OutputError for a file of decisions that is damaged."""
    said = {name: found for name, found in ledgers(sheet.folder).items() if found}
    for name, found in said.items():
        check_rows(sheet.folder / f"{name}.jsonl", found, set(sheet.ids))
    if not said:
        what = f"Nobody has reviewed a row in {sheet.folder}."
        raise InputError(what, "Review some first: halubench review DATA --reviewer NAME.")
    rows = sheet.examples()
    verdicts = {
        name: majority([d[name].opinion for d in said.values() if name in d]) for name in rows
    }
    overall = _stratum("all", rows.values(), verdicts)
    by_source: defaultdict[str, list[Example]] = defaultdict(list)
    for row in rows.values():
        by_source[row.source_ds].append(row)
    fleiss, fleiss_rows = _fleiss(said)
    labels = Counter(example.label for example in sheet.data.examples)
    return Report(
        sha256=sheet.data.sha256,
        rows=len(rows),
        read=overall.read,
        reviewers=[_reviewer(name, found, rows) for name, found in said.items()],
        between=[_between(one, other, said) for one, other in combinations(said, 2)],
        fleiss=fleiss,
        fleiss_rows=fleiss_rows,
        overall=overall,
        sources=[_stratum(name, part, verdicts) for name, part in sorted(by_source.items())],
        prevalence=prevalence(sheet, verdicts),
        stated=labels["FAIL"] / labels.total(),
        status=_status(overall.error),
        disputes=_disputes(rows, said, verdicts),
    )


def write_report(sheet: Sheet, found: Report) -> Path:
    """Write ``report.json`` beside the decisions, and its figures into the manifest and the card
    of the run that was reviewed. Raises OutputError."""
    text = json.dumps(found.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
    (path,) = publish(sheet.folder, {REPORT: text}, REPORT)
    card.note_review(Path(sheet.data.ref), _summary(found))
    return path


def _summary(found: Report) -> dict[str, Json]:
    kappa = found.between[0].kappa if len(found.between) == 1 else found.fleiss
    counts = found.overall.model_dump(mode="json", exclude={"source_ds"})
    told: dict[str, Json] = {"limit": found.limit, "status": found.status, "kappa": kappa}
    return {**counts, **told, "reviewers": len(found.reviewers)}


def majority(opinions: Sequence[str]) -> str:
    """PASS, FAIL or unclear by more than half of the opinions; "open" without such a majority,
    "" without opinions."""
    if not opinions:
        return ""
    opinion, count = Counter(opinions).most_common(1)[0]
    return opinion if 2 * count > len(opinions) else "open"


def prevalence(sheet: Sheet, verdicts: Mapping[str, str]) -> Estimate:
    """The share of FAIL in the dataset by the reviewers' majorities, rows weighted by their stratum
    (source and label), with a 95 % normal interval; None where a stratum has no decided row.

    Cochran, W. G. (1977), Sampling Techniques, 3rd edition, sections 5.3 and 5.4 (stratified
    estimate of a proportion, with finite population correction).
    """
    rows = sheet.examples()
    decided: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for name, verdict in verdicts.items():
        if verdict in {"PASS", "FAIL"}:
            decided[rows[name].source_ds, rows[name].label].append(verdict == "FAIL")
    if any(not decided[stratum] for stratum in sheet.strata):
        return Estimate(value=None)
    whole = sum(sheet.strata.values())
    value = variance = 0.0
    for stratum, size in sheet.strata.items():
        n = len(decided[stratum])
        p = sum(decided[stratum]) / n
        value += size / whole * p
        variance += (size / whole) ** 2 * (1 - n / size) * p * (1 - p) / max(n - 1, 1)
    half = 1.959963984540054 * math.sqrt(variance)
    return Estimate(value=value, low=max(0.0, value - half), high=min(1.0, value + half))


def _reviewer(name: str, found: Mapping[str, Decision], rows: Mapping[str, Example]) -> Reviewer:
    pairs = [(decision.opinion, rows[row].label) for row, decision in found.items()]
    agree = sum(opinion == label for opinion, label in pairs)
    unclear = sum(opinion == "unclear" for opinion, _ in pairs)
    times = [decision.seconds for decision in found.values() if decision.seconds]
    return Reviewer(
        name=name,
        rows=len(rows),
        read=len(pairs),
        agree=agree,
        differ=len(pairs) - agree - unclear,
        unclear=unclear,
        agreement=share(agree, len(pairs)),
        kappa=cohen_kappa([opinion for opinion, _ in pairs], [label for _, label in pairs]),
        seconds=float(np.median(times)) if times else None,
    )


def _between(one: str, other: str, said: Mapping[str, Mapping[str, Decision]]) -> Between:
    both = [name for name in said[one] if name in said[other]]
    left = [said[one][name].opinion for name in both]
    right = [said[other][name].opinion for name in both]
    same = sum(a == b for a, b in zip(left, right, strict=True))
    return Between(one=one, other=other, rows=len(both), same=same, kappa=cohen_kappa(left, right))


def _fleiss(said: Mapping[str, Mapping[str, Decision]]) -> tuple[float | None, int]:
    everybody = set.intersection(*(set(found) for found in said.values()))
    counts = [
        [sum(found[name].opinion == each for found in said.values()) for each in OPINIONS]
        for name in sorted(everybody)
    ]
    return fleiss_kappa(np.array(counts).reshape(-1, len(OPINIONS))), len(everybody)


def _stratum(name: str, rows: Iterable[Example], verdicts: Mapping[str, str]) -> Stratum:
    read = [(verdicts[row.id], row.label) for row in rows if verdicts[row.id]]
    right = sum(verdict == label for verdict, label in read)
    undecided = sum(verdict in {"open", "unclear"} for verdict, _ in read)
    wrong = len(read) - right - undecided
    return Stratum(
        source_ds=name,
        read=len(read),
        right=right,
        wrong=wrong,
        open=undecided,
        error=share(wrong, right + wrong),
    )


def _status(error: Estimate) -> Literal["pass", "fail", "undecided"]:
    if error.high is None or error.low is None:
        return "undecided"
    if error.high <= LIMIT:
        return "pass"
    return "fail" if error.low > LIMIT else "undecided"


def _disputes(
    rows: Mapping[str, Example],
    said: Mapping[str, Mapping[str, Decision]],
    verdicts: Mapping[str, str],
) -> list[Dispute]:
    found: list[Dispute] = []
    for name, row in rows.items():
        decisions = {who: each[name] for who, each in said.items() if name in each}
        opinions = {who: decision.opinion for who, decision in decisions.items()}
        if set(opinions.values()) <= {row.label}:
            continue
        notes = {
            who: "; ".join(filter(None, (decision.span, decision.note)))
            for who, decision in decisions.items()
            if decision.span or decision.note
        }
        found.append(
            Dispute(
                id=name,
                source_ds=row.source_ds,
                label=row.label,
                opinions=dict(opinions),
                verdict=verdicts[name],
                notes=notes,
            )
        )
    return found
