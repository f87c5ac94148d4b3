"""Two values or names of one sentence of the answer, each put in the other's place.

Both twins then hold the same words: nothing but their place tells the label.
"""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb.ground import MOST, Ground, Proposal, compares
from halubench.perturb.value_edits import alike
from halubench.text import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halubench.perturb.definitions import Rule
    from halubench.values import Value

FARTHEST = 120
"""Characters between the two, at most."""
_SENTENCE_END = re.compile(r"[.!?]\s|;|:")
_MAY_COMMUTE = re.compile(
    r"\b(?:between|total\w*|sum|average|both|either|each|than|from|ranged?|difference|increas\w*|"
    r"decreas\w*|declin\w*|rose|fell|grew|reduc\w*|higher|lower|more|less|fewer|most|least)\b",
    re.IGNORECASE,
)
"""Words in a sentence whose two values the exchange may leave true, or make plainly absurd."""


def exchange(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """Two values told of different things, or two names with one of ``near`` between, exchanged
    (L2). Nothing but their order changes."""
    if "name" in rule.sites:
        yield from _names(ground, rule.near)
    pairs = [
        pair
        for pair in combinations([v for v in ground.site_values if v.kind in rule.sites], 2)
        if _told_apart(ground, pair)
    ]
    for left, right in ground.random.sample(pairs, min(MOST, len(pairs))):
        yield _exchanged(ground.statement.text, left.core, right.core)


def _told_apart(ground: Ground, pair: tuple[Value, Value]) -> bool:
    """Whether both values stand in one sentence with words between them that make two things."""
    text, (left, right) = ground.statement.text, pair
    between = text[left.end : right.start]
    if len(between) > FARTHEST or _SENTENCE_END.search(between) or not alike(left, right, text):
        return False
    sentence = _sentence(text, left.start, right.end)
    told = [word for word in words(between) if word not in ("and", "or", "vs", "versus", "with")]
    respective = "respectively" in sentence
    symmetric = _MAY_COMMUTE.search(sentence) or compares(sentence)
    return bool(told or respective) and not symmetric and not values.close(left, right)


def _names(ground: Ground, near: Sequence[str]) -> Iterator[Proposal]:
    text = ground.statement.text
    names = [
        site for site in ground.sites if site.kind == "name" and site.text in ground.passage_names
    ]
    for left, right in pairwise(names):
        if text[left.end : right.start].strip().lower() in near and left.text != right.text:
            yield _exchanged(text, (left.start, left.end), (right.start, right.end))


def _exchanged(text: str, left: tuple[int, int], right: tuple[int, int]) -> Proposal:
    one, other = text[slice(*left)], text[slice(*right)]
    made = other + text[left[1] : right[0]] + one
    return Proposal(left[0], right[1], made, "L2", f"{one} <-> {other}")


def _sentence(text: str, start: int, end: int) -> str:
    before = [match.end() for match in _SENTENCE_END.finditer(text, 0, start)]
    after = _SENTENCE_END.search(text, end)
    return text[before[-1] if before else 0 : after.start() if after else len(text)]
