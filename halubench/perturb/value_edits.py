"""Operators on values: exchanged for another one of the passage, rescaled, turned in sign."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import respell
from halubench.perturb.ground import MOST, Ground, Proposal, recase
from halubench.perturb.names import swap_names, swap_words
from halubench.perturb.word_edits import offered
from halubench.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.perturb.definitions import Rule
    from halubench.values import Value


FAR_YEARS = 30
"""A year farther off than this is no year that a reader could mix up."""


def swap(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A value or name of the same type and spelling from elsewhere in the passage (level L2)."""
    if offered(ground.statement.item.question):
        return  # the other alternative is the wrong answer there
    for site in ground.site_values:
        value = _measured(ground, site)
        if value.kind in rule.sites and ground.in_passage(value) and unit_ok(value, rule, ground):
            yield from _swap_value(ground, value)
    if "name" in rule.sites:
        yield from swap_names(ground, rule.near)
    if "word" in rule.sites:
        yield from swap_words(ground, rule.endings)


def _measured(ground: Ground, value: Value) -> Value:
    """The value with the unit that the passage gives it, where the answer leaves the unit out."""
    if value.unit or value.kind != "number":
        return value
    units = {other.unit for other in ground.passage_values if values.same(value, other)}
    return replace(value, unit=units.pop()) if len(units) == 1 else value


def _swap_value(ground: Ground, value: Value) -> Iterator[Proposal]:
    text, passage = ground.statement.text, ground.statement.item.passage
    others = {
        _spelled(other): other
        for other in ground.passage_values
        if other.amount
        and not _LABELLED.search(passage[max(0, other.start - 12) : other.start])
        and alike(value, other, text)
        and _beyond(value, other, text)
        and not ground.is_barred(other)
    }
    near = sorted(others.items(), key=lambda pair: (_distance(value, pair[1]), pair[0]))
    for spelled, other in _pick(ground, near):
        core = text[slice(*value.core)]
        new = spelled if value.kind == "date" else values.spell_like(core, other.amount)
        made = respell.edit(text, value, recase(core, new), "L2", ground.random)
        yield made.shown(other.text)


_LABELLED = re.compile(
    r"\b(?:week|no\.?|chapter|section|table|figure|note|item|page|phase|type)\s$|par value(?: of)?\s*$",
    re.IGNORECASE,
)
"""What stands before a number that names a thing rather than measures one."""
_AT_LEAST = re.compile(
    r"\b(?:more than|over|at least|above|exceed\w*|greater than|>|≥)\s*$", re.IGNORECASE
)
_AT_MOST = re.compile(
    r"\b(?:less than|under|at most|below|fewer than|up to|nearly|almost|<|≤)\s*$", re.IGNORECASE
)


def _beyond(value: Value, other: Value, text: str) -> bool:
    """After a bound ("more than 400") only a value that the bound does not entail is wrong."""
    before = text[max(0, value.start - 20) : value.start]
    if _AT_LEAST.search(before):
        return other.scaled > value.scaled
    return not _AT_MOST.search(before) or other.scaled < value.scaled


def _spelled(other: Value) -> str:
    return other.text if other.kind == "date" else str(abs(other.amount))


def _pick(ground: Ground, near: list[tuple[str, Value]]) -> list[tuple[str, Value]]:
    pool = near[: MOST + 1]
    return ground.random.sample(pool, min(MOST, len(pool)))


def scale(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The magnitude, unit or currency sign that the passage gives exchanged, the digits kept (L1)."""
    passage = ground.statement.item.passage.lower()
    for value in ground.site_values:
        for old, new in (*rule.words, *((b, a) for a, b in rule.words)):
            if old not in value.text or value.kind not in rule.sites or old.lower() not in passage:
                continue
            match = re.search(rf"(?<![A-Za-z]){re.escape(old)}(?![A-Za-z])", value.text)
            if match:
                told = value.text[: match.start()] + new + value.text[match.end() :]
                if not _stated(ground, told):
                    yield respell.exchange(value, match, new, ground.random)


def _stated(ground: Ground, told: str) -> bool:
    """Whether the passage states the value of ``told``; a bare number says nothing of a unit."""
    wrong = values.find(told)
    return not wrong or any(
        values.same(wrong[0], other)
        for other in ground.passage_values
        if other.unit or other.kind != "number" or not wrong[0].unit
    )


_SIGNED = re.compile(r"\b(?:chang|increas|growth)", re.IGNORECASE)
_UNSIGNED = re.compile(r"\b(?:decreas|declin|reduc|loss|differ|absolute|between)", re.IGNORECASE)


def sign(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A change told with the opposite sign: "-2.9%" for "2.9%" and the reverse (L3).

    A decrease, loss or difference of -2.9 may mean the same as one of 2.9: not asked, not edited.
    """
    question = ground.statement.item.question
    if not _SIGNED.search(question) or _UNSIGNED.search(question):
        return
    for value in ground.site_values:
        if value.kind not in rule.sites or value.amount == 0:
            continue
        start, end = value.core
        minus = value.start < start and ground.statement.text[start - 1] in "-−"
        if minus:
            yield Proposal(start - 1, end, ground.statement.text[start:end], "L3", "sign dropped")
        elif value.start == start:
            yield Proposal(start, end, "-" + ground.statement.text[start:end], "L3", "sign added")


def alike(value: Value, other: Value, text: str) -> bool:
    """Whether the other value could stand there: same type, spelled alike: digits, decimals, commas, unit; so that form cannot tell the label."""
    if value.kind == "date":
        return other.kind == "date" and _date_shape(value.text) == _date_shape(other.text)
    return _same_measure(value, other) and _same_spelling(value, other, text)


def _same_measure(value: Value, other: Value) -> bool:
    kinds = {value.kind, other.kind}
    if len(kinds) > 1 and kinds != {"money", "number"}:
        return False
    if other.magnitude not in (value.magnitude, 1):
        return False
    if "money" in kinds:
        return not (value.unit and other.unit) or value.unit == other.unit
    return value.unit.rstrip("s") == other.unit.rstrip("s")


def _same_spelling(value: Value, other: Value, text: str) -> bool:
    places = values.decimals(value)
    if places != values.decimals(other) and not (places == 2 and value.kind == "money"):
        return False
    if value.kind == "year" and abs(value.amount - other.amount) > FAR_YEARS:
        return False
    if (abs(value.amount) == 1) != (abs(other.amount) == 1) or _distance(value, other) > 10:
        return False  # "1 years"; or an amount of another order
    core = text[value.core[0] : value.core[1]]
    if core.lower() in values.NUMBER_WORDS:
        return other.amount == int(other.amount) and 1 < abs(other.amount) <= 100
    spelled = values.spell_like(core, other.amount)
    return abs(len(spelled) - len(core)) <= 1 and spelled != core


def _date_shape(text: str) -> str:
    return re.sub(r"\d", "0", re.sub(r"[A-Z][a-z]+", "M", text)).replace("00", "0")


def _distance(value: Value, other: Value) -> Decimal:
    if value.kind == "date" or not value.amount:
        return Decimal(0)
    return abs(abs(other.amount) - abs(value.amount)) / abs(value.amount)


def unit_ok(value: Value, rule: Rule, ground: Ground) -> bool:
    """Whether the value has one of the rule's units, or counts one: the noun after it does, or for
    a bare number the question ("how many days")."""
    if not rule.units or value.unit in rule.units:
        return True
    asked = _HOW_MANY.search(ground.statement.item.question)
    after = words(ground.statement.text[value.end : ground.statement.end])
    named = after[:2] or (words(asked[1]) if asked else [])
    return not value.unit and not set(named).isdisjoint(rule.units)


_HOW_MANY = re.compile(r"\bhow many ([a-z]+(?: [a-z]+s\b)?)", re.IGNORECASE)
