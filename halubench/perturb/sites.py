"""Finds the spans of a statement that may be edited, and what stands there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb.base import Site

if TYPE_CHECKING:
    from halubench.perturb.base import Statement

NAME = re.compile(
    r"\b(?:[A-Z][\w'’]*(?:-[\w]+)*)(?:\s+(?:of|de|van|von|the|and)?\s?[A-Z][\w'’]*(?:-[\w]+)*)*"
)
_ROMAN = re.compile(r"[IVXLC]+|[A-Z]\.?|AM|PM|Mr|Mrs|Dr|Ms")
_BEFORE = re.compile(r"(?<![\w-])(?P<word>[a-z]+),? \(?$")
_COMMON = frozenset(("and", "or", "the", "of", "a", "an", "that", "as", "to", "s"))
_NOT_NAMES = frozenset(
    [
        "The",
        "This",
        "That",
        "These",
        "Those",
        "It",
        "In",
        "On",
        "At",
        "For",
        "And",
        "But",
        "Or",
        "If",
        "When",
        "While",
        "After",
        "Before",
        "As",
        "By",
        "With",
        "From",
        "We",
        "Our",
        "They",
        "He",
        "She",
        "There",
        "Here",
        "What",
        "Which",
        "Who",
        "How",
        "Where",
        "Why",
        "Is",
        "Are",
        "Was",
        "Were",
        "Did",
        "Does",
        "Do",
        "Has",
        "Have",
        "Yes",
        "No",
        "Not",
        "All",
        "Both",
        "Some",
        "Most",
        "Many",
        "Each",
        "Also",
        "However",
        "Thus",
        "Total",
        "Table",
        "Figure",
        "Abstract",
        "Text",
        "Company",
        "Item",
        "Note",
        "Net",
        "Other",
        "Results",
        "Conclusion",
        "Background",
        "Methods",
        *"January February March April May June July August September October November December".split(),  # noqa: SIM905
        *"Monday Tuesday Wednesday Thursday Friday Saturday Sunday Christmas Easter".split(),  # noqa: SIM905
    ]
)


def find(statement: Statement) -> list[Site]:
    """The editable spans of the statement's answer: values and names, then the answer as a whole."""
    text = statement.text
    inside = [
        Site(v.start, v.end, v.text, v.kind)
        for v in values.find(text)
        if statement.start <= v.start and v.end <= statement.end
    ]
    taken = [(site.start, site.end) for site in inside]
    for start, end, name in names(text):
        if statement.start <= start and end <= statement.end and not _overlaps(start, end, taken):
            inside.append(Site(start, end, name, "name"))
    if not is_whole_text(statement):
        whole = text[statement.start : statement.end]
        inside.append(Site(statement.start, statement.end, whole, "answer"))
    return sorted(inside, key=lambda site: (site.start, site.end))


def is_whole_text(statement: Statement) -> bool:
    """Whether the answer is the whole statement (prose), rather than a part of a frame."""
    return statement.start == 0 and statement.end == len(statement.text)


def names(text: str) -> list[tuple[int, int, str]]:
    """(start, end, text) of capitalised names and acronyms; common sentence openers are left out."""
    found: list[tuple[int, int, str]] = []
    for match in NAME.finditer(text):
        start, name = match.start(), match.group()
        first, space, rest = name.partition(" ")
        if first in _NOT_NAMES:
            if not space:
                continue
            start, name = start + len(first) + 1, rest
        if len(name) > 1 and not name.isdigit():
            found.append((start, start + len(name), name))
    return found


@lru_cache(maxsize=4096)
def proper_names(passage: str) -> dict[str, frozenset[str]]:
    """Distinct names of the passage's prose, each with the lower-case words that stand before it.

    A capital at the head of a sentence, or in a title, heading or table, proves no name: the name
    has to follow a lower-case word somewhere. Names that follow the same words ("in", "by",
    "quarterback") are of one kind.
    """
    found: dict[str, set[str]] = {}
    for start, _, name in names(passage):
        before = _BEFORE.search(passage[max(0, start - 30) : start])
        if before and not _ROMAN.fullmatch(name):
            found.setdefault(name, set()).add(before["word"])
    return {name: frozenset(contexts - _COMMON) for name, contexts in found.items()}


def _overlaps(start: int, end: int, taken: list[tuple[int, int]]) -> bool:
    return any(start < other_end and other_start < end for other_start, other_end in taken)
