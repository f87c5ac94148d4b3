"""The passage in another layout: lines wrapped, other bullets, no Markdown emphasis.

Its words, numbers and their order stay as they are. Lines of tables (with ``|``, a tab or columns
of spaces) are left alone, and no line is broken beside a digit.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Row
    from halubench.variants.base import VariantOptions, Varied

WIDTH = 72
_TABLE = re.compile(r"\||\t|\S {2,}\S")
_BULLET = re.compile(r"^( *)([-*•]) (?=\S)")
_OTHER = {"-": "*", "*": "-", "•": "-"}
_HEADING = re.compile(r"^#{1,6} +(?=\S)")
_EMPHASIS = re.compile(r"(?<![\w*])\*\*(?=[^\W\d_])([^*\n]*[^\W_])\*\*(?![\w*])")
_BREAK = re.compile(r"(?<=[^\W\d][,;.]| [a-zA-Z]|[^\W\d]{2}) (?=[^\W\d_])")
"""A space after a word and before one: nothing that belongs to a number is parted."""


def vary(rows: Sequence[Row], options: VariantOptions) -> list[Varied]:  # noqa: ARG001  (the contract of variants)
    """Each row with its passage laid out anew."""
    return [replace(row, passage=_laid_out(row.passage)) for row in rows]


def _laid_out(passage: str) -> str:
    return "\n".join(_line(line) for line in passage.split("\n"))


def _line(line: str) -> str:
    if _TABLE.search(line):
        return line
    line = _BULLET.sub(lambda mark: f"{mark[1]}{_OTHER[mark[2]]} ", line)
    return _wrapped(_EMPHASIS.sub(r"\1", _HEADING.sub("", line)))


def _wrapped(line: str) -> str:
    lines = [""]
    for piece in _BREAK.split(line):
        if lines[-1] and len(lines[-1]) + 1 + len(piece) > WIDTH:
            lines.append(piece)
        else:
            lines[-1] = f"{lines[-1]} {piece}" if lines[-1] else piece
    return "\n".join(lines)
