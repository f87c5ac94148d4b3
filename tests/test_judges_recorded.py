"""Recorded verdicts are joined on id; nothing recorded is dropped, nothing absent is invented."""

import asyncio
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.judges import expand, open_judge
from halubench.judges.recorded import ABSENT, _verdict
from halubench.records import Row, Unscored


def _predict(uri: str, ids):
    judge = open_judge(uri, None)
    rows = [Row(name, "p", "q", "a", "s") for name in ids]

    async def run():
        return [said async for said in judge.predict(rows)]

    return judge, asyncio.run(run())


def _jsonl(path: Path, rows) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("column", ["verdict", "prediction", "label_predicted"])
@pytest.mark.parametrize("name", ["v.jsonl", "v.jsonl.gz", "v.csv", "v.parquet"])
def test_verdicts_are_joined_on_id_in_the_order_of_the_data(tmp_path, name, column) -> None:
    path = tmp_path / name
    rows = [{"id": "1", column: "Pass"}, {"id": "2", column: "FAIL"}, {"id": "9", column: "PASS"}]
    if name.endswith("csv"):
        path.write_text(f"id,{column}\n" + "".join(f"{r['id']},{r[column]}\n" for r in rows))
    elif name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        _jsonl(path, rows)
    judge, said = _predict(f"recorded:{path}", ["2", "3", "1"])
    assert [each.verdict for each in said] == ["FAIL", Unscored(ABSENT), "PASS"]
    assert [each.id for each in said] == ["2", "3", "1"]
    assert judge.warnings() == ["1 recorded verdicts have ids that are not in the data."]
    assert judge.info().name == "v"
    assert judge.info().uri == f"recorded:{name}"


def test_a_file_of_several_judges_stands_for_each(tmp_path) -> None:
    rows = [
        {"id": "1", "label": "PASS", "judges": {"b#2": "FAIL", "a": "PASS"}},
        {"id": "2", "label": "FAIL", "judges": {"a": "ERROR", "b#2": None}},
        {"id": "3", "label": "FAIL", "judges": {"a": "FAIL"}},
    ]
    path = _jsonl(tmp_path / "j.jsonl", rows)
    assert expand(f"recorded:{path}") == [f"recorded:{path}#a", f"recorded:{path}#b#2"]
    assert expand(f"recorded:{path}#a") == [f"recorded:{path}#a"]
    judge, said = _predict(f"recorded:{path}#a", ["1", "2", "3"])
    assert [each.verdict for each in said] == ["PASS", Unscored("recorded as 'ERROR'"), "FAIL"]
    assert judge.info().name == "a"
    assert judge.info().uri == "recorded:j.jsonl#a"
    with pytest.raises(InputError, match=r"no judge 'c'.*a, b#2"):
        open_judge(f"recorded:{path}#c", None)


def test_our_own_predictions_keep_score_reasoning_and_reason(tmp_path) -> None:
    path = tmp_path / "predictions.parquet"
    rows = [
        {"id": "1", "verdict": "FAIL", "unscored_reason": None, "p_fail": 0.75, "reasoning": "so"},
        {"id": "2", "verdict": None, "unscored_reason": "empty answer", "p_fail": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)
    _, said = _predict(f"recorded:{path}", ["1", "2"])
    assert (said[0].verdict, said[0].p_fail, said[0].reasoning) == ("FAIL", 0.75, "so")
    assert (said[1].verdict, said[1].p_fail) == (Unscored("empty answer"), None)


@given(st.one_of(st.none(), st.text(), st.integers(), st.booleans()))
def test_anything_but_pass_or_fail_is_unscored_with_a_reason(value) -> None:
    verdict = _verdict(value)
    if str(value).strip().upper() in {"PASS", "FAIL"}:
        assert verdict == str(value).strip().upper()
    else:
        assert isinstance(verdict, Unscored)
        assert verdict.reason


def test_an_id_with_two_verdicts_is_refused_naming_both_rows(tmp_path) -> None:
    rows = [{"id": "1", "verdict": "PASS"}, {"id": "2", "verdict": "PASS"}]
    same = _jsonl(tmp_path / "same.jsonl", [*rows, {"id": "1", "verdict": "pass"}])
    assert _predict(f"recorded:{same}", ["1"])[1][0].verdict == "PASS"
    other = _jsonl(tmp_path / "other.jsonl", [*rows, {"id": "1", "verdict": "FAIL"}])
    with pytest.raises(InputError, match=r"other.jsonl, row 3: id '1' .* than in row 1"):
        open_judge(f"recorded:{other}", None)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"verdict": "PASS"}, r"row 1: no id"),
        ({"id": "1", "says": "PASS"}, r"row 1: no column of verdicts.*verdict, prediction"),
        ({"id": "1", "verdict": "PASS", "p_fail": 1.5}, r"row 1: p_fail 1.5"),
        ({"id": "1", "verdict": "PASS", "p_fail": "high"}, r"row 1: p_fail 'high'"),
    ],
)
def test_a_file_that_cannot_be_joined_is_refused(tmp_path, row, message) -> None:
    path = _jsonl(tmp_path / "v.jsonl", [row])
    with pytest.raises(InputError, match=message):
        open_judge(f"recorded:{path}", None)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl"):
        expand(f"recorded:{tmp_path / 'gone.jsonl'}")
