"""Which passages are the same, or nearly: groups for splits and folds, overlap with other data.

Groups: near duplicates are found by MinHash over word 5-gram shingles (Broder 1997) with
locality-sensitive banding, and every candidate is then verified by its exact Jaccard index.
Overlap with other data is exact, by an index of their shingles, and finds a passage in a document
that holds it as well (Broder's containment).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from halubench import text
from halubench.shelf import Picked, Shelf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SHINGLE = 5
"""Words a shingle; a shorter passage is one shingle."""
_ENOUGH = 25
"""Shingles from which on a passage found within a longer one is no chance."""
_PERMUTATIONS = 100
_PART = 4096
"""Shingles hashed at once, so that a long passage takes no more memory than a short one."""
_SHARED_WORDS = 40
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_Hashes: TypeAlias = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """``passages[index]`` is nearly ``others[other_index]``, or a part of it, or holds it.

    ``share``: their Jaccard index, counting no more of the longer than the shorter has;
    ``shared_text``: the start (at most 40 words, normalised) of their longest common run of shingles.
    """

    index: int
    other_index: int
    share: float
    shared_text: str


def groups(passages: Iterable[str], threshold: float = 0.8) -> list[str]:
    """A group key for each passage, independent of the order of the passages.

    The passages are read once, and their shingles kept on disk. Those equal after :func:`halubench.text.normalise`, or linked by near duplicates (Jaccard
    of word 5-grams >= ``threshold``), share a key: the smallest passage key of the group.
    """
    read: Shelf[_Hashes] = Shelf()
    place: dict[str, int] = {}
    own: list[str] = []
    for passage in passages:
        key = text.passage_key(passage)
        if key not in place:
            place[key] = len(read)
            read.append(_shingled(passage))
        own.append(key)
    keys = sorted(place)
    forest = _Forest(Picked(read, map(place.__getitem__, keys)), threshold)
    for bucket in _buckets(forest.unique, threshold):
        forest.link(bucket)
    group = {key: keys[forest.root(at)] for at, key in enumerate(keys)}
    return [group[key] for key in own]


def overlapping(
    passages: Iterable[str], others: Sequence[str], threshold: float = 0.8
) -> list[Overlap]:
    """For each passage that nearly is, is part of, or holds one of ``others``: the nearest of them,
    in passage order.

    Nearness is the Jaccard index of word 5-grams; where both have at least 25, that of the shorter
    and as many of the longer, so that a window is found in its document and the other way round.
    """
    known = _distinct(others)
    places, index = list(known.values()), _Index([_shingled(each) for each in known])
    found: list[Overlap] = []
    best: dict[str, Overlap | None] = {}
    for i, passage in enumerate(passages):
        key = text.digest(passage)
        if key not in best:
            place, share = index.nearest(_shingled(passage))
            near = share >= threshold
            shared = _shared_text(passage, index.unique[place]) if near else ""
            best[key] = Overlap(i, places[place], share, shared) if near else None
        if (nearest := best[key]) is not None:
            found.append(replace(nearest, index=i))
    return found


class _Index:
    """Which passages hold a shingle."""

    def __init__(self, unique: list[_Hashes]) -> None:
        self.unique = unique
        self._sizes = np.array([len(each) for each in unique], dtype=np.int64)
        hashes = np.concatenate([*unique, np.empty(0, dtype=np.uint64)])
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        self._holders = np.repeat(np.arange(len(unique)), self._sizes)[order]

    def nearest(self, mine: _Hashes) -> tuple[int, float]:
        """(place, share) of the nearest passage, the first of equals; the share is 0 if none is near."""
        holders, shared = self._shared(mine)
        if not len(holders):
            return 0, 0.0
        sizes = self._sizes[holders]
        jaccard = shared / (sizes + len(mine) - shared)
        shorter = np.minimum(sizes, len(mine))
        share = np.where(shorter >= _ENOUGH, shared / (2 * shorter - shared), jaccard)
        found = np.lexsort((-holders, jaccard, share))[-1]
        return int(holders[found]), float(share[found])

    def _shared(self, mine: _Hashes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The passages that share a shingle, and how many each shares."""
        starts = np.searchsorted(self._hashes, mine, "left")
        ends = np.searchsorted(self._hashes, mine, "right")
        runs = [self._holders[i:j] for i, j in zip(starts, ends, strict=True) if j > i]
        if not runs:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        return np.unique(np.concatenate(runs), return_counts=True)


class _Forest:
    """Passages as trees that grow together; a tree's root is its smallest place."""

    def __init__(self, unique: Sequence[_Hashes], threshold: float) -> None:
        self.unique, self._threshold = unique, threshold
        self._parents = list(range(len(unique)))

    def root(self, place: int) -> int:
        """The root of the tree that ``place`` stands in."""
        parents = self._parents
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    def link(self, bucket: Iterable[int]) -> None:
        """Join the trees of all that are near each other; within a tree nothing is compared."""
        trees: dict[int, list[int]] = {}
        for one in bucket:
            mine = trees.pop(self.root(one), [])
            for other in list(trees):
                if any(self._near(one, each) for each in trees[other]):
                    mine += trees.pop(other)
                    low, high = sorted((self.root(one), other))
                    self._parents[high] = low
            mine.append(one)
            trees[self.root(one)] = mine

    def _near(self, one: int, other: int) -> bool:
        return _jaccard(self.unique[one], self.unique[other]) >= self._threshold


@lru_cache(maxsize=1 << 17)
def _word_hash(word: str) -> int:
    data = word.encode("utf-8", "surrogatepass")
    return zlib.crc32(data) << 32 | zlib.adler32(data)


def _shingles(tokens: Sequence[str]) -> _Hashes:
    """A hash for each run of five tokens (polynomial in 2^64, then mixed); shorter text gives one."""
    hashes = np.array([_word_hash(token) for token in tokens], dtype=np.uint64)
    width = min(SHINGLE, len(hashes))
    if not width:
        return np.zeros(1, dtype=np.uint64)
    rolled = np.zeros(len(hashes) - width + 1, dtype=np.uint64)
    for offset in range(width):
        rolled = rolled * _MULTIPLIER + hashes[offset : len(hashes) - width + 1 + offset]
    rolled = (rolled ^ (rolled >> np.uint64(29))) * _MULTIPLIER
    return rolled ^ (rolled >> np.uint64(32))


def _shingled(passage: str) -> _Hashes:
    """The distinct hashes of the passage's shingles, sorted."""
    return np.unique(_shingles(text.normalise(passage).split()))


def _buckets(unique: Sequence[_Hashes], threshold: float) -> Iterator[list[int]]:
    """Places of passages whose MinHashes are equal in a band: the candidates, to be verified."""
    # A missed candidate costs more than a needless one: each band alone catches a pair at the
    # threshold with probability of at least 1/3 (20 bands of 5 at 0.8).
    rows = int(np.clip(np.log(1 / 3) / np.log(min(threshold, 0.99)), 1, 10))
    hashes = np.empty((len(unique), _PERMUTATIONS), dtype=np.uint32)
    for place, each in enumerate(unique):
        hashes[place] = _minhash(each)
    for start in range(0, _PERMUTATIONS // rows * rows, rows):
        band = np.ascontiguousarray(hashes[:, start : start + rows]).view(f"V{4 * rows}").ravel()
        order = np.argsort(band, kind="stable")
        starts = np.flatnonzero(band[order][1:] != band[order][:-1]) + 1
        edges = np.concatenate(([0], starts, [len(order)]))
        for bucket in np.flatnonzero(np.diff(edges) > 1):
            yield order[edges[bucket] : edges[bucket + 1]].tolist()


def _minhash(unique: _Hashes) -> NDArray[np.uint32]:
    """The least hash under each permutation, shape (permutations,)."""
    factors, terms = _permutations()
    halves = unique.astype(np.uint32)
    parts = (halves[start : start + _PART] for start in range(0, len(halves), _PART))
    least: NDArray[np.uint32] = np.minimum.reduce([(factors * x + terms).min(1) for x in parts])
    return least


@lru_cache(maxsize=1)
def _permutations() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Odd factors and terms of permutations x -> ax + b of 2^32, each of shape (permutations, 1).

    The generator is the one whose numbers numpy promises never to change.
    """
    drawn = np.random.RandomState(1).randint(0, 1 << 32, (2, _PERMUTATIONS, 1), dtype=np.uint32)
    return drawn[0] | np.uint32(1), drawn[1]


def _jaccard(one: _Hashes, other: _Hashes) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def _distinct(passages: Sequence[str]) -> dict[str, int]:
    """Each passage once, with its first place."""
    first: dict[str, int] = {}
    for i, passage in enumerate(passages):
        first.setdefault(passage, i)
    return first


def _shared_text(passage: str, other: _Hashes) -> str:
    tokens = text.words(passage)
    best_start = best_end = start = 0
    for i, shared in enumerate(np.isin(_shingles(tokens), other)):
        if not shared:
            start = i + 1
        elif i + 1 - start > best_end - best_start:
            best_start, best_end = start, i + 1
    return " ".join(tokens[best_start : best_end + SHINGLE - 1][:_SHARED_WORDS])
