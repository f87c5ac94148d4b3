"""One training run: what it was asked, and what a run folder holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from halubench.text import digest

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.records import Json
    from halubench.train.engine.data import Prepared
    from halubench.train.recipe import Recipe

State = Literal["running", "stopped", "diverged", "done"]
FORMAT = "halubench/train-run/1"


@dataclass(frozen=True, slots=True)
class Job:
    """``model`` is a folder or Hub id; ``validate`` the validation rows judged after each epoch
    (0: none); ``track`` where metrics go besides ``log.jsonl``."""

    recipe: Recipe
    model: str
    data: Prepared
    out: Path
    validate: int = 200
    track: tuple[str, ...] = field(default=())

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints stand."""
        return self.out / "checkpoints"

    @property
    def weights(self) -> Path:
        """Where the trained model stands, whole, in fp32 (of LoRA: the adapter)."""
        return self.out / "model"

    @property
    def log(self) -> Path:
        """One JSON object a line: the figures of steps and of validations."""
        return self.out / "log.jsonl"

    def ask(self) -> dict[str, Json]:
        """What decides the weights; the number of processes does not."""
        recipe = self.recipe.model_dump(mode="json", exclude={"launch", "notes", "source", "title"})
        return {
            "command": "train run",
            "recipe": self.recipe.name,
            "recipe_hash": digest(json.dumps(recipe, sort_keys=True))[:16],
            "model": self.model,
            "data": dict(self.data.sha256),
            "validate": self.validate,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One optimizer step. ``loss`` in nats a token; rates over all processes; MFU in [0, 1] by
    both counts of attention, None on a device whose peak is not known."""

    step: int
    steps: int
    epoch: float
    loss: float
    grad_norm: float | None
    learning_rate: float
    tokens_per_second: float
    mfu_full: float | None
    mfu_causal: float | None


@dataclass(frozen=True, slots=True)
class Status:
    """How a run stands, as ``status.json`` tells it."""

    state: State
    step: int
    steps: int
    message: str = ""


class Listener(Protocol):
    """What is told of a run while it goes."""

    def say(self, message: str) -> None:
        """One sentence: a note, a warning, a stage begun."""
        ...

    def step(self, step: Step) -> None:
        """A step is done."""
        ...

    def judged(self, epoch: float, scores: dict[str, Any]) -> None:
        """The validation rows were judged; ``scores`` is a dump of ``results.Scores``."""
        ...
