"""Reads records, one dict a row, from table files and Hub datasets; every fault names its place."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import json
import re
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

KEY = "_key"
"""Where a record of a JSON object of objects keeps the name it had there."""
_HUB_ID = re.compile(r"(hf:)?([\w.-]+/[\w.-]+|(?<=hf:)[\w.-]+)(?:@([\w./-]+))?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FIELD_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class HubId:
    """A dataset on the Hugging Face Hub; ``revision`` is a branch, tag or commit."""

    id: str
    revision: str | None = None
    split: str | None = None
    config: str | None = None

    def __str__(self) -> str:
        return f"{self.id} ({self.split})" if self.split else self.id


@dataclass(frozen=True, slots=True)
class Record:
    """One row of ``place``: ``row`` counts data rows and ``line`` lines of text, from 1."""

    place: Path | HubId
    row: int
    fields: Mapping[str, object]
    line: int | None = None

    @property
    def where(self) -> str:
        """The row's place, as an error names it."""
        return _where(self.place, self.row, self.line)


def resolve(ref: str) -> Path | HubId:
    """A local file or folder if there is one, else the Hub dataset ``[hf:]NAMESPACE/NAME[@REV]``.

    Raises InputError, with names that come close, when ``ref`` can be neither.
    """
    if not ref.strip():
        raise InputError("The name of the data is empty.", "Give a file, a folder or a Hub id.")
    if Path(ref).exists():
        return Path(ref)
    match = _HUB_ID.fullmatch(ref)
    if match and (match[1] or not _is_path(ref)):
        return HubId(match[2], match[3])
    raise InputError(f"There is no file or folder {ref}.", _suggest(Path(ref)))


def read_records(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """(row number from 1, record) for every row of a table file; see :func:`scan`."""
    for record in scan(path):
        yield record.row, dict(record.fields)


def scan(path: Path) -> Iterator[Record]:
    """Every row of a jsonl, json, csv, tsv or parquet file, each optionally gzipped, in order.

    The fields of csv are parted by what stands most often in its header: comma, semicolon or tab.
    A json file holds a list of objects, an object with one list of objects (such as ``data``), or
    an object of objects, whose names are kept under ``KEY``. Rows are streamed but for json.
    Raises InputError naming file and row for whatever cannot be read, and for a file without rows.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.", _suggest(path))
    reader = FORMATS.get(format_of(path))
    if reader is None:
        known = ", ".join(suffix.lstrip(".") for suffix in FORMATS)
        raise InputError(
            f"{path} is no table of rows that halubench reads.",
            f"Give rows with a passage, a question and an answer; known: {known}, each also as .gz.",
        )
    row = 0
    try:
        for record in reader(path):
            row = record.row
            yield record
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        what = f"{path} is not a whole gzip file: it breaks off or is damaged after row {row}."
        raise InputError(what, "Copy or download it again.") from error
    except UnicodeDecodeError as error:
        what = f"{path} is not UTF-8 text (byte {error.start} of a block after row {row})."
        raise InputError(what, "Save it as UTF-8.") from error
    except csv.Error as error:
        raise InputError(f"{_where(path, row + 1)} is not valid csv: {error}.") from error
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        what = f"{path} cannot be read after row {row}: {reason}"
        raise InputError(what, "Check that the file is whole and readable.") from error
    if not row:
        raise InputError(f"{path} has no rows.", "Give a file with at least one row of data.")


def scan_hub(hub: HubId, split: str | None = None) -> Iterator[tuple[str, Record]]:
    """(split, row) for every row of a Hub dataset: its default config, one split or all.

    Raises MissingExtraError without ``datasets``; InputError when the Hub is out of reach or has
    no such dataset, revision or split.
    """
    loaded = _download(hub)
    if split is not None and split not in loaded:
        what = f"The Hub dataset {hub.id} has no split {split!r}."
        raise InputError(what, f"Its splits: {', '.join(loaded)}.")
    row = 0
    for name in [split] if split is not None else list(loaded):
        for row, fields in enumerate(loaded[name], 1):
            yield name, Record(replace(hub, split=name), row, fields)
    if not row:
        raise InputError(f"The Hub dataset {hub.id} has no rows.")


def commit_of(hub: HubId) -> str:
    """The commit (40 hex digits) that the revision of a Hub dataset names now; of ``main`` without one.

    Raises as :func:`scan_hub` does.
    """
    with _speaking(hub):
        from huggingface_hub import HfApi

        return str(HfApi(library_name="halubench").dataset_info(hub.id, revision=hub.revision).sha)


def text_of(record: Record, target: str, mapping: Mapping[str, str] | None = None) -> str:
    """The text of a required field; ``mapping`` renames (target=column).

    Raises InputError naming file, row and field when it is absent, empty, or no text.
    """
    column = (mapping or {}).get(target, target)
    name = target if column == target else f"{target} (column {column})"
    if column not in record.fields:
        what = f"{record.where} has no {name}; its columns are: {', '.join(record.fields)}."
        raise InputError(what, f"Name the column with --map {target}=COLUMN.")
    value = record.fields[column]
    fault = text_fault("" if value is None else value)
    if fault:
        raise InputError(f"{record.where}: the {name} {fault}.", "Correct it or remove the row.")
    return str(value)


def text_fault(value: object) -> str:
    """Why a value cannot be a passage, question or answer; empty when it can."""
    if not isinstance(value, str):
        return f"is no text but {type(value).__name__}"
    if not value.strip():
        return "is empty"
    return "holds half a character (a lone surrogate)" if _SURROGATE.search(value) else ""


def id_of(record: Record, mapping: Mapping[str, str] | None = None) -> str | None:
    """The row's id, whole numbers written out; None when the row has no id."""
    value = record.fields.get((mapping or {}).get("id", "id"))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None and "id" not in (mapping or {}):
        return None
    return text_of(record, "id", mapping)


def check_mapping(mapping: Mapping[str, str] | None, targets: tuple[str, ...]) -> None:
    """Raise InputError when ``mapping`` renames something other than ``targets``."""
    for target in mapping or {}:
        if target not in targets:
            what = f"--map {target}=… names no column that halubench reads."
            raise InputError(what, f"Known: {', '.join(targets)}.")


def format_of(path: Path) -> str:
    """The file's format suffix, such as ``.jsonl``, with a final ``.gz`` left aside."""
    return Path(path.name.removesuffix(".gz")).suffix.lower()


def name_of(place: Path | HubId) -> str:
    """A short name: ``dev`` for ``dev.jsonl.gz``, the folder's name, or NAME of NAMESPACE/NAME."""
    if isinstance(place, HubId):
        return place.id.rpartition("/")[2]
    place = place.resolve()
    return place.name if place.is_dir() else Path(place.name.removesuffix(".gz")).stem


def _where(place: Path | HubId, row: int, line: int | None = None) -> str:
    return f"{place}, row {row}" + (f" (line {line})" if line else "")


def _is_path(ref: str) -> bool:
    return format_of(Path(ref)) in FORMATS or Path(ref).parent.is_dir()


def _suggest(path: Path) -> str:
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=3)
    if not near:
        return "Check the path; a Hub dataset is named NAMESPACE/NAME."
    return f"Did you mean {' or '.join(str(path.parent / name) for name in near)}?"


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _json_lines(path: Path) -> Iterator[Record]:
    row = 0
    with _open(path) as stream:
        for line, text in enumerate(stream, 1):
            if not text.strip():
                continue
            row += 1
            try:
                fields = json.loads(text)
            except (ValueError, RecursionError) as error:
                what = f"{_where(path, row, line)} is not JSON: {error}."
                raise InputError(what, "Each line must hold one JSON object.") from error
            yield _record(path, row, fields, line)


def _json(path: Path) -> Iterator[Record]:
    with _open(path) as stream:
        text = stream.read()
    if not text.strip():
        return
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        remedy = "If it holds one object a line, name it .jsonl."
        raise InputError(f"{path} is not one JSON document: {error}.", remedy) from error
    for row, fields in enumerate(_rows(document), 1):
        yield _record(path, row, fields)


def _rows(document: object) -> list[Any]:
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        return [document]
    lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) == 1 and lists[0] and all(isinstance(row, dict) for row in lists[0]):
        return lists[0]
    if all(isinstance(value, dict) for value in document.values()):
        return [{KEY: key, **value} for key, value in document.items()]
    return [document]


def _record(path: Path, row: int, fields: object, line: int | None = None) -> Record:
    if not isinstance(fields, dict):
        what = f"{_where(path, row, line)} is no JSON object but {type(fields).__name__}."
        raise InputError(what, "Each row must be an object with named fields.")
    return Record(path, row, fields, line)


def _separated(path: Path) -> Iterator[Record]:
    csv.field_size_limit(_FIELD_LIMIT)
    with _open(path) as stream:
        header = stream.readline()
        delimiter = "\t" if format_of(path) == ".tsv" else max(",;\t", key=header.count)
        rows = csv.DictReader(chain([header], stream), delimiter=delimiter, strict=True)
        last = rows.line_num if rows.fieldnames else 0
        for row, fields in enumerate(rows, 1):
            record = Record(path, row, fields, last + 1)
            last = rows.line_num
            if None in fields or None in fields.values():
                count = len(rows.fieldnames or ())
                what = f"{record.where} does not have the header's {count} fields."
                raise InputError(what, "Quote fields that hold the delimiter or a line break.")
            yield record


def _parquet(path: Path) -> Iterator[Record]:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as stream:
            source: Any = io.BytesIO(stream.read())
    else:
        source = path
    row = 0
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(batch_size=1024):
            for fields in batch.to_pylist():
                row += 1
                yield Record(path, row, fields)


FORMATS: dict[str, Callable[[Path], Iterator[Record]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": _separated,
    ".tsv": _separated,
    ".parquet": _parquet,
}


def _download(hub: HubId) -> Mapping[str, Iterable[dict[str, object]]]:
    with _speaking(hub):
        import datasets

        loaded: Any = datasets.load_dataset(hub.id, hub.config, revision=hub.revision)
        return dict(loaded)


@contextmanager
def _speaking(hub: HubId) -> Generator[None]:
    """Make one sentence of every fault of the Hub."""
    try:
        from datasets import exceptions
        from httpx2 import HTTPError
        from huggingface_hub import errors
    except ImportError as error:
        what = f"There is no local file {hub.id}, and reading Hub datasets is an optional part."
        raise MissingExtraError(what, "Install it with: pip install 'halubench[hub]'.") from error
    try:
        yield
    except (
        exceptions.DatasetNotFoundError,
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
    ) as error:
        what = f"There is no local file {hub.id}, and no such dataset can be read on the Hub."
        remedy = "Check the name and revision; a gated dataset needs `hf auth login` first."
        raise InputError(what, remedy) from error
    except (HTTPError, errors.HfHubHTTPError, OSError) as error:
        what = f"There is no local file {hub.id}, and the Hugging Face Hub cannot be reached."
        remedy = "Check the network, or download the dataset and give its file."
        raise InputError(what, remedy) from error
    except (ValueError, RuntimeError, exceptions.DatasetsError) as error:
        reason = str(error).splitlines()[0]
        what = f"The Hub dataset {hub.id} cannot be loaded: {reason}"
        raise InputError(what, "Download one of its files and give its path.") from error
