"""Anchors a gold answer in its passage and restates it as the one sentence that both twins share.

A short gold answer ("52") cannot be edited without telling its label by length or form, so it is
put into a full sentence first: a declarative made from the question where that is safe, else a
frame that quotes the question. A gold answer that is prose keeps those of its sentences that the
passage supports; for one that draws a conclusion, the passage's own finding is said instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halubench import values
from halubench.perturb import arithmetic, findings
from halubench.perturb.base import Statement
from halubench.perturb.loosen import loosen
from halubench.perturb.support import coverage
from halubench.records import Rejected
from halubench.text import digest, normalise, sentences, squeeze, words

if TYPE_CHECKING:
    from halubench.records import Item
    from halubench.values import Value

FRAMES = (
    'The answer to "{question}" is {answer}.',
    'To the question "{question}", the answer is {answer}.',
    'Asked "{question}", the text answers {answer}.',
    '"{question}" The text gives the answer {answer}.',
)
CLAUSE_FRAMES = (
    'The answer to "{question}" is: {answer}.',
    'To the question "{question}", the text answers: {answer}.',
    'Asked "{question}", the text says: {answer}.',
    '"{question}" According to the text: {answer}.',
)
_AUXILIARY = "is|are|was|were|did|do|does|can|could|will|would|should|has|have|had|may|might|must"
_WHAT_IS = re.compile(
    r"what (?P<be>is|are|was|were) (?P<np>(?:the|its|their) .+)\?$", re.IGNORECASE
)
_HOW_MANY = re.compile(
    r"how many (?P<noun>(?:[a-z-]+ ){1,3}?)(?P<be>is|are|was|were) "
    r"(?P<rest>(?:(?:in|on|at|from|under|over|[a-z]{3,}ed|born|taken|given|seen|killed)\b|the \w+est\b).*)\?$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    rf"who (?!(?:{_AUXILIARY})\b)(?P<rest>[a-z]+(?:ed|t|d|e|w|n|g|s|ew)\b .+)\?$", re.IGNORECASE
)
_COUNT = re.compile(
    r"how many (?!more|fewer|less|total|percent|years|days|months|yards|points|people|in percent)",
    re.IGNORECASE,
)
"""Questions that ask to count things: two numbers of the passage may add up to it by chance."""
_FRAGMENT = re.compile(r"(?:have|has|had|is|are|was|were|that|which|who|and|but|or|can|will)\b")
_BROKEN = re.compile(r"[a-z]- [a-z]|[a-z]-\n[a-z]")
_BAD_NP = re.compile(r"\b(?:\w+ed|paid|held|made|known|given)(?= (?:to|on|by|in|as|for|using|with)\b|$)|\b(?:and|or) (?:what|how|why|who)\b| do(?:es)? | did |,", re.IGNORECASE)  # fmt: skip
_CLAUSE = re.compile(r"^[^\w$€£(-]|\b(?:is|are|was|were|has|have|had|did)\b")
"""What no "is" can stand before."""
_DASH = re.compile(r"^[-–—]\s*(?=[^\W\d])")
_MEASURE = re.compile(r"(\d[\d.,]*)-(yard|foot|mile|day|week|month|year|minute|hour)")
"""An answer that is a measure as it stands before a noun ("39-yard")."""
FEWEST_ASKED = 6
"""Words of a question after its topic ("TOPIC: is there a difference?") that are asked without it."""
MIN_COVERAGE = 0.55
CONCLUSIONS = ("yes", "no", "maybe")
MIN_COVERAGE_PROSE = 0.6


def restate(item: Item, control: str) -> Statement | Rejected:
    """The statement that both twins are made from, or why the item cannot serve.

    ``control`` is "restate", or "none" for the bare gold answer (as published HaluBench has it).
    """
    if control != "none" and findings.is_conclusion(item):
        told = findings.finding(item)
        found = in_sentence(item, told) if told else conclusion(item)
        return found or _rejected(item, findings.NONE)
    reason = unsupported(item)
    if reason:
        return _rejected(item, reason)
    answer = squeeze(item.answer)
    if control == "none":
        return Statement(item, answer, 0, len(answer))
    if is_prose(answer) and normalise(answer) not in normalise(item.passage):
        kept = supported_sentences(answer, item)
        if not kept:
            return _rejected(item, "no sentence of the answer is supported")
        return Statement(item, kept, 0, len(kept))
    return in_sentence(item, answer)


def _rejected(item: Item, reason: str) -> Rejected:
    return Rejected(item.source_ds, item.id, "anchor", reason)


def conclusion(item: Item) -> Statement | None:
    """The item's yes / no / maybe conclusion as a statement, where its source records one."""
    decision = item.meta.get("final_decision") or normalise(item.answer)
    if decision not in CONCLUSIONS or item.meta.get("annotators_agree") is False:
        return None
    return in_sentence(item, str(decision))


def in_sentence(item: Item, answer: str) -> Statement:
    """``answer`` inside one sentence built from the question."""
    sentence = len(words(answer)) > 3 and answer.strip().endswith(".")
    answer = _DASH.sub("", answer.strip().rstrip(".;,").lstrip(" :;,."))
    if measure := _MEASURE.fullmatch(answer):
        answer = _measured(measure)
    question = tidy_question(item.question)
    made = _declarative(question, answer)
    if made is None:
        answer = loosen(answer, item.id)
        fragment = sentence or len(words(answer)) > 6 or _CLAUSE.search(answer)
        frames = CLAUSE_FRAMES if fragment else FRAMES
        made = frames[int(digest(item.id)[:8], 16) % len(frames)].replace("{question}", question)
    before, _, after = made.partition("{answer}")
    return Statement(item, before + answer + after, len(before), len(before) + len(answer))


def _measured(match: re.Match[str]) -> str:
    """The measure as it stands alone: "39 yards" for "39-yard"."""
    number, unit = match.groups()
    return f"{number} {unit if number == '1' else 'feet' if unit == 'foot' else unit + 's'}"


def tidy_question(question: str) -> str:
    """The question proper: its last interrogative sentence, one space apart, without double quotes."""
    text = squeeze(question).replace('"', "'")
    asked = [sentence for sentence in sentences(text) if sentence.endswith("?")]
    text = asked[0] if asked else text.rstrip(" .?") + "?"
    _, colon, tail = text.partition(": ")
    asks = re.match(r"(?:what|which|how|who|is|are|did|does|was)\b", tail, re.IGNORECASE)
    if colon and asks and len(words(tail)) >= FEWEST_ASKED:
        text = tail
    return text[0].upper() + text[1:]


def unsupported(item: Item) -> str:
    """Why the gold answer cannot be anchored in the passage by code; empty if it can."""
    if not words(item.answer):
        return "the answer has no words"
    if item.meta.get("answer_type") == "spans" or item.meta.get("parts"):
        return "the answer is a list of spans"
    if _FRAGMENT.match(item.answer.strip()) or _BROKEN.search(item.answer) or _cut(item):
        return "the answer is broken text: cut inside a sentence or a hyphenated word"
    golds = [list(values.find(alias)) for alias in dict.fromkeys((item.answer, *item.aliases))]
    if is_numeric(item.answer):
        return _number_unsupported(item, golds)
    return _text_unsupported(item)


def _text_unsupported(item: Item) -> str:
    if normalise(item.answer) in CONCLUSIONS or item.meta.get("final_decision"):
        return ""
    if _FRAGMENT.match(item.answer.strip()) or _BROKEN.search(item.answer) or _cut(item):
        return "the answer is broken text: cut inside a sentence or a hyphenated word"
    if normalise(item.answer) in normalise(item.passage):
        return ""
    if coverage(item.answer, _support(item)) < MIN_COVERAGE or not _numbers_supported(
        item.answer, item
    ):
        return "the passage does not support the answer's words or numbers"
    return ""


def _cut(item: Item) -> bool:
    """Whether a bracket of the answer is left open, or the answer stands in the passage, but only
    with its first or last word cut short."""
    answer = item.answer.strip()
    if any(answer.count(left) > answer.count(right) for left, right in ("()", "[]")):
        return True
    if len(words(answer)) < 4 or answer not in item.passage:
        return False
    return not re.search(rf"(?<![^\W\d_]){re.escape(answer)}(?![^\W\d_])", item.passage)


def _number_unsupported(item: Item, golds: list[list[Value]]) -> str:
    if any(not _equal_lists(golds[0], other) for other in golds[1:]):
        return "the annotators' numbers differ"
    if item.meta.get("derivation") or all(_derivable(value, item) for value in golds[0]):
        return ""
    return "the number is neither in the passage nor computed from two of its numbers"


def is_numeric(answer: str) -> bool:
    """Whether the answer is one value and little else ("52 yards", "$1.5 million", "March 2019")."""
    found = values.find(answer)
    if len(found) != 1:
        return False
    rest = answer[: found[0].start] + answer[found[0].end :]
    return len(words(rest)) <= 2


def is_prose(answer: str) -> bool:
    """Whether the answer is at least one full sentence rather than a fragment."""
    return len(words(answer)) >= 8 and answer[0].isupper() and answer.rstrip()[-1] in ".!?"


def _support(item: Item) -> str:
    """What the answer's words may come from: the passage, and the question where the answer is
    computed, since a measure's name need not stand in the passage that it is computed from."""
    return f"{item.passage}\n{item.question}" if arithmetic.recorded(item) else item.passage


def supported_sentences(answer: str, item: Item) -> str:
    """The answer's sentences whose words and numbers the passage supports, joined by one space."""
    kept = [
        sentence
        for sentence in sentences(answer)
        if len(words(sentence)) >= 8
        and coverage(sentence, _support(item)) >= MIN_COVERAGE_PROSE
        and _numbers_supported(sentence, item)
    ]
    return " ".join(kept)


def _declarative(question: str, answer: str) -> str | None:
    if len(words(answer)) > 8:
        return None
    if match := _WHAT_IS.match(question):
        noun = match["np"]
        if not _BAD_NP.search(noun) and len(noun.split()) >= 2:
            return f"{noun[0].upper()}{noun[1:]} {match['be'].lower()} {{answer}}."
    if match := _HOW_MANY.match(question):
        noun, rest = match["noun"].strip(), match["rest"]
        if is_bare_number(answer) and noun.split()[0] not in (
            "more",
            "fewer",
            "of",
            "percent",
            "total",
        ):
            return f"{{answer}} {noun} {match['be'].lower()} {rest}."
    alternatives = ":" in question or " or " in question
    if (match := _SUBJECT.match(question)) and answer[:1].isupper() and not alternatives:
        return f"{{answer}} {match['rest']}."
    return None


def is_bare_number(answer: str) -> bool:
    """Whether the answer is digits (with commas and decimals) or a number word, alone."""
    return bool(re.fullmatch(r"[\d.,]+", answer)) or answer.lower() in values.NUMBER_WORDS


def _equal_lists(left: list[Value], right: list[Value]) -> bool:
    return len(left) == len(right) and all(map(values.close, left, right))


def _numbers_supported(text: str, item: Item) -> bool:
    have = [*values.find(item.passage), *values.find(item.question)]
    return all(
        any(values.close(v, w) for w in have) or arithmetic.told(v, item) for v in values.find(text)
    )


def _derivable(value: Value, item: Item) -> bool:
    have = values.find(item.passage)
    near_enough = values.close if len(value.amount.as_tuple().digits) > 2 else values.same
    if any(near_enough(value, other) or abs(value.scaled) == abs(other.scaled) for other in have):
        return True
    if arithmetic.told(value, item):
        return True
    return not _COUNT.match(item.question) and bool(arithmetic.formulas(value, item))
