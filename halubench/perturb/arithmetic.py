"""The arithmetic that leads from numbers of a passage to a computed answer, and its typical slips.

A formula is taken from what the source records (TAT-QA's derivation, FinanceBench's
justification) where its operands stand in the passage, else found: a sum, difference, percentage
change, share or average of two numbers of the passage.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, permutations
from typing import TYPE_CHECKING, TypeAlias

from halubench import values
from halubench.perturb import tables
from halubench.text import normalise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from halubench.records import Item
    from halubench.values import Value

Tree: TypeAlias = "Decimal | tuple[str, Tree, Tree]"
"""A number, or an operator of ``+-*/`` with two trees."""

CONSTANTS = frozenset(map(Decimal, (1, 2, 3, 4, 12, 100, 365)))
"""Numbers that a formula may hold although the passage does not."""
PER_CENT = Decimal(100)
MOST_NUMBERS = 150
"""Numbers of a passage that are tried as operands, at most."""
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_APPLY: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_EXPRESSION = re.compile(r"[($\d][\d.,()+\-–−*×/ $%]*[\d)%]")
_FACTORS = (1, 1000, 10**6, 10**9)


@dataclass(frozen=True, slots=True)
class Formula:
    """``tree`` comes to ``factor`` times less than the answer's amount, after rounding."""

    tree: Tree
    factor: Decimal

    def amount(self) -> Decimal | None:
        """The answer's amount, unrounded and unsigned; None where it divides by zero."""
        result = evaluate(self.tree)
        return None if result is None else abs(result * self.factor)


def formulas(value: Value, item: Item) -> list[Formula]:
    """The formulas over the passage's numbers that come to ``value``, recorded ones alone if any."""
    if value.kind in ("date", "year"):
        return []
    found = told(value, item)
    trees = [] if found else _pairs(value, _amounts(item))
    return found or [made for tree in trees if (made := _formula(tree, value))]


def told(value: Value, item: Item) -> list[Formula]:
    """The formulas that the source writes down, or that divide the line items it names, as far as
    the passage holds their numbers and they come to ``value``."""
    return [made for tree in recorded(item) if (made := _formula(tree, value))]


def recorded(item: Item) -> list[Tree]:
    """What the source says of the calculation: expressions in derivation and justification whose
    numbers the passage holds, and ratios of the line items that the justification names."""
    texts = [str(item.meta.get(name, "")) for name in ("derivation", "justification")]
    if not any(texts):
        return []
    known = {abs(v.amount) for v in values.find(item.passage)}
    written = [tree for text in texts for tree in parse(text) if _grounded(tree, known)]
    return [*written, *_ratios(item, texts[1])]


_LINE_ITEM = re.compile(r"named: (.+?)\.?\s*$", re.MULTILINE)


def _ratios(item: Item, justification: str) -> Iterator[Tree]:
    """One named line item over another, or over the average of two of its columns."""
    names = [normalise(name) for name in _LINE_ITEM.findall(justification)]
    rows: dict[str, list[Decimal]] = {name: [] for name in names}
    for cell in tables.cells(item.passage) if len(rows) > 1 else ():
        if (name := normalise(cell.row)) in rows:
            rows[name].append(abs(cell.value.amount))
    for above, below in permutations(rows, 2):
        for a in rows[above]:
            yield from (("/", a, b) for b in rows[below])
            yield from (("/", a, ("/", ("+", b, c), Decimal(2))) for b, c in pairwise(rows[below]))


def parse(text: str) -> list[Tree]:
    """The arithmetic expressions with at least one operator in a text, such as "(7-5)/5"."""
    found: list[Tree] = []
    for match in _EXPRESSION.finditer(text):
        written = re.sub(r"[$,% ]", "", match.group()).translate(_SIGNS)
        try:
            tree = _tree(ast.parse(written.strip("+*/"), mode="eval").body)
        except (SyntaxError, ValueError, RecursionError):
            continue
        if not isinstance(tree, Decimal):
            found.append(tree)
    return found


_SIGNS = str.maketrans({"–": "-", "−": "-", "×": "*"})


def _tree(node: ast.expr) -> Tree:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Decimal(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _tree(node.operand)
        return -inner if isinstance(inner, Decimal) else ("-", Decimal(0), inner)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)], _tree(node.left), _tree(node.right)
    raise ValueError("no arithmetic")


def evaluate(tree: Tree) -> Decimal | None:
    """What the tree comes to; None where it divides by zero."""
    if isinstance(tree, Decimal):
        return tree
    left, right = evaluate(tree[1]), evaluate(tree[2])
    if left is None or right is None:
        return None
    if tree[0] == "/" and not right:
        return None
    return _APPLY[tree[0]](left, right)


def leaves(tree: Tree) -> list[Decimal]:
    """The numbers of a tree, from left to right."""
    return [tree] if isinstance(tree, Decimal) else [*leaves(tree[1]), *leaves(tree[2])]


def replace(tree: Tree, old: Decimal, new: Decimal) -> Tree:
    """The tree with each leaf ``old`` as ``new``."""
    if isinstance(tree, Decimal):
        return new if tree == old else tree
    return tree[0], replace(tree[1], old, new), replace(tree[2], old, new)


def other_operations(tree: Tree) -> Iterator[Tree]:
    """The tree with one typical slip: added for subtracted, divided the wrong way round, a change
    told of the new value, an average left undivided."""
    if isinstance(tree, Decimal):
        return
    sign, left, right = tree
    if sign in "+-" and left != PER_CENT:  # more than all there is would be a joke
        yield ("-" if sign == "+" else "+"), left, right
    elif sign == "/" and right in CONSTANTS:
        yield from ((sign, inner, right) for inner in other_operations(left))
        yield left
    elif sign == "/":
        yield sign, right, left
        if not isinstance(left, Decimal) and left[0] == "-" and left[2] == right:
            yield sign, left, left[1]
    else:
        yield from ((sign, inner, right) for inner in other_operations(left))


def _formula(tree: Tree, value: Value) -> Formula | None:
    result = evaluate(tree)
    if not result:
        return None
    factors = [Decimal(100)] if value.kind == "percent" and abs(result) < 20 else []
    factors += [Decimal(factor) for factor in _FACTORS]
    factors += [1 / Decimal(factor) for factor in _FACTORS[1:]]
    for factor in factors:
        if rounds_to(result * factor, value):
            return Formula(tree, factor)
    return None


def rounds_to(exact: Decimal, value: Value) -> bool:
    """Whether the value's amount is ``exact`` rounded to its decimals, whatever the signs."""
    return abs(abs(exact) - abs(value.amount)) * 2 <= Decimal(10) ** -values.decimals(value)


def _grounded(tree: Tree, numbers: set[Decimal]) -> bool:
    return all(abs(leaf) in numbers or leaf in CONSTANTS for leaf in leaves(tree))


def _amounts(item: Item) -> list[Decimal]:
    found = (abs(v.amount) for v in values.find(item.passage) if v.kind not in ("date", "year"))
    return sorted(set(found))[:MOST_NUMBERS]


def _pairs(value: Value, numbers: Sequence[Decimal]) -> Iterator[Tree]:
    """Two numbers of the passage, or one and 100, that come to exactly the value."""
    known, gold = set(numbers), abs(value.amount)
    for a in numbers:
        if gold - a in known and gold - a > a:
            yield "+", gold - a, a
        if gold + a in known and a:
            yield "-", gold + a, a
    if PER_CENT - gold in known:
        yield "-", PER_CENT, PER_CENT - gold
    if value.kind == "percent":
        yield from _shares(gold, numbers)


def _shares(gold: Decimal, numbers: Sequence[Decimal]) -> Iterator[Tree]:
    for b in numbers:
        if b:
            for a in numbers:
                if a != b and abs(abs(a - b) / b * 100 - gold) < 1:
                    yield "/", ("-", a, b), b
                if a and abs(a / b * 100 - gold) < 1:
                    yield "/", a, b
