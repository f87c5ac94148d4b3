"""``halubench perturbations`` as a user sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from halubench import cli, content

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(content, "_extra", [])


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.argv", ["halubench", "perturbations", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    told = capsys.readouterr()
    return int(end.value.code or 0), told.out, told.err


def test_the_list_names_each_with_its_makers_and_can_be_narrowed(capsys, monkeypatch) -> None:
    code, out, _ = run(capsys, monkeypatch, "list")
    assert code == 0
    assert "dose-swap" in out
    assert "fabricated" in out
    _, finance, _ = run(capsys, monkeypatch, "list", "--domain", "finance")
    assert "dose-swap" not in finance
    assert "scale-shift" in finance
    code, _, err = run(capsys, monkeypatch, "list", "--domain", "law")
    assert code == 2
    assert "finance, general, medical" in err


def test_show_tells_everything_and_what_the_rule_makes(capsys, monkeypatch) -> None:
    code, out, _ = run(capsys, monkeypatch, "show", "number-swap")
    assert code == 0
    assert "quota: at most 100%" in out
    assert "PASS" in out
    assert "(48 -> 52)" in out
    code, out, _ = run(capsys, monkeypatch, "show", "added-detail")
    assert "only a model makes this edit" in out
    code, _, err = run(capsys, monkeypatch, "show", "number-swop")
    assert code == 2
    assert "Did you mean number-swap" in err


def test_new_writes_a_file_that_holds_and_is_used(capsys, monkeypatch, tmp_path) -> None:
    code, _, err = run(capsys, monkeypatch, "new", "far-off")
    made = tmp_path / "halubench.d/perturbations/far-off.yaml"
    assert code == 0
    assert "Next: halubench perturbations check" in err
    code, out, _ = run(capsys, monkeypatch, "check", str(made))
    assert (code, out) == (0, "1 perturbations hold, with 2 worked examples.\n")
    _, out, _ = run(capsys, monkeypatch, "list", "--domain", "general")
    assert "far-off" in out
    code, _, err = run(capsys, monkeypatch, "new", "far-off")
    assert code == 3
    assert "is there already" in err


@pytest.mark.parametrize("name", ["Far", "far off", "../far", "-far", ""])
def test_new_refuses_what_cannot_be_a_name(capsys, monkeypatch, tmp_path, name: str) -> None:
    code, _, _ = run(capsys, monkeypatch, "new", "--", name)
    assert code == 2
    assert not list(tmp_path.rglob("*.yaml"))


def test_check_tells_each_fault_in_a_sentence_and_exits_2(capsys, monkeypatch, tmp_path) -> None:
    run(capsys, monkeypatch, "new", "far-off")
    made = tmp_path / "halubench.d/perturbations/far-off.yaml"
    made.write_text(made.read_text().replace("fail: 137 metres", "fail: 731 metres"))
    code, out, err = run(capsys, monkeypatch, "check", str(made))
    assert code == 2
    assert out.startswith("fault: far-off: example 1: the rule makes")
    assert "1 faults in 1 perturbations" in err
    code, _, err = run(capsys, monkeypatch, "check", "no.yaml")
    assert code == 2
    made.write_text("name: far-off\ncolour: red\n")
    code, _, err = run(capsys, monkeypatch, "check", str(made))
    assert code == 2
    assert "far-off.yaml" in err
    assert "Traceback" not in err
