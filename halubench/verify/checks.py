"""The free gate: what code can decide about a candidate before anybody is asked.

In order, the first failure is the reason: exactly one named span changed; edit and length small;
no word that gives the edit away; same form as its twin; not the gold again; not supported elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halubench import shortcuts, values
from halubench.text import normalise, words
from halubench.verify import typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from halubench.records import Candidate, Edit

MAX_TOKENS = 3
MAX_SHARE = 0.20
MAX_LENGTH = 0.10
MAX_PAIRS_GAP = 0.09
MAX_RUN_GAP = 0.24
_META = re.compile(
    r"\b(?:instead of|rather than what|incorrect\w*|wrong\w*|contrary to|hallucinat\w*|fabricat\w*|"
    r"perturb\w*|original answer|in fact not)\b",
    re.IGNORECASE,
)
_LIST_REPR = re.compile(r"\[\s*['\"]|['\"]\s*\]")


def check(candidate: Candidate, *, bare: bool = False) -> str | None:
    """The reason to reject ``candidate``, or None when it passes every check.

    ``bare``: the base is the gold answer alone, of which any edit is a large part and whose value
    may stand anywhere in the passage; the checks that need a sentence are left out.
    """
    for test in _CHECKS:
        reason = "" if bare and test in _OF_SENTENCES else test(candidate)
        if reason:
            return reason
    return None


def edited_share(left: str, right: str) -> float:
    """Share of tokens that differ: edit distance over tokens / tokens of the longer, in [0, 1]."""
    a, b = _tokens(left), _tokens(right)
    return _distance(a, b) / max(len(a), len(b), 1)


def _applied(candidate: Candidate) -> str:
    for edit, answer in _edits(candidate):
        made = candidate.base[: edit.start] + edit.new + candidate.base[edit.end :]
        if candidate.base[edit.start : edit.end] != edit.old or made != answer:
            return "the edit does not change exactly the named span"
    same = normalise(candidate.pass_answer) == normalise(candidate.fail_answer)
    if same and not (_sign(candidate) or _currency(candidate)):
        return "the twins do not differ"
    return ""


def _sign(candidate: Candidate) -> bool:
    """Whether old and new differ by a leading minus alone, which no normalised text shows."""
    old, new = candidate.fail_edit.old, candidate.fail_edit.new
    return old != new and old.lstrip("-−") == new.lstrip("-−")


def _currency(candidate: Candidate) -> bool:
    """Whether old and new are two currency signs, which no normalised text shows."""
    edit = candidate.fail_edit
    return edit.old != edit.new and {edit.old, edit.new} <= set(values.CURRENCIES)


def _small(candidate: Candidate) -> str:
    share = edited_share(candidate.pass_answer, candidate.fail_answer)
    if share <= MAX_SHARE:
        return ""
    longer = max(len(_tokens(candidate.pass_answer)), len(_tokens(candidate.fail_answer)))
    if share * longer > MAX_TOKENS:
        return "more than 3 tokens and 20 % of the answer edited"
    return "more than 20 % of the answer edited"


def _length(candidate: Candidate) -> str:
    gap = abs(len(candidate.fail_answer) - len(candidate.pass_answer))
    return (
        "length differs by more than 10 %" if gap > MAX_LENGTH * len(candidate.pass_answer) else ""
    )


def _meta(candidate: Candidate) -> str:
    added = " ".join(edit.new for edit, _ in _edits(candidate))
    return "the edit gives itself away in words" if _META.search(added) else ""


def _form(candidate: Candidate) -> str:
    pass_answer, fail_answer = candidate.pass_answer, candidate.fail_answer
    if _LIST_REPR.search(pass_answer + fail_answer):
        return "an answer is the text of a list"
    if _ending(pass_answer) != _ending(fail_answer) or "  " in fail_answer or "\n" in fail_answer:
        return "white space or final punctuation differs"
    twin, new = candidate.pass_edit, candidate.fail_edit.new
    old = twin.new if twin else candidate.fail_edit.old
    if any(char.isdigit() for char in old) != any(char.isdigit() for char in new):
        return "digits on one side only"
    if old[:1].isupper() != new[:1].isupper() and old[:1].isalpha() and new[:1].isalpha():
        return "capitals differ"
    return ""


def _ending(answer: str) -> str:
    """The final punctuation, if any."""
    return "" if answer[-1:].isalnum() else answer[-1:]


def _gold_again(candidate: Candidate) -> str:
    golds = dict.fromkeys((candidate.item.answer, *candidate.item.aliases))
    alone = [found[0] for gold in golds if len(found := values.find(gold)) == 1]
    new = _widened(candidate)
    wrong = values.find(new)
    equal = values.same if _sign(candidate) else values.close
    if not (_sign(candidate) or _currency(candidate)):
        told = {normalise(gold) for gold in golds}
        if normalise(new) in told or normalise(candidate.fail_answer) in told:
            return "the wrong answer is a gold answer"
    if (
        len(wrong) == 1
        and not _magnitude_only(candidate)
        and any(equal(wrong[0], v) for v in alone)
    ):
        return "the wrong value equals the gold"
    return ""


def _magnitude_only(candidate: Candidate) -> bool:
    return {candidate.fail_edit.old, candidate.fail_edit.new} <= set(values.MAGNITUDES)


def _supported(candidate: Candidate) -> str:
    """The new value standing, in one passage sentence, with all that the question asks about."""
    new = normalise(candidate.fail_edit.new)
    if not new or candidate.level != "L2" or not _short(candidate):
        return ""
    if normalise(candidate.fail_answer) in normalise(candidate.item.passage):
        return "the passage states the wrong answer word for word"
    return ""


def _overlap(candidate: Candidate) -> str:
    """An edit inside a quote copied from the passage would be told by the broken quote alone."""
    pairs, run = quote_gaps(candidate)
    if pairs > MAX_PAIRS_GAP or run > MAX_RUN_GAP:
        return "the edit breaks a quote copied from the passage"
    return ""


def quote_gaps(candidate: Candidate) -> tuple[float, float]:
    """By how much the twins differ in the share of word pairs found in the passage, and in the share
    of their longest run copied from it; both in [0, 1]."""
    answers, passage = (candidate.pass_answer, candidate.fail_answer), candidate.item.passage
    passed, failed = (shortcuts.coverage(answer, passage) for answer in answers)
    _, pairs, run = (abs(a - b) for a, b in zip(passed, failed, strict=True))
    return pairs, run


def _short(candidate: Candidate) -> bool:
    return len(words(candidate.fail_edit.new)) <= 8


def _widened(candidate: Candidate) -> str:
    """The changed value with what clings to it in the FAIL answer (currency, unit, per cent)."""
    text = candidate.fail_answer
    start, end = candidate.fail_edit.start, candidate.fail_edit.start + len(candidate.fail_edit.new)
    for value in values.find(text):
        if value.start <= start and end <= value.end:
            return value.text
    return text[start:end]


def _edits(candidate: Candidate) -> list[tuple[Edit, str]]:
    edits = [(candidate.fail_edit, candidate.fail_answer)]
    if candidate.pass_edit:
        edits.append((candidate.pass_edit, candidate.pass_answer))
    elif candidate.pass_answer != candidate.base:
        edits.append((candidate.fail_edit, candidate.pass_answer))
    return edits


def _tokens(text: str) -> list[str]:
    return re.findall(r"\w+(?:[.,]\w+)*|[^\w\s]", text)


def _distance(left: list[str], right: list[str]) -> int:
    """Levenshtein distance over tokens (Wagner and Fischer 1974)."""
    left, right = _different_middle(left, right)
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(right, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def _different_middle(left: list[str], right: list[str]) -> tuple[list[str], list[str]]:
    """Both without their common head and tail, which no shortest edit touches."""
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    return left[head : len(left) - tail], right[head : len(right) - tail]


_CHECKS: tuple[Callable[[Candidate], str], ...] = (
    _applied,
    _small,
    _length,
    _meta,
    _form,
    _gold_again,
    _supported,
    _overlap,
    typed.fault,
)
_OF_SENTENCES = (_small, _length, _supported, _overlap)
