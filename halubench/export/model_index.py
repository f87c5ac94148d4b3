"""Evaluation results as Hugging Face metadata: ``model-index`` for the top of a model's card.

The fields are those of https://huggingface.co/docs/hub/model-cards#evaluation-results; intervals
stand in ``args``, since the form has no place of their own for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.export.base import Job
    from halubench.results import Estimate, Scores

METRICS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "fail_f1": "f1",
    "fail_precision": "precision",
    "fail_recall": "recall",
    "mcc": "matthews_correlation",
    "auroc": "roc_auc",
    "pair_accuracy": "pair_accuracy",
}


def export(job: Job) -> dict[str, str]:
    """``model-index.md``: the YAML block that goes on top of a model card."""
    results = job.results
    mean = _metric("accuracy", "macro_accuracy", results.macro_accuracy)
    entries = [_entry(job, "", results.overall, [mean])]
    if len(results.sources) > 1:
        entries += [_entry(job, name, scores, []) for name, scores in results.sources.items()]
    index = [{"name": results.judge.name, "results": entries}]
    text = yaml.safe_dump({"model-index": index}, sort_keys=False, allow_unicode=True)
    return {"model-index.md": f"---\n{text}---\n"}


def _entry(
    job: Job, source: str, scores: Scores, first: list[dict[str, object]]
) -> dict[str, object]:
    data = job.results.data
    dataset: dict[str, object] = {
        "name": f"{data.name}, {source}" if source else data.name,
        "type": data.ref.partition("@")[0] if data.revision else data.name,
        "args": {"sha256": data.sha256, "rows": scores.n, "unscored": scores.unscored},
    }
    if data.revision:
        dataset["revision"] = data.revision
    if len(data.splits) == 1:
        dataset["split"] = data.splits[0]
    task = {"type": "text-classification", "name": "Hallucination detection (FAIL is positive)"}
    return {"task": task, "dataset": dataset, "metrics": [*first, *_metrics(scores)]}


def _metrics(scores: Scores) -> Iterator[dict[str, object]]:
    for field, kind in METRICS.items():
        estimate: Estimate = getattr(scores, field)
        if estimate.value is not None:
            yield _metric(kind, field, estimate)


def _metric(kind: str, name: str, estimate: Estimate) -> dict[str, object]:
    told: dict[str, object] = {"type": kind, "name": name, "value": estimate.value}
    if estimate.low is not None:
        told["args"] = {"interval_95": [estimate.low, estimate.high]}
    return told
