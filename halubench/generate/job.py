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
    statements: list[list[Statement]]
    """By source, in the order of ``reads``."""
    ledger: Ledger

    def shares(self, accept: int | None) -> list[int]:
        """The pairs wanted of each source: ``accept`` split evenly, or all."""
        if accept is None:
            return [len(one) for one in self.statements]
        count = len(self.statements)
        return [accept // count + (place < accept % count) for place in range(count)]


@dataclass(frozen=True, slots=True)
class Made:
    """What came of the statements of one source."""

    statements: list[Statement]
    pool: Pool
    selection: Selection


@dataclass(frozen=True, slots=True)
class Job:
    """What every stage after the preparation needs."""

    ask: Ask
    folder: RunFolder
    purse: Purse
    progress: Progress
