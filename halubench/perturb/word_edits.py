"""Operators on words: a word for its opposite, a conclusion, one of two alternatives."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from halubench.perturb.ground import Ground, Proposal, compares, recase
from halubench.text import normalise, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.perturb.definitions import Rule


_GUARD = re.compile(
    r"\b(?:not|no|none|nothing|never|neither|nor|without|whether|if|fail(?:s|ed)?|lack|cannot|(?-i:may)|might|could|"
    r"should|would|only|unclear|unlikely|than expected|higher or lower|more or less|up or down|"
    r"increased? or decreased?|(?:comparable|equal|equivalent|similar) to or)\b|n['’]t\b",
    re.IGNORECASE,
)


_SENTENCE_START = re.compile(r"[.?!:;\"(]\s*$")
"""Elsewhere a capital makes a word part of a name ("Severe Acute Respiratory Syndrome")."""


def flip(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """A word for its opposite, in the same inflection, where no negation or hedge stands near (L1).

    "a" and "an" before the word follow it. Where the opposite stands near ("men and women"), the
    flip might say what the passage says, and where the word stands twice, the answer would
    contradict itself: these are left alone.
    """
    statement = ground.statement
    answer = statement.text[statement.start : statement.end]
    for match in _flippable(rule.words).finditer(answer):
        if rule.in_passage and match["word"].lower() not in statement.item.passage.lower():
            continue
        word = match["word"]
        before, after = answer[: match.start()], answer[match.end() :]
        near = f"{before[-120:].rpartition('. ')[2]} {after[:60]}"
        if (
            _GUARD.search(near)
            or (word[0].isupper() and before.strip() and not _SENTENCE_START.search(before))
            or compares(near)
            or (before.lower().endswith("as ") and after.startswith(" as"))
            or len(re.findall(rf"\b{re.escape(word)}\b", answer, re.IGNORECASE)) > 1
        ):
            continue
        start, end = (statement.start + at for at in match.span())
        for new in _opposites(rule.words, word.lower()):
            if not re.search(rf"\b{re.escape(new)}\b", near, re.IGNORECASE):
                twin, other = rule.twins.get(word.lower()), rule.twins.get(new)
                paired = twin is not None and other is not None
                put = _counted(other if paired and other else new, after)
                fail = _article(match["article"], put, word)
                kept = _article(match["article"], twin, word) if paired and twin else None
                yield Proposal(start, end, fail, "L1", f"{word.lower()} -> {new}", kept)


@lru_cache(maxsize=64)
def _flippable(pairs: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    known = sorted({word for pair in pairs for word in pair}, key=lambda word: (-len(word), word))
    return re.compile(
        rf"(?<![\w-])(?:(?P<article>an?) )?(?P<word>{'|'.join(map(re.escape, known))})(?![\w-])",
        re.IGNORECASE,
    )


def _opposites(pairs: tuple[tuple[str, str], ...], word: str) -> list[str]:
    return [b for a, b in pairs if a == word] + [a for a, b in pairs if b == word]


_VOWEL = re.compile(r"(?!uni[flqtv]|union|use|eu|one)[aeiou]", re.IGNORECASE)
"""A word that begins with the sound of a vowel."""


def _counted(word: str, after: str) -> str:
    """ "fewer" for "less" before things that are counted."""
    counted = re.match(r" [a-z-]+[^sui]s\b", after)
    return "fewer" if word == "less" and counted else word


def _article(article: str | None, word: str, model: str) -> str:
    word = recase(model, word)
    if article is None:
        return word
    right = "an" if _VOWEL.match(word) else "a"
    return f"{right.capitalize() if article[0].isupper() else right} {word}"


def conclusion(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The study's yes / no / maybe answered otherwise (L3: it follows from the passage as a whole)."""
    answer = ground.statement.text[ground.statement.start : ground.statement.end]
    if answer in ("yes", "no", "maybe"):
        for old, new in (*rule.words, *((b, a) for a, b in rule.words)):
            if old == answer:
                yield Proposal(
                    ground.statement.start, ground.statement.end, new, "L3", f"{old} -> {new}"
                )


_OPTIONS = re.compile(
    r"(?:[,:]\s*(?:was it |is it )?(?P<a>[^,:;?]{1,60}?),?\s+or\s+|\bbetween (?P<c>[^,:;?]{1,60}?) and )"
    r"(?P<b>[^,:;?]{1,60})\?$",
    re.IGNORECASE,
)


def offered(question: str) -> tuple[str, str] | None:
    """The two alternatives that a question ends in ("..., A or B?", "between A and B?"), if any."""
    match = _OPTIONS.search(question.strip())
    if not match:
        return None
    return _bare((match["a"] or match["c"]).strip()), _bare(match["b"].strip())


def choice(ground: Ground, rule: Rule) -> Iterator[Proposal]:
    """The other one of two alternatives that the question itself offers (L2).

    ``near``: words of comparison or order of which the question must hold one (then L3: both
    alternatives have to be looked up).
    """
    statement = ground.statement
    if rule.near and set(words(statement.item.question)).isdisjoint(rule.near):
        return
    answer = statement.text[statement.start : statement.end]
    options = offered(statement.item.question)
    if not options:
        return
    bare = _bare(answer)
    for gold, other in (options, options[::-1]):
        if normalise(gold) == normalise(bare) and _fits(other, bare):
            new = answer[: len(answer) - len(bare)] + recase(bare, other)
            level = "L3" if rule.near else "L2"
            yield Proposal(statement.start, statement.end, new, level, f"{answer} -> {new}")


def _bare(option: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", option, flags=re.IGNORECASE)


def _fits(option: str, answer: str) -> bool:
    return 0 < len(words(option)) <= len(words(answer)) + 2 and normalise(option) != normalise(
        answer
    )
