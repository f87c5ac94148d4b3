"""Runs many requests at once: rolling window, retries, journal, cost ceiling, input order."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

import tenacity

from halubench.errors import BudgetError, EngineError, InputError
from halubench.models.base import (
    CallFailure,
    Completion,
    RefusedError,
    RetryableError,
    UnreachableError,
)
from halubench.run import canonical, request_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from halubench.models.base import Model, Prices, Request
    from halubench.run import Journal

K = TypeVar("K")
Outcome = Completion | CallFailure

ATTEMPT_S = 4 * 3600.0
"""The last bound on one attempt, for an engine that has none of its own; its queue is included,
which for a whole window behind one slow thread can be long."""
LONGEST_WAIT_S = 60.0
FIRST_ATTEMPTS = 3
"""Attempts at an endpoint that has never answered anything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``window``: requests in flight. ``retries``: further attempts after a passing fault.

    ``max_usd``: the most that one call of :func:`complete_all` may spend; answers that come from
    the journal are free.
    """

    window: int = 64
    retries: int = 6
    max_usd: float | None = None

    def __post_init__(self) -> None:
        if self.window < 1 or self.retries < 0:
            raise InputError(
                f"{self.window} requests in flight with {self.retries} retries is no way to ask.",
                "Give at least 1 in flight and at least 0 retries.",
            )


async def complete_all(
    model: Model, requests: Iterable[tuple[K, Request]], journal: Journal, limits: Limits
) -> AsyncIterator[tuple[K, Outcome]]:
    """Answer every (key, request), yielding (key, outcome) in input order.

    Requests are pulled lazily, at most two windows ahead of what was yielded; closing the iterator
    (``contextlib.aclosing``) cancels what is in flight. An answer is committed to the journal
    before it is yielded; equal requests are asked once. Does not close the model.

    Raises EngineError when the endpoint refuses or never answers, BudgetError when the next
    request could pass ``max_usd`` (after what is in flight has landed), InputError for a ceiling
    without prices, OutputError when the journal cannot be written.
    """
    job = _Job(model, journal, limits)
    source = iter(requests)
    pending: deque[tuple[K, Completion | _Answer]] = deque()
    try:
        while True:
            wanted = 2 * limits.window - len(pending)
            pending.extend((key, job.start(request)) for key, request in islice(source, wanted))
            job.exhausted = len(pending) < 2 * limits.window
            if not pending:
                return
            key, first = pending.popleft()
            yield key, first if isinstance(first, Completion) else await job.outcome(first)
    finally:
        await job.cancel()


def write_payload(completion: Completion) -> str:
    """What the journal keeps of an answer."""
    return json.dumps({name: getattr(completion, name) for name in _KEPT})


def read_payload(payload: str) -> Completion:
    """The answer that :func:`write_payload` kept, marked ``cached``; its cost is what it once was."""
    kept = json.loads(payload)
    pairs = tuple((str(token), float(value)) for token, value in kept.pop("first_logprobs"))
    return Completion(**kept, first_logprobs=pairs, cached=True)


@dataclass(frozen=True, slots=True)
class _Answer:
    """A running request; ``repeat``: an equal one asked first, and pays."""

    task: asyncio.Task[Outcome | None]
    repeat: bool


class _Job:
    """The requests in flight, and what is known of the endpoint so far."""

    def __init__(self, model: Model, journal: Journal, limits: Limits) -> None:
        self._model = model
        self._journal = journal
        self._limits = limits
        self._identity = model.identity()
        self._slots = asyncio.Semaphore(limits.window)
        self._budget = None if limits.max_usd is None else _Budget(model, limits.max_usd)
        self._running: dict[str, asyncio.Task[Outcome | None]] = {}
        self._fatal: BaseException | None = None
        self._started = self._unreachable = 0
        self._answered = False
        self.exhausted = False
        self._retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(RetryableError),
            stop=self._enough,
            wait=_wait,
            reraise=True,
        )
        journal.remember(self._identity)

    def start(self, request: Request) -> Completion | _Answer:
        """The journalled answer, the running task of an equal request, or a new task."""
        if self._fatal is not None:
            raise self._fatal
        key = request_key(self._identity, request)
        if key in self._running:
            return _Answer(self._running[key], repeat=True)
        payload = self._journal.get(key)
        if payload is not None:
            return read_payload(payload)
        task = asyncio.ensure_future(self._ask(key, request))
        self._running[key] = task
        self._started += 1
        task.add_done_callback(partial(self._landed, key))
        return _Answer(task, repeat=False)

    async def outcome(self, answer: _Answer) -> Outcome:
        """Wait for one task. Raises what ended the job, should that happen first."""
        try:
            outcome = await answer.task
        except asyncio.CancelledError:
            if self._fatal is not None:
                raise self._fatal from None
            raise
        if outcome is None:
            await asyncio.gather(*self._running.values())
            raise cast("_Budget", self._budget).error()
        if answer.repeat and isinstance(outcome, Completion):
            return replace(outcome, cached=True)
        return outcome

    async def cancel(self) -> None:
        """End what is still in flight."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _landed(self, key: str, task: asyncio.Task[Outcome | None]) -> None:
        self._running.pop(key, None)
        error = None if task.cancelled() else task.exception()
        if error is None or self._fatal is not None:
            return
        self._fatal = error
        for other in self._running.values():
            other.cancel()

    async def _ask(self, key: str, request: Request) -> Outcome | None:
        """One request with its retries, journalled; None where the ceiling forbids to ask."""
        async with self._slots:
            if self._budget is None:
                return await self._attempts(key, request)
            bound = self._budget.bound(request)
            if not await self._budget.admit(bound):
                return None
            outcome = None
            try:
                outcome = await self._attempts(key, request)
            finally:
                self._budget.settle(bound, outcome)
            return outcome

    async def _attempts(self, key: str, request: Request) -> Outcome:
        attempts = 0

        async def attempt() -> Completion:
            nonlocal attempts
            attempts += 1
            return await self._once(request)

        try:
            completion: Completion = await self._retrying(attempt)
        except RefusedError as error:
            return CallFailure(error.reason, attempts)
        except RetryableError as error:
            self._check_reachable(error)
            return CallFailure(error.reason, attempts)
        completion = replace(completion, attempts=attempts)
        self._journal.put(key, write_payload(completion))
        return completion

    async def _once(self, request: Request) -> Completion:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                completion = await self._model.complete(request)
        except TimeoutError:
            raise UnreachableError(f"no answer within {ATTEMPT_S:.0f} s") from None
        except UnreachableError:
            raise
        except (RetryableError, RefusedError):
            self._answered = True
            raise
        self._answered = True
        return completion

    def _enough(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        most = self._limits.retries + 1
        if isinstance(error, UnreachableError) and not self._answered:
            most = min(most, FIRST_ATTEMPTS)
        return state.attempt_number >= most

    def _check_reachable(self, error: RetryableError) -> None:
        """Give up when a whole first window found nobody there."""
        if self._answered or not isinstance(error, UnreachableError):
            return
        self._unreachable += 1
        window = self._limits.window
        if self._unreachable >= (min(window, self._started) if self.exhausted else window):
            raise EngineError(
                f"{self._model.uri} does not answer: {error.reason}.",
                "Check that the server runs and that its address is right, then run this again.",
            )


class _Budget:
    """Admits a request only while the most it can cost, with all in flight, fits the ceiling."""

    def __init__(self, model: Model, ceiling: float) -> None:
        prices = model.prices()
        if prices is None:
            raise InputError(
                f"A cost ceiling needs the prices of {model.uri}.",
                "Give --price-in and --price-out (US dollars per million tokens).",
            )
        self._prices: Prices = prices
        self._ceiling = ceiling
        self._spent = self._reserved = 0.0
        self._in_flight = 0
        self._over = False
        self._change = asyncio.Event()

    def bound(self, request: Request) -> float:
        """The most that one attempt can cost: no token is shorter than a byte."""
        texts = [content for _, content in request.messages]
        if request.schema is not None:
            texts.append(canonical(request.schema))
        size = sum(len(text.encode("utf-8", "replace")) + 16 for text in texts)
        return self._prices.cost(size, request.sampling.max_tokens)

    async def admit(self, bound: float) -> bool:
        """Wait until ``bound`` fits, or nothing in flight is left that could make it fit."""
        while not self._over and not self._fits(bound) and self._in_flight:
            self._change.clear()
            await self._change.wait()
        self._over = self._over or not self._fits(bound)
        if self._over:
            self._change.set()
            return False
        self._reserved += bound
        self._in_flight += 1
        return True

    def settle(self, bound: float, outcome: Outcome | None) -> None:
        """Put the real cost in the place of the bound."""
        self._in_flight -= 1
        self._reserved = self._reserved - bound if self._in_flight else 0.0
        if isinstance(outcome, Completion):
            self._spent += self._prices.cost(outcome.prompt_tokens, outcome.completion_tokens)
        self._change.set()

    def error(self) -> BudgetError:
        """The sentence for a job that stopped here."""
        return BudgetError(
            f"Stopped at the cost ceiling: {self._spent:.6g} of {self._ceiling:.6g} US dollars are "
            "spent and the next request could pass it.",
            "What was answered is kept: the same command goes on from here, with a ceiling anew.",
        )

    def _fits(self, bound: float) -> bool:
        return self._spent + self._reserved + bound <= self._ceiling


_KEPT = [field.name for field in fields(Completion) if field.name != "cached"]
_EXPONENTIAL = tenacity.wait_exponential_jitter(initial=1, max=LONGEST_WAIT_S)
_JITTER = tenacity.wait_random(0, 0.25)


def _wait(state: tenacity.RetryCallState) -> float:
    """Seconds until the next attempt: what the server asked for, else exponential with jitter."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, RetryableError) and error.retry_after_s is not None:
        return min(error.retry_after_s, LONGEST_WAIT_S) + _JITTER(state)
    return _EXPONENTIAL(state)
