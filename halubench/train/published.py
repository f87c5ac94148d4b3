"""Imports LLM Foundry YAML files, those of Lynx among them, and lists what had to be changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from halubench.errors import InputError
from halubench.train import strict
from halubench.train.foundry import File, Scalar
from halubench.train.recipe import Recipe
from halubench.train.render import dump
from halubench.train.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_MOVED = ("global_seed", "tokenizer_name", "model_name", "data_local", "data_remote")
"""Once free names at the top level, which 0.22 takes under ``variables`` alone."""
_TRACKERS = ("wandb", "mlflow", "tensorboard")
_TAKEN = re.compile(
    r"(variables|max_seq_len|max_duration|global_train_batch_size|seed|precision|scheduler|algorithms|"
    r"fsdp_config|loggers|optimizer\.(name|lr|betas|weight_decay)|train_loader\.dataset\.packing_ratio|"
    r"model\.(name|pretrained|pretrained_model_name_or_path|use_flash_attention_2|"
    r"attn_implementation|peft_config))\b"
)
"""Keys of which a recipe takes what they say."""
_REASONS = {
    "train_loader": "data is given to the run",
    "eval_loader": "data is given to the run",
    "tokenizer": "the base model's own is used",
    "run_name": "the run folder is given to the run",
    "save_folder": "the run folder is given to the run",
    "load_path": "a recipe starts from its base model",
    "device_train_microbatch_size": "a recipe says a number, 1 unless given",
}


class Compute(Strict):
    """Where mcli runs it; the number of GPUs is the one thing that a recipe takes."""

    gpus: int | None = None
    cluster: str | None = None
    gpu_type: str | None = None
    instance: str | None = None
    nodes: int | None = None


class McliRun(Strict):
    """A run of mcli, whose ``parameters`` are a file of LLM Foundry: so Lynx's are published."""

    parameters: dict[str, Any]
    compute: Compute = Compute()
    name: str | None = None
    image: str | None = None
    command: str | None = None
    integrations: list[dict[str, Any]] | None = None
    env_variables: dict[str, Scalar] | None = None
    scheduling: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """``recipe`` is the text of a recipe; ``migrations`` say what 0.22 no longer takes as it was,
    ``left_out`` what a recipe has no place for."""

    name: str
    recipe: str
    migrations: tuple[str, ...]
    left_out: tuple[str, ...]


def read(path: Path, name: str, gpus: int | None = None, model: str | None = None) -> Imported:
    """The recipe that a file of LLM Foundry, or a run of mcli around one, comes to.

    ``gpus`` is what mcli's ``compute`` says unless given, else 8; ``model`` replaces the base model.
    Raises InputError naming the file and the dotted key that is unknown, at any depth.
    """
    told = strict.parse(path)
    if not isinstance(told, dict):
        raise InputError(f"{path} is no file of LLM Foundry.", "Give the YAML of a training run.")
    run, told, said = unwrap(path, told)
    told, migrations = migrate(told)
    file = strict.checked(path, File, resolve(path, told), _DOCUMENTED)
    if gpus is None:
        gpus = run.compute.gpus or 8
    recipe = _recipe(file, name, gpus, str(path.name))
    if model:
        recipe["base_model"] = model
    try:
        Recipe.model_validate_json(strict.as_json(recipe))
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise InputError(f"{path} comes to no recipe: {wrong}.", "Give --gpus.") from error
    left = [*_outside(run), *_left_out(file)]
    return Imported(name, dump(recipe), (*said, *migrations), tuple(left))


def unwrap(path: Path, told: dict[str, Any]) -> tuple[McliRun, dict[str, Any], list[str]]:
    """The run of mcli around a file of LLM Foundry (an empty one where there is none), and the file."""
    if "parameters" not in told:
        return McliRun(parameters={}), told, []
    run = strict.checked(path, McliRun, told, "mcli's documentation")
    return run, run.parameters, ["parameters: what mcli hands to the run becomes the whole file."]


def migrate(told: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The file as LLM Foundry 0.22 takes it, and each thing that was changed to that end."""
    told, said = dict(told), []
    for key in [key for key in _MOVED if key in told]:
        told["variables"] = {**told.get("variables", {}), key: told.pop(key)}
        said.append(
            f"{key} moves under variables, and ${{{key}}} becomes ${{variables.{key}}}: the top level "
            "takes no free names any more."
        )
    for loader in ("train_loader", "eval_loader"):
        if isinstance(told.get(loader), dict) and "task_type" in told[loader]:
            told[loader] = {k: v for k, v in told[loader].items() if k != "task_type"}
            said.append(f"{loader}.task_type goes: the loader has no such setting any more.")
    moved: dict[str, Any] = _each(told, _under_variables)
    return moved, said


def resolve(path: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Every ``${dotted.name}`` replaced by what the file says there."""

    def one(text: str, via: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  (any part of a YAML file)
        found = _REFERENCE.fullmatch(text)
        if not found:
            return text
        if text in via:
            raise InputError(f"{path}: {text} refers to itself.", "Give the value in its place.")
        try:
            there: Any = reduce(lambda part, name: part[name], found[1].split("."), told)
        except (KeyError, TypeError):
            what = f"{path}: {text} refers to nothing in the file."
            raise InputError(what, f"Give {found[1]} in it.") from None
        return _each(there, partial(one, via=(*via, text)))

    resolved: dict[str, Any] = _each(told, one)
    return resolved


def _under_variables(text: str) -> str:
    found = _REFERENCE.fullmatch(text)
    return f"${{variables.{found[1]}}}" if found and found[1] in _MOVED else text


def _each(value: Any, change: Callable[[str], Any]) -> Any:  # noqa: ANN401  (any part of a YAML file)
    """``value`` with every text in it changed."""
    if isinstance(value, dict):
        return {key: _each(part, change) for key, part in value.items()}
    if isinstance(value, list):
        return [_each(part, change) for part in value]
    return change(value) if isinstance(value, str) else value


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


def _outside(run: McliRun) -> list[str]:
    """What only mcli reads."""
    names = sorted(run.model_fields_set - {"parameters"})
    return [f"{', '.join(names)}: mcli's; see train launch --on mcli."] if names else []


def _left_out(file: File) -> list[str]:
    """What is known and yet not of a recipe, by reason: places, loading, logging, callbacks."""
    given = dict(
        strict.flat(file.model_dump(exclude={"callbacks"}, exclude_unset=True, exclude_none=True))
    )
    given |= {f"callbacks.{name}": {} for name in file.callbacks or {}}
    if isinstance(file.device_train_microbatch_size, int):
        given.pop("device_train_microbatch_size")
    found: dict[str, list[str]] = {}
    for key in (key for key in given if not _TAKEN.match(key)):
        found.setdefault(_REASONS.get(key.split(".")[0], "an engine's own"), []).append(key)
    others = [f"loggers.{name}" for name in file.loggers or {} if name not in _TRACKERS]
    if others:
        found["not offered"] = others
    return [f"{', '.join(keys)}: {why}." for why, keys in found.items()]


_DOCUMENTED = "LLM Foundry's documentation"
