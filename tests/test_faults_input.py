"""Input that looks usable and is not: each is refused by name instead of read in some way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from generate_world import ask, row, source

from halubench.errors import InputError
from halubench.models.base import EngineOptions
from halubench.reading import scan
from halubench.sources import SourceOptions, read

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.records import Json


@pytest.mark.parametrize("label", ["fail", "Fail ", "False", "", False, 0])
def test_label_that_may_mean_fail_is_never_taken_for_gold(tmp_path: Path, label: Json) -> None:
    path = tmp_path / "gold.jsonl"
    rows = [{**row(0), "label": "PASS"}, {**row(1), "label": label}]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2 \(line 2\): the label is .* neither PASS nor"):
        read(str(path), SourceOptions())


def test_rows_without_label_are_gold_beside_labelled_ones(tmp_path: Path) -> None:
    path = tmp_path / "gold.jsonl"
    rows = [{**row(0), "label": "PASS"}, {**row(1), "label": None}, {**row(2), "label": "FAIL"}]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    found = read(str(path), SourceOptions())
    assert [item.id for item in found.items] == ["q0", "q1"]
    assert [one.reason for one in found.rejected] == ["labelled FAIL: not a gold answer"]


def test_csv_rows_are_placed_at_the_line_they_begin_on(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text('a,b\n"one\ntwo\nthree",1\nfour,2\n', encoding="utf-8")
    assert [record.line for record in scan(path)] == [2, 5]


@pytest.mark.parametrize("name", ["../test", "a/b", "", ".hidden", "a b"])
def test_split_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    asked = ask(tmp_path, source(tmp_path, 2), splits=((name, 0.5), ("b", 0.5)))
    with pytest.raises(InputError, match="names a split"):
        asked.check()


@pytest.mark.parametrize("shares", [(float("nan"), 0.5), (float("inf"), 0.5), (1.2, -0.2)])
def test_shares_that_are_no_shares_are_refused(tmp_path: Path, shares: tuple[float, float]) -> None:
    asked = ask(tmp_path, source(tmp_path, 2), splits=tuple(zip("ab", shares, strict=True)))
    with pytest.raises(InputError, match="--split"):
        asked.check()


@pytest.mark.parametrize(
    "change",
    [{"max_candidates": 0}, {"max_usd": -1.0}, {"max_usd": float("nan")}, {"retries": -1}],
)
def test_ceiling_that_forbids_nothing_or_everything_is_refused(
    tmp_path: Path, change: dict[str, float]
) -> None:
    with pytest.raises(InputError, match=f"--{next(iter(change)).replace('_', '-')}"):
        ask(tmp_path, source(tmp_path, 2), **change).check()


@pytest.mark.parametrize(
    "change", [{"timeout_s": 0.0}, {"timeout_s": float("nan")}, {"window": 0}, {"price_in": -1.0}]
)
def test_engine_options_that_cannot_be_meant_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"(1|0) or more"):
        EngineOptions(**change)  # type: ignore[arg-type]
