"""Shortcuts: what an answer gives away without anybody reading it against the passage.

Baseline judges score rows by them, the audit measures how well they tell the label.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from halubench import text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class Shown(Protocol):
    """What a judge is shown of a row; an Example and a Row both are."""

    @property
    def passage(self) -> str: ...
    @property
    def question(self) -> str: ...
    @property
    def answer(self) -> str: ...


_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_REPEAT = re.compile(r"(?<!\w)(\w[^\n,;]*?)(?:,|;| and| or)\s+\1(?!\w)", re.IGNORECASE)


def length(row: Shown) -> float:
    """Characters of the answer."""
    return float(len(row.answer))


def overlap(row: Shown) -> float:
    """Share of the answer's word tokens found in the passage, in [0, 1]; an empty answer has 0."""
    return _share(text.words(row.answer), _joined(row.passage))


def numbers(row: Shown) -> float:
    """Share of the answer's numbers found in the passage, in [0, 1]; 1 when it has no number.

    '1,577' equals '1577' and '3.50' equals '3.5'.
    """
    found = _numbers(row.answer)
    if not found:
        return 1.0
    known = _known_numbers(row.passage)
    return sum(number in known for number in found) / len(found)


OVERLAP_FEATURES = (
    "share of the answer's words found in the passage",
    "share of the answer's word pairs found in the passage",
    "share of the answer in its longest run copied from the passage",
)


def overlap_features(rows: Sequence[Shown]) -> NDArray[np.float64]:
    """Unigram, bigram and longest-run coverage of each answer: shape (rows, 3), in [0, 1]."""
    table = [coverage(row.answer, row.passage) for row in rows]
    return np.array(table, dtype=np.float64).reshape(-1, 3)


@lru_cache(maxsize=256)
def coverage(answer: str, passage: str) -> tuple[float, float, float]:
    """The :data:`OVERLAP_FEATURES` of one answer, in [0, 1]."""
    tokens, joined = text.words(answer), _joined(passage)
    pairs = [f"{one} {other}" for one, other in pairwise(tokens)]
    unigrams = _share(tokens, joined)
    bigrams = _share(pairs, joined) if pairs else unigrams
    run = longest_run(tokens, joined) / len(tokens) if tokens else 0.0
    return unigrams, bigrams, run


def longest_run(tokens: Sequence[str], joined: str) -> int:
    """Length of the longest run of ``tokens`` inside ``joined`` (words joined by one space, with
    a space before the first and after the last)."""
    best = 0
    for start in range(len(tokens)):
        while start + best < len(tokens) and _spaced(tokens[start : start + best + 1]) in joined:
            best += 1
    return best


def _share(parts: Sequence[str], joined: str) -> float:
    return sum(f" {part} " in joined for part in parts) / len(parts) if parts else 0.0


def _joined(passage: str) -> str:
    return f" {text.normalise(passage)} "


def _spaced(tokens: Sequence[str]) -> str:
    return f" {' '.join(tokens)} "


def _numbers(string: str) -> list[Decimal]:
    return [Decimal(match.replace(",", "")) for match in _NUMBER.findall(string)]


@lru_cache(maxsize=128)
def _known_numbers(passage: str) -> frozenset[Decimal]:
    return frozenset(_numbers(passage))


def _count(pattern: str) -> Callable[[str], float]:
    compiled = re.compile(pattern)
    return lambda answer: float(len(compiled.findall(answer)))


def _char_share(test: Callable[[str], bool]) -> Callable[[str], float]:
    return lambda answer: sum(map(test, answer)) / len(answer) if answer else 0.0


SURFACE: dict[str, Callable[[str], float]] = {
    "list marks such as ['": lambda answer: float(
        bool(re.search(r"\[\s*['\"\d]|['\"\d]\s*\]", answer))
    ),
    "repeated spans such as '56, 56'": lambda answer: float(bool(_REPEAT.search(answer))),
    "characters": lambda answer: float(len(answer)),
    "words": lambda answer: float(len(text.words(answer))),
    "characters per word": lambda answer: len(answer) / max(1, len(text.words(answer))),
    "share of digits": _char_share(str.isdigit),
    "share of capitals": _char_share(str.isupper),
    "share of non-ASCII characters": _char_share(lambda char: not char.isascii()),
    "capital at the start": lambda answer: float(answer[:1].isupper()),
    "full stop at the end": lambda answer: float(answer.rstrip().endswith((".", "!", "?"))),
    "commas": _count(","),
    "full stops": _count(r"\.(?!\d)"),
    "semicolons and colons": _count("[;:]"),
    "dashes": _count("[-–—]"),
    "brackets": _count(r"[()\[\]{}]"),
    "quotation marks": _count("[\"'“”‘’]"),
    "percent and currency signs": _count("[%$€£]"),
    "numbers": _count(_NUMBER.pattern),
    "decimals": _count(r"\d\.\d"),
    "comma-grouped numbers": _count(r"\d,\d{3}"),
    "lines": _count(r"\n"),
    "spaces doubled or at the ends": _count(r"  |^\s|\s$"),
}
"""Name -> surface feature of an answer: how it is written, not what it says. Marks of a careless
pen come first: of equally telling features the first is named."""


def surface_features(rows: Sequence[Shown]) -> NDArray[np.float64]:
    """The :data:`SURFACE` features of each answer: shape (rows, features), unscaled."""
    table = [[feature(row.answer) for feature in SURFACE.values()] for row in rows]
    return np.array(table, dtype=np.float64).reshape(-1, len(SURFACE))
