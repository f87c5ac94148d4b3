"""Asks a teacher for reasoning, through the journal; what does not serve is asked for again."""

from __future__ import annotations

from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from halubench.judges.modes import SCHEMA
from halubench.models import open_model
from halubench.models.base import CallFailure, EngineOptions, Request, Sampling
from halubench.models.scheduler import Limits, complete_all
from halubench.prompt import load_prompt
from halubench.records import Rejected
from halubench.train import reasoning

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from halubench.models.base import Completion, Model
    from halubench.prompt import Prompt
    from halubench.records import Example
    from halubench.run import Journal

    _Answers = AsyncGenerator[tuple["Task", Completion | CallFailure], None]

TEMPERATURES = (0.0, 0.7, 1.0)
"""One a try: a row is asked about at most this often."""
MAX_TOKENS = 600
"""As many as the judge itself may write when it is evaluated."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """Who writes the reasoning: a model URI and a prompt of ``prompts/reason/``."""

    uri: str
    prompt: str = "lynx"
    engine: EngineOptions = field(default_factory=EngineOptions)
    retries: int = 6
    max_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One row, and what only the teacher is told of it."""

    row: Example
    change: str = ""
    gold: str = ""


@dataclass(slots=True)
class Lesson:
    """``points`` by row id; ``tries`` counts the replies that did not serve, by reason.

    ``missing`` are the rows without an answer from the endpoint: another run asks them again.
    """

    points: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    tries: Counter[str] = field(default_factory=Counter[str])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    spent: float = 0.0
    """US dollars of this command alone; answers from the journal are free."""


async def teach(
    tasks: Sequence[Task], teacher: Teacher, journal: Journal, tell: Callable[[], None]
) -> Lesson:
    """The reasoning for every task, or the reason why there is none.

    Raises EngineError when the endpoint refuses every request and BudgetError at the ceiling;
    what was answered is in the journal.
    """
    model = open_model(teacher.uri, teacher.engine)
    prompt = load_prompt("reason", teacher.prompt)
    lesson = Lesson()
    left = list(tasks)
    try:
        for sample in range(len(TEMPERATURES)):
            left = await _round(_Round(model, prompt, teacher, sample), left, lesson, journal, tell)
    finally:
        await model.aclose()
    return lesson


@dataclass(frozen=True, slots=True)
class _Round:
    model: Model
    prompt: Prompt
    teacher: Teacher
    sample: int

    @property
    def last(self) -> bool:
        return self.sample == len(TEMPERATURES) - 1

    def request(self, task: Task) -> Request:
        row = task.row
        messages = self.prompt.messages(
            question=row.question,
            passage=row.passage,
            answer=row.answer,
            label=row.label,
            change=task.change,
            gold=task.gold,
        )
        sampling = Sampling(temperature=TEMPERATURES[self.sample], max_tokens=MAX_TOKENS)
        return Request(messages, sampling, SCHEMA, sample=self.sample)

    def limits(self, spent: float) -> Limits:
        ceiling = self.teacher.max_usd
        left = None if ceiling is None else max(0.0, ceiling - spent)
        return Limits(self.teacher.engine.window, self.teacher.retries, left)


async def _round(
    this: _Round, tasks: Sequence[Task], lesson: Lesson, journal: Journal, tell: Callable[[], None]
) -> list[Task]:
    """Ask once for every task; those that are to be asked again."""
    again: list[Task] = []
    requests = ((task, this.request(task)) for task in tasks)
    answers = complete_all(this.model, requests, journal, this.limits(lesson.spent))
    async with aclosing(cast("_Answers", answers)) as answers:
        async for task, answer in answers:
            reason = _take(task, answer, lesson)
            if reason and not this.last:
                again.append(task)
            elif reason:
                row = task.row
                lesson.rejected.append(Rejected(row.source_ds, row.id, "reasoning", reason))
            if not reason or this.last:
                tell()
    return again


def _take(task: Task, answer: Completion | CallFailure, lesson: Lesson) -> str:
    """Keep the points of a reply that serves; the reason of one that does not."""
    if isinstance(answer, CallFailure):
        lesson.missing[task.row.id] = answer.reason
        return ""
    _book(lesson, answer)
    said, score = reasoning.points(answer.text)
    reason = reasoning.fault(said, task.row, task.change, task.gold)
    if not reason and score != task.row.label:
        reason = "ends at another score" if score else "has no score"
    if reason:
        lesson.tries[reason] += 1
    else:
        lesson.points[task.row.id] = said
    return reason


def _book(lesson: Lesson, answer: Completion) -> None:
    lesson.calls += 1
    lesson.prompt_tokens += answer.prompt_tokens
    lesson.completion_tokens += answer.completion_tokens
    lesson.spent += 0.0 if answer.cached else answer.cost_usd or 0.0
