"""What a judge should learn to write: its reasoning, then the score that is known.

A teacher that knows the label writes the reasoning. Code then refuses what would teach a wrong
lesson: reasoning that reports what only the teacher was told, or that ends at another score.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from halubench.judges.modes import Direct
from halubench.judges.parse import parse_verdict_text
from halubench.records import Unscored
from halubench.text import normalise, sentences, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.records import Example, Label

MOST_POINTS = 12
_RUN = 5
"""Words in a row of the change that count as telling it."""
_TOLD = re.compile(
    r"\b(?:gold|ground[- ]truth|reference answer|perturb\w*|alter(?:ed|ation)|tamper\w*|"
    r"(?:original|previous|other|correct(?:ed)?|faithful|right|true|unedited) answer|"
    r"(?:was|been|is) (?:changed|edited|modified|swapped|replaced|flipped) (?:to|from|with|for)|"
    r"(?:introduced|inserted|injected) (?:error|change)|the change (?:is|was|made)|"
    r"(?:given|told|known|provided|assigned) (?:the )?(?:label|verdict|score)|label(?:l?ed)? as)"
    r"|->|→",
    re.IGNORECASE,
)
_VERDICT = re.compile(r"\b(?:PASS|FAIL)\b|\bSCORE\b")


def completion(points: Sequence[str], label: Label, prompt: str = "") -> str:
    """The text that the judge should write: one JSON object, the score last.

    The prompt of the mode ``direct`` asks for one word, which is then the whole text.
    """
    if prompt == Direct.prompt:
        return label
    return json.dumps({"REASONING": list(points), "SCORE": label}, ensure_ascii=False)


def points(text: str) -> tuple[list[str], str]:
    """The bullet points of a teacher's reply and its score (empty where there is none)."""
    verdict, reasoning = parse_verdict_text(text)
    found = [line.strip(" \t-*•") for line in reasoning.splitlines()]
    score = "" if isinstance(verdict, Unscored) else verdict
    return [line for line in found if line], score


def fault(said: Sequence[str], row: Example, change: str, gold: str) -> str:
    """Why the points must not be learnt; empty where they may.

    ``change`` and ``gold`` are what only the teacher was told, empty where it was told nothing.
    A gold answer counts as given away where it is called the right one (see ``_TOLD``), or where
    it is written out although neither the passage nor the answer at hand holds it.
    """
    whole = "\n".join(said)
    if not said:
        return "no reasoning"
    if len(said) > MOST_POINTS:
        return f"more than {MOST_POINTS} points"
    if _VERDICT.search(whole):
        return "names the verdict before its end"
    if row.label == "FAIL" and (_knows(whole, row) or _tells(whole, change, row)):
        return "gives the change away"
    if row.label == "FAIL" and _states(whole, gold, row):
        return "gives the gold answer away"
    return ""


def _knows(whole: str, row: Example) -> bool:
    """Whether it speaks as one who was told, in words that are not the row's own."""
    seen = f"{row.passage} {row.question} {row.answer}".casefold()
    return any(match[0].casefold() not in seen for match in _TOLD.finditer(whole))


def _tells(whole: str, change: str, row: Example) -> bool:
    """Whether five words in a row of the change, found nowhere in the row itself, are repeated."""
    seen = f" {normalise(row.passage)} {normalise(row.question)} {normalise(row.answer)} "
    told = words(change)
    runs = {" ".join(told[i : i + _RUN]) for i in range(len(told) - _RUN + 1)}
    text = f" {normalise(whole)} "
    return any(f" {run} " in text and f" {run} " not in seen for run in runs)


def _states(whole: str, gold: str, row: Example) -> bool:
    """Whether a sentence of the gold answer that the row does not hold is written out."""
    seen = f" {normalise(row.passage)} {normalise(row.question)} {normalise(row.answer)} "
    text = f" {normalise(whole)} "
    stated = (f" {normalise(sentence)} " for sentence in sentences(gold))
    return any(len(one.split()) > 1 and one in text and one not in seen for one in stated)
