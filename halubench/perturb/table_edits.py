"""Operators on tables: the value of the neighbouring line item, or of the neighbouring period."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import respell, tables
from halubench.perturb.ground import MOST, Proposal, recase
from halubench.perturb.value_edits import alike, unit_ok
from halubench.perturb.word_edits import offered
from halubench.text import normalise, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from halubench.perturb.definitions import Rule
    from halubench.perturb.ground import Ground
    from halubench.perturb.tables import Cell
    from halubench.values import Value


def row(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The value that stands in the same column in the row of another line item (L3)."""
    yield from _neighbours(ground, rule, _in_column)


def column(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The value that stands in the same row in another column, as of another period (L3)."""
    yield from _neighbours(ground, rule, _in_row)


def label(ground: Ground, rule: Rule) -> Iterator[Proposal]:  # noqa: ARG001
    """The label of another line of the table, where the answer is the label of one (L3)."""
    statement = ground.statement
    answer = statement.text[statement.start : statement.end]
    labels = tables.labels(statement.item.passage)
    known = {normalise(one) for one in labels}
    if normalise(answer) not in known or offered(statement.item.question):
        return
    asked, told = set(words(statement.item.question)), set(words(answer))
    pool = [
        one
        for one in labels
        if not (asked - told) & (set(words(one)) - _PLAIN)
        and not set(words(one)) >= told
        and not set(words(one)) <= told
        and abs(len(words(one)) - len(words(answer))) <= 1
        and one[:1].isupper() == answer[:1].isupper()
        and not _SUM.search(one)
    ]
    for one in ground.random.sample(pool, min(MOST, len(pool))):
        yield Proposal(statement.start, statement.end, one, "L3", f"{answer} -> {one}")


_PLAIN = frozenset(("and", "of", "the", "other", "in", "for", "on", "to", "from", "net"))
_SUM = re.compile(
    r"\b(?:total|subtotal|sum|average|all|year|years|ended|change|note)\b|[:()%$]", re.IGNORECASE
)


def _in_column(one: Cell, other: Cell) -> bool:
    return one.at[::2] == other.at[::2] and one.row != other.row


def _in_row(one: Cell, other: Cell) -> bool:
    return one.at[:2] == other.at[:2] and one.at[2] != other.at[2]


def _neighbours(
    ground: Ground, rule: Rule, beside: Callable[[Cell, Cell], bool]
) -> Iterator[Proposal]:
    text, cells = ground.statement.text, tables.cells(ground.statement.item.passage)
    for value in ground.site_values:
        if value.kind not in rule.sites or not unit_ok(value, rule, ground):
            continue
        homes = [cell for cell in cells if abs(cell.value.amount) == abs(value.amount)]
        near = {
            str(abs(cell.value.amount)): (_apart(home, cell), cell)
            for home in homes
            for cell in cells
            if beside(home, cell) and _may_stand(ground, value, cell)
        }
        ranked = sorted(near.items(), key=lambda pair: (pair[1][0], pair[0]))[: MOST + 1]
        for _, (_, cell) in ground.random.sample(ranked, min(MOST, len(ranked))):
            core = text[value.core[0] : value.core[1]]
            new = recase(core, values.spell_like(core, cell.value.amount))
            made = respell.edit(text, value, new, "L3", ground.random)
            yield made.shown(f"{cell.row}, {cell.head}: {cell.value.text}")


def _apart(one: Cell, other: Cell) -> int:
    return abs(one.at[1] - other.at[1]) + abs(one.at[2] - other.at[2])


def _may_stand(ground: Ground, value: Value, cell: Cell) -> bool:
    other = cell.value
    return (
        other.amount != 0
        and alike(value, other, ground.statement.text)
        and not ground.is_barred(other)
    )
