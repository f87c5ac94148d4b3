"""The cells of the tables inside a passage: pipe and HTML tables, and pages with one cell a line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from halubench import values
from halubench.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halubench.values import Value

_DIVIDER = re.compile(r"[\s|:+-]+")
_PIPE = re.compile(r"(?<!\\)\|")
_HTML = re.compile(r"<table\b.*?</table>", re.IGNORECASE | re.DOTALL)
_LONE_VALUE = re.compile(r"[-−–]?\(?[$€£]?\s?\(?[\d,]*\.?\d+\)?\s?%?\)?\s?[$€£]?")
_MOST_COLUMNS = 8
"""Values a row of a page may hold, where each cell stands on a line of its own."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that holds one value. ``row`` is the label at the row's head, ``head`` the text at the
    column's; ``at`` counts (table, row, column)."""

    at: tuple[int, int, int]
    row: str
    head: str
    value: Value


@lru_cache(maxsize=512)
def cells(passage: str) -> tuple[Cell, ...]:
    """The cells with exactly one value of all tables of a passage, in order."""
    found: list[Cell] = []
    for number, rows in enumerate(_tables(passage)):
        heads: dict[int, str] = {}
        for r, row in enumerate(rows):
            label = next((text for text in row if text and not _LONE_VALUE.fullmatch(text)), "")
            for c, text in enumerate(row):
                held = values.find(text)
                if len(held) == 1 and c and held[0].kind != "year" and label:
                    found.append(Cell((number, r, c), label, heads.get(c, ""), held[0]))
                elif text:
                    heads[c] = text
    return tuple(found)


@lru_cache(maxsize=512)
def labels(passage: str) -> tuple[str, ...]:
    """The distinct labels of lines with at least one value, in order."""
    return tuple(dict.fromkeys(cell.row for cell in cells(passage)))


def _tables(passage: str) -> Iterator[list[Sequence[str]]]:
    yield from _pipes(passage)
    for match in _HTML.finditer(passage):
        yield _rows_of_html(match.group())
    if "|" not in passage:
        yield list(_lines(passage))


def _pipes(passage: str) -> Iterator[list[Sequence[str]]]:
    rows: list[Sequence[str]] = []
    for line in [*passage.splitlines(), ""]:
        if line.count("|") < 2:
            if len(rows) > 1:
                yield rows
            rows = []
        elif not _DIVIDER.fullmatch(line):
            parts = _PIPE.split(line.strip().removeprefix("|").removesuffix("|"))
            rows.append([squeeze(part) for part in parts])


class _Table(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = squeeze(f"{self.rows[-1][-1]} {data}")


def _rows_of_html(text: str) -> list[Sequence[str]]:
    table = _Table()
    table.feed(text)
    return [*table.rows]


def _lines(passage: str) -> Iterator[Sequence[str]]:
    """Pages of filings as text: a label on its line, then its values, one a line."""
    row: list[str] = []
    for line in passage.splitlines():
        if _LONE_VALUE.fullmatch(line.strip()):
            row.append(line.strip().rstrip(" $€£"))
        else:
            if 1 < len(row) <= _MOST_COLUMNS + 1:
                yield row
            row = [line.strip()]
    if 1 < len(row) <= _MOST_COLUMNS + 1:
        yield row
