"""Callbacks: figures of each step, stopping when asked to, and stopping a run that diverges."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections import deque
from contextlib import contextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from halubench.train.engine import checkpoints, sharding
from halubench.train.engine.flops import peak
from halubench.train.engine.job import Step
from halubench.train.shape import Work

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping
    from pathlib import Path

    from halubench.train.engine.job import Job, Listener
    from halubench.train.shape import Arithmetic

_WINDOW = 32
"""Steps whose median loss is what a spike is measured against."""
_TIMES, _IN_A_ROW = 3.0, 5
"""A spike that stays: so many steps in a row with a loss so many times that median."""


class Figures(TrainerCallback):  # type: ignore[misc]
    """Writes ``log.jsonl`` and tells the listener, from the first process alone."""

    def __init__(self, job: Job, listener: Listener, counted: Arithmetic | None) -> None:
        self._job, self._listener, self._counted = job, listener, counted
        self._work, self._tokens, self._since = Work(), 0, time.monotonic()
        self._peak = peak(torch.cuda.get_device_name()) if torch.cuda.is_available() else None

    def saw(self, lengths: Iterable[int]) -> None:
        """This process read documents of so many tokens."""
        known = list(lengths)
        self._tokens += sum(known)
        if self._counted:
            self._work += self._counted.work(known)

    def on_step_begin(self, *_: object, **__: object) -> None:
        if not self._tokens:
            self._since = time.monotonic()

    def on_log(
        self, args: object, state: Any, control: object, logs: dict[str, float], **_: object
    ) -> None:
        del args, control
        if "loss" not in logs or not state.is_world_process_zero:
            return
        seconds = max(time.monotonic() - self._since, 1e-9)
        full, causal = self._shares(seconds)
        step = Step(
            step=state.global_step,
            steps=state.max_steps,
            epoch=logs.get("epoch", 0.0),
            loss=logs["loss"],
            grad_norm=logs.get("grad_norm"),
            learning_rate=logs["learning_rate"],
            tokens_per_second=self._tokens * sharding.world() / seconds,
            mfu_full=full,
            mfu_causal=causal,
        )
        self._work, self._tokens, self._since = Work(), 0, time.monotonic()
        append(self._job.log, {name: getattr(step, name) for name in Step.__slots__})
        self._listener.step(step)

    def _shares(self, seconds: float) -> tuple[float | None, float | None]:
        if self._peak is None or self._counted is None:
            return None, None
        possible = seconds * self._peak
        return self._work.full / possible, self._work.causal / possible


class Stopper(TrainerCallback):  # type: ignore[misc]
    """On SIGTERM or ctrl-C: a checkpoint after the step that is running, then the end.

    All processes agree on the step, for a signal reaches them at different moments; one that
    saved while another went on would wait for it for ever.
    """

    def __init__(self) -> None:
        self.asked = False
        self.stopped = False

    @contextmanager
    def listening(self) -> Generator[None]:
        """Take the signals over for as long as training runs."""
        known = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
        before = {number: signal.signal(number, self._hear) for number in known}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, _: object) -> None:
        if self.asked and number == signal.SIGINT:  # Asked twice: at once.
            raise KeyboardInterrupt
        self.asked = True

    def on_step_end(self, args: object, state: Any, control: Any, **_: object) -> None:
        del args
        if any_process(self.asked) and state.global_step < state.max_steps:
            self.stopped = control.should_save = control.should_training_stop = True

    def on_epoch_end(self, args: object, state: Any, control: Any, **_: object) -> None:
        del args
        if self.stopped:  # Its checkpoint is written; validation belongs to whole epochs.
            control.should_save = False
            control.should_evaluate &= math.isclose(state.epoch, round(state.epoch))


def _end_at_once(control: Any) -> None:
    """Do nothing of what comes at the end of an epoch, as which the trainer takes every end."""
    control.should_save = control.should_evaluate = False


class Divergence(TrainerCallback):  # type: ignore[misc]
    """Stops at a loss that is no number, or that rose and stays far above what it was."""

    def __init__(self) -> None:
        self.reason = ""
        self._seen: deque[float] = deque(maxlen=_WINDOW)
        self._high = 0

    def on_log(
        self, args: object, state: Any, control: Any, logs: dict[str, float], **_: object
    ) -> None:
        del args
        if "loss" not in logs:
            return
        self.reason = self.reason or self._fault(state.global_step, logs)
        if self.reason:
            control.should_training_stop = True
            control.should_save = False

    def on_epoch_end(self, args: object, state: object, control: Any, **_: object) -> None:
        del args, state
        if self.reason:
            _end_at_once(control)

    def _fault(self, step: int, logs: dict[str, float]) -> str:
        loss, norm = logs["loss"], logs.get("grad_norm", 0.0)
        for name, value in (("loss", loss), ("gradient norm", norm)):
            if not math.isfinite(value):
                return f"The {name} of step {step} is {value}."
        usual = median(self._seen) if len(self._seen) == _WINDOW else math.inf
        self._high = self._high + 1 if loss > _TIMES * usual else 0
        if not self._high:
            self._seen.append(loss)
        if self._high < _IN_A_ROW:
            return ""
        return (
            f"The loss of steps {step - _IN_A_ROW + 1} to {step} is more than {_TIMES:g} times "
            f"{usual:.3g}, the median of the {_WINDOW} steps before."
        )


class Whole(TrainerCallback):  # type: ignore[misc]
    """Ends each checkpoint with the file that says so, once every process has written its part."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on_save(self, args: object, state: Any, control: object, **_: object) -> None:
        del args, control
        any_process(False)  # All of them are here only when all of them have written.
        if state.is_world_process_zero:
            checkpoints.finish(self._folder / f"checkpoint-{state.global_step}")


def any_process(here: bool) -> bool:
    """Whether it is true in any process of the run."""
    if sharding.world() == 1:
        return here
    import torch
    from torch import distributed

    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    flag = torch.tensor(int(here), device=device if torch.cuda.is_available() else "cpu")
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag.item())


def append(path: Path, entry: Mapping[str, object]) -> None:
    """One more line of ``log.jsonl``."""
    with path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry) + "\n")


def cut(path: Path, step: int) -> None:
    """Forget what was logged after ``step``: it is trained again."""
    if path.exists():
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        path.write_text("".join(kept), "utf-8")
