"""What others contributed to ``leaderboard/results`` holds; what does not is told one by one."""

from pathlib import Path

import pytest

from halubench.rank import validate

RESULTS = Path(__file__).parents[1] / "leaderboard" / "results"


def test_every_contributed_result_holds() -> None:
    if not any(RESULTS.rglob("results.json")):
        pytest.skip("nothing has been contributed yet")
    assert [each.fault for each in validate([RESULTS]) if each.fault] == []


def test_a_contribution_is_one_folder_a_judge_without_its_journal() -> None:
    known = {"README.md", "results.json", "predictions.parquet", "judge.yaml"}
    assert {path.name for path in RESULTS.rglob("*") if path.is_file()} <= known
