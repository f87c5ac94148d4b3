"""Which passages are the same, or nearly: groups for splits and folds, overlap with other data.

Near duplicates are found by MinHash over word 5-gram shingles (Broder 1997) with
locality-sensitive banding, and every candidate is then verified by its exact Jaccard index.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from datasketch import MinHash, MinHashLSH

from halubench import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SHINGLE = 5
"""Words a shingle; a shorter passage is one shingle."""
_PERMUTATIONS = 100
_SHARED_WORDS = 40
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Overlap:
    """``passages[index]`` is nearly ``others[other_index]``; ``shared_text`` is what they share:
    the start (at most 40 words, normalised) of their longest common run of shingles."""

    index: int
    other_index: int
    jaccard: float
    shared_text: str


def groups(passages: Sequence[str], threshold: float = 0.8) -> list[str]:
    """A group key for each passage, independent of the order of the passages.

    Passages equal after :func:`halubench.text.normalise`, or linked by near duplicates (Jaccard
    of word 5-grams >= ``threshold``), share a key: the smallest passage key of the group.
    """
    read = {passage: _Shingled(passage) for passage in set(passages)}
    keys = [read[passage].key for passage in passages]
    shingled = {one.key: one for one in read.values()}
    parents = {key: key for key in shingled}
    index = _index(shingled, threshold)
    for key, other in _candidates(shingled, index):
        low, high = sorted((_root(parents, key), _root(parents, other)))
        if low != high and _jaccard(shingled[key], shingled[other]) >= threshold:
            parents[high] = low
    return [_root(parents, key) for key in keys]


def overlapping(
    passages: Sequence[str], others: Sequence[str], threshold: float = 0.8
) -> list[Overlap]:
    """For each passage that is nearly one of ``others``: the nearest of them, in passage order."""
    known = {i: _Shingled(other) for i, other in _distinct(others).items()}
    index = _index(known, threshold)
    best: dict[str, Overlap | None] = {}
    found: list[Overlap] = []
    for i, passage in enumerate(passages):
        if passage not in best:
            best[passage] = _nearest(_Shingled(passage), known, index, threshold)
        if hit := best[passage]:
            found.append(Overlap(i, hit.other_index, hit.jaccard, hit.shared_text))
    return found


class _Shingled:
    """A passage as the set of its shingles' 64-bit hashes, in order and sorted, and its MinHash."""

    __slots__ = ("in_order", "key", "minhash", "tokens", "unique")

    def __init__(self, passage: str) -> None:
        self.tokens = text.words(passage)
        self.key = text.digest(" ".join(self.tokens))[:16]  # text.passage_key, words read once
        self.in_order = _shingles(self.tokens)
        self.unique = np.unique(self.in_order)
        self.minhash = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=_low_bits)
        self.minhash.update_batch(self.unique)


def _low_bits(value: np.uint64) -> int:
    return int(value) & 0xFFFFFFFF


@lru_cache(maxsize=1 << 17)
def _word_hash(word: str) -> int:
    data = word.encode("utf-8", "surrogatepass")
    return zlib.crc32(data) << 32 | zlib.adler32(data)


def _shingles(tokens: Sequence[str]) -> NDArray[np.uint64]:
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


def _index(shingled: dict[str, _Shingled] | dict[int, _Shingled], threshold: float) -> MinHashLSH:
    # Every candidate is verified, so a missed one costs more than a needless one: each band alone
    # catches a pair at the threshold with probability of at least 1/3 (20 bands of 5 at 0.8).
    rows = int(np.clip(np.log(1 / 3) / np.log(min(threshold, 0.99)), 1, 10))
    index = MinHashLSH(num_perm=_PERMUTATIONS, params=(_PERMUTATIONS // rows, rows))
    for key, passage in shingled.items():
        index.insert(key, passage.minhash, check_duplication=False)
    return index


def _candidates(shingled: dict[str, _Shingled], index: MinHashLSH) -> Iterator[tuple[str, str]]:
    for key, passage in shingled.items():
        others = sorted(str(other) for other in index.query(passage.minhash))
        yield from ((key, other) for other in others if other < key)


def _jaccard(one: _Shingled, other: _Shingled) -> float:
    shared = len(np.intersect1d(one.unique, other.unique, assume_unique=True))
    return shared / (len(one.unique) + len(other.unique) - shared)


def _root(parents: dict[str, str], key: str) -> str:
    while parents[key] != key:
        parents[key] = parents[parents[key]]
        key = parents[key]
    return key


def _distinct(passages: Sequence[str]) -> dict[int, str]:
    first: dict[str, int] = {}
    for i, passage in enumerate(passages):
        first.setdefault(passage, i)
    return {i: passage for passage, i in first.items()}


def _nearest(
    passage: _Shingled, known: dict[int, _Shingled], index: MinHashLSH, threshold: float
) -> Overlap | None:
    found = set(index.query(passage.minhash))
    scored = [(_jaccard(passage, other), -i) for i, other in known.items() if i in found]
    jaccard, negative = max(scored, default=(0.0, 0))
    if jaccard < threshold:
        return None
    return Overlap(0, -negative, jaccard, _shared_text(passage, known[-negative]))


def _shared_text(passage: _Shingled, other: _Shingled) -> str:
    best_start = best_end = start = 0
    for i, shared in enumerate(np.isin(passage.in_order, other.unique)):
        if not shared:
            start = i + 1
        elif i + 1 - start > best_end - best_start:
            best_start, best_end = start, i + 1
    words = passage.tokens[best_start : best_end + SHINGLE - 1]
    return " ".join(words[:_SHARED_WORDS])
