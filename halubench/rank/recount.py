"""Computes the figures of a ``results.json`` again, from the predictions beside it and the rows."""

from __future__ import annotations

import math
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from halubench.columns import AGAIN, COUNTED, load
from halubench.errors import InputError
from halubench.floors import FLOORS, LENGTH, MAJORITY, Labelled, floor
from halubench.metrics.probability import FIGURES
from halubench.metrics.summary import figures
from halubench.rank.check import TOLERANCE
from halubench.records import Example
from halubench.results import Figures
from halubench.text import passage_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from halubench.dataset import Dataset
    from halubench.results import Results

_DRAWN = (".low", ".high")
_FITTED = {"accuracy", "balanced_accuracy"}
"""What is compared of the floor of length, which is fitted: where length tells next to nothing, the
last digit of a solver decides which label it says."""
_MOVES = 0.01


def recount(results: Results, path: Path, *, slowly: bool = False) -> None:
    """Raise InputError naming the first figure of ``results`` that is not that of the predictions.

    Every field of :class:`halubench.results.Figures` is compared, and the floor of the majority
    label. The ends of the intervals of what is made of ``p_fail`` are compared only ``slowly``:
    they rank nobody and take seconds to draw. Does nothing where there is no file of predictions:
    results may be published alone.
    """
    if not path.is_file():
        return
    table = load(path, COUNTED)
    drawn = (results.seed, results.resamples, None if slowly else 0)
    counted = figures(table, *drawn).model_dump()
    stated = results.model_dump(include=set(Figures.model_fields))
    _compare(results, path, _differences(stated, counted, "", slowly=slowly))
    bare = tuple(
        Example(id, "", "", "", label, source)
        for id, label, source in zip(*_texts(table, "id", "label", "source_ds"), strict=True)
    )
    rows = Labelled(bare, *_texts(table, "group", "pair_id"))
    majority = floor(MAJORITY, rows, *drawn).model_dump()
    stated = results.model_dump(include={"baselines"})["baselines"]
    _compare(results, path, _differences(stated.get(MAJORITY), majority, MAJORITY, slowly=slowly))
    if unknown := sorted(set(stated) - set(FLOORS)):
        what = f"{path.with_name('results.json')}: field baselines has {unknown[0]!r}."
        raise InputError(what, f"Known: {', '.join(FLOORS)}.")


def recount_length(results: Results, path: Path, data: Dataset) -> None:
    """Raise InputError unless passage groups and the floor of length are those of the rows.

    ``path`` holds predictions of exactly the rows of ``data``, in their order. Accuracy and
    balanced accuracy of the floor, which is fitted, may differ by .01.
    """
    table = load(path, ["group", "pair_id"])
    groups, pairs = _texts(table, "group", "pair_id")
    apart: dict[str, str] = {}
    for number, (key, group) in enumerate(zip(_keys(data.examples), groups, strict=True), 1):
        if apart.setdefault(key, group) != group:
            what = f"{path}, row {number}: its passage is in another group in an earlier row."
            raise InputError(what, AGAIN)
    rows = Labelled(data.examples, groups, pairs)
    length = floor(LENGTH, rows, results.seed, results.resamples, 0).model_dump(include=_FITTED)
    given = results.baselines.get(LENGTH)
    stated = given.model_dump(include=_FITTED) if given else None
    _compare(results, path, _differences(stated, length, LENGTH, tolerance=_MOVES))


@lru_cache(maxsize=4)
def _keys(examples: tuple[Example, ...]) -> list[str]:
    return [passage_key(example.passage) for example in examples]


def _texts(table: pa.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(table[name].to_pylist()) for name in names]


def _compare(
    results: Results, path: Path, differences: Iterator[tuple[str, object, object]]
) -> None:
    for field, one, other in differences:
        raise InputError(
            f"{path} disagrees with results.json of {results.judge.name!r}: {field} "
            f"is {one} there but {other} by the predictions.",
            AGAIN,
        )


def _differences(
    stated: object,
    counted: object,
    name: str,
    *,
    slowly: bool = False,
    tolerance: float = TOLERANCE,
) -> Iterator[tuple[str, object, object]]:
    """(field, stated, counted) of every value that is not the same."""
    inside = partial(_differences, slowly=slowly, tolerance=tolerance)
    if isinstance(stated, dict) or isinstance(counted, dict):
        one, other = _object(stated), _object(counted)
        for key in [*one, *(key for key in other if key not in one)]:
            yield from inside(one.get(key), other.get(key), f"{name}.{key}")
    elif isinstance(stated, list) and isinstance(counted, list) and len(stated) == len(counted):
        for number, (one, other) in enumerate(zip(stated, counted, strict=True)):
            yield from inside(one, other, f"{name}[{number}]")
    elif not (_same(stated, counted, tolerance) or (_undrawn(name) and not slowly)):
        yield name.lstrip(".").removesuffix(".value"), stated, counted


def _undrawn(name: str) -> bool:
    """Whether it is an end of the interval of a figure that is made of ``p_fail``."""
    return name.endswith(_DRAWN) and name.split(".")[-2] in FIGURES


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _same(stated: object, counted: object, tolerance: float) -> bool:
    if isinstance(stated, float | int) and isinstance(counted, float | int):
        return math.isclose(stated, counted, rel_tol=0.0, abs_tol=tolerance)
    return stated == counted
