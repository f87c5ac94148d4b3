"""Results are held against their predictions, figure by figure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_world import TOLD, judged_row, judged_rows
from leaderboard_world import judged, scores

from halubench import predictions
from halubench.errors import InputError
from halubench.floors import FLOORS, Labelled, floor
from halubench.metrics.summary import summarise
from halubench.rank.recount import recount
from halubench.records import Example
from halubench.results import Figures, Results

if TYPE_CHECKING:
    from pathlib import Path

    from halubench.predictions import Judged

MIXED = [
    ("PASS", "PASS", 0.1),
    ("FAIL", "FAIL", 0.9),
    ("PASS", "FAIL", 0.6),
    ("FAIL", "PASS", 0.4),
    ("PASS", "UNSCORED", None),
    ("FAIL", "FAIL", 0.8),
]


def results_of(rows: list[Judged]) -> Results:
    """Their figures, and the floors that an evaluation writes beside them."""
    told = tuple(
        Example(r.said.id, r.group, "", "a" * at, r.label, r.source_ds) for at, r in enumerate(rows)
    )
    labelled = Labelled(told, tuple(r.group for r in rows), tuple(r.pair_id for r in rows))
    floors = {name: floor(name, labelled, 0).model_dump() for name in FLOORS}
    known = {**judged().model_dump(), "baselines": floors}
    return Results.model_validate({**known, **summarise(rows).model_dump()})


def altered(results: Results, path: str, value: object) -> Results:
    """The results with the value at a dotted path replaced."""
    whole: Any = results.model_dump()
    *way, last = path.split(".")
    place = whole
    for name in way:
        place = place[int(name)] if isinstance(place, list) else place[name]
    place[last] = value
    return Results.model_validate(whole)


@settings(max_examples=25)
@given(st.lists(TOLD, min_size=1, max_size=12))
def test_figures_survive_the_table_and_are_counted_again(tmp_path_factory, told) -> None:
    path = tmp_path_factory.mktemp("p") / "predictions.parquet"
    rows = judged_rows(told)
    rows[::2] = [replace(r, variants={"format": replace(r.said, p_fail=0.5)}) for r in rows[::2]]
    predictions.write(path, predictions.table(rows))
    assert predictions.read(path) == rows
    recount(results_of(rows), path)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("overall.accuracy.value", 0.123, r"overall.accuracy is 0.123 there but 0.5 "),
        ("overall.accuracy.value", None, r"overall.accuracy is None there but 0.5 "),
        ("overall.mcc.value", 0.5, r"overall.mcc is 0.5 there but"),
        ("overall.ece.value", 0.5, r"overall.ece is 0.5 there but"),
        ("sources.boats.auroc.value", 0.123, r"sources.boats.auroc is 0.123 there but 0"),
        ("overall.confusion.fail_fail", 3, r"overall.confusion.fail_fail is 3 there but 2 "),
        ("overall.pairs", 2, r"overall.pairs is 2 there but 3 "),
        ("overall.pair_accuracy.value", 1.0, r"overall.pair_accuracy is 1.0 there but 0.33"),
        ("overall.n", 7, r"overall.n is 7 there but 6 "),
        ("macro_accuracy.value", 0.9, r"macro_accuracy is 0.9 there but 0.5 "),
        ("slices.level.L1.n", 7, r"slices.level.L1.n is 7 there but 6 "),
        ("reliability.0.n", 7, r"reliability\[0\].n is 7 there but 1 "),
        ("risk_coverage.0.risk", 0.9, r"risk_coverage\[0\].risk is 0.9 there but 0"),
        ("unscored_reasons.empty", 1, r"unscored_reasons.empty is 1 there but None "),
        ("usage.prompt_tokens", 5, r"usage.prompt_tokens is 5 there but 0 "),
        ("overflow.truncated", 5, r"overflow.truncated is 5 there but None "),
        ("consistency.format.same.value", 0.9, r"consistency.format.same is 0.9 there but 0.66"),
        ("consistency.all.n", 5, r"consistency.all.n is 5 there but 3 "),
        ("overall.accuracy.low", 0.01, r"overall.accuracy.low is 0.01 there but 0"),
        ("macro_accuracy.high", 1.0, r"macro_accuracy.high is 1.0 there but 0"),
        ("slices.level.L1.fail_f1.low", 0.5, r"slices.level.L1.fail_f1.low is 0.5 there but 0"),
        ("consistency.format.same.high", 0.9, r"consistency.format.same.high is 0.9 there but 1"),
        (
            "baselines.baseline:majority.accuracy.value",
            0.1,
            r"majority.accuracy is 0.1 there but 0",
        ),
        ("baselines.baseline:majority.accuracy.high", 0.1, r"majority.accuracy.high is 0.1 there"),
    ],
)
def test_a_figure_that_the_predictions_do_not_give_is_told(tmp_path, field, value, said) -> None:
    path = tmp_path / "predictions.parquet"
    rows = [
        judged_row(number, told, level="L1", pair_id=f"p{number // 2}")
        for number, told in enumerate(MIXED)
    ]
    rows[2:5] = [replace(row, variants={"format": row.said}) for row in rows[2:5]]
    predictions.write(path, predictions.table(rows))
    with pytest.raises(InputError, match=said) as caught:
        recount(altered(results_of(rows), field, value), path)
    assert caught.value.what.startswith(str(path))


def test_the_interval_of_a_probability_is_drawn_again_only_slowly(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    rows = judged_rows(MIXED)
    predictions.write(path, predictions.table(rows))
    recount(results_of(rows), path, slowly=True)
    wrong = altered(results_of(rows), "overall.auroc.low", 0.01)
    recount(wrong, path)
    with pytest.raises(InputError, match=r"overall.auroc.low is 0.01 there but 0"):
        recount(wrong, path, slowly=True)


def test_a_floor_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    rows = judged_rows(MIXED)
    predictions.write(path, predictions.table(rows))
    magic = altered(results_of(rows), "baselines.baseline:magic", scores(6, 0.1).model_dump())
    with pytest.raises(InputError, match="field baselines has 'baseline:magic'"):
        recount(magic, path)


def test_a_missing_row(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    rows = judged_rows(MIXED)
    results = results_of(rows)
    predictions.write(path, predictions.table(rows))
    predictions.write(path, predictions.table(rows[:-1]))
    with pytest.raises(InputError, match=r"overall\.n is 6 there but 5"):
        recount(results, path)
    path.unlink()
    recount(results, path)


@pytest.mark.parametrize("column", ["p_fail", "source_ds", "label", "group"])
def test_a_table_without_a_column_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "predictions.parquet"
    predictions.write(path, predictions.table(judged_rows(MIXED)))
    pq.write_table(pq.read_table(path).drop_columns([column]), path)
    with pytest.raises(InputError, match=f"row 1 is no row of predictions: {column} is wrong"):
        recount(judged(), path)


def test_every_figure_is_compared() -> None:
    assert set(Figures.model_fields) < set(Results.model_fields)
