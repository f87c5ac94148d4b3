"""Makes the rows of the twins that are kept: their ids, their splits, their order, their provenance."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from halubench.records import Example, Provenance
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from halubench.records import Candidate, Json, Label

ORDERS = 64
"""Orders of the rows that are tried."""


def examples(
    kept: Sequence[Candidate],
    *,
    seed: int,
    splits: Mapping[str, float],
    groups: Mapping[str, str],
    votes: Mapping[str, tuple[str, float]],
) -> tuple[list[Example], dict[str, Provenance]]:
    """The rows of the kept twins, shuffled by seed, with their provenance.

    ``splits`` are shares that sum to 1; ``groups`` the passage group of each item id, which decides
    the split; ``votes`` the jury's votes (JSON) and hardness of each item id, where there was one.
    """
    rows: list[Example] = []
    origin: dict[str, Provenance] = {}
    for one in kept:
        pair_id = digest("pair", str(seed), one.item.source_ds, one.item.id, one.base)[:16]
        for label, answer in twins(one):
            row = Example(
                digest("row", str(seed), pair_id, answer)[:24],
                one.item.passage,
                one.item.question,
                answer,
                label,
                one.item.source_ds,
            )
            rows.append(row)
            origin[row.id] = _provenance(row, one, pair_id, _Facts(seed, splits, groups, votes))
    return _shuffled(rows, origin, seed), origin


def _shuffled(
    rows: Sequence[Example], origin: Mapping[str, Provenance], seed: int
) -> list[Example]:
    """The rows by split, in the one of ORDERS random orders in which the labels lie most evenly.

    Few rows in one random order put, by chance, one label first often enough to be learnt.
    """
    known = sorted(rows, key=lambda row: row.id)
    signs = np.array([1 if row.label == "PASS" else -1 for row in known])
    sources = np.array([row.source_ds for row in known])
    scopes = [np.ones(len(known), dtype=bool), *(sources == name for name in np.unique(sources))]

    def order(draw: int) -> list[int]:
        made = list(range(len(known)))
        Random(digest("order", str(seed), str(draw))).shuffle(made)  # noqa: S311  (reproducible)
        return sorted(made, key=lambda place: origin[known[place].id].split)

    def unevenness(made: list[int]) -> float:
        return max(_unevenness(signs[made][scope[made]]) for scope in scopes)

    return [known[place] for place in min(map(order, range(ORDERS)), key=unevenness)]


def _unevenness(signs: NDArray[np.int_]) -> float:
    """How far labels (1 or -1) are from even over the tenths and over the odd and even places, in
    units of what chance gives."""
    parts = [*np.array_split(signs, 10), signs[::2], signs[1::2]]
    return sum(float(part.sum()) ** 2 / part.size for part in parts if part.size)


def split_of(group: str, splits: Mapping[str, float]) -> str:
    """The split of a passage group: by hash alone, so that added rows move nobody."""
    at = int(digest("split", group)[:12], 16) / 16**12
    edge = 0.0
    for name, share in splits.items():
        edge += share
        if at < edge:
            return name
    return list(splits)[-1]


def twins(one: Candidate) -> tuple[tuple[Label, str], tuple[Label, str]]:
    """(label, answer) of both rows of a pair."""
    return ("PASS", one.pass_answer), ("FAIL", one.fail_answer)


@dataclass(frozen=True, slots=True)
class _Facts:
    seed: int
    splits: Mapping[str, float]
    groups: Mapping[str, str]
    votes: Mapping[str, tuple[str, float]]


def _provenance(row: Example, one: Candidate, pair_id: str, facts: _Facts) -> Provenance:
    item = one.item
    edit = one.fail_edit if row.label == "FAIL" else one.pass_edit
    said, hardness = facts.votes.get(item.id, ("", 0.0))
    return Provenance(
        id=row.id,
        pair_id=pair_id,
        item_id=item.id,
        group=facts.groups[item.id],
        split=split_of(facts.groups[item.id], facts.splits),
        domain=item.domain,
        perturbation=one.perturbation,
        relation=one.relation,
        level=one.level,
        edit_old=edit.old if edit else "",
        edit_new=edit.new if edit else "",
        change_made=one.change_made,
        evidence=one.evidence,
        base=one.base,
        generator=one.generator,
        prompt_hash=one.prompt_hash,
        seed=facts.seed,
        votes=said,
        hardness=hardness,
        license=str(item.meta.get("license", "")),
        document=str(item.meta.get("document", "")),
        window=_window(item.meta.get("window")),
    )


def _window(place: Json) -> str:
    return ":".join(map(str, place)) if isinstance(place, list) else ""
