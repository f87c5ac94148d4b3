"""A recipe as a YAML file of LLM Foundry 0.22 (Composer), the engine of the published Lynx runs.

LLM Foundry checks the top level of such a file only; the models here check every depth, in both
directions: what is written, and what is imported (:mod:`halubench.train.published`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from halubench.train.render import Place, Rendered, dump, model_of, refuse
from halubench.train.strict import Strict, as_json

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe

Scalar = str | int | float | bool


class Model(Strict):
    """``hf_causal_lm`` of LLM Foundry."""

    name: Literal["hf_causal_lm"]
    pretrained_model_name_or_path: str
    pretrained: Literal[True] = True
    init_device: Literal["mixed", "cpu", "meta"] = "cpu"
    use_flash_attention_2: bool = False
    attn_implementation: str | None = None
    use_auth_token: bool = False
    trust_remote_code: bool = False
    config_overrides: dict[str, Scalar] | None = None
    peft_config: dict[str, Any] | None = None


class Tokenizer(Strict):
    """Name or folder, and what the tokenizer's class takes."""

    name: str
    kwargs: dict[str, Scalar] | None = None


class Dataset(Strict):
    """The finetuning dataset; ``hf_name`` is a folder of jsonl files or a Hub id."""

    hf_name: str
    split: str
    max_seq_len: int
    decoder_only_format: Literal[True]
    allow_pad_trimming: bool = False
    shuffle: bool = True
    packing_ratio: Literal["auto"] | float | None = None
    safe_load: bool = False
    preprocessing_fn: str | None = None
    hf_kwargs: dict[str, Scalar] | None = None
    target_prompts: Literal["none", "all"] | None = None
    target_responses: Literal["last", "all"] | None = None


class Loader(Strict):
    """The finetuning loader."""

    name: Literal["finetuning"]
    dataset: Dataset
    drop_last: bool = False
    num_workers: int = 8
    pin_memory: bool = True
    prefetch_factor: int | None = None
    persistent_workers: bool | None = None
    timeout: int = 0


class Scheduler(Strict):
    """``t_warmup``: ``100ba`` (steps) or ``0.1dur`` (a share of the run)."""

    name: Literal["cosine_with_warmup"]
    t_warmup: str
    alpha_f: float


class Optimizer(Strict):
    """``decoupled_adamw`` does not multiply weight decay by the learning rate; ours does."""

    name: Literal["decoupled_lionw", "decoupled_adamw"]
    lr: float
    betas: tuple[float, float]
    weight_decay: float
    eps: float | None = None


class Clipping(Strict):
    """Gradient clipping by norm."""

    clipping_type: Literal["norm"]
    clipping_threshold: float


class Algorithms(Strict):
    """The one algorithm that is used."""

    gradient_clipping: Clipping


class FsdpConfig(Strict):
    """Composer's names of FSDP's settings."""

    sharding_strategy: Literal["FULL_SHARD", "SHARD_GRAD_OP", "HYBRID_SHARD"]
    mixed_precision: Literal["PURE", "DEFAULT", "FULL"]
    activation_checkpointing: bool
    activation_checkpointing_reentrant: bool = False
    activation_cpu_offload: bool = False
    limit_all_gathers: bool = True


class File(Strict):
    """A whole file of LLM Foundry 0.22."""

    variables: dict[str, Any] | None = None
    max_seq_len: int
    run_name: str | None = None
    model: Model
    tokenizer: Tokenizer
    train_loader: Loader
    eval_loader: Loader | None = None
    scheduler: Scheduler
    optimizer: Optimizer
    algorithms: Algorithms
    max_duration: str
    eval_interval: str | int = 1
    eval_first: bool = False
    eval_subset_num_batches: int = -1
    global_train_batch_size: int
    device_train_microbatch_size: int | Literal["auto"] = "auto"
    device_eval_batch_size: int = 1
    seed: int = 17
    precision: Literal["amp_bf16", "fp32"]
    max_split_size_mb: int | None = None
    dist_timeout: float = 600.0
    fsdp_config: FsdpConfig | None = None
    progress_bar: bool = False
    log_to_console: bool = True
    python_log_level: str | None = None
    console_log_interval: str = "1ba"
    loggers: dict[str, dict[str, Any]] | None = None
    callbacks: dict[str, dict[str, Any]] | None = None
    save_folder: str | None = None
    save_interval: str | int = "1ep"
    save_num_checkpoints_to_keep: int = -1
    save_overwrite: bool = False
    save_weights_only: bool = False
    load_path: str | None = None
    load_weights_only: bool = False
    autoresume: bool = False


def render(recipe: Recipe, place: Place) -> Rendered:
    """The recipe as LLM Foundry runs it. Raises InputError for what LLM Foundry cannot do."""
    refuse(
        "LLM Foundry",
        recipe,
        (recipe.kind == "classifier", "it trains no classifiers"),
        (recipe.method == "qlora", "it has no 4-bit weights"),
        (recipe.compile, "it compiles no single layers"),
        (recipe.precision.master == "bf16", "bf16 master weights round its steps away"),
        ("trackio" in recipe.tracking, "it does not log to trackio"),
    )
    file = File.model_validate_json(as_json({**_model(recipe, place), **_run(recipe, place)}))
    told = file.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    return Rendered(f"{recipe.name}.foundry.yaml", dump(told), _command(recipe), _NOTES)


_NOTES = (
    (
        "LLM Foundry 0.22 needs an environment of its own: pip install llm-foundry==0.22.0 "
        "'setuptools<81' (torch 2.7, transformers 4.51)."
    ),
    (
        "It pads every row to max_seq_len unless rows are packed, and cuts longer ones without a word: "
        "prepare with --length."
    ),
)


def _command(recipe: Recipe) -> str:
    file = f"{recipe.name}.foundry.yaml"
    if recipe.gpus < 2:
        return f"llmfoundry train {file}"
    a_node = recipe.launch.gpus_per_node if recipe.launch else min(8, recipe.gpus)
    nodes = recipe.gpus // a_node
    where = (
        f" --world_size {recipe.gpus} --node_rank $NODE_RANK --master_addr $MASTER_ADDR "
        "--master_port 29500"
        if nodes > 1
        else ""
    )
    return f'composer -n {a_node}{where} "$(command -v llmfoundry)" train {file}'


def _model(recipe: Recipe, place: Place) -> dict[str, Any]:
    name = model_of(recipe, place)
    model: dict[str, Any] = {
        "name": "hf_causal_lm",
        "pretrained_model_name_or_path": name,
        "pretrained": True,
        "init_device": "mixed" if recipe.fsdp else "cpu",
    }
    if recipe.attention == "flash_attention_2":
        model["use_flash_attention_2"] = True
    else:
        model["attn_implementation"] = recipe.attention
    if recipe.lora:
        model["peft_config"] = {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "r": recipe.lora.rank,
            "lora_alpha": recipe.lora.alpha,
            "lora_dropout": recipe.lora.dropout,
            "target_modules": list(recipe.lora.target_modules),
        }
    tokenizer = {"name": name, "kwargs": {"model_max_length": recipe.sequence_length}}
    return {
        "max_seq_len": recipe.sequence_length,
        "run_name": recipe.name,
        "model": model,
        "tokenizer": tokenizer,
        "train_loader": _loader(recipe, place, "train"),
        "eval_loader": _loader(recipe, place, "validation"),
    }


def _loader(recipe: Recipe, place: Place, split: str) -> dict[str, Any]:
    """The folder ``messages`` holds one jsonl file a split, which ``datasets`` finds by name."""
    dataset = {
        "hf_name": f"{place.data}/messages",
        "split": split,
        "max_seq_len": recipe.sequence_length,
        "decoder_only_format": True,
        "allow_pad_trimming": False,
        "shuffle": split == "train",
        **({"packing_ratio": "auto"} if recipe.packing and split == "train" else {}),
    }
    more = {"pin_memory": bool(recipe.gpus), "num_workers": 8 if recipe.gpus else 1}
    return {"name": "finetuning", "dataset": dataset, "drop_last": False, **more}


def _run(recipe: Recipe, place: Place) -> dict[str, Any]:
    every = recipe.checkpoint.every
    trackers: dict[str, Any] = {name: {} for name in recipe.tracking}
    return {
        "scheduler": {
            "name": "cosine_with_warmup",
            "t_warmup": _warmup(recipe),
            "alpha_f": recipe.schedule.alpha_f,
        },
        "optimizer": _optimizer(recipe),
        "algorithms": {
            "gradient_clipping": {
                "clipping_type": "norm",
                "clipping_threshold": recipe.max_grad_norm,
            }
        },
        "max_duration": f"{recipe.epochs}ep",
        "eval_interval": "1ep",
        "global_train_batch_size": recipe.global_batch_size,
        "device_train_microbatch_size": recipe.device_microbatch_size,
        "device_eval_batch_size": recipe.device_microbatch_size,
        "seed": recipe.seed,
        "precision": "amp_bf16" if recipe.precision.compute == "bf16" else "fp32",
        **({"fsdp_config": _fsdp(recipe)} if recipe.fsdp else {}),
        "progress_bar": False,
        "log_to_console": True,
        "console_log_interval": "1ba",
        **({"loggers": trackers} if trackers else {}),
        "callbacks": _callbacks(recipe, place),
        "save_folder": f"{place.out}/checkpoints",
        "save_interval": "1ep" if every == "epoch" else f"{every}ba",
        "save_num_checkpoints_to_keep": recipe.checkpoint.keep,
        "save_overwrite": True,  # A kill while one is written would else be the end of the run.
        "autoresume": True,
    }


def _callbacks(recipe: Recipe, place: Place) -> dict[str, Any]:
    watched: dict[str, Any] = {"speed_monitor": {"window_size": 10}, "lr_monitor": {}}
    if recipe.gpus:
        watched["memory_monitor"] = {}
    watched["hf_checkpointer"] = {
        "save_folder": f"{place.out}/huggingface",
        "save_interval": "1dur",
        "precision": "bfloat16" if recipe.precision.compute == "bf16" else "float32",
    }
    return watched


def _warmup(recipe: Recipe) -> str:
    warmup = recipe.schedule.warmup
    return f"{warmup.steps}ba" if warmup.fraction is None else f"{warmup.fraction}dur"


def _optimizer(recipe: Recipe) -> dict[str, Any]:
    ours = recipe.optimizer
    if ours.name != "adamw":
        return ours.model_dump(mode="json")
    told = {"name": "decoupled_adamw", "weight_decay": ours.lr * ours.weight_decay, "eps": 1e-8}
    return {**ours.model_dump(mode="json"), **told}


def _fsdp(recipe: Recipe) -> dict[str, Any]:
    if recipe.fsdp is None:
        return {}
    told = recipe.fsdp.model_dump()
    return {"sharding_strategy": told.pop("strategy"), **told}
