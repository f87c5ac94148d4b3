"""A run that fails: what it leaves, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from generate_world import ask, judge, propose, source
from scripted_server import ScriptedServer, error

from halubench import dataset
from halubench.errors import IncompleteError, InputError, OutputError
from halubench.evaluate import EvaluateOptions, evaluate
from halubench.generate import generate
from halubench.run import RunFolder, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def fail(path: Path, work: Callable[[RunFolder], object]) -> None:
    with RunFolder.open(path, {"map": None}) as folder:
        work(folder)
        raise InputError("The file has no passage.")


def test_run_that_failed_before_anything_was_done_frees_its_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError):
        fail(out, lambda _: None)
    assert not out.exists()
    RunFolder.open(out, {"map": "passage=text"}).close()


def test_run_that_failed_after_a_paid_answer_keeps_its_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        fail(tmp_path, lambda folder: folder.journal.put("key", "paid"))
    with RunFolder.open(tmp_path, {"map": None}) as folder:
        assert folder.journal.get("key") == "paid"


def test_failed_run_keeps_what_it_wrote_and_what_others_left(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        fail(tmp_path / "a", lambda folder: folder.write_text("rejected.jsonl", "{}\n"))
    assert (tmp_path / "a" / "rejected.jsonl").read_text() == "{}\n"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / ".keep").touch()
    with pytest.raises(InputError):
        fail(tmp_path / "b", lambda _: None)
    assert (tmp_path / "b" / ".keep").exists()


def test_run_that_fails_again_keeps_the_folder_of_an_earlier_one(tmp_path: Path) -> None:
    RunFolder.open(tmp_path, {"map": None}).close()
    with pytest.raises(InputError):
        fail(tmp_path, lambda _: None)
    with pytest.raises(OutputError, match="map was null and is now 2"):
        RunFolder.open(tmp_path, {"map": 2})


def test_generate_says_why_nothing_was_answered(tmp_path: Path) -> None:
    with ScriptedServer(lambda _: error(400, "the tokens of this plan are spent")) as server:
        asked = ask(tmp_path, source(tmp_path, 3), model=f"openai:pen@{server.url}")
        with pytest.raises(IncompleteError, match=r"3 × refused.*the tokens of this plan"):
            generate(asked)


def test_jury_that_never_answers_is_no_fault_of_the_documents(tmp_path: Path) -> None:
    with ScriptedServer(propose) as pen, ScriptedServer(lambda _: error(400, "no")) as bench:
        asked = ask(
            tmp_path,
            source(tmp_path, 3),
            model=f"openai:pen@{pen.url}",
            jury=(f"openai:juror@{bench.url}",),
        )
        with pytest.raises(IncompleteError, match="requests got no answer"):
            generate(asked)
        bench.script = judge
        assert generate(asked).pairs


def page(version: int, text: str) -> dict[str, str]:
    return {"index.html": text, "board.json": f'{{"format": "halubench/board/{version}"}}'}


def test_published_files_replace_their_own_and_nothing_else(tmp_path: Path) -> None:
    publish(tmp_path / "new", page(1, "first"), "board.json")
    html, _ = publish(tmp_path / "new", page(2, "second"), "board.json")
    assert html.read_text() == "second"
    (tmp_path / "index.html").write_text("my own site")
    with pytest.raises(OutputError, match=r"index\.html is there and is not of this command"):
        publish(tmp_path, page(1, "board"), "board.json")
    (tmp_path / "board.json").write_text("[]")
    with pytest.raises(OutputError, match="is not of this command"):
        publish(tmp_path, page(1, "board"), "board.json")
    assert (tmp_path / "index.html").read_text() == "my own site"


def test_published_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file cannot be written"):
        publish(tmp_path / "file", page(1, "board"), "board.json")


def test_results_of_one_split_are_not_replaced_by_those_of_another(tmp_path: Path) -> None:
    generate(ask(tmp_path, source(tmp_path, 20)))
    bench, options = str(tmp_path / "out"), EvaluateOptions(tmp_path / "results")
    evaluate("baseline:length", dataset.load(bench, split="test"), options)
    with pytest.raises(OutputError, match=r'splits was \["test"\] and is now \["test", "valid'):
        evaluate("baseline:length", dataset.load(bench), options)
    evaluate("baseline:length", dataset.load(bench, split="test"), replace(options, limit=4))
