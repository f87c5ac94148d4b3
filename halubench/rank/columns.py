"""A ``predictions.parquet`` by columns: what many judges said of many rows, in little memory.

What is in the file was checked row by row when its figures were counted again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from halubench.metrics.rates import FAIL, PASS, UNSCORED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_CODES: dict[object, int] = {"PASS": PASS, "FAIL": FAIL}


@dataclass(frozen=True, slots=True)
class Columns:
    """What one judge said, in the order of the data.

    ``labels`` and ``verdicts`` hold the codes of :mod:`halubench.metrics.rates`, shape (rows,);
    ``p_fail`` is NaN where the judge gave none. ``ids`` and ``sources`` are Arrow string columns.
    """

    path: Path
    ids: pa.ChunkedArray
    sources: pa.ChunkedArray
    labels: NDArray[np.int8]
    verdicts: NDArray[np.int8]
    p_fail: NDArray[np.float32]

    def words(self, rows: Sequence[int]) -> list[str]:
        """The judge's reasoning (its raw answer where it gave none) on the rows at these places."""
        table = pq.read_table(self.path, columns=["reasoning", "raw"]).take(pa.array(rows))
        pairs = zip(table["reasoning"].to_pylist(), table["raw"].to_pylist(), strict=True)
        return [str(reasoning or raw or "") for reasoning, raw in pairs]


def read(path: Path) -> Columns:
    """The columns of a file that :func:`halubench.predictions.read` can read."""
    names = ["id", "source_ds", "label", "verdict", "p_fail"]
    table = pq.read_table(path, columns=names)
    p_fail = [math.nan if value is None else value for value in table["p_fail"].to_pylist()]
    return Columns(
        path,
        table["id"],
        table["source_ds"],
        _codes(table["label"].to_pylist()),
        _codes(table["verdict"].to_pylist()),
        np.array(p_fail, dtype=np.float32),
    )


def _codes(values: Sequence[object]) -> NDArray[np.int8]:
    return np.array([_CODES.get(value, UNSCORED) for value in values], dtype=np.int8)
