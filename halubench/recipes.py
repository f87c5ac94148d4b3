"""Loads ``trainers/*.yaml``: how a judge is fine-tuned, and what its schedule comes to.

Nothing here trains. A recipe is checked at every depth, names where each of its values comes
from, and its schedule is worked out for a given number of training rows.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from halubench import content
from halubench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_UNSOURCED = ("name", "title", "notes", "source")
_SPREAD = 0.02
"""Standard deviation of Llama's weights as initialised (``initializer_range`` of its config)."""
_NUMBER_AS_TEXT = re.compile(r"([+-]?\d+)(e[+-]?\d+)", re.IGNORECASE)

PositiveInt = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Lora(_Strict):
    """Low-rank adapters (Hu et al. 2021, arXiv 2106.09685), scaled by ``alpha / rank``."""

    rank: PositiveInt
    alpha: Positive
    dropout: Share
    target_modules: Annotated[tuple[Text, ...], Field(min_length=1)]


class Optimizer(_Strict):
    """``lr`` is the peak learning rate; ``decoupled_lionw`` does not multiply weight decay by it."""

    name: Literal["decoupled_lionw", "adamw"]
    lr: Positive
    betas: tuple[Share, Share]
    weight_decay: NotNegative


class Warmup(_Strict):
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


class LearningRate(_Strict):
    """Linear warm-up from 0, then a cosine to ``alpha_f`` times the peak."""

    name: Literal["cosine_with_warmup"]
    warmup: Warmup
    alpha_f: Annotated[float, Field(ge=0, le=1)]


class Precision(_Strict):
    """``master``: the weights that the optimizer updates. ``compute``: forward and backward."""

    master: Literal["fp32", "bf16"]
    compute: Literal["bf16", "fp32"]


class Fsdp(_Strict):
    """Fully sharded data parallel, in LLM Foundry's terms."""

    strategy: Literal["FULL_SHARD", "SHARD_GRAD_OP", "HYBRID_SHARD"]
    mixed_precision: Literal["PURE", "DEFAULT", "FULL"]
    activation_checkpointing: bool
    activation_checkpointing_reentrant: bool
    activation_cpu_offload: bool
    limit_all_gathers: bool


class Source(_Strict):
    """Where the named values come from; ``optimizer`` stands for all of its values."""

    values: Annotated[tuple[Text, ...], Field(min_length=1)]
    origin: Text
    certainty: Literal["read", "secondary", "inferred", "measured", "chosen"]


class Recipe(_Strict):
    """One YAML file. See ``trainers/README.md`` for how to add one."""

    name: Text
    title: Text
    base_model: Text
    method: Literal["full", "lora"]
    lora: Lora | None = None
    epochs: PositiveInt
    global_batch_size: PositiveInt
    sequence_length: PositiveInt
    packing: bool
    optimizer: Optimizer
    schedule: LearningRate
    max_grad_norm: Positive
    precision: Precision
    fsdp: Fsdp | None = None
    attention: Literal["flash_attention_2", "sdpa", "eager"]
    seed: Annotated[int, Field(ge=0)]
    gpus: Annotated[int, Field(ge=0)]
    source: tuple[Source, ...]
    notes: str = ""

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if (self.method == "lora") != (self.lora is not None):
            raise ValueError("method lora needs the key lora, and method full forbids it")
        if self.fsdp and not self.gpus:
            raise ValueError("fsdp needs gpus: without one it silently becomes plain DDP")
        if self.gpus and self.global_batch_size % self.gpus:
            raise ValueError(
                f"global_batch_size {self.global_batch_size} is not divisible by gpus {self.gpus}"
            )
        return self

    @model_validator(mode="after")
    def _every_value_has_one_source(self) -> Recipe:
        named = [name for source in self.source for name in source.values]
        for name in named:
            if name not in keys() or name.split(".")[0] in _UNSOURCED:
                raise ValueError(f"source names {name!r}, no value of a recipe.{suggest(name)}")
        for key, _ in self.leaves():
            count = sum(key == name or key.startswith(f"{name}.") for name in named)
            if count != 1:
                raise ValueError(f"{key} has {count} sources, not one")
        return self

    def leaves(self) -> list[tuple[str, Any]]:
        """Every value that needs a source, by dotted key; what is not given is left out."""
        return list(_flat(self.model_dump(exclude_none=True, exclude=set(_UNSOURCED))))

    def origin(self, key: str) -> Source:
        """The source of the value at a dotted key, such as ``optimizer.lr``."""
        owners = (key.rsplit(".", cut)[0] for cut in range(key.count(".") + 1))
        found = {name: source for source in self.source for name in source.values}
        return next(found[owner] for owner in owners if owner in found)


@dataclass(frozen=True)
class Schedule:
    """What a recipe comes to on ``rows`` training rows.

    ``peak_lr_reached`` is the largest multiplier of ``optimizer.lr`` that any step uses, in
    [0, 1]. ``travel`` is the sum of the learning rates of all steps: the farthest that Lion,
    whose every update is the learning rate in size, can move one weight.
    """

    rows: int
    steps_per_epoch: int
    steps: int
    warmup_steps: int
    warmup_ends: bool
    peak_lr_reached: float
    travel: float
    warnings: tuple[str, ...]


def load_all() -> dict[str, Recipe]:
    """Every recipe by name, a user's file hiding a shipped namesake.

    Raises InputError naming the file and the key that is wrong.
    """
    found = {recipe.name: recipe for recipe in map(load, content.files("trainers", ".yaml"))}
    return dict(sorted(found.items()))


def find(name: str) -> Recipe:
    """The recipe of that name. Raises InputError naming those there are."""
    return load(content.find(f"trainers/{name}.yaml"))


def load(path: Path) -> Recipe:
    """One recipe. Raises InputError naming the file and the dotted key that is wrong."""
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506  (a SafeLoader)
        # Through JSON, where strict validation takes a list for a tuple and nothing else.
        recipe = Recipe.model_validate_json(json.dumps(found, default=str))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {said}.") from error
    except ValidationError as error:
        raise _input_error(path, error) from error
    except (OSError, ValueError) as error:  # no such file, not UTF-8, an alias inside itself
        raise InputError(f"{path} cannot be read: {error}.") from error
    if recipe.name != path.stem:
        raise InputError(f"{path} holds the recipe {recipe.name!r}.", "Name the file after it.")
    return recipe


def schedule(recipe: Recipe, rows: int) -> Schedule:
    """Count the steps of ``rows`` training rows as LLM Foundry and Composer count them.

    An epoch has ceil(rows / global_batch_size) steps: the published loaders set ``drop_last:
    false``, so the last batch of an epoch may be smaller and no row is lost. Raises InputError
    when there are no rows.
    """
    if rows < 1:
        raise InputError("A schedule needs at least one training row.", "Check --rows.")
    an_epoch = -(-rows // recipe.global_batch_size)
    steps = an_epoch * recipe.epochs
    warmup = recipe.schedule.warmup.of(steps)
    peak = multiplier(min(warmup, steps - 1), steps, warmup, recipe.schedule.alpha_f)
    return Schedule(
        rows=rows,
        steps_per_epoch=an_epoch,
        steps=steps,
        warmup_steps=warmup,
        warmup_ends=warmup < steps,
        peak_lr_reached=peak,
        travel=recipe.optimizer.lr * _summed(steps, warmup, recipe.schedule.alpha_f),
        warnings=tuple(_warnings(recipe, steps, warmup, peak)),
    )


def multiplier(step: int, steps: int, warmup: int, alpha_f: float) -> float:
    """The share of the peak learning rate that ``step`` (from 0) uses.

    ``step / warmup`` before the warm-up ends, then ``alpha_f + (1 - alpha_f) (1 + cos(pi x)) / 2``
    with ``x = (step - warmup) / (steps - warmup)``: Composer's CosineAnnealingWithWarmupScheduler.
    """
    if step < warmup:
        return step / warmup
    turn = math.pi * (step - warmup) / (steps - warmup)
    return alpha_f + (1 - alpha_f) * (1 + math.cos(turn)) / 2


def suggest(key: str) -> str:
    """`` Did you mean X?`` for an unknown dotted key, or nothing where no known one is near."""
    name = key.rpartition(".")[2]
    anywhere = {known.rpartition(".")[2]: known for known in reversed(keys())}
    for names, cutoff in ((_siblings(key), 0.6), (anywhere, 0.8)):
        for near in difflib.get_close_matches(name, names, 1, cutoff):
            return f" Did you mean {names[near]}?"
    return ""


def keys() -> list[str]:
    """Every key that a recipe may have, dotted, in the order of the fields."""
    return list(_walk(Recipe, ""))


def schema() -> str:
    """The text of ``trainers/schema.json``: ``python -m halubench.recipes > trainers/schema.json``."""
    return json.dumps(Recipe.model_json_schema(), indent=1) + "\n"


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key given twice, of which plain YAML silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {name} is given twice", key.start_mark
                )
            seen.add(name)
        return super().construct_mapping(node, deep)


def _input_error(path: Path, error: ValidationError) -> InputError:
    """About the first unknown key if there is one: it is often why another one is missing."""
    faults = error.errors(include_url=False)
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    key = ".".join(str(part) for part in fault["loc"])
    remedy = "See the field table in trainers/README.md."
    if fault["type"] == "extra_forbidden":
        plain = ".".join(part for part in fault["loc"] if isinstance(part, str))
        remedy = f"Known there: {', '.join(_siblings(plain))}."
        return InputError(f"{path}: {key} is not a known key.{suggest(plain)}", remedy)
    given = fault["input"]
    number = _NUMBER_AS_TEXT.fullmatch(given) if isinstance(given, str) else None
    if number:
        remedy = f"YAML reads {given} as text: write {number[1]}.0{number[2]}."
    said = fault["msg"].removeprefix("Value error, ").rstrip(".")
    end = "" if said.endswith("?") else "."
    return InputError(": ".join(part for part in (str(path), key, said) if part) + end, remedy)


def _siblings(key: str) -> dict[str, str]:
    """The dotted keys beside a dotted key, by their last part."""
    parent = key.rpartition(".")[0]
    return {k.rpartition(".")[2]: k for k in keys() if k.rpartition(".")[0] == parent}


def _walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        for nested in _models(field.annotation):
            yield from _walk(nested, f"{prefix}{name}.")


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _summed(steps: int, warmup: int, alpha_f: float) -> float:
    """The multipliers of all steps, added: cosines at k pi / n for k from 0 to n - 1 add up to 1."""
    rising, falling = min(warmup, steps), max(steps - warmup, 0)
    climbed = rising * (rising - 1) / (2 * warmup) if warmup else 0.0
    return climbed + (falling * alpha_f + (1 - alpha_f) * (falling + 1) / 2 if falling else 0.0)


def _warnings(recipe: Recipe, steps: int, warmup: int, peak: float) -> Iterator[str]:
    lr = recipe.optimizer.lr
    if warmup >= steps:
        yield (
            f"The warm-up of {warmup} steps never ends in {steps}: the last step uses "
            f"{100 * peak:.3g} % of the peak learning rate ({lr * peak:.3g} of {lr:.3g})."
        )
    if recipe.precision.master == "bf16":
        yield (
            f"bf16 master weights: a step of {lr:.3g} is rounded away on every weight of "
            f"{_bf16_reach(lr):.2g} or more; of weights with standard deviation {_SPREAD} it "
            f"moves {100 * math.erf(_bf16_reach(lr) / _SPREAD / math.sqrt(2)):.2g} %. "
            "Use fp32 master weights."
        )
    if recipe.packing:
        yield f"With packing a batch takes in more rows: {steps} steps is an upper bound."


def _bf16_reach(step: float) -> float:
    """The magnitude from which bf16 (8 significant bits) rounds an addition of ``step`` away.

    Weights in [2^e, 2^(e+1)) are 2^(e-7) apart, so ``step`` must be at least 2^(e-8).
    """
    return 2.0 ** (math.floor(math.log2(step)) + 9)


if __name__ == "__main__":
    sys.stdout.write(schema())
