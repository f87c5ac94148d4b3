"""Upstream gold QA, one file a format; each becomes Items. See :mod:`halubench.sources.base`."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, cast

from halubench import content
from halubench.errors import InputError
from halubench.reading import (
    FORMATS,
    HubId,
    Record,
    check_mapping,
    format_of,
    name_of,
    resolve,
    scan,
    scan_hub,
    text_fault,
)
from halubench.records import Item, Rejected
from halubench.shelf import Shelf
from halubench.sources.base import STAGE, Source, SourceOptions, SourceRead
from halubench.sources.table import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["SourceOptions", "SourceRead", "read"]

_SCHEME = re.compile(r"([A-Za-z][\w-]+):(.+)", re.DOTALL)
_TABLE = "table"
_NO_DOCUMENTS = (
    "Write a table (csv, jsonl, parquet) with a passage, a question and its gold answer a row: "
    "halubench asks no questions of bare documents."
)


def read(ref: str, options: SourceOptions) -> SourceRead:
    """Read all gold QA of one source.

    Args:
        ref: a file, whose format is told by its first row; ``SCHEME:FILE`` to force one of
            ``halubench/sources``; or a Hub dataset ``[hf:]NAMESPACE/NAME[@REVISION]``.
        options: column mapping, and what replaces the source's own domain and licence.

    The licence and domain are those of the items (a table's rows may differ: all are listed).
    Items come in upstream order. Those whose passage, question or answer is empty, or whose id
    came before, are rejected with the reason; in a user's own table these are errors.

    Raises:
        InputError: naming file, row and field of what cannot be used; for an unknown format, what
            was tried.
        MissingExtraError: a Hub dataset was asked for and ``datasets`` is not installed.
    """
    check_mapping(options.mapping, TARGETS)
    scheme, target = _split_scheme(ref)
    place = resolve(target)
    records = _records(place)
    first = next(records)
    source = _source(scheme, first, options)
    found = source.items(chain([first], records), options)
    try:
        items, rejected = _sort(found, source, options)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{place} breaks off from the format of {source.NAME or _TABLE}: {error!r}."
        raise InputError(what, "Check that the file is as its publisher gave it out.") from error
    return SourceRead(
        name=source.NAME or name_of(place),
        license=_listed((str(item.meta["license"]) for item in items), source.LICENSE),
        domain=_listed((item.domain for item in items), source.DOMAIN),
        items=items,
        rejected=rejected,
        rows=len(items) + len(rejected),
        home=str(getattr(source, "HOME", "")),
    )


def _split_scheme(ref: str) -> tuple[str, str]:
    match = _SCHEME.fullmatch(ref)
    if match is None or match[1] == "hf" or Path(ref).exists():
        return "", ref
    content.module("sources", match[1])
    return match[1], match[2]


def _records(place: Path | HubId) -> Iterator[Record]:
    if isinstance(place, HubId):
        return (record for _, record in scan_hub(place))
    if place.is_dir():
        what = f"{place} is a folder, not a file of gold questions and answers."
        names = sorted(path.name for path in place.iterdir() if format_of(path) in FORMATS)[:5]
        files = f"Give one file of it, such as: {', '.join(names)}." if names else _NO_DOCUMENTS
        raise InputError(what, files)
    return scan(place)


def _source(scheme: str, first: Record, options: SourceOptions) -> Source:
    if scheme:
        source = cast("Source", content.module("sources", scheme))
        if scheme != _TABLE and not source.matches(first.fields):
            columns = ", ".join(first.fields)
            raise InputError(
                f"{first.where} is not in the format of {scheme}; its columns are: {columns}.",
                "Leave the scheme out to have the format detected.",
            )
        return source
    if options.mapping:
        return cast("Source", content.module("sources", _TABLE))
    return _detect(first)


def _detect(first: Record) -> Source:
    names = [name for name in content.module_names("sources") if name != _TABLE]
    for name in [*names, _TABLE]:
        source = cast("Source", content.module("sources", name))
        if source.matches(first.fields):
            return source
    raise InputError(
        f"{first.place} is in no format that halubench knows (tried {', '.join(names)} and "
        f"{_TABLE}); its columns are: {', '.join(first.fields)}.",
        "Name them with --map passage=COLUMN,question=COLUMN,answer=COLUMN.",
    )


def _sort(
    found: Iterable[Item | Rejected], source: Source, options: SourceOptions
) -> tuple[Shelf[Item], list[Rejected]]:
    items: Shelf[Item] = Shelf()
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for one in found:
        if isinstance(one, Rejected):
            rejected.append(one)
            continue
        reason = _fault(one, seen)
        if reason:
            rejected.append(Rejected(one.source_ds, one.id, STAGE, reason))
        else:
            items.append(_complete(one, source, options))
        seen.add(one.id)
    return items, rejected


def _listed(values: Iterable[str], otherwise: str) -> str:
    return ", ".join(sorted(set(values))) or otherwise


def _fault(item: Item, seen: set[str]) -> str:
    for name in ("passage", "question", "answer"):
        fault = text_fault(getattr(item, name))
        if fault:
            return f"the {name} {fault}"
    return "the same question came before" if item.id in seen else ""


def _complete(item: Item, source: Source, options: SourceOptions) -> Item:
    aliases = tuple(dict.fromkeys((item.answer, *filter(str.strip, item.aliases))))
    own: Mapping[str, object] = item.meta
    licence = options.license or own.get("license") or source.LICENSE
    meta = {**item.meta, "license": str(licence)}
    return replace(item, domain=options.domain or item.domain, aliases=aliases, meta=meta)
