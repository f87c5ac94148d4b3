"""Which rows people read: a stratified sample, fixed once, the same for every reviewer."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from halubench.errors import InputError, OutputError
from halubench.run import publish
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from halubench.dataset import Dataset
    from halubench.records import Example, Row

FORMAT = "halubench/review/1"
SAMPLE = "sample.json"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows to be read, in a folder that also takes the decisions.

    ``ids`` are in sampling order; :meth:`rows` gives each reviewer an order of their own.
    ``strata``: (source, label) -> rows of the whole dataset, which the sample stands for.
    """

    folder: Path
    data: Dataset
    seed: int
    ids: tuple[str, ...]
    strata: Mapping[tuple[str, str], int]

    def examples(self) -> dict[str, Example]:
        """The sampled rows by id."""
        known = {example.id: example for example in self.data.examples}
        return {name: known[name] for name in self.ids}

    def rows(self, reviewer: str) -> list[Row]:
        """The rows as a reviewer may see them: without label, pair or provenance."""
        rows = self.examples()
        order = sorted(self.ids, key=lambda name: digest(str(self.seed), reviewer, name))
        return [rows[name].blind() for name in order]


def open_sheet(data: Dataset, folder: Path, *, per_source: int = 50, seed: int = 0) -> Sheet:
    """Draw the sample, or take up the one that was drawn in that folder.

    Args:
        data: the labelled rows.
        folder: where sample and decisions are kept.
        per_source: rows of each source; 50 is what the paper of Lynx had read (arXiv 2407.08488).
        seed: of the draw and of the reviewers' orders.

    Half of a source's rows are PASS and half FAIL, spread over its types of perturbation; of a
    pair at most one row is drawn, since seeing both would tell which is which.

    Raises InputError when the folder holds a sample of other rows or of another size or seed.
    """
    if per_source < 1:
        raise InputError(f"A sample of {per_source} rows has none to read.", "Give 1 or more.")
    asked = {"format": FORMAT, "sha256": data.sha256, "per_source": per_source, "seed": seed}
    path = folder / SAMPLE
    if path.exists():
        ids = _known(path, asked, data)
    else:
        ids = _draw(data, per_source, seed)
        publish(folder, {SAMPLE: json.dumps({**asked, "ids": ids}, indent=1) + "\n"}, SAMPLE)
    strata: Counter[tuple[str, str]] = Counter()
    strata.update((example.source_ds, example.label) for example in data.examples)
    return Sheet(folder, data, seed, tuple(ids), strata)


def _known(path: Path, asked: Mapping[str, object], data: Dataset) -> list[str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise OutputError(f"{path} cannot be read: {error}.", "Remove it to start anew.") from error
    if not isinstance(found, dict):
        raise OutputError(f"{path} is no sample.", "Remove it to start anew.")
    for name, value in asked.items():
        if found.get(name) != value:
            what = f"{path} is another sample: {name} was {found.get(name)!r}, is now {value!r}."
            raise InputError(what, "Give the same options, or another --out.")
    left = [example.id for example in data.examples]
    ids = found.get("ids")
    if not isinstance(ids, list) or not ids or not Counter(map(str, ids)) <= Counter(left):
        what = f"{path}: field ids does not name rows of {data.ref}, each once."
        raise OutputError(what, "Remove it to start anew.")
    return [str(name) for name in ids]


def _draw(data: Dataset, per_source: int, seed: int) -> list[str]:
    sources: defaultdict[str, list[Example]] = defaultdict(list)
    for example in data.examples:
        sources[example.source_ds].append(example)
    found: list[str] = []
    for source in sorted(sources):
        found += _of_source(data, sources[source], per_source, seed)
    return found


def _of_source(data: Dataset, rows: Sequence[Example], wanted: int, seed: int) -> list[str]:
    """Types in turn, labels in turn, no pair twice."""
    by_type: defaultdict[str, list[Example]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: digest(str(seed), row.id)):
        origin = data.provenance.get(row.id)
        by_type[origin.perturbation if origin else ""].append(row)
    turns = [row for turn in zip_longest(*by_type.values()) for row in turn if row is not None]
    left: dict[str, list[Example]] = {
        label: [row for row in turns if row.label == label] for label in ("PASS", "FAIL")
    }
    used: set[str] = set()
    found: list[str] = []
    while len(found) < wanted and any(left.values()):
        label = "PASS" if (len(found) % 2 == 0 and left["PASS"]) or not left["FAIL"] else "FAIL"
        row = left[label].pop(0)
        pair = _pair(data, row)
        if pair not in used:
            used.add(pair)
            found.append(row.id)
    return found


def _pair(data: Dataset, row: Example) -> str:
    origin = data.provenance.get(row.id)
    return origin.pair_id if origin else digest(row.passage, row.question)
