"""The stages before any edit: ingest, group, exclude, anchor. Each maps records to records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from halubench import dataset, near, sources
from halubench.generate.workers import spread
from halubench.perturb.restate import restate
from halubench.records import Rejected
from halubench.shelf import Shelf
from halubench.sources import SourceOptions
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.generate.ask import Ask
    from halubench.near import Overlap
    from halubench.perturb.base import Statement
    from halubench.records import Item
    from halubench.sources import SourceRead


def ingest(ask: Ask, tell: Callable[[], None]) -> list[SourceRead]:
    """Every source read; every item knows its licence, and no id names two items.

    An id that an earlier source uses is prefixed with its source; one that repeats within a source
    is rejected.
    """
    options = SourceOptions(mapping=ask.mapping or None, domain=ask.domain, license=ask.license)
    taken: set[str] = set()
    reads: list[SourceRead] = []
    first: Shelf[Item] = Shelf()
    for ref in ask.sources:
        reads.append(_distinct(sources.read(ref, options), taken, Shelf(beside=first)))
        tell()
    return reads


def _distinct(read: SourceRead, taken: set[str], items: Shelf[Item]) -> SourceRead:
    own: set[str] = set()
    twice: list[Rejected] = []
    for item in read.items:
        name = f"{item.source_ds}/{item.id}" if item.id in taken else item.id
        if name in own or name in taken:
            twice.append(Rejected(item.source_ds, item.id, "ingest", "id occurs before"))
            continue
        own.add(name)
        meta = {**item.meta, "license": item.meta.get("license") or read.license}
        items.append(replace(item, id=name, meta=meta))
    taken |= own
    return replace(read, items=items, rejected=[*read.rejected, *twice])


def group(items: Sequence[Item]) -> dict[str, str]:
    """Group by item id: items of near-equal passages, or of one article, are never split.

    An article is what a source names by ``meta["article_key"]``; near-equal passages are those of
    :func:`halubench.near.groups`.
    """
    parent: dict[str, str] = {}
    articles = {item.id: _article(item) for item in items}
    passages = near.groups(item.passage for item in items)
    for article, passage in zip(articles.values(), passages, strict=True):
        one, other = _root(parent, passage), _root(parent, article or passage)
        parent[max(one, other)] = min(one, other)
    return {one: _root(parent, passage) for one, passage in zip(articles, passages, strict=True)}


def _article(item: Item) -> str | None:
    key = item.meta.get("article_key")
    return digest(item.source_ds, str(key))[:16] if key else None


def _root(parent: dict[str, str], key: str) -> str:
    while parent.setdefault(key, key) != key:
        parent[key] = parent[parent[key]]
        key = parent[key]
    return key


@dataclass(frozen=True, slots=True)
class Hit:
    """An item whose passage is (nearly) in a dataset that was to be kept apart."""

    item: Item
    ref: str
    overlap: Overlap


def exclude(items: Sequence[Item], refs: Sequence[str]) -> list[Hit]:
    """The items whose passage is in one of the datasets, each once, with the matching text."""
    hits: dict[str, Hit] = {}
    for ref in refs:
        known = list(dict.fromkeys(one.passage for one in dataset.load(ref).examples))
        for found in near.overlapping((item.passage for item in items), known):
            item = items[found.index]
            hits.setdefault(item.id, Hit(item, ref, found))
    return list(hits.values())


def excluded(hits: Sequence[Hit]) -> list[Rejected]:
    """The rejections that the hits are, the dataset as reason, the matching text in brackets."""
    return [
        Rejected(
            hit.item.source_ds,
            hit.item.id,
            "exclude",
            f"passage is in {hit.ref} ({hit.overlap.share:.2f}: {hit.overlap.shared_text})",
        )
        for hit in hits
    ]


def anchor(
    items: Sequence[Item], control: str, tell: Callable[[], None], workers: int = 1
) -> tuple[Shelf[Statement], Shelf[tuple[Item, Rejected]]]:
    """The gold answers as statements that the passage supports; the others with the reason."""
    statements: Shelf[Statement] = Shelf()
    rejected: Shelf[tuple[Item, Rejected]] = Shelf()
    work = partial(restate, control=control)
    each = spread(work, items, workers)
    for place, found in zip(range(len(items)), each, strict=True):
        tell()
        if isinstance(found, Rejected):
            rejected.append((items[place], found))
        else:
            statements.append(found)
    return statements, rejected
