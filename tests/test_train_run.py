"""Starting several processes: how each way in which they may end is told. (What they do needs torch.)"""

import sys
from pathlib import Path

import pytest

from halubench.errors import EngineError, HalubenchError, IncompleteError, InputError
from halubench.train import run as runs

STATUS = """
import json, pathlib
path = pathlib.Path({folder!r}) / "status.json"
path.parent.mkdir(exist_ok=True)
path.write_text(json.dumps({{"state": {state!r}, "step": 3, "steps": 9, "message": "Odd."}}))
"""


@pytest.fixture
def spawned(monkeypatch, tmp_path: Path):
    """Ends of a run whose processes are a script."""
    monkeypatch.setattr(runs, "find_spec", lambda _: True)

    def spawn(script: str, state: str = "", recipe: str = "lynx-8b", nproc: int = 8):
        begin = STATUS.format(folder=str(tmp_path / "run"), state=state) if state else ""
        words = [sys.executable, "-c", begin + script]
        monkeypatch.setattr(runs, "_torchrun", lambda *_: words)
        return runs.spawn(runs.Ask(recipe, tmp_path, tmp_path / "run", nproc=nproc), [])

    return spawn


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGUSR1"])
@pytest.mark.parametrize(
    ("state", "told"),
    [("", "Stopped before training began"), ("stopped", "Stopped after step 3 of 9")],
)
def test_a_signal_is_handed_on_and_the_run_can_go_on(spawned, number, state, told) -> None:
    script = f"import os, signal, time; os.kill(os.getppid(), signal.{number}); time.sleep(60)"
    with pytest.raises(IncompleteError, match=told) as found:
        spawned(script, state)
    assert found.value.exit_code == 75


@pytest.mark.parametrize(
    ("script", "state", "told"),
    [
        ("raise SystemExit(2)", "", "Training did not begin: a process ended with 2."),
        ("raise SystemExit(137)", "running", r"ended with 137 \(killed, as is done where memory"),
        ("", "diverged", "Odd. Training was stopped at step 3 of 9"),
    ],
)
def test_what_ends_a_run_is_told(spawned, script, state, told) -> None:
    with pytest.raises(EngineError, match=told):
        spawned(script, state)


def test_a_run_that_is_done_is_done(spawned) -> None:
    assert spawned("", "done").steps == 9


@pytest.mark.parametrize("nproc", [3, 64])
def test_what_the_batch_cannot_be_dealt_to_is_not_started(spawned, nproc) -> None:
    with pytest.raises(InputError, match=f"cannot be dealt to {nproc} processes"):
        spawned("raise SystemExit(9)", nproc=nproc)


@pytest.mark.parametrize("tracker", ["papyrus", "mlflow"])
def test_a_tracker_that_is_not_there_is_refused_at_once(monkeypatch, tmp_path, tracker) -> None:
    monkeypatch.setattr(runs, "find_spec", lambda name: name != "mlflow" or None)
    ask = runs.Ask("tiny-cpu", tmp_path, tmp_path / "run", track=(tracker,))
    with pytest.raises(HalubenchError, match=tracker):
        runs.run(ask, None)


def test_torchrun_starts_a_recipe_that_shards_and_no_other(tmp_path) -> None:
    asked = {name: runs.Ask(name, tmp_path, tmp_path) for name in ("lynx-8b", "tiny-cpu")}
    assert [runs.apart(ask) for ask in asked.values()] == [True, False]
    assert runs.apart(runs.Ask("tiny-cpu", tmp_path, tmp_path, nproc=2))
