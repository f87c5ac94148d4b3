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

LARGEST_WORD = 99
"""Whole numbers up to this are written in words as well as in digits (as The Chicago Manual of Style
has it in running text)."""
SHARE = 0.8
"""Share of the edits, where another spelling is there, that respell."""
_PERCENT = re.compile(r"(?P<number>\d[\d.,]*)(?P<sign> ?%| ?per ?cent)")
_SHORT_UNIT = re.compile(r"[A-Za-zµμ]{1,3}|mmol|mmHg|kcal|.*/.*")
"""Abbreviated, so that its number stays in digits."""
_MONTH_FIRST = re.compile(rf"({values.MONTHS})\.? (\d{{1,2}}),? (\d{{4}})")
_DAY_FIRST = re.compile(rf"(\d{{1,2}}) ({values.MONTHS})\.?,? (\d{{4}})")


def edit(text: str, value: Value, new: str, level: str, random: Random) -> Proposal:
    """The proposal that ``new`` stands for the value's digits or word, often with both
    twins respelled where the value has another spelling. A date is replaced as a whole."""
    start, end = value.core
    change = f"{text[start:end]} -> {new}"
    both = _both(value.text, text[value.start : start] + new + text[end : value.end])
    if both and _fits(text, value) and random.random() < SHARE:
        first = "A" if _BEGINS.search(text[: value.start]) else text[value.start]
        kept, other = (recase(first, one) for one in both)
        return Proposal(value.start, value.end, other, level, change, kept)
    return Proposal(start, end, new, level, change)


def exchange(value: Value, match: re.Match[str], new: str, random: Random) -> Proposal:
    """The proposal that ``new`` stands for what was matched inside the value's text (L1), likewise."""
    told = value.text[: match.start()] + new + value.text[match.end() :]
    change, both = f"{match.group()} -> {new}", _both(value.text, told)
    if both and value.kind == "number" and not value.unit and random.random() < SHARE:
        return Proposal(value.start, value.end, both[1], "L1", change, both[0])
    start, end = (value.start + at for at in match.span())
    return Proposal(start, end, new, "L1", change)


def _both(kept: str, wrong: str) -> tuple[str, str] | None:
    """Both values in another spelling, where both have one and either both keep digits or neither."""
    here, there = respell(kept), respell(wrong)
    if not here or not there or _in_digits(here) != _in_digits(there):
        return None
    return here, there


def _in_digits(value: str) -> bool:
    return any(map(str.isdigit, value))


def respell(value: str) -> str | None:
    """The same value in another spelling; None where there is no safe one."""
    if percent := _PERCENT.fullmatch(value):
        number, sign = percent.groups()
        return f"{_in_words(number) or number} percent" if "%" in sign else f"{number}%"
    if _MONTH_FIRST.fullmatch(value):
        return _MONTH_FIRST.sub(r"\2 \1 \3", value)
    if _DAY_FIRST.fullmatch(value):
        return _DAY_FIRST.sub(r"\2 \1, \3", value)
    number, space, unit = value.partition(" ")
    if _SHORT_UNIT.fullmatch(unit):
        return None
    other = _in_words(number) or _in_numerals(number)
    return f"{other}{space}{unit}" if other else None


def _in_words(number: str) -> str:
    """Digits as words, where that is usual; else empty."""
    usual = number.isdigit() and number[0] != "0" and 1 < int(number) <= LARGEST_WORD
    return str(num2words(int(number))) if usual else ""


def _in_numerals(word: str) -> str:
    """A number word as digits, where that is usual; else empty."""
    number = values.NUMBER_WORDS.get(word.lower(), 0)
    return str(number) if 1 < number <= LARGEST_WORD else ""


_BEGINS = re.compile(r"(?:^|\w{3}[.!?] )$")
"""What stands before the first word of a sentence."""
_CLINGS = re.compile(r"[-–/\w$€£(:<>~∼≈=±≤≥+#×]$|(?:[=±<>≤≥+×]|\bvs\.?) $")
_FOLLOWS = re.compile(
    r"[-–/\w$€£(°]| (?:[=±<>≤≥+×%\d]|[A-Z]|\w+/|(?:[^\W\daeiouy_]{1,3}|min|sec|mol)(?![\w-]))"
)
"""Signs and abbreviated units, beside which a number stays in digits."""


def _fits(text: str, value: Value) -> bool:
    """Whether words may stand there: no sign, hyphen or abbreviated unit is about the value."""
    if value.amount <= Decimal(0) or _CLINGS.search(text[max(0, value.start - 5) : value.start]):
        return False
    return not _FOLLOWS.match(text, value.end)
