"""The paragraphs of the passage in another order; a heading stays above what follows it."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Row
    from halubench.variants.base import VariantOptions, Varied

_GAP = re.compile(r"(?:[ \t]*\n){2,}")
_LEADS = re.compile(r"#{1,6}[ \t][^\n]*|(?:[^\n]*\n)*[^\n]*:[ \t]*")
"""A paragraph that belongs to the next: a Markdown heading, or one that ends with a colon."""


def vary(rows: Sequence[Row], options: VariantOptions) -> list[Varied]:
    """Rows of one passage, such as twins, get one order, which ``seed`` decides."""
    return [replace(row, passage=_reordered(row.passage, options.seed)) for row in rows]


def _reordered(passage: str, seed: int) -> str:
    blocks = _blocks(passage)
    rng = Random(digest(str(seed), passage))  # noqa: S311
    order = rng.sample(range(len(blocks)), len(blocks))
    if order == sorted(order):
        order = [*order[1:], *order[:1]]
    return "\n\n".join(blocks[place] for place in order)


def _blocks(passage: str) -> list[str]:
    """The paragraphs, each with the headings above it."""
    blocks: list[str] = []
    led = ""
    for paragraph in _GAP.split(passage.strip("\n")):
        led += paragraph
        if _LEADS.fullmatch(paragraph):
            led += "\n\n"
        else:
            blocks.append(led)
            led = ""
    return [*blocks, led.rstrip("\n")] if led else blocks
