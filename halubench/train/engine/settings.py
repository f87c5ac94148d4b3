"""What both trainers share: arguments, optimizer, schedule, precision and callbacks."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from halubench.errors import EngineError, InputError, MissingExtraError
from halubench.train.engine import sharding, watch
from halubench.train.engine.lion import DecoupledLion
from halubench.train.schedule import multiplier

if TYPE_CHECKING:
    from halubench.train.engine.job import Job, Listener
    from halubench.train.recipe import Recipe
    from halubench.train.shape import Arithmetic


def common(job: Job) -> dict[str, Any]:
    """``TrainingArguments`` of a recipe on as many processes as there are."""
    recipe = job.recipe
    every = recipe.checkpoint.every
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(job.checkpoints),
        "per_device_train_batch_size": recipe.device_microbatch_size,
        "per_device_eval_batch_size": recipe.device_microbatch_size,
        "gradient_accumulation_steps": sharding.accumulation(recipe),
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.optimizer.lr,
        "weight_decay": recipe.optimizer.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "bf16": recipe.precision.compute == "bf16",
        "gradient_checkpointing": gpu and sharding.checkpointed_alone(recipe),
        "use_cpu": not gpu,
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # It would show a loss of 0 where there is none.
        "save_strategy": "epoch" if every == "epoch" else "steps",
        "save_steps": 500 if every == "epoch" else every,
        # Two at least: until the newest is whole, the one before it is what a run goes on from.
        "save_total_limit": max(2, recipe.checkpoint.keep),
        "eval_strategy": "epoch" if job.data.validation else "no",
        "report_to": [*(job.track or recipe.tracking)] or "none",
        "run_name": f"{recipe.name}-{job.out.name}",
        "disable_tqdm": True,
        "ddp_find_unused_parameters": False,
        **sharding.arguments(recipe),
    }


def optimizer(recipe: Recipe) -> tuple[type[torch.optim.Optimizer], dict[str, Any]]:
    """The recipe's optimizer and its options."""
    kind = DecoupledLion if recipe.optimizer.name == "decoupled_lionw" else torch.optim.AdamW
    return kind, {"lr": recipe.optimizer.lr, "betas": recipe.optimizer.betas}


def attach_schedule(trainer: Any, recipe: Recipe, steps: int, optimizer: Any) -> Any:
    """Set and return ``trainer.lr_scheduler``: the same schedule that ``train plan`` works out."""
    if trainer.lr_scheduler is None:
        warmup, alpha_f = recipe.schedule.warmup.of(steps), recipe.schedule.alpha_f
        share = partial(multiplier, steps=steps, warmup=warmup, alpha_f=alpha_f)
        # Called once more after the last step, where the cosine has ended.
        trainer.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or trainer.optimizer, lambda step: share(min(step, steps))
        )
    return trainer.lr_scheduler


def lora(recipe: Recipe, task: str) -> Any:
    """peft's configuration of the recipe's adapters (None: all weights are trained)."""
    if recipe.lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=[*recipe.lora.target_modules],
        task_type=task,
    )


def four_bits() -> Any:
    """QLoRA's NF4 with double quantization (Dettmers et al. 2023, arXiv 2305.14314)."""
    if not find_spec("bitsandbytes"):
        raise MissingExtraError(
            "QLoRA keeps the frozen weights in 4 bits, by bitsandbytes, which is not installed.",
            "Install it with: pip install bitsandbytes.",
        )
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_quant_storage=torch.bfloat16,
    )


def check_precision(recipe: Recipe) -> None:
    """Raise InputError for masters that cannot take in the steps of training."""
    if recipe.precision.master == "bf16":
        raise InputError(
            f"The recipe {recipe.name} trains bf16 weights, which round most of its steps away.",
            "Set precision.master to fp32; compute may stay bf16.",
        )


def check_masters(model: Any, recipe: Recipe) -> None:
    """Put adapters in fp32; raise EngineError where full weights are not (a library's doing)."""
    trained = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
    if recipe.method != "full":
        for _, weight in trained:
            weight.data = weight.data.float()
    low = [name for name, weight in trained if weight.dtype != torch.float32]
    if low or not trained:
        first = f", the first {low[0]}" if low else ""
        raise EngineError(f"{len(low)} of {len(trained)} trained weights are not fp32{first}.")


def watch_over(
    trainer: Any, job: Job, listener: Listener, counted: Arithmetic | None
) -> watch.Figures:
    """Add the callbacks that log, stop and guard; return the one that counts tokens."""
    figures = watch.Figures(job, listener, counted)
    for callback in (figures, watch.Divergence(), watch.Stopper(), watch.Whole(job.checkpoints)):
        trainer.add_callback(callback)
    return figures
