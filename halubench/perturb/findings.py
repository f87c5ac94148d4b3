"""The finding behind a conclusion: what a passage itself says, where its gold answer says more.

A conclusion that authors draw (PubMedQA's are the last section of the very abstract whose other
sections are the passage) goes beyond what is written before it, and no count of shared words tells
how far. What the passage surely supports is its own sentence; the one is taken that shares most
with question and conclusion.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log
from typing import TYPE_CHECKING

from halubench.perturb.support import stems
from halubench.text import sentences, squeeze, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.records import Item

NONE = "no sentence of the passage tells the finding that the conclusion rests on"
SHORTEST, LONGEST = 8, 45
"""Words of a finding, at least and at most."""
MIN_SHARE = 0.15
"""Least share, by weight, of the question's content words that a finding has, and of the question's
and the conclusion's together."""
_AIM = re.compile(
    r"\b(?:aim(?:ed|s)?|objectives?|purpose|hypothes\w+|sought|to (?:determine|evaluate|assess|examine|"
    r"investigate|compare|explore|analy[sz]e|identify|describe|report|test|study)|is unclear|unknown|"
    r"we (?:wanted|tested|asked)|(?:was|were) (?:analy[sz]ed|conducted|divided|randomi[sz]ed|enrolled|recruited|"
    r"included|excluded|performed|reviewed|collected)|this (?:study|paper|article) (?:was|is|investigates|examines))\b",
    re.IGNORECASE,
)
"""What a study set out to do or did, rather than what it found."""
_LEANS = re.compile(
    r"(?:This|These|Those|That|It|Its|They|Their|Such|He|She|His|Her|Both|Neither|The (?:latter|former|same|other)|"
    r"Similarly|Likewise|Also|Conversely|In contrast|Moreover|Furthermore|Therefore|Thus|Hence|In addition|Of these)\b"
)
"""A beginning that leans on the sentence before."""


def is_conclusion(item: Item) -> bool:
    """Whether the source says that the gold answer is a conclusion drawn from the passage."""
    return item.meta.get("answer_type") == "conclusion"


def finding(item: Item) -> str:
    """The sentence of the passage that carries the conclusion; empty when none does."""
    weight = _weights(item.passage)
    asked = set(stems(item.question))
    sought = asked | set(stems(item.answer))
    found: list[tuple[float, str]] = []
    for one in filter(_stands_alone, _told(item.passage)):
        has = set(stems(one))
        shares = _share(has, asked, weight), _share(has, sought, weight)
        if min(shares) >= MIN_SHARE:
            found.append((shares[1] / log(2 + len(has)), one))
    return max(found)[1] if found else ""


def _told(passage: str) -> list[str]:
    """The sentences of the last section, where an abstract tells its results."""
    sections = [part for part in passage.split("\n") if part.strip()]
    return [squeeze(one) for one in sentences(sections[-1])] if sections else []


def _stands_alone(sentence: str) -> bool:
    return (
        SHORTEST <= len(words(sentence)) <= LONGEST
        and sentence[0].isupper()
        and sentence.endswith(".")
        and not _LEANS.match(sentence)
        and not _AIM.search(sentence)
    )


def _weights(passage: str) -> Mapping[str, float]:
    """Weight of each stem of the passage: the rarer among its sentences, the heavier."""
    told = sentences(passage)
    found = Counter(stem for one in told for stem in set(stems(one)))
    return {stem: log(1 + len(told) / count) for stem, count in found.items()}


def _share(has: set[str], sought: set[str], weight: Mapping[str, float]) -> float:
    """Share of the weight of what is sought that is there, in [0, 1]; what the passage never says
    weighs nothing."""
    whole = sum(weight.get(stem, 0.0) for stem in sorted(sought))
    return sum(weight.get(stem, 0.0) for stem in sorted(sought & has)) / whole if whole else 0.0
