"""Judges on rows in other forms, under several prompts; every table fits 80 columns."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from scripted_server import ScriptedServer, chat, error

from halubench.cli import main
from halubench.compare import compare
from halubench.dataset import load
from halubench.errors import InputError
from halubench.evaluate import EvaluateOptions, asks, evaluate, unanswered
from halubench.models.base import EngineOptions
from halubench.predictions import read
from halubench.rank.recount import recount

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.results import Results

ROWS = 12
SAYS = {verdict: chat(json.dumps({"SCORE": verdict})) for verdict in ("PASS", "FAIL")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twins on six passages of two paragraphs, the last of one paragraph."""
    rows = []
    for number in range(ROWS // 2):
        words = " ".join(f"w{number}x{i}" for i in range(30))
        gap = "\n\n" if number < 5 else " "
        for label in ("PASS", "FAIL"):
            row = {"id": f"{number}{label}", "passage": f"P{number}. First.{gap}Last. {words}"}
            row |= {"question": "Who?", "answer": f"{label} it is.", "label": label}
            rows.append(row | {"source_ds": "a rather long name of a source"[: 12 + number % 2]})
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _right(seen):
    return SAYS["PASS" if "PASS it is." in seen.prompt else "FAIL"]


def _wavering(seen):
    """Right, but not once the paragraphs of P0 or P1 are turned, nor readable on P2 (as given)
    and on P3 (both ways)."""
    turned = seen.prompt.find("Last.") < seen.prompt.find("First.")
    if turned and ("P0." in seen.prompt or "P1." in seen.prompt):
        return SAYS["FAIL"]
    if "P3." in seen.prompt or ("P2." in seen.prompt and not turned):
        return chat("Hm.")
    return _right(seen)


def _options(tmp_path: Path, **more) -> EvaluateOptions:
    return EvaluateOptions(tmp_path / "out", EngineOptions(window=4), retries=0, **more)


def _evaluated(data: Path, tmp_path: Path, script, **more) -> tuple[Results, Path]:
    with ScriptedServer(script) as server:
        (results,) = evaluate(
            f"openai:any@{server.url}", load(str(data)), _options(tmp_path, **more)
        )
    (path,) = (tmp_path / "out").glob("openai*/predictions.parquet")
    return results, path


def test_each_share_is_counted_by_hand_and_from_the_predictions(data, tmp_path) -> None:
    results, path = _evaluated(data, tmp_path, _wavering, variants=("paragraphs",))
    found = results.consistency["paragraphs"]
    assert (found.n, found.of) == (10, 12)
    # Turned, all of P0 and P1 is FAIL; P2 was unscored as given; P3 is unscored both ways.
    assert found.same.value == 0.4  # FAIL of P0 and P1, both of P4
    assert found.accuracy.value == 0.6  # the same and both of P2
    assert found.as_given.value == 0.6  # both of P0, P1 and P4
    assert found.both_right.value == 0.4
    assert found.unscored_reasons == {"no SCORE in the answer": 2}
    assert found.same.low is not None
    assert found.same.low < 0.4 < found.same.high
    assert results.consistency["all"].same.value == found.same.value
    assert results.overall.n == ROWS
    recount(results, path)
    rows = {row.said.id: row for row in read(path)}
    assert rows["0PASS"].variants["paragraphs"].verdict == "FAIL"
    assert not rows["5PASS"].variants
    assert "paragraphs: 2 of 12 rows have no variant" in " ".join(results.warnings)


def test_all_is_right_where_every_form_is(data, tmp_path) -> None:
    results, path = _evaluated(data, tmp_path, _wavering, variants=("paragraphs", "format"))
    each = results.consistency
    assert list(each) == ["format", "paragraphs", "all"]
    assert each["all"].n == each["format"].n == 12
    right = [
        all(said.verdict == row.label for said in (row.said, *row.variants.values()))
        for row in read(path)
    ]
    assert each["all"].both_right.value == sum(right) / 12 == 0.5
    recount(results, path)


def test_variants_can_be_added_to_a_run_and_cost_only_themselves(data, tmp_path) -> None:
    broken = True

    def script(seen):
        turned = seen.prompt.find("Last.") < seen.prompt.find("First.")
        return error(500) if broken and turned and "P2." in seen.prompt else _right(seen)

    with ScriptedServer(script) as server:
        uri, rows = f"openai:any@{server.url}", load(str(data))
        (plain,) = evaluate(uri, rows, _options(tmp_path))
        assert plain.consistency == {}
        assert len(server.seen) == 12
        (varied,) = evaluate(uri, rows, _options(tmp_path, variants=("paragraphs",)))
        assert len(server.seen) == 22
        assert unanswered(varied) == 2
        assert varied.overall == plain.overall
        broken = False
        (whole,) = evaluate(uri, rows, _options(tmp_path, variants=("paragraphs",)))
        assert len(server.seen) == 24
    assert unanswered(whole) == 0
    assert whole.consistency["paragraphs"].same.value == 1


def test_a_judge_that_never_reads_the_rows_is_not_called_steady(data, tmp_path) -> None:
    options = _options(tmp_path, variants=("format",))
    (results,) = evaluate("baseline:length", load(str(data)), options)
    assert results.consistency == {}
    assert any("Variants were not judged" in said for said in results.warnings)


def test_a_rephrased_question_is_what_the_judge_reads(data, tmp_path) -> None:
    def script(seen):
        if "in other words" in seen.prompt:
            return chat('{"question": "Which person?"}')
        return chat("Hm.") if "Which person?" in seen.prompt else _right(seen)

    with ScriptedServer(script) as server:
        uri = f"openai:any@{server.url}"
        options = _options(tmp_path, variants=("rephrase",), rephraser=uri)
        (results,) = evaluate(uri, load(str(data)), options)
        assert len(server.seen) == 1 + 12 + 12
    found = results.consistency["rephrase"]
    assert (found.n, found.same.value, found.as_given.value) == (12, 0, 1)


def test_prompts_are_told_apart_and_what_takes_none_is_judged_once(tmp_path) -> None:
    options = _options(tmp_path)
    judges = ["openai:any@http://127.0.0.1:9/v1", "baseline:length"]
    assert [(uri[:6], each.prompt) for uri, each in asks(judges, ["lynx", "direct"], options)] == [
        ("openai", "lynx"), ("openai", "direct"), ("baseli", "lynx"),
    ]  # fmt: skip
    assert len(asks(judges, [], options)) == len(asks(judges, ["lynx", "lynx"], options)) == 2
    with pytest.raises(InputError, match="names no judge"):
        asks(["gpt"], [], options)


@pytest.fixture
def command(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[str, str]:
        fixed = ["halubench", "evaluate", "--data", str(data), "--out", "out"]
        monkeypatch.setattr(sys, "argv", [*fixed, *arguments])
        with pytest.raises(SystemExit) as exit_:
            main()
        shown = capsys.readouterr()
        assert not exit_.value.code, shown.err
        return shown.out, shown.err

    return run


def test_two_prompts_give_two_folders_and_compare_tells_their_spread(command, tmp_path) -> None:
    prompts = tmp_path / "halubench.d/prompts/judge"
    prompts.mkdir(parents=True)
    (prompts / "terse.jinja").write_text("Terse. {{ question }} {{ passage }} {{ answer }} SCORE?")

    def script(seen):
        return SAYS["FAIL"] if seen.prompt.startswith("Terse") else _right(seen)

    with ScriptedServer(script) as server:
        uri = f"openai:any@{server.url}"
        out, _ = command("--model", uri, "--prompt", "lynx", "--prompt", "terse")
    assert out.count("all rows") == 4  # two tables each
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(folders) == 2
    assert folders[1] == f"{folders[0]}-terse"
    (told,) = compare([tmp_path / "out"]).sensitivity
    assert sorted(told.prompts) == ["lynx", "terse"]
    assert (told.lowest_accuracy, told.highest_accuracy) == (0.5, 1.0)
    assert told.stable.value == 0.5


def test_every_table_fits_eighty_columns(command) -> None:
    sure = chat("PASS", top_logprobs={"PASS": -0.5, "FAIL": -1.0})
    with ScriptedServer(lambda seen: sure) as server:
        uri = f"openai:any@{server.url}"
        chosen = ("--mode", "direct", "--variants", "paragraphs, format")
        out, err = command("--model", uri, *chosen)
    for word in ("both right %", "AUROC", "ECE", "same verdict %", "paragraphs", "right on both %"):
        assert word in out
    table = [line for line in out.splitlines() if "[" in line or "─" in line]
    assert len(table) > 10
    assert max(map(len, table)) <= 80
    assert "…" not in out
    assert "Next:" in err
