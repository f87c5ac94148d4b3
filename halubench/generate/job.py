"""What flows between the stages of one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from halubench.perturb.base import Statement
from halubench.records import Rejected
from halubench.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.generate.ask import Ask, Progress
    from halubench.generate.ledger import Ledger
    from halubench.generate.propose import Pool
    from halubench.generate.refine import Round
    from halubench.generate.select import Selection
    from halubench.generate.spend import Purse
    from halubench.generate.stages import Hit
    from halubench.records import Item
    from halubench.run import RunFolder
    from halubench.sources import SourceRead


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that is known before the first edit. Everything here was free."""

    reads: list[SourceRead]
    groups: dict[str, str]
    hits: list[Hit]
    statements: Sequence[Statement]
    unanchored: Sequence[tuple[Item, Rejected]]
    """What code could not anchor, and why."""
    ledger: Ledger

    def anchored(self, told: Sequence[Statement | Rejected]) -> Prepared:
        """With what a model said of the unanchored ones, in order; the stage is booked."""
        more = [one for one in told if isinstance(one, Statement)]
        gone = [one for one in told if isinstance(one, Rejected)]
        statements = Shelf(chain(self.statements, more)) if more else self.statements
        self.ledger.close("anchor", self.ledger.left(), len(statements), gone)
        return replace(self, statements=statements, unanchored=[])

    def wanted(self, accept: int | None) -> int:
        """The most pairs that there can be: one a statement, ``accept`` if that is less."""
        most = len(self.statements)
        return most if accept is None else min(accept, most)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of the statements."""

    pool: Pool
    selection: Selection
    rounds: list[Round]
    notes: list[str]
    """What the models' endpoints did not do as asked."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every stage after the preparation needs."""

    ask: Ask
    folder: RunFolder
    purse: Purse
    progress: Progress
