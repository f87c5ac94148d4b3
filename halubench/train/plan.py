"""``train plan``: what a run comes to, and why it could not work, before a GPU is paid for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import ValidationError

from halubench.errors import InputError
from halubench.train import memory
from halubench.train.hardware import A_NODE, ANCHORS, Cluster
from halubench.train.load import Lengths, Load, load
from halubench.train.recipe import Recipe
from halubench.train.schedule import Schedule, moved_in_bf16, schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halubench.train.memory import Memory
    from halubench.train.shape import Shape

LEAST_MOVED = 0.05
"""Of bf16 weights: with a smaller share moved by a step the run cannot work."""
_LARGEST = 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is held to: host memory a node in GiB, and a price in US dollars a GPU-hour."""

    host_gib: float | None = None
    usd_per_gpu_hour: float | None = None
    exact_gib: float | None = None
    """Memory a GPU by the dry run, in the place of the closed form."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``problems`` are why the run cannot work, each with what to change; ``warnings`` do not stop.

    ``hours`` is (fastest, slowest) at the anchors' shares of the peak; None where there is no GPU.
    """

    recipe: Recipe
    cluster: Cluster
    shape: Shape
    schedule: Schedule
    load: Load
    memory: Memory
    gib: float
    host_gib: float
    checkpoint_gib: float
    checkpoints: int
    hours: tuple[float, float] | None
    usd: tuple[float, float] | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def rows_a_step(self) -> float:
        """Rows that one optimizer step learns from, on average."""
        return self.recipe.global_batch_size * self.load.rows / self.load.sequences


def on(recipe: Recipe, cluster: Cluster) -> Recipe:
    """The recipe on these GPUs. Raises InputError when its batch cannot be shared out to them."""
    if cluster.count == recipe.gpus:
        return recipe
    told = recipe.model_dump(mode="json", exclude_unset=True)
    told |= {"gpus": cluster.count}
    told.pop("launch", None)
    if not cluster.count:
        told.pop("fsdp", None)
        sources = [
            {**one, "values": [v for v in one["values"] if v.split(".")[0] != "fsdp"]}
            for one in told["source"]
        ]
        told["source"] = [one for one in sources if one["values"]]
    try:
        return Recipe.model_validate(told, strict=False)
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        what = f"{recipe.name} cannot run on {cluster}: {said}."
        raise InputError(what, "Choose another number of GPUs, or another batch.") from error


def plan(recipe: Recipe, lengths: Lengths, shape: Shape, cluster: Cluster, terms: Terms) -> Plan:
    """Work the recipe out on a training set and GPUs. Raises InputError where it cannot be read."""
    fitted = on(recipe, cluster)
    work = load(fitted, lengths)
    steps = schedule(fitted, work.rows, work.sequences)
    closed = memory.estimate(fitted, shape, cluster.count)
    gib = terms.exact_gib or closed.gib
    mean = round(lengths.mean())
    a_row = shape.arithmetic(adapters=fitted.lora is not None).work([mean])
    hours = _hours(fitted, work, a_row.causal / mean, cluster)
    price = terms.usd_per_gpu_hour
    draft = Plan(
        recipe=fitted,
        cluster=cluster,
        shape=shape,
        schedule=steps,
        load=work,
        memory=closed,
        gib=gib,
        host_gib=memory.host_gib(fitted, shape, min(cluster.count, A_NODE)),
        checkpoint_gib=memory.checkpoint_gib(fitted, shape),
        checkpoints=fitted.checkpoint.keep + 1,
        hours=hours,
        usd=(hours[0] * cluster.count * price, hours[1] * cluster.count * price)
        if hours and price
        else None,
        problems=(),
        warnings=(),
    )
    problems = tuple(_problems(draft, recipe, terms))
    warnings = (*steps.warnings, *_warnings(draft, lengths))
    return replace(draft, problems=problems, warnings=warnings)


def _hours(
    recipe: Recipe, work: Load, a_token: float, cluster: Cluster
) -> tuple[float, float] | None:
    if cluster.gpu is None:
        return None
    whole = recipe.epochs * work.computed * a_token
    rates = [anchor.mfu * cluster.gpu.bf16_tflops * 1e12 * cluster.count for anchor in ANCHORS]
    return whole / max(rates) / 3600, whole / min(rates) / 3600


def _problems(draft: Plan, asked: Recipe, terms: Terms) -> Iterator[str]:
    recipe, work, shape = draft.recipe, draft.load, draft.shape
    if work.over_long:
        yield (
            f"{work.over_long:,} of {work.rows:,} rows are longer than sequence_length "
            f"{recipe.sequence_length:,}, and a cut takes the score: prepare with --length "
            f"{recipe.sequence_length} --over-long drop, or allow longer sequences."
        )
    if recipe.sequence_length > shape.max_position_embeddings:
        yield (
            f"sequence_length {recipe.sequence_length:,} is more than the "
            f"{shape.max_position_embeddings:,} positions of {shape.repo}: lower it."
        )
    moved = moved_in_bf16(recipe.optimizer.lr)
    if recipe.precision.master == "bf16" and moved < LEAST_MOVED:
        yield (
            f"A step of {recipe.optimizer.lr:.3g} moves {100 * moved:.2g} % of bf16 weights: set "
            "precision.master to fp32."
        )
    yield from _too_large(draft)
    if terms.host_gib and draft.host_gib > terms.host_gib:
        yield (
            f"Loading takes {draft.host_gib:,.0f} GiB of host memory a node and there are "
            f"{terms.host_gib:,.0f}: take nodes with more, or fewer GPUs a node."
        )
    if draft.hours and asked.launch and draft.hours[0] > asked.launch.hours:
        yield (
            f"The run takes {draft.hours[0]:.1f} hours at the least and launch.hours is "
            f"{asked.launch.hours}: raise it, or take more GPUs."
        )


def _too_large(draft: Plan) -> Iterator[str]:
    gpu = draft.cluster.gpu
    if gpu is None or draft.gib <= memory.USABLE * gpu.memory_gib:
        return
    yield (
        f"It needs {draft.gib:,.0f} GiB a GPU and {memory.USABLE * gpu.memory_gib:.0f} of an "
        f"{gpu.name}'s {gpu.memory_gib:.0f} GiB may be filled: {_what_fits(draft, gpu.memory_gib)}."
    )


def _what_fits(draft: Plan, gib: float) -> str:
    """The smallest change that makes it fit, by the closed form."""
    recipe, count = draft.recipe, draft.cluster.count

    def fits(changed: Recipe, on_gpus: int) -> bool:
        return memory.estimate(changed, draft.shape, on_gpus).gib <= memory.USABLE * gib

    smaller = recipe.model_copy(update={"device_microbatch_size": 1})
    if recipe.device_microbatch_size > 1 and fits(smaller, count):
        return "set device_microbatch_size to 1"
    if recipe.fsdp and not recipe.fsdp.activation_checkpointing:
        again = recipe.fsdp.model_copy(update={"activation_checkpointing": True})
        if fits(recipe.model_copy(update={"fsdp": again}), count):
            return "set fsdp.activation_checkpointing to true"
    if recipe.fsdp:
        more = 2 * count
        while more <= _LARGEST:
            if fits(smaller, more):
                return f"take {more} of them"
            more *= 2
    return "train adapters (method lora), or shard over several GPUs (fsdp)"


def _needless(draft: Plan) -> Iterator[str]:
    """Layers computed again although what they keep would fit."""
    gpu, fsdp = draft.cluster.gpu, draft.recipe.fsdp
    if gpu is None or fsdp is None or not fsdp.activation_checkpointing:
        return
    kept = fsdp.model_copy(update={"activation_checkpointing": False})
    gib = memory.estimate(
        draft.recipe.model_copy(update={"fsdp": kept}), draft.shape, draft.cluster.count
    ).gib
    if gib <= memory.USABLE * gpu.memory_gib:
        yield (
            f"Layers are computed again although it would fit without ({gib:,.0f} GiB a GPU): "
            "fsdp.activation_checkpointing false saves about a sixth of the time."
        )


def _warnings(draft: Plan, lengths: Lengths) -> Iterator[str]:
    recipe, work = draft.recipe, draft.load
    if not lengths.counted:
        yield "Tokens are estimated: prepare with --tokenizer to have them counted."
    if recipe.kind == "judge" and not recipe.packing and work.padded > 2 * work.real:
        yield (
            f"Padded to {recipe.sequence_length:,} tokens, as LLM Foundry does, the rows take "
            f"{work.padded / work.real:.1f} times their own tokens; packing takes "
            f"{work.packed / work.real:.2f} times."
        )
    if recipe.packing and draft.rows_a_step > 2 * recipe.global_batch_size:
        yield (
            f"A batch of {recipe.global_batch_size} packed sequences is {draft.rows_a_step:.0f} "
            "rows: a larger batch than the same number without packing."
        )
    yield from _needless(draft)
    if recipe.method == "qlora":
        yield "The anchors are of bf16 weights: 4-bit ones take longer than is said."
    if recipe.kind == "judge" and recipe.gpus and draft.hours and draft.shape.parameters() < 1e9:
        yield "The anchors are of models of 8B and more: a small one uses less of a GPU."
