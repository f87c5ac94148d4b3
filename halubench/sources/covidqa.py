"""COVID-QA (Möller et al., 2020) in SQuAD's form: questions over whole articles.

An article can hold 60,000 characters and more, so that each question gets a window of it around
the answer, cut at borders of paragraphs or sentences. The Hub's rows (deepset/covid_qa_deepset), of
one question each, are read as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from halubench.records import Item, Json, Rejected
from halubench.sources.base import STAGE, SourceOptions, kind_of, text
from halubench.text import passage_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from halubench.reading import Record

NAME = "covidQA"
DOMAIN = "medical"
HOME = "https://github.com/deepset-ai/COVID-QA"
LICENSE = "Apache-2.0"

_HUB = {"document_id", "context", "question", "answers"}
_PARAGRAPH = re.compile(r"\n\s*\n\s*|\A|\Z")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\[(\"“])|\n\s*")
_WORD = re.compile(r"\s+")


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record is a SQuAD article (paragraphs with a context and questions) or the Hub's."""
    paragraphs = record.get("paragraphs")
    first: Any = paragraphs[0] if isinstance(paragraphs, list) and paragraphs else None
    return (isinstance(first, dict) and {"context", "qas"} <= set(first)) or set(record) >= _HUB


def items(records: Iterable[Record], options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a question, on a window of at most ``options.max_passage_chars`` characters."""
    article = _Article("")
    for record in records:
        for paragraph in _paragraphs(record.fields):
            context = str(paragraph.get("context") or "")
            article = article if article.text == context else _Article(context)
            for asked in paragraph.get("qas") or []:
                yield _item(article, asked, options.max_passage_chars)


def _paragraphs(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not set(fields) >= _HUB:
        return fields.get("paragraphs") or []
    golds: Mapping[str, Sequence[Any]] = fields["answers"] or {}
    pairs = zip(golds.get("text") or [], golds.get("answer_start") or [], strict=False)
    answers = [{"text": told, "answer_start": start} for told, start in pairs]
    return [{"context": fields["context"], "qas": [{**fields, "answers": answers}]}]


class _Article:
    def __init__(self, text: str) -> None:
        self.text = text
        self.title = next((line.strip() for line in text.splitlines() if line.strip()), "")

    @cached_property
    def key(self) -> str:
        return passage_key(self.text)

    @cached_property
    def sha256(self) -> str:
        return sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def borders(self) -> tuple[list[_Border], ...]:
        """Where the article may be cut, the best kind of place first."""
        patterns = (_PARAGRAPH, _SENTENCE, _WORD)
        return tuple([_Border(*m.span()) for m in p.finditer(self.text)] for p in patterns)

    def find(self, answer: str, start: int) -> int:
        """The offset of ``answer`` nearest to ``start`` (some are off by a space); -1 if none."""
        found = [match.start() for match in re.finditer(re.escape(answer), self.text)]
        return min(found, key=lambda offset: abs(offset - start), default=-1)

    def window(self, start: int, end: int, limit: int) -> tuple[int, int]:
        """The [from, to] of at most ``limit`` characters around [start, end]."""
        if len(self.text) <= limit:
            return 0, len(self.text)
        spare = (limit - (end - start)) // 2
        left = max(0, min(start - spare, len(self.text) - limit))
        right = min(len(self.text), left + limit)
        return self._open(left, start), self._close(end, right)

    def _open(self, low: int, high: int) -> int:
        for borders in self.borders:
            near = [b.end for b in borders if low <= b.end <= high]
            if near and near[0] - low <= (high - low) / 2:
                return near[0]
        return low

    def _close(self, low: int, high: int) -> int:
        for borders in self.borders:
            near = [b.start for b in borders if low <= b.start <= high]
            if near and high - near[-1] <= (high - low) / 2:
                return near[-1]
        return high


@dataclass(frozen=True, slots=True)
class _Border:
    """A run of white space between two parts of an article."""

    start: int
    end: int


def _item(article: _Article, asked: Mapping[str, Any], limit: int) -> Item | Rejected:
    own = str(asked.get("id", ""))
    question = text(asked, "question")
    golds = [gold for gold in asked.get("answers") or [] if text(gold, "text")]
    if not golds:
        return Rejected(NAME, own, STAGE, "the question has no answer")
    answer = text(golds[0], "text")
    start = article.find(answer, int(golds[0].get("answer_start") or 0))
    if start < 0:
        return Rejected(NAME, own, STAGE, "the answer is not in the article")
    end = start + len(answer)
    if end - start > limit:
        return Rejected(NAME, own, STAGE, f"the answer is longer than {limit} characters")
    low, high = article.window(start, end, limit)
    meta: dict[str, Json] = {
        "answer_type": kind_of(answer, "span"),
        "support": [start - low, end - low],
        "window": [low, high],
        "document": article.sha256,
        "article_key": article.key,
        "title": article.title,
    }
    aliases = tuple(text(gold, "text") for gold in golds)
    return Item(NAME, own, DOMAIN, article.text[low:high], question, answer, aliases, meta)
