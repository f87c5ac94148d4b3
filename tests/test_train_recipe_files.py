"""Recipes as files: strict at every depth, each value with its source, and a README that holds."""

import json
import re
from pathlib import Path

import pytest
import yaml

from halubench import content
from halubench.errors import InputError
from halubench.train import recipe as recipes
from halubench.train.strict import keys

TRAINERS = Path(__file__).parents[1] / "trainers"
SHIPPED = sorted(TRAINERS.glob("*.yaml"))
TINY = (TRAINERS / "tiny-cpu.yaml").read_text(encoding="utf-8")


def written(folder: Path, text: str, name: str = "tiny-cpu") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, old: str, new: str) -> InputError:
    """What is said of ``tiny-cpu`` with one piece replaced."""
    assert TINY.count(old) == 1
    path = written(folder, TINY.replace(old, new))
    with pytest.raises(InputError) as caught:
        recipes.load(path)
    assert caught.value.what.startswith(str(path))
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_and_cannot_be_changed(path):
    recipe = recipes.load(path)
    assert recipe.name == path.stem
    assert all(recipe.origin(key).origin for key, _ in recipe.leaves())
    with pytest.raises(ValueError, match="frozen"):
        recipe.optimizer.lr = 1.0


def test_the_shipped_recipes_are_those_promised():
    lynx = {
        f"lynx-{size}{end}" for size in ("8b", "70b") for end in ("", "-256", "-packed", "-lora")
    }
    assert lynx | {"lynx-8b-qlora", "encoder-base", "tiny-cpu"} <= set(recipes.load_all())


@pytest.mark.parametrize("size", ["8b", "70b"])
def test_the_two_batches_of_lynx_differ_in_batch_warm_up_and_gpus_alone(size):
    file, paper = recipes.find(f"lynx-{size}"), recipes.find(f"lynx-{size}-256")
    differ = {key for key, value in file.leaves() if dict(paper.leaves()).get(key) != value}
    differ |= {key for key, _ in paper.leaves() if key not in dict(file.leaves())}
    the_gpus = {"gpus"} if size == "8b" else set()
    warmup = {"schedule.warmup.steps", "schedule.warmup.fraction"}
    assert differ == {"global_batch_size", *warmup, *the_gpus}
    assert (file.global_batch_size, paper.global_batch_size) == (32, 256)
    assert file.origin("global_batch_size") != paper.origin("global_batch_size")


@pytest.mark.parametrize(
    ("old", "new", "key", "meant"),
    [
        ("epochs: 1", "epohcs: 1", "epohcs", "epochs"),
        ("  lr: 2.0e-5", "  lrr: 2.0e-5", "optimizer.lrr", "optimizer.lr"),
        ("{fraction: 0.1}", "{fracton: 0.1}", "schedule.warmup.fracton", "schedule.warmup.frac"),
        ("    origin:", "    orign:", "source.0.orign", "source.origin"),
        ("seed: 17\n", "seed: 17\nweight_decay: 0.1\n", "weight_decay", "optimizer.weight_decay"),
    ],
)
def test_an_unknown_key_at_any_depth_is_named_with_a_suggestion(tmp_path, old, new, key, meant):
    said = refused(tmp_path, old, new).what
    assert f"{key} is not a known key. Did you mean {meant}" in said


def test_an_unknown_key_like_no_other_is_told_the_known_ones(tmp_path):
    error = refused(tmp_path, "{fraction: 0.1}", "{precent: 10}")
    assert error.what.endswith("schedule.warmup.precent is not a known key.")
    assert error.remedy == "Known there: steps, fraction."


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epochs: 1", "epochs: '1'", "epochs: "),
        ("epochs: 1", "epochs: 1.5", "epochs: "),
        ("packing: false", "packing: 0", "packing: "),
        ("  lr: 2.0e-5", "  lr: 0", "optimizer.lr: "),
        ("  lr: 2.0e-5", "  lr: .nan", "optimizer.lr: "),
        ("  lr: 2.0e-5", "  lr: .inf", "optimizer.lr: "),
        ("[0.9, 0.95]", "[0.9]", "optimizer.betas.1: "),
        ("[0.9, 0.95]", "[0.9, 1.0]", "optimizer.betas.1: "),
        ("{fraction: 0.1}", "{fraction: 0.1, steps: 3}", "either steps or fraction"),
        ("{fraction: 0.1}", "{}", "either steps or fraction"),
        ("name: adamw", "name: adamv", "optimizer.name: "),
        ("seed: 17\n", "seed: 17\nseed: 18\n", "the key seed is given twice"),
        ("  alpha_f: 0.1", "  alpha_f: 0.1\n  alpha_f: 0.2", "the key alpha_f is given twice"),
        ("method: full", "method: lora", "method lora needs the key lora"),
        ("method: full", "method: qlora", "method qlora needs the key lora"),
        ("packing: false", "packing: true\nkind: classifier", "packing must be false"),
        (
            "epochs: 1",
            "epochs: 1\ndevice_microbatch_size: 3",
            "device_microbatch_size 3 does not divide the 8",
        ),
        ("gpus: 0", "gpus: 3", "8 is not divisible by gpus 3"),
        ("name: tiny-cpu", "name: other", "holds the recipe 'other'"),
        ("gpus]", "gpu]", "source names 'gpu', no value of a recipe. Did you mean gpus?"),
        ("gpus]", "title]", "source names 'title'"),
        (", gpus]", "]", "gpus has 0 sources"),
        (", gpus]", ", gpus, optimizer.lr]", "optimizer.lr has 2 sources"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path, old, new, words):
    assert words in refused(tmp_path, old, new).what


def test_sharding_on_a_cpu_is_refused(tmp_path):
    eight = (TRAINERS / "lynx-8b.yaml").read_text(encoding="utf-8")
    path = written(tmp_path, eight.replace("gpus: 8", "gpus: 0"), "lynx-8b")
    with pytest.raises(InputError, match="fsdp needs gpus"):
        recipes.load(path)


def test_a_number_that_yaml_reads_as_text_gets_the_spelling_that_works(tmp_path):
    assert "write 5.0e-7" in refused(tmp_path, "2.0e-5", "5e-7").remedy


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "object"),
        (b"- a list", "object"),
        (b"a: [", "not valid YAML"),
        (b"\xff\xfe\xfa", "cannot be read"),
        (b"a: &a [*a]", "cannot be read"),
        (b"? [a, b]\n: c", "not valid YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_sentence(tmp_path, data, words):
    path = tmp_path / "broken.yaml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        recipes.load(path)
    assert str(path) in caught.value.what


def test_a_users_recipe_is_found_by_name_and_hides_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "halubench.d" / "trainers"
    written(folder, TINY.replace("name: tiny-cpu", "name: mine"), "mine")
    written(folder, TINY.replace("epochs: 1", "epochs: 7"))
    assert recipes.find("mine").name == "mine"
    assert recipes.load_all()["tiny-cpu"].epochs == 7
    assert {"mine", "lynx-8b"} <= set(recipes.load_all())


def test_an_unknown_name_is_told_the_known_ones():
    with pytest.raises(InputError, match="lynx-70b-256"):
        recipes.find("lynx-9b")


def test_the_schema_is_up_to_date():
    written = json.loads((TRAINERS / "schema.json").read_text(encoding="utf-8"))
    assert written == json.loads(recipes.schema()), "run: python scripts/generated_files.py"


def test_the_readmes_recipe_is_whole_and_its_table_names_every_key(tmp_path, monkeypatch):
    readme = (TRAINERS / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.+?)```", readme, re.DOTALL)[1]
    written(tmp_path / "trainers", block, yaml.safe_load(block)["name"])
    content.add_folder(tmp_path)
    assert recipes.find("my-judge").lora.rank == 16
    rows = [line.split("|") for line in readme.splitlines() if line.startswith("| `")]
    assert set(keys(recipes.Recipe)) <= set(re.findall(r"`([\w.]+)`", str(rows)))
