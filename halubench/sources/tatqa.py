"""TAT-QA (Zhu et al., 2021, arXiv:2105.07624): questions on a table and the text around it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from halubench.records import Item, Json, Rejected
from halubench.sources.base import STAGE, SourceOptions, join, kind_of, text
from halubench.text import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from halubench.reading import Record

NAME = "TATQA"
DOMAIN = "finance"
HOME = "https://github.com/NExTplusplus/TAT-QA"
LICENSE = "CC-BY-4.0"  # the data's

_SCALES = ("thousand", "million", "billion", "percent")
_SIGN_GAP = re.compile(r"(?<=[$€£]) (?=[\d(.—–-])|(?<=[\d)]) (?=%)|(?<=\() (?=\d)|(?<=\d) (?=\))")
_GROUPED = re.compile(r"\d,\d{3}\b")
_YEAR = re.compile(r"(?:19|20)\d{2}")


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record is a table with paragraphs and questions."""
    return {"table", "paragraphs", "questions"} <= set(record)


def items(records: Iterable[Record], _options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a question; the table as GitHub markdown, then the paragraphs, are the passage."""
    for record in records:
        passage = _passage(record.fields)
        questions: Any = record.fields.get("questions") or []
        for asked in questions:
            yield _item(passage, asked)


def _item(passage: str, asked: Mapping[str, Any]) -> Item | Rejected:
    own = str(asked.get("uid", ""))
    parts = _parts(asked.get("answer"), bool(_GROUPED.search(passage)))
    if not parts or not all(parts):
        return Rejected(NAME, own, STAGE, "an answer is empty or neither text nor number")
    question, scale = text(asked, "question"), text(asked, "scale")
    scaled = [part if _is_year(part, question) else _scaled(part, scale) for part in parts]
    meta: dict[str, Json] = {"answer_type": _kind(scaled, question)}
    if len(parts) > 1:
        meta["parts"] = list[Json](scaled)
    for name in ("scale", "derivation", "answer_from"):
        if text(asked, name):
            meta[name] = text(asked, name)
    answer = join(scaled)
    return Item(NAME, own, DOMAIN, passage, question, answer, (answer, join(parts)), meta)


def _kind(parts: Sequence[str], question: str) -> str:
    if len(parts) > 1:
        return "spans"
    return "date" if _is_year(parts[0], question) else kind_of(parts[0], "span")


def _is_year(part: str, question: str) -> bool:
    return bool(_YEAR.fullmatch(part)) and "year" in question.lower()


def _parts(answer: object, grouped: bool) -> list[str]:
    """The answer's parts as text; empty text where a part is neither text nor a number."""
    values: list[object] = [*answer] if isinstance(answer, list) else [answer]
    return [_written(value, grouped) for value in values]


def _written(value: object, grouped: bool) -> str:
    if isinstance(value, str):
        return _SIGN_GAP.sub("", squeeze(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return f"{value:,}" if grouped else str(value)


def _scaled(part: str, scale: str) -> str:
    """The part with its scale spelled, unless it is no bare value or says its scale itself."""
    bare = kind_of(part, "") in ("number", "money") and not part[-1].isalpha()
    if scale not in _SCALES or not bare:
        return part
    return f"{part}%" if scale == "percent" else f"{part} {scale}"


def _passage(fields: Mapping[str, Any]) -> str:
    table: Any = fields.get("table") or {}
    paragraphs = sorted(fields.get("paragraphs") or [], key=lambda p: int(p.get("order") or 0))
    texts = [text(paragraph, "text") for paragraph in paragraphs]
    return "\n\n".join(filter(None, [_markdown(table.get("table") or []), *texts]))


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """The table in GitHub's markdown; its first row is the header, further ones stay rows."""
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [[_cell(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    lines.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(cell: str) -> str:
    return _SIGN_GAP.sub("", squeeze(cell)).replace("|", "\\|")
