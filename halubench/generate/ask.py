"""What a user asks of ``generate``, what they get back, and how they see it going on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from halubench.errors import InputError
from halubench.models.base import EngineOptions
from halubench.perturb.definitions import Domain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from halubench.audit import AuditReport
    from halubench.generate.ledger import Ledger
    from halubench.records import Json

RULES = "rules"
"""The model that is no model: typed edits by code."""
DEFAULT_SPLITS = (("validation", 0.2), ("test", 0.8))
_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Tick:
    """One step of a stage: ``done`` of ``total`` units (total 0: not known beforehand)."""

    stage: str
    done: int
    total: int
    note: str = ""


Progress: TypeAlias = Callable[[Tick], None]


def silent(tick: Tick) -> None:
    """The progress of those who do not watch."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What to generate.

    ``accept`` is the number of pairs (two rows each) over all sources together; None means all that
    can honestly be had. ``max_candidates`` bounds the candidates that a model may be asked for
    (default: 20 for each accepted pair). ``max_usd`` stops the run before it costs more.
    ``anchor``: who may say that a passage supports a gold answer where code cannot see it.
    ``temperature`` of the model's edits; None: 0, and higher on a second and third try.
    ``workers``: processes for the stages by code; the dataset is the same however many.
    ``shard`` (i, n): do the i-th of n parts of the asking; see :mod:`halubench.generate.shards`.
    """

    sources: tuple[str, ...]
    model: str
    out: Path
    accept: int | None = None
    domain: str | None = None
    control: Literal["restate", "none"] = "restate"
    jury: tuple[str, ...] = ()
    seed: int = 0
    max_usd: float | None = None
    exclude: tuple[str, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    splits: tuple[tuple[str, float], ...] = DEFAULT_SPLITS
    license: str | None = None
    max_candidates: int | None = None
    retries: int = 6
    engine: EngineOptions = field(default_factory=EngineOptions)
    prompt: str = "edit"
    anchor: Literal["code", "model"] = "code"
    temperature: float | None = None
    shard: tuple[int, int] | None = None
    workers: int = 1

    def check(self) -> None:
        """Raise InputError for what cannot be meant."""
        if not self.sources:
            raise InputError("No source was named.", "Name a file, folder or Hub dataset.")
        if self.accept is not None and self.accept < 1:
            raise InputError(f"--accept {self.accept} is not a number of pairs.", "Use 1 or more.")
        if self.max_candidates is not None and self.max_candidates < 1:
            what = f"--max-candidates {self.max_candidates} leaves nothing to ask for."
            raise InputError(what, "Use 1 or more.")
        if self.max_usd is not None and not self.max_usd >= 0:
            raise InputError(f"--max-usd {self.max_usd} is no ceiling.", "Use 0 or more.")
        if self.retries < 0:
            raise InputError(f"--retries {self.retries} is no number of them.", "Use 0 or more.")
        if self.workers < 1:
            raise InputError(f"--workers {self.workers} is no number of them.", "Use 1 or more.")
        if self.control not in ("restate", "none"):
            raise InputError(f"--control {self.control} is unknown.", "Use restate or none.")
        if self.domain is not None and self.domain not in get_args(Domain):
            raise InputError(
                f"--domain {self.domain} is unknown.", f"Use {', '.join(get_args(Domain))}."
            )
        if self.model != RULES and ":" not in self.model:
            raise InputError(
                f"--model {self.model} names no model.", "Use rules, or a URI like openai:gpt-4o."
            )
        self._check_model_options()
        self._check_splits()

    def _check_model_options(self) -> None:
        if self.anchor not in ("code", "model"):
            raise InputError(f"--anchor {self.anchor} is unknown.", "Use code or model.")
        if self.model == RULES and self.anchor == "model":
            raise InputError("--anchor model needs a model to ask.", "Name one with --model.")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            what = f"--temperature {self.temperature:g} is none."
            raise InputError(what, "Use a number from 0 to 2.")
        if self.shard is not None and not 1 <= self.shard[0] <= self.shard[1]:
            part, parts = self.shard
            raise InputError(f"--shard {part}/{parts} is no part.", "Write --shard 1/4 to 4/4.")

    def _check_splits(self) -> None:
        names = [name for name, _ in self.splits]
        shares = [share for _, share in self.splits]
        odd = [name for name in names if not _SPLIT.fullmatch(name)]
        if odd:  # A split is a file of that name.
            what = f"--split names a split {odd[0]!r}."
            raise InputError(what, "Use letters, digits, hyphens and underscores.")
        if len(set(names)) != len(names) or not all(share > 0 for share in shares):
            raise InputError("--split names a split twice or gives it no share.", "Use a=.2,b=.8.")
        if not abs(sum(shares) - 1) <= 1e-6:
            raise InputError(
                f"The shares of --split sum to {sum(shares):g}, not to 1.", "Use a=.2,b=.8."
            )

    def asked(self) -> dict[str, Json]:
        """What decides the dataset, for the manifest: no folders, no limits of time or money."""
        return {
            "sources": list(self.sources),
            "model": self.model,
            "accept": self.accept,
            "domain": self.domain,
            "control": self.control,
            "jury": list(self.jury),
            "seed": self.seed,
            "exclude": list(self.exclude),
            "mapping": dict(self.mapping),
            "splits": dict(self.splits),
            "license": self.license,
            "max_candidates": self.max_candidates,
            "prompt": self.prompt,
            "anchor": self.anchor,
            "temperature": self.temperature,
        }

    def claim(self) -> dict[str, Json]:
        """What makes the run folder this run's. A run may grow: its size is left out."""
        asked = self.asked()
        grows = ("accept", "max_candidates")
        shard = None if self.shard is None else f"{self.shard[0]}/{self.shard[1]}"
        return {name: asked[name] for name in asked if name not in grows} | {"shard": shard}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave.

    ``asked`` is None where all usable pairs were wanted. ``rows`` are those of the pairs, and any that
    came with their own labels. ``notes``, among the warnings too, are what the models' endpoints did
    not do as asked. ``spent_usd`` is what this run paid of ``cost_usd``. ``incomplete`` says why another run of the
    same command could give more (requests without an answer); empty when the sources are done.
    """

    out: Path
    asked: int | None
    pairs: int
    rows: int
    ledger: Ledger
    audit: AuditReport
    warnings: tuple[str, ...]
    cost_usd: float | None
    spent_usd: float = 0.0
    notes: tuple[str, ...] = ()
    incomplete: str = ""
