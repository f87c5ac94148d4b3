"""The commands of docs/publish.md work as they stand, in order, against a Hub on loopback."""

import re
import shutil
from pathlib import Path

import pytest
from publish_world import Desk

PAGE = Path(__file__).parents[1] / "docs" / "publish.md"


def test_the_commands_of_the_page_work(
    run_folder: Path, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run_folder, tmp_path / "benchmark")
    results = tmp_path / "results"
    judged = desk.run(
        "evaluate", "--model", "baseline:length", "--data", run_folder, "--out", results
    )
    assert judged.code == 0, judged.err
    commands = re.findall(r"^halubench (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(commands) >= 6
    for words in commands:
        local = [str(tmp_path / word) if word in _FOLDERS else word for word in words.split()]
        done = desk.run(*local)
        assert done.code == 0, f"{words}: {done.err}"


_FOLDERS = {"benchmark", "results", "pulled", "judge-results"}
