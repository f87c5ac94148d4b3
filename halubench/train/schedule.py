"""What a recipe's schedule comes to on a number of training rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.train.recipe import Recipe

SPREAD = 0.02
"""Standard deviation of Llama's weights as initialised (``initializer_range`` of its config)."""
LEAST_TRAVEL = 1e-3
"""Of ``SPREAD``: below that share Lion hardly changes a weight. Chosen: Lynx's published schedule
comes to 3e-3."""


@dataclass(frozen=True)
class Schedule:
    """What a recipe comes to on ``rows`` training rows.

    ``peak_lr_reached`` is the largest multiplier of ``optimizer.lr`` that any step uses, in
    [0, 1]. ``travel`` is the sum of the learning rates of all steps: the farthest that Lion,
    whose every update is the learning rate in size, can move one weight.
    """

    rows: int
    steps_per_epoch: int
    steps: int
    warmup_steps: int
    warmup_ends: bool
    peak_lr_reached: float
    travel: float
    warnings: tuple[str, ...]


def schedule(recipe: Recipe, rows: int, sequences: int | None = None) -> Schedule:
    """Count the steps of ``rows`` training rows as LLM Foundry and Composer count them.

    ``sequences`` is what they are packed into, where that has been counted.

    An epoch has ceil(rows / global_batch_size) steps: the published loaders set ``drop_last:
    false``, so the last batch of an epoch may be smaller and no row is lost. Raises InputError
    when there are no rows.
    """
    if rows < 1:
        raise InputError("A schedule needs at least one training row.", "Check --rows.")
    an_epoch = -(-(sequences or rows) // recipe.global_batch_size)
    steps = an_epoch * recipe.epochs
    warmup = recipe.schedule.warmup.of(steps)
    peak = multiplier(min(warmup, steps - 1), steps, warmup, recipe.schedule.alpha_f)
    travel = recipe.optimizer.lr * _summed(steps, warmup, recipe.schedule.alpha_f)
    return Schedule(
        rows=rows,
        steps_per_epoch=an_epoch,
        steps=steps,
        warmup_steps=warmup,
        warmup_ends=warmup < steps,
        peak_lr_reached=peak,
        travel=travel,
        warnings=(
            *_never_ends(recipe, steps, warmup, peak),
            *_rounded_away(recipe),
            *_hardly_moves(recipe, steps, travel),
            *(() if sequences else _packed(recipe, steps)),
        ),
    )


def multiplier(step: int, steps: int, warmup: int, alpha_f: float) -> float:
    """The share of the peak learning rate that ``step`` (from 0) uses.

    ``step / warmup`` before the warm-up ends, then ``alpha_f + (1 - alpha_f) (1 + cos(pi x)) / 2``
    with ``x = (step - warmup) / (steps - warmup)``: Composer's CosineAnnealingWithWarmupScheduler.
    """
    if step < warmup:
        return step / warmup
    turn = math.pi * (step - warmup) / (steps - warmup)
    return alpha_f + (1 - alpha_f) * (1 + math.cos(turn)) / 2


def _summed(steps: int, warmup: int, alpha_f: float) -> float:
    """The multipliers of all steps, added: cosines at k pi / n for k from 0 to n - 1 add up to 1."""
    rising, falling = min(warmup, steps), max(steps - warmup, 0)
    climbed = rising * (rising - 1) / (2 * warmup) if warmup else 0.0
    return climbed + (falling * alpha_f + (1 - alpha_f) * (falling + 1) / 2 if falling else 0.0)


def _never_ends(recipe: Recipe, steps: int, warmup: int, peak: float) -> Iterator[str]:
    lr = recipe.optimizer.lr
    if warmup >= steps:
        yield (
            f"The warm-up of {warmup} steps never ends in {steps}: the last step uses "
            f"{100 * peak:.3g} % of the peak learning rate ({lr * peak:.3g} of {lr:.3g})."
        )


def _rounded_away(recipe: Recipe) -> Iterator[str]:
    lr = recipe.optimizer.lr
    if recipe.precision.master == "bf16":
        yield (
            f"bf16 master weights: a step of {lr:.3g} is rounded away on every weight of "
            f"{_bf16_reach(lr):.2g} or more; of weights with standard deviation {SPREAD} it "
            f"moves {100 * moved_in_bf16(lr):.2g} %. Use fp32 master weights."
        )


def _hardly_moves(recipe: Recipe, steps: int, travel: float) -> Iterator[str]:
    if recipe.optimizer.name == "decoupled_lionw" and travel < LEAST_TRAVEL * SPREAD:
        yield (
            f"In {steps} steps Lion can move a weight by at most {travel:.2g}, "
            f"{100 * travel / SPREAD:.2g} % of a typical weight ({SPREAD}): "
            "take more epochs, a smaller batch or a higher learning rate."
        )


def _packed(recipe: Recipe, steps: int) -> Iterator[str]:
    if recipe.packing:
        yield f"With packing a batch takes in more rows: {steps} steps is an upper bound."


def moved_in_bf16(lr: float) -> float:
    """The share of bf16 weights, normal with deviation ``SPREAD``, that a step of ``lr`` moves."""
    return math.erf(_bf16_reach(lr) / SPREAD / math.sqrt(2))


def _bf16_reach(step: float) -> float:
    """The magnitude from which bf16 (8 significant bits) rounds an addition of ``step`` away.

    Weights in [2^e, 2^(e+1)) are 2^(e-7) apart, so ``step`` must be at least 2^(e-8).
    """
    return 2.0 ** (math.floor(math.log2(step)) + 9)
