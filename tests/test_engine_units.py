"""Lion, the count of operations, checkpoints and the two callbacks that end a run."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from halubench.errors import EngineError, InputError

torch = pytest.importorskip("torch")
import engine_world as world
from torch.utils.flop_counter import FlopCounterMode

from halubench.train import recipe as recipes
from halubench.train.engine import checkpoints, settings, sharding, watch
from halubench.train.engine.causal import document_lengths
from halubench.train.engine.flops import arithmetic, peak
from halubench.train.engine.lion import DecoupledLion

pytestmark = pytest.mark.torch


def test_lion_follows_its_paper() -> None:
    rng = np.random.default_rng(0)
    expected = rng.normal(size=5)
    weight = torch.nn.Parameter(torch.tensor(expected))
    lr, (fast, slow), decay = 0.01, (0.9, 0.95), 0.1
    optimizer = DecoupledLion([weight], lr=lr, betas=(fast, slow), weight_decay=decay)
    momentum = np.zeros(5)
    for step in range(6):
        gradient = rng.normal(size=5)
        now = lr if step < 3 else lr / 2
        optimizer.param_groups[0]["lr"] = now
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        # The decay follows the schedule and is not scaled by the learning rate itself.
        expected = expected * (1 - decay * now / lr)
        expected = expected - now * np.sign(fast * momentum + (1 - fast) * gradient)
        momentum = slow * momentum + (1 - slow) * gradient
    np.testing.assert_allclose(weight.detach().numpy(), expected, rtol=1e-12)


def test_lion_moves_fp32_masters_where_bf16_rounds_the_step_away() -> None:
    moved = {}
    for kind in (torch.float32, torch.bfloat16):
        weight = torch.nn.Parameter(torch.full((1000,), 0.02, dtype=kind))
        weight.grad = torch.ones_like(weight)
        DecoupledLion([weight], lr=5e-7).step()
        moved[kind] = int((weight != torch.full((1000,), 0.02, dtype=kind)).sum())
    assert moved == {torch.float32: 1000, torch.bfloat16: 0}


@pytest.mark.parametrize("name", ["lynx-8b", "tiny-cpu"])
def test_bf16_masters_are_refused(name: str) -> None:
    recipe = recipes.find(name)
    settings.check_precision(recipe)
    low = recipe.model_copy(
        update={"precision": recipe.precision.model_copy(update={"master": "bf16"})}
    )
    with pytest.raises(InputError, match="round most of its steps away"):
        settings.check_precision(low)


def test_weights_that_are_not_fp32_are_refused() -> None:
    model = torch.nn.Linear(2, 2, dtype=torch.bfloat16)
    with pytest.raises(EngineError, match="2 of 2 trained weights are not fp32, the first weight"):
        settings.check_masters(model, recipes.find("tiny-cpu"))


def test_operations_are_those_that_torch_counts(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = str(world.tiny_llama(tmp_path))
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros((1, 96), dtype=torch.long), use_cache=False)
    counted = arithmetic(model)
    norms = sum(w.numel() for n, w in model.named_parameters() if "norm" in n)
    exact = replace(counted, weights=counted.weights - norms)
    # Forward; backward takes twice as many. Eager attention computes the whole square.
    assert exact.work([96]).full == pytest.approx(3 * counter.get_total_flops())
    assert counted.work([96]).full == pytest.approx(3 * counter.get_total_flops(), rel=0.01)
    halves = counted.work([48, 48])
    assert halves.full - halves.causal == pytest.approx(
        (counted.work([96]).full - counted.work([96]).causal) / 2
    )


def test_a_peak_is_known_by_the_name_of_the_device() -> None:
    assert peak("NVIDIA H200") == peak("NVIDIA H100 80GB HBM3") == 989e12
    assert peak("NVIDIA A100-SXM4-80GB") == 312e12
    assert {peak("AMD EPYC"), peak("NVIDIA H100 PCIe"), peak("NVIDIA H200 NVL")} == {None}


def test_documents_are_counted_packed_and_padded() -> None:
    packed = {"position_ids": torch.tensor([[0, 1, 2, 0, 1, 0, 1, 2, 3]])}
    padded = {"attention_mask": torch.tensor([[1, 1, 1, 0], [0, 1, 0, 0]])}
    assert document_lengths(packed) == [3, 2, 4]
    assert document_lengths(padded) == [3, 1]


def test_a_half_written_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    for step in (2, 10, 30):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (2, 10):
        checkpoints.finish(tmp_path / f"checkpoint-{step}")
    assert checkpoints.newest(tmp_path) == tmp_path / "checkpoint-10"
    checkpoints.clear_broken(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2"]
    assert checkpoints.newest(tmp_path / "none") is None


def test_one_process_does_not_read_what_several_wrote(tmp_path: Path) -> None:
    checkpoints.check_form(tmp_path, sharded=False)
    (tmp_path / "pytorch_model_fsdp_0").mkdir()
    checkpoints.check_form(tmp_path, sharded=True)
    with pytest.raises(InputError, match="written by several processes and would be read by one"):
        checkpoints.check_form(tmp_path, sharded=False)


def _told(losses: list[float]) -> tuple[str, int]:
    """What the guard says of these losses, and after how many steps it stops."""
    guard, control = watch.Divergence(), SimpleNamespace(should_training_stop=False)
    for step, loss in enumerate(losses, 1):
        guard.on_log(None, SimpleNamespace(global_step=step), control, {"loss": loss})
        if control.should_training_stop:
            return guard.reason, step
    return guard.reason, 0


def test_a_loss_that_is_no_number_stops_at_once() -> None:
    assert _told([1.0, 2.0, float("nan"), 1.0]) == ("The loss of step 3 is nan.", 3)


def test_a_loss_that_stays_high_stops_and_one_that_comes_back_does_not() -> None:
    steady = [1.0 + 0.1 * (at % 3) for at in range(40)]
    reason, step = _told([*steady, *[4.0] * 10])
    assert step == 45
    assert reason.startswith("The loss of steps 41 to 45 is more than 3 times 1.1")
    assert _told([*steady, *[4.0] * 4, *steady, *[4.0] * 4, *steady]) == ("", 0)
    assert _told([9.0] * 5 + steady) == ("", 0)


def test_a_batch_that_cannot_be_dealt_to_the_processes_is_refused(monkeypatch) -> None:
    recipe = recipes.find("lynx-8b")
    monkeypatch.setenv("WORLD_SIZE", "16")
    assert sharding.accumulation(recipe) * 16 * recipe.device_microbatch_size == 32
    monkeypatch.setenv("WORLD_SIZE", "12")
    with pytest.raises(InputError, match="32 cannot be dealt to 12 processes"):
        sharding.accumulation(recipe)


def test_weights_that_are_whole_on_every_process_are_refused(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(EngineError, match="2 weights are whole on every process"):
        sharding.check_sharded(torch.nn.Linear(2, 2), recipes.find("lynx-8b"))
