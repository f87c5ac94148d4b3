"""Rank bands, floors, and results that are refused."""

from itertools import pairwise

import leaderboard_world
import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_world import around, judged, scores

from halubench.errors import InputError
from halubench.rank import build, build_all
from halubench.results import Estimate, Results

ACCURACIES = st.lists(st.floats(0.2, 0.95), min_size=1, max_size=8, unique=True)


def measured(accuracies: list[float], width: float = 0.05) -> list[Results]:
    return [judged(f"j{i}", accuracy, width) for i, accuracy in enumerate(accuracies)]


@given(ACCURACIES, st.randoms())
def test_a_board_does_not_depend_on_the_order_of_the_results(accuracies, random):
    results = measured(accuracies)
    shuffled = random.sample(results, len(results))
    assert build(shuffled) == build(results)


@given(ACCURACIES)
def test_bands_hold_each_place_and_agree_with_the_intervals(accuracies):
    rows = build(measured(accuracies)).rows
    for place, row in enumerate(rows, 1):
        assert row.rank_best <= place <= row.rank_worst
    for upper, lower in pairwise(rows):
        apart = upper.results.macro_accuracy.low > lower.results.macro_accuracy.high
        if apart:
            assert lower.rank_best > upper.rank_best
            assert upper.rank_worst < lower.rank_worst


@given(ACCURACIES)
def test_a_clearly_worse_judge_changes_no_band(accuracies):
    before = {row.judge: row.rank for row in build(measured(accuracies)).rows}
    after = build([*measured(accuracies), judged("worst", 0.02, 0.01)]).rows
    assert {row.judge: row.rank for row in after[:-1]} == before
    assert after[-1].rank == str(len(after))


def test_judges_that_overlap_share_a_band():
    rows = build([judged("a", 0.80), judged("b", 0.81), judged("c", 0.60)]).rows
    assert [(row.judge, row.rank) for row in rows] == [("b", "1-2"), ("a", "1-2"), ("c", "3")]


def test_a_judge_without_an_interval_is_listed_last_and_unranked():
    bare = judged("bare", 0.9).model_copy(update={"macro_accuracy": Estimate(value=0.9)})
    rows = build([bare, judged("a", 0.6)]).rows
    assert [(row.judge, row.rank) for row in rows] == [("a", "1"), ("bare", "–")]


def test_a_judge_at_the_majority_is_marked():
    rows = {row.judge: row for row in build([judged("chance", 0.51), judged("good", 0.7)]).rows}
    assert not rows["chance"].clears_majority
    assert rows["good"].clears_majority


def test_one_model_under_two_prompts_is_two_judges():
    pair = [judged("m", 0.8, prompt_hash="1" * 64), judged("m", 0.7, prompt_hash="2" * 64)]
    assert [row.judge for row in build(pair).rows] == [
        "m (prompt 11111111)",
        "m (prompt 22222222)",
    ]


def test_each_dataset_has_its_own_board():
    other = judged("b")
    other = other.model_copy(update={"data": other.data.model_copy(update={"sha256": "cd" * 32})})
    assert [len(board.rows) for board in build_all([judged("a"), other], "t").boards] == [1, 1]
    with pytest.raises(InputError, match="same rows"):
        build([judged("a"), other])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"overall": scores(140, 0.8, 3).model_copy(update={"n_fail": 69})}, "difference"),
        ({"unscored_reasons": {"empty": 1}}, r"overall.unscored is 3 .* give 1 \(difference \+2\)"),
        ({"sources": {"DROP": scores(100, 0.8, 3)}}, r"overall.n is 140 .* \(difference \+40\)"),
        ({"macro_accuracy": around(0.9)}, r"macro_accuracy is 0.9 .* \(difference \+0.1\)"),
        ({"macro_accuracy": Estimate(value=1.2)}, "macro_accuracy"),
        ({"macro_accuracy": Estimate(value=float("nan"))}, "macro_accuracy"),
        ({"overall": scores(140, 0.7, 3)}, "overall.accuracy"),
    ],
)
def test_numbers_that_do_not_add_up_are_refused(change, said):
    with pytest.raises(InputError, match=said) as caught:
        build([judged("liar").model_copy(update=change)])
    assert "'liar'" in caught.value.what


def test_the_largest_benchmark_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    small = judged("a")
    monkeypatch.setattr(leaderboard_world, "SIZES", {"DROP": 400, "covidQA": 200})
    large = judged("b")
    large = large.model_copy(update={"data": large.data.model_copy(update={"sha256": "f" * 64})})
    assert large.data.rows > small.data.rows
    for order in ([small, large], [large, small]):
        found = [board.data.rows for board in build_all(order, "t").boards]
        assert found == [large.data.rows, small.data.rows]
