"""What a schedule comes to: the two batches of Lynx, the rounding, and what is warned of."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.train import recipe as recipes
from halubench.train.schedule import multiplier, schedule

LYNX = recipes.find("lynx-8b")


def changed(**values):
    return LYNX.model_copy(update=values)


def warmed(**values):
    warmup = recipes.Warmup(**values)
    return changed(schedule=LYNX.schedule.model_copy(update={"warmup": warmup}))


def rates(steps, warmup, alpha_f):
    return [multiplier(step, steps, warmup, alpha_f) for step in range(steps)]


@pytest.mark.parametrize("name", ["lynx-8b", "lynx-70b"])
def test_batch_32_ends_its_warm_up(name):
    found = schedule(recipes.find(name), 2400)
    assert (found.steps_per_epoch, found.steps, found.warmup_steps) == (75, 225, 100)
    assert found.warmup_ends
    assert found.peak_lr_reached == 1.0
    assert found.warnings == ()


@pytest.mark.parametrize("name", ["lynx-8b-256", "lynx-70b-256"])
def test_batch_256_ends_its_warm_up_and_warns_that_it_hardly_moves(name):
    found = schedule(recipes.find(name), 2400)
    assert (found.steps_per_epoch, found.steps, found.warmup_steps) == (10, 30, 13)
    assert found.warmup_ends
    (warning,) = found.warnings
    assert "In 30 steps Lion can move a weight by at most 7.9e-06" in warning


def test_the_published_warm_up_of_100_steps_never_ends_with_batch_256():
    found = schedule(changed(global_batch_size=256), 2400)
    assert (found.steps, found.warmup_ends) == (30, False)
    assert found.peak_lr_reached == pytest.approx(0.29)
    never, hardly = found.warnings
    assert "never ends in 30" in never
    assert "29 % of the peak" in never
    assert "2.2e-06" in hardly


def test_lion_travels_27_times_less_far_with_batch_256_and_the_published_warm_up():
    small, large = (schedule(changed(global_batch_size=batch), 2400) for batch in (32, 256))
    assert round(small.travel / large.travel) == 27


@given(
    rows=st.integers(1, 3000),
    batch=st.integers(1, 400),
    epochs=st.integers(1, 4),
    warmup=st.integers(0, 300),
    alpha_f=st.floats(0, 1),
)
def test_a_schedule_agrees_with_its_steps_one_by_one(rows, batch, epochs, warmup, alpha_f):
    rate = recipes.LearningRate(
        name="cosine_with_warmup", warmup=recipes.Warmup(steps=warmup), alpha_f=alpha_f
    )
    recipe = changed(global_batch_size=batch, epochs=epochs, schedule=rate)
    found = schedule(recipe, rows)
    assert found.steps == epochs * len(range(0, rows, batch))
    used = rates(found.steps, warmup, alpha_f)
    assert found.peak_lr_reached == pytest.approx(max(used))
    assert found.warmup_ends == (max(used) == 1.0)
    assert found.travel == pytest.approx(recipe.optimizer.lr * math.fsum(used))
    assert any("never ends" in told for told in found.warnings) == (not found.warmup_ends)


@given(rows=st.integers(1, 10_000), gpus=st.integers(1, 64), each=st.integers(1, 64))
def test_every_gpu_takes_as_many_steps_as_are_counted(rows, gpus, each):
    """A distributed sampler pads the rows, so that each GPU gets ceil(rows / gpus) of them."""
    a_gpu = math.ceil(math.ceil(rows / gpus) / each)
    recipe = changed(global_batch_size=gpus * each, gpus=gpus, epochs=1)
    assert schedule(recipe, rows).steps == a_gpu


def test_the_learning_rate_climbs_peaks_and_falls_to_alpha_f():
    used = rates(225, 100, 0.1)
    assert used[0] == 0.0
    assert used[100] == 1.0
    assert used[:101] == sorted(used[:101])
    assert used[100:] == sorted(used[100:], reverse=True)
    assert used[-1] == pytest.approx(0.1, abs=1e-3)
    assert used[-1] > 0.1


@pytest.mark.parametrize(
    ("fraction", "warmup"), [(0.0, 0), (0.29, 65), (0.28, 63), (0.1, 22), (0.999, 224)]
)
def test_a_fraction_is_rounded_down(fraction, warmup):
    assert schedule(warmed(fraction=fraction), 2400).warmup_steps == warmup


def test_a_fraction_counts_as_it_is_written():
    """0.29 * 100 is 28.999999999999996 in floating point."""
    assert recipes.Warmup(fraction=0.29).of(100) == 29


def test_no_rows_are_no_schedule():
    with pytest.raises(InputError, match="at least one training row"):
        schedule(LYNX, 0)


def bf16(values):
    """Round float32 to the nearest bf16, ties to even, by its bits."""
    bits = values.astype(np.float32).view(np.uint32)
    odd = (bits >> 16) & 1
    return ((bits + 0x7FFF + odd) & 0xFFFF0000).view(np.float32)


@pytest.mark.parametrize("lr", [5e-7, 3e-6, 2e-5])
def test_the_share_that_bf16_lets_move_is_the_one_warned_of(lr):
    weights = bf16(np.random.default_rng(17).normal(0, 0.02, 400_000))
    moved = bf16(weights + np.float32(lr)) != weights
    precision = recipes.Precision(master="bf16", compute="bf16")
    optimizer = LYNX.optimizer.model_copy(update={"lr": lr})
    (warning,) = schedule(changed(precision=precision, optimizer=optimizer), 2400).warnings
    told = float(warning.split("moves ")[1].split(" %")[0])
    assert told == pytest.approx(100 * moved.mean(), rel=0.1)
    assert "fp32 master" in warning


def test_packing_makes_the_steps_an_upper_bound():
    (warning,) = schedule(changed(packing=True), 2400).warnings
    assert "225 steps is an upper bound" in warning
