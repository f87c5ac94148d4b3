"""DROP (Dua et al., 2019, arXiv:1903.00161) in the prompt form of OpenAI's simple-evals.

A record holds ``context`` ("Passage: ... Question: ... Answer:"), ``completion`` (the answer) and
``ref_text`` (all annotators' answers, joined by "|"). The Hub's rows (ucinlp/drop) are read as well.
Those list the spans of all annotators in one row, so that several spans of one answer and different
answers are the same thing there: only rows are used whose spans are all equal.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

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

_HUB = {"query_id", "passage", "question", "answers_spans"}
_PROMPT = re.compile(r"Passage: (.*)\nQuestion: (.*)\nAnswer:", re.DOTALL)
_MONTH = r"(?:jan|febr?u?|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    rf"(?:\d{{1,2}} )?{_MONTH}(?: \d{{1,2}},?)? \d{{3,4}}|\d{{1,2}} {_MONTH}|{_MONTH} \d{{1,2}}",
    re.IGNORECASE,
)
_YEAR = re.compile(r"1\d{3}|20\d{2}")
_ASKS_WHEN = re.compile(r"\b(?:when|what year|which year|what date|which date)\b", re.IGNORECASE)


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record has DROP's prompt form, or the Hub's."""
    return set(record) >= _HUB or (
        {"context", "completion", "ref_text"} <= set(record)
        and bool(_PROMPT.match(text(record, "context")))
    )


def items(records: Iterable[Record], _options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a question; annotators who answered the same question again add aliases to it."""
    rows = [_prompted(one) if set(one.fields) >= _HUB else one for one in records]
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
        if not answer and row.fields.get("answers_spans"):
            yield Rejected(NAME, _id(row), STAGE, "several spans: one answer or several, not told")
            continue
        passage, question = match[1].strip(), match[2].strip()
        meta = _meta(passage, question, answer)
        yield Item(
            NAME, _id(row), DOMAIN, passage, question, answer, tuple(aliases[_id(row)]), meta
        )


def _prompted(record: Record) -> Record:
    """A row of the Hub in the prompt form; without an answer where its spans differ."""
    fields: Any = record.fields
    spans = list(dict.fromkeys(str(one).strip() for one in fields["answers_spans"]["spans"]))
    answer = spans[0] if len(spans) == 1 else ""
    context = f"Passage: {fields['passage']}\nQuestion: {fields['question']}\nAnswer:"
    told = {"context": context, "completion": answer, "ref_text": answer, "answers_spans": spans}
    return replace(record, fields=told)


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
