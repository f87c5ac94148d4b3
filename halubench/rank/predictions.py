"""The ``predictions.parquet`` beside a ``results.json``, read by columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from halubench.errors import InputError
from halubench.metrics.rates import FAIL, PASS, UNSCORED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

FILE = "predictions.parquet"
_LABELS: dict[object, int] = {"PASS": PASS, "FAIL": FAIL}
_VERDICTS: dict[object, int] = {**_LABELS, None: UNSCORED}
_COLUMNS = ("id", "source_ds", "label", "verdict", "p_fail")
_AGAIN = "Evaluate this judge again."


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one judge said, in the order of the data.

    ``labels`` and ``verdicts`` hold the codes of :mod:`halubench.metrics.rates`, shape (rows,);
    ``p_fail`` is NaN where the judge gave none. ``ids`` and ``sources`` are Arrow string columns.
    """

    path: Path
    ids: pa.ChunkedArray
    sources: pa.ChunkedArray
    labels: NDArray[np.int64]
    verdicts: NDArray[np.int64]
    p_fail: NDArray[np.float64]

    def words(self, rows: Sequence[int]) -> list[str]:
        """The judge's reasoning (its raw answer where it gave none) on the rows at these places."""
        names = [name for name in ("reasoning", "raw") if name in pq.read_schema(self.path).names]
        table = pq.read_table(self.path, columns=names).take(pa.array(rows, pa.int64()))
        columns = [table[name].to_pylist() for name in names]
        return [
            next((str(text) for text in said if text), "") for said in zip(*columns, strict=True)
        ]


def read(path: Path) -> Predictions:
    """Read a file of predictions. Raises InputError naming file, row and field."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        what = f"{path} cannot be read: {str(error).splitlines()[0]}"
        raise InputError(what, _AGAIN) from error
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise InputError(f"{path} is no table of predictions: it has no {missing[0]}.", _AGAIN)
    if not len(table):
        raise InputError(f"{path} has no rows.", _AGAIN)
    return Predictions(
        path,
        table["id"].cast(pa.string()),
        table["source_ds"].cast(pa.string()),
        _codes(path, "label", table["label"].to_pylist()),
        _codes(path, "verdict", table["verdict"].to_pylist()),
        _shares(path, table["p_fail"].to_pylist()),
    )


def _codes(path: Path, field: str, values: Sequence[object]) -> NDArray[np.int64]:
    known = _VERDICTS if field == "verdict" else _LABELS
    for row, value in enumerate(values, 1):
        if value not in known:
            what = f"{path}, row {row}: the {field} is {value!r}, neither PASS nor FAIL."
            raise InputError(what, _AGAIN)
    return np.array([known[value] for value in values], dtype=np.int64)


def _shares(path: Path, values: Sequence[object]) -> NDArray[np.float64]:
    for row, value in enumerate(values, 1):
        if value is not None and not (isinstance(value, float | int) and 0 <= value <= 1):
            what = f"{path}, row {row}: p_fail is {value!r}, not between 0 and 1."
            raise InputError(what, _AGAIN)
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)
