"""The worked examples of a perturbation, executed: what its YAML promises is what code does."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from halubench.perturb import rules
from halubench.perturb.ground import Proposal
from halubench.perturb.restate import restate
from halubench.records import Item, Rejected
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.perturb.base import Statement
    from halubench.perturb.definitions import Example, Perturbation
    from halubench.records import Candidate

SEEDS = 30
"""An operator draws among the values that would do: an example holds if one of these draws it."""


def faults(perturbation: Perturbation) -> Iterator[str]:
    """What is wrong with the worked examples, one sentence each; nothing when all hold."""
    if len({example.change for example in perturbation.examples}) < 2:
        yield "it needs two worked examples with different changes"
    for number, example in enumerate(perturbation.examples, 1):
        if fault := _fault(perturbation, example):
            yield f"example {number}: {fault}"


def edits(perturbation: Perturbation, example: Example) -> list[Candidate]:
    """What the rule makes of the example's answer over some seeds, each edit once; for a kind
    without a rule, the edit that the example tells. Empty where the answer cannot be anchored."""
    statement = _statement(perturbation, example)
    if isinstance(statement, Rejected):
        return []
    if perturbation.rule is None:
        return [_told(perturbation, statement, example)]
    known = {perturbation.name: perturbation}
    made = [one for seed in range(SEEDS) for one in rules.propose(statement, seed, known)]
    return list({(one.pass_answer, one.fail_answer): one for one in made}.values())


def _statement(perturbation: Perturbation, example: Example) -> Statement | Rejected:
    text = (example.passage, example.question, example.answer)
    item = Item("worked", perturbation.name, perturbation.domains[0], *text, (example.answer,))
    return restate(item, "restate")


def _fault(perturbation: Perturbation, example: Example) -> str:
    statement = _statement(perturbation, example)
    if isinstance(statement, Rejected):
        return f"its answer cannot be anchored in its passage: {statement.reason}"
    right = statement.text[statement.start : statement.end]
    if right.rstrip(".") != example.answer.rstrip("."):
        return f"only {right!r} of its answer is supported by its passage"
    wrong = statement.text[: statement.start] + example.fail + statement.text[statement.end :]
    found = edits(perturbation, example)
    here = [one for one in found if one.fail_answer.rstrip(".") == wrong.rstrip(".")]
    stated = [one for one in here if perturbation.rule is None or one.change_made == example.change]
    if not stated:
        told = sorted({one.change_made for one in found})
        return f"the rule makes {' or '.join(told) or 'no edit'}, not {example.change}"
    refused = check(stated[0])
    return f"the gate refuses it: {refused}" if refused else ""


def _told(perturbation: Perturbation, statement: Statement, example: Example) -> Candidate:
    """The example's edit, as the one span in which its two answers differ, widened to whole words."""
    answer = statement.text[statement.start : statement.end]
    fail = example.fail if answer.endswith(".") else example.fail.rstrip(".")
    head = answer.rfind(" ", 0, _common(answer, fail)) + 1
    tail = _common(answer[head:][::-1], fail[head:][::-1])
    tail = max(0, answer[head:][::-1].rfind(" ", 0, tail))
    start, end = statement.start + head, statement.end - tail
    new = fail[head : len(fail) - tail]
    proposal = Proposal(start, end, new, "L1", example.change)
    return rules.candidate(statement, perturbation, proposal)


def _common(left: str, right: str) -> int:
    """The length of the longest common start."""
    return sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False))
    )
