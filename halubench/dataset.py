"""Datasets in HaluBench's six columns: read from any file, run folder or the Hub, and written."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import MISSING, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.errors import InputError, OutputError
from halubench.reading import (
    HubId,
    Record,
    check_mapping,
    id_of,
    name_of,
    read_records,
    resolve,
    scan,
    scan_hub,
    text_of,
)
from halubench.records import EXAMPLE_FIELDS, LABELS, Example, Label, Provenance
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Dataset", "content_hash", "load", "read_records", "write"]

WHOLE = "all"
"""The split of rows that come from one plain file."""
_DATA, _PROVENANCE = "data", "provenance"
_ARROW = {"str": pa.string(), "int": pa.int64(), "float": pa.float64()}
_EXAMPLE_SCHEMA = pa.schema([(name, pa.string()) for name in EXAMPLE_FIELDS])
_NEEDED = {f.name for f in fields(Provenance) if f.default is MISSING}
"""Columns without which a provenance table cannot be read; the others came later."""
_PROVENANCE_SCHEMA = pa.schema([(f.name, _ARROW[str(f.type)]) for f in fields(Provenance)])


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows in file order. ``ref`` is what was asked for, ``splits`` gives the split of each id.

    ``provenance`` (by id) is empty unless a run folder brought it; ``sha256`` is
    :func:`content_hash` of the rows.
    """

    name: str
    ref: str
    examples: tuple[Example, ...]
    provenance: Mapping[str, Provenance]
    splits: Mapping[str, str]
    sha256: str


def load(
    ref: str, *, split: str | None = None, mapping: Mapping[str, str] | None = None
) -> Dataset:
    """Read labelled rows.

    Args:
        ref: a table file (see :func:`halubench.reading.scan`), a folder that :func:`write` wrote,
            or a Hub dataset ``[hf:]NAMESPACE/NAME[@REVISION]``. A local path is tried first.
        split: read only this split of a folder or Hub dataset.
        mapping: target=column, for files that name the six columns otherwise.

    Columns beyond the six are left aside. A row without id gets an opaque one made from its
    content; one without source_ds gets the file's name.

    Raises:
        InputError: naming file, row and field of whatever cannot be used as given.
        MissingExtraError: a Hub dataset was asked for and ``datasets`` is not installed.
    """
    check_mapping(mapping, EXAMPLE_FIELDS)
    place = resolve(ref)
    name = name_of(place)
    examples, splits = _collect(_records(place, split), name, mapping or {})
    provenance = {} if isinstance(place, HubId) else _read_provenance(place, splits)
    return Dataset(name, ref, examples, provenance, splits, content_hash(examples))


def write(
    folder: Path, examples: Sequence[Example], provenance: Mapping[str, Provenance]
) -> list[Path]:
    """Write ``folder/data/SPLIT.parquet`` (the six columns) and ``folder/provenance/SPLIT.parquet``.

    Both keep the order of ``examples``; the split is the provenance's. The same rows give the same
    bytes. Files of splits that are gone are removed. Each file appears whole or not at all.

    Raises OutputError when a row has no provenance or the folder cannot be written.
    """
    parts: dict[str, list[Example]] = {}
    for example in examples:
        if example.id not in provenance:
            raise OutputError(f"The row {example.id} has no provenance.", "Give one for each row.")
        parts.setdefault(provenance[example.id].split, []).append(example)
    written: list[Path] = []
    try:
        for split, rows in sorted(parts.items()):
            origins = [provenance[row.id] for row in rows]
            written.append(_save(folder / _DATA / f"{split}.parquet", rows, _EXAMPLE_SCHEMA))
            path = folder / _PROVENANCE / f"{split}.parquet"
            written.append(_save(path, origins, _PROVENANCE_SCHEMA))
        for part in (_DATA, _PROVENANCE):
            for stale in set((folder / part).glob("*.parquet")) - set(written):
                stale.unlink()
    except OSError as error:
        what = f"The dataset cannot be written to {folder}: {error.strerror or error}."
        raise OutputError(what, "Free some space or name another folder.") from error
    return written


def content_hash(examples: Iterable[Example]) -> str:
    """The sha256 (hex) over the six columns of all rows, in row order."""
    sha = hashlib.sha256()
    for example in examples:
        values = (str(getattr(example, name)) for name in EXAMPLE_FIELDS)
        sha.update(bytes.fromhex(digest(*values)))
    return sha.hexdigest()


def _records(place: Path | HubId, split: str | None) -> Iterator[tuple[str, Record]]:
    if isinstance(place, HubId):
        yield from scan_hub(place, split)
        return
    files = _folder_files(place) if place.is_dir() else {WHOLE: place}
    if split is not None and split not in files:
        raise InputError(f"{place} has no split {split!r}.", f"Its splits: {', '.join(files)}.")
    for name, path in files.items():
        if split in (None, name):
            yield from ((name, record) for record in scan(path))


def _folder_files(folder: Path) -> dict[str, Path]:
    files = {path.stem: path for path in sorted((folder / _DATA).glob("*.parquet"))}
    if not files:
        what = f"The folder {folder} holds no dataset (no {_DATA}/*.parquet)."
        raise InputError(what, "Give a folder that `halubench generate` finished, or one file.")
    return files


def _collect(
    records: Iterable[tuple[str, Record]], name: str, mapping: Mapping[str, str]
) -> tuple[tuple[Example, ...], dict[str, str]]:
    examples: list[Example] = []
    splits: dict[str, str] = {}
    seen: dict[str, str] = {}
    nameless: Counter[str] = Counter()
    once: dict[str, str] = {}
    for split, record in records:
        example = _example(_shared(record, once), name, mapping, nameless)
        if example.id in seen:
            what = f"{record.where} has the id {example.id!r} of {seen[example.id]}."
            raise InputError(what, "Give each row its own id, or leave the id column out.")
        seen[example.id] = record.where
        splits[example.id] = split
        examples.append(example)
    return tuple(examples), splits


def _shared(record: Record, once: dict[str, str]) -> Record:
    """The record with the texts that an earlier one has too, held once."""
    fields = {
        name: once.setdefault(value, value) if isinstance(value, str) else value
        for name, value in record.fields.items()
    }
    return replace(record, fields=fields)


def _example(
    record: Record, name: str, mapping: Mapping[str, str], nameless: Counter[str]
) -> Example:
    passage, question, answer = (text_of(record, f, mapping) for f in EXAMPLE_FIELDS[1:4])
    label = _label(record, mapping)
    named = "source_ds" in mapping or record.fields.get("source_ds") is not None
    source_ds = text_of(record, "source_ds", mapping) if named else name
    own = id_of(record, mapping)
    if own is None:  # The label stays out of the id; equal rows are told apart by their count.
        key = digest(passage, question, answer, source_ds)
        own = digest(key, str(nameless[key]))[:16]
        nameless[key] += 1
    return Example(own, passage, question, answer, label, source_ds)


def _label(record: Record, mapping: Mapping[str, str]) -> Label:
    column = mapping.get("label", "label")
    value = record.fields.get(column, "")
    for label in LABELS:
        if value == label:
            return label
    if isinstance(value, str):
        text_of(record, "label", mapping)
    what = f"{record.where}: the label is {value!r}, neither PASS nor FAIL."
    raise InputError(what, "Write PASS for faithful and FAIL for hallucinated.")


def _read_provenance(folder: Path, splits: Mapping[str, str]) -> dict[str, Provenance]:
    found: dict[str, Provenance] = {}
    once: dict[str, str] = {}
    for path in sorted((folder / _PROVENANCE).glob("*.parquet")):
        for record in scan(path):
            if not _NEEDED <= set(record.fields) <= set(_PROVENANCE_SCHEMA.names):
                what = f"{path} does not have the columns of a provenance table."
                raise InputError(what, "Generate the dataset again, or remove that file.")
            values: dict[str, Any] = dict(_shared(record, once).fields)
            if values["id"] in splits:
                found[values["id"]] = Provenance(**values)
    return found


def _save(path: Path, rows: Sequence[Example] | Sequence[Provenance], schema: pa.Schema) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    table = pa.table(columns, schema=schema)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            pq.write_table(table, stream, compression="zstd")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return path
