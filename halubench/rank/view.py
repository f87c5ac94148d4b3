"""A leaderboard as the page reads it: small, rounded, one JSON text a part.

The page loads ``site`` at once, and of a board only what is looked at: a judge, a batch of cases.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from halubench import content
from halubench.errors import InputError
from halubench.prompt import load_prompt
from halubench.rank.cases import answers
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from halubench.audit.report import AuditReport
    from halubench.rank.board import Board, Row, Site
    from halubench.rank.cases import Case, Explorer
    from halubench.results import Confusion, Estimate, Results, Scores

    Json = dict[str, Any]

BATCH = 250_000
"""Characters of text in one batch of cases, about."""
SNIPPET = 110
"""Characters of a question in the list of cases."""
_FIELDS = {
    "accuracy": "acc", "accuracy_scored": "scored", "balanced_accuracy": "bal",
    "fail_precision": "prec", "fail_recall": "rec", "fail_f1": "f1", "mcc": "mcc",
    "pair_accuracy": "pair", "auroc": "auroc", "brier": "brier", "ece": "ece",
}  # fmt: skip


def board_id(board: Board) -> str:
    """The name of a board in addresses and folders."""
    return board.data.sha256[:10]


def slug(row: Row) -> str:
    """The name of a judge in addresses and folders: readable, and one judge's alone."""
    told = row.results.judge
    name = re.sub(r"[^a-z0-9]+", "-", told.name.lower()).strip("-")[:40]
    return f"{name or 'judge'}-{digest(told.name, told.prompt_hash)[:6]}"


def site_view(site: Site, explorers: Mapping[str, Explorer], made_by: str) -> Json:
    """What every view of the page needs. ``explorers`` by the sha256 of their rows."""
    return {
        "title": site.title,
        "made_by": made_by,
        "boards": [_board(board, explorers.get(board.data.sha256)) for board in site.boards],
        "reported": [table.model_dump(mode="json") for table in site.reported],
    }


def _board(board: Board, explorer: Explorer | None) -> Json:
    first = board.rows[0].results
    return {
        "id": board_id(board),
        **board.data.model_dump(mode="json"),
        "sources": board.sources,
        "slices": {key: scores.n for key, scores in slices(first).items()},
        "floors": {name: _scores(scores) for name, scores in board.floors.items()},
        "audit": board.audit and _audit(board.audit),
        "judges": [_judge(row) for row in board.rows],
        "explorer": explorer and {"cases": len(explorer.cases), "total": explorer.total},
    }


def slices(results: Results) -> dict[str, Scores]:
    """Every part of the data with scores of its own: "all", then "group/name"."""
    groups = {"source": results.sources, **results.slices}
    parts = {
        f"{group}/{name}": scores
        for group, found in groups.items()
        for name, scores in sorted(found.items())
    }
    return {"all": results.overall, **parts}


def _judge(row: Row) -> Json:
    results = row.results
    usage = results.usage
    return {
        "slug": slug(row),
        "name": row.judge,
        "kind": results.judge.kind,
        "note": results.judge.note,
        "band": [row.rank_best, row.rank_worst],
        "clears": row.clears_majority,
        "card": row.card and row.card.model_dump(mode="json", exclude={"format"}),
        "macro": _estimate(results.macro_accuracy),
        "cost": usage.cost_usd,
        "latency": usage.latency_p50,
        "reliability": [
            {"n": each.n, "mean": each.mean_p_fail, "rate": each.fail_share}
            for each in results.reliability
        ],
        "warnings": len(results.warnings),
        "slices": {key: _scores(scores) for key, scores in slices(results).items()},
    }


def _scores(scores: Scores) -> Json:
    counts = {"n": scores.n, "unscored": scores.unscored, "pairs": scores.pairs}
    rates = {short: _estimate(getattr(scores, name)) for name, short in _FIELDS.items()}
    return {**counts, **{short: rate for short, rate in rates.items() if rate[0] is not None}}


def _estimate(estimate: Estimate) -> list[float | None]:
    ends = (estimate.value, estimate.low, estimate.high)
    return [None if end is None else round(end, 5) for end in ends]


def _audit(audit: AuditReport) -> Json:
    """The audit's sentence, its failed gates, and the probes over all rows."""
    return {
        "verdict": audit.verdict,
        "leaks": audit.leaks,
        "status": "fail" if audit.failed else _undecided(audit),
        "failed": [
            {"name": gate.name, "scope": gate.scope, "value": gate.value, "limit": gate.limit}
            for gate in audit.failed
        ],
        "probes": [
            {"name": probe.name, "auroc": [probe.auroc, probe.low, probe.high],
             "rule": probe.rule.text if probe.rule else ""}
            for probe in audit.overall.probes
        ],
    }  # fmt: skip


def _undecided(audit: AuditReport) -> str:
    return "undecided" if any(gate.status == "undecided" for gate in audit.gates) else "pass"


def judge_view(row: Row, command: str, letters: str) -> Json:
    """The page of one judge. ``letters``: its verdicts on the rows of the explorer's cases."""
    results = row.results
    return {
        "results": results.model_dump(mode="json", exclude={"sources", "slices", "baselines"}),
        "confusion": confusion(results.overall.confusion),
        "command": command,
        "prompt": prompt_text(results.judge.prompt_hash),
        "letters": letters,
    }


def confusion(counts: Confusion) -> list[list[int]]:
    """The counts as label (PASS, FAIL) by PASS, FAIL, unscored."""
    return [
        [counts.pass_pass, counts.pass_fail, counts.pass_unscored],
        [counts.fail_pass, counts.fail_fail, counts.fail_unscored],
    ]


def prompt_text(wanted: str) -> str:
    """The text of the prompt of that hash, where a content folder still holds it."""
    for path in content.files("prompts/judge", ".jinja") if wanted else ():
        try:
            if load_prompt("judge", path.stem).hash == wanted:
                return path.read_text(encoding="utf-8")
        except InputError:
            continue
    return ""


def case_index(explorer: Explorer, batches: Sequence[Sequence[Case]]) -> Json:
    """The list of cases, by columns; ``batch`` says in which file the text of each lies."""
    data, every = explorer.data, explorer.cases
    firsts = [data.examples[case.rows[0]] for case in every]
    origin = [data.provenance.get(data.examples[case.rows[-1]].id) for case in every]
    return {
        "judges": list(explorer.judges),
        "question": [_short(first.question) for first in firsts],
        "source": [first.source_ds for first in firsts],
        "type": [each.perturbation if each else "" for each in origin],
        "domain": [each.domain if each else "" for each in origin],
        "ids": [[data.examples[row].id for row in case.rows] for case in every],
        "labels": ["".join(data.examples[row].label[0] for row in case.rows) for case in every],
        "dispute": [round(case.dispute, 4) for case in every],
        "wrong": [round(case.wrong, 4) for case in every],
        "batch": [number for number, batch in enumerate(batches) for _ in batch],
    }


def batches(explorer: Explorer) -> list[list[Case]]:
    """The cases in files of about BATCH characters, in order."""
    found: list[list[Case]] = []
    size = BATCH
    for case in explorer.cases:
        if size >= BATCH:
            found.append([])
            size = 0
        found[-1].append(case)
        rows = [explorer.data.examples[row] for row in case.rows]
        per_judge = 200 * len(explorer.judges)
        size += len(rows[0].passage) + sum(len(row.answer) + per_judge for row in rows)
    return found


def case_views(
    explorer: Explorer, batch: Sequence[Case], said: Sequence[Mapping[int, str]]
) -> Iterator[Json]:
    """Passage, answers and every judge's words of each case of a batch."""
    for case in batch:
        told = answers(explorer.data, case)
        origin = explorer.data.provenance.get(told[-1][0].id)
        yield {
            "passage": told[0][0].passage,
            "question": told[0][0].question,
            "change": origin.change_made if origin else "",
            "answers": [
                {
                    "id": row.id,
                    "label": row.label,
                    "text": row.answer,
                    "spans": spans,
                    "said": [words[place] for words in said],
                    "p_fail": [_p_fail(each.p_fail[place]) for each in explorer.judged],
                }
                for place, (row, spans) in zip(case.rows, told, strict=True)
            ],
        }


def _p_fail(value: float) -> float | None:
    return None if value != value else round(float(value), 4)  # noqa: PLR0124  (NaN)


def _short(text: str) -> str:
    return text if len(text) <= SNIPPET else f"{text[:SNIPPET].rstrip()}…"
