"""Computes the figures of a ``results.json`` again from the predictions beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from halubench.columns import AGAIN, COUNTED, load
from halubench.errors import InputError
from halubench.metrics.summary import figures
from halubench.rank.check import TOLERANCE
from halubench.results import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from halubench.results import Results

_DRAWN = ("low", "high")


def recount(results: Results, path: Path) -> None:
    """Raise InputError naming the first figure of ``results`` that is not that of the predictions.

    Every field of :class:`halubench.results.Figures` is compared but the ends of the intervals,
    which take a while to draw. Does nothing where there is no file of predictions: results may be
    published alone.
    """
    if not path.is_file():
        return
    counted = figures(load(path, COUNTED), results.seed, resamples=0).model_dump()
    stated = results.model_dump(include=set(Figures.model_fields))
    for field, one, other in _differences(stated, counted, ""):
        raise InputError(
            f"{path} disagrees with results.json of {results.judge.name!r}: {field} "
            f"is {one} there but {other} by the predictions.",
            AGAIN,
        )


def _differences(
    stated: object, counted: object, name: str
) -> Iterator[tuple[str, object, object]]:
    """(field, stated, counted) of every value that is not the same."""
    if isinstance(stated, dict) or isinstance(counted, dict):
        one, other = _object(stated), _object(counted)
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in _DRAWN:
                where = f"{name}.{key}".lstrip(".").removesuffix(".value")
                yield from _differences(one.get(key), other.get(key), where)
    elif isinstance(stated, list) and isinstance(counted, list) and len(stated) == len(counted):
        for number, (one, other) in enumerate(zip(stated, counted, strict=True)):
            yield from _differences(one, other, f"{name}[{number}]")
    elif not _same(stated, counted):
        yield name, stated, counted


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _same(stated: object, counted: object) -> bool:
    if isinstance(stated, float | int) and isinstance(counted, float | int):
        return math.isclose(stated, counted, rel_tol=0.0, abs_tol=TOLERANCE)
    return stated == counted
