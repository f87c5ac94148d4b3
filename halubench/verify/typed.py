"""What code tests of an edit because of its kind: the ``check`` of its perturbation.

A number, unit, date or name is decided by code, whoever proposed the edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import definitions
from halubench.text import normalise, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from halubench.perturb.definitions import Perturbation
    from halubench.records import Candidate, Edit
    from halubench.values import Value


def fault(candidate: Candidate) -> str:
    """Why the edit is not of its kind; empty when it is, or when only a reader can tell."""
    kind = definitions.find(candidate.perturbation)
    test = _TESTS.get(kind.check) if kind else None
    return test(candidate, kind) if test and kind else ""


def _value(candidate: Candidate, _: Perturbation) -> str:
    kept, wrong = _sides(candidate)
    if len(kept) != len(wrong) or not kept:
        return "one side of the edit holds no value"
    if any(a.kind != b.kind or a.unit != b.unit for a, b in zip(kept, wrong, strict=True)):
        return "the two values are of different kinds"
    if all(map(values.close, kept, wrong)):
        return "the two values are roundings of one another"
    return ""


def _unit(candidate: Candidate, _: Perturbation) -> str:
    kept, wrong = _sides(candidate)
    amounts = [abs(value.amount) for value in kept] == [abs(value.amount) for value in wrong]
    if not amounts or all(map(values.same, kept, wrong)):
        return "the edit is no exchange of a unit"
    return ""


def _name(candidate: Candidate, _: Perturbation) -> str:
    golds = (candidate.item.answer, *candidate.item.aliases)
    new = normalise(candidate.fail_edit.new)
    if any(new and f" {new} " in f" {normalise(gold)} " for gold in golds):
        return "the wrong name is part of a gold answer" if not _same_words(candidate) else ""
    return ""


def _word(candidate: Candidate, kind: Perturbation) -> str:
    edit = candidate.fail_edit
    twins = kind.rule.twins if kind.rule else {}
    kept = twins.get(edit.old.lower())
    return "the word that was put in says the same" if kept == edit.new.lower() else ""


_TESTS: dict[str, Callable[[Candidate, Perturbation], str]] = {
    "value": _value,
    "unit": _unit,
    "name": _name,
    "word": _word,
}


def _same_words(candidate: Candidate) -> bool:
    """Whether the edit only changes the order of its words, as of two names exchanged."""
    edit = candidate.fail_edit
    return sorted(words(edit.old)) == sorted(words(edit.new))


def _sides(candidate: Candidate) -> tuple[list[Value], list[Value]]:
    """The values that the edit touches in the PASS answer, and in the FAIL answer."""
    edit = candidate.fail_edit
    kept = candidate.pass_edit.new if candidate.pass_edit else edit.old
    return (
        _touched(candidate.pass_answer, edit, kept),
        _touched(candidate.fail_answer, edit, edit.new),
    )


def _touched(answer: str, edit: Edit, new: str) -> list[Value]:
    end = edit.start + len(new)
    return [v for v in values.find(answer) if v.start < end and edit.start < v.end]
