"""FSDP2 and HSDP through accelerate, on GPUs and (to test the very same path) on CPUs with gloo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, InputError

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe


def world() -> int:
    """Processes of this run, as torchrun tells each of them."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process among :func:`world`."""
    return int(os.environ.get("RANK", "0"))


def sharded(recipe: Recipe) -> bool:
    """Whether FSDP2 holds the weights: in every process that torchrun started, one alone too.

    There it spreads nothing, but gathers one layer at a time in bf16 where autocast would keep all.
    """
    return recipe.fsdp is not None and "WORLD_SIZE" in os.environ


def checkpointed_alone(recipe: Recipe) -> bool:
    """Whether the trainer, and not FSDP2, has activations computed again."""
    if sharded(recipe):
        return False
    return recipe.fsdp is None or recipe.fsdp.activation_checkpointing


def accumulation(recipe: Recipe, processes: int | None = None) -> int:
    """Micro-batches a process adds up, so that every number of processes makes the same batches.

    ``processes``: where they are yet to be started, else :func:`world`.

    Raises InputError where the global batch cannot be dealt to this many processes.
    """
    processes = processes or world()
    at_once = processes * recipe.device_microbatch_size
    if recipe.global_batch_size % at_once:
        raise InputError(
            f"global_batch_size {recipe.global_batch_size} cannot be dealt to {processes} processes "
            f"with {recipe.device_microbatch_size} sequences at once.",
            "Run a number of processes that divides it.",
        )
    return recipe.global_batch_size // at_once


def arguments(recipe: Recipe) -> dict[str, Any]:
    """The part of ``TrainingArguments`` that shards; empty where nothing is sharded."""
    if recipe.fsdp is None or not sharded(recipe):
        return {}
    found: dict[str, Any] = {
        "fsdp": True,
        "fsdp_config": {
            "version": 2,
            "reshard_after_forward": recipe.fsdp.strategy != "SHARD_GRAD_OP",
            "activation_checkpointing": recipe.fsdp.activation_checkpointing,
            "cpu_offload": recipe.fsdp.activation_cpu_offload,
            # Sharded, so that no process ever gathers weights and optimizer state on its own.
            "state_dict_type": "SHARDED_STATE_DICT",
        },
    }
    if recipe.fsdp.strategy == "HYBRID_SHARD":
        found["parallelism_config"] = _replicas()
    return found


def _replicas() -> Any:
    """Shard within a node, replicate over nodes (HSDP)."""
    from accelerate.parallelism_config import ParallelismConfig

    a_node = int(os.environ.get("LOCAL_WORLD_SIZE", str(world())))
    if a_node == world():
        raise InputError(
            "HYBRID_SHARD shards within a node and replicates over nodes, and there is one node.",
            "Use FULL_SHARD, or run on several nodes.",
        )
    return ParallelismConfig(dp_replicate_size=world() // a_node, dp_shard_size=a_node)


def insist(arguments: Any, recipe: Recipe) -> Any:
    """``TrainingArguments`` under which accelerate shards on CPUs as it does on GPUs.

    It would fall back to DDP there without a word, with the same losses.
    """
    if sharded(recipe) and arguments.device.type == "cpu":
        from accelerate.state import PartialState
        from accelerate.utils import DistributedType

        # What AcceleratorState, made by the trainer, reads to decide; it then says FSDP itself.
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    return arguments


def set_precision(trainer: Any, recipe: Recipe) -> None:
    """In which types sharded weights are computed with and gradients reduced."""
    if sharded(recipe):
        trainer.accelerator.state.fsdp_plugin.mixed_precision_policy = _policy(recipe)


def _policy(recipe: Recipe) -> Any:
    """LLM Foundry's PURE reduces gradients in bf16, DEFAULT in fp32, FULL computes in fp32."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy

    kind = recipe.fsdp.mixed_precision if recipe.fsdp else "FULL"
    if kind == "FULL" or recipe.precision.compute == "fp32":
        return MixedPrecisionPolicy()
    reduce = torch.bfloat16 if kind == "PURE" else torch.float32
    return MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=reduce)


def check_sharded(model: Any, recipe: Recipe) -> None:
    """Raise EngineError where weights should be spread over the processes and are not."""
    if not sharded(recipe):
        return
    from torch.distributed.tensor import DTensor

    whole = [name for name, weight in model.named_parameters() if not isinstance(weight, DTensor)]
    if whole:
        raise EngineError(
            f"{len(whole)} weights are whole on every process although the recipe shards them, "
            f"the first {whole[0]}.",
            "This version of accelerate did not shard: use those of halubench[train].",
        )


def gather_on_save(trainer: Any, recipe: Recipe) -> None:
    """Let the next save write whole weights; of sharded ones ``save_model`` writes nothing."""
    if sharded(recipe):
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
