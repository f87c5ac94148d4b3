"""How many operations a step takes, and what share of the device's peak that is (MFU)."""

from __future__ import annotations

from typing import Any

from halubench.train.shape import Arithmetic

PEAKS = {"H100": 989e12, "H200": 989e12, "H800": 989e12, "A100": 312e12, "A800": 312e12}
"""Dense bf16 operations a second (NVIDIA's data sheets of the SXM parts, without sparsity)."""


def arithmetic(model: Any) -> Arithmetic:
    """What a transformers model multiplies, before it is sharded: input embeddings are looked up."""
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head is not None and head.weight is embedding.weight
    weights = sum(weight.numel() for weight in model.parameters())
    unused = 0 if tied else embedding.weight.numel()
    return Arithmetic(weights - unused, config.num_hidden_layers, heads * size)


def peak(device_name: str) -> float | None:
    """Operations a second of a device by its name (None: not known, so no MFU is told)."""
    return next((rate for name, rate in PEAKS.items() if name in device_name), None)
