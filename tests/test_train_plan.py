"""``train plan``: published figures come out again, and what cannot work is one sentence."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from train_world import pairs, written
from typer.testing import CliRunner

from halubench.cli.train import app
from halubench.errors import InputError
from halubench.train import load, memory
from halubench.train.hardware import ANCHORS, cluster
from halubench.train.load import Lengths
from halubench.train.plan import Terms, on, plan
from halubench.train.recipe import Lora, find, load_all
from halubench.train.shape import from_config, shape_of

LYNX = Lengths([1500] * 2400, counted=True)
PARAMETERS = {
    "meta-llama/Meta-Llama-3-8B-Instruct": 8_030_261_248,
    "meta-llama/Meta-Llama-3-70B-Instruct": 70_553_706_496,
    "HuggingFaceTB/SmolLM2-135M-Instruct": 134_515_008,
}


@pytest.mark.parametrize("name", load_all())
def test_every_recipe_can_be_planned(name):
    recipe = find(name)
    place = f"{recipe.gpus}xH100" if recipe.gpus else "cpu"
    assert planned(name, place).schedule.steps


def planned(name, place, lengths=LYNX, terms=None, **changed):
    recipe = find(name).model_copy(update=changed)
    return plan(recipe, lengths, shape_of(recipe.base_model), cluster(place), terms or Terms())


def gib(name, count, microbatch=1, optimizer=None, checkpointing=True):
    recipe = find(name)
    changed = {"device_microbatch_size": microbatch, "sequence_length": 8192, "gpus": count}
    if optimizer:
        changed["optimizer"] = recipe.optimizer.model_copy(update={"name": optimizer})
    if not checkpointing:
        changed["fsdp"] = recipe.fsdp.model_copy(update={"activation_checkpointing": False})
    recipe = recipe.model_copy(update=changed)
    return memory.estimate(recipe, shape_of(recipe.base_model), count).gib


@pytest.mark.parametrize("repo", PARAMETERS)
def test_a_shape_counts_the_parameters_that_the_model_has(repo):
    assert shape_of(repo).parameters() == PARAMETERS[repo]


def test_a_shape_is_read_from_a_models_folder(tmp_path):
    told = {
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": 100,
        "hidden_size": 8,
        "intermediate_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 64,
    }
    (tmp_path / "config.json").write_text(json.dumps(told), encoding="utf-8")
    shape = shape_of(str(tmp_path))
    assert (shape.kind, shape.num_key_value_heads, shape.parameters()) == ("decoder", 2, 2920)
    del told["hidden_size"]
    (tmp_path / "config.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError, match="hidden_size"):
        shape_of(str(tmp_path))


@pytest.mark.parametrize(
    ("setting", "dry_run"),
    [
        (("lynx-8b", 8, 1), 20),
        (("lynx-8b", 8, 4), 33),
        (("lynx-8b", 32, 1), 12),
        (("lynx-70b", 32, 1), 52),
        (("lynx-70b", 32, 1, "adamw"), 60),
        (("lynx-70b", 32, 2), 66),
        (("lynx-70b", 32, 2, "adamw"), 74),
        (("lynx-70b", 32, 1, None, False), 299),
    ],
)
def test_the_closed_form_is_near_the_dry_runs_of_llama_3(setting, dry_run):
    assert gib(*setting) == pytest.approx(dry_run, rel=0.05)


def test_the_closed_form_is_near_what_one_h200_was_seen_to_hold():
    measured = 98.1  # torch.cuda.max_memory_allocated of benchmarks/train_h200.py, see its README
    assert gib("lynx-8b-packed", 1, 1) == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize(
    ("name", "gpus", "again"),
    [("lynx-8b", "32xH100", False), ("lynx-8b", "8xL40S", True), ("lynx-70b", "32xH100", True)],
)
def test_layers_computed_again_in_vain_are_told(name, gpus, again):
    told = [what for what in planned(name, gpus).warnings if "would fit without" in what]
    assert bool(told) is not again


@pytest.mark.parametrize(
    ("name", "gpus", "changed", "fits"),
    [
        ("lynx-8b", "8xH100", {}, True),
        ("lynx-70b", "32xH100", {}, True),
        ("lynx-70b", "16xH100", {}, False),
        ("lynx-70b", "32xH100", {"device_microbatch_size": 4, "global_batch_size": 128}, False),
        ("lynx-8b", "1xH200", {"fsdp": None, "gpus": 1, "launch": None}, True),
        ("lynx-8b", "1xH100", {"fsdp": None, "gpus": 1, "launch": None}, False),
        ("lynx-8b-qlora", "L40S", {}, True),
    ],
)
def test_what_fits_and_what_does_not(name, gpus, changed, fits):
    problems = planned(name, gpus, **changed).problems
    assert any("GiB a GPU" in problem for problem in problems) is not fits


@pytest.mark.parametrize(
    ("name", "gpus", "changed", "remedy"),
    [
        ("lynx-70b", "16xH100", {}, "take 32 of them"),
        (
            "lynx-70b",
            "32xH100",
            {"device_microbatch_size": 4, "global_batch_size": 128},
            "set device_microbatch_size to 1",
        ),
        ("lynx-8b", "H100", {"fsdp": None, "gpus": 1, "launch": None}, "train adapters"),
    ],
)
def test_what_does_not_fit_is_told_the_smallest_change(name, gpus, changed, remedy):
    made = planned(name, gpus, **changed)
    assert remedy in "".join(made.problems)


def test_the_two_batches_of_lynx_take_225_and_30_steps_and_the_larger_warns():
    small, large = (planned(f"lynx-70b{end}", "32xH100") for end in ("", "-256"))
    assert (small.schedule.steps, large.schedule.steps) == (225, 30)
    assert (small.rows_a_step, large.rows_a_step) == (32, 256)
    assert not [told for told in small.warnings if "Lion" in told]
    assert [told for told in large.warnings if "Lion can move a weight by at most" in told]
    assert not small.problems + large.problems


def test_padding_2400_rows_to_8000_is_what_it_is_known_to_be():
    made = planned("lynx-8b", "8xH100")
    assert 3 * made.load.padded == 57_600_000
    assert made.load.padded / made.load.real == pytest.approx(5.33, abs=0.01)
    assert made.load.computed == made.load.real


def test_packing_counts_steps_by_sequences_and_says_how_many_rows_a_batch_is():
    made = planned("lynx-70b-packed", "32xH100")
    assert made.schedule.steps == 3 * -(-made.load.sequences // 32)
    assert made.rows_a_step == pytest.approx(160)
    assert any("32 packed sequences is 160 rows" in told for told in made.warnings)


def test_flops_by_the_two_conventions():
    """Lynx-8B's shape at 8,192 tokens: 6 N, and 6 L H S more."""
    counted = shape_of("meta-llama/Meta-Llama-3-8B-Instruct").arithmetic()
    row = counted.work([8192])
    attention = 6 * 32 * 4096 * 8192 * 8192
    assert row.full - row.causal == attention
    assert row.causal - attention == 6 * 8_030_261_248 * 8192


def test_heads_may_be_wider_than_the_hidden_size(tmp_path):
    """Qwen3-0.6B: 16 heads of 128 on a hidden size of 1,024; weights as torch counts them."""
    told = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28}
    told |= {"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128}
    told |= {"vocab_size": 151_936, "max_position_embeddings": 40_960, "tie_word_embeddings": True}
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**told, "architectures": ["Qwen3ForCausalLM"]}), "utf-8")
    shape = from_config(path)
    query_and_key_norms = 28 * 2 * 128
    assert shape.parameters() + query_and_key_norms == 596_049_920
    assert shape.arithmetic().width == 2048
    adapters = Lora(rank=1, alpha=1.0, dropout=0.0, target_modules=("q_proj", "o_proj"))
    assert shape.lora_parameters(adapters) == 28 * 2 * (1024 + 2048)


def test_the_speed_of_an_anchor_comes_to_its_share_of_the_peak():
    """torchtitan's tokens a second on Llama 3.1 8B and H100s; half a point of rounding."""
    anchor = next(one for one in ANCHORS if one.who == "torchtitan")
    row = shape_of("meta-llama/Llama-3.1-8B-Instruct").arithmetic().work([8192])
    share = anchor.tokens_a_second * row.causal / 8192 / 989e12
    assert share == pytest.approx(anchor.mfu, abs=0.005)


def test_time_and_cost_follow_from_tokens_gpus_and_price():
    one, four = (planned("lynx-70b-256", f"{n}xH100") for n in (32, 128))
    assert four.hours[0] == pytest.approx(one.hours[0] / 4)
    assert one.hours[0] < one.hours[1]
    priced = planned("lynx-70b-256", "32xH100", terms=Terms(usd_per_gpu_hour=2.0))
    assert priced.usd[1] == pytest.approx(64 * priced.hours[1])
    assert planned("tiny-cpu", "cpu").hours is None


def changed_recipe(tmp_path, name, *edits):
    from pathlib import Path

    text = (Path(__file__).parents[1] / "trainers" / f"{name}.yaml").read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


BROKEN = [
    ("lynx-8b", [("weight_decay", "weigth_decay")], [], "Did you mean optimizer.weight_decay?"),
    ("lynx-8b", [("FULL_SHARD", "FULL_SHRAD")], [], "fsdp.strategy"),
    ("lynx-8b", [("lr: 5.0e-7", "lr: 5e-7")], [], "write 5.0e-7"),
    ("lynx-8b", [("master: fp32", "master: bf16")], [], "set precision.master to fp32"),
    ("lynx-8b", [("gpus: 8", "gpus: 7")], [], "not divisible by gpus 7"),
    ("lynx-8b", [("nodes: 1", "nodes: 2")], [], "launch has 2 x 8 GPUs and gpus says 8"),
    ("lynx-8b", [("length: 8000", "length: 9000")], [], "more than the 8,192 positions"),
    ("lynx-8b", [("length: 8000", "length: 1000")], [], "2,400 of 2,400 rows are longer"),
    ("lynx-8b-lora", [("q_proj, ", "qproj, ")], [], "names qproj, no matrix"),
    ("lynx-70b", [], ["--gpus", "16xH100"], "take 32 of them"),
    ("lynx-70b", [], ["--host-ram", "1000"], "of host memory a node and there are 1,000"),
    ("lynx-70b", [], ["--gpus", "24xH100"], "not divisible by gpus 24"),
    ("lynx-70b", [], ["--gpus", "32xH1000"], "Known: A100"),
    ("lynx-70b", [("base_model: meta-llama/Meta", "base_model: other/M")], [], "is not known here"),
    ("encoder-base", [("packing: false", "packing: true")], [], "packing must be false"),
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken[-1][:30])
def test_a_broken_recipe_ends_in_one_sentence_and_not_in_0(tmp_path, monkeypatch, capsys, broken):
    import sys

    from halubench import cli

    name, edits, options, said = broken
    path = changed_recipe(tmp_path, name, *edits)
    told = ["halubench", "train", "plan", path, "--rows", "2400", *options]
    monkeypatch.setattr(sys, "argv", told)
    monkeypatch.setattr(cli, "_register", lambda: cli.app.add_typer(app, name="train"))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code in (1, 2)
    shown = capsys.readouterr()
    lines = [
        line
        for line in (shown.out + shown.err).splitlines()
        if line.startswith(("cannot work:", "error:", "fix:"))
    ]
    assert said in "\n".join(lines)
    assert sum(line.startswith(("cannot work:", "error:")) for line in lines) == 1


def test_the_command_reads_a_training_set_and_says_what_comes_next(tmp_path):
    written(tmp_path / "d.jsonl", pairs(20))
    run = CliRunner().invoke
    told = ["prepare", str(tmp_path / "d.jsonl"), "--target", "direct"]
    assert run(app, [*told, "--out", str(tmp_path / "set")]).exit_code == 0
    done = run(app, ["plan", "tiny-cpu", "--data", str(tmp_path / "set")])
    assert done.exit_code == 0
    assert "Tokens are estimated" in done.output
    assert run(app, ["plan", "tiny-cpu"]).exit_code != 0
    with pytest.raises(InputError, match="is no training set"):
        load.read(tmp_path)
    (tmp_path / "set" / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="set is no training set"):
        load.read(tmp_path / "set")


def test_a_training_set_with_rows_without_a_value_is_told_by_its_column(tmp_path):
    written(tmp_path / "d.jsonl", pairs(20))
    told = ["prepare", str(tmp_path / "d.jsonl"), "--target", "direct"]
    assert CliRunner().invoke(app, [*told, "--out", str(tmp_path / "set")]).exit_code == 0
    path = tmp_path / "set" / "data" / "train.parquet"
    table = pq.read_table(path)
    at = table.column_names.index("question")
    pq.write_table(table.set_column(at, "question", pa.nulls(len(table), pa.string())), path)
    with pytest.raises(InputError, match=r"train\.parquet: the column question has rows without"):
        load.read(tmp_path / "set")


def test_a_recipe_on_other_gpus_keeps_its_values_and_on_a_cpu_shards_nothing():
    recipe = find("lynx-8b")
    other = on(recipe, cluster("16xH100"))
    assert (other.gpus, other.launch, other.optimizer) == (16, None, recipe.optimizer)
    assert on(recipe, cluster("8xH200")) is recipe
    assert on(recipe, cluster("cpu")).fsdp is None


@pytest.mark.torch
def test_the_dry_run_agrees_with_the_closed_form() -> None:
    """On the shape that the closed form is for; a small model is mostly its vocabulary."""
    pytest.importorskip("transformers")
    from halubench.train.dryrun import peak_gib

    recipe = find("lynx-8b")
    shape = shape_of(recipe.base_model)
    assert peak_gib(recipe, shape, 8) == pytest.approx(
        memory.estimate(recipe, shape, 8).gib, rel=0.1
    )
    with pytest.raises(InputError, match="full training"):
        peak_gib(find("lynx-8b-lora"), shape, 1)


def test_what_comes_next_is_the_run_that_was_planned() -> None:
    model = "meta-llama/Llama-3.3-70B-Instruct"
    asked = ["plan", "lynx-70b-256", "--rows", "2400", "--gpus", "64xH100", "--model", model]
    said = CliRunner().invoke(app, asked).stderr
    assert f"train run lynx-70b-256 --data DATA --out run --model {model} --nproc 8" in said
    assert "--nodes 8" in said
