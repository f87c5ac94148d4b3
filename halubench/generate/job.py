"""What flows between the stages of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halubench.generate.ask import Ask, Progress
    from halubench.generate.ledger import Ledger
    from halubench.generate.propose import Pool
    from halubench.generate.select import Selection
    from halubench.generate.spend import Purse
    from halubench.generate.stages import Hit
    from halubench.perturb.base import Statement
    from halubench.run import RunFolder
    from halubench.sources import SourceRead


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before the first edit. Everything here was free."""

    reads: list[SourceRead]
    groups: dict[str, str]
    hits: list[Hit]
    statements: list[Statement]
    ledger: Ledger

    def wanted(self, accept: int | None) -> int:
        """The most pairs that there can be: one a statement, ``accept`` if that is less."""
        most = len(self.statements)
        return most if accept is None else min(accept, most)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of the statements."""

    pool: Pool
    selection: Selection
    notes: list[str]
    """What the model's endpoint did not do as asked."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every stage after the preparation needs."""

    ask: Ask
    folder: RunFolder
    purse: Purse
    progress: Progress
