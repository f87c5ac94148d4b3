"""The journal and the keys under which it keeps what was paid for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench.errors import InputError, OutputError
from halubench.run import Journal, canonical, identity_id, publish, request_key

if TYPE_CHECKING:
    from pathlib import Path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True)
class Point:
    x: int
    y: object


@given(JSON)
def test_canonical_text_is_ascii_without_white_space_and_reads_back(value: object) -> None:
    written = canonical(value)
    assert written.isascii()
    assert json.loads(written) == value


@given(st.dictionaries(st.text(), JSON, max_size=5), st.randoms())
@settings(max_examples=40)
def test_canonical_text_does_not_depend_on_the_order_of_names(value, random) -> None:
    names = list(value)
    random.shuffle(names)
    assert canonical({name: value[name] for name in names}) == canonical(value)
    assert identity_id({name: value[name] for name in names}) == identity_id(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        (Point(1, {"z": 2}), '{"x":1,"y":{"z":2}}'),
        (Point(1, Point(2, "é")), '{"x":1,"y":{"x":2,"y":"\\u00e9"}}'),
        (MappingProxyType({"k": (1, 2)}), '{"k":[1,2]}'),
    ],
)
def test_canonical_text_of_objects(value: object, expected: str) -> None:
    assert canonical(value) == expected


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, b"bytes", [1j]], ids=lambda v: type(v).__name__
)
def test_what_is_not_json_has_no_canonical_text(value: object) -> None:
    with pytest.raises(TypeError, match="is not JSON"):
        canonical(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": None}, {}),
        ({"a": True}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": "x "}, {"a": "x"}),
        ({"ab": "c"}, {"a": "bc"}),
    ],
)
def test_engines_and_requests_that_differ_have_other_keys(one, other) -> None:
    assert identity_id(one) != identity_id(other)
    assert request_key(one, "r") != request_key(other, "r")
    assert request_key({}, one) != request_key({}, other)


def test_a_key_does_not_mix_up_engine_and_request() -> None:
    assert request_key({"a": 1}, {"b": 2}) != request_key({"b": 2}, {"a": 1})
    assert len(request_key({}, {})) == 64
    assert len(identity_id({})) == 16


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=6))
@settings(max_examples=20)
def test_what_is_put_is_got_after_reopening(tmp_path_factory, answers: dict[str, str]) -> None:
    storable = {k: v for k, v in answers.items() if _utf8(k + v) and "\0" not in k + v}
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    journal = Journal(path)
    for key, payload in storable.items():
        journal.put(key, payload)
    assert len(journal) == len(storable)
    journal.close()
    again = Journal(path, read_only=True)
    assert {key: again.get(key) for key in storable} == storable
    again.close()


def test_many_are_got_as_one_by_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    known = [f"{number:064x}" for number in range(3000)]
    journal.put_all([(key, f"payload of {key}") for key in known])
    asked = [*known[::3], "absent", known[0]]
    assert journal.get_all(asked) == {key: journal.get(key) for key in known[::3]}
    assert journal.get_all([]) == {}
    journal.close()


def _utf8(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def test_the_last_payload_under_a_key_counts_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    assert journal.get("k") is None
    journal.put("k", "first")
    journal.put("k", "second")
    journal.put("K", "another")
    assert (journal.get("k"), journal.get("K"), len(journal)) == ("second", "another", 2)
    journal.close()


def test_engines_are_remembered_once_under_their_id(tmp_path: Path) -> None:
    engines = [{"model": "a", "n": 1}, {"model": "b", "deep": {"x": [1, None]}}, {"model": "é"}]
    journal = Journal(tmp_path / "journal.sqlite")
    for engine in [*engines, *engines]:
        journal.remember(engine)
    found = journal.identities()
    assert found == {identity_id(engine): engine for engine in engines}
    assert list(found) == sorted(found)
    assert len(journal) == 0
    journal.close()


def test_a_journal_opened_to_read_can_not_be_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal(path)
    journal.put("k", "v")
    journal.close()
    before = path.read_bytes()
    reader = Journal(path, read_only=True)
    with pytest.raises(OutputError, match="cannot be written"):
        reader.put("k", "other")
    with pytest.raises(OutputError, match="cannot be written"):
        reader.remember({"model": "m"})
    assert reader.get("k") == "v"
    reader.close()
    assert path.read_bytes() == before


def test_a_journal_is_read_while_it_is_written(tmp_path: Path) -> None:
    writer = Journal(tmp_path / "journal.sqlite")
    writer.put("k", "v")
    reader = Journal(tmp_path / "journal.sqlite", read_only=True)
    writer.put("l", "w")
    assert (reader.get("k"), reader.get("l")) == ("v", "w")
    reader.close()
    writer.close()


@pytest.mark.parametrize("make", [None, b"", b"no database at all, only text" * 50])
def test_what_is_no_journal_is_an_input_error(tmp_path: Path, make: bytes | None) -> None:
    path = tmp_path / "journal.sqlite"
    if make is not None:
        path.write_bytes(make)
    with pytest.raises(InputError, match="journal"):
        Journal(path, read_only=True)
    assert path.exists() is (make is not None)


def _report(version: int, family: str = "halubench/report") -> dict[str, str]:
    return {
        "report.json": json.dumps({"format": f"{family}/{version}"}),
        "report.md": f"v{version}",
    }


def test_published_files_are_replaced_by_their_own_command_only(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    first = publish(folder, _report(1), "report.json")
    assert [path.name for path in first] == ["report.json", "report.md"]
    publish(folder, _report(2), "report.json")
    assert (folder / "report.md").read_text() == "v2"
    with pytest.raises(OutputError, match="not of this command"):
        publish(folder, _report(1, "halubench/other"), "report.json")
    assert (folder / "report.md").read_text() == "v2"
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md"]


@pytest.mark.parametrize("mark", [None, "", "[]", "{}", "not json", '{"format": 3}'])
def test_files_of_something_else_are_never_overwritten(tmp_path: Path, mark: str | None) -> None:
    (tmp_path / "report.md").write_text("mine")
    if mark is not None:
        (tmp_path / "report.json").write_text(mark)
    with pytest.raises(OutputError, match="not of this command"):
        publish(tmp_path, _report(1), "report.json")
    assert (tmp_path / "report.md").read_text() == "mine"


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    publish(tmp_path, _report(1), "report.json")
    assert (tmp_path / "notes.txt").read_text() == "mine"
