"""Bands out of intervals: who may stand where, what moves a band and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaderboard_world import around, judged, scores

from halubench.audit.report import AuditReport
from halubench.errors import InputError
from halubench.rank import Board, Row, build, build_all
from halubench.results import Confusion, Estimate, Results, Scores

GRID = 1024
"""Ends of intervals are multiples of 1/1024, so that adding one to another is exact."""


def spanned(name: str, low: int, high: int) -> Results:
    """A judge whose macro accuracy lies half way in ``[low, high]``, both in 1/1024."""
    middle = (low + high) / 2 / GRID
    estimate = Estimate(value=middle, low=low / GRID, high=high / GRID)
    return judged(name, middle).model_copy(update={"macro_accuracy": estimate})


def bands(spans: list[tuple[int, int]]) -> dict[str, tuple[int | None, int | None]]:
    board = build([spanned(f"j{i:02}", low, high) for i, (low, high) in enumerate(spans)])
    return {row.judge: (row.rank_best, row.rank_worst) for row in board.rows}


def span(least: int = 0, most: int = GRID) -> st.SearchStrategy[tuple[int, int]]:
    ends = st.integers(least, most)
    return st.tuples(ends, ends).map(lambda pair: (min(pair), max(pair)))


def spans(least: int = 0, most: int = GRID) -> st.SearchStrategy[list[tuple[int, int]]]:
    return st.lists(span(least, most), min_size=1, max_size=7)


@given(spans())
def test_best_place_counts_the_judges_wholly_above(drawn: list[tuple[int, int]]) -> None:
    for (low, high), (best, worst) in zip(drawn, bands_in_order(drawn), strict=True):
        assert best == 1 + sum(other_low > high for other_low, _ in drawn)
        assert worst == len(drawn) - sum(other_high < low for _, other_high in drawn)


def bands_in_order(drawn: list[tuple[int, int]]) -> list[tuple[int | None, int | None]]:
    found = bands(drawn)
    return [found[f"j{i:02}"] for i in range(len(drawn))]


@given(spans())
def test_best_is_never_behind_worst_and_both_are_places_of_the_board(
    drawn: list[tuple[int, int]],
) -> None:
    for best, worst in bands(drawn).values():
        assert best is not None
        assert worst is not None
        assert 1 <= best <= worst <= len(drawn)


@given(spans(100, 900), st.integers(-100, 100))
def test_shifting_all_scores_by_a_constant_changes_no_band(
    drawn: list[tuple[int, int]], by: int
) -> None:
    assert bands([(low + by, high + by) for low, high in drawn]) == bands(drawn)


@given(spans(0, GRID // 2))
def test_doubling_all_scores_changes_no_band(drawn: list[tuple[int, int]]) -> None:
    assert bands([(2 * low, 2 * high) for low, high in drawn]) == bands(drawn)


@given(spans())
def test_turning_the_scale_round_turns_the_bands_round(drawn: list[tuple[int, int]]) -> None:
    turned = bands_in_order([(GRID - high, GRID - low) for low, high in drawn])
    places = len(drawn) + 1
    for (best, worst), (turned_best, turned_worst) in zip(
        bands_in_order(drawn), turned, strict=True
    ):
        assert best is not None
        assert worst is not None
        assert (turned_best, turned_worst) == (places - worst, places - best)


@given(spans(100, 900), st.data())
def test_a_wider_interval_never_narrows_a_band(
    drawn: list[tuple[int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(drawn) - 1))
    low, high = drawn[place]
    wider = [*drawn]
    wider[place] = (low - 100, high + 100)
    for (best, worst), (new_best, new_worst) in zip(
        bands_in_order(drawn), bands_in_order(wider), strict=True
    ):
        assert best is not None
        assert worst is not None
        assert new_best is not None
        assert new_worst is not None
        assert new_best <= best
        assert new_worst >= worst


@given(st.lists(span(), min_size=2, max_size=6))
def test_two_judges_whose_intervals_meet_have_bands_that_meet(
    drawn: list[tuple[int, int]],
) -> None:
    found = bands_in_order(drawn)
    for i, (low, high) in enumerate(drawn):
        for j, (other_low, other_high) in enumerate(drawn):
            (best, _), (_, worst) = found[i], found[j]
            assert best is not None
            assert worst is not None
            if low <= other_high and other_low <= high:
                assert best <= worst


@pytest.mark.parametrize(
    ("drawn", "wanted"),
    [
        ([(500, 600)], [(1, 1)]),
        ([(500, 500)], [(1, 1)]),
        ([(500, 600), (500, 600)], [(1, 2), (1, 2)]),
        ([(500, 500), (500, 500), (500, 500)], [(1, 3), (1, 3), (1, 3)]),
        ([(600, 700), (500, 600)], [(1, 2), (1, 2)]),
        ([(601, 700), (500, 600)], [(1, 1), (2, 2)]),
        ([(800, 900), (600, 700), (400, 500)], [(1, 1), (2, 2), (3, 3)]),
        ([(800, 900), (100, 1000), (400, 500)], [(1, 2), (1, 3), (2, 3)]),
        ([(700, 900), (500, 750), (300, 550)], [(1, 2), (1, 3), (2, 3)]),
        ([(0, 1024), (0, 0), (1024, 1024)], [(1, 3), (2, 3), (1, 2)]),
    ],
    ids=[
        "one judge",
        "one judge without width",
        "twins",
        "three points in one place",
        "ends that touch overlap",
        "a hair apart",
        "three steps",
        "one that covers all",
        "a chain",
        "the ends of the scale",
    ],
)
def test_bands_of_named_cases(drawn: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> None:
    assert bands_in_order(drawn) == wanted


@pytest.mark.parametrize(
    ("best", "worst", "text"),
    [(1, 1, "1"), (1, 3, "1-3"), (12, 12, "12"), (9, 10, "9-10"), (None, None, "–")],
)
def test_a_band_is_written_as_one_place_two_or_a_dash(
    best: int | None, worst: int | None, text: str
) -> None:
    row = Row(judge="j", rank_best=best, rank_worst=worst, clears_majority=True, results=judged())
    assert row.rank == text


@pytest.mark.parametrize(
    "bare",
    [
        Estimate(value=0.9),
        Estimate(value=0.9, low=0.8),
        Estimate(value=0.9, high=0.95),
        Estimate(value=None),
    ],
    ids=["value alone", "low alone", "high alone", "undefined"],
)
def test_without_a_whole_interval_there_is_no_band_and_no_place_is_taken(bare: Estimate) -> None:
    odd = judged("bare", 0.9).model_copy(update={"macro_accuracy": bare})
    board = build([odd, judged("a", 0.8), judged("b", 0.6)])
    assert [(row.judge, row.rank) for row in board.rows] == [("a", "1"), ("b", "2"), ("bare", "–")]
    assert (board.rows[-1].rank_best, board.rows[-1].rank_worst) == (None, None)


def test_judges_of_one_accuracy_are_listed_by_name() -> None:
    board = build([judged(name, 0.75) for name in ("c", "a", "b")])
    assert [row.judge for row in board.rows] == ["a", "b", "c"]
    assert {row.rank for row in board.rows} == {"1-3"}


@given(st.lists(st.integers(100, 900), min_size=1, max_size=7))
def test_rows_fall_in_macro_accuracy(values: list[int]) -> None:
    board = build([judged(f"j{i}", value / GRID) for i, value in enumerate(values)])
    listed = [row.results.macro_accuracy.value for row in board.rows]
    assert listed == sorted((value / GRID for value in values), reverse=True)


@pytest.mark.parametrize(
    ("accuracy", "width", "clears"),
    [
        (0.75, 0.125, True),
        (0.625, 0.125, False),
        (0.53125, 0.0, True),
        (0.5, 0.0, False),
        (0.25, 0.0, False),
        (1.0, 0.0, True),
    ],
)
def test_the_majority_is_cleared_only_by_an_interval_wholly_above_its_own(
    accuracy: float, width: float, clears: bool
) -> None:
    told = judged("j", accuracy, width)
    floor = {"baseline:majority": scores(140, 0.5, width=0.015625)}
    (row,) = build([told.model_copy(update={"baselines": floor})]).rows
    assert row.clears_majority is clears


@pytest.mark.parametrize("floors", [{}, {"baseline:length": scores(140, 0.1)}])
def test_nothing_clears_a_majority_that_was_not_measured(floors: dict[str, object]) -> None:
    (row,) = build([judged("j", 0.99).model_copy(update={"baselines": floors})]).rows
    assert row.clears_majority is False


def test_a_majority_without_an_interval_is_cleared_by_none() -> None:
    bare = scores(140, 0.5).model_copy(update={"accuracy": Estimate(value=0.5)})
    told = judged("j", 0.99).model_copy(update={"baselines": {"baseline:majority": bare}})
    assert build([told]).rows[0].clears_majority is False


def test_no_results_are_no_board() -> None:
    with pytest.raises(InputError, match="There are no results to rank"):
        build([])
    assert build_all([], "empty").boards == []


@pytest.mark.parametrize(
    ("hashes", "names"),
    [
        (["1" * 64, "2" * 64], ["m (prompt 11111111)", "m (prompt 22222222)"]),
        (["1" * 64, ""], ["m (prompt 11111111)", "m (prompt none)"]),
        (["abc", "abd"], ["m (prompt abc)", "m (prompt abd)"]),
        (["1" * 64], ["m"]),
    ],
)
def test_one_name_under_several_prompts_is_told_apart(hashes: list[str], names: list[str]) -> None:
    told = [judged("m", 0.8 - i / 100, prompt_hash=each) for i, each in enumerate(hashes)]
    board = build([*told, judged("other", 0.3)])
    assert [row.judge for row in board.rows] == [*names, "other"]


def renamed(results: Results, name: str, sha256: str) -> Results:
    data = results.data.model_copy(update={"name": name, "sha256": sha256})
    return results.model_copy(update={"data": data})


def test_boards_stand_by_name_then_hash_whatever_order_results_come_in() -> None:
    told = [
        renamed(judged("a"), "zeta", "00"),
        renamed(judged("a"), "alpha", "22"),
        renamed(judged("a"), "alpha", "11"),
        renamed(judged("b", 0.6), "zeta", "00"),
    ]
    wanted = [("alpha", "11", 1), ("alpha", "22", 1), ("zeta", "00", 2)]
    for order in (told, told[::-1]):
        boards = build_all(order, "t").boards
        assert [(b.data.name, b.data.sha256, len(b.rows)) for b in boards] == wanted


def test_an_audit_stands_beside_the_board_of_its_own_rows_alone() -> None:
    audit = AuditReport.model_construct(sha256="11", name="alpha")
    told = [renamed(judged("a"), "alpha", "11"), renamed(judged("a"), "beta", "22")]
    site = [board.audit for board in build_all(told, "t", audits=[audit]).boards]
    assert site == [audit, None]


def test_counts_by_source_that_differ_are_other_rows_even_under_one_hash() -> None:
    def other(scores: Scores, n_pass: int, n_fail: int) -> Scores:
        cells = Confusion(pass_pass=n_pass, fail_fail=n_fail)
        change = {"n_pass": n_pass, "n_fail": n_fail, "confusion": cells}
        return scores.model_copy(update=change)

    first = judged("first")
    drop, covid = first.sources["DROP"], first.sources["covidQA"]
    swapped = {
        "DROP": other(drop, 49, 51),
        "covidQA": other(covid, 21, 19),
    }
    with pytest.raises(InputError, match="'first' and 'second' were not measured") as caught:
        build([first, judged("second").model_copy(update={"sources": swapped})])
    assert caught.value.remedy == "Evaluate both again on one file."


def test_a_board_names_its_sources_in_order_and_keeps_every_result_whole() -> None:
    told = [judged("a", 0.8), judged("b", 0.6)]
    board = build(told)
    assert board.sources == ["DROP", "covidQA"]
    assert [row.results for row in board.rows] == told
    assert Board.model_validate_json(board.model_dump_json()) == board
    assert board.floors["baseline:length"].accuracy == around(0.6)
