"""Training Lynx-8B's shape on one GPU: tokens a second, MFU and memory, each choice against another.

    python benchmarks/train_h200.py            # Llama-3-8B's shape, random weights, S 8192
    python benchmarks/train_h200.py --tiny     # two small layers, to see that it works (no figures)

What one of N GPUs computes: fp32 weights under FSDP2, bf16 compute, Lion, layers computed again,
loss in chunks. On one GPU nothing is sent, and nothing shared: the whole model (96 GiB of weights,
gradients and states) needs an H200; half its layers leave room to keep activations. A step adds two
micro-batches of one sequence; figures are of whole steps after two that warm up. MFU counts each
row's own attention (halubench.train.shape), padding not at all. A GPU with less memory than an
H200's takes half the layers, and a quarter where activations are kept.
Published for comparison, by their owners: LLM Foundry MPT-70B on 32 H100, S 2048, MFU 36 %;
torchtitan Llama-3.1-8B on 8 H100, S 8192, compiled, 6,667 tokens/s a GPU, MFU 37 %.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LENGTH = 8192
ROWS = (300, 2700)
"""Tokens of the shortest and the longest row; Lynx's mean is taken to be about 1,500."""
CHUNK = 1024
"""Tokens whose logits exist at once."""
MICRO_BATCHES = 2
LYNX = {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
}
TINY = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 8192,
}


@dataclass(frozen=True)
class Choice:
    """One way to train. ``packed``: rows back to back; otherwise each padded to ``LENGTH``.

    ``sharded``: by FSDP2, as in a run of many GPUs; else by autocast. ``layers``: their share.
    """

    name: str
    attention: str
    packed: bool = True
    checkpointing: bool = True
    compiled: bool = False
    chunked: bool = True
    sharded: bool = True
    layers: float = 1.0

    @property
    def model(self) -> tuple[bool, float]:
        """Choices alike in this use one model, one after the other."""
        return self.sharded, self.layers


def choices(*, tiny: bool) -> list[Choice]:
    """The usual one first, then what differs from it. Compiling changes a model for good: last."""
    from halubench.train.engine import packed

    flash = "flash_attention_2" if find_spec("flash_attn") else ""
    best = flash or (packed.register() if packed.available() else "sdpa")
    name = "packed rows, flash kernel, layers again, chunked loss"
    usual = Choice(name, best, layers=1.0 if tiny or roomy() else 0.5)
    less = replace(usual, name="half of these layers", layers=usual.layers / 2)
    found = [
        usual,
        replace(usual, name="SDPA with a mask of the packed rows", attention="sdpa"),
        replace(usual, name="rows padded to the length", packed=False, attention="sdpa"),
        replace(usual, name="whole logits", chunked=False),
        replace(usual, name="compiled layers", compiled=True),
        less,
        replace(less, name="half of these, nothing again", checkpointing=False),
        replace(less, name="half, nothing again, compiled", checkpointing=False, compiled=True),
        replace(usual, name="autocast in the place of FSDP2", sharded=False),
    ]
    return [one for one in found if not (tiny and one.compiled)]


def roomy() -> bool:
    """Whether the whole model fits."""
    import torch

    return torch.cuda.get_device_properties(0).total_memory > 110 * 2**30


def batch(choice: Choice, length: int, draw: random.Random, words: int, device: str) -> Any:  # noqa: ANN401
    """(what the model is given, labels, the rows' lengths): rows packed, or one of them padded."""
    import torch

    rows: list[int] = []
    while sum(rows) < length:
        wanted = int(draw.uniform(*ROWS) * length / LENGTH) + 1
        rows.append(min(wanted, length - sum(rows)))
    rows = rows if choice.packed else rows[:1]
    ids = torch.randint(words, (1, length), device=device)
    labels = ids.clone()
    labels[:, sum(rows) :] = -100
    if not choice.packed:
        return {"input_ids": ids}, labels, rows
    starts = torch.tensor([0, *accumulate(rows)], dtype=torch.int32, device=device)
    positions = torch.cat([torch.arange(row, device=device) for row in rows])
    told = {"cu_seq_lens_q": starts, "cu_seq_lens_k": starts}
    told |= {"max_length_q": max(rows), "max_length_k": max(rows)}
    return {"input_ids": ids, "position_ids": positions[None], **told}, labels, rows


def loss_of(model: Any) -> Any:  # noqa: ANN401
    """What the model's call is to give: the mean cross-entropy of the next token."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.checkpoint import checkpoint

    def part(some: Tensor, wanted: Tensor) -> Tensor:
        logits = model.lm_head(some).float()
        return cross_entropy(logits, wanted, ignore_index=-100, reduction="sum")

    def forward(inputs: dict[str, Any], labels: Tensor, chunked: bool) -> Tensor:
        wanted = labels[0, 1:]
        hidden = model.model(**inputs, use_cache=False).last_hidden_state[0, :-1]
        if not chunked:
            return part(hidden, wanted) / (wanted != -100).sum()
        pieces = zip(hidden.split(CHUNK), wanted.split(CHUNK), strict=True)
        losses = [checkpoint(part, some, these, use_reentrant=False) for some, these in pieces]
        return torch.stack(losses).sum() / (wanted != -100).sum()

    return forward


def build(choice: Choice, shape: dict[str, int], device: str) -> Any:  # noqa: ANN401
    """The model with chance weights in fp32, sharded over this one GPU or not."""
    import torch
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    layers = round(shape["num_hidden_layers"] * choice.layers)
    config = LlamaConfig(**{**shape, "num_hidden_layers": layers}, attn_implementation="sdpa")
    with torch.device(device):
        model = LlamaForCausalLM(config)
    model.forward = loss_of(model)
    model.train()
    if choice.sharded:
        policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
        for layer in model.model.layers:
            fully_shard(layer, mp_policy=policy)
        fully_shard(model, mp_policy=policy)
    return model


def measure(choice: Choice, model: Any, optimizer: Any, length: int, steps: int) -> dict[str, Any]:  # noqa: ANN401
    """Seconds, tokens, MFU and memory of ``steps`` optimizer steps."""
    import torch

    from halubench.train.engine.flops import arithmetic, peak
    from halubench.train.shape import Work

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.set_attn_implementation(choice.attention)
    model.activation_checkpointing_enable({"use_reentrant": False})
    if not choice.checkpointing:
        model.activation_checkpointing_disable()
    if choice.compiled:
        for layer in model.model.layers:
            layer.compile()
    counted = arithmetic(model)
    draw, work, tokens, start = random.Random(0), Work(), 0, 0.0
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    loss: Any = None
    for step in range(steps + 2):
        if step == 2:
            _wait(device)
            work, tokens, start = Work(), 0, time.perf_counter()
        for _ in range(MICRO_BATCHES):
            inputs, labels, rows = batch(choice, length, draw, model.config.vocab_size, device)
            with torch.autocast(device, torch.bfloat16, enabled=not choice.sharded):
                loss = model(inputs, labels, choice.chunked)
            loss.backward()
            tokens += sum(rows)
            work += counted.work(rows)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    _wait(device)
    seconds = time.perf_counter() - start
    rate = peak(torch.cuda.get_device_name()) if device == "cuda" else None
    return {
        "tokens_s": tokens / seconds,
        "causal": work.causal / seconds / rate if rate else None,
        "full": work.full / seconds / rate if rate else None,
        "GiB": torch.cuda.max_memory_allocated() / 2**30 if device == "cuda" else None,
        "loss": loss.item(),
    }


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def run(alike: list[Choice], shape: dict[str, int], length: int, steps: int) -> None:
    """Print one line a choice, of those that share a model; one that does not fit is told as such."""
    import torch

    from halubench.train.engine.lion import DecoupledLion

    model = build(alike[0], shape, "cuda" if torch.cuda.is_available() else "cpu")
    optimizer = DecoupledLion(model.parameters(), lr=5e-7, betas=(0.9, 0.95))
    for choice in alike:
        try:
            found = measure(choice, model, optimizer, length, steps)
        except torch.OutOfMemoryError:
            print(f"{choice.name:58} does not fit", flush=True)
            optimizer.zero_grad(set_to_none=True)
            continue
        figures = [f"{found['tokens_s']:10,.0f} tokens/s"]
        figures += [f"{key} {found[key]:.3f}" for key in ("causal", "full", "GiB") if found[key]]
        print(f"{choice.name:58}{'  '.join(figures)}", flush=True)


def main() -> None:
    """Measure every choice, one model after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--steps", type=int, default=4)
    asked = parser.parse_args()
    if not find_spec("torch"):
        sys.exit(print("train_h200: torch is not installed here; nothing was measured."))
    import torch

    if not (asked.tiny or torch.cuda.is_available()):
        sys.exit(print("train_h200: there is no GPU here; nothing was measured (--tiny tries it)."))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape, length = (TINY, 256) if asked.tiny else (LYNX, LENGTH)
    if device == "cuda":
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    torch.distributed.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        rank=0,
        world_size=1,
        store=torch.distributed.HashStore(),
    )
    wanted = choices(tiny=asked.tiny)
    for kind in dict.fromkeys(choice.model for choice in wanted):
        run([one for one in wanted if one.model == kind], shape, length, asked.steps)
        gc.collect()  # Nothing of the last model is left when the next is built.
        if device == "cuda":
            torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
