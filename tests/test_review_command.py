"""The command: the terminal's keys, what the report prints, and one sentence for each mistake."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from review_world import EVIL, sheet, write
from rich.console import Console

from halubench.cli import main
from halubench.review import Ledger
from halubench.review.desk import Desk
from halubench.review.ledger import read
from halubench.review.terminal import review


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[object, str, str]]:
    def run(*words: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["halubench", "review", *map(str, words)])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return code, " ".join(said.out.split()), " ".join(said.err.split())

    return run


def in_terminal(folder: Path, keys: str, note: str = "") -> str:
    drawn = sheet(folder)
    ledger = Ledger(drawn.folder, "ana")
    shown = io.StringIO()
    pressed = iter(keys)
    review(
        Desk(drawn, ledger),
        Console(file=shown, width=80),
        lambda: next(pressed, "q"),
        lambda _: note,
    )
    ledger.close()
    return shown.getvalue()


def test_keys_decide_undo_note_and_stop(tmp_path: Path) -> None:
    shown = in_terminal(tmp_path, "pfznUq", note=" broken ")
    opinions = read(tmp_path / "review" / "ana.jsonl").values()
    assert [(one.opinion, one.note) for one in opinions] == [("PASS", ""), ("unclear", "broken")]
    assert "0 of 8" in shown
    assert EVIL[:20] in shown


def test_a_key_that_means_nothing_changes_nothing(tmp_path: Path) -> None:
    in_terminal(tmp_path, "xyzq")
    assert read(tmp_path / "review" / "ana.jsonl") == {}


def test_the_report_is_printed_written_and_leads_to_a_revision(tmp_path: Path, run) -> None:
    data = write(tmp_path / "data")
    rows = sheet(data).examples()
    ledger = Ledger(data / "review", "ana")
    for n, (name, row) in enumerate(rows.items()):
        keys = {"PASS": "FAIL", "FAIL": "PASS"} if n == 0 else {}
        from halubench.review import Decision

        ledger.decide(Decision(name, keys.get(row.label, row.label)))
    ledger.close()
    code, said, told = run(data, "--per-source", 4, "--report")
    assert code == 0, told
    assert "ana 8 of 8 7 1 0" in said.replace("│ ", "").replace("┃ ", "")
    assert (data / "review" / "report.json").is_file()
    code, said, _ = run(data, "--per-source", 4, "--apply", tmp_path / "v2")
    assert code == 0
    assert "26 of 28 rows" in said
    code, _, told = run(data, "--per-source", 4, "--apply", tmp_path / "v3", "--remedy", "guess")
    assert code == 2
    assert "drop or relabel" in told


def test_mistakes_get_a_sentence(tmp_path: Path, run) -> None:
    data = write(tmp_path / "data")
    for words, part in (
        ((data,), "Whose review is it?"),
        ((data, "--report"), "Nobody has reviewed"),
        ((data, "--reviewer", "a b"), "cannot name a file"),
        ((tmp_path / "none",), "no file or folder"),
    ):
        code, _, told = run(*words)
        assert code == 2
        assert part in told
        assert "Traceback" not in told


def test_columns_of_other_names_are_reviewed_as_well(tmp_path: Path, run) -> None:
    data = tmp_path / "own.csv"
    data.write_text("context,query,gold,verdict\nA ferry.,What?,A ferry.,PASS\nA.,B?,C.,FAIL\n")
    told = ("--map", "passage=context,question=query,answer=gold,label=verdict")
    code, _, said = run(data, *told, "--out", tmp_path / "review", "--report")
    assert (code, "Nobody has reviewed a row" in said) == (2, True)
    assert "--map passage=COLUMN" in run(data, "--out", tmp_path / "other", "--report")[2]
