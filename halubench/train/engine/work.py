"""Trains one job in this process, one of however many torchrun started."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, TypeVar

from transformers import PrinterCallback, TrainerCallback
from transformers.utils import logging

from halubench.errors import EngineError
from halubench.run import RunFolder
from halubench.train.engine import checkpoints, sharding, watch
from halubench.train.engine.job import FORMAT, Job, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from halubench.train.engine.job import Listener

Callback = TypeVar("Callback", bound=TrainerCallback)
_PACKAGES = ("halubench", "torch", "transformers", "trl", "accelerate", "peft", "datasets")


def train(job: Job, listener: Listener) -> Status:
    """Train, or go on from the newest whole checkpoint; return how the run ended.

    The first process alone writes the run folder. Raises InputError and EngineError.
    """
    if sharding.rank():
        return _train(job, listener, lambda: None)
    with RunFolder.open(job.out, job.ask()) as folder:
        if (job.out / "run.json").exists():
            return Status(**json.loads((job.out / "status.json").read_text("utf-8")))
        running = asdict(Status("running", 0, 0))
        status = _train(job, listener, lambda: folder.write_json("status.json", running))
        folder.write_json("status.json", asdict(status))
        if status.state == "done":
            folder.write_json("run.json", _manifest(job, status))
    return status


def _train(job: Job, listener: Listener, begun: Callable[[], object]) -> Status:
    _quiet()
    trainer = _build(job, listener)
    begun()  # Not before: what cannot be built leaves no run folder behind.
    sharding.set_precision(trainer, job.recipe)
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_Sharded(job))
    start = _start(job, listener)
    stopper = _callback(trainer, watch.Stopper)
    with stopper.listening():
        trainer.train(resume_from_checkpoint=str(start) if start else None)
    return _end(trainer, job, stopper)


def _build(job: Job, listener: Listener) -> Any:
    if job.recipe.kind == "classifier":
        from halubench.train.engine import classifier

        return classifier.build(job, listener)
    from halubench.train.engine import causal

    return causal.build(job, listener)


class _Sharded(TrainerCallback):  # type: ignore[misc]
    """Once the trainer has wrapped the model: it is sharded as the recipe says, or nothing runs."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def on_train_begin(self, args: object, state: object, control: object, **kwargs: Any) -> None:
        del args, state, control
        sharding.check_sharded(kwargs["model"], self._job.recipe)


def _start(job: Job, listener: Listener) -> Path | None:
    """Where to go on from; every process sees the same folder."""
    start = checkpoints.newest(job.checkpoints)
    watch.any_process(False)  # Nobody clears what another has yet to look at.
    if sharding.rank() == 0:
        checkpoints.clear_broken(job.checkpoints)
        watch.cut(job.log, checkpoints.step_of(start) if start else 0)
    if start:
        checkpoints.check_form(start, sharded=sharding.sharded(job.recipe))
        listener.say(f"Going on from {start}.")
    return start


def _end(trainer: Any, job: Job, stopper: watch.Stopper) -> Status:
    step, steps = trainer.state.global_step, trainer.state.max_steps
    reason = _callback(trainer, watch.Divergence).reason
    if reason:
        return Status("diverged", step, steps, reason)
    if stopper.stopped or step < steps:  # train() returns in the same way as when it is done.
        return Status("stopped", step, steps, "Asked to stop; a checkpoint was written.")
    _save(trainer, job)
    return Status("done", step, steps)


def _save(trainer: Any, job: Job) -> None:
    sharding.gather_on_save(trainer, job.recipe)
    trainer.save_model(str(job.weights))
    if sharding.rank() == 0 and not any(job.weights.glob("*.safetensors")):
        raise EngineError(f"No weights were written to {job.weights}.", "Export a checkpoint.")


def _callback(trainer: Any, kind: type[Callback]) -> Callback:
    found: Callback = next(
        one for one in trainer.callback_handler.callbacks if isinstance(one, kind)
    )
    return found


def _manifest(job: Job, status: Status) -> dict[str, Any]:
    """``run.json``: everything that decided the weights."""
    return {
        "format": FORMAT,
        "recipe": json.loads(job.recipe.model_dump_json(exclude={"launch"}, exclude_none=True)),
        "base_model": job.model,
        "data": job.data.manifest,
        "steps": status.steps,
        "rows": len(job.data.train),
        "processes": sharding.world(),
        "versions": {name: version(name) for name in _PACKAGES},
    }


def _quiet() -> None:
    """The trainers' own chatter; what matters is said by this package."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.filterwarnings("ignore", module=r"(torch|transformers|trl|accelerate)\b")
    import datasets

    datasets.disable_progress_bars()
