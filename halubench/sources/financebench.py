"""FinanceBench's open set (Islam et al., 2023, arXiv:2311.11944): filings with evidence pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from halubench.records import Item, Json, Rejected
from halubench.sources.base import SourceOptions, kind_of, text
from halubench.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from halubench.reading import Record

NAME = "FinanceBench"
DOMAIN = "finance"
HOME = "https://huggingface.co/datasets/PatronusAI/financebench"
# As told there; its repository states none.
LICENSE = "CC-BY-NC-4.0"

_LONE_CURRENCY = re.compile(r"^([$€£]) *\n(?=[(\d])", re.MULTILINE)

_NO_CENTS = re.compile(r"^(\$-?\d{2,})\.00$")
"""Amounts in millions as the set writes them ("$1577.00"): the cents say nothing."""


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record is a FinanceBench question with evidence."""
    return {"financebench_id", "question", "answer", "evidence"} <= set(record)


def items(records: Iterable[Record], _options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a question; its evidence pages, joined by blank lines, are the passage."""
    for record in records:
        answer = _NO_CENTS.sub(r"\1", text(record.fields, "answer"))
        meta: dict[str, Json] = {"answer_type": kind_of(answer, "text")}
        for name in ("doc_name", "question_type", "justification"):
            if text(record.fields, name):
                meta[name] = text(record.fields, name)
        if "doc_name" in meta:
            meta["title"] = meta["doc_name"]
        yield Item(
            source_ds=NAME,
            id=text(record.fields, "financebench_id"),
            domain=DOMAIN,
            passage=_passage(record.fields),
            question=text(record.fields, "question"),
            answer=answer,
            meta=meta,
        )


def _passage(fields: Mapping[str, Any]) -> str:
    """Each page once, in order: two pieces of evidence can stand on the same page."""
    pages = [
        _tidy(text(piece, "evidence_text_full_page") or text(piece, "evidence_text"))
        for piece in fields["evidence"] or []
    ]
    return "\n\n".join(dict.fromkeys(filter(None, pages)))


def _tidy(page: str) -> str:
    """The page's text as it reads, one cell a line: lines are stripped and empty ones dropped,
    runs of spaces become one, and a currency sign alone on its line joins the amount below it."""
    lines = filter(None, map(squeeze, page.splitlines()))
    return _LONE_CURRENCY.sub(r"\1", "\n".join(lines))
