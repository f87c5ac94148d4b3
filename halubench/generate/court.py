"""The jury of one run: opens each juror once, books what its votes cost, keeps every ballot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from halubench.generate.ask import Tick
from halubench.judges import is_module, open_judge
from halubench.judges.base import JudgeOptions
from halubench.models import open_model
from halubench.models.scheduler import Limits
from halubench.records import ENDPOINT, Unscored
from halubench.verify.juror import PluginJuror, PromptJuror, Seat
from halubench.verify.jury import Juror, Votes, vote

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from halubench.generate.job import Job
    from halubench.models.base import Completion, Model
    from halubench.records import Candidate, Prediction
    from halubench.verify.ballot import Ballot, Vote

Key: TypeAlias = tuple[str, str, str]


def key(candidate: Candidate) -> Key:
    """What tells candidates of one run apart: item id and both answers."""
    return candidate.item.id, candidate.pass_answer, candidate.fail_answer


@dataclass(slots=True)
class Court:
    """The jurors, and every ballot so far: a pair is put to the vote once.

    An async context manager: jurors are opened when they are first needed, and closed at its end.
    """

    job: Job
    cast: Votes = field(default_factory=dict[tuple[int, str, str], "Vote"])
    ballots: dict[Key, Ballot] = field(default_factory=dict[Key, "Ballot"])
    heard: dict[Key, Candidate] = field(default_factory=dict[Key, "Candidate"])
    _jurors: dict[str, Juror] = field(default_factory=dict[str, Juror])
    _models: list[Model] = field(default_factory=list["Model"])
    _votes: int = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for model in self._models:
            await model.aclose()

    async def hear(self, candidates: Sequence[Candidate]) -> bool:
        """Vote on the candidates that have no ballot yet; whether there were any.

        Raises EngineError, BudgetError.
        """
        if not self.job.ask.jury:
            return False
        fresh = {key(one): one for one in candidates if key(one) not in self.ballots}
        if not fresh:
            return False
        self._open()
        ballots = await vote(self._jurors, list(fresh.values()), self.cast, self.job.ask.seed)
        self.ballots.update(zip(fresh, ballots, strict=True))
        self.heard |= fresh
        return True

    def refusal(self, candidate: Candidate) -> str | None:
        """Why the jury refused the candidate; None when it did not, or was not asked."""
        ballot = self.ballots.get(key(candidate))
        return ballot.refusal() if ballot else None

    def refused(self) -> Iterator[tuple[Candidate, Ballot]]:
        """What the jury heard and refused."""
        told = ((self.heard[name], ballot) for name, ballot in self.ballots.items())
        return ((one, ballot) for one, ballot in told if ballot.refusal())

    def votes(self, kept: Sequence[Candidate]) -> dict[str, tuple[str, float]]:
        """Votes (JSON) and hardness by item id."""
        told = ((one.item.id, self.ballots.get(key(one))) for one in kept)
        return {item: (ballot.json(), ballot.hardness()) for item, ballot in told if ballot}

    def unanswered(self) -> Counter[str]:
        """Votes that no endpoint gave, by reason: another run asks for them again."""
        cast = (vote for one in self.ballots.values() for _, *pair in one.votes for vote in pair)
        reasons = (vote.reason for vote in cast if isinstance(vote, Unscored))
        return Counter(why.removeprefix(ENDPOINT) for why in reasons if why.startswith(ENDPOINT))

    def notes(self) -> list[str]:
        """What the jurors' endpoints did not do as asked."""
        return [note for model in self._models for note in model.notes]

    def _open(self) -> None:
        for uri in self.job.ask.jury:
            if uri not in self._jurors:
                self._jurors[uri] = self._juror(uri)

    def _juror(self, uri: str) -> Juror:
        ask = self.job.ask
        if is_module(uri):
            options = JudgeOptions(
                ask.engine, self.job.folder.path, max_usd=self.job.purse.left(), retries=ask.retries
            )
            return PluginJuror(open_judge(uri, options), self._pay)
        model = open_model(uri, ask.engine)
        self._models.append(model)
        return PromptJuror(model, Seat(self.job.folder.journal, self._limits, self._book, ask.seed))

    def _limits(self) -> Limits:
        ask = self.job.ask
        return Limits.of(ask.engine, ask.retries, self.job.purse.left())

    def _book(self, answer: Completion, chars: int) -> None:
        self._pay(answer, chars, free=answer.cached)

    def _pay(self, answer: Completion | Prediction, chars: int = 0, *, free: bool = False) -> None:
        self._votes += 1
        self.job.purse.pay(answer, "jury", chars, free=free)
        self.job.progress(Tick("jury", self._votes, 0, f"votes, {self.job.purse.told()}"))
