"""What ``halubench evaluate`` writes for one judge on one dataset, and the leaderboard reads.

Every figure of :class:`Figures` follows from ``predictions.parquet`` alone, ``seed`` and
``resamples``: :func:`halubench.metrics.summary.summarise` computes it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

SCHEMA = "halubench/results/2"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(_Strict):
    """A value with its 95 % passage-clustered bootstrap interval (None: undefined).

    In [0, 1], but for ``mcc``, which is in [-1, 1].
    """

    value: float | None
    low: float | None = None
    high: float | None = None


UNDEFINED = Estimate(value=None)


class Confusion(_Strict):
    """Rows by label and verdict: ``fail_pass`` are FAIL rows that were judged PASS."""

    pass_pass: int = 0
    pass_fail: int = 0
    pass_unscored: int = 0
    fail_pass: int = 0
    fail_fail: int = 0
    fail_unscored: int = 0


class Scores(_Strict):
    """The metrics of one slice of the rows. Positive class: FAIL (hallucinated).

    ``n`` = rows = ``n_pass + n_fail`` labels, ``unscored`` of them without a verdict. Only
    ``accuracy_scored`` and ``auroc_scored`` leave rows out; in all others a row without verdict
    (or, from ``auroc`` on, without ``p_fail``) counts as the worst answer possible.
    ``docs/metrics.md`` defines each.
    """

    n: int
    n_pass: int
    n_fail: int
    unscored: int
    coverage: float
    confusion: Confusion
    accuracy: Estimate
    accuracy_scored: Estimate
    balanced_accuracy: Estimate
    fail_precision: Estimate
    fail_recall: Estimate
    fail_f1: Estimate
    mcc: Estimate = UNDEFINED
    pairs: int = 0
    """Twins: one PASS and one FAIL answer to one question on one passage."""
    pair_accuracy: Estimate = UNDEFINED
    """Share of the pairs of which both verdicts are right."""
    p_rows: int = 0
    """Rows that carry ``p_fail``; what follows is undefined where there are none."""
    auroc: Estimate = UNDEFINED
    auroc_scored: Estimate = UNDEFINED
    auprc: Estimate = UNDEFINED
    aurc: Estimate = UNDEFINED
    """Area under the risk-coverage curve; lower is better."""
    brier: Estimate = UNDEFINED
    ece: Estimate = UNDEFINED


class ReliabilityBin(_Strict):
    """The ``n`` rows whose ``p_fail`` lies in (low, high] (the first bin has 0 too): their mean
    ``p_fail`` and the share of them that is FAIL (None: no row)."""

    low: float
    high: float
    n: int
    mean_p_fail: float | None = None
    fail_share: float | None = None


class RiskPoint(_Strict):
    """Of the ``coverage`` share of rows of which the judge is surest, the share ``risk`` is wrong.
    ``confidence`` is the least max(p_fail, 1 - p_fail) among them (None: rows without)."""

    coverage: float
    risk: float
    confidence: float | None


class JudgeInfo(_Strict):
    """Which judge, exactly. ``mode``: how a prompted judge answers (reason, direct, vote);
    ``decoding``: what was asked of the engine's sampling."""

    name: str
    uri: str
    kind: Literal["prompted", "baseline", "recorded", "classifier", "package"]
    note: str = ""
    mode: str = ""
    prompt: str = ""
    prompt_hash: str = ""
    decoding: dict[str, JsonValue] = {}
    identity: dict[str, JsonValue] = {}


class DataInfo(_Strict):
    """Which rows, exactly. ``sha256`` is over the six columns in row order; ``revision`` is the
    Hub's, where it was given."""

    name: str
    ref: str
    sha256: str
    rows: int
    splits: list[str] = []
    revision: str = ""


class Usage(_Strict):
    """What the judge cost, answers on variants included. Latency in seconds an answer; cost in US
    dollars (None: unknown price)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None


class Speed(_Strict):
    """Wall time of the sittings that ended: ``rows`` judged anew in ``seconds``. What a journal
    already held is in neither."""

    rows: int
    seconds: float
    rows_per_s: float


class Variant(_Strict):
    """The same rows in other words or another order, which leave every label as it is.

    ``n`` of ``of`` rows could be varied; all shares are of these. ``same``: the verdict is that of
    the row as given (an unscored one is never the same); ``accuracy``: right on the variant;
    ``as_given``: right on the row as given; ``both_right``: both verdicts are right.
    ``unscored_reasons`` are of the variant's answers.
    """

    n: int
    of: int
    same: Estimate
    accuracy: Estimate
    as_given: Estimate
    both_right: Estimate
    unscored_reasons: dict[str, int] = {}


class Figures(_Strict):
    """All that follows from the predictions.

    ``macro_accuracy`` is the Lynx paper's Overall: the unweighted mean over sources. ``slices``
    holds, by ``domain``, ``perturbation`` and ``level``, the metrics of the rows that have each
    value, for data with provenance; a PASS row counts with its FAIL twin. ``overflow`` counts the
    rows whose passage was longer than the judge's context, by what was done. All but
    ``consistency`` and ``usage`` is of the rows as given.
    """

    overall: Scores
    macro_accuracy: Estimate
    macro_balanced_accuracy: Estimate
    sources: dict[str, Scores]
    slices: dict[str, dict[str, Scores]] = {}
    reliability: list[ReliabilityBin] = []
    risk_coverage: list[RiskPoint] = []
    unscored_reasons: dict[str, int] = {}
    overflow: dict[str, int] = {}
    usage: Usage = Usage()
    consistency: dict[str, Variant] = {}
    """By kind of variant, and ``all``: a row's variants together, right where each one is; its
    ``both_right`` is the robust accuracy."""


class Results(Figures):
    """``results.json``."""

    format: Literal["halubench/results/2"] = "halubench/results/2"
    judge: JudgeInfo
    data: DataInfo
    baselines: dict[str, Scores]
    """``baseline:majority`` and ``baseline:length`` on the same rows, overall."""
    seed: int = Field(default=0, ge=0)
    resamples: int = Field(default=2000, ge=0, le=100_000)
    speed: Speed | None = None
    versions: dict[str, str] = {}
    hardware: dict[str, str] = {}
    warnings: list[str] = []
