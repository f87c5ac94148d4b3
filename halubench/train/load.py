"""How many tokens a training set comes to: as they are, padded, and packed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from halubench.errors import InputError
from halubench.text import pair_key
from halubench.train.packing import groups, pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from halubench.train.recipe import Recipe

_REMEDY = "Make one with: halubench train prepare."


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of each training row; ``counted`` by the judge's tokenizer, or estimated.

    ``keys`` are the same for twins (:func:`halubench.text.pair_key`); without them every row stands alone.
    """

    tokens: Sequence[int]
    counted: bool
    keys: Sequence[str] = ()

    def mean(self) -> float:
        """Tokens of a row, on average."""
        return sum(self.tokens) / max(1, len(self.tokens))


@dataclass(frozen=True, slots=True)
class Load:
    """One epoch. ``sequences`` is what the model is given; ``computed`` counts its tokens, padding
    included: to the longest of a micro-batch, or not at all where rows are packed.

    ``padded`` is what padding every row to the sequence length would come to.
    """

    rows: int
    real: int
    padded: int
    packed: int
    sequences: int
    computed: int
    over_long: int


def read(folder: Path) -> Lengths:
    """The rows of a folder that ``train prepare`` wrote. Raises InputError when it is none."""
    path = folder / "data" / "train.parquet"
    try:
        tokens = pq.read_table(path, columns=["tokens"]).column("tokens").to_pylist()
        keys = [*_keys(path)]
        manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
        counted = manifest["splits"]["train"]["tokens_are"] == "counted"
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        pa.ArrowException,
    ) as error:
        raise InputError(f"{folder} is no training set.", _REMEDY) from error
    if not tokens:
        raise InputError(f"{folder} has no training rows.", _REMEDY)
    return Lengths(tokens, counted, keys)


def _keys(path: Path) -> Iterator[str]:
    columns = ["source_ds", "passage", "question"]
    for batch in pq.ParquetFile(path).iter_batches(columns=columns):
        empty = [name for name in columns if batch[name].null_count]
        if empty:
            raise InputError(f"{path}: the column {empty[0]} has rows without a value.", _REMEDY)
        yield from (pair_key(**row) for row in batch.to_pylist())


def load(recipe: Recipe, lengths: Lengths) -> Load:
    """What one epoch of the recipe comes to."""
    most = recipe.sequence_length
    fitting = [min(tokens, most) for tokens in lengths.tokens]
    kindred = groups(lengths.keys or map(str, range(len(fitting))))
    bins = len(pack(fitting, most, kindred))
    computed = sum(fitting) if recipe.packing else _to_the_longest(recipe, fitting)
    return Load(
        rows=len(fitting),
        real=sum(lengths.tokens),
        padded=most * len(fitting),
        packed=most * bins,
        sequences=bins if recipe.packing else len(fitting),
        computed=computed,
        over_long=sum(tokens > most for tokens in lengths.tokens),
    )


def _to_the_longest(recipe: Recipe, lengths: Sequence[int]) -> int:
    """Tokens when each micro-batch is padded to its longest row, in one random order."""
    order = list(lengths)
    Random(recipe.seed).shuffle(order)  # noqa: S311  (an order, no secret)
    size = recipe.device_microbatch_size
    batches = (order[start : start + size] for start in range(0, len(order), size))
    return sum(max(batch) * len(batch) for batch in batches)
