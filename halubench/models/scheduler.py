"""Runs many requests at once: rolling window, pace, retries, journal, cost ceiling, input order."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar, cast

from halubench.errors import EngineError, InputError, OutputError
from halubench.models._budget import Budget
from halubench.models._bulk import complete_groups
from halubench.models._pace import Pace, guess_tokens, wait_before
from halubench.models._payload import read_payload, write_payload
from halubench.models.base import (
    BulkModel,
    CallFailure,
    Completion,
    RefusedError,
    RetryableError,
    ThrottledError,
    UnreachableError,
)
from halubench.run import request_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from halubench.models.base import ChatModel, EngineOptions, Model, Request
    from halubench.run import Journal

K = TypeVar("K")
Outcome = Completion | CallFailure

LOOKAHEAD = 4
"""How many windows of requests are pulled beyond the first that has no answer yet."""
PULLED = 16
"""How many requests, at least, are pulled and looked up in the journal together."""
FIRST_ATTEMPTS = 3
"""Attempts at an endpoint that has never answered anything."""


@dataclass(frozen=True, slots=True)
class Limits:
    """``window``: most requests in flight. ``retries``: further attempts after a passing fault.

    ``max_usd``: the most that one call of :func:`complete_all` may spend; answers that come from
    the journal are free. ``rpm`` and ``tpm``: requests and tokens a minute; None: learnt from the
    endpoint's headers where it has them.
    """

    window: int = 64
    retries: int = 6
    max_usd: float | None = None
    rpm: float | None = None
    tpm: float | None = None

    def __post_init__(self) -> None:
        if self.window < 1 or self.retries < 0:
            raise InputError(
                f"{self.window} requests in flight with {self.retries} retries is no way to ask.",
                "Give at least 1 in flight and at least 0 retries.",
            )

    @classmethod
    def of(cls, engine: EngineOptions, retries: int, max_usd: float | None = None) -> Limits:
        """The limits that a user's options mean."""
        return cls(engine.window, retries, max_usd, engine.rpm, engine.tpm)


async def complete_all(
    model: Model, requests: Iterable[tuple[K, Request]], journal: Journal, limits: Limits
) -> AsyncIterator[tuple[K, Outcome]]:
    """Answer every (key, request), yielding (key, outcome) in input order.

    Requests are pulled lazily, at most LOOKAHEAD windows ahead of what was yielded; closing the
    iterator (``contextlib.aclosing``) cancels what is in flight. An answer is committed to the
    journal before it is yielded and before another request takes its place in flight; equal
    requests are asked once. Does not close the model.

    Raises EngineError when the endpoint refuses or never answers, BudgetError when the next
    request could pass ``max_usd`` (after what is in flight has landed), InputError for a ceiling
    without prices, OutputError when the journal cannot be written.
    """
    if isinstance(model, BulkModel):
        async with aclosing(complete_groups(model, requests, journal, limits)) as pairs:
            async for pair in pairs:
                yield pair
        return
    job = _Job(cast("ChatModel", model), journal, limits)
    source = iter(requests)
    pending: deque[tuple[K, Completion | _Asked]] = deque()
    most = LOOKAHEAD * limits.window
    few = min(PULLED, limits.window)
    try:
        while True:
            room = most - len(pending)
            if room >= few and not job.exhausted:
                pulled = list(islice(source, room))
                job.exhausted = len(pulled) < room
                started = job.start([request for _, request in pulled])
                pending.extend(zip([key for key, _ in pulled], started, strict=True))
            if not pending:
                return
            key, first = pending.popleft()
            yield key, first if isinstance(first, Completion) else await job.outcome(first)
    finally:
        await job.cancel()


@dataclass(slots=True)
class _Asked:
    """A request that will have an outcome (None: the ceiling forbade to ask it); ``repeat``: an
    equal one was asked first, and pays."""

    outcome: asyncio.Future[Outcome | None]
    repeat: bool = False


class _Job:
    """The requests in flight, and what is known of the endpoint so far.

    As many workers as may be in flight take requests from one queue, and end with it.
    """

    def __init__(self, model: ChatModel, journal: Journal, limits: Limits) -> None:
        self._model = model
        self._journal = journal
        self._limits = limits
        self._identity = model.identity()
        self._loop = asyncio.get_running_loop()
        self._pace = Pace(limits.window, limits.rpm, limits.tpm)
        self._budget = None if limits.max_usd is None else Budget(model, limits.max_usd)
        self._queue: deque[tuple[str, Request]] = deque()
        self._open: dict[str, asyncio.Future[Outcome | None]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._commits = _Commits(journal)
        self._fatal: BaseException | None = None
        self._started = self._unreachable = 0
        self._answered = False
        self.exhausted = False
        journal.remember(self._identity)

    def start(self, requests: Sequence[Request]) -> list[Completion | _Asked]:
        """Of each the journalled answer, the outcome of an equal request in flight, or a new one's."""
        if self._fatal is not None:
            raise self._fatal
        keys = [request_key(self._identity, request) for request in requests]
        held = self._journal.get_all(keys)
        return [self._start(*one, held) for one in zip(keys, requests, strict=True)]

    def _start(self, key: str, request: Request, held: Mapping[str, str]) -> Completion | _Asked:
        if key in self._open:
            return _Asked(self._open[key], repeat=True)
        if key in held:
            return read_payload(held[key])
        self._open[key] = self._loop.create_future()
        self._queue.append((key, request))
        self._started += 1
        if len(self._workers) < self._limits.window:
            worker = self._loop.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._ended)
        return _Asked(self._open[key])

    async def outcome(self, asked: _Asked) -> Outcome:
        """Wait for one outcome. Raises what ended the job, should that happen first."""
        try:
            outcome = await asked.outcome
        except asyncio.CancelledError:
            if self._fatal is not None:
                raise self._fatal from None
            raise
        if self._budget is not None and outcome is None:
            await asyncio.gather(*self._workers)
            raise self._budget.error()
        if asked.repeat and isinstance(outcome, Completion):
            return replace(outcome, cached=True)
        assert outcome is not None
        return outcome

    async def cancel(self) -> None:
        """End what is still in flight; what has landed is kept."""
        self._queue.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        self._commits.flush()

    async def _work(self) -> None:
        while self._queue:
            key, request = self._queue.popleft()
            said = await self._ask(key, request)
            outcome = self._open.pop(key)
            if not outcome.done():
                outcome.set_result(said)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        if error is None or self._fatal is not None:
            return
        self._fatal = error
        self._queue.clear()
        for other in self._workers:
            other.cancel()
        for outcome in self._open.values():
            outcome.cancel()

    async def _ask(self, key: str, request: Request) -> Outcome | None:
        """One request with its retries, journalled; None where the ceiling forbids to ask."""
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
        while True:
            attempts += 1
            try:
                completion = await self._once(request)
            except RefusedError as error:
                return CallFailure(error.reason, attempts)
            except RetryableError as error:
                if attempts > self._retries(error):
                    self._check_reachable(error)
                    return CallFailure(error.reason, attempts)
                await asyncio.sleep(wait_before(attempts, error))
            else:
                if attempts > 1:
                    completion = replace(completion, attempts=attempts)
                await self._commits.put(key, write_payload(completion))
                return completion

    async def _once(self, request: Request) -> Completion:
        guess = guess_tokens(request)
        sent_at = await self._pace.turn(guess)
        try:
            completion = await self._model.complete(request)
        except UnreachableError:
            raise
        except ThrottledError as error:
            self._answered = True
            self._pace.overrun(sent_at, error.retry_after_s)
            raise
        except (RetryableError, RefusedError):
            self._answered = True
            raise
        finally:
            self._pace.leave()
        self._answered = True
        self._pace.answered(guess, completion)
        return completion

    def _retries(self, error: RetryableError) -> int:
        if isinstance(error, UnreachableError) and not self._answered:
            return min(self._limits.retries, FIRST_ATTEMPTS - 1)
        return self._limits.retries

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


class _Commits:
    """Commits all answers of two turns of the event loop in one transaction.

    An answer takes about two turns to be read; what came with the first is then ready as well.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[str, str, asyncio.Future[None]]] = []

    async def put(self, key: str, payload: str) -> None:
        """Keep a payload; committed on return. Raises OutputError."""
        done: asyncio.Future[None] = self._loop.create_future()
        if not self._waiting:
            self._loop.call_soon(self._loop.call_soon, self.flush)
        self._waiting.append((key, payload, done))
        await done

    def flush(self) -> None:
        """Commit what waits, and tell those who wait for it."""
        batch, self._waiting = self._waiting, []
        if not batch:
            return
        try:
            self._journal.put_all([(key, payload) for key, payload, _ in batch])
        except OutputError as error:
            for *_, done in batch:
                if not done.done():
                    done.set_exception(error)
        else:
            for *_, done in batch:
                if not done.done():
                    done.set_result(None)
