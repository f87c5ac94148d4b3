"""What provenance lets the audit see: twins, perturbation types, splits, other datasets."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from halubench.audit.rows import Rows
    from halubench.near import Overlap
    from halubench.records import Provenance

SMALL_EDIT = 0.20
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known beside the rows. ``hits``: dataset name -> row number -> overlap."""

    provenance: Mapping[str, Provenance] = field(default_factory=dict[str, "Provenance"])
    splits: Mapping[str, str] = field(default_factory=dict[str, str])
    hits: Mapping[str, Mapping[int, Overlap]] = field(
        default_factory=dict[str, "Mapping[int, Overlap]"]
    )


def edit_shares(rows: Rows, context: Context) -> list[float]:
    """For each complete pair: its tokens edited, as a share of the longer twin's tokens."""
    twins: dict[str, dict[bool, str]] = defaultdict(dict)
    for example, fail in zip(rows.examples, rows.fail.tolist(), strict=True):
        if origin := context.provenance.get(example.id):
            twins[origin.pair_id][fail] = example.answer
    return [edit_share(pair[False], pair[True]) for pair in twins.values() if len(pair) == 2]


def edit_share(one: str, other: str) -> float:
    """Token Levenshtein distance over the longer text's tokens, in [0, 1]."""
    first, second = _TOKEN.findall(one), _TOKEN.findall(other)
    return _distance(first, second) / max(1, len(first), len(second))


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    row = list(range(len(other) + 1))
    for i, token in enumerate(one, 1):
        diagonal, row[0] = row[0], i
        for j, against in enumerate(other, 1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (token != against))
            diagonal, row[j] = row[j], best
    return row[-1]


def types(rows: Rows, context: Context) -> NDArray[np.str_]:
    """Perturbation type of each row (n,); a PASS row has its FAIL twin's; empty when unknown."""
    by_pair: dict[str, str] = {}
    for example, fail in zip(rows.examples, rows.fail.tolist(), strict=True):
        if fail and (origin := context.provenance.get(example.id)):
            by_pair[origin.pair_id] = origin.perturbation
    origins = (context.provenance.get(example.id) for example in rows.examples)
    return np.array([by_pair.get(origin.pair_id, "") if origin else "" for origin in origins])


def type_entropy(names: NDArray[np.str_]) -> float | None:
    """Shannon entropy of the types over its maximum, in [0, 1]; None without any type."""
    counts = np.array(list(Counter(name for name in names.tolist() if name).values()), dtype=float)
    if not len(counts):
        return None
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(len(counts))) if len(counts) > 1 else 0.0


def leaking(rows: Rows, context: Context) -> list[int]:
    """Rows whose passage group stands in more than one split."""
    seen: dict[str, set[str]] = defaultdict(set)
    for example, group in zip(rows.examples, rows.groups.tolist(), strict=True):
        if example.id in context.splits:
            seen[group].add(context.splits[example.id])
    return [i for i, group in enumerate(rows.groups.tolist()) if len(seen[group]) > 1]


def contaminated(rows: Rows, context: Context) -> dict[str, list[int]]:
    """Dataset name -> rows (numbers within ``rows``) whose passage it holds too."""
    return {
        name: [i for i, index in enumerate(rows.index.tolist()) if index in hits]
        for name, hits in context.hits.items()
    }
