"""Text normalisation that several rooms share, so that they cannot disagree."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]++(?:['’][^\W\d_]++)*+|\d++(?:[.,]\d++)*+")
_SIGN = re.compile(r"[%‰$¢£¤¥\u20a0-\u20cf]|(?<![^\s(])[-−–](?=[\d.$£¥\u20a0-\u20cf])")
_SPACE = re.compile(r"\s+")


def words(text: str) -> list[str]:
    """Lower-cased word and number tokens, in order ('1,577' and '3.5' are one token each)."""
    return _joined(text).split()


def _joined(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text))).lower()


def squeeze(text: str) -> str:
    """The text with every run of white space as one space, stripped."""
    return _SPACE.sub(" ", text).strip()


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Case-folded words joined by one space: the form in which passages and answers are compared."""
    return _joined(text)


def answer_key(text: str) -> str:
    """What tells answers apart: the normalised text, and its signs of currency, percent and minus,
    in order, which :func:`normalise` leaves out ("€310 million" is not "£310 million")."""
    signs = _SIGN.findall(unicodedata.normalize("NFKC", text))
    return " ".join([normalise(text), *("-" if sign in "−–" else sign for sign in signs)])


def passage_key(passage: str) -> str:
    """A stable key of the normalised passage; equal keys are the same passage (16 hex digits)."""
    return digest(normalise(passage))[:16]


def pair_key(source_ds: str, passage: str, question: str) -> str:
    """What answers to one question on one passage share: they are taken for a pair where no
    provenance tells (16 hex digits)."""
    return digest(source_ds, passage, question)[:16]


def digest(*parts: str) -> str:
    """The sha256 (hex) of the parts; part borders count, so ('ab','c') differs from ('a','bc')."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()


_ABBREVIATIONS = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|al|Fig|Figs|Dr|Mr|Mrs|Ms|St|No|Inc|Corp|Ltd|Co|approx|cf|ca|Ref|U\.S|Jr|Sr|Eq|resp)|\b[A-Z])\.$"
)
_SENTENCE_END = re.compile(r"[.!?][\"”')\]]*(?=\s+[\"“'(\[]?[A-Z0-9])")


def sentences(text: str) -> list[str]:
    """The sentences of a prose text, stripped, in order; abbreviations and initials do not end one."""
    found: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if not _ABBREVIATIONS.search(text[start : match.start() + 1]):
            found.append(text[start : match.end()].strip())
            start = match.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]
