"""What runs a recipe: a configuration in an engine's own words, and the command that starts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from halubench.errors import InputError

if TYPE_CHECKING:
    from halubench.train.recipe import Recipe

ENGINES = ("trl", "foundry", "automodel")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run finds its parts: the folder of ``train prepare``, the run folder, the model.

    ``model`` replaces the recipe's base model; ``rows`` are the training rows, where an engine
    needs the number of steps.
    """

    data: str = "training-set"
    out: str = "run"
    model: str | None = None
    rows: int = 2400


@dataclass(frozen=True, slots=True)
class Rendered:
    """``config`` is the text of the file ``name``; ``notes`` say what differs from the recipe."""

    name: str
    config: str
    command: str
    notes: tuple[str, ...] = ()


def render(recipe: Recipe, engine: str, place: Place) -> Rendered:
    """The recipe for that engine. Raises InputError for what the engine cannot do."""
    from halubench.train import automodel, foundry

    if engine == "foundry":
        return foundry.render(recipe, place)
    if engine == "automodel":
        return automodel.render(recipe, place)
    if engine == "trl":
        return _trl(recipe, place)
    raise InputError(f"{engine} is no engine.", f"Known: {', '.join(ENGINES)}.")


def dump(told: dict[str, Any]) -> str:
    """YAML in the order of the keys, short lists on one line."""
    return yaml.safe_dump(told, sort_keys=False, default_flow_style=None, width=100)


def model_of(recipe: Recipe, place: Place) -> str:
    """The model that is trained."""
    return place.model or recipe.base_model


def refuse(engine: str, recipe: Recipe, *unable: tuple[bool, str]) -> None:
    """Raise InputError for the first thing asked for that the engine cannot do."""
    for asked, what in unable:
        if asked:
            raise InputError(
                f"{engine} cannot run {recipe.name}: {what}.", "Use --engine trl for this recipe."
            )


def _trl(recipe: Recipe, place: Place) -> Rendered:
    """The recipe itself, defaults written out: ``train run`` reads nothing else."""
    told = recipe.model_dump(mode="json", exclude_none=True, exclude={"source", "notes", "launch"})
    return Rendered(f"{recipe.name}.yaml", dump(told), run_command(recipe, recipe.name, place))


def run_command(recipe: Recipe, asked: str, place: Place) -> str:
    """What each node runs; ``asked`` is the recipe as the command line names it."""
    parts = ["halubench train run", asked, "--data", place.data, "--out", place.out]
    parts += ["--model", place.model] if place.model else []
    a_node = recipe.launch.gpus_per_node if recipe.launch else min(recipe.gpus, 8)
    nodes = recipe.launch.nodes if recipe.launch else -(-recipe.gpus // 8)
    parts += ["--nproc", str(a_node)] if a_node > 1 else []
    parts += ["--nodes", str(nodes), "--rendezvous", "HOST:29500"] if nodes > 1 else []
    return " ".join(parts)
