"""The run folder: the same ask comes back, another one is told what differs, writes are whole."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from halubench.errors import InputError, OutputError
from halubench.run import Journal, RunFolder

ASK = {"model": "openai:m", "seed": 1, "sources": ["drop.json"]}


def test_the_same_ask_opens_the_same_run_again(tmp_path):
    with RunFolder.open(tmp_path / "a" / "run", ASK) as run:
        run.journal.put("k", "värde 🜲")
    with RunFolder.open(tmp_path / "a" / "run", dict(reversed(ASK.items()))) as run:
        assert run.journal.get("k") == "värde 🜲"
        assert run.journal.get("other") is None
        assert len(run.journal) == 1


def test_another_ask_is_told_what_differs(tmp_path):
    RunFolder.open(tmp_path, ASK).close()
    with pytest.raises(OutputError) as caught:
        RunFolder.open(tmp_path, {**ASK, "seed": 2, "accept": 5})
    text = str(caught.value)
    assert "seed was 1 and is now 2" in text
    assert "accept was null and is now 5" in text
    assert "model" not in text
    assert "--out" in text


def test_a_file_whose_parts_break_off_stays_as_it_was(tmp_path):
    with RunFolder.open(tmp_path / "run", {}) as run:
        run.write_parts("lines", ["a\n", "b\n"])

        def broken():
            yield "c\n"
            raise ValueError("no more")

        with pytest.raises(ValueError, match="no more"):
            run.write_parts("lines", broken())
        assert (run.path / "lines").read_text() == "a\nb\n"
        assert not list(run.path.glob(".lines*"))


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputError, match="not of a halubench run"):
        RunFolder.open(tmp_path, ASK)
    with pytest.raises(OutputError):
        RunFolder.open(tmp_path / "thesis.tex", ASK)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_broken_ask_file_is_named(tmp_path):
    (tmp_path / "ask.json").write_text('{"model": ')
    with pytest.raises(OutputError, match=r"ask\.json cannot be read"):
        RunFolder.open(tmp_path, ASK)


def test_a_second_writer_waits_until_the_first_is_gone(tmp_path):
    with RunFolder.open(tmp_path, ASK), pytest.raises(OutputError, match="Another process"):
        RunFolder.open(tmp_path, ASK)
    RunFolder.open(tmp_path, ASK).close()


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from halubench.run import RunFolder\n"
        f"run = RunFolder.open(Path({str(tmp_path)!r}), {{}})\n"
        "run.journal.put('k', 'v'); print('open', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"open\n"
    with pytest.raises(OutputError, match="Another process"):
        RunFolder.open(tmp_path, {})
    child.kill()
    child.wait()
    child.stdout.close()
    with RunFolder.open(tmp_path, {}) as run:
        assert run.journal.get("k") == "v"


def test_files_are_deterministic_and_whole(tmp_path, monkeypatch):
    with RunFolder.open(tmp_path, ASK) as run:
        run.write_json("a.json", {"b": 1, "a": ["é", "\ud800"]})
        run.write_json("b.json", {"a": ["é", "\ud800"], "b": 1})
        first = (tmp_path / "a.json").read_bytes()
        assert first == (tmp_path / "b.json").read_bytes()
        assert json.loads(first) == {"a": ["é", "\ud800"], "b": 1}
        assert "é".encode() in first

        def full(_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"a\.json cannot be written: No space left"):
            run.write_text("a.json", "half")
    assert (tmp_path / "a.json").read_bytes() == first
    assert not list(tmp_path.glob(".a.json*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_sentence(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(OutputError, match="cannot be written"):
        RunFolder.open(tmp_path / "run", ASK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
def test_a_path_that_can_never_be_written_is_one_sentence():
    with pytest.raises(OutputError, match="cannot be written"):
        RunFolder.open(Path("/dev/full/run"), ASK)


def test_a_full_disk_is_told_by_the_journal_and_loses_nothing(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.put("kept", "v")
    journal._db.execute("pragma max_page_count = 4")
    with pytest.raises(OutputError, match="full"):
        journal.put("big", "x" * 100_000)
    assert (journal.get("kept"), journal.get("big")) == ("v", None)
    journal.close()


def test_a_journal_is_read_where_nothing_can_be_written(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    journal.remember({"model": "m"})
    journal.put("k", "v")
    journal.close()
    reader = Journal(tmp_path / "journal.sqlite", read_only=True)
    assert reader.get("k") == "v"
    assert list(reader.identities().values()) == [{"model": "m"}]
    with pytest.raises(OutputError):
        reader.put("k", "w")
    reader.close()


def test_what_is_no_journal_is_said_so(tmp_path):
    with pytest.raises(InputError, match="There is no journal"):
        Journal(tmp_path / "none.sqlite", read_only=True)
    (tmp_path / "text").write_text("hello " * 1000)
    with pytest.raises(InputError, match="is not a journal"):
        Journal(tmp_path / "text", read_only=True)
    with pytest.raises(OutputError):
        Journal(tmp_path / "text")
    sqlite3.connect(tmp_path / "other.sqlite").execute("create table a (b)").connection.close()
    with pytest.raises(InputError, match="is not a journal"):
        Journal(tmp_path / "other.sqlite", read_only=True)
