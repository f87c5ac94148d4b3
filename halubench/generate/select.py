"""Proposals to pairs: grow the pool, choose under quotas, ask the jury, and again while it helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench import balance
from halubench.perturb.prompted import telling
from halubench.records import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.balance import Lot
    from halubench.generate.court import Court
    from halubench.generate.propose import Pool, Proposer
    from halubench.records import Candidate


@dataclass(frozen=True, slots=True)
class Wanted:
    """At most ``accept`` pairs; an edit that uses a ``banned`` word is taken only where its item has
    no other, so that a word never costs an item."""

    accept: int
    seed: int
    banned: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selection:
    """The pairs of one run, and the items that the jury and the quotas left out."""

    kept: Sequence[Candidate]
    by_jury: list[Rejected]
    by_choice: list[Rejected]


async def select(proposer: Proposer, wanted: Wanted, court: Court) -> Selection:
    """At most ``wanted.accept`` pairs, at most one an item.

    Asks for as many more proposals as pairs are lacking, until there are enough or nothing is left
    to propose. Raises BudgetError, EngineError.
    """
    target = wanted.accept
    while True:
        await proposer.grow(target)
        found = await _seat(proposer.pool, wanted, court)
        lacking = wanted.accept - len(found.kept)
        if lacking <= 0 or proposer.exhausted:
            return found
        target = len(proposer.pool.passed) + lacking


async def _seat(pool: Pool, wanted: Wanted, court: Court) -> Selection:
    """Choose, hear the jury on what was chosen, and choose again without what it refused."""
    while True:
        left = {
            item: _untold(pool, lots, wanted.banned)
            for item, found in pool.passed.items()
            if (lots := upheld(pool, found, court))
        }
        chosen = balance.choose(left, wanted.accept, wanted.seed)
        kept = pool.read(chosen.kept)
        if not await court.hear(kept):
            last = pool.read(found[-1] for item, found in pool.passed.items() if item not in left)
            return Selection(kept, [_refused(one, court) for one in last], chosen.dropped)


def upheld(pool: Pool, lots: Sequence[Lot], court: Court) -> list[Lot]:
    """Those of the candidates that the jury has not refused so far."""
    told = zip(lots, pool.read(lots), strict=True)
    return [lot for lot, one in told if court.refusal(one) is None]


def _untold(pool: Pool, lots: Sequence[Lot], banned: frozenset[str]) -> Sequence[Lot]:
    if not banned:
        return lots
    told = zip(lots, pool.read(lots), strict=True)
    return [lot for lot, one in told if not telling(one, banned)] or lots


def _refused(candidate: Candidate, court: Court) -> Rejected:
    item = candidate.item
    return Rejected(item.source_ds, item.id, "jury", court.refusal(candidate) or "")
