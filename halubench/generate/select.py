"""Proposals to pairs: grow the pool, choose under quotas, ask the jury, and again while it helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench import balance
from halubench.perturb.prompted import telling
from halubench.records import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

    kept: list[Candidate]
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
    passed = pool.passed
    while True:
        opened = {item: upheld(candidates, court) for item, candidates in passed.items()}
        left = {
            item: _untold(candidates, wanted.banned)
            for item, candidates in opened.items()
            if candidates
        }
        chosen = balance.choose(left, wanted.accept, wanted.seed, pool.breaks)
        if not await court.hear(chosen.kept):
            refused = [_refused(passed[item][-1], court) for item in passed if item not in left]
            return Selection(chosen.kept, refused, chosen.dropped)


def upheld(candidates: Iterable[Candidate], court: Court) -> list[Candidate]:
    """The candidates that the jury has not refused so far."""
    return [one for one in candidates if court.refusal(one) is None]


def _untold(candidates: Sequence[Candidate], banned: frozenset[str]) -> Sequence[Candidate]:
    return [one for one in candidates if not telling(one, banned)] or candidates


def _refused(candidate: Candidate, court: Court) -> Rejected:
    item = candidate.item
    return Rejected(item.source_ds, item.id, "jury", court.refusal(candidate) or "")
