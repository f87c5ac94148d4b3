"""Typed edits by code: exact, offline, deterministic.

Every perturbation that has a ``rule`` and fits the item's domain proposes edits of the statement;
each proposal becomes a twin. Both answers are edits of one base, at one site.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import definitions, restate
from halubench.perturb.ground import Ground
from halubench.perturb.operators import OPERATORS
from halubench.records import Candidate, Edit
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Perturbation, Rule
    from halubench.perturb.ground import Proposal

GENERATOR = "rules"


class LateRandom(Random):
    """Random numbers whose seed is worked out when the first is drawn: most operators draw none."""

    def __init__(self) -> None:
        super().__init__(0)
        self._parts: tuple[str, ...] = ()

    def begin(self, *parts: str) -> None:
        """Draw by the hash of these from now on."""
        self._parts = parts

    def getrandbits(self, k: int, /) -> int:
        """As of :class:`random.Random`."""
        self._ready()
        return super().getrandbits(k)

    def random(self) -> float:
        """As of :class:`random.Random`."""
        self._ready()
        return super().random()

    def _ready(self) -> None:
        if self._parts:
            self.seed(int(digest(*self._parts)[:16], 16))
            self._parts = ()


def propose(
    statement: Statement, seed: int, perturbations: Mapping[str, Perturbation] | None = None
) -> list[Candidate]:
    """Every legal rule edit of one statement (and of the item's yes / no / maybe conclusion).

    The same statement and seed give the same candidates in the same order.
    """
    known = definitions.load_all() if perturbations is None else perturbations
    told = restate.conclusion(statement.item)
    bases = [statement] if told is None or told.text == statement.text else [statement, told]
    passage_values = values.find(statement.item.passage)
    found: list[Candidate] = []
    for base in bases:
        random = LateRandom()
        ground = Ground(base, random, passage_values)
        for perturbation in known.values():
            if perturbation.rule and base.item.domain in perturbation.domains:
                random.begin(str(seed), base.item.id, perturbation.name)
                found.extend(_apply(perturbation, perturbation.rule, ground))
    return found


def _apply(perturbation: Perturbation, rule: Rule, ground: Ground) -> Iterator[Candidate]:
    for proposal in OPERATORS[rule.operator](ground, rule):
        yield candidate(ground.statement, perturbation, proposal)


def candidate(statement: Statement, perturbation: Perturbation, proposal: Proposal) -> Candidate:
    """The twin that a proposal makes."""
    old = statement.text[proposal.start : proposal.end]
    fail = Edit(proposal.start, proposal.end, old, proposal.fail)
    twin = None if proposal.twin is None else Edit(proposal.start, proposal.end, old, proposal.twin)
    return Candidate(
        item=statement.item,
        base=statement.text,
        pass_answer=statement.text if twin is None else apply(statement.text, twin),
        fail_answer=apply(statement.text, fail),
        fail_edit=fail,
        pass_edit=twin,
        perturbation=perturbation.name,
        relation=perturbation.relation,
        level=proposal.level,
        change_made=proposal.change,
        generator=GENERATOR,
        prompt_hash=perturbation.hash,
        evidence=proposal.evidence,
    )


def apply(text: str, edit: Edit) -> str:
    """``text`` with the edit applied. Raises ValueError when ``edit.old`` does not stand there."""
    if text[edit.start : edit.end] != edit.old:
        raise ValueError(f"{edit.old!r} does not stand at {edit.start}:{edit.end}")
    return text[: edit.start] + edit.new + text[edit.end :]
