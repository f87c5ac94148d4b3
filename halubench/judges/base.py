"""What a judge is: rows without labels in, one prediction a row out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from halubench.judges.modes import ModeOptions
from halubench.judges.overflow import LengthOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from halubench.models.base import EngineOptions
    from halubench.records import Example, Prediction, Row
    from halubench.results import JudgeInfo


@dataclass(frozen=True, slots=True)
class JudgeOptions:
    """What a user may set of a judge. ``folder`` is the run folder (the journal lives there).

    ``prompt`` names a file of ``prompts/judge``; empty, it is the one of the mode.
    """

    engine: EngineOptions
    folder: Path
    prompt: str = ""
    max_usd: float | None = None
    retries: int = 6
    mode: ModeOptions = field(default_factory=ModeOptions)
    length: LengthOptions = field(default_factory=LengthOptions)


class Judge(Protocol):
    """A judge of (passage, question, answer).

    A module in ``halubench/judges`` (or a user's ``judges/`` folder, or an entry point in
    ``halubench.judges``) offers ``open_judge(spec: str, options: JudgeOptions) -> Judge``; its
    file name is the URI scheme. A scheme that names no judge but an engine (``openai:``,
    ``embedded:``, ``vllm:`` ...) is that model behind the prompted judge.
    """

    def info(self) -> JudgeInfo:
        """Who this judge is. Never holds a secret."""
        ...

    def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """One prediction for every row, in row order. Never raises for a single bad answer."""
        ...


@runtime_checkable
class FittedJudge(Judge, Protocol):
    """A judge that learns from labels (a baseline): fitted and applied by cross-fitting, grouped
    by passage, so that no row is judged by a model that saw its passage."""

    def fit(self, examples: Sequence[Example], groups: Sequence[str]) -> None:
        """See the labelled rows that :meth:`predict` will be asked about, and the passage group
        of each (:func:`halubench.near.groups`)."""
        ...


@runtime_checkable
class WarningJudge(Judge, Protocol):
    """A judge with something to say about its run, once every row is judged."""

    def warnings(self) -> list[str]:
        """One sentence each; they go into the results."""
        ...
