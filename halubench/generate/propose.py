"""Statements to candidates: all at once by rules, or as many as are needed by a model."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol, cast

from halubench.models.base import CallFailure
from halubench.models.scheduler import Limits, complete_all
from halubench.perturb import prompted, rules
from halubench.perturb.definitions import load_all
from halubench.perturb.prompted import TEMPERATURES, Task
from halubench.records import Rejected
from halubench.text import digest
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

    from halubench.generate.spend import Purse
    from halubench.models.base import Completion, Model
    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation
    from halubench.prompt import Prompt
    from halubench.records import Candidate
    from halubench.run import Journal

    _Answers = AsyncGenerator[tuple[Task, Completion | CallFailure], None]


@dataclass(slots=True)
class Pool:
    """What was proposed for the items, and what the gate said of it.

    ``bare``: gold answers are edited as they stand (``--control none``). ``unanswered`` counts
    requests without an answer by reason.
    ``passed`` holds the candidates of each item id that passed; ``fate`` the (stage, reason) that
    an item without any last met; ``refused`` counts candidates by reason.
    """

    bare: bool = False
    passed: dict[str, list[Candidate]] = field(default_factory=dict[str, "list[Candidate]"])
    fate: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    log: list[tuple[Candidate, str]] = field(default_factory=list["tuple[Candidate, str]"])
    unanswered: Counter[str] = field(default_factory=Counter[str])
    unasked: str = "not needed: enough pairs"

    def gate(self, candidate: Candidate) -> str | None:
        """Check one candidate and book it; the reason when it is refused."""
        reason = check(candidate, bare=self.bare)
        self.log.append((candidate, reason or ""))
        if reason is None:
            self.passed.setdefault(candidate.item.id, []).append(candidate)
        else:
            self.fate[candidate.item.id] = ("gate", reason)
        return reason

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


class RuleProposer:
    """All that the rules can make of every statement."""

    @property
    def exhausted(self) -> bool:
        """Always: all is proposed at once."""
        return True

    def __init__(
        self, pool: Pool, statements: Sequence[Statement], seed: int, tell: Callable[[int], None]
    ) -> None:
        self.pool = pool
        known = load_all()
        for done, statement in enumerate(statements, 1):
            found = rules.propose(statement, seed, known)
            if not found:
                reason = "no span that a rule may edit"
                self.pool.fate[statement.item.id] = ("perturb", reason)
            for candidate in found:
                self.pool.gate(candidate)
            tell(done)

    async def grow(self, target: int) -> None:
        """Nothing is left to propose."""


@dataclass(frozen=True, slots=True)
class Pen:
    """The model that proposes, how it is asked, and what that may cost."""

    model: Model
    prompt: Prompt
    perturbations: Mapping[str, Perturbation]
    journal: Journal
    purse: Purse
    limits: Limits
    seed: int


class PromptProposer:
    """Asks a model in rounds: what a round lacks, the next one asks for.

    The order of statements is the seed's, the perturbation is picked for an even mix, and answers
    are taken in the order of the questions, so a run that was stopped repeats itself exactly.
    """

    def __init__(
        self,
        pool: Pool,
        statements: Sequence[Statement],
        pen: Pen,
        ceiling: int,
        tell: Callable[[int], None],
    ) -> None:
        self.pool = pool
        self._pen = pen
        self._left = ceiling
        self._tell = tell
        self._picked = Counter[str]()
        self._tried: dict[str, set[str]] = {}
        self._again: deque[tuple[Statement, int]] = deque()
        self._fresh = deque(self._editable(statements))

    @property
    def exhausted(self) -> bool:
        """Whether nothing more can be asked."""
        return self._left <= 0 or not (self._fresh or self._again)

    async def grow(self, target: int) -> None:
        """Ask in rounds until ``target`` items passed. Raises BudgetError, EngineError."""
        while len(self.pool.passed) < target and not self.exhausted:
            await self._round(target - len(self.pool.passed))

    def _editable(self, statements: Sequence[Statement]) -> Iterator[Statement]:
        for one in _in_turn(statements, str(self._pen.seed)):
            if prompted.legal(one, self._pen.perturbations.values()):
                yield one
            else:
                self.pool.fate[one.item.id] = ("perturb", "no span that a model may edit")

    async def _round(self, missing: int) -> None:
        tasks = [self._task(*one) for one in self._next(min(missing, self._left))]
        self._left -= len(tasks)
        if self._left <= 0:
            self.pool.unasked = "not asked: ceiling on candidates reached"
        pen = self._pen
        asked = ((task, prompted.request(task, pen.prompt, pen.seed)) for task in tasks)
        limits = replace(pen.limits, max_usd=pen.purse.left())
        answers = complete_all(pen.model, asked, pen.journal, limits)
        async with aclosing(cast("_Answers", answers)):
            async for task, answer in answers:
                self._take(task, answer)
                self._tell(len(self.pool.passed))

    def _next(self, count: int) -> list[tuple[Statement, int]]:
        again = [self._again.popleft() for _ in range(min(count, len(self._again)))]
        fresh = min(count - len(again), len(self._fresh))
        return again + [(self._fresh.popleft(), 0) for _ in range(fresh)]

    def _task(self, statement: Statement, sample: int) -> Task:
        """The perturbation is the least used one for its quota, preferably not one tried before."""
        perturbations = self._pen.perturbations
        sites = prompted.legal(statement, perturbations.values())
        tried = self._tried.setdefault(statement.item.id, set())
        name = min(
            sites,
            key=lambda n: (
                n in tried,
                self._picked[n] / perturbations[n].quota,
                _tie(statement, n),
            ),
        )
        tried.add(name)
        self._picked[name] += 1
        task = Task(statement, perturbations[name], sites[name], sample)
        return prompted.offer(task, self._edits(task)) if sample else task

    def _edits(self, task: Task) -> list[Candidate]:
        """What a rule would make of the task, as far as it passes the gate."""
        known = {task.perturbation.name: task.perturbation}
        made = rules.propose(task.statement, self._pen.seed, known)
        return [one for one in made if check(one, bare=self.pool.bare) is None]

    def _take(self, task: Task, answer: Completion | CallFailure) -> None:
        pool, item = self.pool, task.statement.item
        if isinstance(answer, CallFailure):
            pool.unanswered[answer.reason] += 1
            pool.fate[item.id] = ("perturb", f"model: no answer ({answer.reason})")
            return
        self._pen.purse.pay(answer, free=answer.cached)
        made = prompted.apply(task, answer.text, self._pen.model.uri, self._pen.prompt.hash)
        if isinstance(made, str):
            pool.fate[item.id] = ("perturb", made)
        elif pool.gate(made) is None:
            return
        self._picked[task.perturbation.name] -= 1
        if task.sample + 1 < len(TEMPERATURES):
            self._again.append((task.statement, task.sample + 1))


def _in_turn(statements: Sequence[Statement], seed: str) -> Iterator[Statement]:
    """One statement of each source in turn, in the seed's order."""
    queues: defaultdict[str, list[Statement]] = defaultdict(list)
    for one in sorted(statements, key=lambda one: digest(seed, one.item.id)):
        queues[one.item.source_ds].append(one)
    for turn in zip_longest(*(queues[name] for name in sorted(queues))):
        yield from (one for one in turn if one)


def _tie(statement: Statement, name: str) -> str:
    return digest(statement.item.id, name)
