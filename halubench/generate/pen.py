"""Statements to candidates by a model: asked in rounds, as many as are needed.

What is asked of an item depends on the item and the seed alone, never on what became of others. So
added items change no earlier request, a part of the items can be asked on another machine, and the
answers of all parts together make the dataset that one machine would have made.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, cast

from halubench.models.base import CallFailure, size
from halubench.models.scheduler import complete_all
from halubench.perturb import prompted, rules
from halubench.perturb.prompted import TEMPERATURES, Author, Task
from halubench.text import digest
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

    from halubench.generate.propose import Pool
    from halubench.generate.spend import Purse
    from halubench.models.base import Completion, Model, Request
    from halubench.models.scheduler import Limits
    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation
    from halubench.perturb.prompted import Manner
    from halubench.prompt import Prompt
    from halubench.records import Candidate
    from halubench.run import Journal

    Asked = tuple[Task, int]
    """A task with the characters of its request."""
    _Answers = AsyncGenerator[tuple[Asked, Completion | CallFailure], None]


@dataclass(frozen=True, slots=True)
class Pen:
    """The model that proposes, how it is asked, and what that may cost. ``read``: a jury will read."""

    model: Model
    prompt: Prompt
    perturbations: Mapping[str, Perturbation]
    journal: Journal
    purse: Purse
    limits: Limits
    manner: Manner
    read: bool


def order(
    statement: Statement, perturbations: Mapping[str, Perturbation], seed: int
) -> tuple[str, ...]:
    """The perturbations that the statement allows, in the order in which it is asked about them.

    A weighted draw without replacement, the quota being the weight (Efraimidis and Spirakis 2006,
    Weighted random sampling with a reservoir), from hashes of seed, item and name.
    """

    def lot(name: str) -> float:
        drawn = (int(digest(str(seed), statement.item.id, name)[:12], 16) + 1) / (16**12 + 1)
        return -math.log(drawn) / perturbations[name].quota

    return tuple(sorted(prompted.legal(statement, perturbations.values()), key=lot))


class PromptProposer:
    """Asks a model in rounds: what a round lacks, the next one asks for.

    Statements come in the seed's order, sources and kinds of error in turn; answers are taken in
    the order of the questions, so a run that was stopped repeats itself exactly.
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
        self._orders = {
            one.item.id: order(one, pen.perturbations, pen.manner.seed) for one in statements
        }
        self._statements = {one.item.id: one for one in statements}
        self._regenerated: dict[str, int] = {}
        self._again: deque[tuple[Statement, int]] = deque()
        self._fresh = deque(self._editable(statements))

    @property
    def exhausted(self) -> bool:
        """Whether nothing more can be asked."""
        return self._left <= 0 or not (self._fresh or self._again)

    async def grow(self, target: int) -> None:
        """Ask in rounds until ``target`` items passed. Raises BudgetError, EngineError."""
        while len(self.pool.passed) < target and not self.exhausted:
            missing = min(target - len(self.pool.passed), self._left)
            await self._ask([self._task(*one) for one in self._next(missing)])
            if self._left <= 0:
                self.pool.unasked = "not asked: ceiling on candidates reached"

    async def again(self, items: Sequence[str], banned: Sequence[str]) -> int:
        """Ask once more for each of these items, the banned words told; how many candidates passed.

        Raises BudgetError, EngineError.
        """
        before = {item: len(self.pool.passed.get(item, ())) for item in items}
        tasks = [
            replace(self._task(self._statements[item], self._turn(item)), banned=tuple(banned))
            for item in items
        ]
        await self._ask(tasks[: max(0, self._left)])
        return sum(len(self.pool.passed.get(item, ())) - count for item, count in before.items())

    def _turn(self, item: str) -> int:
        """The number of the item's next try after the regular ones."""
        self._regenerated[item] = self._regenerated.get(item, len(TEMPERATURES) - 1) + 1
        return self._regenerated[item]

    def _editable(self, statements: Sequence[Statement]) -> Iterator[Statement]:
        able = [one for one in statements if self._orders[one.item.id]]
        for one in statements:
            if not self._orders[one.item.id]:
                self.pool.fate[one.item.id] = ("perturb", "no span that a model may edit")
        first = {one.item.id: self._orders[one.item.id][0] for one in able}
        yield from in_turn(able, first, str(self._pen.manner.seed))

    async def _ask(self, tasks: Sequence[Task]) -> None:
        self._left -= len(tasks)
        self.pool.tried += sum(task.sample == 0 for task in tasks)
        pen = self._pen
        limits = replace(pen.limits, max_usd=pen.purse.left())
        answers = complete_all(pen.model, self._requests(tasks), pen.journal, limits)
        async with aclosing(cast("_Answers", answers)):
            async for asked, answer in answers:
                self._take(*asked, answer)
                self._tell(len(self.pool.passed))

    def _requests(self, tasks: Sequence[Task]) -> Iterator[tuple[Asked, Request]]:
        for task in tasks:
            request = prompted.request(task, self._pen.prompt, self._pen.manner)
            yield (task, size(request)), request

    def _next(self, count: int) -> list[tuple[Statement, int]]:
        again = [self._again.popleft() for _ in range(min(count, len(self._again)))]
        fresh = min(count - len(again), len(self._fresh))
        return again + [(self._fresh.popleft(), 0) for _ in range(fresh)]

    def _task(self, statement: Statement, sample: int) -> Task:
        """The next perturbation of the item's order; a second try may be given edits to choose from."""
        perturbations = self._pen.perturbations
        names = self._orders[statement.item.id]
        name = names[sample % len(names)]
        sites = prompted.legal(statement, [perturbations[name]])[name]
        task = Task(statement, perturbations[name], sites, sample)
        return prompted.offer(task, self._edits(task)) if 0 < sample < len(TEMPERATURES) else task

    def _edits(self, task: Task) -> list[Candidate]:
        """What a rule would make of the task, as far as it passes the gate."""
        known = {task.perturbation.name: task.perturbation}
        made = rules.propose(task.statement, self._pen.manner.seed, known)
        return [one for one in made if check(one, bare=self.pool.bare) is None]

    def _take(self, task: Task, chars: int, answer: Completion | CallFailure) -> None:
        pool, item, pen = self.pool, task.statement.item, self._pen
        if isinstance(answer, CallFailure):
            pool.unanswered[answer.reason] += 1
            pool.fate[item.id] = ("perturb", f"model: no answer ({answer.reason})")
            return
        pen.purse.pay(answer, "perturb", chars, free=answer.cached)
        author = Author(pen.model.uri, pen.prompt.hash, pen.read)
        made = prompted.apply(task, answer.text, author)
        if isinstance(made, str):
            pool.fate[item.id] = ("perturb", made)
            pool.misread[made] += 1
        elif pool.gate(made) is None:
            return
        if task.sample + 1 < len(TEMPERATURES):
            self._again.append((task.statement, task.sample + 1))


def in_turn(
    statements: Sequence[Statement], kinds: Mapping[str, str], seed: str
) -> Iterator[Statement]:
    """The statements, one of each source in turn and within it one of each kind (by item id), in the
    seed's order."""
    queues: defaultdict[str, defaultdict[str, list[Statement]]]
    queues = defaultdict(lambda: defaultdict(list))
    for one in sorted(statements, key=lambda one: digest(seed, one.item.id)):
        queues[one.item.source_ds][kinds[one.item.id]].append(one)
    sources = [
        _turns([kinds[name] for name in sorted(kinds)]) for _, kinds in sorted(queues.items())
    ]
    yield from _turns(sources)


def _turns(queues: Sequence[Sequence[Statement]]) -> list[Statement]:
    return [one for turn in zip_longest(*queues) for one in turn if one]
