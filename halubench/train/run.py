"""``train run``: one process here, or torchrun with one a GPU, on one node or many."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from halubench.errors import EngineError, IncompleteError, InputError, MissingExtraError
from halubench.train import recipe as recipes

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from halubench.train.engine.job import Listener, Status

GRACE = 900
"""Seconds that processes have to write their checkpoint when asked to stop; torchrun's own 30
kill a large model while it writes."""
_PARTS = ("torch", "transformers", "trl", "accelerate", "peft")


@dataclass(frozen=True, slots=True)
class Ask:
    """What to run. ``recipe`` is a name or a file; ``model`` replaces the recipe's base model.

    ``nproc`` processes on each of ``nodes`` nodes, which meet at ``rendezvous`` (HOST:PORT).
    """

    recipe: str
    data: Path
    out: Path
    model: str | None = None
    nproc: int = 1
    nodes: int = 1
    rendezvous: str | None = None
    validate: int = 200
    track: tuple[str, ...] = ()


def is_worker() -> bool:
    """Whether this process is one that torchrun started."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def apart(ask: Ask) -> bool:
    """Whether torchrun is to start the processes: several, or one under FSDP2."""
    return ask.nproc * ask.nodes > 1 or recipes.find(ask.recipe).fsdp is not None


def run(ask: Ask, listener: Listener) -> Status:
    """Train in this process. Raises IncompleteError (exit 75) when it was asked to stop.

    Also raises InputError, MissingExtraError, and EngineError where the loss diverged.
    """
    recipe = recipes.find(ask.recipe)
    _check_installed(ask, recipe)
    from halubench.train.engine import data, work
    from halubench.train.engine.job import Job

    model = ask.model or recipe.base_model
    prepared = data.read(ask.data)
    return _ended(
        ask, work.train(Job(recipe, model, prepared, ask.out, ask.validate, ask.track), listener)
    )


def spawn(ask: Ask, arguments: Sequence[str]) -> Status:
    """Run ``halubench`` with these arguments once a process, by torchrun, and wait.

    A signal that ends this process is handed on, so that a checkpoint is written. Raises as
    :func:`run`, and EngineError where a process died.
    """
    from halubench.train.engine import sharding
    from halubench.train.engine.job import Status

    recipe = recipes.find(ask.recipe)
    _check_installed(ask, recipe)
    sharding.accumulation(recipe, ask.nproc * ask.nodes)
    started = _stamp(ask)
    process = subprocess.Popen(_torchrun(ask, arguments))  # noqa: S603  (this interpreter)
    with _handing_on(process) as heard:
        code = process.wait()
    begun = _stamp(ask) != started
    if heard and not begun:
        raise IncompleteError("Stopped before training began.", "Run the same command again.")
    if code and not begun:
        what = f"Training did not begin: a process ended with {code}{_killed(code)}."
        raise EngineError(what, "See its message above.")
    status = Status(**json.loads((ask.out / "status.json").read_text("utf-8")))
    if heard and status.state == "running":
        what = "Stopped before training could write a checkpoint."
        raise IncompleteError(what, "Run the same command again: it goes on from the last one.")
    if status.state == "running":
        raise EngineError(
            f"A process ended with {code}{_killed(code)} at or before a step.",
            "See its message above; the same command goes on from the last checkpoint.",
        )
    return _ended(ask, status)


def _killed(code: int) -> str:
    return " (killed, as is done where memory runs out)" if code == _KILLED else ""


_KILLED = 128 + signal.SIGKILL


def _ended(ask: Ask, status: Status) -> Status:
    if status.state == "stopped":
        raise IncompleteError(
            f"Stopped after step {status.step} of {status.steps}; its checkpoint is in {ask.out}.",
            "Run the same command again to go on.",
        )
    if status.state == "diverged":
        raise EngineError(
            f"{status.message} Training was stopped at step {status.step} of {status.steps}.",
            "Lower optimizer.lr or max_grad_norm, look at the rows of these steps, and run it into "
            "a new folder.",
        )
    return status


def _torchrun(ask: Ask, arguments: Sequence[str]) -> list[str]:
    if ask.nodes > 1 and not ask.rendezvous:
        raise InputError("Several nodes need a place to meet.", "Add --rendezvous HOST:PORT.")
    met = ["--standalone"]
    if ask.rendezvous:
        met = ["--nnodes", str(ask.nodes), "--rdzv-backend", "c10d"]
        met += ["--rdzv-endpoint", ask.rendezvous, "--rdzv-id", ask.out.name]
    return [
        *(sys.executable, "-m", "halubench.train.engine.torchrun", *met),
        *("--nproc-per-node", str(ask.nproc), "--shutdown-timeout", str(GRACE)),
        *("-m", "halubench", *arguments),
    ]


def _stamp(ask: Ask) -> int:
    """When the first process last told how it stands."""
    try:
        return (ask.out / "status.json").stat().st_mtime_ns
    except OSError:
        return 0


@contextmanager
def _handing_on(process: subprocess.Popen[bytes]) -> Generator[list[int]]:
    """A signal that stops goes to the processes, and this one waits for them to end; those heard."""
    heard: list[int] = []

    def hand_on(number: int, _: object) -> None:
        heard.append(number)
        process.send_signal(signal.SIGTERM)

    known = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    before = {number: signal.signal(number, hand_on) for number in known}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _check_installed(ask: Ask, recipe: recipes.Recipe) -> None:
    missing = [name for name in _PARTS if not find_spec(name)]
    if missing:
        raise MissingExtraError(
            f"Training needs {', '.join(missing)}, not installed here.",
            "Install it with: pip install 'halubench[train]'.",
        )
    for name in ask.track or recipe.tracking:
        if name not in recipes.TRACKERS:
            known = ", ".join(recipes.TRACKERS)
            raise InputError(f"{name!r} is no tracker that is known here.", f"Known: {known}.")
        if not find_spec(name):
            what = f"The tracker {name} is not installed."
            raise MissingExtraError(what, f"Install it with: pip install {name}.")
