"""Your own table: any file or Hub dataset with passage, question and answer columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halubench.errors import InputError
from halubench.reading import id_of, name_of, text_of
from halubench.records import LABELS, Item, Json, Rejected
from halubench.sources.base import STAGE, SourceOptions, text
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from halubench.reading import Record

NAME = ""  # each table goes by its own name
DOMAIN = "general"
LICENSE = "unstated"

REQUIRED = ("passage", "question", "answer")
TARGETS = (*REQUIRED, "id", "source_ds", "domain", "license", "title", "answer_type", "aliases")
"""The columns read: the first three must be there, the rest may."""


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record has the three columns under their own names."""
    return set(REQUIRED) <= set(record)


def items(records: Iterable[Record], options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item a row. Rows labelled FAIL hold no gold answer and are rejected.

    Raises InputError naming file, row and field when a required field is absent, empty or no
    text or when a label is neither PASS nor FAIL, and both rows when an id comes twice.
    """
    mapping = options.mapping or {}
    seen: dict[str, str] = {}
    for record in records:
        item = _item(record, mapping)
        if id_of(record, mapping) is not None and item.id in seen:
            what = f"{record.where} has the id {item.id!r} of {seen[item.id]}."
            raise InputError(what, "Give each row its own id, or leave the id column out.")
        seen[item.id] = record.where
        if _is_fail(record):
            yield Rejected(item.source_ds, item.id, STAGE, "labelled FAIL: not a gold answer")
        else:
            yield item


def _is_fail(record: Record) -> bool:
    """Whether the row is labelled FAIL. A label that cannot be read could be one."""
    label = record.fields.get("label")
    if label is not None and label not in LABELS:
        what = f"{record.where}: the label is {label!r}, neither PASS nor FAIL."
        raise InputError(what, "Correct it, or leave the label column out if all answers are gold.")
    return label == "FAIL"


def _item(record: Record, mapping: Mapping[str, str]) -> Item:
    passage, question, answer = (text_of(record, name, mapping) for name in REQUIRED)
    extra = {name: _extra(record, name, mapping) for name in TARGETS[4:]}
    meta: dict[str, Json] = {n: extra[n] for n in ("license", "title", "answer_type") if extra[n]}
    return Item(
        source_ds=extra["source_ds"] or name_of(record.place),
        id=id_of(record, mapping) or digest(passage, question, answer)[:16],
        domain=extra["domain"] or DOMAIN,
        passage=passage,
        question=question,
        answer=answer.strip(),
        aliases=_aliases(record.fields.get(mapping.get("aliases", "aliases"))),
        meta=meta,
    )


def _extra(record: Record, name: str, mapping: Mapping[str, str]) -> str:
    return text_of(record, name, mapping) if name in mapping else text(record.fields, name)


def _aliases(value: object) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()
