"""What the editors share: a statement of the gold answer, and the spans of it that may be edited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halubench.records import Item


@dataclass(frozen=True, slots=True)
class Statement:
    """The base text of a pair: ``item``'s gold answer as one supported statement.

    ``text[start:end]`` is the answer proper inside it; the rest is the frame that both twins keep.
    """

    item: Item
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Site:
    """An editable span ``text[start:end]`` of a statement; ``kind`` is what stands there.

    Kinds: number, percent, money, year, date, direction, comparator, polarity, conclusion,
    quantifier, name, answer.
    """

    start: int
    end: int
    text: str
    kind: str
