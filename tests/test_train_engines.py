"""What an engine would run: every value arrives, at every depth, and comes back by import."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from halubench.cli.train import app
from halubench.errors import InputError
from halubench.train import published
from halubench.train.recipe import find, load
from halubench.train.render import Place, render

PUBLISHED = """
max_seq_len: 8000
global_seed: 17
tokenizer_name: meta-llama/Meta-Llama-3-8B-Instruct
run_name: judge
model:
  name: hf_causal_lm
  init_device: mixed
  pretrained_model_name_or_path: ${tokenizer_name}
  pretrained: true
  use_auth_token: true
  use_flash_attention_2: true
tokenizer:
  name: ${tokenizer_name}
  kwargs:
    model_max_length: ${max_seq_len}
train_loader:
  name: finetuning
  task_type: CAUSAL_LM
  dataset:
    hf_name: some/dataset
    split: train
    max_seq_len: ${max_seq_len}
    allow_pad_trimming: false
    decoder_only_format: true
    shuffle: true
  drop_last: false
  num_workers: 8
  pin_memory: false
scheduler: {name: cosine_with_warmup, t_warmup: 100ba, alpha_f: 0.1}
optimizer: {name: decoupled_lionw, lr: 5.0e-7, betas: [0.9, 0.95], weight_decay: 0.0}
algorithms:
  gradient_clipping: {clipping_type: norm, clipping_threshold: 1.0}
max_duration: 3ep
eval_interval: 1ep
global_train_batch_size: 32
seed: ${global_seed}
device_train_microbatch_size: auto
precision: amp_bf16
fsdp_config:
  sharding_strategy: FULL_SHARD
  mixed_precision: PURE
  activation_checkpointing: true
  activation_checkpointing_reentrant: false
  activation_cpu_offload: false
  limit_all_gathers: true
progress_bar: false
log_to_console: true
console_log_interval: 1ba
loggers: {wandb: {}}
callbacks: {speed_monitor: {window_size: 10}, lr_monitor: {}, memory_monitor: {}}
save_interval: 1ep
save_folder: checkpoints
"""
JUDGES = ["lynx-8b", "lynx-70b", "lynx-8b-256", "lynx-70b-packed", "lynx-8b-lora"]
SKIPPED = ("name", "title", "notes", "source", "launch", "data", "checkpoint", "lora.alpha")


def file(tmp_path: Path, text: str, name: str = "judge.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def imported(tmp_path: Path, text: str, gpus: int | None = 8):
    found = published.read(file(tmp_path, text), "judge", gpus)
    return load(file(tmp_path, found.recipe)), found


def test_the_published_file_imports_as_the_shipped_recipe_and_lists_what_it_migrated(tmp_path):
    recipe, found = imported(tmp_path, PUBLISHED)
    ours = find("lynx-8b")
    told = dict(recipe.leaves())
    for key, value in ours.leaves():
        if not key.startswith("data"):
            assert told[key] == value, key
    assert recipe.tracking == ("wandb",)
    assert [said.split(" ")[0] for said in found.migrations] == [
        "global_seed",
        "tokenizer_name",
        "train_loader.task_type",
    ]
    left = " ".join(found.left_out)
    assert all(name in left for name in ("hf_name", "save_folder", "speed_monitor", "lr_monitor"))


def of_mcli(gpus: int, more: str = "") -> str:
    """The same within a run of mcli, which is how Lynx's files are published."""
    told = (
        f"name: judge\ncommand: composer train.py\ncompute: {{gpus: {gpus}}}\n{more}parameters:\n"
    )
    return told + "\n".join(f"  {line}" for line in PUBLISHED.splitlines())


def test_a_run_of_mcli_is_read_through_to_its_file_and_tells_the_gpus(tmp_path):
    recipe, found = imported(tmp_path, of_mcli(32), None)
    bare, told = imported(tmp_path, PUBLISHED, 32)
    assert recipe == bare
    assert recipe.gpus == 32
    assert imported(tmp_path, of_mcli(32), 16)[0].gpus == 16
    assert found.migrations[1:] == told.migrations
    assert found.left_out[0].startswith("command, compute, name: mcli's")


def test_a_typo_around_a_file_of_foundry_is_refused_too(tmp_path):
    with pytest.raises(
        InputError, match=r"env_variabels is not a known key\. Did you mean env_var"
    ):
        imported(tmp_path, of_mcli(8, "env_variabels: {A: 1}\n"))


def test_every_key_of_an_imported_file_is_taken_or_told(tmp_path):
    text = PUBLISHED.replace("weight_decay: 0.0", "weight_decay: 0.0, eps: 1.0e-9")
    text += "max_split_size_mb: 512\nload_weights_only: true\n"
    left = " ".join(imported(tmp_path, text)[1].left_out)
    told = ("optimizer.eps", "max_split_size_mb", "load_weights_only", "tokenizer.name", "run_name")
    assert all(key in left for key in (*told, "model.init_device", "train_loader.num_workers"))
    assert "device_train_microbatch_size: a recipe says a number" in left
    assert not any(key in left for key in ("optimizer.lr", "alpha_f", "fsdp_config", "variables"))


def test_the_base_model_of_an_imported_file_can_be_replaced(tmp_path):
    found = published.read(file(tmp_path, PUBLISHED), "judge", model="models/llama")
    assert load(file(tmp_path, found.recipe)).base_model == "models/llama"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("allow_pad_trimming", "allow_pad_triming", "Did you mean train_loader.dataset.allow_pad_"),
        ("clipping_threshold", "clip_threshold", "algorithms.gradient_clipping.clip_threshold"),
        ("limit_all_gathers", "limit_all_gather", "fsdp_config.limit_all_gather is not a known"),
        ("model_max_length: ${max_seq_len}", "model_max_length: ${max_len}", "refers to nothing"),
        ("global_seed: 17", "global_seed: ${seed}", "refers to itself"),
        ("max_duration: 3ep", "max_duration: 300ba", "is not in epochs"),
        ("t_warmup: 100ba", "t_warmup: 100tok", "is no warm-up"),
        ("hf_causal_lm", "mpt_causal_lm", "model.name"),
    ],
)
def test_a_fault_at_any_depth_of_an_imported_file_is_refused(tmp_path, old, new, said):
    assert old in PUBLISHED
    with pytest.raises(InputError, match=r"judge\.yaml|is no|is not in") as caught:
        published.read(file(tmp_path, PUBLISHED.replace(old, new)), "judge", 8)
    assert said in str(caught.value)


def test_gpus_that_the_batch_cannot_be_dealt_to_are_refused_on_import(tmp_path):
    with pytest.raises(InputError, match="not divisible by gpus 7"):
        published.read(file(tmp_path, PUBLISHED), "judge", 7)


@pytest.mark.parametrize("name", JUDGES)
def test_what_is_rendered_for_foundry_imports_as_the_same_recipe(tmp_path, name):
    ours = find(name)
    text = render(ours, "foundry", Place()).config
    back, found = imported(tmp_path, text, ours.gpus)
    assert not found.migrations
    told = dict(back.leaves())
    for key, value in ours.leaves():
        if not key.startswith(SKIPPED):
            assert told[key] == pytest.approx(value), key


def test_foundrys_adam_takes_weight_decay_times_the_learning_rate(tmp_path):
    ours = find("lynx-8b-lora")
    adam = ours.optimizer.model_copy(update={"weight_decay": 0.1})
    text = render(ours.model_copy(update={"optimizer": adam}), "foundry", Place()).config
    told = yaml.safe_load(text)["optimizer"]
    assert (told["name"], told["weight_decay"]) == ("decoupled_adamw", pytest.approx(1e-5))
    assert imported(tmp_path, text, 1)[0].optimizer.weight_decay == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("name", "engine", "said"),
    [
        ("encoder-base", "foundry", "trains no classifiers"),
        ("lynx-8b-qlora", "foundry", "no 4-bit weights"),
        ("encoder-base", "automodel", "language models"),
        ("tiny-cpu", "automodel", "needs GPUs"),
        ("lynx-8b", "axolotl", "Known: trl, foundry, automodel"),
    ],
)
def test_what_an_engine_cannot_do_is_refused(name, engine, said):
    with pytest.raises(InputError) as caught:
        render(find(name), engine, Place())
    assert said in str(caught.value)


def test_automodel_gets_steps_warm_up_and_floor_of_the_schedule():
    told = yaml.safe_load(render(find("lynx-70b"), "automodel", Place(rows=2400)).config)
    assert told["step_scheduler"]["max_steps"] == 225
    assert told["step_scheduler"]["ckpt_every_steps"] == 75
    assert told["lr_scheduler"]["lr_warmup_steps"] == 100
    assert told["lr_scheduler"]["min_lr"] == pytest.approx(5e-8)
    assert told["distributed"]["dp_size"] == 32
    assert told["seed"] == 17
    assert told["model"]["torch_dtype"] == "float32"


def test_the_trl_file_is_the_recipe_with_its_defaults_and_the_command_names_the_nodes():
    found = render(find("lynx-70b"), "trl", Place("d", "o", "m"))
    told = yaml.safe_load(found.config)
    assert told["device_microbatch_size"] == 1
    assert told["optimizer"]["lr"] == 5e-7
    assert found.command.startswith("halubench train run lynx-70b --data d --out o --model m")
    assert "--nproc 8 --nodes 4 --rendezvous" in found.command


def test_show_prints_the_file_alone_on_stdout_and_import_writes_a_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["show", "lynx-8b", "--engine", "foundry"])
    assert yaml.safe_load(shown.stdout)["global_train_batch_size"] == 32
    done = CliRunner().invoke(app, ["import", str(file(tmp_path, PUBLISHED)), "--name", "mine"])
    assert done.exit_code == 0
    assert "3 migrations" in done.stdout
    assert find("mine").global_batch_size == 32
    again = CliRunner().invoke(app, ["import", str(tmp_path / "judge.yaml"), "--name", "mine"])
    assert "is there already" in str(again.exception)


def test_names_that_move_are_referred_to_where_they_went(tmp_path):
    told, said = published.migrate(yaml.safe_load(PUBLISHED))
    assert told["tokenizer"]["name"] == "${variables.tokenizer_name}"
    assert told["tokenizer"]["kwargs"]["model_max_length"] == "${max_seq_len}"
    assert "${global_seed} becomes ${variables.global_seed}" in said[0]


VALIDATE = """
import sys
from omegaconf import OmegaConf
from llmfoundry.command_utils.train import TRAIN_CONFIG_KEYS, TrainConfig, validate_config
from llmfoundry.utils.config_utils import make_dataclass_and_log_config
told = OmegaConf.load(sys.argv[1])
_, found = make_dataclass_and_log_config(told, TrainConfig, TRAIN_CONFIG_KEYS, transforms="all")
validate_config(found)
"""


@pytest.mark.skipif(not shutil.which("llmfoundry"), reason="LLM Foundry is not on the PATH")
@pytest.mark.parametrize("name", JUDGES)
def test_llm_foundrys_own_validation_takes_what_is_rendered(tmp_path, name):
    taken_by_foundry(file(tmp_path, render(find(name), "foundry", Place()).config))


@pytest.mark.skipif(not shutil.which("llmfoundry"), reason="LLM Foundry is not on the PATH")
def test_llm_foundrys_own_validation_takes_what_is_migrated(tmp_path):
    told, _ = published.migrate(yaml.safe_load(PUBLISHED))
    taken_by_foundry(file(tmp_path, yaml.safe_dump(told)))


def taken_by_foundry(path: Path) -> None:
    python = Path(shutil.which("llmfoundry")).parent / "python"
    subprocess.run([python, "-c", VALIDATE, str(path)], check=True, timeout=300)
