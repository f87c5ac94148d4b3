"""What is done with a passage longer than a judge's context."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from halubench.errors import InputError
from halubench.records import Unscored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from halubench.judges.modes import Reading

    Count: TypeAlias = Callable[[str], Awaitable[int]]
    """The tokens of a text."""

Policy = Literal["error", "truncate", "window"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
NO_ROOM = "question and answer alone fill the judge's context"
LEAST_ROOM = 32
"""Tokens of a passage below which there is nothing to judge by."""
EDGE = 0.1
"""The share of a window in which white space is looked for, to cut at."""


@dataclass(frozen=True, slots=True)
class LengthOptions:
    """``overflow``: ``error`` (stop before anything is asked), ``truncate`` (the passage's start
    is judged) or ``window`` (overlapping windows are judged; one that supports the answer is
    enough).

    ``context``: most tokens of prompt and answer together; None: as the engine says.
    ``tokenizer``: repository or folder of the tokenizer that counts; empty: the engine's.
    """

    overflow: Policy = "error"
    context: int | None = None
    tokenizer: str = ""

    def __post_init__(self) -> None:
        """Raise InputError for an unknown policy."""
        if self.overflow not in POLICIES:
            known = ", ".join(POLICIES)
            raise InputError(f"There is no --overflow {self.overflow!r}.", f"Known: {known}.")


def too_long(judge: str, ids: Sequence[str], rows: int, limit: int, how: str = "") -> InputError:
    """The error for rows that do not fit, under the policy ``error``; ``how`` they were counted."""
    return InputError(
        f"{len(ids)} of {rows} rows do not fit the {limit} tokens of {judge}{how}, "
        f"the first of them id {ids[0]!r}.",
        "Give --overflow window (judge overlapping windows) or --overflow truncate.",
    )


async def pieces(passage: str, room: int, count: Count, overflow: Policy) -> list[str]:
    """The passage as pieces of at most ``room`` tokens: its start, or overlapping windows.

    ``count`` gives the tokens of a text. No piece at all where there is no room for any.
    """
    if room < LEAST_ROOM:
        return []
    size = len(passage) * room // max(await count(passage), 1)
    while size > 0:
        found = windows(passage, size)
        found = found[:1] if overflow == "truncate" else found
        if max([await count(piece) for piece in found]) <= room:
            return found
        size = size * 9 // 10
    return []


def windows(text: str, size: int) -> list[str]:
    """Windows of at most ``size`` characters, evenly placed, that overlap by about a quarter and
    begin and end at white space where there is any near."""
    if len(text) <= size:
        return [text]
    overlap = size // 4
    number = ceil((len(text) - overlap) / (size - overlap))
    step = (len(text) - size) / (number - 1)
    starts = [round(i * step) for i in range(number)]
    edge = int(size * EDGE)
    return [
        text[_forward(text, start, edge) if start else 0 : _back(text, start + size, edge)]
        for start in starts
    ]


def any_supports(readings: Sequence[Reading]) -> Reading:
    """One verdict of those of a passage's windows: PASS where one says PASS, FAIL where all say
    FAIL, else the first that could not be read. P(FAIL) is the least among the deciding ones."""
    passing = [each for each in readings if each.verdict == "PASS"]
    unread = [each for each in readings if isinstance(each.verdict, Unscored)]
    if unread and not passing:
        return unread[0]
    return min(passing or readings, key=lambda each: 1.0 if each.p_fail is None else each.p_fail)


def _forward(text: str, start: int, edge: int) -> int:
    """The first place after white space from ``start`` on, at most ``edge`` away."""
    near = range(start, start + edge)
    return next((place for place in near if text[place - 1].isspace()), start)


def _back(text: str, end: int, edge: int) -> int:
    """The last white space up to ``end``, at most ``edge`` away."""
    if end >= len(text):
        return len(text)
    return next((place for place in range(end, end - edge, -1) if text[place].isspace()), end)
