"""Where two answers differ, so that a reader sees the edit at a glance."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Span = tuple[int, int]
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


def differing(one: str, other: str) -> tuple[list[Span], list[Span]]:
    """The [start, end) spans (characters) of each text that the other does not have there.

    Words are compared whole; blanks between two changed words belong to the change. What is left
    of either text without its spans is the same text.
    """
    ours, theirs = _TOKEN.findall(one), _TOKEN.findall(other)
    at, there = _starts(ours), _starts(theirs)
    spans: tuple[list[Span], list[Span]] = ([], [])
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for what, a, b, c, d in _joined(matcher.get_opcodes(), ours):
        if what != "equal":
            if b > a:
                spans[0].append((at[a], at[b]))
            if d > c:
                spans[1].append((there[c], there[d]))
    return spans


_Code = tuple[str, int, int, int, int]


def _joined(codes: Sequence[_Code], tokens: list[str]) -> list[_Code]:
    """The same edits, with the blanks between two of them made part of one."""
    found: list[_Code] = []
    for index, code in enumerate(codes):
        what, a, b, c, d = code
        inside = 0 < index < len(codes) - 1
        if what == "equal" and inside and not "".join(tokens[a:b]).strip():
            what = "replace"
        if found and what != "equal" and found[-1][0] != "equal":
            _, a, _, c, _ = found.pop()
        found.append((what, a, b, c, d))
    return found


def _starts(tokens: list[str]) -> list[int]:
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len(token))
    return starts
