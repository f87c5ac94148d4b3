"""Reading table files: every format gives the same rows, every fault names its place."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import dataset, reading
from halubench.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    {
        "id": f"r{n}",
        "passage": f"Passage {n}, with a comma\nand a second line.",
        "question": "What is “it”?",
        "answer": f"It is {n}.",
        "label": ("PASS", "FAIL")[n % 2],
        "source_ds": "mine",
    }
    for n in range(5)
]


def as_json_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def as_json(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text(json.dumps({"version": "1", "data": rows}), encoding="utf-8")


def as_csv(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter)
        table.writeheader()
        table.writerows(rows)


def as_tsv(path: Path, rows: list[dict[str, str]]) -> None:
    as_csv(path, rows, "\t")


def as_parquet(path: Path, rows: list[dict[str, str]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


WRITERS = {
    "jsonl": as_json_lines,
    "json": as_json,
    "csv": as_csv,
    "tsv": as_tsv,
    "parquet": as_parquet,
}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_csv_as_spreadsheets_save_it_elsewhere_gives_the_same_rows(tmp_path, delimiter) -> None:
    as_csv(tmp_path / "rows.csv", ROWS, delimiter)
    as_json_lines(tmp_path / "rows.jsonl", ROWS)
    one, other = (dataset.load(str(tmp_path / f"rows.{suffix}")) for suffix in ("csv", "jsonl"))
    assert one.examples == other.examples


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str, packed: bool) -> None:
    path = tmp_path / f"rows.{suffix}"
    WRITERS[suffix](path, ROWS)
    if packed:
        whole = path
        path = tmp_path / f"rows.{suffix}.gz"
        path.write_bytes(gzip.compress(whole.read_bytes()))
    assert list(dataset.read_records(path)) == list(enumerate(ROWS, 1))
    loaded = dataset.load(str(path))
    assert [example.id for example in loaded.examples] == [row["id"] for row in ROWS]
    assert loaded.name == "rows"
    assert set(loaded.splits.values()) == {"all"}


def test_json_object_of_objects_keeps_its_names(tmp_path: Path) -> None:
    path = tmp_path / "keyed.json"
    path.write_text(json.dumps({"a": {"x": 1}, "b": {"x": 2}}), encoding="utf-8")
    records = [record for _, record in dataset.read_records(path)]
    assert records == [{reading.KEY: "a", "x": 1}, {reading.KEY: "b", "x": 2}]


def test_long_csv_field_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    as_csv(path, [{**ROWS[0], "passage": "x" * 300_000}])
    assert len(dataset.load(str(path)).examples[0].passage) == 300_000


def packed_and_cut(folder: Path) -> Path:
    path = folder / "cut.jsonl.gz"
    text = "".join(
        json.dumps({**row, "passage": str(n) * 999}) + "\n" for n, row in enumerate(ROWS)
    )
    path.write_bytes(gzip.compress(text.encode())[:-20])
    return path


def no_gzip(folder: Path) -> Path:
    path = folder / "plain.jsonl.gz"
    as_json_lines(path, ROWS)
    return path


def cut_parquet(folder: Path) -> Path:
    path = folder / "cut.parquet"
    as_parquet(path, ROWS)
    path.write_bytes(path.read_bytes()[:-8])
    return path


def bad_line(folder: Path) -> Path:
    path = folder / "bad.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n\n{not json\n", encoding="utf-8")
    return path


def bare_list_line(folder: Path) -> Path:
    path = folder / "list.jsonl"
    path.write_text("[1, 2]\n", encoding="utf-8")
    return path


def lines_named_json(folder: Path) -> Path:
    path = folder / "lines.json"
    as_json_lines(path, ROWS)
    return path


def latin(folder: Path) -> Path:
    path = folder / "latin.csv"
    path.write_bytes("passage,question,answer\ncafé,é,é\n".encode("latin-1"))
    return path


def open_quote(folder: Path) -> Path:
    path = folder / "quote.csv"
    path.write_text('passage,question,answer\n"never closed,b,c\n', encoding="utf-8")
    return path


def ragged(folder: Path) -> Path:
    path = folder / "ragged.csv"
    path.write_text("passage,question,answer\na,b,c\na,b\n", encoding="utf-8")
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.jsonl"
    path.write_text("\n", encoding="utf-8")
    return path


def header_only(folder: Path) -> Path:
    path = folder / "header.csv"
    path.write_text("passage,question,answer\n", encoding="utf-8")
    return path


def spreadsheet(folder: Path) -> Path:
    path = folder / "book.xlsx"
    path.write_bytes(b"PK")
    return path


BROKEN = [
    (packed_and_cut, "not a whole gzip"),
    (no_gzip, "not a whole gzip"),
    (cut_parquet, "cannot be read"),
    (bad_line, "row 2 (line 3) is not JSON"),
    (bare_list_line, "row 1 (line 1) is no JSON object"),
    (lines_named_json, ".jsonl"),
    (latin, "not UTF-8"),
    (open_quote, "row 1 is not valid csv"),
    (ragged, "row 2 (line 3) does not have the header's 3 fields"),
    (empty, "has no rows"),
    (header_only, "has no rows"),
    (spreadsheet, "known: jsonl"),
]


@pytest.mark.parametrize(("make", "expected"), BROKEN, ids=[make.__name__ for make, _ in BROKEN])
def test_broken_file_is_one_sentence(tmp_path: Path, make, expected: str) -> None:
    path = make(tmp_path)
    with pytest.raises(InputError) as caught:
        list(dataset.read_records(path))
    assert str(path) in str(caught.value)
    assert expected.lower() in str(caught.value).lower()


def test_missing_file_suggests_close_names(tmp_path: Path) -> None:
    as_json_lines(tmp_path / "questions.jsonl", ROWS)
    with pytest.raises(InputError, match=r"Did you mean .*questions\.jsonl"):
        dataset.load(str(tmp_path / "question.jsonl"))


@given(st.lists(st.dictionaries(st.text(min_size=1), st.text(), min_size=1), min_size=1))
def test_json_lines_round_trip(tmp_path_factory: pytest.TempPathFactory, rows) -> None:
    path = tmp_path_factory.mktemp("lines") / "rows.jsonl"
    as_json_lines(path, rows)
    assert [record for _, record in dataset.read_records(path)] == rows
