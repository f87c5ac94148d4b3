"""The audit's word while rows can still be changed: words that tell the label are banned, and the
pairs that use them are proposed anew. An item that has no other pair keeps the one it has: a gate
that does not hold is reported, a hard row is not dropped for it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halubench.assemble import twins
from halubench.audit.gates import TYPE_LIMIT
from halubench.audit.probes import PROBES
from halubench.audit.words import Giveaway, giveaway
from halubench.generate.select import Selection, Wanted, select
from halubench.perturb.prompted import telling
from halubench.records import Example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from halubench.generate.court import Court
    from halubench.generate.propose import Proposer
    from halubench.records import Candidate, Json

ROUNDS = 3
"""How often pairs are proposed anew, at most."""
LIMIT = next(spec.high for spec in PROBES if spec.name == "answer")


@dataclass(frozen=True, slots=True)
class Round:
    """``banned``: the words found; ``pairs`` that used one; ``gained``: candidates proposed anew;
    ``before`` and ``after``: by how much the answer-only gates were passed, over all scopes."""

    banned: tuple[str, ...]
    pairs: int
    gained: int
    before: float
    after: float

    def json(self) -> dict[str, Json]:
        """For the manifest."""
        return {
            "banned": list(self.banned),
            "pairs": self.pairs,
            "gained": self.gained,
            "excess_before": round(self.before, 4),
            "excess_after": round(self.after, 4),
        }


async def refine(
    proposer: Proposer, wanted: Wanted, court: Court, groups: Mapping[str, str]
) -> tuple[Selection, list[Round]]:
    """Select; then ban what tells the label, propose anew and select again, while that helps.

    ``groups``: the passage group of each item id. Raises BudgetError, EngineError.
    """
    best = await select(proposer, wanted, court)
    now = _leaks(best.kept, groups, wanted.seed)
    rounds: list[Round] = []
    while now.words and len(rounds) < ROUNDS:
        wanted = replace(wanted, banned=wanted.banned | set(now.words))
        pairs = [one.item.id for one in best.kept if telling(one, now.words)]
        gained = await proposer.again(pairs, sorted(wanted.banned))
        found = await select(proposer, wanted, court)
        then = _leaks(found.kept, groups, wanted.seed)
        rounds.append(Round(now.words, len(pairs), gained, now.excess, then.excess))
        if then.excess >= now.excess or len(found.kept) < len(best.kept):
            break
        best, now = found, then
    return best, rounds


def _leaks(kept: Sequence[Candidate], groups: Mapping[str, str], seed: int) -> Giveaway:
    """What gives the label away in all pairs together, in each source and in each type."""
    found = [giveaway(*_rows(pairs, groups), limit, seed) for pairs, limit in _scopes(kept)]
    words = dict.fromkeys(word for one in found for word in one.words)
    return Giveaway(sum(one.excess for one in found), tuple(words))


def _scopes(kept: Sequence[Candidate]) -> Iterator[tuple[list[Candidate], float]]:
    sources: defaultdict[str, list[Candidate]] = defaultdict(list)
    types: defaultdict[str, list[Candidate]] = defaultdict(list)
    found = list(kept)
    for one in found:
        sources[one.item.source_ds].append(one)
        types[one.perturbation].append(one)
    yield found, LIMIT
    if len(sources) > 1:
        yield from ((pairs, LIMIT) for _, pairs in sorted(sources.items()))
    yield from ((pairs, TYPE_LIMIT) for _, pairs in sorted(types.items()))


def _rows(pairs: Sequence[Candidate], groups: Mapping[str, str]) -> tuple[list[Example], list[str]]:
    rows = [
        Example("", one.item.passage, one.item.question, answer, label, one.item.source_ds)
        for one in pairs
        for label, answer in twins(one)
    ]
    return rows, [groups[one.item.id] for one in pairs for _ in range(2)]
