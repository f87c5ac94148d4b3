"""The audit's entry points: rows in, report out."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from halubench import near
from halubench.audit import gates, pairs, probes, scope
from halubench.audit.report import AuditReport
from halubench.audit.rows import MOST_ROWS, Rows
from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from halubench.audit.probes import Spec
    from halubench.audit.report import Ngram, Scope
    from halubench.records import Example, Provenance


def audit_examples(
    examples: Sequence[Example],
    *,
    provenance: Mapping[str, Provenance] | None = None,
    splits: Mapping[str, str] | None = None,
    against: Mapping[str, Sequence[Example]] | None = None,
    seed: int = 0,
    progress: Callable[[str, float, float], None] | None = None,
) -> AuditReport:
    """Audit rows in HaluBench's six columns: every source, and all rows together.

    Args:
        examples: the rows.
        provenance: by row id; adds the pair and perturbation-type gates.
        splits: row id -> split; adds the leakage gate.
        against: dataset name -> its rows; adds the contamination gates.
        seed: of folds and bootstrap; the report is a function of rows and seed.
        progress: called with (probe just done, work done, whole work).

    Raises InputError when there are no rows.
    """
    if not examples:
        raise InputError("There are no rows to audit.", "Give a dataset with at least one row.")
    rows = Rows.of(examples, seed)
    context = pairs.Context(provenance or {}, splits or {}, _hits(examples, against or {}))
    parts = _sources(rows)
    everything = [rows, *parts.values()] if len(parts) > 1 else [rows]
    did = _meter(sum(map(scope.work, everything)), progress)
    overall = scope.audit("all", rows, context, did)
    if len(parts) > 1:
        audited = {name: scope.audit(name, part, context, did) for name, part in parts.items()}
    else:
        audited = {name: _renamed(overall, name) for name in parts}
    types = tuple(gates.type_gates(rows, context)) if context.provenance else ()
    return AuditReport(
        seed=seed,
        overall=overall.model_copy(update={"gates": (*overall.gates, *types)}),
        sources=audited,
        methods={spec.title: spec.method for spec in probes.PROBES} | METHODS,
        versions=_versions(),
    )


def telling(examples: Sequence[Example], seed: int = 0) -> list[float]:
    """P(FAIL) of each row, out of fold: the mean of the answer-only and the question-and-answer
    model. Far from .5 on the right side: the row gives itself away. All .5 when rows are too few.
    """
    rows = Rows.of(examples, seed)
    if rows.too_few():
        return [0.5] * len(examples)
    scores = (probes.answer_scores(rows) + probes.question_answer_scores(rows)) / 2
    return [float(score) for score in scores]


def ngrams(examples: Sequence[Example], top: int = 20) -> list[Ngram]:
    """The word 1-2-grams with the largest answer-only weights, ``top`` a label, FAIL first."""
    return probes.ngrams(Rows.of(examples, 0), top)


METHODS = {
    "Folds": "Five folds, stratified by label, no passage group (near duplicates included) in two "
    "folds. Scores become ranks within their fold, then all folds are pooled.",
    "Sample": f"Of more than {MOST_ROWS:,} rows of a scope a probe takes whole passage groups, drawn by "
    "hash, until that many; row order, duplicates, leaks and pairs are measured on all.",
    "Interval": "95 % percentile interval of 1,000 bootstrap resamples of whole passage groups.",
    "Positive class": "FAIL (hallucinated). AUROC .5 is chance, 1 tells every row.",
    "Simple rule": "The one condition with the best balanced accuracy, chosen on the rows it is "
    "measured on.",
    "Undecided": "Fewer than 40 rows, 10 rows of a label or 10 passages; or a value outside the "
    "gate whose interval still holds .5.",
    "Near duplicates": "Jaccard of word 5-gram shingles of at least .8; candidates by MinHash "
    "(Broder 1997), each verified exactly.",
    "Exact duplicates": "The same passage, question and answer. Normalised: the same but for case, "
    "white space and punctuation.",
}


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("halubench", "numpy", "scikit-learn", "scipy")}
    return {"python": platform.python_version(), **packages}


def _hits(
    examples: Sequence[Example], against: Mapping[str, Sequence[Example]]
) -> dict[str, dict[int, near.Overlap]]:
    passages = [example.passage for example in examples]
    return {
        name: {
            hit.index: hit
            for hit in near.overlapping(passages, [other.passage for other in others])
        }
        for name, others in against.items()
    }


def _sources(rows: Rows) -> dict[str, Rows]:
    """The rows of each source, the largest first."""
    sources = np.array([example.source_ds for example in rows.examples])
    names, counts = np.unique(sources, return_counts=True)
    ordered = [str(names[i]) for i in np.argsort(-counts, kind="stable")]
    return {name: rows.where(sources == name) for name in ordered}


def _renamed(overall: Scope, name: str) -> Scope:
    renamed = {
        "name": name,
        "gates": tuple(gate.model_copy(update={"scope": name}) for gate in overall.gates),
        "findings": tuple(each.model_copy(update={"scope": name}) for each in overall.findings),
    }
    return overall.model_copy(update=renamed)


def _meter(
    whole: float, progress: Callable[[str, float, float], None] | None
) -> Callable[[Spec, float], None]:
    done = 0.0

    def did(spec: Spec, work: float) -> None:
        nonlocal done
        done += work
        if progress:
            progress(spec.title, done, whole)

    return did
