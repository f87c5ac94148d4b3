"""What a source is: upstream records in, items or counted rejections out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from halubench.reading import Record
    from halubench.records import Item, Rejected

STAGE = "ingest"
"""The stage under which sources reject."""
_NUMBER = r"[-−]?[\d,]*\.?\d+|\([\d,]*\.?\d+\)"
_SCALE = r"(?: (?:thousand|million|billion|trillion))?"
_KINDS = {
    "number": re.compile(rf"(?:{_NUMBER}){_SCALE}"),
    "percent": re.compile(rf"(?:{_NUMBER}) ?(?:%|per ?cent)|\([\d,]*\.?\d+%\)"),
    "money": re.compile(rf"[-−]?[$€£¥] ?(?:{_NUMBER}){_SCALE}"),
    "yesno": re.compile(r"(?i:yes|no)"),
}


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a user may set of a source.

    ``mapping`` is target=column (``{"passage": "context"}``); ``domain`` and ``license`` replace
    the source's own; ``max_passage_chars`` bounds windows cut from long documents.
    """

    mapping: Mapping[str, str] | None = None
    domain: str | None = None
    license: str | None = None
    max_passage_chars: int = 8000


@dataclass(frozen=True, slots=True)
class SourceRead:
    """All that a source gave: ``rows`` upstream questions are ``items`` or ``rejected``.

    ``license`` and ``domain`` list those of the items, comma-separated where they differ; ``home`` is
    the address at which the source and its authors can be found, empty for a table of one's own.
    """

    name: str
    license: str
    domain: str
    items: Sequence[Item]
    rejected: list[Rejected]
    rows: int
    home: str = ""


class Source(Protocol):
    """One upstream format: a module in ``halubench/sources``, or in a user's ``sources/`` folder,
    or an entry point in ``halubench.sources``; its file name is the scheme that forces it.

    ``NAME`` is the ``source_ds`` of its rows, ``DOMAIN`` one of general, finance, medical, and
    ``LICENSE`` an SPDX identifier. ``HOME``, the address that the card links to, may be left out.
    """

    NAME: str
    DOMAIN: str
    LICENSE: str

    def matches(self, record: Mapping[str, object]) -> bool:
        """Whether this record (the file's first) is of this format."""
        ...

    def items(
        self, records: Iterable[Record], options: SourceOptions, /
    ) -> Iterator[Item | Rejected]:
        """One Item or Rejected for every upstream question, in order."""
        ...


def text(record: Mapping[str, object], name: str) -> str:
    """The field's text without white space around it; empty where it is absent or no text."""
    value = record.get(name)
    return value.strip() if isinstance(value, str) else ""


def kind_of(answer: str, otherwise: str) -> str:
    """The ``answer_type`` of a bare value (number, percent, money, yesno), else ``otherwise``."""
    kinds = (kind for kind, pattern in _KINDS.items() if pattern.fullmatch(answer.strip()))
    return next(kinds, otherwise)


def join(parts: Sequence[str]) -> str:
    """The parts as English lists them: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
