"""Statements for tests of edits: an answer that is the whole text, or stands in a frame."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb.base import Statement
from halubench.perturb.definitions import Rule
from halubench.perturb.ground import Ground
from halubench.perturb.operators import OPERATORS
from halubench.records import Item

if TYPE_CHECKING:
    from halubench.perturb.ground import Proposal


def item(passage: str, question: str, answer: str, **change: object) -> Item:
    """A gold question with one alias, the answer itself, unless changed."""
    fixed = {"source_ds": "made", "id": "one", "domain": "general", "aliases": (answer,)}
    return Item(passage=passage, question=question, answer=answer, **{**fixed, **change})  # type: ignore[arg-type]


def ground(passage: str, question: str, text: str, gold: str = "", seed: int = 0) -> Ground:
    """``text`` as a statement whose answer is ``gold``, or all of it."""
    at = text.index(gold) if gold else 0
    statement = Statement(item(passage, question, gold or text), text, at, at + len(gold or text))
    return Ground(statement, Random(seed), values.find(passage))


def proposals(of: Ground, **rule: object) -> list[Proposal]:
    """What the rule's operator proposes."""
    made = Rule.model_validate(rule)
    return list(OPERATORS[made.operator](of, made))


def fails(of: Ground, **rule: object) -> set[str]:
    """The wrong statements that a rule's operator proposes."""
    text = of.statement.text
    return {text[: one.start] + one.fail + text[one.end :] for one in proposals(of, **rule)}
