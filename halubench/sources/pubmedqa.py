"""PubMedQA PQA-L (Jin et al., 2019, arXiv:1909.06146): a JSON object of abstracts by PMID.

The Hub's rows (qiaojin/PubMedQA) name the same fields in another way and are read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.reading import KEY
from halubench.records import Item, Json, Rejected
from halubench.sources.base import SourceOptions, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from halubench.reading import Record

NAME = "pubmedQA"
DOMAIN = "medical"
HOME = "https://github.com/pubmedqa/pubmedqa"
LICENSE = "MIT"

_HUB = ("pubid", "question", "context", "long_answer", "final_decision")


def matches(record: Mapping[str, object]) -> bool:
    """Whether the record is an abstract with a question."""
    return {"QUESTION", "CONTEXTS", "LONG_ANSWER"} <= set(record) or set(_HUB) <= set(record)


def items(records: Iterable[Record], _options: SourceOptions) -> Iterator[Item | Rejected]:
    """One item an abstract: its sections are the passage, its conclusion the answer."""
    for record in records:
        fields = _as_published(record.fields)
        contexts = fields.get("CONTEXTS")
        sections = contexts if isinstance(contexts, list) else []
        passage = "\n\n".join(part.strip() for part in sections if isinstance(part, str))
        meta: dict[str, Json] = {"answer_type": "conclusion"}
        if text(fields, "final_decision"):
            meta["final_decision"] = text(fields, "final_decision")
            predicted = {text(fields, f"reasoning_{way}_pred") for way in ("required", "free")}
            meta["annotators_agree"] = predicted - {""} <= {text(fields, "final_decision")}
        yield Item(
            source_ds=NAME,
            id=text(fields, KEY) or f"row-{record.row}",
            domain=DOMAIN,
            passage=passage,
            question=text(fields, "QUESTION"),
            answer=text(fields, "LONG_ANSWER"),
            meta=meta,
        )


def _as_published(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if "pubid" not in fields:
        return fields
    key, question, context, answer, decision = (fields.get(name) for name in _HUB)
    contexts = list((context or {}).get("contexts") or [])
    return {KEY: str(key), "QUESTION": question, "CONTEXTS": contexts, "LONG_ANSWER": answer,
            "final_decision": decision}  # fmt: skip
