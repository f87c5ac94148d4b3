"""The label-keeping twin of a value's edit: both twins get the value in another spelling.

Then the PASS answer is edited as much as the FAIL answer, and neither is the passage's own text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from num2words import num2words

from halubench import values
from halubench.perturb.ground import Proposal, recase

if TYPE_CHECKING:
    from random import Random

    from halubench.values import Value

LARGEST_WORD = 12
"""Whole numbers up to this are written in words as well as in digits."""
SHARE = 0.5
"""Share of the edits, where another spelling is there, that respell."""
_PERCENT = re.compile(r"(?<=\d)%")
_PERCENT_WORD = re.compile(r"(?<=\d) (?:percent|per cent)\b")
_MONTH_FIRST = re.compile(rf"({values.MONTHS})\.? (\d{{1,2}}),? (\d{{4}})")
_DAY_FIRST = re.compile(rf"(\d{{1,2}}) ({values.MONTHS})\.?,? (\d{{4}})")


def edit(text: str, value: Value, new: str, level: str, random: Random) -> Proposal:
    """The proposal that ``new`` stands for the value's digits or word, often with both
    twins respelled where the value has another spelling. A date is replaced as a whole."""
    start, end = value.core
    change = f"{text[start:end]} -> {new}"
    wrong = text[value.start : start] + new + text[end : value.end]
    kept, other = respell(value.text), respell(wrong)
    if kept and other and _fits(text, value) and random.random() < SHARE:
        first = "A" if value.start == 0 else text[value.start]
        kept, other = recase(first, kept), recase(first, other)
        return Proposal(value.start, value.end, other, level, change, kept)
    return Proposal(start, end, new, level, change)


def exchange(value: Value, match: re.Match[str], new: str, random: Random) -> Proposal:
    """The proposal that ``new`` stands for what was matched inside the value's text (L1), likewise."""
    told = value.text[: match.start()] + new + value.text[match.end() :]
    change, kept, other = f"{match.group()} -> {new}", respell(value.text), respell(told)
    if kept and other and value.kind == "number" and random.random() < SHARE:
        return Proposal(value.start, value.end, other, "L1", change, kept)
    start, end = (value.start + at for at in match.span())
    return Proposal(start, end, new, "L1", change)


def respell(value: str) -> str | None:
    """The same value in another spelling; None where there is no safe one."""
    for pattern, other in ((_PERCENT, " percent"), (_PERCENT_WORD, "%")):
        if pattern.search(value):
            return pattern.sub(other, value)
    if _MONTH_FIRST.fullmatch(value):
        return _MONTH_FIRST.sub(r"\2 \1 \3", value)
    if _DAY_FIRST.fullmatch(value):
        return _DAY_FIRST.sub(r"\2 \1, \3", value)
    number, space, unit = value.partition(" ")
    if number.isdigit() and 1 < int(number) <= LARGEST_WORD:
        return f"{num2words(int(number))}{space}{unit}"
    word = values.NUMBER_WORDS.get(number.lower())
    return f"{word}{space}{unit}" if word and 1 < word <= LARGEST_WORD else None


def _fits(text: str, value: Value) -> bool:
    """Whether words may stand there: no hyphen, sign or quotation mark clings to the value."""
    around = text[max(0, value.start - 1) : value.start] + text[value.end : value.end + 1]
    return value.amount > Decimal(0) and not re.search(r"[-–/\w$€£(]", around)
