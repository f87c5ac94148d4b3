"""GPU memory of a training step by running it on tensors that hold no data.

PyTorch's FakeTensorMode, its fake process group, FSDP2 and FSDPMemTracker run one whole step of
one rank without a GPU and count what would be allocated. Needs torch and transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.errors import InputError, MissingExtraError
from halubench.train.memory import GIB, checkpointed, shards

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe
    from halubench.train.shape import Shape

LOSS_CHUNK = 1024
"""Tokens whose logits exist at once."""


def peak_gib(recipe: Recipe, shape: Shape, count: int) -> float:
    """The fullest moment of a step on one of ``count`` GPUs, in GiB, optimizer states included.

    Raises MissingExtraError without torch, InputError for what it does not model: adapters,
    encoders and copies of shards (HYBRID_SHARD counts as FULL_SHARD of one node).
    """
    if recipe.lora or shape.kind != "decoder":
        what = "The dry run models full training of a causal language model alone."
        raise InputError(what, "Leave --exact out.")
    try:
        import torch.distributed as dist
        from torch._subclasses.fake_tensor import FakeTensorMode
        from torch.distributed.device_mesh import init_device_mesh
        from torch.testing._internal.distributed.fake_pg import FakeStore
        from transformers import LlamaConfig
    except ImportError as error:
        what = "The dry run needs torch and transformers."
        raise MissingExtraError(what, "Install them: pip install 'halubench[train]'.") from error
    config = LlamaConfig(**_numbers(shape), use_cache=False, attn_implementation="sdpa")
    ways = shards(recipe, count)
    dist.init_process_group("fake", rank=0, world_size=ways, store=FakeStore())
    try:
        mesh = init_device_mesh("cpu", (ways,))
        with FakeTensorMode():
            return _step(recipe, config, mesh)
    finally:
        dist.destroy_process_group()


def _numbers(shape: Shape) -> dict[str, int | bool]:
    left_out = {"repo", "source", "kind", "gated"}
    return {name: value for name, value in shape.model_dump().items() if name not in left_out}


def _step(recipe: Recipe, config: Any, mesh: Any) -> float:  # noqa: ANN401  (torch's own types)
    import torch
    from torch.distributed._tools.fsdp2_mem_tracker import FSDPMemTracker
    from torch.distributed._tools.mem_tracker import MemTracker

    model = _model(recipe, config, mesh)
    optimizer = _optimizer(recipe, model)
    shape = (recipe.device_microbatch_size, recipe.sequence_length)
    tokens = torch.randint(0, config.vocab_size, shape)
    tracker: Any = FSDPMemTracker(model, optimizer) if recipe.fsdp else MemTracker()
    if recipe.fsdp:
        tracker.track_inputs((tokens,))
    else:
        tracker.track_external(model, optimizer, tokens)
    with tracker:
        model(tokens).backward()
        optimizer.step()  # Its states are made here.
        tracker.reset_mod_stats()
        model(tokens).backward()  # Adds to the gradients, as every micro-batch but the first.
    (peak,) = tracker.get_tracker_snapshot("peak").values()
    return float(peak["Total"]) / GIB


def _model(recipe: Recipe, config: Any, mesh: Any) -> Any:  # noqa: ANN401
    """The model, sharded layer by layer, whose call gives the loss of its tokens."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from transformers import AutoModelForCausalLM

    master = torch.float32 if recipe.precision.master == "fp32" else torch.bfloat16
    compute = torch.bfloat16 if recipe.precision.compute == "bf16" else torch.float32
    model: Any = AutoModelForCausalLM.from_config(config, dtype=master)
    model.forward = _loss_of(model)
    if checkpointed(recipe):
        model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    if recipe.fsdp:
        again = recipe.fsdp.strategy != "SHARD_GRAD_OP"
        policy = MixedPrecisionPolicy(param_dtype=compute, reduce_dtype=torch.float32)
        for layer in model.model.layers:
            fully_shard(layer, mesh=mesh, mp_policy=policy, reshard_after_forward=again)
        fully_shard(model, mesh=mesh, mp_policy=policy)
    return model


def _loss_of(model: Any) -> Any:  # noqa: ANN401
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.checkpoint import checkpoint

    def part(hidden: Any, wanted: Any) -> Any:  # noqa: ANN401
        return cross_entropy(model.lm_head(hidden).float(), wanted, reduction="sum")

    def forward(tokens: Any) -> Any:  # noqa: ANN401
        places = torch.arange(tokens.shape[1]).unsqueeze(0)
        hidden = model.model(input_ids=tokens, position_ids=places, use_cache=False)[0].flatten(
            0, 1
        )
        chunks = zip(hidden.split(LOSS_CHUNK), tokens.flatten().split(LOSS_CHUNK), strict=True)
        losses = [checkpoint(part, *chunk, use_reentrant=False) for chunk in chunks]
        return torch.stack(losses).sum()

    return forward


def _optimizer(recipe: Recipe, model: Any) -> Any:  # noqa: ANN401
    """AdamW, or SGD with momentum in the place of Lion: one state a weight, as Lion has."""
    import torch

    if recipe.optimizer.name == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=1e-3)
    return torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
