"""Imports LLM Foundry YAML files, those of Lynx among them, and lists what had to be changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from halubench.errors import InputError
from halubench.train import strict
from halubench.train.foundry import File
from halubench.train.recipe import Recipe
from halubench.train.render import dump

if TYPE_CHECKING:
    from pathlib import Path

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_MOVED = ("global_seed", "tokenizer_name", "model_name", "data_local", "data_remote")
"""Once free names at the top level, which 0.22 takes under ``variables`` alone."""
_TRACKERS = ("wandb", "mlflow", "tensorboard")


@dataclass(frozen=True, slots=True)
class Imported:
    """``recipe`` is the text of a recipe; ``migrations`` say what 0.22 no longer takes as it was,
    ``left_out`` what a recipe has no place for."""

    name: str
    recipe: str
    migrations: tuple[str, ...]
    left_out: tuple[str, ...]


def read(path: Path, name: str, gpus: int) -> Imported:
    """The recipe that a file of LLM Foundry comes to, on ``gpus`` GPUs, which it does not name.

    Raises InputError naming the file and the dotted key that is unknown, at any depth.
    """
    told = strict.parse(path)
    if not isinstance(told, dict):
        raise InputError(f"{path} is no file of LLM Foundry.", "Give the YAML of a training run.")
    told, migrations = migrate(told)
    file = strict.checked(path, File, resolve(path, told), "LLM Foundry's documentation")
    recipe = _recipe(file, name, gpus, str(path.name))
    try:
        Recipe.model_validate_json(strict.as_json(recipe))
    except ValidationError as error:
        said = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"{path} comes to no recipe: {said}.", "Give --gpus.") from error
    return Imported(name, dump(recipe), tuple(migrations), tuple(_left_out(file)))


def migrate(told: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The file as LLM Foundry 0.22 takes it, and each thing that was changed to that end."""
    told, said = dict(told), []
    for key in [key for key in _MOVED if key in told]:
        told["variables"] = {**told.get("variables", {}), key: told.pop(key)}
        said.append(f"{key} moves under variables: the top level takes no free names any more.")
    for loader in ("train_loader", "eval_loader"):
        if isinstance(told.get(loader), dict) and "task_type" in told[loader]:
            told[loader] = {k: v for k, v in told[loader].items() if k != "task_type"}
            said.append(f"{loader}.task_type goes: the loader has no such setting any more.")
    return told, said


def resolve(path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Every ``${name}`` replaced by what the top level or ``variables`` says of it."""
    known = {**told, **(told.get("variables") or {})}
    known |= {f"variables.{key}": value for key, value in (told.get("variables") or {}).items()}

    def one(value: Any) -> Any:  # noqa: ANN401  (any part of a YAML file)
        if isinstance(value, dict):
            return {key: one(part) for key, part in value.items()}
        if isinstance(value, list):
            return [one(part) for part in value]
        found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
        if not found:
            return value
        if found[1] not in known:
            what = f"{path}: {value} refers to nothing in the file."
            raise InputError(what, f"Give {found[1]} under variables.")
        return one(known[found[1]])

    resolved: dict[str, Any] = one(told)
    return resolved


def _recipe(file: File, name: str, gpus: int, origin: str) -> dict[str, Any]:
    values = _values(file, gpus)
    return {
        "name": name,
        "title": f"Imported from {origin}",
        **values,
        "source": [
            {
                "values": [key for key in values if key not in ("precision", "gpus")],
                "origin": origin,
                "certainty": "read",
            },
            {
                "values": ["precision", "gpus"],
                "origin": "fp32 is what LLM Foundry loads where no type is named; GPUs as given",
                "certainty": "inferred",
            },
        ],
    }


def _values(file: File, gpus: int) -> dict[str, Any]:
    bf16 = file.precision == "amp_bf16"
    flash = file.model.use_flash_attention_2
    values: dict[str, Any] = {
        "base_model": file.model.pretrained_model_name_or_path,
        "method": "lora" if file.model.peft_config else "full",
        "epochs": _epochs(file.max_duration),
        "global_batch_size": file.global_train_batch_size,
        "sequence_length": file.max_seq_len,
        "packing": file.train_loader.dataset.packing_ratio is not None,
        "optimizer": _optimizer(file),
        "schedule": {
            "name": file.scheduler.name,
            "warmup": _warmup(file.scheduler.t_warmup),
            "alpha_f": file.scheduler.alpha_f,
        },
        "max_grad_norm": file.algorithms.gradient_clipping.clipping_threshold,
        "precision": {"master": "fp32", "compute": "bf16" if bf16 else "fp32"},
        "attention": "flash_attention_2" if flash else file.model.attn_implementation or "sdpa",
        "seed": file.seed,
        "gpus": gpus,
    }
    if isinstance(file.device_train_microbatch_size, int):
        values["device_microbatch_size"] = file.device_train_microbatch_size
    if file.fsdp_config and gpus:
        told = file.fsdp_config.model_dump()
        values["fsdp"] = {"strategy": told.pop("sharding_strategy"), **told}
    if file.model.peft_config:
        values["lora"] = _lora(file.model.peft_config)
    tracking = [key for key in file.loggers or {} if key in _TRACKERS]
    if tracking:
        values["tracking"] = tracking
    return values


def _optimizer(file: File) -> dict[str, Any]:
    theirs = file.optimizer
    told = theirs.model_dump(mode="json", exclude={"eps"})
    if theirs.name != "decoupled_adamw":
        return told
    return {**told, "name": "adamw", "weight_decay": theirs.weight_decay / theirs.lr}


def _lora(told: dict[str, Any]) -> dict[str, Any]:
    return {
        "rank": told["r"],
        "alpha": float(told["lora_alpha"]),
        "dropout": float(told.get("lora_dropout", 0.0)),
        "target_modules": list(told["target_modules"]),
    }


def _epochs(duration: str) -> int:
    if not duration.endswith("ep"):
        what = f"max_duration {duration} is not in epochs."
        raise InputError(what, "Write it as 3ep: a recipe counts whole epochs.")
    return int(duration.removesuffix("ep"))


def _warmup(told: str) -> dict[str, Any]:
    if told.endswith("ba"):
        return {"steps": int(told.removesuffix("ba"))}
    if told.endswith("dur"):
        return {"fraction": float(told.removesuffix("dur"))}
    raise InputError(f"t_warmup {told} is no warm-up.", "Write 100ba (steps) or 0.1dur (a share).")


def _left_out(file: File) -> list[str]:
    """What is known and yet not of a recipe: places, logging, callbacks."""
    given = file.model_fields_set
    told = [
        ("train_loader.dataset.hf_name", f"data is given to the run ({_data(file)})"),
        ("save_folder", "the run folder is given to the run"),
        ("load_path", "a recipe starts from its base model"),
    ]
    found = [f"{key}: {why}." for key, why in told if key.split(".")[0] in given]
    found += [f"callbacks.{name}: an engine's own." for name in file.callbacks or {}]
    found += [
        f"loggers.{name}: not offered." for name in file.loggers or {} if name not in _TRACKERS
    ]
    return found


def _data(file: File) -> str:
    dataset = file.train_loader.dataset
    return f"{dataset.hf_name}, split {dataset.split}"
