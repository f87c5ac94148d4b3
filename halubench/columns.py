"""``predictions.parquet`` by columns: its schema, its reader, and columns as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from halubench.errors import InputError
from halubench.records import LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PASS, FAIL, UNSCORED = 0, 1, 2
"""The codes of labels and verdicts in arrays."""
SAID = [
    ("verdict", pa.string()),
    ("unscored_reason", pa.string()),
    ("p_fail", pa.float64()),
    ("reasoning", pa.string()),
    ("raw", pa.string()),
    ("overflow", pa.string()),
    ("prompt_tokens", pa.int64()),
    ("completion_tokens", pa.int64()),
    ("cost_usd", pa.float64()),
    ("latency_s", pa.float64()),
    ("attempts", pa.int64()),
    ("mass", pa.float64()),
]
VARIANT, VARIANTS = "variant", "variants"
VARIED = pa.struct([(VARIANT, pa.string()), *SAID])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source_ds", pa.string()),
        ("label", pa.string()),
        ("group", pa.string()),
        ("pair_id", pa.string()),
        ("domain", pa.string()),
        ("perturbation", pa.string()),
        ("level", pa.string()),
        *SAID,
        (VARIANTS, pa.list_(VARIED)),
    ]
)
TEXTS = ("id", "source_ds", "label", "group", "pair_id", "domain", "perturbation", "level")
COUNTED = [name for name in SCHEMA.names if name not in ("reasoning", "raw", "mass")]
"""The columns that figures follow from."""
AGAIN = "Evaluate this judge again."
NO_VERDICT = "no verdict"
"""The reason of a row that has neither a verdict nor a reason."""
_compute: Any = pyarrow.compute  # Its functions are made on import, out of the sight of types.


def load(path: Path, wanted: Sequence[str] = SCHEMA.names) -> pa.Table:
    """Those columns, of the types of :data:`SCHEMA`, in the order of the rows.

    ``variants`` is empty in a table that was written before rows were varied. Raises InputError
    naming file, row and column for whatever is no table of predictions.
    """
    try:
        with pq.ParquetFile(path) as file:
            there = [name for name in wanted if name in file.schema_arrow.names]
            table = file.read(there)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path} cannot be read: {str(error).splitlines()[0]}.", AGAIN) from error
    if not table.num_rows:
        raise InputError(f"{path} has no rows.", AGAIN)
    missing = [name for name in wanted if name not in there and name != VARIANTS]
    if missing:
        raise _no_row(path, 1, ", ".join(missing))
    return pa.table({name: _column(path, table, name) for name in wanted})


def codes(column: pa.ChunkedArray | pa.Array) -> NDArray[np.int64]:
    """PASS and FAIL as codes, anything else as UNSCORED."""
    found = _compute.index_in(column, pa.array(LABELS)).fill_null(UNSCORED).to_numpy()
    return np.asarray(found, dtype=np.int64)


def floats(column: pa.ChunkedArray | pa.Array) -> NDArray[np.float64]:
    """Numbers, NaN where there is none."""
    numbers = column.cast(pa.float64()).fill_null(np.nan)
    return np.asarray(numbers.to_numpy(), dtype=np.float64)


def places(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """The different texts of a column, sorted, and the place in them of each row's."""
    encoded = column.combine_chunks().dictionary_encode()
    found: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(found)), key=found.__getitem__)
    place = np.empty(len(found), dtype=np.int64)
    place[order] = np.arange(len(found))
    return [found[index] for index in order], place[encoded.indices.to_numpy()]


def varied(table: pa.Table) -> tuple[NDArray[np.int64], pa.Table]:
    """What was said of variants: the place of each one's row in ``table``, and their columns."""
    lists = table[VARIANTS].combine_chunks()
    said = pa.Table.from_struct_array(_compute.list_flatten(lists))
    return _compute.list_parent_indices(lists).to_numpy(), said


def counted(column: pa.ChunkedArray) -> dict[str, int]:
    """How often a column holds each text that is not empty."""
    found, place = places(column.drop_null())
    counts = np.bincount(place, minlength=len(found)).tolist()
    return {text: count for text, count in zip(found, counts, strict=True) if text}


def reasons(said: pa.Table) -> dict[str, int]:
    """How many rows have no verdict, by the reason."""
    unscored = pa.array(codes(said["verdict"]) == UNSCORED)
    return counted(said["unscored_reason"].filter(unscored).fill_null(NO_VERDICT))


def _column(path: Path, table: pa.Table, name: str) -> pa.ChunkedArray | pa.Array:
    """A column of its type. Raises InputError for other types and for texts that must be there."""
    kind = SCHEMA.field(name).type
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    column = table[name]
    if name == VARIANTS and _lacking(column.type):
        raise _no_row(path, 1, f"{VARIANTS}: {_lacking(column.type)}")
    try:
        column = column.cast(kind)
    except pa.ArrowException as error:
        raise _no_row(path, 1, name) from error
    good = _compute.is_in(column, pa.array(LABELS)) if name == "label" else column.is_valid()
    wrong = np.flatnonzero(~good.to_numpy())
    if name in TEXTS and wrong.size:
        raise _no_row(path, int(wrong[0]) + 1, name)
    return column


def _lacking(kind: pa.DataType) -> str:
    """The fields that the variants of another writer lack."""
    told = kind.value_type if pa.types.is_list(kind) else kind
    there = [field.name for field in told] if pa.types.is_struct(told) else []
    return ", ".join(name for name in VARIED.names if name not in there)


def _no_row(path: Path, row: int, wrong: str) -> InputError:
    return InputError(f"{path}, row {row} is no row of predictions: {wrong} is wrong.", AGAIN)
