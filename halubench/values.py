"""Typed values in text: numbers with units and magnitudes, money, percentages, years and dates.

Finding is by grammar (regular expressions over the spellings that occur in financial, medical and
general prose); comparison is exact on decimals, so "1,577.00 million" equals "$1.577 billion".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from num2words import num2words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGNITUDES = {
    "hundred": Decimal(100),
    "thousand": Decimal(1000),
    "million": Decimal(10) ** 6,
    "billion": Decimal(10) ** 9,
    "trillion": Decimal(10) ** 12,
}
CURRENCIES = {"$": "USD", "US$": "USD", "USD": "USD", "€": "EUR", "EUR": "EUR", "£": "GBP"}
MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
)
NUMBER_WORDS: dict[str, int] = {str(num2words(n)): n for n in range(101)}


def _initials(words: Iterable[str]) -> str:
    """The letters that words begin with: a look ahead for them spares trying each word in vain."""
    return "".join(sorted({word[0] for word in words}))


_CODE_LETTERS = frozenset("GMX")
"""Capitals that make a code of a number before them ("777X", "5G", "3M"), unlike g, m and x."""
_NUM = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_MAG = r"(?:\s?(?P<mag>(?i:hundred|thousand|million|billion|trillion))\b)?"
_DATE = re.compile(
    rf"\b(?=[\d{_initials(MONTHS.split('|'))}])"
    rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m1>{MONTHS})\.?,?\s+(?P<y1>[12]\d{{3}})"
    rf"|(?P<m2>{MONTHS})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>[12]\d{{3}})"
    rf"|(?P<m3>{MONTHS})\.?,?\s+(?P<y3>[12]\d{{3}})"
    rf"|(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m4>{MONTHS})\b"
    rf"|(?P<m5>{MONTHS})\s+(?P<d5>\d{{1,2}})\b(?![\d,.]*\d))(?!\d)"
)
_NUMERIC = re.compile(
    rf"(?<![\w.,/%])(?P<cur0>US\$|\$|€|£)?(?P<open>\()?(?P<sign>[-−–]\s?)?"
    rf"(?P<cur>US\$|\$|€|£|USD\s|EUR\s)?\s?(?P<sign2>[-−])?"
    rf"(?P<num>{_NUM})(?P<close>(?(open)\))){_MAG}(?P<pct>\s?%|\s(?i:percent|per\s?cent)\b)?"
    rf"(?P<unit>[-\s]?(?:percentage points|basis points|[a-zA-Zµμ/]+))?"
)
_WORDS = re.compile(
    rf"\b(?=[{_initials(NUMBER_WORDS)}])"
    rf"(?P<num>{'|'.join(sorted(NUMBER_WORDS, key=len, reverse=True))})\b{_MAG}"
    r"(?P<pct>\s(?:percent|per\s?cent)\b)?",
    re.IGNORECASE,
)
UNITS = frozenset(
    [
        "mg",
        "g",
        "kg",
        "µg",
        "μg",
        "mcg",
        "ng",
        "ml",
        "l",
        "dl",
        "mmol",
        "mol",
        "iu",
        "ppm",
        "mm",
        "cm",
        "m",
        "km",
        "ft",
        "feet",
        "foot",
        "inch",
        "inches",
        "mile",
        "miles",
        "yard",
        "yards",
        "second",
        "seconds",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "dollars",
        "euros",
        "cents",
        "bp",
        "bps",
        "points",
        "x",
        "times",
        "fold",
        "degrees",
        "kcal",
        "mmhg",
        "hz",
        "ghz",
        "mhz",
        "mw",
        "kw",
        "gw",
        "mwh",
        "kwh",
        "hectares",
        "acres",
        "tonnes",
        "tons",
        "pounds",
        "ounces",
        "litres",
        "liters",
        "metres",
        "meters",
        "kilometres",
        "kilometers",
    ]
)


_BASES = {
    unit: (base, Decimal(factor))
    for base, units in {
        "second": {"second": "1", "minute": "60", "hour": "3600", "day": "86400", "week": "604800"},
        "month": {"month": "1", "year": "12"},
        "g": {"ng": "1e-9", "mcg": "1e-6", "µg": "1e-6", "μg": "1e-6", "mg": "1e-3", "g": "1", "kg": "1e3"},
        "m": {"mm": "1e-3", "cm": "1e-2", "m": "1", "metre": "1", "meter": "1", "km": "1e3",
              "kilometre": "1e3", "kilometer": "1e3"},
        "l": {"ml": "1e-3", "dl": "0.1", "l": "1", "litre": "1", "liter": "1"},
    }.items()
    for unit, factor in units.items()
}  # fmt: skip
"""Unit, in the singular -> what it is measured in, and how much of that it is."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value at ``text[start:end]`` of some text.

    ``kind`` is number, percent, money, year or date; ``amount`` the number as spelled;
    ``magnitude`` the power it is multiplied by (1 when none is spelled); ``unit`` lower-case.
    ``core`` is the span of the digits (or word) alone, relative to the text.
    """

    start: int
    end: int
    text: str
    kind: str
    amount: Decimal
    magnitude: Decimal
    unit: str
    core: tuple[int, int]

    @property
    def scaled(self) -> Decimal:
        """Amount times magnitude."""
        return self.amount * self.magnitude


@lru_cache(maxsize=4096)
def find(text: str) -> tuple[Value, ...]:
    """All values of ``text`` in order of position, not overlapping (dates win over numbers).

    Numbers that are part of a name or code ("HCoV-229E", "777X", "10-K") are not values.
    """
    free = bytearray(b"\x01" * len(text))
    found: list[Value] = []
    for value in _candidates(text):
        if all(free[value.start : value.end]):
            found.append(value)
            free[value.start : value.end] = bytes(value.end - value.start)
    return tuple(sorted(found, key=lambda value: value.start))


def _candidates(text: str) -> Iterator[Value]:
    yield from (_date(match) for match in _DATE.finditer(text))
    yield from (_numeric(text, m) for m in _NUMERIC.finditer(text) if not _in_code(text, m))
    yield from (_spelled(match) for match in _WORDS.finditer(text))


_LETTERS = re.compile(r"[A-Za-zµμ]+")
_CODED = re.compile(r"\.\d|-[a-z]*[A-Z]")
"""What follows the first number of a version or date in digits ("3.5.2", "31.12.2019") or of a code."""


def _in_code(text: str, match: re.Match[str]) -> bool:
    start, end = match.span("num")
    glued = _LETTERS.match(text, end)
    if glued and (glued.group().lower() not in UNITS or glued.group() in _CODE_LETTERS):
        return True
    if _CODED.match(text, end):
        return True
    before = text[max(0, start - 2) : start]
    return len(before) == 2 and before[1] in "-–_" and (before[0].isalpha() or before[0] == ")")


def same(left: Value, right: Value) -> bool:
    """Whether two values say the same, after magnitude, percent spelling, unit plural, date order.

    A bare number equals the same number with a unit or currency; two different units do not.
    """
    if "date" in (left.kind, right.kind):
        return left.kind == right.kind and _calendar(left.text) == _calendar(right.text)
    if _unlike(left, right):
        return False
    a, b = _measures(left, right)
    return a == b and _signs_agree(left, right)


def _unlike(left: Value, right: Value) -> bool:
    """Whether the two measure different things: other units or currencies, per cent and no per cent."""
    if (left.kind == "percent") != (right.kind == "percent") and not _bare(left, right):
        return True
    return bool(left.unit and right.unit and _base(left.unit)[0] != _base(right.unit)[0])


def _base(unit: str) -> tuple[str, Decimal]:
    """What the unit is measured in, and how much of that it is."""
    return _BASES.get(_singular(unit), (_singular(unit), Decimal(1)))


def _measures(left: Value, right: Value) -> tuple[Decimal, Decimal]:
    """Both amounts, unsigned, in one unit; a bare number is in the other's."""
    a, b = abs(left.scaled), abs(right.scaled)
    if left.unit and right.unit:
        return a * _base(left.unit)[1], b * _base(right.unit)[1]
    return a, b


def close(left: Value, right: Value) -> bool:
    """Whether one value is a rounding of the other (equal at the coarser one's precision) or, for
    amounts of which one spells no magnitude, equal up to a power of a thousand."""
    if same(left, right):
        return True
    if "date" in (left.kind, right.kind) or _unlike(left, right):
        return False
    ratios = (Decimal(1), Decimal(1000), Decimal(10) ** 6, Decimal(10) ** 9)
    converted = bool(left.unit and right.unit and left.unit != right.unit)
    unscaled = Decimal(1) in (left.magnitude, right.magnitude) and not converted
    scales = ratios if unscaled else ratios[:1]
    a, b = _measures(left, right)
    return any(
        _rounds(x * scale, y, coarse)
        for scale in scales
        for x, y, coarse in ((a, b, right), (b, a, left))
    )


def decimals(value: Value) -> int:
    """The number of digits after the point, as spelled."""
    exponent = value.amount.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def spell_like(model: str, amount: Decimal) -> str:
    """``amount`` (taken positive) spelled like ``model``: same decimals, commas, words or digits."""
    if model.lower() in NUMBER_WORDS:
        word = str(num2words(int(abs(amount))))
        return word.capitalize() if model[0].isupper() else word
    places = len(model.partition(".")[2])
    comma = "," if "," in model or len(model.partition(".")[0]) <= 3 else ""
    return f"{abs(amount):{comma}.{places}f}"


def _rounds(exact: Decimal, rounded: Decimal, coarse: Value) -> bool:
    if not rounded < 2 * exact < 3 * rounded:  # quick: a step is smaller than what it rounds
        return False
    step = Decimal(10) ** -decimals(coarse) * coarse.magnitude
    return abs(exact - rounded) * 2 <= step < rounded


def _signs_agree(left: Value, right: Value) -> bool:
    return (left.scaled < 0) == (right.scaled < 0)


def _bare(left: Value, right: Value) -> bool:
    return any(v.kind == "number" and not v.unit and v.magnitude == 1 for v in (left, right))


def _singular(unit: str) -> str:
    return {"feet": "foot", "inches": "inch"}.get(unit, unit.rstrip("s") or unit)


def _calendar(date: str) -> tuple[set[str], set[int]]:
    """The month's first three letters, and day and year without order: "9 June" is "June 9"."""
    months = {word[:3].lower() for word in re.findall(r"[A-Z][a-z]+", date)}
    return months, {int(digits) for digits in re.findall(r"\d+", date)}


def _date(match: re.Match[str]) -> Value:
    year = next((match[name] for name in ("y1", "y2", "y3") if match[name]), "0")
    span = match.span()
    return Value(*span, match.group(), "date", Decimal(year), Decimal(1), "", span)


def _numeric(text: str, match: re.Match[str]) -> Value:
    unit = (match["unit"] or "").strip().lstrip("-").lower()
    known = unit.split("/")[0] in UNITS or unit in ("percentage points", "basis points")
    dash = bool(match["sign"]) and _is_dash(text, match)
    negative = bool(match["open"] or match["sign2"] or (match["sign"] and not dash))
    start = match.end("sign") if dash else match.start()
    end = max(match.end(name) for name in ("num", "close", "mag", "pct"))
    end = match.end() if known else end
    start += len(text[start:end]) - len(text[start:end].lstrip())
    currency = CURRENCIES.get((match["cur0"] or match["cur"] or "").strip(), "")
    return Value(
        start,
        end,
        text[start:end],
        _kind(match, known),
        Decimal(match["num"].replace(",", "")) * (-1 if negative else 1),
        MAGNITUDES.get((match["mag"] or "").lower(), Decimal(1)),
        currency or (unit if known else ""),
        match.span("num"),
    )


def _is_dash(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like a minus stands between two things, as in "5 - 10" or "(a)-5"."""
    before, sign = text[: match.start()], match["sign"]
    spaced = sign != sign.strip() and bool(re.search(r"[\w%)]\s$", before))
    return sign.strip() == "–" or spaced or before.endswith(")")


def _kind(match: re.Match[str], has_unit: bool) -> str:
    if match["cur0"] or match["cur"]:
        return "money"
    if match["pct"]:
        return "percent"
    bare = not (has_unit or match["mag"] or match["sign"] or match["sign2"] or match["open"])
    return "year" if bare and re.fullmatch(r"1[5-9]\d\d|20\d\d", match["num"]) else "number"


def _spelled(match: re.Match[str]) -> Value:
    kind = "percent" if match["pct"] else "number"
    amount = Decimal(NUMBER_WORDS[match["num"].lower()])
    magnitude = MAGNITUDES.get((match["mag"] or "").lower(), Decimal(1))
    return Value(*match.span(), match.group(), kind, amount, magnitude, "", match.span("num"))
