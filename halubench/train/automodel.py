"""A recipe as a YAML file of NVIDIA NeMo AutoModel 0.7, for 70B on many nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halubench.train.render import Place, Rendered, dump, model_of, refuse
from halubench.train.schedule import schedule

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe

_DATASET = "nemo_automodel.components.datasets.llm.chat_dataset.ChatDataset"
_LOADER = "torchdata.stateful_dataloader.StatefulDataLoader"
_COLLATE = "nemo_automodel.components.datasets.utils.default_collater"
_LION = "halubench.train.engine.lion.DecoupledLion"


def render(recipe: Recipe, place: Place) -> Rendered:
    """The recipe as NeMo AutoModel runs it. Raises InputError for what it is not used for here."""
    refuse(
        "NeMo AutoModel",
        recipe,
        (recipe.kind == "classifier", "its recipe here is for language models"),
        (recipe.method == "qlora", "its recipe here has no 4-bit weights"),
        (recipe.compile, "its recipe here compiles nothing"),
        (not recipe.gpus, "it needs GPUs"),
        (recipe.precision.master == "bf16", "bf16 master weights round its steps away"),
        (recipe.precision.compute != "bf16", "it computes in bf16"),
    )
    told = {**_model(recipe, place), **_run(recipe, place), **_data(recipe, place)}
    name = f"{recipe.name}.automodel.yaml"
    a_node = recipe.launch.gpus_per_node if recipe.launch else min(8, recipe.gpus)
    nodes = recipe.gpus // a_node
    where = f" --nnodes {nodes} --rdzv-backend c10d --rdzv-endpoint HOST:29500" if nodes > 1 else ""
    command = f"torchrun --nproc-per-node {a_node}{where} -m nemo_automodel.cli.app {name}"
    return Rendered(name, dump(told), command, _notes(recipe, place))


def _notes(recipe: Recipe, place: Place) -> tuple[str, ...]:
    told = [f"Warm-up and decay are counted in steps, for {place.rows:,} training rows."]
    if recipe.optimizer.name == "decoupled_lionw":
        told.append("Lion is halubench's own: install halubench beside nemo-automodel.")
    if recipe.lora:
        told.append("Its adapters are bf16, as the frozen weights are.")
    if recipe.packing:
        told.append("Steps are an upper bound: packing takes several rows into a sequence.")
    return tuple(told)


def _model(recipe: Recipe, place: Place) -> dict[str, Any]:
    """The model, its adapters, and how it is spread over the GPUs."""
    a_node = recipe.launch.gpus_per_node if recipe.launch else min(8, recipe.gpus)
    hybrid = recipe.fsdp is not None and recipe.fsdp.strategy == "HYBRID_SHARD"
    told: dict[str, Any] = {
        "recipe": "TrainFinetuneRecipeForNextTokenPrediction",
        "seed": recipe.seed,
        "dist_env": {"backend": "nccl", "timeout_minutes": 30},
        "model": {
            "_target_": "nemo_automodel.NeMoAutoModelForCausalLM.from_pretrained",
            "pretrained_model_name_or_path": model_of(recipe, place),
            "torch_dtype": "bfloat16" if recipe.lora else "float32",
            "attn_implementation": recipe.attention,
        },
        "distributed": {
            "strategy": "fsdp2",
            "dp_size": recipe.gpus,
            "dp_replicate_size": recipe.gpus // a_node if hybrid else 1,
            "tp_size": 1,
            "cp_size": 1,
            "activation_checkpointing": bool(recipe.fsdp and recipe.fsdp.activation_checkpointing),
        },
    }
    if recipe.lora:
        told["peft"] = {
            "_target_": "nemo_automodel.components._peft.lora.PeftConfig",
            "target_modules": [f"*.{name}" for name in recipe.lora.target_modules],
            "dim": recipe.lora.rank,
            "alpha": recipe.lora.alpha,
            "dropout": recipe.lora.dropout,
        }
    return told


def _run(recipe: Recipe, place: Place) -> dict[str, Any]:
    """The course of the run, in steps."""
    steps = schedule(recipe, place.rows)
    every = recipe.checkpoint.every
    told: dict[str, Any] = {
        "step_scheduler": {
            "global_batch_size": recipe.global_batch_size,
            "local_batch_size": recipe.device_microbatch_size,
            "num_epochs": recipe.epochs,
            "max_steps": steps.steps,
            "val_every_steps": steps.steps_per_epoch,
            "ckpt_every_steps": steps.steps_per_epoch if every == "epoch" else every,
        },
        "optimizer": {
            "_target_": _LION
            if recipe.optimizer.name == "decoupled_lionw"
            else "torch.optim.AdamW",
            "lr": recipe.optimizer.lr,
            "betas": list(recipe.optimizer.betas),
            "weight_decay": recipe.optimizer.weight_decay,
        },
        "lr_scheduler": {
            "lr_decay_style": "cosine",
            "lr_warmup_steps": steps.warmup_steps,
            "lr_decay_steps": steps.steps,
            "min_lr": recipe.optimizer.lr * recipe.schedule.alpha_f,
        },
        "clip_grad_norm": {"max_norm": recipe.max_grad_norm},
        "checkpoint": {
            "enabled": True,
            "checkpoint_dir": f"{place.out}/checkpoints",
            "model_save_format": "safetensors",
            "save_consolidated": "final",
            "max_recent_checkpoints": recipe.checkpoint.keep,
        },
        "loss_fn": {"_target_": "nemo_automodel.components.loss.masked_ce.MaskedCrossEntropy"},
    }
    if "wandb" in recipe.tracking:
        told["wandb"] = {"project": "halubench", "name": recipe.name}
    return told


def _data(recipe: Recipe, place: Place) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for split, prefix in (("train", ""), ("validation", "validation_")):
        told[f"{prefix}dataset"] = {
            "_target_": _DATASET,
            "path_or_dataset_id": f"{place.data}/messages/{split}.jsonl",
            "split": split,
            "seq_length": recipe.sequence_length,
            "mask_generation_prompt": True,
        }
        told[f"{prefix}dataloader"] = {
            "_target_": _LOADER,
            "collate_fn": _COLLATE,
            "shuffle": split == "train",
        }
    if recipe.packing:
        told["packed_sequence"] = {
            "packed_sequence_size": recipe.sequence_length,
            "packing_strategy": "neat",
            "drop_long_samples": False,
        }
    return told
