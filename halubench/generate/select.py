"""Proposals to pairs: grow the pool, choose under quotas, ask the jury, and again while it helps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from halubench import assemble
from halubench.records import ENDPOINT, Rejected, Unscored
from halubench.verify.jury import Ballot, Votes, vote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from halubench.generate.propose import Proposer
    from halubench.judges.base import Judge
    from halubench.records import Candidate, Prediction, Verdict

Key: TypeAlias = tuple[str, str, str]


def key(candidate: Candidate) -> Key:
    """What tells candidates of one run apart: item id and both answers."""
    return candidate.item.id, candidate.pass_answer, candidate.fail_answer


@dataclass(slots=True)
class Jury:
    """The jurors, and every ballot so far: a pair is put to the vote once."""

    jurors: Mapping[str, Callable[[], Judge]]
    seed: int
    tell: Callable[[Prediction], None]
    settle: Callable[[], None]
    cast: Votes = field(default_factory=dict[tuple[str, str], "Verdict"])
    ballots: dict[Key, Ballot] = field(default_factory=dict[Key, Ballot])

    async def hear(self, candidates: Sequence[Candidate]) -> bool:
        """Vote on the candidates that have no ballot yet; whether there were any."""
        fresh = [one for one in candidates if key(one) not in self.ballots]
        if fresh and self.jurors:
            ballots = await vote(self.jurors, fresh, self.cast, self.seed, self.tell)
            self.ballots.update(zip(map(key, fresh), ballots, strict=True))
            self.settle()
        return bool(fresh and self.jurors)

    def refusal(self, candidate: Candidate) -> str | None:
        """Why the jury refused the candidate; None when it did not, or was not asked."""
        ballot = self.ballots.get(key(candidate))
        return ballot.refusal() if ballot else None

    def votes(self, kept: Sequence[Candidate]) -> dict[str, tuple[str, float]]:
        """Votes (JSON) and hardness by item id."""
        told = ((one.item.id, self.ballots.get(key(one))) for one in kept)
        return {item: (ballot.json(), ballot.hardness()) for item, ballot in told if ballot}

    def unanswered(self) -> Counter[str]:
        """Votes that no endpoint gave, by reason: another run asks for them again."""
        cast = (vote for one in self.ballots.values() for _, *pair in one.votes for vote in pair)
        reasons = (vote.reason for vote in cast if isinstance(vote, Unscored))
        return Counter(why.removeprefix(ENDPOINT) for why in reasons if why.startswith(ENDPOINT))


@dataclass(frozen=True, slots=True)
class Selection:
    """The pairs of one source, and the items that the jury and the quotas left out."""

    kept: list[Candidate]
    by_jury: list[Rejected]
    by_choice: list[Rejected]


async def select(proposer: Proposer, accept: int, seed: int, jury: Jury) -> Selection:
    """At most ``accept`` pairs, at most one an item.

    Asks for as many more proposals as pairs are lacking, until there are enough or nothing is left
    to propose. Raises BudgetError, EngineError.
    """
    target = accept
    while True:
        await proposer.grow(target)
        found = await _seat(proposer.pool.passed, accept, seed, jury)
        lacking = accept - len(found.kept)
        if lacking <= 0 or proposer.exhausted:
            return found
        target = len(proposer.pool.passed) + lacking


async def _seat(
    passed: Mapping[str, Sequence[Candidate]], accept: int, seed: int, jury: Jury
) -> Selection:
    """Choose, hear the jury on what was chosen, and choose again without what it refused."""
    while True:
        opened = {
            item: [one for one in candidates if jury.refusal(one) is None]
            for item, candidates in passed.items()
        }
        left = {item: candidates for item, candidates in opened.items() if candidates}
        chosen = assemble.choose(left, accept, seed)
        if not await jury.hear(chosen.kept):
            refused = [_refused(passed[item][-1], jury) for item in passed if item not in left]
            return Selection(chosen.kept, refused, chosen.dropped)


def _refused(candidate: Candidate, jury: Jury) -> Rejected:
    item = candidate.item
    return Rejected(item.source_ds, item.id, "jury", jury.refusal(candidate) or "")
