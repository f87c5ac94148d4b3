"""One broken value at a time in a whole recipe, and what every schedule holds to."""

from __future__ import annotations

import copy
import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.train import recipe as recipes
from halubench.train.recipe import Recipe, Warmup
from halubench.train.schedule import multiplier, schedule
from halubench.train.strict import keys, suggest

TRAINERS = Path(__file__).parents[1] / "trainers"
TINY = yaml.safe_load((TRAINERS / "tiny-cpu.yaml").read_text(encoding="utf-8"))
ABSENT = object()


def changed(key: str, value: object) -> dict[str, object]:
    """The recipe ``tiny-cpu`` with the value at a dotted key replaced, or taken away."""
    told = copy.deepcopy(TINY)
    *parents, last = key.split(".")
    place = told
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return told


def refused(folder: Path, told: object) -> InputError:
    path = folder / "tiny-cpu.yaml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        recipes.load(path)
    assert caught.value.what.startswith(f"{path}: ")
    assert caught.value.exit_code == 2
    return caught.value


def test_the_recipe_that_is_broken_here_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "tiny-cpu.yaml"
    path.write_text(yaml.safe_dump(changed("epochs", 3)), encoding="utf-8")
    assert recipes.load(path).epochs == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", ""),
        ("title", 7),
        ("title", ABSENT),
        ("base_model", ""),
        ("base_model", ABSENT),
        ("method", "adapters"),
        ("epochs", 0),
        ("epochs", -1),
        ("epochs", True),
        ("epochs", ABSENT),
        ("global_batch_size", 0),
        ("global_batch_size", 8.5),
        ("global_batch_size", "8"),
        ("sequence_length", 0),
        ("packing", "no"),
        ("packing", None),
        ("optimizer", "adamw"),
        ("optimizer.name", "sgd"),
        ("optimizer.lr", -1e-5),
        ("optimizer.lr", ABSENT),
        ("optimizer.weight_decay", -0.1),
        ("optimizer.weight_decay", float("inf")),
        ("optimizer.betas", 0.9),
        ("schedule.name", "linear"),
        ("schedule.alpha_f", 1.1),
        ("schedule.alpha_f", -0.1),
        ("schedule.warmup", 0.1),
        ("schedule.warmup.fraction", 1.0),
        ("schedule.warmup.fraction", -0.1),
        ("max_grad_norm", 0),
        ("precision.master", "fp16"),
        ("precision.compute", "fp16"),
        ("attention", "flash"),
        ("seed", -1),
        ("gpus", -1),
        ("source", []),
        ("source.0.origin", ""),
        ("source.0.certainty", "sure"),
        ("source.0.values", []),
        ("notes", 5),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_dotted_key(
    tmp_path: Path, key: str, value: object
) -> None:
    error = refused(tmp_path, changed(key, value))
    said = error.what.split(": ")[1]
    # Without any source the fault lies in the first value that has none.
    assert said.startswith("base_model has 0 sources" if value == [] and key == "source" else key)
    assert error.remedy == "See the field table in trainers/README.md."


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("titel", "title"),
        ("basemodel", "base_model"),
        ("base-model", "base_model"),
        ("epoch", "epochs"),
        ("batch_size", "global_batch_size"),
        ("seq_length", "sequence_length"),
        ("packings", "packing"),
        ("optimiser", "optimizer"),
        ("optimizer.beta", "optimizer.betas"),
        ("optimizer.weigth_decay", "optimizer.weight_decay"),
        ("schedule.alpha", "schedule.alpha_f"),
        ("schedule.warm_up", "schedule.warmup"),
        ("schedule.warmup.step", "schedule.warmup.steps"),
        ("schedule.warmup.fractions", "schedule.warmup.fraction"),
        ("max_grad_nrom", "max_grad_norm"),
        ("precision.masters", "precision.master"),
        ("precision.computed", "precision.compute"),
        ("atention", "attention"),
        ("gpu", "gpus"),
        ("sources", "source"),
        ("note", "notes"),
        ("source.0.value", "source.values"),
        ("source.0.certainity", "source.certainty"),
        ("target_modules", "lora.target_modules"),
        ("dropout", "lora.dropout"),
        ("betas", "optimizer.betas"),
        ("optimizer.epochs", "epochs"),
        ("schedule.warmup.alpha_f", "schedule.alpha_f"),
    ],
)
def test_a_key_that_is_not_known_is_told_the_one_that_was_meant(
    tmp_path: Path, key: str, meant: str
) -> None:
    error = refused(tmp_path, changed(key, 1))
    assert error.what.endswith(f": {key} is not a known key. Did you mean {meant}?")
    parent = ".".join(part for part in key.split(".")[:-1] if not part.isdigit())
    known = [name for name in keys(Recipe) if name.rpartition(".")[0] == parent]
    assert error.remedy == f"Known there: {', '.join(k.rpartition('.')[2] for k in known)}."


@pytest.mark.parametrize(
    ("lora", "said"),
    [
        ({"rank": 0, "alpha": 16, "dropout": 0.0, "target_modules": ["q"]}, "lora.rank"),
        ({"rank": 8, "alpha": 0, "dropout": 0.0, "target_modules": ["q"]}, "lora.alpha"),
        ({"rank": 8, "alpha": 16, "dropout": 1, "target_modules": ["q"]}, "lora.dropout"),
        ({"rank": 8, "alpha": 16, "dropout": 0.0, "target_modules": []}, "lora.target_modules"),
        ({"rank": 8, "alpha": 16, "dropout": 0.0, "target_modules": [""]}, "lora.target_modules.0"),
        ({"rank": 8, "alpha": 16, "dropout": 0.0}, "lora.target_modules"),
        (
            {"rank": 8, "alpha": 16, "dropout": 0.0, "target_modules": ["q"], "bias": 1},
            "lora.bias is not a known key",
        ),
    ],
)
def test_adapters_are_checked_like_the_rest(
    tmp_path: Path, lora: dict[str, object], said: str
) -> None:
    error = refused(tmp_path, {**TINY, "method": "lora", "lora": lora})
    assert error.what.split(": ")[1].startswith(said)


def test_adapters_beside_full_training_are_refused(tmp_path: Path) -> None:
    lora = {"rank": 8, "alpha": 16, "dropout": 0.0, "target_modules": ["q"]}
    assert "method full forbids the key lora" in refused(tmp_path, {**TINY, "lora": lora}).what


@pytest.mark.parametrize("key", keys(Recipe))
def test_every_known_key_is_its_own_best_suggestion(key: str) -> None:
    assert suggest(Recipe, key) == f" Did you mean {key}?"


@pytest.mark.parametrize("key", ["zzz", "optimizer.qqqqqq", "schedule.warmup.xyz"])
def test_a_key_like_no_other_gets_no_suggestion(key: str) -> None:
    assert suggest(Recipe, key) == ""


@pytest.mark.parametrize("key", ["optimizer.lr", "schedule.warmup.fraction", "gpus"])
def test_a_value_finds_its_source_however_deep(key: str) -> None:
    recipe = Recipe.model_validate_json(json.dumps(TINY))
    assert recipe.origin(key) is recipe.source[0]


def recipe_of(batch: int, epochs: int, warmup: dict[str, float], alpha_f: float = 0.1) -> Recipe:
    told = {
        **TINY,
        "epochs": epochs,
        "global_batch_size": batch,
        "schedule": {**TINY["schedule"], "warmup": warmup, "alpha_f": alpha_f},
    }
    return Recipe.model_validate_json(json.dumps(told))


@given(
    st.integers(1, 10**6),
    st.integers(1, 512),
    st.integers(1, 20),
    st.floats(0, 0.99) | st.integers(0, 500),
)
def test_steps_cover_every_row_of_every_epoch_and_no_batch_is_idle(
    rows: int, batch: int, epochs: int, warmup: float
) -> None:
    given_as = "steps" if isinstance(warmup, int) else "fraction"
    found = schedule(recipe_of(batch, epochs, {given_as: warmup}), rows)
    assert found.steps == found.steps_per_epoch * epochs
    assert found.steps * batch >= rows * epochs
    assert (found.steps_per_epoch - 1) * batch < rows
    assert found.warmup_ends == (found.warmup_steps < found.steps)
    assert 0 <= found.peak_lr_reached <= 1
    assert (found.peak_lr_reached == 1) == found.warmup_ends
    assert any("never ends" in told for told in found.warnings) == (not found.warmup_ends)
    assert 0 <= found.travel <= found.steps * TINY["optimizer"]["lr"] * (1 + 1e-9)


@given(st.integers(1, 5000), st.integers(1, 64), st.integers(1, 4))
def test_a_row_more_never_takes_fewer_steps_and_a_larger_batch_never_more(
    rows: int, batch: int, epochs: int
) -> None:
    steps = schedule(recipe_of(batch, epochs, {"steps": 0}), rows).steps
    assert schedule(recipe_of(batch, epochs, {"steps": 0}), rows + 1).steps >= steps
    assert schedule(recipe_of(batch + 1, epochs, {"steps": 0}), rows).steps <= steps
    assert schedule(recipe_of(batch, epochs + 1, {"steps": 0}), rows).steps > steps


@given(st.integers(1, 300), st.integers(0, 400), st.floats(0, 1))
def test_the_learning_rate_climbs_then_falls_and_never_leaves_its_range(
    steps: int, warmup: int, alpha_f: float
) -> None:
    curve = [multiplier(step, steps, warmup, alpha_f) for step in range(steps)]
    assert all(-1e-12 <= value <= 1 + 1e-12 for value in curve)
    assert all(low < high for low, high in pairwise(curve[: warmup + 1]))
    assert all(high >= low - 1e-12 for high, low in pairwise(curve[warmup:]))
    assert all(value >= alpha_f - 1e-12 for value in curve[warmup:])


@given(st.integers(2, 10**6), st.integers(1, 10**5), st.floats(0, 1))
def test_the_learning_rate_has_the_ends_that_are_stated(
    length: int, warmup: int, alpha_f: float
) -> None:
    steps = warmup + length
    assert multiplier(0, steps, warmup, alpha_f) == 0
    assert multiplier(warmup, steps, warmup, alpha_f) == pytest.approx(1)
    assert multiplier(steps, steps, warmup, alpha_f) == pytest.approx(alpha_f)
    assert multiplier(0, steps, 0, alpha_f) == pytest.approx(1)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [(0, 0.0), (1, 0.25), (3, 0.75), (4, 1.0), (6, 0.6), (8, 0.2)],
)
def test_the_learning_rate_of_single_steps(step: int, wanted: float) -> None:
    assert multiplier(step, 8, 4, 0.2) == pytest.approx(wanted)


@given(st.integers(0, 1000), st.integers(1, 2000))
def test_warm_up_steps_are_taken_as_they_are(warmup: int, steps: int) -> None:
    assert Warmup(steps=warmup).of(steps) == warmup


@given(st.integers(0, 99), st.integers(1, 10**6))
def test_a_warm_up_in_hundredths_is_rounded_down_and_ends(percent: int, steps: int) -> None:
    found = Warmup(fraction=percent / 100).of(steps)
    assert found == percent * steps // 100
    assert found < steps


@pytest.mark.parametrize("rows", [0, -1])
def test_a_schedule_of_no_rows_is_refused(rows: int) -> None:
    with pytest.raises(InputError, match="at least one training row"):
        schedule(recipe_of(8, 1, {"steps": 0}), rows)


@pytest.mark.parametrize(
    ("rows", "batch", "warmup", "peak"),
    [(8, 8, 1, 0.0), (16, 8, 2, 0.5), (32, 8, 100, 0.03), (80, 8, 10, 0.9)],
)
def test_a_warm_up_that_never_ends_warns_of_the_share_it_reached(
    rows: int, batch: int, warmup: int, peak: float
) -> None:
    found = schedule(recipe_of(batch, 1, {"steps": warmup}), rows)
    assert found.peak_lr_reached == pytest.approx(peak)
    (warning,) = found.warnings
    assert f"The warm-up of {warmup} steps never ends in {found.steps}" in warning
    assert f"uses {100 * peak:.3g} % of the peak" in warning


def test_a_learning_rate_that_never_falls_travels_steps_times_its_peak() -> None:
    found = schedule(recipe_of(8, 5, {"steps": 0}, alpha_f=1.0), 80)
    assert math.isclose(found.travel, 50 * TINY["optimizer"]["lr"])
