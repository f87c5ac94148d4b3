"""Scores judges on a dataset: rows without labels in, ``results.json`` and a table of
predictions out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from halubench.models.base import EngineOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halubench.dataset import Dataset
    from halubench.records import Prediction
    from halubench.results import Results


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What a user may set. ``limit``: judge a seeded sample of so many rows, whole passages."""

    out: Path
    engine: EngineOptions = field(default_factory=EngineOptions)
    prompt: str = "lynx"
    max_usd: float | None = None
    retries: int = 6
    seed: int = 0
    limit: int | None = None


def evaluate(
    models: str | Sequence[str],
    data: Dataset,
    options: EvaluateOptions,
    tick: Callable[[Prediction], None] | None = None,
) -> list[Results]:
    """Judge every row of ``data`` by every judge; one Results each, in the order asked.

    Writes ``OUT/<judge>/results.json`` and ``OUT/<judge>/predictions.parquet``. ``tick`` sees
    each prediction as it comes.
    """
    raise NotImplementedError
