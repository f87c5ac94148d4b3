"""The cost ceiling: what may still be sent without passing it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from halubench.errors import BudgetError, InputError
from halubench.models.base import Completion
from halubench.run import canonical

if TYPE_CHECKING:
    from halubench.models.base import CallFailure, Model, Prices, Request


class Budget:
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
        while not self._over and not self.fits(bound) and self._in_flight:
            self._change.clear()
            await self._change.wait()
        self._over = self._over or not self.fits(bound)
        if self._over:
            self._change.set()
            return False
        self._reserved += bound
        self._in_flight += 1
        return True

    def settle(self, bound: float, outcome: Completion | CallFailure | None) -> None:
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

    def fits(self, bound: float) -> bool:
        """Whether one more request of that bound leaves the ceiling unbroken."""
        return self._spent + self._reserved + bound <= self._ceiling
