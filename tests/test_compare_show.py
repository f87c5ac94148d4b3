"""``halubench compare`` and ``halubench show`` on judges whose verdicts are known."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from halubench.cli import main
from halubench.compare import Comparison

ROWS = [
    {
        "id": f"{number}{label}",
        "passage": f"The ferry {number} carries {number + 40} cars and {number + 70} vans.",
        "question": "How many cars does it carry?",
        "answer": f"It carries {number + (40 if label == 'PASS' else 70)} cars.",
        "label": label,
        "source_ds": ["sea", "river"][number % 2],
    }
    for number in range(40)
    for label in ("PASS", "FAIL")
]


def _verdict(row: dict[str, str], judge: str) -> str:
    """Judge ``good`` errs on one row in ten, ``poor`` on the river's FAIL rows too."""
    number = int(row["id"][:-4])
    if judge == "poor" and number == 3:
        return "?"
    wrong = number % 10 == 4 or (judge == "poor" and row["label"] == "FAIL" and number % 2)
    return {"PASS": "FAIL", "FAIL": "PASS"}[row["label"]] if wrong else row["label"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        {**row, "judges": {name: _verdict(row, name) for name in ("good", "poor")}} for row in ROWS
    ]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


@pytest.fixture
def command(place, monkeypatch, capsys):
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["halubench", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        shown = capsys.readouterr()
        return int(code or 0), shown.out, shown.err

    assert (
        run("evaluate", "--model", "recorded:rows.jsonl", "--data", "rows.jsonl", "--out", "res")[0]
        == 0
    )
    return run


def test_judges_are_compared_row_by_row(command) -> None:
    code, out, _ = command("compare", "res", "--out", "c.json")
    assert code == 0
    found = Comparison.model_validate_json(Path("c.json").read_text())
    (pair,) = found.pairs
    right = [
        [_verdict(row, judge) == row["label"] for row in ROWS] for judge in (pair.one, pair.other)
    ]
    cells = list(zip(*right, strict=True))
    for field, cell in {
        "both_right": (True, True),
        "only_one": (True, False),
        "only_other": (False, True),
        "both_wrong": (False, False),
    }.items():
        assert getattr(pair, field) == cells.count(cell)
    assert pair.difference.value == pytest.approx((sum(right[0]) - sum(right[1])) / len(ROWS))
    assert pair.by["source_ds"]["river"].only_one == pair.only_one
    assert pair.by["source_ds"]["sea"].only_one == 0
    assert [(judge.name, judge.rank_best, judge.rank_worst) for judge in found.judges] == [
        ("good", 1, 1),
        ("poor", 2, 2),
    ]
    assert found.judges[1].unscored == 2
    for word in (" 1 - 2 ", "McNemar", "source river", "kappa"):
        assert word in out


def test_another_file_is_not_written_over(command, place) -> None:
    (place / "c.json").write_text('{"format": "other/1"}')
    code, _, err = command("compare", "res", "--out", "c.json")
    assert code == 3
    assert "not of this command" in err


@pytest.mark.parametrize("folders", [["res/recorded-rows.jsonl-good"], ["nowhere"]])
def test_what_cannot_be_compared_is_one_sentence(command, folders) -> None:
    code, _, err = command("compare", *folders)
    assert code == 2
    assert "error:" in err
    assert "Traceback" not in err


def test_judges_of_other_rows_are_not_compared(command) -> None:
    other = [{**row, "question": "How many?"} for row in ROWS]
    Path("other.jsonl").write_text("".join(json.dumps(row) + "\n" for row in other))
    command("evaluate", "--model", "baseline:length", "--data", "other.jsonl", "--out", "res2")
    code, _, err = command("compare", "res", "res2")
    assert code == 2
    told = " ".join(err.split())
    assert "are not of the same rows" in told
    for folder in ("res", "res2"):
        sha256 = json.loads(next(Path(folder).glob("*/results.json")).read_text())["data"]["sha256"]
        assert sha256[:16] in told
        assert f"{folder}/" in told


def test_wrong_rows_are_shown_with_their_twin_and_nothing_else(command) -> None:
    code, out, err = command("show", "res/recorded-rows.jsonl-good", "--errors")
    assert code == 0
    wrong = [row["id"] for row in ROWS if _verdict(row, "good") != row["label"]]
    assert f"{len(wrong)} of {len(ROWS)} rows" in err
    assert [line.split()[4] for line in out.splitlines() if " of 8: " in line] == wrong
    assert "It carries 44 cars." in out
    assert "Its twin, FAIL (judged PASS: wrong)" in out


def test_rows_are_chosen_by_label_source_and_reading(command) -> None:
    run = "res/recorded-rows.jsonl-poor"
    assert "2 of 80 rows" in command("show", run, "--unscored")[2]
    assert "20 of 80 rows" in command("show", run, "--label", "FAIL", "--source", "sea")[2]
    _, out, err = command("show", run, "--errors", "--limit", "1")
    assert "the first 1 shown" in err
    assert out.count("Question") == 1


def test_rows_that_moved_are_found_by_data_and_other_rows_are_refused(command, place) -> None:
    run = "res/recorded-rows.jsonl-good"
    (place / "rows.jsonl").rename("moved.jsonl")
    assert command("show", run)[0] == 2
    assert command("show", run, "--data", "moved.jsonl")[0] == 0
    edited = [{**row, "question": f"{row['question']}?"} for row in ROWS]
    (place / "edited.jsonl").write_text("".join(json.dumps(row) + "\n" for row in edited))
    assert "their texts are others" in command("show", run, "--data", "edited.jsonl")[2]
    (place / "few.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    code, _, err = command("show", run, "--data", "few.jsonl")
    assert code == 2
    assert "does not hold the rows that were judged" in err
    assert command("show", "res")[0] == 2


def test_keys_walk_the_rows(command, monkeypatch) -> None:
    import typer

    from halubench.cli import _console, show

    keys = iter("nrpnq")
    monkeypatch.setattr(typer, "getchar", lambda: next(keys))
    monkeypatch.setattr(show, "_keys", lambda: True)
    monkeypatch.setattr(type(_console.out), "is_terminal", True)
    code, out, _ = command("show", "res/recorded-rows.jsonl-good", "--errors")
    assert code == 0
    assert re.findall(r"good: (\d) of 8: ", out) == ["1", "2", "2", "1", "2"]
