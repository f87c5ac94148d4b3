"""Names and terms exchanged for others of the same kind from the same passage."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from halubench.perturb.ground import MOST, Ground, Proposal
from halubench.perturb.word_edits import offered
from halubench.text import normalise, sentences, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


# "Packers" and "Green Bay" are one team: two names, one answer. "The most" may be a tie.
_TEAMS = re.compile(
    r"\b(?:teams?|won|wins?|lost|loses?|losing|winning|opponents?|games?|most|fewest|least)\b"
)


def swap_names(ground: Ground, near: Sequence[str] = ()) -> Iterator[Proposal]:
    """A name that the passage uses after the same words ("in", "by"), of the same shape (L2).

    ``near``: words of which one must stand before both names somewhere (empty: any).
    """
    item = ground.statement.item
    if _TEAMS.search(item.question.lower()) or offered(item.question):
        return
    spoken_for = set(words(" ".join((item.question, item.answer, *item.aliases))))
    answer = ground.statement.text[ground.statement.start : ground.statement.end]
    for site in ground.sites:
        if site.kind != "name" or site.text not in ground.passage_names:
            continue
        if near and ground.passage_names[site.text].isdisjoint(near):
            continue
        if not _ACRONYM.fullmatch(site.text) and 2 * len(words(site.text)) < len(words(answer)):
            continue
        whole = normalise(site.text) == normalise(answer)
        person = whole and " " in site.text and item.question.lower().startswith("who ")
        alike = person or (whole and bool(_ACRONYM.fullmatch(site.text)))
        pool = [
            name
            for name, contexts in ground.passage_names.items()
            if _same_shape(site.text, name)
            and not (near and contexts.isdisjoint(near))
            and (alike or contexts & ground.passage_names[site.text])
            and not spoken_for & set(words(name))
            and not _related(site.text, name, item.passage)
            and (whole or not _together(site.text, name, item.passage))
        ]
        for name in ground.random.sample(pool, min(MOST, len(pool))):
            yield Proposal(site.start, site.end, name, "L2", f"{site.text} -> {name}", None, name)


def swap_words(ground: Ground, endings: Sequence[str]) -> Iterator[Proposal]:
    """A lower-case word for another one of the passage with the same of the endings (L2)."""
    item, statement = ground.statement.item, ground.statement
    if offered(item.question):
        return
    spoken_for = set(words(" ".join((item.question, item.answer, *item.aliases, statement.text))))
    kinds = _of_kind(item.passage, tuple(endings))
    for match in _WORD.finditer(statement.text, statement.start, statement.end):
        old = match.group()
        pool = [
            new
            for kind in kinds.values()
            if old in kind
            for new in sorted(kind - spoken_for)
            if not _related(old, new, item.passage)
            and not _together(old, new, item.passage)
            and not (old.startswith(new[:-1]) or new.startswith(old[:-1]))
        ]
        if re.search(r"\ban? $", statement.text[: match.start()], re.IGNORECASE):
            pool = [new for new in pool if (new[0] in "aeiou") == (old[0] in "aeiou")]
        for new in ground.random.sample(pool, min(MOST, len(pool))):
            yield Proposal(*match.span(), new, "L2", f"{old} -> {new}", None, new)


_WORD = re.compile(r"(?<![\w-])[a-z]{5,}(?![\w-])")


@lru_cache(maxsize=256)
def _of_kind(passage: str, endings: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """The lower-case words of the passage that end so, by ending; longer ones go to one kind only."""
    found: dict[str, set[str]] = {}
    for word in set(_WORD.findall(passage)):
        fitting = [ending for ending in endings if word.endswith(ending)]
        if fitting:
            found.setdefault(max(fitting, key=len), set()).add(word)
    return {ending: frozenset(kind) for ending, kind in found.items()}


_ACRONYM = re.compile(r"[A-Z][A-Za-z]*[A-Z0-9][\w-]*")


def _same_shape(left: str, right: str) -> bool:
    def shape(name: str) -> list[bool]:
        return [bool(_ACRONYM.fullmatch(word)) for word in name.split()]

    return shape(left) == shape(right) and ("'" in left) == ("'" in right)


def _together(left: str, right: str, passage: str) -> bool:
    """Whether one sentence names both: one may be a case, a part or an equal of the other there."""
    return any(left in sentence and right in sentence for sentence in sentences(passage))


def _related(left: str, right: str, passage: str) -> bool:
    """Whether two names may mean the same or be answers side by side (coordinated or in brackets)."""
    if set(words(left)) & set(words(right)):
        return True
    initials = ["".join(word[0] for word in name.split()).upper() for name in (left, right)]
    if initials[0] == right.upper() or initials[1] == left.upper():
        return True
    return coordinated(left, right, passage)


def coordinated(left: str, right: str, passage: str) -> bool:
    """Whether the two stand side by side somewhere, with no more than a joint between them."""
    return _beside(left, right, passage) or _beside(right, left, passage)


_JOINT = re.compile(r"(?:\s*[,/&(]\s*(?:and |or )?|\s+(?:and|or|of|the)\s+|\s+)(?:the )?")


def _beside(first: str, second: str, passage: str) -> bool:
    at = passage.find(first)
    while at >= 0:
        end = at + len(first)
        nxt = passage.find(second, end)
        if nxt < 0:
            return False
        if _JOINT.fullmatch(passage, end, nxt):
            return True
        at = passage.find(first, at + 1)
    return False
