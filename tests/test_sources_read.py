"""Choosing a source: detection, forcing, the user's own tables, plug-ins, and what is refused."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest

from halubench import content
from halubench.errors import InputError, MissingExtraError
from halubench.reading import KEY, read_records
from halubench.sources import SourceOptions, read

ROW = {"passage": "The mill opened in 1901.", "question": "When?", "answer": "In 1901"}


def lines(path: Path, *rows: dict[str, object]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_own_table_goes_by_its_name(tmp_path: Path) -> None:
    source = read(
        lines(tmp_path / "mill.jsonl", ROW, {**ROW, "question": "Since?"}), SourceOptions()
    )
    assert (source.name, source.domain, source.license) == ("mill", "general", "unstated")
    assert [item.source_ds for item in source.items] == ["mill", "mill"]
    assert source.items[0].id != source.items[1].id
    assert source.items[0].aliases == ("In 1901",)
    assert source.rows == 2


def test_own_table_may_say_more_and_options_override(tmp_path: Path) -> None:
    extra = {"id": 4, "domain": "finance", "license": "MIT", "title": "T", "aliases": ["1901"]}
    path = lines(tmp_path / "mill.jsonl", {**ROW, **extra})
    item = read(path, SourceOptions()).items[0]
    assert (item.id, item.domain, item.aliases) == ("4", "finance", ("In 1901", "1901"))
    assert item.meta == {"license": "MIT", "title": "T"}
    mixed = read(lines(tmp_path / "mixed.jsonl", {**ROW, **extra}, ROW), SourceOptions())
    assert (mixed.license, mixed.domain) == ("MIT, unstated", "finance, general")
    source = read(path, SourceOptions(domain="medical", license="CC0-1.0"))
    assert (source.domain, source.items[0].domain) == ("medical", "medical")
    assert (source.license, source.items[0].meta["license"]) == ("CC0-1.0", "CC0-1.0")


def test_mapping_makes_any_file_a_table(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["text", "ask", "reply"], ["p", "q", "a"]])
    mapping = {"passage": "text", "question": "ask", "answer": "reply"}
    item = read(str(path), SourceOptions(mapping=mapping)).items[0]
    assert (item.passage, item.question, item.answer) == ("p", "q", "a")
    with pytest.raises(
        InputError, match=r"passage \(column ctx\); its columns are: text, ask, reply"
    ):
        read(str(path), SourceOptions(mapping={**mapping, "passage": "ctx"}))
    with pytest.raises(InputError, match="--map context"):
        read(str(path), SourceOptions(mapping={"context": "text"}))


def test_rows_labelled_fail_are_no_gold(tmp_path: Path) -> None:
    rows = [{**ROW, "label": "PASS"}, {**ROW, "answer": "In 1902", "label": "FAIL"}]
    source = read(lines(tmp_path / "six.jsonl", *rows), SourceOptions())
    assert [item.answer for item in source.items] == ["In 1901"]
    assert (source.rows, source.rejected[0].stage) == (2, "ingest")
    assert "FAIL" in source.rejected[0].reason


@pytest.mark.parametrize("field", ["passage", "question", "answer"])
@pytest.mark.parametrize("value", ["", "  ", None, 7])
def test_empty_field_of_own_table_names_file_row_and_field(tmp_path, field, value) -> None:
    path = lines(tmp_path / "mine.jsonl", ROW, {**ROW, field: value})
    with pytest.raises(InputError) as caught:
        read(path, SourceOptions())
    assert f"{path}, row 2 (line 2): the {field}" in str(caught.value)
    assert caught.value.remedy


def test_repeated_id_names_both_rows_and_repeated_row_is_counted(tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", {**ROW, "id": "a"}, ROW, {**ROW, "id": "a"})
    with pytest.raises(InputError, match=r"row 3 .*'a' of .*row 1 "):
        read(path, SourceOptions())
    source = read(lines(tmp_path / "twice.jsonl", ROW, ROW), SourceOptions())
    assert (source.rows, len(source.items), len(source.rejected)) == (2, 1, 1)


def test_unknown_format_says_what_was_tried(tmp_path: Path) -> None:
    path = lines(tmp_path / "odd.jsonl", {"text": "t", "summary": "s"})
    with pytest.raises(InputError) as caught:
        read(path, SourceOptions())
    for name in (*content.module_names("sources"), "text, summary", "--map passage=", path):
        assert name in str(caught.value)


def test_scheme_forces_a_format_and_refuses_another(tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", ROW)
    assert read(f"table:{path}", SourceOptions()).rows == 1
    with pytest.raises(InputError, match="not in the format of drop"):
        read(f"drop:{path}", SourceOptions())
    with pytest.raises(InputError, match="'dorp' is not one of the known sources"):
        read(f"dorp:{path}", SourceOptions())
    with pytest.raises(InputError, match="'s3' is not one of the known sources"):
        read("s3://bucket/mine.jsonl", SourceOptions())
    with pytest.raises(InputError, match="is empty"):
        read("", SourceOptions())


def test_file_that_leaves_its_format_midway_is_one_sentence(tmp_path: Path) -> None:
    rows = [{"paragraphs": [{"context": "c", "qas": []}]}, {"paragraphs": ["c"]}]
    with pytest.raises(InputError, match="breaks off from the format of covidQA"):
        read(lines(tmp_path / "squad.jsonl", *rows), SourceOptions())


def test_bare_documents_are_told_that_questions_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "leaflet.md").write_text("Take one a day.", encoding="utf-8")
    with pytest.raises(InputError, match="is a folder") as caught:
        read(str(tmp_path), SourceOptions())
    assert "asks no questions of bare documents" in caught.value.remedy
    with pytest.raises(InputError, match=r"leaflet\.md is no table") as caught:
        read(str(tmp_path / "leaflet.md"), SourceOptions())
    assert "a passage, a question and an answer" in caught.value.remedy


def test_folder_broken_gzip_and_missing_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        read(str(tmp_path), SourceOptions())
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(json.dumps(ROW).encode())[:-9])
    with pytest.raises(InputError, match=r"a\.jsonl\.gz is not a whole gzip file"):
        read(str(tmp_path / "a.jsonl.gz"), SourceOptions())
    with pytest.raises(InputError, match=r"Did you mean .*a\.jsonl\.gz"):
        read(str(tmp_path / "b.jsonl.gz"), SourceOptions())


def test_hub_dataset_goes_through_the_same_detection(monkeypatch) -> None:
    datasets = pytest.importorskip("datasets")
    parts = {"train": [ROW], "test": [{**ROW, "question": "Since?"}]}
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: parts)
    source = read("hf:owner-without-folder/mills@main", SourceOptions())
    assert (source.name, source.rows) == ("mills", 2)
    assert {item.source_ds for item in source.items} == {"mills"}


def test_hub_without_the_library_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"halubench\[hub\]"):
        read("owner-without-folder/mills", SourceOptions())


PLUGIN = """
from halubench.records import Item

NAME, DOMAIN, LICENSE = "Riddles", "general", "CC0-1.0"

def matches(record):
    return "riddle" in record

def items(records, options):
    for record in records:
        yield Item(NAME, str(record.row), DOMAIN, record.fields["hint"], record.fields["riddle"], "an egg")
"""


def test_one_new_file_is_a_new_source(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("halubench.d/sources").mkdir(parents=True)
    Path("halubench.d/sources/riddles.py").write_text(PLUGIN, encoding="utf-8")
    source = read(
        lines(tmp_path / "r.jsonl", {"riddle": "?", "hint": "It is white."}), SourceOptions()
    )
    assert (source.name, source.items[0].answer) == ("Riddles", "an egg")
    assert source.items[0].meta["license"] == "CC0-1.0"


UPSTREAM = Path(__file__).parents[2] / "shared" / "data" / "upstream"


def questions(record: dict[str, object]) -> int:
    """How many questions one upstream record asks, counted without the sources."""
    if "questions" in record:
        return len(record["questions"])  # type: ignore[arg-type]
    if "paragraphs" in record:
        return sum(len(p["qas"]) for p in record["paragraphs"])  # type: ignore[attr-defined]
    return 1


@pytest.mark.shared
@pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the real upstream files are not here")
@pytest.mark.parametrize(
    ("name", "source_ds"),
    [
        ("drop_v0_dev.jsonl.gz", "DROP"),
        ("pubmedqa_ori_pqal.json.gz", "pubmedQA"),
        ("covidqa_squad.json.gz", "covidQA"),
        ("financebench_open_source.jsonl.gz", "FinanceBench"),
        ("tatqa_dataset_dev.json.gz", "TATQA"),
    ],
)
def test_real_upstream_file(name: str, source_ds: str) -> None:
    records = [record for _, record in read_records(UPSTREAM / name)]
    source = read(str(UPSTREAM / name), SourceOptions())
    assert source.name == source_ds
    assert source.rows == len(source.items) + len(source.rejected) == sum(map(questions, records))
    assert len({item.id for item in source.items}) == len(source.items)
    for item in source.items:
        assert item.source_ds == source_ds
        assert item.passage.strip()
        assert item.question.strip()
        assert item.answer.strip()
        assert item.answer in item.aliases
        assert item.meta["license"] == source.license
        assert KEY not in item.passage
        if "support" in item.meta:
            low, high = item.meta["support"]  # type: ignore[misc]
            assert item.passage[low:high] == item.answer
            assert len(item.passage) <= SourceOptions().max_passage_chars
