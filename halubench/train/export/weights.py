"""Trained weights as one loads them: adapters merged, bf16, greedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ANSWER = 600
"""Tokens of an answer, as in the Lynx paper (Ravi et al. 2024, arXiv 2407.08488)."""


def write(run: Path, out: Path, made: dict[str, Any]) -> None:
    """The model of a finished run into ``out``: config, weights, tokenizer, generation settings.

    The trained weights are fp32; bf16 is what they computed in. Raises InputError where they
    cannot be loaded.
    """
    import torch

    model = _load(run / "model", made)
    model.to(torch.bfloat16)
    if made["recipe"].get("kind") != "classifier":
        _greedy(model, run / "model")
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out)
    _tokenizer(run / "model").save_pretrained(out)


def _load(folder: Path, made: dict[str, Any]) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    classifier = made["recipe"].get("kind") == "classifier"
    kind = AutoModelForSequenceClassification if classifier else AutoModelForCausalLM
    options: dict[str, Any] = {"num_labels": 2} if classifier else {}
    adapted = (folder / "adapter_config.json").is_file()
    source = made["base_model"] if adapted else str(folder)
    try:
        model: Any = kind.from_pretrained(source, dtype=torch.float32, **options)
    except (OSError, ValueError) as error:
        what = f"{source} cannot be loaded: {str(error).splitlines()[0]}"
        raise InputError(what, "Put the base model where it was when the run began.") from error
    if not adapted:
        return model
    from peft import PeftModel

    # Merged in fp32: in bf16 the small difference of an adapter is rounded away in part.
    return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()


def _greedy(model: Any, folder: Path) -> None:
    """Greedy whatever the base samples with: a judge gives the same answer to the same question."""
    from transformers import GenerationConfig

    from halubench.train.engine.labels import stops

    tokenizer = _tokenizer(folder)
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=ANSWER,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=sorted(stops(tokenizer)),
        pad_token_id=tokenizer.pad_token_id,
    )


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)
