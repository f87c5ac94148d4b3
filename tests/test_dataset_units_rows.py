"""Rows in and out: one content whatever the format, and a hash that sees every change."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench import dataset
from halubench.errors import InputError
from halubench.reading import (
    HubId,
    Record,
    _rows,
    check_mapping,
    format_of,
    id_of,
    name_of,
    resolve,
    scan,
    text_fault,
    text_of,
)
from halubench.records import EXAMPLE_FIELDS, Example, Provenance

LETTER = st.characters(codec="utf-8", exclude_characters="\0\r")
TEXT = st.text(LETTER, min_size=1, max_size=12).filter(str.strip)
ROW = st.fixed_dictionaries(
    {"passage": TEXT, "question": TEXT, "answer": TEXT, "label": st.sampled_from(("PASS", "FAIL"))}
)
TABLES = st.lists(ROW, min_size=1, max_size=5).map(
    lambda rows: [{"id": f"r{n}", **row, "source_ds": "own"} for n, row in enumerate(rows)]
)
ROWS = [
    {"id": "1", "passage": "p", "question": "q", "answer": "a", "label": "PASS", "source_ds": "s"},
    {"id": "2", "passage": "P", "question": "Q", "answer": "A", "label": "FAIL", "source_ds": "s"},
]
EXAMPLES = [Example(**row) for row in ROWS]  # type: ignore[arg-type]


def save(path: Path, rows: list[dict[str, str]]) -> Path:
    """The rows in the format that the file's suffix names."""
    kind = format_of(path)
    if kind == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(
                stream,
                rows[0],
                delimiter="," if kind == ".csv" else "\t",
                lineterminator="\n",
                quoting=csv.QUOTE_ALL,
            )
            table.writeheader()
            table.writerows(rows)
    elif kind == ".json":
        path.write_text(json.dumps(rows), "utf-8")
    else:
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        path.write_text("\n".join(lines), "utf-8", newline="\n")
    return path


@given(TABLES)
@settings(max_examples=15)
def test_rows_load_equal_from_every_format(tmp_path_factory, rows: list[dict[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("rows")
    expected = tuple(Example(**row) for row in rows)  # type: ignore[arg-type]
    for suffix in ("jsonl", "json", "csv", "tsv", "parquet"):
        loaded = dataset.load(str(save(folder / f"own.{suffix}", rows)))
        assert loaded.examples == expected
        assert loaded.sha256 == dataset.content_hash(expected)
        assert set(loaded.splits.values()) == {"all"}


@given(TABLES, st.randoms())
@settings(max_examples=15)
def test_what_is_written_is_loaded_in_its_order(tmp_path_factory, rows, random) -> None:
    random.shuffle(rows)
    examples = [Example(**row) for row in rows]
    folder = tmp_path_factory.mktemp("run")
    dataset.write(folder, examples, {e.id: origin(e.id) for e in examples})
    loaded = dataset.load(str(folder))
    assert loaded.examples == tuple(examples)
    assert loaded.sha256 == dataset.content_hash(examples)


def origin(own: str, **changes: object) -> Provenance:
    kinds: dict[str, object] = {"str": "x", "int": 3, "float": 0.5}
    values = {field.name: kinds[str(field.type)] for field in fields(Provenance)}
    return Provenance(**{**values, "id": own, "split": "test", **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [field.name for field in fields(Provenance)][1:])
def test_every_field_of_the_provenance_comes_back(tmp_path: Path, name: str) -> None:
    value = getattr(origin("1"), name)
    changed = f"{value}-é" if isinstance(value, str) else value + 1
    told = {"1": origin("1", **{name: changed}), "2": origin("2")}
    dataset.write(tmp_path, EXAMPLES, told)
    assert dataset.load(str(tmp_path)).provenance == told


@pytest.mark.parametrize("name", EXAMPLE_FIELDS)
@pytest.mark.parametrize("row", [0, 1])
def test_hash_sees_a_change_of_any_column_in_any_row(name: str, row: int) -> None:
    changed = list(EXAMPLES)
    value = getattr(changed[row], name)
    other = {"PASS": "FAIL", "FAIL": "PASS"}.get(value, f"{value} ")
    changed[row] = replace(changed[row], **{name: other})
    assert dataset.content_hash(changed) != dataset.content_hash(EXAMPLES)


@pytest.mark.parametrize(("one", "other"), list(pairwise(EXAMPLE_FIELDS[:4])))
def test_hash_sees_text_that_moves_to_the_next_column(one: str, other: str) -> None:
    plain = replace(EXAMPLES[0], **{one: "ab", other: "c"})
    moved = replace(EXAMPLES[0], **{one: "a", other: "bc"})
    assert dataset.content_hash([plain]) != dataset.content_hash([moved])


@given(st.permutations(range(4)))
def test_hash_sees_the_order_of_rows(order: list[int]) -> None:
    rows = [replace(EXAMPLES[0], id=str(n)) for n in range(4)]
    same = dataset.content_hash(rows[n] for n in order) == dataset.content_hash(rows)
    assert same is (list(order) == sorted(order))


def test_hash_sees_how_many_rows_there_are() -> None:
    hashes = {dataset.content_hash(EXAMPLES[:1] * n) for n in range(4)}
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("ref", "place"),
    [
        ("org/name", HubId("org/name")),
        ("hf:org/name", HubId("org/name")),
        ("org/name@v1.0", HubId("org/name", "v1.0")),
        ("org/name@refs/convert", HubId("org/name", "refs/convert")),
        ("hf:name", HubId("name")),
        ("hf:name@main", HubId("name", "main")),
        ("hf:org/data.csv", HubId("org/data.csv")),
    ],
)
def test_a_name_that_is_no_path_is_of_the_hub(tmp_path, monkeypatch, ref, place) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve(ref) == place


@pytest.mark.parametrize(
    "ref", ["", "  ", "name", "own.jsonl", "org/own.csv", "a/b/c", "org/na me", "org/name@", "hf:"]
)
def test_a_name_that_can_be_neither_is_refused(tmp_path, monkeypatch, ref: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        resolve(ref)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "suffix", "short"),
    [
        ("dev.jsonl", ".jsonl", "dev"),
        ("dev.jsonl.gz", ".jsonl", "dev"),
        ("DEV.CSV", ".csv", "DEV"),
        ("a.b.parquet", ".parquet", "a.b"),
        ("plain", "", "plain"),
        ("dev.gz", "", "dev"),
    ],
)
def test_format_and_name_of_a_file(name: str, suffix: str, short: str) -> None:
    assert format_of(Path("folder") / name) == suffix
    assert name_of(Path("folder") / name) == short


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ([{"a": 1}], [{"a": 1}]),
        ([], []),
        ({"data": [{"a": 1}, {"a": 2}], "version": 1}, [{"a": 1}, {"a": 2}]),
        ({"k": {"a": 1}, "l": {"a": 2}}, [{"_key": "k", "a": 1}, {"_key": "l", "a": 2}]),
        ({"a": 1, "b": 2}, [{"a": 1, "b": 2}]),
        ({"a": [1, 2]}, [{"a": [1, 2]}]),
        ({"a": [{}], "b": [{}]}, [{"a": [{}], "b": [{}]}]),
        ({"a": []}, [{"a": []}]),
        ({}, []),
        (3, [3]),
    ],
)
def test_rows_of_a_json_document(document: object, rows: list[object]) -> None:
    assert _rows(document) == rows


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("x", ""),
        (" x ", ""),
        ("", "is empty"),
        (" \n\t", "is empty"),
        (None, "is no text but NoneType"),
        (3, "is no text but int"),
        (["x"], "is no text but list"),
        ("x\ud800", "holds half a character (a lone surrogate)"),
        ("\U0001f600", ""),
    ],
)
def test_fault_of_a_text(value: object, fault: str) -> None:
    assert text_fault(value) == fault


@pytest.mark.parametrize(
    ("row", "mapping", "own"),
    [
        ({"id": "x"}, None, "x"),
        ({"id": 7}, None, "7"),
        ({"id": 0}, None, "0"),
        ({"id": None}, None, None),
        ({}, None, None),
        ({"uid": "u", "id": "x"}, {"id": "uid"}, "u"),
        ({"uid": 12, "id": "x"}, {"id": "uid"}, "12"),
    ],
)
def test_id_of_a_row(row: dict[str, object], mapping, own: str | None) -> None:
    assert id_of(Record(Path("own.csv"), 1, row), mapping) == own


@pytest.mark.parametrize(
    ("row", "mapping"),
    [
        ({"id": ""}, None),
        ({"id": True}, None),
        ({"id": 1.5}, None),
        ({"id": ["x"]}, None),
        ({"id": "x"}, {"id": "uid"}),
        ({"uid": None}, {"id": "uid"}),
    ],
)
def test_an_id_that_is_none_is_refused_with_its_place(row: dict[str, object], mapping) -> None:
    with pytest.raises(InputError, match=r"own\.csv, row 4 \(line 6\).* id"):
        id_of(Record(Path("own.csv"), 4, row, 6), mapping)


def test_text_of_a_renamed_field_names_both_names() -> None:
    record = Record(HubId("org/name", split="dev"), 2, {"ctx": "", "q": "Which?"})
    assert text_of(record, "question", {"question": "q"}) == "Which?"
    with pytest.raises(InputError, match=r"org/name \(dev\), row 2: the passage \(column ctx\) is"):
        text_of(record, "passage", {"passage": "ctx"})
    with pytest.raises(InputError, match="has no answer; its columns are: ctx, q"):
        text_of(record, "answer")


def test_mapping_targets_are_checked_one_by_one() -> None:
    check_mapping(None, ())
    check_mapping({"a": "x"}, ("a", "b"))
    with pytest.raises(InputError, match="--map c=") as caught:
        check_mapping({"a": "x", "c": "y"}, ("a", "b"))
    assert "a, b" in caught.value.remedy


@pytest.mark.parametrize("cut", [1, 12, 30])
def test_gzip_that_breaks_off_is_one_sentence(tmp_path: Path, cut: int) -> None:
    packed = gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in ROWS))
    path = tmp_path / "own.jsonl.gz"
    path.write_bytes(packed[:-cut])
    with pytest.raises(InputError, match="is not a whole gzip file"):
        list(scan(path))


@given(
    st.lists(st.sampled_from(("", "{}", '{"a": 1}', "  ")), max_size=8).filter(
        lambda t: any(map(str.strip, t))
    )
)
@settings(max_examples=25)
def test_empty_lines_count_as_lines_but_not_as_rows(tmp_path_factory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("lines") / "own.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    found = [(record.row, record.line) for record in scan(path)]
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    assert found == list(enumerate(filled, 1))


@pytest.mark.parametrize("label", ["pass", "Pass", " PASS", "FAIL ", "", "1", 1, 0, True, None])
def test_a_label_is_taken_letter_by_letter(tmp_path: Path, label: object) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text(json.dumps({**ROWS[0], "label": label}), "utf-8")
    with pytest.raises(InputError, match=r"own\.jsonl, row 1 .* label"):
        dataset.load(str(path))
