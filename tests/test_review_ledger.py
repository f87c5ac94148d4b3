"""Decisions: on disk at once, never rewritten, whole after a kill at any byte."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench.errors import InputError, OutputError
from halubench.review.ledger import OPINIONS, Decision, Ledger, ledgers, read

STEPS = st.lists(
    st.one_of(
        st.none(),
        st.builds(
            Decision,
            st.sampled_from("abc"),
            st.sampled_from(OPINIONS),
            span=st.text(max_size=5),
            note=st.text(max_size=5),
        ),
    ),
    max_size=12,
)


@given(STEPS)
@settings(max_examples=60)
def test_what_is_read_again_is_what_was_decided(tmp_path_factory, steps) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    ledger = Ledger(folder, "ana")
    for step in steps:
        if step is None:
            ledger.undo()
        else:
            ledger.decide(step)
    ledger.close()
    assert list(read(ledger.path).items()) == list(ledger.decisions.items())


@given(STEPS, st.integers(0, 2000))
@settings(max_examples=60)
def test_a_file_cut_at_any_byte_keeps_every_whole_line(tmp_path_factory, steps, cut: int) -> None:
    folder = tmp_path_factory.mktemp("cut")
    ledger = Ledger(folder, "ana")
    for step in filter(None, steps):
        ledger.decide(step)
    ledger.close()
    whole = ledger.path.read_bytes()
    ledger.path.write_bytes(whole[:cut])
    again = Ledger(folder, "ana")
    known = len(whole[:cut].splitlines(keepends=True)) - (
        1 if whole[:cut] and not whole[:cut].endswith(b"\n") else 0
    )
    again.decide(Decision("z", "PASS"))
    again.close()
    assert len(ledger.path.read_bytes().splitlines()) == known + 1
    assert read(ledger.path)["z"].opinion == "PASS"


def test_a_killed_reviewer_has_lost_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from halubench.review import Decision, Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]), 'ana')\n"
        "for n in range(100000):\n"
        "    ledger.decide(Decision(str(n), 'FAIL')); print(n, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(20)]
    os.kill(process.pid, signal.SIGKILL)
    told += [int(line) for line in process.communicate()[0].split()]
    kept = ledgers(tmp_path)["ana"]
    assert {str(n) for n in told} <= set(kept)
    assert len(kept) <= len(told) + 1


def test_two_windows_of_one_reviewer_are_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "ana")
    with pytest.raises(OutputError, match="another window"):
        Ledger(tmp_path, "ana")
    Ledger(tmp_path, "bo").close()
    ledger.close()
    Ledger(tmp_path, "ana").close()


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 41, "a.b"])
def test_a_name_that_names_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="--reviewer"):
        Ledger(tmp_path, name)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "{",
        "[" * 100_000,
        '{"id": "a"}',
        '{"id": 5, "opinion": "PASS"}',
        '{"id": "a", "opinion": "MAYBE"}',
        '{"id": "a", "opinion": "PASS", "note": ["x"]}',
        '{"id": "a", "opinion": "PASS", "note": "\\ud800"}',
        '{"id": "a", "opinion": "PASS", "seconds": NaN}',
        '{"id": "a", "opinion": "PASS", "seconds": "5"}',
        '{"id": "a", "opinion": "PASS", "label": "PASS"}',
        '{"undo": "b"}',
        '{"undo": ["a"]}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "ana.jsonl"
    path.write_text('{"id": "a", "opinion": "PASS"}\n' + line + "\n")
    with pytest.raises(OutputError, match="line 2 is not a decision"):
        read(path)


def test_an_opinion_that_is_none_and_a_note_without_end_are_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "ana")
    with pytest.raises(InputError, match="is no opinion"):
        ledger.decide(Decision("a", "MAYBE"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="too long"):
        ledger.decide(Decision("a", "PASS", note="x" * 3000))
    with pytest.raises(InputError, match="half a character"):
        ledger.decide(Decision("a", "PASS", span="\ud800"))
    assert ledger.path.read_bytes() == b""
    assert ledger.undo() is None
