"""Runs on several processes: really sharded, stopped and killed at steps of chance, gone on with on
another number of processes; the weights are those of one process that was left alone."""

import json
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
import engine_world as world

pytestmark = pytest.mark.torch
TOLERANCE = 1e-6
"""Sums over ranks are added up in another order; weights are of the size of .02."""
STEPS = 12


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    world.tiny_llama(folder / "llama")
    world.prepared(folder / "data")
    return folder


@pytest.fixture(scope="module")
def alone(place: Path) -> dict:
    """The weights of one process, not sharded and never stopped."""
    (place / "plain").mkdir()
    path = world.recipe(place / "plain", optimizer={**LION}, checkpoint={"every": 1})
    done = world.run(_command(place, path, "alone"))
    assert done.returncode == 0, done.stderr
    return world.weights(place / "alone")


def _recipe(place: Path, strategy: str) -> Path:
    folder = place / strategy
    folder.mkdir(exist_ok=True)
    values = {"gpus": 4, "checkpoint": {"every": 1}, "fsdp": {**world.FSDP, "strategy": strategy}}
    return world.recipe(folder, optimizer={**LION}, **values)


LION = {"name": "decoupled_lionw", "lr": 1e-4, "betas": [0.9, 0.95], "weight_decay": 0.0}


def _command(place: Path, path: Path, out: str, ranks: int = 1) -> list[str]:
    found = world.command(path, place / "data", place / out, place / "llama", ranks)
    return [*found, "--validate", "0"]


def _start(command: list[str]) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, cwd=world.ROOT, stderr=subprocess.PIPE)


def _wait_for(out: Path, step: int, process: subprocess.Popen) -> None:
    while not (out / "checkpoints" / f"checkpoint-{step}" / "whole").exists():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.05)


def _family(pid: int) -> list[int]:
    """The process and all that descend from it; torchrun's are in sessions of their own."""
    known = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = [tuple(map(int, line.split())) for line in known.stdout.splitlines()]
    found = [pid]
    for one in found:
        found += [child for child, parent in parents if parent == one]
    return found


def _largest_difference(one: dict, other: dict) -> float:
    assert one.keys() == other.keys()
    return max((one[name] - other[name]).abs().max().item() for name in one)


def test_stopped_on_two_killed_on_four_finished_on_two(place: Path, alone: dict) -> None:
    path, out = _recipe(place, "FULL_SHARD"), place / "cut"
    chance = random.Random(os.getpid())
    stop = chance.randrange(2, STEPS // 2)
    kill = chance.randrange(STEPS // 2 + 1, STEPS - 1)

    stopped = _start(_command(place, path, "cut", 2))
    _wait_for(out, stop, stopped)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(600) == 75
    said = stopped.stderr.read()
    assert b"Run the same command again to go on." in said
    assert b"Traceback" not in said
    assert json.loads((out / "status.json").read_text())["state"] == "stopped"

    killed = _start(_command(place, path, "cut", 4))
    _wait_for(out, kill, killed)
    for pid in _family(killed.pid):
        os.kill(pid, signal.SIGKILL)
    killed.wait(60)

    done = world.run(_command(place, path, "cut", 2))
    assert done.returncode == 0, done.stderr
    assert [entry["step"] for entry in world.log(out)] == [*range(1, STEPS + 1)]
    found = _largest_difference(alone, world.weights(out))
    assert found < TOLERANCE, f"stopped after {stop}, killed after {kill}: {found}"
    made = json.loads((out / "run.json").read_text())
    assert (made["processes"], made["steps"]) == (2, STEPS)


def test_one_process_is_sharded_too(place: Path, alone: dict) -> None:
    done = world.run(_command(place, _recipe(place, "FULL_SHARD"), "one"))
    assert done.returncode == 0, done.stderr
    state = place / "one" / "checkpoints" / f"checkpoint-{STEPS}"
    assert list(state.rglob("*.distcp"))  # As FSDP2 writes it, of however many processes.
    assert _largest_difference(alone, world.weights(place / "one")) < TOLERANCE


def test_sharded_within_and_replicated_over_two_nodes(place: Path, alone: dict) -> None:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    path = _recipe(place, "HYBRID_SHARD")
    command = [*_command(place, path, "nodes", 2), "--nodes", "2", "--rendezvous", address]
    nodes = [_start(command), _start(command)]
    told = [node.communicate(timeout=900)[1].decode() for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], told
    assert _largest_difference(alone, world.weights(place / "nodes")) < TOLERANCE


def test_one_node_has_nothing_to_replicate(place: Path) -> None:
    path = _recipe(place, "HYBRID_SHARD")
    done = world.run(_command(place, path, "one-node", 2))
    assert done.returncode != 0
    told = "shards within a node and replicates over nodes, and there is one node"
    assert done.stderr.count(told) == 1
    assert "Training did not begin: a process ended with 2." in done.stderr
    assert "Traceback" not in done.stderr
    assert not (place / "one-node").exists()
