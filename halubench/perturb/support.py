"""How far the words of one text stand in another."""

from __future__ import annotations

from functools import lru_cache

from halubench.text import words

_STOP = frozenset(
    (
        "the", "a", "an", "of", "in", "on", "at", "to", "for", "and", "or", "by",
        "with", "from", "as", "is", "are", "was", "were", "be", "been", "it", "its", "this",
        "that", "these", "those", "their", "there", "than", "which", "who", "what", "when", "where", "how",
        "did", "do", "does", "has", "have", "had", "not",
    )
)  # fmt: skip


def stems(text: str) -> list[str]:
    """The text's content words, crudely stemmed, in order."""
    return [_stem(word) for word in words(text) if word not in _STOP]


def coverage(text: str, passage: str) -> float:
    """Share of the text's content words that occur in the passage (crudely stemmed), in [0, 1]."""
    have, content = _all(passage), stems(text)
    return sum(stem in have for stem in content) / len(content) if content else 0.0


@lru_cache(maxsize=1024)
def _all(passage: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in words(passage))


def _stem(word: str) -> str:
    return word[:6] if len(word) > 6 else word.rstrip("s")
