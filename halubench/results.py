"""What ``halubench evaluate`` writes for one judge on one dataset, and the leaderboard reads."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue

SCHEMA = "halubench/results/1"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Strict):
    """A value in [0, 1] with its 95 % passage-clustered bootstrap interval (None: undefined)."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Scores(_Strict):
    """The metrics of one slice (all rows, or one source). Positive class: FAIL (hallucinated).

    ``n`` = rows = ``n_pass + n_fail`` labels, ``unscored`` of them without a verdict. In every
    rate but ``accuracy_scored`` an unscored row counts as not right (a missed row of its label).
    """

    n: int
    n_pass: int
    n_fail: int
    unscored: int
    coverage: float
    accuracy: Estimate
    accuracy_scored: Estimate
    balanced_accuracy: Estimate
    fail_precision: Estimate
    fail_recall: Estimate
    fail_f1: Estimate
    auroc: Estimate
    """Over rows that carry ``p_fail``; None where the judge gives none."""


class JudgeInfo(_Strict):
    """Which judge, exactly."""

    name: str
    uri: str
    kind: Literal["prompted", "baseline", "recorded", "classifier"]
    note: str = ""
    prompt_hash: str = ""
    identity: dict[str, JsonValue] = {}


class DataInfo(_Strict):
    """Which rows, exactly. ``sha256`` is over the six columns in row order."""

    name: str
    ref: str
    sha256: str
    rows: int
    splits: list[str] = []


class Usage(_Strict):
    """What the judge cost. Latency in seconds a row; cost in US dollars (None: unknown price)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None


class Results(_Strict):
    """``results.json``. ``macro_accuracy`` is the paper's Overall: the unweighted mean over sources."""

    format: Literal["halubench/results/1"] = "halubench/results/1"
    judge: JudgeInfo
    data: DataInfo
    overall: Scores
    macro_accuracy: Estimate
    macro_balanced_accuracy: Estimate
    sources: dict[str, Scores]
    baselines: dict[str, Scores]
    """``baseline:majority`` and ``baseline:length`` on the same rows, overall."""
    unscored_reasons: dict[str, int] = {}
    usage: Usage = Usage()
    versions: dict[str, str] = {}
    warnings: list[str] = []
