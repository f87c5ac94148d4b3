"""Chooses the rows to train on: apart from the benchmark, split by passage, mixed by source."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from halubench import dataset, near
from halubench.errors import InputError
from halubench.records import LABELS, Rejected
from halubench.text import answer_key, digest, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halubench.dataset import Dataset
    from halubench.records import Example

SPLITS = ("train", "validation")
_NAMED, _WORDS = 5, 12
"""Rows that an error names, and words of the shared passage that it quotes."""


def load(
    refs: Sequence[str], part: str | None = None, mapping: Mapping[str, str] | None = None
) -> list[Dataset]:
    """The datasets, in order; ``part`` reads one split only, ``mapping`` renames columns.

    Raises InputError when two of them have a row of the same id.
    """
    found = [dataset.load(ref, split=part, mapping=mapping) for ref in refs]
    owner: dict[str, str] = {}
    for data in found:
        for row in data.examples:
            if owner.setdefault(row.id, data.ref) != data.ref:
                what = f"The id {row.id!r} is in {owner[row.id]} and in {data.ref}."
                raise InputError(what, "Give each row its own id, or name each file once.")
    return found


def apart(
    rows: Sequence[Example], refs: Sequence[str], drop: bool
) -> tuple[list[Example], list[Rejected]]:
    """The rows whose passage is not, exactly or nearly, in one of the benchmarks.

    Nearly: as a whole or a part, by .8 of word 5-grams or more (:func:`halubench.near.overlapping`).
    Raises InputError naming the rows unless they are to be dropped.
    """
    hits: dict[str, str] = {}
    passages = [row.passage for row in rows]
    for ref in refs:
        known = dataset.load(ref).examples
        for hit in near.overlapping(passages, [row.passage for row in known]):
            other, shared = known[hit.other_index].id, " ".join(hit.shared_text.split()[:_WORDS])
            told = f"passage is in {ref} ({other}, {hit.share:.2f}: {shared})"
            hits.setdefault(rows[hit.index].id, told)
    if hits and not drop:
        named = "; ".join(f"{name}: {told}" for name, told in list(hits.items())[:_NAMED])
        more = f"; and {len(hits) - _NAMED:,} more" if len(hits) > _NAMED else ""
        what = f"{len(hits):,} of {len(rows):,} rows are in the benchmark. {named}{more}."
        raise InputError(what, "Take them out, or add --contaminated drop to leave them out.")
    gone = [Rejected(r.source_ds, r.id, "benchmark", hits[r.id]) for r in rows if r.id in hits]
    return [row for row in rows if row.id not in hits], gone


def distinct(rows: Sequence[Example]) -> tuple[list[Example], list[Rejected]]:
    """Each (passage, question, answer) once, and none that stands under both labels."""
    alike: dict[tuple[str, ...], list[Example]] = defaultdict(list)
    for row in rows:
        alike[(*asked(row), answer_key(row.answer))].append(row)
    gone: dict[str, Rejected] = {}
    for first, *others in alike.values():
        both = any(row.label != first.label for row in others)
        reason = "stands under both labels" if both else f"same row as another ({first.id})"
        left = [first, *others] if both else others
        gone |= {row.id: Rejected(row.source_ds, row.id, "duplicates", reason) for row in left}
    return [row for row in rows if row.id not in gone], list(gone.values())


def split(rows: Sequence[Example], validation: float) -> dict[str, list[Example]]:
    """The rows by split; passages that are the same or nearly so fall on one side.

    By a hash of its own: a split of a generated benchmark, also made by hash, is split afresh.
    """
    found: dict[str, list[Example]] = {name: [] for name in SPLITS}
    for row, group in zip(rows, near.groups([row.passage for row in rows]), strict=True):
        at = int(digest("train", group)[:12], 16) / 16**12
        found["validation" if at < validation else "train"].append(row)
    return found


def gold_answers(rows: Iterable[Example]) -> dict[tuple[str, str], str]:
    """The PASS answer by :func:`asked`, where one of the rows gives it."""
    return {asked(row): row.answer for row in rows if row.label == "PASS"}


def asked(row: Example) -> tuple[str, str]:
    """What tells questions apart: the normalised passage and question."""
    return normalise(row.passage), normalise(row.question)


def mix(
    splits: Mapping[str, Sequence[Example]],
    wanted: Mapping[str, int],
    pairs: Mapping[str, str],
    seed: int,
) -> tuple[dict[str, list[Example]], list[Rejected]]:
    """Draw ``wanted`` training rows of each source, half of either label; pairs stay together.

    The validation rows keep the same proportions, an even number of each source, as many as there are. ``pairs`` gives the pair
    of a row's id, where it has one. Raises InputError when a source has too few rows.
    """
    names = _sources(splits, wanted)
    whole = sum(map(len, splits.values()))
    share = len(splits["validation"]) / max(1, len(splits["train"])) if whole else 0.0
    kept: dict[str, list[Example]] = {}
    for name, rows in splits.items():
        count = {s: n if name == "train" else 2 * round(n * share / 2) for s, n in names.items()}
        drawn = _draw(rows, count, pairs, seed)
        _check_enough(name, drawn, count)
        kept[name] = [row for row in rows if row.id in {one.id for one in drawn}]
    taken = {row.id for rows in kept.values() for row in rows}
    gone = [
        Rejected(row.source_ds, row.id, "mix", "not drawn" if row.source_ds in names else "no part")
        for rows in splits.values()
        for row in rows
        if row.id not in taken
    ]
    return kept, gone


def _draw(
    rows: Sequence[Example], count: Mapping[str, int], pairs: Mapping[str, str], seed: int
) -> list[Example]:
    """The first of each label in an order by hash, in which a pair has one place."""
    places: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: digest(str(seed), *_place(row, pairs))):
        places[row.source_ds, row.label].append(row)
    halves = {"PASS": lambda n: n - n // 2, "FAIL": lambda n: n // 2}
    return [
        row
        for source, number in count.items()
        for label in LABELS
        for row in places[source, label][: halves[label](number)]
    ]


def _place(row: Example, pairs: Mapping[str, str]) -> tuple[str, ...]:
    return (pairs[row.id],) if row.id in pairs else asked(row)


def _check_enough(split: str, drawn: Iterable[Example], count: Mapping[str, int]) -> None:
    there = Counter(row.source_ds for row in drawn)
    for source, number in count.items():
        if split == "train" and there[source] < number:
            what = f"{source} has {there[source]:,} balanced training rows, {number:,} are wanted."
            raise InputError(what, f"Ask for {source}={there[source]}, or give more data.")


def _sources(splits: Mapping[str, Sequence[Example]], wanted: Mapping[str, int]) -> dict[str, int]:
    """The wanted numbers by source as the data spells it; the case is not told apart."""
    known = {row.source_ds.casefold(): row.source_ds for rows in splits.values() for row in rows}
    for name in wanted:
        if name.casefold() not in known:
            what = f"The mix names {name}, and no row has that source_ds."
            raise InputError(
                what, f"There are: {', '.join(sorted(known.values()))}; draw from them by --mix."
            )
    return {known[name.casefold()]: number for name, number in wanted.items()}
