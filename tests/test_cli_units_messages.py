"""What commands print and end with: errors, options, figures of tables, advice."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_world import around, judged
from rich.console import Console
from typer.testing import CliRunner

from halubench import content, errors
from halubench.cli import _console
from halubench.cli import audit as audit_command
from halubench.cli import evaluate as evaluate_command
from halubench.cli import generate as generate_command
from halubench.cli import leaderboard as leaderboard_command
from halubench.cli._options import named
from halubench.cli.train import show as show_command
from halubench.results import Estimate
from halubench.train.recipe import load_all

NAMES = st.text("abcdefghij_", min_size=1, max_size=6)
FIX = ("Do this.", "error: What is wrong.\nfix: Do this.\n"), ("", "error: What is wrong.\n")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(_console, "err", Console(file=text, highlight=False, width=60))
    return text


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    text = io.StringIO()
    monkeypatch.setattr(_console, "out", Console(file=text, highlight=False, width=100))
    return text


def run(command: object, *arguments: str) -> object:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.HalubenchError, 1),
        (errors.InputError, 2),
        (errors.OutputError, 3),
        (errors.EngineError, 4),
        (errors.MissingExtraError, 5),
        (errors.IncompleteError, 75),
        (errors.BudgetError, 75),
    ],
)
@pytest.mark.parametrize(("remedy", "text"), FIX)
def test_an_error_is_one_sentence_its_remedy_and_its_exit_code(
    said: io.StringIO, kind: type[errors.HalubenchError], code: int, remedy: str, text: str
) -> None:
    error = kind("What is wrong.", remedy)
    assert _console.fail(error) == code
    assert said.getvalue() == text
    assert str(error) == f"What is wrong. {remedy}".strip()
    assert isinstance(error, errors.HalubenchError)


def test_a_budget_that_was_reached_is_a_job_that_can_go_on() -> None:
    with pytest.raises(errors.IncompleteError):
        raise errors.BudgetError("The ceiling was reached.")


def test_an_interruption_says_that_nothing_is_lost(said: io.StringIO) -> None:
    assert _console.fail(None) == 130
    assert said.getvalue().startswith("Stopped. Nothing is lost")


@pytest.mark.parametrize("name", ["[red]x[/]", "[/]", "a[b]c", "[link=x]"])
def test_brackets_in_a_message_are_text(said: io.StringIO, name: str) -> None:
    _console.fail(errors.InputError(f"{name} is missing.", f"Give {name}."))
    assert said.getvalue() == f"error: {name} is missing.\nfix: Give {name}.\n"


def test_a_long_message_is_one_line_however_narrow_the_terminal(said: io.StringIO) -> None:
    _console.fail(errors.InputError("word " * 40 + "end."))
    _console.note("note " * 40)
    assert len(said.getvalue().splitlines()) == 2


@given(st.dictionaries(NAMES, NAMES, min_size=1, max_size=5))
def test_named_options_come_back_as_given_whatever_the_spaces(pairs: dict[str, str]) -> None:
    for joint, comma in (("=", ","), (" = ", " , "), ("= ", ",  ")):
        text = comma.join(f"{name}{joint}{value}" for name, value in pairs.items())
        assert named(text, "--map", "a=b") == pairs


@given(st.dictionaries(NAMES, NAMES, min_size=1, max_size=4), st.data())
def test_a_name_repeated_anywhere_is_refused(pairs: dict[str, str], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(sorted(pairs)))
    told = [f"{name}={value}" for name, value in pairs.items()]
    told.insert(data.draw(st.integers(0, len(told))), f"{again}=other")
    with pytest.raises(errors.InputError, match="gives a name twice"):
        named(",".join(told), "--map", "a=b")


@pytest.mark.parametrize(
    ("text", "found"),
    [("a=b=c", {"a": "b=c"}), ("a=b c", {"a": "b c"}), ("a=1,b=1", {"a": "1", "b": "1"})],
)
def test_a_value_may_hold_what_follows_its_first_sign(text: str, found: dict[str, str]) -> None:
    assert named(text, "--map", "a=b") == found


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("validation=.2,test=.8", (("validation", 0.2), ("test", 0.8))),
        ("test=1", (("test", 1.0),)),
        (" a = 0.5 , b = 5e-1 ", (("a", 0.5), ("b", 0.5))),
    ],
)
def test_splits_are_read_in_order(text: str, shares: tuple[tuple[str, float], ...]) -> None:
    assert generate_command._shares(text) == shares


@pytest.mark.parametrize("text", ["a=half", "a=.5,b=0,5", "a=50%", "a"])
def test_a_split_without_a_number_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(errors.InputError, match=r"--split '.*' (holds a share|cannot be read)"):
        generate_command._shares(text)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (evaluate_command._whole, Estimate(value=None), "–"),
        (evaluate_command._whole, Estimate(value=0.996), "100"),
        (evaluate_command._short, Estimate(value=None), "–"),
        (evaluate_command._short, Estimate(value=0.8449), "84.5"),
        (evaluate_command._percent, Estimate(value=None), "–"),
        (evaluate_command._percent, Estimate(value=0.84496), "84.50"),
        (evaluate_command._unit, Estimate(value=None), "–"),
        (evaluate_command._unit, Estimate(value=0.5), "0.500"),
        (evaluate_command._interval, Estimate(value=None), "–"),
        (evaluate_command._interval, Estimate(value=0.5), "50.00"),
        (evaluate_command._interval, Estimate(value=0.5, low=0.4), "50.00"),
        (evaluate_command._interval, Estimate(value=0.5, low=0.25, high=1.0), "50.00 [25.0, 100.0]"),
    ],
)  # fmt: skip
def test_a_figure_of_evaluate_is_written_so(write, value: Estimate, text: str) -> None:
    assert write(value) == text


@pytest.mark.parametrize(
    ("own", "floor", "better"),
    [
        (around(0.8), around(0.5), True),
        (around(0.5), around(0.8), False),
        (Estimate(value=0.6, low=0.5, high=0.7), Estimate(value=0.4, low=0.3, high=0.5), False),
        (Estimate(value=0.6, low=0.51, high=0.7), Estimate(value=0.4, low=0.3, high=0.5), True),
        (Estimate(value=0.9), around(0.5), False),
        (around(0.9), Estimate(value=0.5), False),
    ],
)
def test_better_needs_an_interval_wholly_above(
    own: Estimate, floor: Estimate, better: bool
) -> None:
    assert evaluate_command._better(own, floor) is better
    assert not (better and evaluate_command._better(floor, own))


MAJORITY = "This judge is not shown to be better than always giving the majority label."
LENGTH = "This judge is not shown to be better than a look at the answer's length."


@pytest.mark.parametrize(
    ("accuracy", "wanted"),
    [(0.9, set()), (0.6, {LENGTH}), (0.5, {MAJORITY, LENGTH}), (0.1, {MAJORITY, LENGTH})],
)
def test_a_floor_that_is_not_cleared_is_said(accuracy: float, wanted: set[str]) -> None:
    assert {MAJORITY, LENGTH} & set(evaluate_command._remarks(judged("j", accuracy))) == wanted


def test_remarks_tell_unread_rows_by_reason_the_note_and_every_warning() -> None:
    told = judged("j", 0.9, note="a note").model_copy(update={"warnings": ["one", "two"]})
    lines = list(evaluate_command._remarks(told))
    assert "3 of 140 rows unscored: 2 × no SCORE, 1 × empty." in lines
    assert lines[-3:] == ["Note: a note", "Warning: one", "Warning: two"]


def test_the_table_of_evaluate_shows_each_source_and_floor_with_its_own_counts(
    shown: io.StringIO,
) -> None:
    evaluate_command._show(judged("a[b]", 0.8))
    rows = {line.split("  ")[0].strip(): line.split() for line in shown.getvalue().splitlines()}
    assert rows["DROP"][1:5] == ["100", "80.00", "[78.0,", "82.0]"]
    assert (rows["DROP"][-1], rows["covidQA"][-1], rows["all rows"][-1]) == ("3", "0", "3")
    assert rows["of the scored"][3] == "137"
    assert rows["majority"][2] == "50.00"
    assert rows["length"][2] == "60.00"
    assert "a[b]" in shown.getvalue()


def names(*names: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(name=name) for name in names]


@pytest.mark.parametrize(
    ("datasets", "out", "folders"),
    [
        (["a"], None, ["audit-a"]),
        (["a"], "o", ["o"]),
        (["a", "b"], None, ["audit-a", "audit-b"]),
        (["a", "b"], "o", ["o/a", "o/b"]),
        (["org/data"], None, ["audit-org-data"]),
        (["org/data", "b"], "o", ["o/org-data", "o/b"]),
    ],
)
def test_every_audit_has_its_own_folder(
    datasets: list[str], out: str | None, folders: list[str]
) -> None:
    found = audit_command._folders(names(*datasets), Path(out) if out else None)
    assert found == [Path(folder) for folder in folders]


@pytest.mark.parametrize("datasets", [["a", "a"], ["x", "a/b", "a-b"]])
def test_two_audits_for_one_folder_are_refused(datasets: list[str]) -> None:
    with pytest.raises(errors.InputError, match=r"called (a|a-b)\. Audit them one at a time"):
        audit_command._folders(names(*datasets), None)


@pytest.mark.parametrize(
    ("failed", "word"), [(0, "halubench evaluate --model baseline:overlap --data d"), (1, "mend")]
)
def test_what_to_do_after_an_audit_depends_on_its_gates(failed: int, word: str) -> None:
    assert word in audit_command._next("d", failed)


@pytest.mark.parametrize(
    ("steps", "ends", "peak", "warmup", "share"),
    [
        (0, True, 1.0, "0 ends", "100 %"),
        (1500, True, 1.0, "1,500 ends", "100 %"),
        (100, False, 0.03, "100 never ends", "3 %"),
        (100, False, 0.12345, "100 never ends", "12.3 %"),
    ],
)
def test_a_warm_up_is_written_with_its_end(
    steps: int, ends: bool, peak: float, warmup: str, share: str
) -> None:
    found = SimpleNamespace(warmup_steps=steps, warmup_ends=ends, peak_lr_reached=peak)
    assert show_command._warmup(found) == warmup
    assert show_command._peak(found) == share


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        (show_command.command, ["--rows", "0"], 2),
        (show_command.command, ["--rows", "many"], 2),
        (leaderboard_command.build, [], 2),
        (leaderboard_command.build, ["folder"], 2),
        (evaluate_command.command, ["--data", "d", "--out", "o"], 2),
        (evaluate_command.command, ["--model", "m", "--data", "d"], 2),
        (audit_command.command, [], 2),
        (audit_command.command, ["d", "--seed", "-1"], 2),
        (generate_command.command, ["s", "--model", "rules"], 2),
    ],
)
def test_arguments_that_cannot_be_used_end_with_code_2(
    command: object, arguments: list[str], code: int
) -> None:
    assert run(command, *arguments).exit_code == code


@pytest.mark.parametrize("option", ["--limit", "--window", "--timeout"])
def test_evaluate_takes_no_zero_where_nothing_could_be_done(option: str, tmp_path: Path) -> None:
    told = ["--model", "baseline:length", "--data", "d", "--out", str(tmp_path / "o"), option, "0"]
    assert run(evaluate_command.command, *told).exit_code == 2
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "o"], "does not exist"),
        (["--out", "o", "--content", "nowhere"], "content folder nowhere does not exist"),
    ],
)
def test_leaderboard_raises_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(leaderboard_command.build, "absent", *arguments)
    assert isinstance(result.exception, errors.InputError)
    assert said in str(result.exception)
    assert not (tmp_path / "o").exists()


def test_leaderboard_shows_the_places_that_its_json_holds(
    tmp_path: Path, shown: io.StringIO, said: io.StringIO
) -> None:
    for name, accuracy in (("good", 0.9), ("fair", 0.7), ("poor", 0.5)):
        (tmp_path / name).mkdir()
        told = judged(name, accuracy).model_dump_json()
        (tmp_path / name / "results.json").write_text(told, encoding="utf-8")
    told = [str(tmp_path), "--out", str(tmp_path / "site"), "--title", "T", "--reported", "none"]
    assert run(leaderboard_command.build, *told).exit_code == 0
    data = json.loads((tmp_path / "site" / "leaderboard.json").read_text(encoding="utf-8"))
    assert (data["title"], data["reported"]) == ("T", [])
    lines = [line.split() for line in shown.getvalue().splitlines()]
    for row in data["boards"][0]["rows"]:
        (line,) = [line for line in lines if row["judge"] in line[1:2]]
        assert line[0] == str(row["rank_best"])
        assert ("†" in line) is not row["clears_majority"]
        macro = row["results"]["macro_accuracy"]["value"]
        assert f"{100 * macro:.1f}" in line
    assert "index.html" in said.getvalue()


def test_content_folders_are_searched_in_the_order_given(
    tmp_path: Path, shown: io.StringIO, said: io.StringIO
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    given_as = [part for name in ("first", "second") for part in ("--content", tmp_path / name)]
    assert run(show_command.command, *map(str, given_as)).exit_code == 0
    assert content.roots()[:2] == [tmp_path / "first", tmp_path / "second"]
    assert f"{len(load_all())} recipes on 2,400 training rows" in shown.getvalue()
    assert "Next: halubench train show encoder-base" in said.getvalue()
