"""The table of predictions by columns: what cannot be one is named, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_world import UNREAD, judged_row, judged_rows

from halubench import columns, predictions
from halubench.errors import InputError
from halubench.metrics.summary import summarise
from halubench.records import ENDPOINT, Unscored

if TYPE_CHECKING:
    from pathlib import Path

TOLD = [("PASS", "PASS", 0.1), ("FAIL", "PASS", None), ("FAIL", "UNSCORED", None)]


@given(st.lists(st.text(max_size=3), min_size=1))
def test_places_are_those_of_the_sorted_texts(texts: list[str]) -> None:
    found, place = columns.places(pa.chunked_array([texts[:2], texts[2:]], pa.string()))
    assert found == sorted(set(texts))
    assert [found[at] for at in place] == texts
    assert columns.counted(pa.chunked_array([texts])) == {
        text: texts.count(text) for text in found if text
    }


def test_codes_and_numbers_of_rows_without_any() -> None:
    told = predictions.table(judged_rows(TOLD))
    assert columns.codes(told["label"]).tolist() == [0, 1, 1]
    assert columns.codes(told["verdict"]).tolist() == [0, 0, 2]
    assert np.array_equal(columns.floats(told["p_fail"]), [0.1, np.nan, np.nan], equal_nan=True)


def _altered(path: Path, name: str, values: pa.Array) -> Path:
    predictions.write(path, predictions.table(judged_rows(TOLD)))
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(name), name, values), path)
    return path


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("label", pa.array(["PASS", "FAIL", "pass"]), "row 3 .* label is wrong"),
        ("source_ds", pa.array(["a", None, "b"]), "row 2 .* source_ds is wrong"),
        ("p_fail", pa.array(["much", "0", "1"]), "row 1 .* p_fail is wrong"),
        ("variants", pa.array([[{"variant": "x"}]] * 3), "variants: verdict, .*mass is wrong"),
        ("variants", pa.array(["none"] * 3), "variants: variant, verdict"),
    ],
)
def test_what_is_no_prediction_is_named(tmp_path: Path, name, values, said: str) -> None:
    path = _altered(tmp_path / "predictions.parquet", name, values)
    with pytest.raises(InputError, match=said):
        columns.load(path)


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more"])
def test_what_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"predictions\.parquet cannot be read"):
        columns.load(path)
    predictions.write(path, predictions.table([]))
    with pytest.raises(InputError, match="has no rows"):
        columns.load(path)


def test_a_verdict_that_is_none_has_a_reason(tmp_path: Path) -> None:
    path = _altered(tmp_path / "predictions.parquet", "verdict", pa.array(["PASS", None, "MAYBE"]))
    told = columns.load(path)
    assert columns.reasons(told) == {columns.NO_VERDICT: 1, UNREAD: 1}
    assert columns.codes(told["verdict"]).tolist() == [0, 2, 2]
    assert [row.said.verdict for row in predictions.read(path)] == [
        "PASS",
        Unscored(columns.NO_VERDICT),
        Unscored(UNREAD),
    ]


def test_a_table_from_before_rows_were_varied(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    predictions.write(path, predictions.table(judged_rows(TOLD)))
    pq.write_table(pq.read_table(path).drop_columns(["variants"]), path)
    assert predictions.read(path) == judged_rows(TOLD)


def test_usage_counts_the_answers_on_variants() -> None:
    row = judged_row(0, TOLD[0])
    said = replace(row.said, prompt_tokens=5, completion_tokens=2, cost_usd=0.5, attempts=1)
    free = replace(said, verdict=Unscored(f"{ENDPOINT}gone"), cost_usd=None, prompt_tokens=0)
    rows = [
        replace(row, said=said, variants={"format": said, "paragraphs": free}),
        replace(judged_row(1, TOLD[1]), said=replace(said, id="1")),
    ]
    used = summarise(rows, resamples=0).usage
    assert (used.prompt_tokens, used.completion_tokens, used.cost_usd) == (15, 8, 1.5)
    unpriced = replace(rows[0], variants={"format": replace(said, cost_usd=None)})
    assert summarise([unpriced], resamples=0).usage.cost_usd is None
