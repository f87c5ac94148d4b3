"""Twins in one batch: the right and the wrong answer to one question are learnt side by side.

What they share then cancels in the gradient, and what is left is the edit (docs/decisions/0021).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from torch.utils.data import Sampler
from transformers import TrainerCallback

from halubench.text import pair_key
from halubench.train.packing import groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halubench.train.engine.data import Row
    from halubench.train.engine.job import Job


def kindred(rows: Sequence[Row]) -> list[list[int]]:
    """Indices of the rows of each passage and question."""
    shown = [row.example for row in rows]
    return groups(pair_key(one.source_ds, one.passage, one.question) for one in shown)


class Twins(Sampler[int]):  # type: ignore[misc]
    """Indices of the rows, those of one passage and question one after the other, the rest by chance.

    Each epoch has an order of its own that ``seed`` and the epoch decide alone, so that a run that
    goes on reads what it would have read.
    """

    def __init__(self, rows: Sequence[Row], seed: int) -> None:
        self._groups, self._rows, self._seed = kindred(rows), len(rows), seed
        self.epoch = 0

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[int]:
        draw = random.Random(f"{self._seed}/{self.epoch}")  # noqa: S311  (an order, no secret)
        for group in draw.sample(self._groups, len(self._groups)):
            yield from draw.sample(group, len(group))


class InTurn(TrainerCallback):  # type: ignore[misc]
    """Tells the twins which epoch it is; accelerate's own count begins anew when a run goes on."""

    def __init__(self, twins: Twins) -> None:
        self._twins = twins

    def on_epoch_begin(self, args: object, state: Any, control: object, **_: object) -> None:
        del args, control
        self._twins.epoch = state.global_step * int(state.num_train_epochs) // state.max_steps


def together(trainer: Any, job: Job) -> None:
    """Have a transformers Trainer draw the job's rows by :class:`Twins`."""
    twins = Twins(job.data.train, job.recipe.seed)
    trainer._get_train_sampler = lambda *_: twins
    trainer.add_callback(InTurn(twins))
