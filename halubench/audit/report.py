"""What an audit says: ``audit.json``, format ``halubench/audit/1``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FORMAT: Literal["halubench/audit/1"] = "halubench/audit/1"
Status = Literal["pass", "fail", "undecided"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One sentence that tells the label: ``text`` (such as "answer longer than 27 characters is
    FAIL") and the shares of rows it gets right, plain and averaged over the two labels."""

    text: str
    accuracy: float
    balanced_accuracy: float


class Probe(_Strict):
    """How well one shortcut tells FAIL from PASS: AUROC with its 95 % interval (None: too few
    rows to tell). ``rows`` counts the rows scored."""

    name: str
    auroc: float | None
    low: float | None = None
    high: float | None = None
    rows: int = 0
    rule: Rule | None = None
    note: str = ""


class Gate(_Strict):
    """A release gate: ``value`` must lie in [``low``, ``high``]."""

    name: str
    scope: str
    value: float | None
    low: float
    high: float
    limit: str
    status: Status
    reason: str = ""
    kind: Literal["shortcut", "leakage", "quality"] = "quality"
    """What a failure means: a shortcut tells the label; rows leak between sets; or neither."""


Kind = Literal["shortcut", "ids", "contradiction", "duplicate", "leakage", "balance"]
Severity = Literal["high", "medium", "low"]


class Finding(_Strict):
    """Something found, in one plain sentence, with up to five example ids."""

    kind: Kind
    severity: Severity
    scope: str
    text: str
    rows: int
    ids: tuple[str, ...] = ()


class Duplicates(_Strict):
    """Rows by what came before them: ``unique + exact + normalised`` = all rows.

    ``exact``: same passage, question and answer as an earlier row; ``normalised``: the same but
    for case, white space and punctuation. ``contradictory`` rows carry a label that a row equal
    after normalisation contradicts. ``repeated_questions``: rows of a (passage, question) that has
    more than one row of a label. ``near_passages``: rows in passage groups of several texts.
    """

    unique: int
    exact: int
    normalised: int
    contradictory: int
    repeated_questions: int
    near_passages: int


class Ngram(_Strict):
    """A word n-gram that tells the label by itself: its logistic weight (positive: FAIL) and the
    rows of each label that hold it."""

    text: str
    label: Literal["PASS", "FAIL"]
    weight: float
    n_pass: int
    n_fail: int


class Histogram(_Strict):
    """Answer lengths in characters: ``edges`` has one more entry than the two counts."""

    edges: tuple[float, ...]
    n_pass: tuple[int, ...]
    n_fail: tuple[int, ...]


class Scope(_Strict):
    """All that was measured on one source, or on all rows (name "all"). ``n = n_pass + n_fail``."""

    name: str
    n: int
    n_pass: int
    n_fail: int
    groups: int
    """Passage groups: distinct passages, near duplicates counted once."""
    majority: float
    probes: tuple[Probe, ...]
    gates: tuple[Gate, ...]
    findings: tuple[Finding, ...]
    duplicates: Duplicates
    ngrams: tuple[Ngram, ...]
    lengths: Histogram


class AuditReport(_Strict):
    """The whole audit. The sources' rows add up to ``overall``."""

    format: Literal["halubench/audit/1"] = FORMAT
    name: str = ""
    sha256: str = ""
    seed: int
    overall: Scope
    sources: dict[str, Scope]
    methods: dict[str, str]
    """Name of probe or check -> its definition."""
    warnings: tuple[str, ...] = ()
    versions: dict[str, str] = {}

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Overall first, then every source; overall alone when it is the only source."""
        return (self.overall, *self.sources.values()) if len(self.sources) > 1 else (self.overall,)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate of every scope."""
        return tuple(gate for scope in self.scopes for gate in scope.gates)

    @property
    def failed(self) -> tuple[Gate, ...]:
        """The gates that do not hold."""
        return tuple(gate for gate in self.gates if gate.status == "fail")

    @property
    def verdict(self) -> str:
        """The whole report in one sentence."""
        total, failed = len(self.gates), self.failed
        undecided = sum(gate.status == "undecided" for gate in self.gates)
        if any(gate.kind == "shortcut" for gate in failed):
            return f"{len(failed)} of {total} gates fail: the label can be told by shortcuts."
        if failed:
            names = ", ".join(dict.fromkeys(f"{gate.name} ({gate.scope})" for gate in failed))
            return f"No shortcut tells the label, but {len(failed)} of {total} gates fail: {names}."
        if undecided:
            return f"No gate fails; {undecided} of {total} cannot be decided for want of rows."
        return f"All {total} gates hold: no shortcut tells the label."

    @property
    def leaks(self) -> bool:
        """Whether scores on these rows may owe to shortcuts or to rows seen elsewhere."""
        return any(gate.kind != "quality" for gate in self.failed)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every scope, the worst first."""
        order = {"high": 0, "medium": 1, "low": 2}
        every = (finding for scope in self.scopes for finding in scope.findings)
        return tuple(sorted(every, key=lambda finding: order[finding.severity]))
