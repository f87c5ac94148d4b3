"""The make targets, the local check and the hosted one say the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_shows_every_target() -> None:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    ran = subprocess.run(["make"], cwd=ROOT, capture_output=True, check=True, text=True)
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert re.findall(r"^  make ([a-z-]+) +\S", ran.stdout, re.MULTILINE) == phony[1].split()


def test_an_old_python_is_told_what_is_needed(tmp_path: Path) -> None:
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit\nexit 1\n')
    old.chmod(0o755)
    ran = subprocess.run(
        ["make", f"VENV={tmp_path / 'venv'}", f"PYTHON={old}", f"{tmp_path / 'venv'}/core"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert ran.returncode != 0
    assert "halubench needs Python 3.11 or newer; found Python 3.9.2." in ran.stderr
    assert not (tmp_path / "venv").exists()


def test_the_local_and_the_hosted_check_run_the_same_targets() -> None:
    local = re.findall(r"^make ([a-z-]+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    hosted = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    (job,) = hosted["jobs"].values()
    targets = ["check", "docs", "wheel-demo", "test-torch", "test"]
    assert local == job["strategy"]["matrix"]["target"] == targets
    assert job["steps"][-1]["run"] == "make ${{ matrix.target }}"


def test_the_hosted_check_may_only_read() -> None:
    text = (ROOT / ".github/workflows/ci.yml").read_text()
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert all(re.search(r"@v\d+$", used) for used in re.findall(r"uses: (\S+)", text))


@pytest.mark.parametrize("path", ["examples/demo.sh", "scripts/wheel_demo.sh", ".ci/run"])
def test_scripts_parse_and_stop_at_the_first_failure(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    shell = "bash" if "bash" in text.splitlines()[0] else "sh"
    subprocess.run([shell, "-n", str(ROOT / path)], check=True)
    assert re.search(r"^set -eu", text, re.MULTILINE)
