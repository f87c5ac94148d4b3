"""The command: its arguments, its exit codes, and what it says at the end."""

import json

import pytest
import yaml
from generate_world import propose, row, source
from scripted_server import ScriptedServer, error

from halubench import cli
from halubench.cli import main


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command in this process; gives (exit code, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words):
        monkeypatch.setattr(cli.sys, "argv", ["halubench", "generate", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return call


def test_a_run_ends_with_its_counts_gates_and_next_step(run, tmp_path):
    out = tmp_path / "out"
    code, said, notes = run(source(tmp_path, 20), "--model", "rules", "--out", out, "--accept", 8)
    assert code == 0
    assert "From rows to pairs" in said
    assert "8 pairs of 8 asked (16 rows)" in said
    assert f"halubench evaluate --model baseline:length --data {out}" in said
    for warning in json.loads((out / "manifest.json").read_text("utf-8"))["warnings"]:
        assert warning.split(":")[0] in " ".join(notes.split())


def test_columns_of_any_table_can_be_named(run, tmp_path):
    path = tmp_path / "mine.jsonl"
    names = {"passage": "context", "question": "q", "answer": "a"}
    rows = ({names[key]: row(n)[key] for key in names} for n in range(12))
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    mapped = ("--map", "passage=context,question=q,answer=a")
    code, said, _ = run(path, "--model", "rules", "--out", tmp_path / "out", *mapped)
    assert code == 0
    assert "12" in said
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "license: other" in card


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--map", "passage"), "--map"),
        (("--split", "a=b"), "--split"),
        (("--split", "a=.5,b=.4"), "sum to 0.9"),
        (("--control", "some"), "--control"),
        (("--jury", "baseline:length"), "cannot sit on a jury"),
    ],
)
def test_an_option_that_cannot_be_meant_is_one_sentence(run, tmp_path, words, told):
    code, _, said = run(source(tmp_path, 3), "--model", "rules", "--out", tmp_path / "o", *words)
    assert code == 2
    assert told in said
    assert "Traceback" not in said


def test_a_dry_run_needs_no_key_and_leaves_no_trace(run, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    priced = ("--price-in", "1", "--price-out", "2")
    words = ("--model", "openai:some", "--out", tmp_path / "out", "--dry-run", *priced)
    code, said, _ = run(source(tmp_path, 9), *words)
    assert code == 0
    assert "expected" in said
    assert not (tmp_path / "out").exists()


def test_a_run_that_lacks_answers_exits_75_and_says_what_to_do(run, tmp_path):
    def script(seen):
        return error(400, "no") if "Belford" in seen.prompt else propose(seen)

    with ScriptedServer(script) as server:
        words = ("--model", f"openai:pen@{server.url}", "--out", tmp_path / "out")
        code, said, notes = run(source(tmp_path, 9), *words, "--retries", 0)
    assert code == 75
    assert "pairs" in said
    assert "Run the same command again" in notes


def test_the_budget_exits_75(run, tmp_path):
    priced = ("--price-in", "1", "--price-out", "2", "--max-usd", "0.001", "--window", "2")
    with ScriptedServer(propose) as server:
        words = ("--model", f"openai:pen@{server.url}", "--out", tmp_path / "out", *priced)
        code, _, _ = run(source(tmp_path, 20), *words)
    assert code == 75


def test_a_recipe_s_plan_says_what_each_part_lacks_and_what_was_not_counted(run, tmp_path):
    base = {"hub": "a/b", "license": "MIT", "pass": 4, "fail": 4}
    parts = [{**base, "name": name, "source_ds": name.title(), "how": how}
             for name, how in (("made", "generate"), ("own", "import"), ("far", "generate"))]  # fmt: skip
    told = {"name": "mine", "title": "t", "about": "a", "control": "restate", "parts": parts}
    recipe = tmp_path / "content" / "perturbations" / "recipes" / "mine.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(yaml.safe_dump({**told, "splits": {"test": 1.0}}), encoding="utf-8")
    native = ({**row(n), "id": f"{n}", "label": "PASS" if n else "FAIL"} for n in range(4))
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(one) + "\n" for one in native))
    files = (f"made={source(tmp_path, 3)}", f"own={tmp_path / 'own.jsonl'}")
    stand_in = (word for file in files for word in ("--source-file", file))
    words = ("--recipe", "mine", "--content", tmp_path / "content", "--model", "rules", *stand_in)
    code, said, notes = run(*words, "--dry-run", "--out", tmp_path / "out")
    assert code == 0
    assert "Made: at most 3 PASS and 3 FAIL rows of the 4 and 4 of the recipe." in notes
    assert "Own: at most 3 PASS and 1 FAIL rows of the 4 and 4 of the recipe." in notes
    assert "nothing is downloaded for a plan: Far." in notes
    assert "Made" in said
    assert not (tmp_path / "out").exists()
