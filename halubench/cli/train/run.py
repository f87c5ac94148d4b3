"""``halubench train run``: train a judge, or go on where the same command was stopped."""

from __future__ import annotations

import os
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from halubench.cli import _console
from halubench.cli._options import Content, look_in
from halubench.errors import HalubenchError

if TYPE_CHECKING:
    from halubench.train.engine.job import Step
    from halubench.train.run import Ask


def command(  # noqa: PLR0913, PLR0917  (one argument an option)
    recipe: Annotated[str, typer.Argument(help="A recipe's name, or a file of your own.")],
    data: Annotated[Path, typer.Option(help="The folder that train prepare wrote.")],
    out: Annotated[Path, typer.Option(help="The run folder; the same one to go on.")],
    model: Annotated[
        str | None, typer.Option(help="Folder or Hub id, in place of the recipe's base model.")
    ] = None,
    nproc: Annotated[int, typer.Option(min=1, help="Processes on this node, one a GPU.")] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Nodes; run the command on each.")] = 1,
    rendezvous: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where several nodes meet.")
    ] = None,
    validate: Annotated[
        int, typer.Option(min=0, help="Validation rows judged after each epoch.")
    ] = 200,
    track: Annotated[
        list[str] | None,
        typer.Option(help="wandb, trackio, mlflow or tensorboard; the recipe's unless given."),
    ] = None,
    content: Content = None,
) -> None:
    """Train a judge; SIGTERM writes a checkpoint, and the same command goes on."""
    from halubench.train import run as runs

    look_in(content)
    tracked = tuple(track or ())
    ask = runs.Ask(recipe, data, out, model, nproc, nodes, rendezvous, validate, tracked)
    if runs.is_worker():
        _work(ask)
        return
    if runs.apart(ask):
        status = runs.spawn(ask, _arguments(ask, content or []))
    else:
        status = runs.run(ask, _Told())
    _console.note(f"{status.steps:,} steps done. Weights {escape(str(out / 'model'))}")
    _console.note(f"Figures {escape(str(out / 'log.jsonl'))}, manifest {escape(str(out))}/run.json")
    _console.note(f"Next: halubench train export {escape(str(out))} --out judge")


def _work(ask: Ask) -> None:
    """One of torchrun's processes: the first alone speaks, and a stop is told by status.json.

    Of an error the others speak later, and mostly not at all: torchrun ends them once one has failed.
    """
    import signal
    from time import sleep

    from halubench.errors import IncompleteError
    from halubench.train import run as runs

    if os.environ["LOCAL_RANK"] != "0":  # Ended before it trains, it has nothing to say.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        runs.run(ask, _Told() if os.environ["RANK"] == "0" else _Silent())
    except IncompleteError:
        return
    except HalubenchError:
        if os.environ["LOCAL_RANK"] != "0":
            sleep(30)
        raise


def _arguments(ask: Ask, content: list[Path]) -> list[str]:
    """The command line of each process."""
    named = {
        "--data": ask.data,
        "--out": ask.out,
        "--model": ask.model,
        "--validate": ask.validate,
    }
    pairs = [(name, value) for name, value in named.items() if value is not None]
    pairs += [("--track", value) for value in ask.track]
    pairs += [("--content", value) for value in content]
    options = [str(part) for pair in pairs for part in pair]
    return ["train", "run", ask.recipe, *options]


class _Silent:
    """Hears nothing."""

    def say(self, message: str) -> None:
        """A note."""

    def step(self, step: Step) -> None:
        """A step is done."""

    def judged(self, epoch: float, scores: dict[str, Any]) -> None:
        """The validation rows were judged."""


class _Told:
    """One line a note, and one a step that comes a second or more after the last line."""

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._begun: tuple[float, int] | None = None
        self._last = 0.0

    def say(self, message: str) -> None:
        """A note."""
        _console.note(escape(message))

    def step(self, step: Step) -> None:
        """Loss, speed and how long it will take; the last step always."""
        now = self._clock()
        self._begun = self._begun or (now, step.step)
        if now - self._last < 1 and step.step < step.steps:
            return
        self._last = now
        parts = [
            f"step {step.step:,}/{step.steps:,}",
            f"loss {step.loss:.4f}",
            f"lr {step.learning_rate:.3g}",
            f"{step.tokens_per_second:,.0f} tokens/s",
            *self._mfu(step),
            self._left(now, step),
        ]
        _console.note("  ".join(part for part in parts if part))

    def judged(self, epoch: float, scores: dict[str, Any]) -> None:
        """The metrics of the validation rows."""
        accuracy = scores["balanced_accuracy"]
        value = "undefined" if accuracy["value"] is None else f"{accuracy['value']:.3f}"
        _console.note(
            f"epoch {epoch:g}: {scores['n']:,} validation rows judged, balanced accuracy {value}, "
            f"{scores['unscored']:,} unscored"
        )

    def _mfu(self, step: Step) -> list[str]:
        if step.mfu_full is None or step.mfu_causal is None:
            return []
        return [f"MFU {100 * step.mfu_causal:.1f} % causal, {100 * step.mfu_full:.1f} % full"]

    def _left(self, now: float, step: Step) -> str:
        from datetime import timedelta

        begun, first = self._begun or (now, step.step)
        if step.step == first:
            return ""
        seconds = (now - begun) / (step.step - first) * (step.steps - step.step)
        return f"{timedelta(seconds=round(seconds))} left"
