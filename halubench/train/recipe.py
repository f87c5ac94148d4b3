"""Loads ``trainers/*.yaml``: how a judge is fine-tuned, every value with its source."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from halubench import content
from halubench.errors import InputError
from halubench.train.strict import Strict, flat, keys, read, suggest

_UNSOURCED = ("name", "title", "notes", "source", "launch")
TABLE = "trainers/README.md"

PositiveInt = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(min_length=1)]
Tracker = Literal["wandb", "trackio", "mlflow", "tensorboard"]
TRACKERS: tuple[str, ...] = get_args(Tracker)


class Lora(Strict):
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685), scaled by ``alpha / rank``."""

    rank: PositiveInt
    alpha: Positive
    dropout: Share
    target_modules: Annotated[tuple[Text, ...], Field(min_length=1)]


class Optimizer(Strict):
    """``lr`` is the peak learning rate; ``decoupled_lionw`` does not multiply weight decay by it."""

    name: Literal["decoupled_lionw", "adamw"]
    lr: Positive
    betas: tuple[Share, Share]
    weight_decay: NotNegative


class Warmup(Strict):
    """Either ``steps`` or ``fraction`` (of all steps, rounded down, as Composer does)."""

    steps: Annotated[int, Field(ge=0)] | None = None
    fraction: Share | None = None

    @model_validator(mode="after")
    def _one(self) -> Warmup:
        if (self.steps is None) == (self.fraction is None):
            raise ValueError("give either steps or fraction")
        return self

    def of(self, steps: int) -> int:
        """Warm-up steps of a run of ``steps``; the fraction counts as it is written."""
        if self.fraction is None:
            return self.steps or 0
        return int(Fraction(str(self.fraction)) * steps)


class LearningRate(Strict):
    """Linear warm-up from 0, then a cosine to ``alpha_f`` times the peak."""

    name: Literal["cosine_with_warmup"]
    warmup: Warmup
    alpha_f: Annotated[float, Field(ge=0, le=1)]


class Precision(Strict):
    """``master``: the weights that the optimizer updates. ``compute``: forward and backward."""

    master: Literal["fp32", "bf16"]
    compute: Literal["bf16", "fp32"]


class Fsdp(Strict):
    """Fully sharded data parallel, in LLM Foundry's terms; HYBRID_SHARD shards within a node."""

    strategy: Literal["FULL_SHARD", "SHARD_GRAD_OP", "HYBRID_SHARD"]
    mixed_precision: Literal["PURE", "DEFAULT", "FULL"]
    activation_checkpointing: bool
    activation_checkpointing_reentrant: bool
    activation_cpu_offload: bool
    limit_all_gathers: bool


class Checkpoint(Strict):
    """``every``: ``epoch``, or a number of steps. ``keep``: the newest that stay on disk."""

    every: Literal["epoch"] | PositiveInt = "epoch"
    keep: PositiveInt = 2


class Data(Strict):
    """``mix``: rows to draw of each source_ds; ``target``: what the judge learns to write."""

    mix: dict[Text, PositiveInt] | None = None
    target: Literal["reasoning", "direct"] = "reasoning"


class Launch(Strict):
    """Where the job runs. ``secrets`` names environment variables, never their values.

    ``storage`` is a folder that every node sees, for data, checkpoints and results; ``hours`` the
    wall time after which the scheduler ends the job.
    """

    gpu: Text
    nodes: PositiveInt
    gpus_per_node: PositiveInt
    image: Text
    storage: Text
    hours: PositiveInt
    restarts: Annotated[int, Field(ge=0)] = 3
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], ...] = ()
    setup: tuple[Text, ...] = ()


class Source(Strict):
    """Where the named values come from; ``optimizer`` stands for all of its values."""

    values: Annotated[tuple[Text, ...], Field(min_length=1)]
    origin: Text
    certainty: Literal["read", "secondary", "inferred", "measured", "chosen"]


class Recipe(Strict):
    """One YAML file. See ``trainers/README.md`` for how to add one.

    ``kind`` is ``judge`` (a causal language model that writes its verdict) or ``classifier`` (a
    cross-encoder with a head of two classes). ``device_microbatch_size`` is the sequences that one GPU
    takes through forward and backward at once; gradients add up to the global batch. ``compile`` has
    each layer compiled, by torch.compile.
    """

    name: Text
    title: Text
    base_model: Text
    kind: Literal["judge", "classifier"] = "judge"
    method: Literal["full", "lora", "qlora"]
    lora: Lora | None = None
    epochs: PositiveInt
    global_batch_size: PositiveInt
    device_microbatch_size: PositiveInt = 1
    sequence_length: PositiveInt
    packing: bool
    optimizer: Optimizer
    schedule: LearningRate
    max_grad_norm: Positive
    precision: Precision
    fsdp: Fsdp | None = None
    attention: Literal["flash_attention_2", "sdpa", "eager"]
    compile: bool = False
    seed: Annotated[int, Field(ge=0)]
    gpus: Annotated[int, Field(ge=0)]
    checkpoint: Checkpoint = Checkpoint()
    data: Data = Data()
    tracking: tuple[Tracker, ...] = ()
    launch: Launch | None = None
    source: tuple[Source, ...]
    notes: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if self.method == "full" and self.lora:
            raise ValueError("method full forbids the key lora")
        if self.method != "full" and not self.lora:
            raise ValueError(f"method {self.method} needs the key lora")
        if self.kind == "classifier" and self.packing:
            raise ValueError("a classifier reads one row a sequence: packing must be false")
        if self.kind == "classifier" and self.compile:
            raise ValueError("the layers of a judge alone are compiled: compile must be false")
        return self

    @model_validator(mode="after")
    def _fits_the_gpus(self) -> Recipe:
        if self.fsdp and not self.gpus:
            raise ValueError("fsdp needs gpus: without one it silently becomes plain DDP")
        if self.gpus and self.global_batch_size % self.gpus:
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not divisible by gpus {self.gpus}"
            )
        if self.global_batch_size // max(self.gpus, 1) % self.device_microbatch_size:
            raise ValueError(
                f"device_microbatch_size {self.device_microbatch_size} does not divide the "
                f"{self.global_batch_size // max(self.gpus, 1)} sequences that one device has a step"
            )
        place = self.launch
        if place and place.nodes * place.gpus_per_node != self.gpus:
            raise ValueError(
                f"launch has {place.nodes} x {place.gpus_per_node} GPUs and gpus says {self.gpus}"
            )
        return self

    @model_validator(mode="after")
    def _every_value_has_one_source(self) -> Recipe:
        named = [name for source in self.source for name in source.values]
        known = keys(Recipe)
        for name in named:
            if name not in known or name.split(".")[0] in _UNSOURCED:
                hint = suggest(Recipe, name)
                raise ValueError(f"source names {name!r}, no value of a recipe.{hint}")
        for key, _ in self.leaves():
            count = sum(key == name or key.startswith(f"{name}.") for name in named)
            if count != 1:
                raise ValueError(f"{key} has {count} sources, not one")
        return self

    def leaves(self) -> list[tuple[str, Any]]:
        """Every value of the file that needs a source, by dotted key; defaults are left out."""
        given = self.model_dump(exclude_none=True, exclude_unset=True, exclude=set(_UNSOURCED))
        return list(flat(given))

    def origin(self, key: str) -> Source:
        """The source of the value at a dotted key, such as ``optimizer.lr``."""
        owners = (key.rsplit(".", cut)[0] for cut in range(key.count(".") + 1))
        found = {name: source for source in self.source for name in source.values}
        return next(found[owner] for owner in owners if owner in found)

    def accumulation(self) -> int:
        """Micro-batches that one device adds up to an optimizer step."""
        return self.global_batch_size // max(self.gpus, 1) // self.device_microbatch_size


def load_all() -> dict[str, Recipe]:
    """Every recipe by name, a user's file hiding a shipped namesake.

    Raises InputError naming the file and the key that is wrong.
    """
    found = {recipe.name: recipe for recipe in map(load, content.files("trainers", ".yaml"))}
    return dict(sorted(found.items()))


def find(name: str) -> Recipe:
    """The recipe of that name or file (``*.yaml``). Raises InputError naming those there are."""
    if name.endswith((".yaml", ".yml")):
        return load(Path(name))
    if Path(name).name != name:
        raise InputError(f"{name} is no YAML file.", "Give a recipe's name, or its FILE.yaml.")
    return load(content.find(f"trainers/{name}.yaml"))


def load(path: Path) -> Recipe:
    """One recipe. Raises InputError naming the file and the dotted key that is wrong."""
    recipe = read(path, Recipe, TABLE)
    if recipe.name != path.stem:
        raise InputError(f"{path} holds the recipe {recipe.name!r}.", "Name the file after it.")
    return recipe


def schema() -> str:
    """The text of ``trainers/schema.json``."""
    return json.dumps(Recipe.model_json_schema(), indent=1) + "\n"
