"""``halubench train show`` as a user sees it."""

import subprocess
import sys
from pathlib import Path

TINY = Path(__file__).parents[1] / "trainers" / "tiny-cpu.yaml"
RUN = "import sys; from halubench.cli import main; sys.argv[0] = 'halubench'; main()"


def halubench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, "train", "show", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )


def row(shown: str, name: str) -> list[str]:
    return next(line.split() for line in shown.splitlines() if line.split()[:1] == [name])


def test_the_table_counts_steps_and_warns_on_stdout_and_advises_on_stderr(tmp_path):
    ran = halubench(cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert row(ran.stdout, "lynx-8b")[1:] == ["full", "3", "32", "225", "100", "ends", "100", "%"]
    figures = ["full", "3", "256", "30", "13", "ends", "100", "%"]
    assert row(ran.stdout, "lynx-70b-256")[1:] == figures
    assert "! lynx-8b-256: In 30 steps Lion can move a weight by at most" in ran.stdout
    assert "! lynx-8b:" not in ran.stdout
    assert "Next: halubench train show" in ran.stderr
    assert max(map(len, ran.stdout.split("\n!")[0].splitlines())) <= 80


def test_more_rows_let_the_weights_move(tmp_path):
    ran = halubench("--rows", "25600", cwd=tmp_path)
    assert row(ran.stdout, "lynx-8b-256")[4:] == ["300", "133", "ends", "100", "%"]
    assert "! lynx-8b-256" not in ran.stdout


def test_a_name_shows_every_value_with_its_source(tmp_path):
    ran = halubench("lynx-8b-256", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert row(ran.stdout, "optimizer.lr")[1:] == ["5e-07", "1"]
    assert row(ran.stdout, "global_batch_size")[1:] == ["256", "2"]
    assert row(ran.stdout, "fsdp.activation_cpu_offload")[1:] == ["false", "1"]
    assert "2. arXiv 2407.08488" in ran.stdout
    assert "10 steps an epoch (rows / batch, rounded up), 30 in all" in ran.stdout
    assert "13 ends" in ran.stdout


def test_a_users_recipe_is_listed_from_its_folder_and_from_content(tmp_path):
    for folder, name in (("halubench.d", "mine"), ("elsewhere", "yours")):
        (tmp_path / folder / "trainers").mkdir(parents=True)
        text = TINY.read_text(encoding="utf-8").replace("name: tiny-cpu", f"name: {name}")
        (tmp_path / folder / "trainers" / f"{name}.yaml").write_text(text, encoding="utf-8")
    ran = halubench("--content", "elsewhere", cwd=tmp_path)
    assert row(ran.stdout, "mine")
    assert row(ran.stdout, "yours")
    assert "mine: " in halubench("mine", cwd=tmp_path).stdout


def test_a_typo_ends_with_one_sentence_and_code_2(tmp_path):
    folder = tmp_path / "halubench.d" / "trainers"
    folder.mkdir(parents=True)
    text = TINY.read_text(encoding="utf-8").replace("  betas:", "  beta:")
    (folder / "tiny-cpu.yaml").write_text(text, encoding="utf-8")
    ran = halubench(cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "optimizer.beta is not a known key. Did you mean optimizer.betas?" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_name_and_no_rows_end_with_code_2(tmp_path):
    unknown = halubench("lynx-9b", cwd=tmp_path)
    assert unknown.returncode == 2
    assert "Known in trainers: " in unknown.stderr
    assert halubench("--rows", "0", cwd=tmp_path).returncode == 2
