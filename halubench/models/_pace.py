"""How fast an endpoint is asked: requests and tokens a minute, how many at a time, which pauses.

Two token buckets in their virtual-scheduling form (the generic cell rate algorithm, ITU-T I.371),
and a window that halves when the endpoint is overrun and grows by one for each window of answers
(additive increase, multiplicative decrease; Chiu and Jain 1989).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halubench.models.base import Completion, Request, RetryableError

BURST_S = 1.0
"""How many seconds' worth of a bucket may be used at once."""
LONGEST_WAIT_S = 60.0
"""The longest wait before a further attempt."""
_JITTER_S = 0.25
_BYTES_A_TOKEN = 4
"""About, of English; only the first guess, which the answer's own count puts right."""


@dataclass(slots=True)
class Bucket:
    """So many units a minute; None: no bound."""

    per_minute: float | None
    _next: float = 0.0

    def take(self, units: float, now: float) -> float:
        """Take units; the seconds to wait before they may be used."""
        if not self.per_minute:
            return 0.0
        start = max(self._next, now - BURST_S)
        self._next = start + 60 * units / self.per_minute
        return max(0.0, start - now)

    def give_back(self, units: float) -> None:
        """Return units that were taken and not used; less than none were used beyond."""
        if self.per_minute:
            self._next -= 60 * units / self.per_minute


class Pace:
    """What is known of one endpoint's limits; what the user told stands, the rest is learnt."""

    def __init__(self, window: int, rpm: float | None, tpm: float | None) -> None:
        self._window = self._allowed = float(window)
        self._told = (rpm, tpm)
        self._requests, self._tokens = Bucket(rpm), Bucket(tpm)
        self._cut_at = self._paused_until = 0.0
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def turn(self, tokens: int) -> float:
        """Wait until a request of about so many tokens may be sent; the time when that is. Call
        :meth:`leave` once it is over, however it ended."""
        while self._in_flight >= int(self._allowed):
            self._waiting.append(asyncio.get_running_loop().create_future())
            await self._waiting[-1]
        self._in_flight += 1
        try:
            return await self._time(tokens)
        except asyncio.CancelledError:
            self.leave()
            raise

    def leave(self) -> None:
        """A request is not in flight any more."""
        self._in_flight -= 1
        free = int(self._allowed) - self._in_flight
        while free > 0 and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                free -= 1

    async def _time(self, tokens: int) -> float:
        now = monotonic()
        wait = max(self._requests.take(1, now), self._tokens.take(tokens, now))
        while wait > 0 or self._paused_until > now:
            await asyncio.sleep(max(wait, self._paused_until - now))
            wait, now = 0.0, monotonic()
        return now

    def answered(self, guessed: int, answer: Completion) -> None:
        """An answer came to a request that :meth:`turn` let go with so many tokens guessed."""
        self._allowed = min(self._window, self._allowed + 1 / self._allowed)
        used = answer.prompt_tokens + answer.completion_tokens
        if used:
            self._tokens.give_back(guessed - used)
        quota, (rpm, tpm) = answer.quota, self._told
        if quota is not None:
            self._requests.per_minute = rpm or quota.rpm
            self._tokens.per_minute = tpm or quota.tpm

    def overrun(self, sent_at: float, wait_s: float | None) -> None:
        """The endpoint wants to be asked less: halve, once for all that was in flight, and let
        everything wait as long as it says."""
        if sent_at >= self._cut_at:
            self._cut_at = monotonic()
            self._allowed = max(1.0, self._allowed / 2)
        if wait_s:
            until = monotonic() + min(wait_s, LONGEST_WAIT_S)
            self._paused_until = max(self._paused_until, until)


def guess_tokens(request: Request) -> int:
    """About how many tokens a request and its answer will take, as a provider's limit counts."""
    text = sum(len(content) for _, content in request.messages)
    return text // _BYTES_A_TOKEN + request.sampling.max_tokens


def wait_before(attempt: int, error: RetryableError) -> float:
    """Seconds before the attempt after ``attempt`` (from 1): what the server asked for, else a
    second doubled each time, with jitter."""
    if error.retry_after_s is not None:
        return min(error.retry_after_s, LONGEST_WAIT_S) + random.uniform(0, _JITTER_S)  # noqa: S311
    return min(2.0 ** (attempt - 1) + random.random(), LONGEST_WAIT_S)  # noqa: S311
