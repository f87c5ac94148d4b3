"""What changed between two revisions of a benchmark."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from halubench import dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halubench.dataset import Dataset
    from halubench.records import Example


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows by id: ``same + changed + moved + removed`` are those of ``old``, ``same + changed +
    moved + added`` those of ``new``. ``moved``: same six columns, another split.

    ``by_field`` counts changed rows by column; ``by_source`` has (added, removed, changed) of each
    source. ``examples`` are the first few changed rows (old, new).
    """

    old: str
    new: str
    rows: tuple[int, int]
    same: int
    moved: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    by_field: Mapping[str, int]
    by_source: Mapping[str, tuple[int, int, int]]
    examples: tuple[tuple[Example, Example], ...]

    @property
    def identical(self) -> bool:
        """Whether every row is the same and in the same split."""
        return not (self.added or self.removed or self.changed or self.moved)


def difference(
    old: str, new: str, *, mapping: Mapping[str, str] | None = None, examples: int = 5
) -> Difference:
    """Compare two datasets row by row, joined on id.

    Args:
        old, new: a folder, a file, or ``NAMESPACE/NAME[@REVISION]``.
        mapping: target=column, for files that name the six columns otherwise.
        examples: how many changed rows to keep.

    Raises what :func:`halubench.dataset.load` does.
    """
    left, right = (dataset.load(ref, mapping=mapping) for ref in (old, new))
    before = {row.id: row for row in left.examples}
    after = {row.id: row for row in right.examples}
    both = [name for name in before if name in after]
    changed = [name for name in both if before[name] != after[name]]
    moved = [name for name in set(both) - set(changed) if left.splits[name] != right.splits[name]]
    added = [name for name in after if name not in before]
    removed = [name for name in before if name not in after]
    return Difference(
        old=old,
        new=new,
        rows=(len(before), len(after)),
        same=len(both) - len(changed) - len(moved),
        moved=len(moved),
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
        by_field=_by_field(before, after, changed),
        by_source=_by_source((left, right), (added, removed, changed)),
        examples=tuple((before[name], after[name]) for name in changed[:examples]),
    )


def _by_field(
    before: Mapping[str, Example], after: Mapping[str, Example], changed: Sequence[str]
) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in changed:
        for one in fields(before[name]):
            counts[one.name] += getattr(before[name], one.name) != getattr(after[name], one.name)
    return dict(+counts)


def _by_source(
    data: tuple[Dataset, Dataset], names: tuple[Sequence[str], Sequence[str], Sequence[str]]
) -> dict[str, tuple[int, int, int]]:
    old = {row.id: row.source_ds for row in data[0].examples}
    new = {row.id: row.source_ds for row in data[1].examples}
    added = Counter(new[name] for name in names[0])
    removed = Counter(old[name] for name in names[1])
    changed = Counter(old[name] for name in names[2])
    sources = sorted({*added, *removed, *changed})
    return {one: (added[one], removed[one], changed[one]) for one in sources}
