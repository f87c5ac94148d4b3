"""FP8 and W4A16 by llmcompressor, in the form that vLLM loads as it is."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Literal

from halubench.errors import InputError, MissingExtraError
from halubench.train.export.release import copy_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

SCHEMES = {"fp8": "FP8_DYNAMIC", "w4a16": "W4A16"}
"""FP8_DYNAMIC: weights a channel, activations a token (Micikevicius et al. 2022, arXiv 2209.05433).
W4A16: 4-bit weights in groups of 128 (of 64 or 32, where the model is not so wide), rounded to the
nearest."""
_GROUPS = (128, 64, 32)
"""Weights that share a scale: the sizes for which vLLM has kernels, the widest that fits."""
_HEAD = "lm_head"


def write(whole: Path, out: Path, kind: Literal["fp8", "w4a16"]) -> None:
    """Quantize every linear layer but the head, without calibration data.

    Raises InputError where no group fits, and MissingExtraError: llmcompressor pins its own transformers, so it has an environment of
    its own, in which this same command runs.
    """
    if importlib.util.find_spec("llmcompressor") is None:
        raise MissingExtraError(
            f"{kind} is made by llmcompressor, which is not installed.",
            "Make an environment with: pip install llmcompressor halubench, and run this there.",
        )
    from compressed_tensors.quantization import preset_name_to_scheme
    from llmcompressor import oneshot
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(whole, dtype="auto")
    scheme: Any = preset_name_to_scheme(SCHEMES[kind], ["Linear"])
    if kind == "w4a16":
        scheme.weights.group_size = group_size(model)
    how = QuantizationModifier(config_groups={"linear": scheme}, ignore=[_HEAD])
    oneshot(model=model, recipe=how, log_dir=None)
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out, save_compressed=True)
    copy_tokenizer(whole, out)


def group_size(model: Any) -> int:
    """The widest group that divides the rows of all matrices. Raises InputError where none does."""
    from torch import nn

    layers = [part for name, part in model.named_modules() if name != _HEAD]
    widths = {part.in_features for part in layers if isinstance(part, nn.Linear)}
    fitting = [size for size in _GROUPS if not any(width % size for width in widths)]
    if not fitting:
        told = ", ".join(map(str, sorted(widths)))
        raise InputError(
            f"4-bit weights come in groups of {_GROUPS[-1]} or more, which do not divide the widths "
            f"of this model ({told}).",
            "Export fp8, or gguf:q4_k_m.",
        )
    return fitting[0]
