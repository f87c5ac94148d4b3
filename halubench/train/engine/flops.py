"""How many operations a step takes, and what share of the device's peak that is (MFU)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

PEAKS = {"H100": 989e12, "H200": 989e12, "H800": 989e12, "A100": 312e12, "A800": 312e12}
"""Dense bf16 operations a second (NVIDIA's data sheets of the SXM parts, without sparsity)."""


@dataclass(frozen=True, slots=True)
class Work:
    """Floating-point operations, forward and backward, of some documents.

    ``full`` counts the whole square of attention (PaLM, Chowdhery et al. 2022, arXiv 2204.02311,
    appendix B: 6 N + 12 L H S a token); ``causal`` only the half that a causal mask leaves
    (6 N + 6 L H S). Recomputed activations count in neither.
    """

    full: float = 0.0
    causal: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.full + other.full, self.causal + other.causal)


@dataclass(frozen=True, slots=True)
class Shape:
    """``weights``: parameters that multiply (input embeddings do not); attention's ``layers`` and
    ``width`` (heads times head size)."""

    weights: int
    layers: int
    width: int

    @classmethod
    def of(cls, model: Any) -> Shape:
        """The shape of a transformers model, before it is sharded."""
        config = model.config.get_text_config()
        heads = config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // heads
        embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
        tied = head is not None and head.weight is embedding.weight
        weights = sum(weight.numel() for weight in model.parameters())
        unused = 0 if tied else embedding.weight.numel()
        return cls(weights - unused, config.num_hidden_layers, heads * size)

    def work(self, lengths: Iterable[int]) -> Work:
        """Of documents of so many tokens, each attending to itself alone."""
        known = list(lengths)
        linear = 6.0 * self.weights * sum(known)
        square = 6.0 * self.layers * self.width * sum(length * length for length in known)
        return Work(linear + 2 * square, linear + square)


def peak(device_name: str) -> float | None:
    """Operations a second of a device by its name (None: not known, so no MFU is told)."""
    return next((rate for name, rate in PEAKS.items() if name in device_name), None)
