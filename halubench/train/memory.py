"""GPU memory of a training step, in closed form.

The parts are those of FSDP2 (one group a layer, and one of embedding and head) with a loss taken
in chunks of tokens, in a step that adds up micro-batches. The counts of activations a layer were
fitted to fake-tensor dry runs of Llama-3's shapes (:mod:`halubench.train.dryrun`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halubench.train.hardware import A_NODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.train.recipe import Recipe
    from halubench.train.shape import Shape

GIB = 2**30
USABLE = 0.9
"""Share of a GPU's memory that a plan may fill; the rest is CUDA's, NCCL's and fragmentation."""
_NF4 = 0.516
"""Bytes a weight in NF4 with double quantisation (Dettmers et al. 2023, arXiv 2305.14314)."""
_STATES = {"decoupled_lionw": 1, "adamw": 2}
_BYTES = {"fp32": 4, "bf16": 2}


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes a GPU (of a CPU: all) by part, at the fullest moment of a step."""

    parts: Mapping[str, float]

    @property
    def gib(self) -> float:
        """The sum, in GiB."""
        return sum(self.parts.values()) / GIB


def shards(recipe: Recipe, count: int) -> int:
    """GPUs that share one copy of the weights."""
    if recipe.fsdp is None or count < 2:
        return 1
    return min(count, A_NODE) if recipe.fsdp.strategy == "HYBRID_SHARD" else count


def estimate(recipe: Recipe, shape: Shape, count: int) -> Memory:
    """Memory of one of ``count`` GPUs; weights, states, then what the fullest moment adds."""
    ways = shards(recipe, count)
    return Memory({**_held(recipe, shape, ways), **_fullest(recipe, shape, ways)})


def host_gib(recipe: Recipe, shape: Shape, ranks: int) -> float:
    """Host memory of a node whose ``ranks`` processes each load the whole model, in GiB.

    transformers 5 loads it on every rank, whatever ``cpu_ram_efficient_loading`` says.
    """
    each = 4 if recipe.method == "full" and recipe.precision.master == "fp32" else 2
    return max(1, ranks) * each * shape.parameters() / GIB


def checkpoint_gib(recipe: Recipe, shape: Shape) -> float:
    """One checkpoint on disk: the weights that are trained, and the optimizer's states, in GiB."""
    each = _BYTES[recipe.precision.master] * (1 + _STATES[recipe.optimizer.name])
    return each * _trained(recipe, shape) / GIB


def _trained(recipe: Recipe, shape: Shape) -> int:
    return shape.lora_parameters(recipe.lora) if recipe.lora else shape.parameters()


def _held(recipe: Recipe, shape: Shape, ways: int) -> dict[str, float]:
    """What a GPU holds all the time."""
    trained = _trained(recipe, shape)
    master = _BYTES[recipe.precision.master]
    split = 1 if recipe.lora else ways
    found = {
        "weights": master * trained / split,
        "optimizer states": master * _STATES[recipe.optimizer.name] * trained / split,
    }
    if recipe.lora:
        found["frozen weights"] = _frozen(recipe, shape) / ways
    elif recipe.fsdp is None and recipe.precision.compute != recipe.precision.master:
        found["weights in bf16"] = 2.0 * trained  # autocast keeps them through the forward pass
    return found


def _frozen(recipe: Recipe, shape: Shape) -> float:
    if recipe.method == "lora":
        return 2.0 * shape.parameters()
    embedding = shape.embedding_parameters()
    return _NF4 * (shape.parameters() - embedding) + 2.0 * embedding


def _fullest(recipe: Recipe, shape: Shape, ways: int) -> dict[str, float]:
    """The start of a backward pass that adds to gradients: all layers still keep what they need."""
    master = _BYTES[recipe.precision.master]
    found = {
        "gradients": master * _trained(recipe, shape) / (1 if recipe.lora else ways),
        "activations kept": _kept(recipe, shape),
        "a layer at work": _layer(recipe, shape),
    }
    if not recipe.lora and shape.kind == "decoder":
        found["gradient of the head"] = 2.0 * shape.vocab_size * shape.hidden_size
    if recipe.fsdp is not None:
        # Two layers gathered in bf16; the gradients of one in bf16, and in fp32 to be reduced.
        reduced = 0 if recipe.lora else 6
        layers = (4.0 + reduced) * shape.layer_parameters()
        found["gathered"] = layers + 2.0 * shape.embedding_parameters()
    return found


def _kept(recipe: Recipe, shape: Shape) -> float:
    """What all layers keep for the backward pass."""
    each = float(shape.hidden_size)
    if not checkpointed(recipe):
        each = 4 * shape.intermediate_size + 12.5 * shape.hidden_size
    return 2.0 * shape.num_hidden_layers * each * _tokens(recipe)


def _layer(recipe: Recipe, shape: Shape) -> float:
    return 2.0 * _tokens(recipe) * (7 * shape.intermediate_size + 10 * shape.hidden_size)


def _tokens(recipe: Recipe) -> int:
    return recipe.device_microbatch_size * recipe.sequence_length


def checkpointed(recipe: Recipe) -> bool:
    """Whether layers are computed again in the backward pass; without FSDP a GPU always does."""
    return recipe.fsdp.activation_checkpointing if recipe.fsdp else recipe.gpus > 0
