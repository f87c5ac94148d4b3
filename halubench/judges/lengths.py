"""Finds the rows that a prompted judge's context cannot hold, and cuts their passages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.judges import _hf as hf
from halubench.judges.overflow import pieces, too_long

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.judges.overflow import Count, LengthOptions
    from halubench.models.base import Ruler
    from halubench.records import Row

MARGIN = 64
"""Tokens left for what a chat template adds."""
BYTES_A_TOKEN = 1.5
"""The estimate where nobody counts: the least of 2,000 passages of HaluBench's kind, for a
tokenizer that makes a token of each digit, was 1.57; English prose has about 4."""
ESTIMATED = f" by an estimate of {BYTES_A_TOKEN} bytes a token (--tokenizer counts exactly)"


@dataclass(frozen=True)
class Fitter:
    """``render`` gives the whole prompt of a row, ``reserved`` the tokens of its answer."""

    judge: str
    render: Callable[[Row], str]
    reserved: int
    ruler: Ruler
    options: LengthOptions

    async def fit(self, rows: Sequence[Row]) -> dict[int, list[Row]]:
        """By place, the rows that do not fit, each as the rows to ask instead: its passage's start
        or windows; none where question and answer alone are too long.

        Empty where nobody knows the context. Raises InputError for such rows under the policy
        ``error``, and for another policy where nobody knows the context.
        """
        context = self.options.context or self.ruler.context
        if context is None and (self.options.tokenizer or self.options.overflow != "error"):
            what = f"Nobody tells how many tokens {self.judge} can read, so no row is too long."
            raise InputError(what, "Give --context, or leave out --overflow and --tokenizer.")
        if context is None:
            return {}
        limit = context - self.reserved - MARGIN
        count, exact = counter(self.ruler, self.options.tokenizer)
        long: dict[int, Row] = {}
        for place, row in enumerate(rows):
            prompt = self.render(row)
            # No token is shorter than a byte, so most rows need no counting.
            if len(prompt.encode("utf-8", "replace")) > limit and await count(prompt) > limit:
                long[place] = row
        if long and self.options.overflow == "error":
            ids = [row.id for row in long.values()]
            raise too_long(self.judge, ids, len(rows), context, "" if exact else ESTIMATED)
        return {place: await self._cut(row, limit, count) for place, row in long.items()}

    async def _cut(self, row: Row, limit: int, count: Count) -> list[Row]:
        room = limit - await count(self.render(replace(row, passage="")))
        cut = await pieces(row.passage, room, count, self.options.overflow)
        return [replace(row, passage=piece) for piece in cut]


def counter(ruler: Ruler, tokenizer: str) -> tuple[Count, bool]:
    """What counts the tokens of a text, and whether it does so as the model does."""
    if tokenizer:
        return by_tokenizer(tokenizer), True
    told = ruler.count
    if told is None:
        return estimate, False

    async def by_engine(text: str) -> int:
        tokens = await told(text)
        return await estimate(text) if tokens is None else tokens

    return by_engine, True


def by_tokenizer(name: str) -> Count:
    """Counting by a tokenizer of transformers. Raises MissingExtraError or InputError."""
    read = hf.tokenizer(name)

    async def count(text: str) -> int:
        return len(read(text, add_special_tokens=False)["input_ids"])

    return count


async def estimate(text: str) -> int:
    """More tokens than a text of the usual kind has."""
    return ceil(len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN)
