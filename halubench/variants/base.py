"""What a variant is: rows in, the same rows in another form out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from halubench.models.base import EngineOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.records import Row


@dataclass(frozen=True, slots=True)
class Unvaried:
    """A row that has no such variant: it is counted, and not judged again."""

    reason: str


Varied: TypeAlias = "Row | Unvaried"


@dataclass(frozen=True, slots=True)
class VariantOptions:
    """What a variant may use. ``out``: the folder of all results, in which a variant that pays for
    answers has a run folder of its own. ``rephraser``: URI of a model; it is asked within
    ``engine``, ``retries`` and ``max_usd``."""

    out: Path
    seed: int = 0
    rephraser: str = ""
    engine: EngineOptions = field(default_factory=EngineOptions)
    retries: int = 6
    max_usd: float | None = None


class Variant(Protocol):
    """A module in ``halubench/variants`` (or a user's ``variants/`` folder, or an entry point in
    ``halubench.variants``); its file name is the variant's name."""

    def vary(self, rows: Sequence[Row], options: VariantOptions) -> list[Varied]:
        """Every row with its passage, its question or both in another form, in order; the row
        itself, or why not, where it has none.

        It must keep ``id`` and ``answer``, mean the same, and depend on rows and options alone.
        """
        ...
