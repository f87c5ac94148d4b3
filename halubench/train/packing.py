"""Which rows are learnt together: twins side by side, and into which sequences rows are packed."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def groups(keys: Iterable[str]) -> list[list[int]]:
    """The places of each key, in the order in which the keys are first met."""
    found: dict[str, list[int]] = {}
    for at, key in enumerate(keys):
        found.setdefault(key, []).append(at)
    return list(found.values())


def pack(lengths: Sequence[int], most: int, kindred: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows (their places in ``lengths``, in tokens) of each sequence of at most ``most`` tokens.

    Best-fit decreasing (Johnson 1974; Ding et al. 2024, arXiv 2404.10830) of whole groups: rows of
    ``kindred`` go into one sequence, as many of them as fit. No row is cut; none may be longer than
    ``most``.
    """
    units = [(sum(lengths[at] for at in unit), unit) for unit in _units(lengths, most, kindred)]
    sequences: list[list[int]] = []
    room: list[tuple[int, int]] = []  # What is left, and of which sequence.
    for size, unit in sorted(units, key=lambda one: -one[0]):
        place = bisect_left(room, (size, 0))
        left, which = room.pop(place) if place < len(room) else (most, len(sequences))
        if which == len(sequences):
            sequences.append([])
        sequences[which].extend(unit)
        insort(room, (left - size, which))
    return sequences


def _units(
    lengths: Sequence[int], most: int, kindred: Sequence[Sequence[int]]
) -> Iterator[list[int]]:
    """Each group, or its parts in turn where it is longer than a sequence."""
    for group in kindred:
        unit: list[int] = []
        for at in group:
            if unit and sum(lengths[one] for one in unit) + lengths[at] > most:
                yield unit
                unit = []
            unit.append(at)
        yield unit


def apart(sequences: Sequence[Sequence[int]], kindred: Sequence[Sequence[int]]) -> int:
    """How many groups lie in more than one sequence."""
    where = {at: number for number, rows in enumerate(sequences) for at in rows}
    return sum(len({where[at] for at in group}) > 1 for group in kindred)
