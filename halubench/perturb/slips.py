"""Operators on computed values: a digit, an operand or the operation is not what it should be (L3).

The gold value is absent from the passage, so the wrong one is absent too: whether a number occurs
in the passage then tells nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import arithmetic, respell
from halubench.perturb.ground import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from halubench.perturb.arithmetic import Formula, Tree
    from halubench.perturb.definitions import Rule
    from halubench.perturb.ground import Ground, Proposal
    from halubench.values import Value


LEAST_OFF = Decimal("0.02")
"""Share of the value by which a slip is off at least, so that no rounding makes it right."""


MOST_OFF = Decimal(5)
"""Multiples of the value by which a calculation is off at most: more is no slip but a joke."""


def shift(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """One digit of the computed value changed, as a careless calculation would."""
    for value in _computed(ground, rule):
        text = ground.statement.text[value.core[0] : value.core[1]]
        for new in dict.fromkeys(_digit_slips(text, ground.random)):
            if _wrong(ground, value, new, Decimal(2)):
                yield respell.edit(ground.statement.text, value, new, "L3", ground.random)


def operand(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The same calculation with one of its numbers taken from elsewhere in the passage."""
    yield from _recomputed(ground, rule, lambda formula: _other_operands(formula, ground))


def operation(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The same numbers with a typical slip in the calculation: see
    :func:`halubench.perturb.arithmetic.other_operations`."""
    yield from _recomputed(ground, rule, lambda formula: arithmetic.other_operations(formula.tree))


def _computed(ground: Ground, rule: Rule) -> Iterator[Value]:
    for value in ground.site_values:
        if value.kind in rule.sites and not ground.in_passage(value):
            yield value


def _ends_in_nought(number: str) -> bool:
    """Whether its decimals end in a nought, as an average left undivided often would."""
    return "." in number and number.endswith("0")


def _recomputed(
    ground: Ground, rule: Rule, others: Callable[[Formula], Iterator[Tree]]
) -> Iterator[Proposal]:
    text = ground.statement.text
    for value in _computed(ground, rule):
        core = text[value.core[0] : value.core[1]]
        made = {
            new: formula
            for formula in ground.formulas(value)[:MOST]
            for tree in others(formula)
            if (new := _spelled(core, arithmetic.Formula(tree, formula.factor)))
            and abs(len(new) - len(core)) <= 1
            and _ends_in_nought(new) <= _ends_in_nought(core)
            and _wrong(ground, value, new, MOST_OFF)
        }
        for new in ground.random.sample(list(made), min(MOST, len(made))):
            yield respell.edit(text, value, new, "L3", ground.random)


def _spelled(core: str, formula: Formula) -> str:
    amount = formula.amount()
    if amount is None or (core.lower() in values.NUMBER_WORDS and not 1 < amount <= 100):
        return ""
    return values.spell_like(core, amount)


def _other_operands(formula: Formula, ground: Ground) -> Iterator[Tree]:
    """Each operand exchanged for the nearest numbers of the passage with its decimals."""
    used = arithmetic.leaves(formula.tree)
    have = {abs(v.amount) for v in ground.passage_values if v.kind not in ("date", "year")}
    for leaf in used:
        if abs(leaf) not in have:
            continue
        pool = [
            other
            for other in have - {abs(one) for one in used}
            if other.as_tuple().exponent == leaf.as_tuple().exponent
            and abs(leaf) / 3 <= other <= 3 * abs(leaf)
        ]
        for other in sorted(pool, key=lambda one: (abs(one - abs(leaf)), one))[:MOST]:
            yield arithmetic.replace(formula.tree, leaf, other.copy_sign(leaf))


def _wrong(ground: Ground, value: Value, new: str, most: Decimal) -> bool:
    """Whether ``new`` for the value's digits is wrong by any rounding; at most ``most`` times off."""
    found = values.find(new + ("%" if value.kind == "percent" else ""))
    if not found or ground.in_passage(found[0]) or ground.is_barred(found[0]):
        return False
    off = abs(abs(found[0].amount) - abs(value.amount)) / (abs(value.amount) or Decimal(1))
    return found[0].amount != 0 and LEAST_OFF <= off <= most


def _digit_slips(text: str, random: Random) -> Iterator[str]:
    """One digit changed (never to a leading zero), or a number word moved by one or two."""
    if text.lower() in values.NUMBER_WORDS:
        number = values.NUMBER_WORDS[text.lower()] + random.choice((-2, -1, 1, 2))
        if number > 1:
            yield values.spell_like(text, Decimal(number))
        return
    places = [index for index, char in enumerate(text) if char.isdigit()]
    for place in random.sample(places, min(MOST, len(places))):
        low = 1 if place == places[0] else 0
        digit = random.choice([d for d in range(low, 10) if str(d) != text[place]])
        yield text[:place] + str(digit) + text[place + 1 :]
