"""Statements to candidates: the pool that proposals fill, and the rules, which fill it at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from halubench.balance import Lot
from halubench.generate.workers import spread
from halubench.perturb import rules
from halubench.perturb.definitions import load_all
from halubench.records import Rejected
from halubench.shelf import Picked, Shelf
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation
    from halubench.records import Candidate


@dataclass(slots=True)
class Pool:
    """What was proposed for the items, and what the gate said of it.

    ``bare``: gold answers are edited as they stand (``--control none``). ``unanswered`` counts
    requests without an answer by reason, ``misread`` answers that made no candidate; ``tried``
    is the number of items that a model was asked about.
    ``candidates`` holds all of them and ``reasons`` why each was refused (empty: passed), counted in
    ``verdicts``; ``passed`` is what a choice has to know of those that passed, by item id, and
    ``fate`` the (stage, reason) that an item without any last met.
    """

    bare: bool = False
    passed: dict[str, list[Lot]] = field(default_factory=dict[str, "list[Lot]"])
    fate: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    candidates: Shelf[Candidate] = field(default_factory=Shelf["Candidate"])
    reasons: list[str] = field(default_factory=list[str])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    unanswered: Counter[str] = field(default_factory=Counter[str])
    misread: Counter[str] = field(default_factory=Counter[str])
    tried: int = 0
    unasked: str = "not needed: enough pairs"

    def gate(self, candidate: Candidate) -> str | None:
        """Check one candidate and book it; the reason when it is refused."""
        return self.book(candidate, check(candidate, bare=self.bare))

    def book(self, candidate: Candidate, reason: str | None) -> str | None:
        """Book what the gate said of one candidate."""
        place = len(self.candidates)
        self.candidates.append(candidate)
        self.reasons.append(reason or "")
        self.verdicts[reason or ""] += 1
        if reason is None:
            lot = Lot.of(candidate, place)
            self.passed.setdefault(lot.item_id, []).append(lot)
        else:
            self.fate[candidate.item.id] = ("gate", reason)
        return reason

    def read(self, lots: Iterable[Lot]) -> Sequence[Candidate]:
        """The candidates behind lots, each read when it is asked for."""
        return Picked(self.candidates, (lot.place for lot in lots))

    def forget(self) -> None:
        """Let go of what a choice has to know, once it is made."""
        self.passed.clear()

    def rejected(self, statements: Sequence[Statement], stage: str) -> list[Rejected]:
        """The items that ended at ``stage``, with the reason, in order."""
        ended = (
            (one.item, self.fate.get(one.item.id, ("perturb", self.unasked))) for one in statements
        )
        return [
            Rejected(item.source_ds, item.id, stage, reason)
            for item, (where, reason) in ended
            if where == stage and item.id not in self.passed
        ]


class Proposer(Protocol):
    """Fills a pool."""

    pool: Pool

    @property
    def exhausted(self) -> bool:
        """Whether nothing more can be proposed."""
        ...

    async def grow(self, target: int) -> None:
        """Propose until ``target`` items have a candidate that passed, or nothing is left."""
        ...

    async def again(self, items: Sequence[str], banned: Sequence[str]) -> int:
        """Propose anew for these item ids without the banned words; how many that gave."""
        ...


class RuleProposer:
    """All that the rules can make of every statement."""

    @property
    def exhausted(self) -> bool:
        """Always: all is proposed at once."""
        return True

    def __init__(
        self,
        pool: Pool,
        statements: Sequence[Statement],
        seed: int,
        tell: Callable[[int], None],
        workers: int = 1,
    ) -> None:
        self.pool = pool
        work = partial(_checked, seed=seed, bare=pool.bare, known=load_all())
        found = spread(work, statements, workers)
        for place, candidates in zip(range(len(statements)), found, strict=True):
            if not candidates:
                reason = "no span that a rule may edit"
                pool.fate[statements[place].item.id] = ("perturb", reason)
            for candidate, refusal in candidates:
                pool.book(candidate, refusal)
            tell(place + 1)

    async def grow(self, target: int) -> None:
        """Nothing is left to propose."""

    async def again(self, items: Sequence[str], banned: Sequence[str]) -> int:  # noqa: ARG002
        """None: all that can be proposed is in the pool."""
        return 0


def _checked(
    statement: Statement, *, seed: int, bare: bool, known: Mapping[str, Perturbation]
) -> list[tuple[Candidate, str | None]]:
    """All that the rules make of a statement, with what the gate says of each."""
    found = rules.propose(statement, seed, known)
    return [(candidate, check(candidate, bare=bare)) for candidate in found]
