"""Gold answers that code cannot anchor, put before the model: one request an item."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from halubench.models.base import CallFailure, size
from halubench.models.scheduler import complete_all
from halubench.perturb import anchored
from halubench.prompt import load_prompt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Sequence

    from halubench.generate.pen import Pen
    from halubench.models.base import Completion, Request
    from halubench.perturb.base import Statement
    from halubench.records import Item, Rejected

    Unanchored = tuple[Item, Rejected]
    _Answers = AsyncGenerator[tuple[tuple[Unanchored, int], Completion | CallFailure], None]

PROMPT = "statement"


async def by_model(
    unanchored: Sequence[tuple[Item, Rejected]], pen: Pen, tell: Callable[[], None]
) -> list[Statement | Rejected]:
    """What the model makes of each item: a statement, or the rejection with its reason.

    Raises BudgetError, EngineError.
    """
    prompt = load_prompt("anchor", PROMPT)

    def requests() -> Iterator[tuple[tuple[Unanchored, int], Request]]:
        for one in unanchored:
            request = anchored.request(one[0], prompt, pen.manner.seed)
            yield (one, size(request)), request

    found: list[Statement | Rejected] = []
    limits = replace(pen.limits, max_usd=pen.purse.left())
    answers = complete_all(pen.model, requests(), pen.journal, limits)
    async with aclosing(cast("_Answers", answers)):
        async for ((item, rejected), chars), answer in answers:
            tell()
            if isinstance(answer, CallFailure):
                found.append(replace(rejected, reason=f"model: no answer ({answer.reason})"))
                continue
            pen.purse.pay(answer, "anchor", chars, free=answer.cached)
            found.append(anchored.apply(item, answer.text))
    return found
