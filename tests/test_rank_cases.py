"""Where answers differ, which questions are disputed, and which rows are the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import board_world
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench import dataset
from halubench.errors import InputError
from halubench.rank import build_all, explorers, read_entries, view
from halubench.rank.cases import answers, explore, matching, same_rows
from halubench.rank.columns import Columns
from halubench.rank.spans import differing

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.dataset import Dataset

WORDS = st.lists(st.sampled_from(["the", "ferry", "carries", "48", "52", "cars", ",", "–", "𝔘"]))
TEXTS = st.one_of(st.text(max_size=30), WORDS.map(" ".join))


def without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    return text


@given(TEXTS, TEXTS)
def test_what_is_left_without_the_spans_is_the_same_text(one: str, other: str) -> None:
    ours, theirs = differing(one, other)
    assert without(one, ours) == without(other, theirs)
    for text, spans in ((one, ours), (other, theirs)):
        ends = [place for span in spans for place in span]
        assert ends == sorted(ends)
        assert all(0 <= start < end <= len(text) for start, end in spans)


@given(TEXTS)
def test_equal_texts_differ_nowhere(text: str) -> None:
    assert differing(text, text) == ([], [])


@pytest.mark.parametrize(
    ("one", "other", "ours", "theirs"),
    [
        ("It carries 48 cars.", "It carries 52 cars.", ["48"], ["52"]),
        ("in June 2019", "in July 2021", ["June 2019"], ["July 2021"]),
        ("It rose.", "It hardly rose.", [], [" hardly"]),
        ("48", "48 cars", [], [" cars"]),
    ],
)
def test_the_changed_words_are_marked_whole(one, other, ours, theirs) -> None:
    found = differing(one, other)
    assert [one[a:b] for a, b in found[0]] == ours
    assert [other[a:b] for a, b in found[1]] == theirs


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("cases")
    rows, origins = board_world.twins(4)
    dataset.write(folder, rows, origins)
    return dataset.load(str(folder))


def told(data: Dataset, path: Path, verdicts: dict[int, int] | None = None) -> Columns:
    """A judge that is right but for the places given (0 PASS, 1 FAIL, 2 unscored)."""
    labels = np.array([int(row.label == "FAIL") for row in data.examples], dtype=np.int8)
    said = labels.copy()
    for place, code in (verdicts or {}).items():
        said[place] = code
    ids, sources = ([getattr(row, name) for row in data.examples] for name in ("id", "source_ds"))
    p_fail = np.full(len(labels), np.nan, dtype=np.float32)
    return Columns(path, pa.chunked_array([ids]), pa.chunked_array([sources]), labels, said, p_fail)


def test_cases_hold_every_row_once_and_the_disputed_come_first(data: Dataset, tmp_path) -> None:
    wrong = {place: 1 - int(data.examples[place].label == "FAIL") for place in (5, 6)}
    judged = {name: told(data, tmp_path, wrong if name in "ab" else {}) for name in "abcd"}
    judged["d"] = told(data, tmp_path, {**wrong, 9: 2})
    explorer = explore(data, judged, 100)
    rows = [row for case in explorer.cases for row in case.rows]
    assert sorted(rows) == list(range(len(data.examples)))
    assert explorer.total == 12
    first, *_, last = explorer.cases
    assert first.dispute == 0.25
    assert set(first.rows) & {5, 6}
    assert last.dispute == 0 == last.wrong
    unread = next(case for case in explorer.cases if 9 in case.rows)
    assert (unread.dispute, unread.wrong) == (0, 0.125), "no verdict is no dispute, and not right"
    letters = explorer.letters(3)
    assert letters.count("U") == 1
    assert len(letters) == len(rows)
    assert explore(data, judged, 3).cases == explorer.cases[:3]


def test_both_answers_of_a_case_carry_their_spans(data: Dataset, tmp_path) -> None:
    explorer = explore(data, {"a": told(data, tmp_path)}, 100)
    for case in explorer.cases:
        (faithful, ours), (hallucinated, theirs) = answers(data, case)
        assert (faithful.label, hallucinated.label) == ("PASS", "FAIL")
        edit = data.provenance[faithful.id]
        assert [faithful.answer[a:b] for a, b in ours] == [edit.edit_old]
        assert [hallucinated.answer[a:b] for a, b in theirs] == [edit.edit_new]


def test_batches_hold_every_case_in_order(data: Dataset, tmp_path, monkeypatch) -> None:
    explorer = explore(data, {"a": told(data, tmp_path)}, 100)
    monkeypatch.setattr(view, "BATCH", 1500)
    batches = view.batches(explorer)
    assert len(batches) > 1
    assert tuple(case for batch in batches for case in batch) == explorer.cases
    assert view.case_index(explorer, batches)["batch"] == sorted(
        number for number, batch in enumerate(batches) for _ in batch
    )


def test_rows_are_known_as_a_whole_and_as_a_sample(data: Dataset, tmp_path) -> None:
    judged = told(data, tmp_path)
    assert matching([data], data.sha256, judged) is data
    some = data.examples[3:9]
    part = dataset.Dataset("part", "part", some, {}, {}, dataset.content_hash(some))
    sample = matching([data], part.sha256, told(part, tmp_path))
    assert sample is not None
    assert sample.examples == some
    assert matching([data], "0" * 64, judged) is None
    assert matching([part], data.sha256, judged) is None


def test_predictions_of_other_rows_are_named_with_their_row(data: Dataset, tmp_path) -> None:
    judged = told(data, tmp_path / "p.parquet")
    same_rows(data, judged)
    judged.labels[4] ^= 1
    with pytest.raises(InputError, match=rf"p\.parquet, row 5 .*{data.examples[4].id}"):
        same_rows(data, judged)
    part = dataset.Dataset("part", "part", data.examples[:-1], {}, {}, "")
    with pytest.raises(InputError, match="has 24 rows, but part has 23"):
        same_rows(part, judged)


def test_the_order_of_the_rows_is_looked_at_before_anything_is_counted_by_it(tmp_path) -> None:
    folder, found = board_world.results(tmp_path, {"able": 0.9, "mixed": 0.7})
    (path, *_) = sorted(found.glob("*/predictions.parquet"))
    table = pq.read_table(path)
    pq.write_table(table.take(pa.array([2, 1, 0, *range(3, len(table))])), path)
    entries = read_entries([found])
    site = build_all([entry.results for entry in entries], "Board", ())
    with pytest.raises(InputError, match=r"predictions\.parquet, row 1 "):
        explorers(site, entries, [dataset.load(str(folder))], 10)
