"""Datasets in the six columns: what loads, what is refused and how, and what is written."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_dataset_files import ROWS, as_csv, as_json_lines

from halubench import dataset, reading
from halubench.errors import InputError, MissingExtraError, OutputError
from halubench.records import EXAMPLE_FIELDS, Example, Provenance

HUB_ID = "NAMESPACE-WITHOUT-FOLDER/NAME"


def provenance_of(example: Example, split: str) -> Provenance:
    return Provenance(
        id=example.id, pair_id="p", item_id="i", group="g", split=split, domain="general",
        perturbation="number", relation="contradiction", level="L1", edit_old="1", edit_new="2",
        change_made="1 became 2", evidence="", base=example.answer, generator="rules",
        prompt_hash="", seed=7, votes="[]", hardness=0.25, license="MIT",
    )  # fmt: skip


def test_mapping_renames_and_extra_columns_are_left_aside(tmp_path: Path) -> None:
    rows = [{("context" if k == "passage" else k): v for k, v in row.items()} for row in ROWS]
    as_csv(tmp_path / "mine.csv", [{**row, "note": "n"} for row in rows])
    loaded = dataset.load(str(tmp_path / "mine.csv"), mapping={"passage": "context"})
    assert [example.passage for example in loaded.examples] == [row["passage"] for row in ROWS]


def test_unknown_mapping_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--map context"):
        dataset.load(str(tmp_path), mapping={"context": "passage"})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"passage": " "}, "row 3 (line 3): the passage is empty"),
        ({"question": ""}, "row 3 (line 3): the question is empty"),
        ({"answer": None}, "row 3 (line 3): the answer is empty"),
        ({"answer": 5}, "row 3 (line 3): the answer is no text but int"),
        ({"answer": "\ud83d"}, "half a character"),
        ({"label": "true"}, "label is 'true'"),
        ({"label": 1}, "label is 1"),
        ({"label": "faithful"}, "label is 'faithful'"),
        ({"label": "fail"}, "label is 'fail'"),
        ({"label": ""}, "label is empty"),
        ({"id": "r0"}, "the id 'r0' of"),
    ],
)
def test_bad_row_names_file_row_and_field(tmp_path: Path, change, expected: str) -> None:
    path = tmp_path / "rows.jsonl"
    as_json_lines(path, [*ROWS[:2], {**ROWS[2], **change}])
    with pytest.raises(InputError) as caught:
        dataset.load(str(path))
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert caught.value.remedy


def test_duplicate_id_names_both_rows(tmp_path: Path) -> None:
    as_json_lines(tmp_path / "rows.jsonl", [ROWS[0], ROWS[1], ROWS[0]])
    with pytest.raises(InputError, match=r"row 3 .*row 1 "):
        dataset.load(str(tmp_path / "rows.jsonl"))


def test_absent_column_lists_the_columns_there_are(tmp_path: Path) -> None:
    as_csv(tmp_path / "rows.csv", [{"context": "c", "question": "q"}])
    with pytest.raises(InputError, match=r"no passage; its columns are: context, question"):
        dataset.load(str(tmp_path / "rows.csv"))
    with pytest.raises(InputError, match=r"passage \(column text\)"):
        dataset.load(str(tmp_path / "rows.csv"), mapping={"passage": "text"})


def test_rows_without_id_get_ids_that_do_not_tell_the_label(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k not in ("id", "source_ds")} for row in ROWS]
    flipped = [{**row, "label": "PASS"} for row in bare]
    as_json_lines(tmp_path / "bare.jsonl", [*bare, bare[0]])
    loaded = dataset.load(str(tmp_path / "bare.jsonl"))
    ids = [example.id for example in loaded.examples]
    assert len(set(ids)) == len(ids)
    assert {example.source_ds for example in loaded.examples} == {"bare"}
    as_json_lines(tmp_path / "bare.jsonl", [*flipped, flipped[0]])
    assert [example.id for example in dataset.load(str(tmp_path / "bare.jsonl")).examples] == ids


def test_whole_number_ids_are_written_out(tmp_path: Path) -> None:
    as_json_lines(tmp_path / "rows.jsonl", [{**ROWS[0], "id": 12}])  # type: ignore[dict-item]
    assert dataset.load(str(tmp_path / "rows.jsonl")).examples[0].id == "12"


def test_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no dataset"):
        dataset.load(str(tmp_path))


TEXT = st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip)


@st.composite
def rows_with_provenance(draw) -> tuple[list[Example], dict[str, Provenance]]:
    count = draw(st.integers(1, 8))
    examples = [
        Example(
            f"id{n}", *(draw(TEXT) for _ in range(3)), draw(st.sampled_from(("PASS", "FAIL"))), "s"
        )
        for n in range(count)
    ]
    splits = st.sampled_from(("train", "validation", "test"))
    return examples, {e.id: provenance_of(e, draw(splits)) for e in examples}


@given(rows_with_provenance())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_write_then_load_gives_the_same_rows(tmp_path_factory, drawn) -> None:
    examples, provenance = drawn
    folder = tmp_path_factory.mktemp("run")
    dataset.write(folder, examples, provenance)
    loaded = dataset.load(str(folder))
    assert sorted(loaded.examples, key=lambda e: e.id) == examples
    assert loaded.provenance == provenance
    assert loaded.splits == {key: origin.split for key, origin in provenance.items()}
    for split in set(loaded.splits.values()):
        part = dataset.load(str(folder), split=split)
        expected = [e for e in examples if provenance[e.id].split == split]
        assert list(part.examples) == expected
        assert set(part.provenance) == {e.id for e in expected}


EXAMPLES = [Example(**row) for row in ROWS]  # type: ignore[arg-type]
ORIGINS = {e.id: provenance_of(e, "test" if n % 2 else "train") for n, e in enumerate(EXAMPLES)}


def test_written_table_has_the_six_string_columns_and_the_same_bytes_each_time(
    tmp_path: Path,
) -> None:
    first = dataset.write(tmp_path / "a", EXAMPLES, ORIGINS)
    again = dataset.write(tmp_path / "b", EXAMPLES, ORIGINS)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    for path in (tmp_path / "a" / "data").glob("*.parquet"):
        schema = pq.read_schema(path)
        assert tuple(schema.names) == EXAMPLE_FIELDS
        assert {str(kind) for kind in schema.types} == {"string"}
        twin = tmp_path / "a" / "provenance" / path.name
        assert pq.read_table(path)["id"].equals(pq.read_table(twin)["id"])


def test_splits_that_are_gone_leave_no_file(tmp_path: Path) -> None:
    dataset.write(tmp_path, EXAMPLES, ORIGINS)
    dataset.write(tmp_path, EXAMPLES, {k: replace(o, split="train") for k, o in ORIGINS.items()})
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["train.parquet"]
    assert len(dataset.load(str(tmp_path)).examples) == len(EXAMPLES)


def test_unknown_split_lists_those_there_are(tmp_path: Path) -> None:
    dataset.write(tmp_path, EXAMPLES, ORIGINS)
    with pytest.raises(InputError, match=r"Its splits: test, train\."):
        dataset.load(str(tmp_path), split="dev")


def test_foreign_provenance_table_is_refused(tmp_path: Path) -> None:
    dataset.write(tmp_path, EXAMPLES, ORIGINS)
    (tmp_path / "data" / "test.parquet").replace(tmp_path / "provenance" / "test.parquet")
    with pytest.raises(InputError, match="provenance table"):
        dataset.load(str(tmp_path))


def test_row_without_provenance_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="r4"):
        dataset.write(tmp_path, EXAMPLES, {k: o for k, o in ORIGINS.items() if k != "r4"})
    assert not list(tmp_path.iterdir())


def test_folder_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="taken"):
        dataset.write(tmp_path / "taken", EXAMPLES, ORIGINS)


def test_full_disk_keeps_the_earlier_file_whole(tmp_path: Path, monkeypatch) -> None:
    dataset.write(tmp_path, EXAMPLES, ORIGINS)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}

    def full(table: object, stream, **_: object) -> None:
        stream.write(b"half")
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(dataset.pq, "write_table", full)
    with pytest.raises(OutputError, match="No space left"):
        dataset.write(tmp_path, [replace(e, answer="other") for e in EXAMPLES], ORIGINS)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_content_hash_sees_every_field_and_the_order() -> None:
    hashes = {dataset.content_hash(EXAMPLES), dataset.content_hash(EXAMPLES[::-1])}
    for name in EXAMPLE_FIELDS:
        changed = replace(EXAMPLES[0], **{name: "FAIL" if name == "label" else "other"})
        hashes.add(dataset.content_hash([changed, *EXAMPLES[1:]]))
    assert len(hashes) == 2 + len(EXAMPLE_FIELDS)


CARD = """---
configs:
- config_name: rows
  default: true
  data_files:
  - {split: train, path: data/train.parquet}
  - {split: test, path: data/test.parquet}
- config_name: provenance
  data_files:
  - {split: train, path: provenance/train.parquet}
  - {split: test, path: provenance/test.parquet}
---
"""


def test_layout_loads_with_the_datasets_library(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    dataset.write(tmp_path / "ours", EXAMPLES, ORIGINS)
    (tmp_path / "ours" / "README.md").write_text(CARD, encoding="utf-8")
    for config in ("rows", "provenance"):
        loaded = datasets.load_dataset(
            str(tmp_path / "ours"), config, cache_dir=str(tmp_path / "cache")
        )
        assert {name: part.num_rows for name, part in loaded.items()} == {"train": 3, "test": 2}
    plain = datasets.load_dataset(str(tmp_path / "ours"), cache_dir=str(tmp_path / "cache"))
    assert plain["train"].column_names == list(EXAMPLE_FIELDS)


def hub(monkeypatch, loader) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets, "load_dataset", loader)


def test_hub_dataset_is_read_split_by_split(monkeypatch) -> None:
    asked: list[tuple[str, object]] = []

    def load_dataset(
        name: str, config: object, revision: object
    ) -> dict[str, list[dict[str, str]]]:
        assert config is None
        asked.append((name, revision))
        return {"train": ROWS[:3], "test": ROWS[3:]}

    hub(monkeypatch, load_dataset)
    loaded = dataset.load(f"{HUB_ID}@v1.0")
    assert asked == [(HUB_ID, "v1.0")]
    assert loaded.name == "NAME"
    assert loaded.splits["r0"] == "train"
    assert [e.id for e in dataset.load(f"hf:{HUB_ID}", split="test").examples] == ["r3", "r4"]
    with pytest.raises(InputError, match="Its splits: train, test"):
        dataset.load(HUB_ID, split="dev")


def test_hub_row_is_named_with_its_split(monkeypatch) -> None:
    hub(monkeypatch, lambda *_, **__: {"test": [{**ROWS[0], "answer": ""}]})
    with pytest.raises(InputError, match=r"NAME \(test\), row 1: the answer is empty"):
        dataset.load(HUB_ID)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionError("no route"), "cannot be reached"),
        (ValueError("Config name is missing.\nmore"), "Config name is missing."),
    ],
)
def test_hub_failure_is_one_sentence(monkeypatch, error: Exception, expected: str) -> None:
    def load_dataset(*_: object, **__: object) -> None:
        raise error

    hub(monkeypatch, load_dataset)
    with pytest.raises(InputError, match=expected) as caught:
        dataset.load(HUB_ID)
    assert HUB_ID in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_hub_dataset_is_one_sentence(monkeypatch) -> None:
    exceptions = pytest.importorskip("datasets.exceptions")

    def load_dataset(*_: object, **__: object) -> None:
        raise exceptions.DatasetNotFoundError("gone")

    hub(monkeypatch, load_dataset)
    with pytest.raises(InputError, match="no such dataset"):
        dataset.load(HUB_ID)


def test_hub_without_the_library_names_the_extra(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"halubench\[hub\]"):
        dataset.load(HUB_ID)


def test_local_path_comes_before_the_hub(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("owner").mkdir()
    dataset.write(Path("owner/name"), EXAMPLES, ORIGINS)
    assert len(dataset.load("owner/name").examples) == len(EXAMPLES)
    with pytest.raises(InputError, match=r"Did you mean owner/name\?"):
        dataset.load("owner/nam")
    assert reading.resolve("other/name") == reading.HubId("other/name")
    assert reading.resolve("hf:squad@main") == reading.HubId("squad", "main")


SHARED = Path(__file__).parents[2] / "shared" / "data" / "halubench_dev"


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"{SHARED.name} is not here")
def test_real_files_keep_every_row() -> None:
    for path in SHARED.iterdir():
        counted = sum(1 for _ in dataset.read_records(path))
        loaded = dataset.load(str(path))
        assert len(loaded.examples) == len(loaded.splits) == counted


def test_a_provenance_table_may_lack_what_came_later_and_nothing_else(tmp_path: Path) -> None:
    rows = [Example("a", "p", "q", "x", "PASS", "s"), Example("b", "p", "q", "y", "FAIL", "s")]
    dataset.write(tmp_path, rows, {row.id: provenance_of(row, "test") for row in rows})
    path = tmp_path / "provenance" / "test.parquet"
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["document", "window"]), path)
    assert set(dataset.load(str(tmp_path)).provenance) == {"a", "b"}
    pq.write_table(table.drop_columns(["votes"]), path)
    with pytest.raises(InputError, match="columns of a provenance table"):
        dataset.load(str(tmp_path))
