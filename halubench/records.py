"""The nouns that flow from stage to stage. Every stage maps records to records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Label = Literal["PASS", "FAIL"]
LABELS: tuple[Label, Label] = ("PASS", "FAIL")
Overflow = Literal["", "truncated", "windowed"]
OVERFLOWS: tuple[Overflow, ...] = ("", "truncated", "windowed")
EXAMPLE_FIELDS = ("id", "passage", "question", "answer", "label", "source_ds")
"""HaluBench's six columns, all strings, in published order."""


@dataclass(frozen=True, slots=True)
class Item:
    """One gold question over one passage, as a source gives it.

    ``aliases`` holds every accepted gold answer, ``answer`` among them. ``meta`` holds what the
    source knows beyond that (for example ``support``: [start, end] of the evidence, ``scale``,
    ``derivation``, ``answer_type``, ``license``).
    """

    source_ds: str
    id: str
    domain: str
    passage: str
    question: str
    answer: str
    aliases: tuple[str, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True)
class Rejected:
    """An item or candidate that a stage did not let through; counted by stage and reason."""

    source_ds: str
    id: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement of ``text[start:end]`` (characters), which must equal ``old``, by ``new``."""

    start: int
    end: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A twin: one PASS and one FAIL answer to the same question, edits of one ``base`` text.

    ``perturbation`` is the name of the YAML that licensed the FAIL edit, ``level`` L1 (value
    absent from the passage), L2 (swapped in from elsewhere in it) or L3 (needs several facts or
    arithmetic). ``pass_edit`` is the label-keeping twin edit at the same site, if any.
    """

    item: Item
    base: str
    pass_answer: str
    fail_answer: str
    fail_edit: Edit
    pass_edit: Edit | None
    perturbation: str
    relation: str
    level: str
    change_made: str
    generator: str
    prompt_hash: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One row in HaluBench's six columns. ``id`` is opaque: it never tells label or pair."""

    id: str
    passage: str
    question: str
    answer: str
    label: Label
    source_ds: str

    def blind(self) -> Row:
        """The same row as a judge may see it: without its label."""
        return Row(self.id, self.passage, self.question, self.answer, self.source_ds)


@dataclass(frozen=True, slots=True)
class Row:
    """An :class:`Example` without its label: all that a judge is ever given."""

    id: str
    passage: str
    question: str
    answer: str
    source_ds: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an :class:`Example` comes from; joined to it on ``id``, published as a second table.

    ``document`` is the sha256 (hex) of the whole text that the passage was cut from, in UTF-8, and
    ``window`` where it stands there ("START:END", in characters); both empty where the source gives no
    more than the passage.
    """

    id: str
    pair_id: str
    item_id: str
    group: str
    split: str
    domain: str
    perturbation: str
    relation: str
    level: str
    edit_old: str
    edit_new: str
    change_made: str
    evidence: str
    base: str
    generator: str
    prompt_hash: str
    seed: int
    votes: str
    hardness: float
    license: str
    document: str = ""
    window: str = ""


@dataclass(frozen=True, slots=True)
class Unscored:
    """A judge's answer that could not be read. Never PASS, never FAIL, always in the denominator."""

    reason: str


ENDPOINT = "endpoint: "
"""Starts the reason of a row that got no answer; such a row is asked again by a later run."""

Verdict: TypeAlias = "Label | Unscored"


def render_verdict(verdict: Verdict) -> str:
    """One line of text for a verdict; :func:`parse_verdict` reads it back."""
    return f"UNSCORED: {verdict.reason}" if isinstance(verdict, Unscored) else verdict


def parse_verdict(text: str) -> Verdict:
    """Read what :func:`render_verdict` wrote; anything else is Unscored, with the text as reason."""
    for label in LABELS:
        if text == label:
            return label
    return Unscored(text.removeprefix("UNSCORED: "))


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a judge said of one row. ``p_fail`` in [0, 1] is the judge's P(FAIL), where it has one.

    ``mass`` in [0, 1] is the probability behind a ``p_fail`` that was read from a model's first
    token: how much of it fell on PASS or FAIL at all. ``overflow`` says what became of a passage
    longer than the judge's context: ``truncated`` or ``windowed``, empty where it fits.
    """

    id: str
    judge: str
    verdict: Verdict
    p_fail: float | None = None
    reasoning: str = ""
    raw: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    latency_s: float = 0.0
    attempts: int = 0
    mass: float | None = None
    overflow: Overflow = ""
