"""How many operations a step takes, and what share of the device's peak that is (MFU)."""

from __future__ import annotations

import re
from typing import Any

from halubench.train.hardware import gpus
from halubench.train.shape import Arithmetic

_OTHER_PARTS = re.compile(r"\bH[12]00 (PCIe|NVL)\b")
"""Boards that bear the same name and are slower than the part of the data sheet."""


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
    """Dense bf16 operations a second of a device by its name, from ``trainers/gpus/``.

    None where it is not known there, so that no MFU is told.
    """
    words = set(re.split(r"[\s-]", device_name))
    known = {gpu.name: gpu.bf16_tflops * 1e12 for gpu in gpus() if gpu.name in words}
    return None if _OTHER_PARTS.search(device_name) else next(iter(known.values()), None)
