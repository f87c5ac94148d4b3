"""A ``predictions.parquet`` by columns: what many judges said of many rows, in little memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from halubench.columns import codes, floats, load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """What one judge said, in the order of the data.

    ``labels`` and ``verdicts`` hold the codes of :mod:`halubench.columns`, shape (rows,);
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
        table = load(self.path, ["reasoning", "raw"]).take(pa.array(rows))
        pairs = zip(table["reasoning"].to_pylist(), table["raw"].to_pylist(), strict=True)
        return [str(reasoning or raw or "") for reasoning, raw in pairs]


def read(path: Path) -> Columns:
    """The columns of a file. Raises what :func:`halubench.columns.load` raises."""
    table = load(path, ["id", "source_ds", "label", "verdict", "p_fail"])
    return Columns(
        path,
        table["id"],
        table["source_ds"],
        codes(table["label"]).astype(np.int8),
        codes(table["verdict"]).astype(np.int8),
        floats(table["p_fail"]).astype(np.float32),
    )
