"""Statements to candidates: the pool that proposals fill, and the rules, which fill it at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from halubench.balance import Breaks
from halubench.generate.workers import spread
from halubench.perturb import rules
from halubench.perturb.definitions import load_all
from halubench.records import Rejected
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation
    from halubench.records import Candidate


@dataclass(slots=True)
class Pool:
    """What was proposed for the items, and what the gate said of it.

    ``bare``: gold answers are edited as they stand (``--control none``). ``unanswered`` counts
    requests without an answer by reason, ``misread`` answers that made no candidate; ``tried``
    is the number of items that a model was asked about.
    ``passed`` holds the candidates of each item id that passed; ``fate`` the (stage, reason) that
    an item without any last met; ``log`` all candidates with the reason when they were refused, and
    ``verdicts`` counts those reasons (empty: passed).
    """

    bare: bool = False
    passed: dict[str, list[Candidate]] = field(default_factory=dict[str, "list[Candidate]"])
    fate: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    log: list[tuple[Candidate, str]] = field(default_factory=list["tuple[Candidate, str]"])
    verdicts: Counter[str] = field(default_factory=Counter[str])
    unanswered: Counter[str] = field(default_factory=Counter[str])
    misread: Counter[str] = field(default_factory=Counter[str])
    tried: int = 0
    breaks: Breaks = field(default_factory=Breaks)
    unasked: str = "not needed: enough pairs"

    def gate(self, candidate: Candidate) -> str | None:
        """Check one candidate and book it; the reason when it is refused."""
        return self.book(candidate, check(candidate, bare=self.bare))

    def book(self, candidate: Candidate, reason: str | None) -> str | None:
        """Book what the gate said of one candidate."""
        self.log.append((candidate, reason or ""))
        self.verdicts[reason or ""] += 1
        if reason is None:
            self.passed.setdefault(candidate.item.id, []).append(candidate)
        else:
            self.fate[candidate.item.id] = ("gate", reason)
        return reason

    def forget(self) -> None:
        """Let go of the candidates, once they are written and chosen from."""
        self.log.clear()
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
        for done, (statement, candidates) in enumerate(zip(statements, found, strict=True), 1):
            if not candidates:
                reason = "no span that a rule may edit"
                pool.fate[statement.item.id] = ("perturb", reason)
            for candidate, refusal in candidates:
                pool.book(replace(candidate, item=statement.item), refusal)
            tell(done)

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
