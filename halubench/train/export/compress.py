"""FP8 and W4A16 by llmcompressor, in the form that vLLM loads as it is."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Literal

from halubench.errors import MissingExtraError
from halubench.train.export.release import copy_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

SCHEMES = {"fp8": "FP8_DYNAMIC", "w4a16": "W4A16"}
"""FP8_DYNAMIC: weights a channel, activations a token (Micikevicius et al. 2022, arXiv 2209.05433).
W4A16: 4-bit weights in groups of 128, rounded to the nearest."""


def write(whole: Path, out: Path, kind: Literal["fp8", "w4a16"]) -> None:
    """Quantize every linear layer but the head, without calibration data.

    Raises MissingExtraError: llmcompressor pins its own transformers, so it has an environment of
    its own, in which this same command runs.
    """
    if importlib.util.find_spec("llmcompressor") is None:
        raise MissingExtraError(
            f"{kind} is made by llmcompressor, which is not installed.",
            "Make an environment with: pip install llmcompressor halubench, and run this there.",
        )
    from llmcompressor import oneshot
    from llmcompressor.modifiers.quantization import QuantizationModifier
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(whole, dtype="auto")
    how = QuantizationModifier(targets="Linear", scheme=SCHEMES[kind], ignore=["lm_head"])
    oneshot(model=model, recipe=how, log_dir=None)
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out, save_compressed=True)
    copy_tokenizer(whole, out)
