"""The sample: stratified, without twins, fixed once, blind."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from review_world import SOURCES, rows, sheet, write

from halubench import dataset
from halubench.errors import InputError, OutputError
from halubench.records import Row
from halubench.review import Decision, Ledger, open_sheet, report
from halubench.review.desk import Desk


def test_every_source_gives_as_many_rows_and_both_labels(tmp_path: Path) -> None:
    found = sheet(tmp_path, per_source=4).examples().values()
    assert Counter(row.source_ds for row in found) == {"alpha": 4, "beta": 4}
    assert Counter((row.source_ds, row.label) for row in found) == dict.fromkeys(
        ((source, label) for source in SOURCES for label in ("PASS", "FAIL")), 2
    )


@given(st.integers(1, 12), st.integers(0, 1000))
@settings(max_examples=25)
def test_no_two_rows_of_a_pair_are_drawn(tmp_path_factory, per_source: int, seed: int) -> None:
    folder = tmp_path_factory.mktemp("sample")
    found = sheet(folder, per_source, seed)
    pairs = [found.data.provenance[name].pair_id for name in found.ids]
    assert len(set(pairs)) == len(pairs)
    expected = {source: min(per_source, pairs) for source, pairs in SOURCES.items()}
    assert Counter(found.examples()[name].source_ds for name in found.ids) == expected


def test_types_are_drawn_evenly(tmp_path: Path) -> None:
    found = sheet(tmp_path, per_source=4)
    types = Counter(found.data.provenance[name].perturbation for name in found.ids)
    assert types == {"number": 4, "name": 4}


def test_the_sample_is_fixed_once(tmp_path: Path) -> None:
    first = sheet(tmp_path)
    assert sheet(tmp_path).ids == first.ids
    with pytest.raises(InputError, match="seed was 0, is now 1"):
        sheet(tmp_path, seed=1)
    with pytest.raises(InputError, match="per_source"):
        sheet(tmp_path, per_source=5)


def test_other_rows_need_another_sample(tmp_path: Path) -> None:
    sheet(tmp_path)
    examples, origins = rows()
    dataset.write(tmp_path, examples[2:], origins)
    with pytest.raises(InputError, match="sha256"):
        sheet(tmp_path)


def test_a_damaged_sample_is_named(tmp_path: Path) -> None:
    sheet(tmp_path)
    (tmp_path / "review" / "sample.json").write_text("[")
    with pytest.raises(OutputError, match=r"sample\.json cannot be read"):
        sheet(tmp_path)


@pytest.mark.parametrize("ids", [["zzz"], [], "a0x", None, [["a"]], 3])
def test_a_sample_of_other_rows_is_named(tmp_path: Path, ids: object) -> None:
    path = sheet(tmp_path).folder / "sample.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "ids": ids}))
    with pytest.raises(OutputError, match="field ids does not name rows of"):
        sheet(tmp_path)


def test_a_row_twice_in_a_sample_is_named(tmp_path: Path) -> None:
    found = sheet(tmp_path)
    test_a_sample_of_other_rows_is_named(tmp_path, [found.ids[0], found.ids[0]])


def test_decisions_on_rows_of_another_sample_are_not_left_out_in_silence(tmp_path: Path) -> None:
    found = sheet(tmp_path)
    ledger = Ledger(found.folder, "ana")
    ledger.decide(Decision(found.ids[0], "PASS"))
    ledger.decide(Decision("zzz", "PASS"))
    for act in (lambda: report(found), lambda: Desk(found, ledger)):
        with pytest.raises(InputError, match="not in this sample \\(1, the first on 'zzz'"):
            act()
    ledger.close()


def test_reviewers_see_the_same_rows_blind_in_orders_of_their_own(tmp_path: Path) -> None:
    found = sheet(tmp_path, per_source=5)
    ana, bo = found.rows("ana"), found.rows("bo")
    assert all(type(row) is Row for row in ana)
    assert {row.id for row in ana} == {row.id for row in bo} == set(found.ids)
    assert ana != bo
    assert found.rows("ana") == ana


def test_a_plain_file_without_provenance_is_sampled_by_question(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    table = dataset.load(str(folder / "data" / "test.parquet"))
    found = open_sheet(table, tmp_path / "review", per_source=9)
    questions = [(row.passage, row.question) for row in found.examples().values()]
    assert len(set(questions)) == len(questions) == sum(SOURCES.values())


def test_a_sample_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 or more"):
        sheet(tmp_path, per_source=0)
