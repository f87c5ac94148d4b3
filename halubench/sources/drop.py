"""DROP (Dua et al., 2019, arXiv:1903.00161) in the prompt form of OpenAI's simple-evals.

A record holds ``context`` ("Passage: ... Question: ... Answer:"), ``completion`` (the answer) and
``ref_text`` (all annotators' answers, joined by "|").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halubench.records import Item, Json, Rejected
from halubench.sources.base import STAGE, SourceOptions, kind_of, text
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from halubench.reading import Record

NAME = "DROP"
DOMAIN = "general"
HOME = "https://huggingface.co/datasets/ucinlp/drop"
LICENSE = "CC-BY-SA-4.0"

_PROMPT = re.compile(r"Passage: (.*)\nQuestion: (.*)\nAnswer:", re.DOTALL)
_MONTH = r"(?:jan|febr?u?|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"(?:\d{{1,2}} )?{_MONTH}(?: \d{{1,2}},?)? \d{{3,4}}|\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}}",
    re.IGNORECASE,
)
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_ASKS_WHEN = re.compile(r"\b(?:when|what year|which year|what date|which date)\b", re.IGNORECASE)


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record has DROP's prompt form."""
    return {"context", "completion", "ref_text"} <= set(record) and bool(
        _PROMPT.match(text(record, "context"))
    )


def items(records: Iterable[Record], _options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a question; annotators who answered the same question again add aliases to it."""
    rows = list(records)
    aliases: dict[str, list[str]] = {}
    for row in rows:
        aliases.setdefault(_id(row), []).extend(_answers(row))
    for row in rows:
        match = _PROMPT.match(text(row.fields, "context"))
        if match is None:
            reason = "the context is not of the form Passage, Question, Answer"
            yield Rejected(NAME, _id(row), STAGE, reason)
            continue
        answer = text(row.fields, "completion")
        passage, question = match[1].strip(), match[2].strip()
        meta = _meta(passage, question, answer)
        yield Item(
            NAME, _id(row), DOMAIN, passage, question, answer, tuple(aliases[_id(row)]), meta
        )


def _id(record: Record) -> str:
    return f"drop-{digest(text(record.fields, 'context'))[:16]}"


def _answers(record: Record) -> list[str]:
    return [answer.strip() for answer in text(record.fields, "ref_text").split("|")]


def _meta(passage: str, question: str, answer: str) -> dict[str, Json]:
    if _DATE.fullmatch(answer) or (_YEAR.fullmatch(answer) and _ASKS_WHEN.search(question)):
        return {"answer_type": "date"}
    kind = kind_of(answer, "span")
    parts = answer.split(" and ")
    if kind != "span" or len(parts) == 1 or answer in passage:
        return {"answer_type": kind}
    if all(part.strip() in passage for part in parts):
        return {"answer_type": "spans", "parts": [part.strip() for part in parts]}
    return {"answer_type": "span"}
