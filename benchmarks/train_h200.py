"""Training Lynx-8B's shape on one GPU: tokens a second and MFU, each choice against its opposite.

    python benchmarks/train_h200.py            # Llama-3-8B's shape, random weights, S 8192
    python benchmarks/train_h200.py --tiny     # two small layers, to see that it works (no figures)

One full H200 (139 GiB) holds the fp32 weights, their gradients and Lion's state. Rates are of whole
steps after two that warm up. Both counts of attention are told (halubench.train.engine.flops).
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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

LENGTH = 8192
ROWS = (300, 3000)
"""Tokens of the shortest and the longest row; Lynx's mean is taken to be about 1,500."""
LYNX = {
    "vocab_size": 128256,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 8192,
    "rope_theta": 500000.0,
}
TINY = {
    **LYNX,
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}


@dataclass(frozen=True)
class Choice:
    """One way to train. ``packed``: rows back to back; otherwise each padded to ``LENGTH``."""

    name: str
    attention: str = "sdpa"
    packed: bool = True
    checkpointing: bool = True
    compiled: bool = False
    chunked: bool = True


def choices(*, tiny: bool) -> list[Choice]:
    """The usual one first; each other differs from it in one thing. Compiling is no quick trial."""
    usual = Choice("usual: packed, SDPA, checkpointed, chunked loss")
    found = [
        usual,
        replace(usual, name="rows padded to the length", packed=False),
        replace(usual, name="no activation checkpointing", checkpointing=False),
        *([] if tiny else [replace(usual, name="compiled", compiled=True)]),
        replace(usual, name="whole logits", chunked=False),
    ]
    if find_spec("flash_attn"):
        found.append(replace(usual, name="flash attention 2", attention="flash_attention_2"))
    return found


def batch(
    choice: Choice, length: int, draw: random.Random, vocabulary: int, device: str
) -> dict[str, Any]:
    """One sequence: rows of chance lengths packed, or one of them padded."""
    import torch

    scale = length / LENGTH
    rows: list[int] = []
    while sum(rows) < length:
        rows.append(min(int(draw.uniform(*ROWS) * scale) + 1, length - sum(rows)))
    rows = rows if choice.packed else rows[:1]
    used = sum(rows)
    ids = torch.randint(vocabulary, (1, length), device=device)
    labels = ids.clone()
    labels[:, used:] = -100
    positions = torch.cat(
        [torch.arange(row) for row in [*rows, *[length - used] * (used < length)]]
    )
    found = {"input_ids": ids, "labels": labels, "position_ids": positions[None].to(device)}
    return {"inputs": found, "rows": rows}


def loss_of(model: Any, inputs: dict[str, Any], chunked: bool) -> Any:  # noqa: ANN401
    """Cross-entropy of the next token; in chunks of 1,024 no whole logits are held."""
    import torch
    from torch.nn.functional import cross_entropy
    from torch.utils.checkpoint import checkpoint

    labels = inputs["labels"][0, 1:]
    arguments = {key: value for key, value in inputs.items() if key != "labels"}
    hidden = model.model(**arguments, use_cache=False).last_hidden_state[0, :-1]

    def part(some: Tensor, wanted: Tensor) -> Tensor:
        logits = model.lm_head(some).float()
        return cross_entropy(logits, wanted, ignore_index=-100, reduction="sum")

    if not chunked:
        return part(hidden, labels) / (labels != -100).sum()
    pieces = zip(hidden.split(1024), labels.split(1024), strict=True)
    losses = [checkpoint(part, some, wanted, use_reentrant=False) for some, wanted in pieces]
    return torch.stack(losses).sum() / (labels != -100).sum()


def measure(choice: Choice, shape: dict[str, Any], length: int, steps: int) -> dict[str, Any]:
    """Seconds, tokens, MFU and memory of ``steps`` optimizer steps."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from halubench.train.engine.flops import arithmetic, peak
    from halubench.train.engine.lion import DecoupledLion
    from halubench.train.shape import Work

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    config = LlamaConfig(**shape, attn_implementation=choice.attention)
    with torch.device(device):
        model = LlamaForCausalLM(config)
    model.train()
    if choice.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    counted = arithmetic(model)
    optimizer = DecoupledLion(model.parameters(), lr=5e-7, betas=(0.9, 0.95))
    forward = torch.compile(loss_of) if choice.compiled else loss_of
    draw, work, tokens, start = random.Random(0), Work(), 0, 0.0
    for step in range(steps + 2):
        if step == 2:
            _wait(device)
            work, tokens, start = Work(), 0, time.perf_counter()
        made = batch(choice, length, draw, config.vocab_size, device)
        with torch.autocast(device, torch.bfloat16):
            loss = forward(model, made["inputs"], choice.chunked)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        tokens += sum(made["rows"])
        work += counted.work(made["rows"])
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


def predicted(shape: dict[str, Any], length: int) -> float:
    """GiB of the usual choice: 12 bytes a weight (fp32 weight, gradient and Lion's momentum), a bf16
    copy of the largest layer, and what checkpointing keeps: each layer's input in bf16."""
    hidden, layers = shape["hidden_size"], shape["num_hidden_layers"]
    heads = shape["num_key_value_heads"] / shape["num_attention_heads"]
    layer = hidden * hidden * (2 + 2 * heads) + 3 * hidden * shape["intermediate_size"]
    weights = layers * layer + 2 * shape["vocab_size"] * hidden
    inside = length * (8 * hidden + 4 * shape["intermediate_size"]) * 2
    return (12 * weights + 2 * layer + length * hidden * 2 * layers + inside) / 2**30


def _wait(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Print one line a choice; one that does not fit is told as such."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    asked = parser.parse_args()
    if not find_spec("torch"):
        sys.exit(print("train_h200: torch is not installed here; nothing was measured."))
    import torch

    if not (asked.tiny or torch.cuda.is_available()):
        sys.exit(print("train_h200: there is no GPU here; nothing was measured (--tiny tries it)."))
    shape, length = (TINY, 256) if asked.tiny else (LYNX, LENGTH)
    print(f"predicted memory of the usual choice: {predicted(shape, length):.1f} GiB")
    for choice in choices(tiny=asked.tiny):
        try:
            found = measure(choice, shape, length, asked.steps)
        except torch.OutOfMemoryError:
            print(f"{choice.name:52} does not fit")
            continue
        finally:
            gc.collect()
            torch.cuda.empty_cache()
        figures = [f"{found['tokens_s']:10,.0f} tokens/s"]
        figures += [f"{key} {found[key]:.3g}" for key in ("causal", "full", "GiB") if found[key]]
        print(f"{choice.name:52}{'  '.join(figures)}")


if __name__ == "__main__":
    main()
