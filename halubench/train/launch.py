"""Job files of schedulers and clouds, from the launch block of a recipe.

Each target is one template, ``trainers/launch/TARGET.EXTENSION.jinja``. A comment in it names the
command that submits the file, and one may bound the nodes.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from halubench import content
from halubench.errors import EngineError, InputError, MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.train.recipe import Launch, Recipe

_SUBMIT = re.compile(r"\{# submit: (.+?) -?#\}")
_NODES = re.compile(r"\{# nodes: (\d+) -?#\}")
_NAME = re.compile(r"[^a-z0-9]+")
PORT = 29500
"""Where the processes of several nodes meet: torchrun's own default."""


@dataclass(frozen=True, slots=True)
class Job:
    """``text`` is the file ``name``; ``submit`` the words of the command that hands it in."""

    name: str
    text: str
    submit: tuple[str, ...]


def targets() -> list[str]:
    """The known targets, a user's own among them."""
    return sorted({path.name.partition(".")[0] for path in content.files(_FOLDER, ".jinja")})


def job(recipe: Recipe, target: str, asked: str, data: str, out: str) -> Job:
    """The job that runs ``asked`` (the recipe as the command line names it) on that target.

    ``data`` and ``out`` are folders below ``launch.storage``. Raises InputError for an unknown
    target, a recipe without a launch block, and more nodes than the target has.
    """
    place = recipe.launch
    if place is None:
        what = f"{recipe.name} has no launch block."
        raise InputError(what, "Add one: see the field table in trainers/README.md.")
    path = _template(target)
    source = path.read_text("utf-8")
    most = _NODES.search(source)
    if most and place.nodes > int(most[1]):
        what = f"{target} runs on {most[1]} node and {recipe.name} asks for {place.nodes}."
        raise InputError(
            what, f"Use another target: {', '.join(one for one in targets() if one != target)}."
        )
    name = _NAME.sub("-", recipe.name.lower()).strip("-")
    told = {**place.model_dump(), "name": name, "command": command(place, asked, data, out)}
    told["setup"] = [line for part in place.setup for line in part.splitlines()]
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["sh"] = shlex.quote
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
    try:
        text = environment.from_string(source).render(told)
    except TemplateError as error:
        raise InputError(f"{path} cannot be rendered: {error}.", "Correct the template.") from error
    file = f"{name}.{path.name.removesuffix('.jinja')}"
    submit = _SUBMIT.search(source)
    return Job(file, text, tuple(submit[1].split()) if submit else ())


def command(place: Launch, asked: str, data: str, out: str) -> str:
    """What each node runs; ``HEAD_HOST`` is the name of the first, as the template finds it."""
    root = place.storage.rstrip("/")
    words = ["halubench", "train", "run", asked, "--data", f"{root}/{data}"]
    words += ["--out", f"{root}/{out}"]
    if place.gpus_per_node > 1:
        words += ["--nproc", str(place.gpus_per_node)]
    if place.nodes == 1:
        return shlex.join(words)
    words += ["--nodes", str(place.nodes)]
    return f'{shlex.join(words)} --rendezvous "$HEAD_HOST:{PORT}"'


def submit(made: Job, path: Path) -> str:
    """Hand the written file in; what the client said. Raises MissingExtraError without it."""
    words = [word.replace("{file}", str(path)) for word in made.submit]
    if not words or not shutil.which(words[0]):
        what = f"{words[0] if words else 'A client'} is not installed here."
        raise MissingExtraError(what, f"Install it, or run elsewhere: {shlex.join(words)}.")
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        what = f"{words[0]} refused {path}: {said[-1] if said else done.returncode}"
        raise EngineError(what, f"Correct it and run: {shlex.join(words)}.")
    return done.stdout.strip()


def _template(target: str) -> Path:
    for path in content.files(_FOLDER, ".jinja"):
        if path.name.partition(".")[0] == target:
            return path
    raise InputError(f"{target} is no target.", f"Known: {', '.join(targets())}.")


_FOLDER = "trainers/launch"
