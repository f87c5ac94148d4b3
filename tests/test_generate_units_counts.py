"""Counts and money: the ledger, the purse, votes that were paid for, and the estimate of a plan."""

from itertools import pairwise

import pytest
from generate_world import ask, source
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import BudgetError, HalubenchError
from halubench.generate import plan
from halubench.generate.job import Prepared
from halubench.generate.ledger import Ledger, Stage, kind
from halubench.generate.plan import Line, Plan
from halubench.generate.spend import Purse
from halubench.models.base import Completion, EngineOptions
from halubench.records import Prediction, Rejected

REASONS = st.sampled_from(["too long", "too long (41 words)", "no span", "no span (a, (b))", ""])
LOSSES = st.lists(st.lists(REASONS, max_size=6), min_size=1, max_size=6)
COSTS = st.lists(st.one_of(st.none(), st.floats(0, 10)), max_size=12)


def gone(reasons, stage="gate"):
    return [Rejected("s", str(n), stage, reason) for n, reason in enumerate(reasons)]


def booked(rows, losses):
    ledger, left = Ledger(), rows
    for number, reasons in enumerate(losses):
        ledger.close(f"stage-{number}", left, left - len(reasons), gone(reasons))
        left -= len(reasons)
    return ledger


@given(LOSSES, st.integers(36, 60))
def test_every_row_is_in_one_place_and_every_reason_is_counted(losses, rows):
    ledger = booked(rows, losses)
    assert ledger.rows() == rows
    assert ledger.left() == rows - sum(map(len, losses))
    for reasons, stage in zip(losses, ledger.stages, strict=True):
        for reason in {kind(one) for one in reasons}:
            assert stage.rejected[reason] == sum(kind(one) == reason for one in reasons)
        assert stage.entered == stage.kept + sum(stage.rejected.values())
        assert list(stage.rejected) == sorted(stage.rejected)
    assert all(one.kept == other.entered for one, other in pairwise(ledger.stages))


@given(LOSSES, st.integers(1, 5))
def test_the_top_reasons_are_the_most_frequent_first_and_no_more_than_asked(losses, count):
    ledger = booked(60, losses)
    top = ledger.top_reasons(count)
    everything = ledger.top_reasons(1000)
    assert top == everything[:count]
    assert sum(number for _, number in everything) == len(ledger.rejected)
    assert [n for _, n in everything] == sorted((n for _, n in everything), reverse=True)


def test_equally_frequent_reasons_are_told_by_name_with_their_stage():
    ledger = Ledger()
    ledger.close("one", 6, 3, gone(["b", "a", "c (x)"]))
    ledger.close("two", 3, 1, gone(["a", "a"]))
    assert ledger.top_reasons(3) == [("two: a", 2), ("one: a", 1), ("one: b", 1)]


@pytest.mark.parametrize(
    ("entered", "kept", "lost"),
    [(5, 5, 0), (4, 4, 0), (3, 2, 0), (3, 3, 1), (3, 1, 1), (0, 0, 0), (2, 1, 1)],
)
def test_a_second_stage_must_be_given_what_the_first_kept(entered, kept, lost):
    ledger = Ledger()
    ledger.close("first", 5, 3, gone(["x", "y"]))
    before = (list(ledger.stages), list(ledger.rejected))
    with pytest.raises(HalubenchError, match="stage second") as told:
        ledger.close("second", entered, kept, gone(["z"] * lost))
    assert (ledger.stages, ledger.rejected) == before
    for number in (f"kept {3}", f"given {entered}", f"kept {kept}", f"rejected {lost}"):
        assert number in told.value.what


def test_an_empty_ledger_has_no_rows_and_no_reasons():
    ledger = Ledger()
    assert (ledger.rows(), ledger.left(), ledger.top_reasons()) == (0, 0, [])


def test_a_stage_in_the_manifest_is_a_copy():
    stage = Stage("gate", 3, 2, {"x": 1})
    told = stage.json()
    assert told == {"stage": "gate", "entered": 3, "kept": 2, "rejected": {"x": 1}}
    told["rejected"]["x"] = 9
    assert stage.rejected == {"x": 1}


@pytest.mark.parametrize(
    ("reason", "counted"),
    [
        ("plain", "plain"),
        ("passage is in x.jsonl (0.91: some text)", "passage is in x.jsonl"),
        ("a (b) (c)", "a"),
        ("f(x) is no bracket", "f(x) is no bracket"),
        ("", ""),
    ],
)
def test_details_in_brackets_do_not_split_a_reason(reason, counted):
    assert kind(reason) == counted


@given(COSTS, st.booleans())
def test_a_purse_adds_up_and_one_unknown_price_makes_the_total_unknown(costs, free):
    purse = Purse()
    for cost in costs:
        answer = Completion("x", prompt_tokens=7, completion_tokens=3, cost_usd=cost)
        purse.pay(answer, "jury", free=free)
    known = [cost for cost in costs if cost is not None]
    assert purse.spent == pytest.approx(0.0 if free else sum(known))
    assert (purse.total is None) == (len(known) < len(costs))
    if purse.total is not None:
        assert purse.total == pytest.approx(sum(known))
    told = purse.json()
    assert [told[name] for name in ("calls", "prompt_tokens", "completion_tokens")] == [
        len(costs),
        7 * len(costs),
        3 * len(costs),
    ]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8), st.floats(0, 4))
def test_what_is_left_is_the_ceiling_less_what_was_spent_or_an_error(costs, ceiling):
    purse = Purse(ceiling)
    for cost in costs:
        purse.pay(Completion("x", cost_usd=cost), "perturb")
    if purse.spent < ceiling:
        assert purse.left() == pytest.approx(ceiling - sum(costs))
        assert purse.left() > 0
        return
    with pytest.raises(BudgetError, match="ceiling") as told:
        purse.left()
    assert "--max-usd" in told.value.remedy
    assert told.value.exit_code == 75


def test_no_ceiling_is_never_reached():
    purse = Purse()
    purse.pay(Completion("x", cost_usd=1e9), "anchor")
    assert purse.left() is None


def test_a_ceiling_of_nothing_leaves_nothing():
    with pytest.raises(BudgetError):
        Purse(0.0).left()


def test_answers_out_of_the_journal_are_in_the_total_but_cost_this_command_nothing():
    purse = Purse(1.0)
    purse.pay(Completion("x", cost_usd=5.0), "perturb", free=True)
    purse.pay(Completion("x", cost_usd=0.25), "jury")
    assert (purse.left(), purse.total) == (0.75, 5.25)


@pytest.mark.parametrize(
    ("costs", "told"),
    [([], "$0.0000"), ([0.12344, 0.1], "$0.2234"), ([0.5, None], "cost unknown"), ([0.0], "$0")],
)
def test_the_cost_in_words(costs, told):
    purse = Purse()
    for cost in costs:
        purse.pay(Prediction("r", "j", "PASS", cost_usd=cost), "jury")
    assert purse.told().startswith(told)


def test_the_cost_in_the_manifest_is_rounded_to_a_millionth_and_null_when_unknown():
    purse = Purse()
    answer = Completion("x", prompt_tokens=10, completion_tokens=2, cost_usd=0.12345678)
    purse.pay(answer, "perturb", 40)
    known = {"calls": 1, "prompt_tokens": 10, "completion_tokens": 2, "cost_usd": 0.123457}
    assert purse.json() == {**known, "stages": {"perturb": {**known, "chars": 40}}}
    purse.pay(Completion("x"), "jury")
    assert purse.json()["cost_usd"] is None
    assert purse.json()["stages"]["perturb"]["cost_usd"] == 0.123457


@given(st.integers(0, 20), st.one_of(st.none(), st.integers(1, 30)))
def test_no_more_pairs_are_wanted_than_statements_or_asked(count, accept):
    wanted = Prepared([], {}, [], [None] * count, [], Ledger()).wanted(accept)
    assert wanted == (count if accept is None else min(count, accept))


MODEL, JUROR = "openai:writer", "openai:reader"
ROWS = 4


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """Plans by what is asked: none needs a key."""
    patch = pytest.MonkeyPatch()
    patch.delenv("OPENAI_API_KEY", raising=False)
    folder = tmp_path_factory.mktemp("plan")
    rows = source(folder, ROWS)
    priced = EngineOptions(30.0, 4, 1.0, 2.0)
    known = {}

    def planner(**change):
        asked = {"model": MODEL, "jury": (JUROR,), "engine": priced, **change}
        name = repr(sorted(asked.items()))
        if name not in known:
            known[name] = plan(ask(folder, rows, **asked))
        return known[name]

    planner(accept=1)  # Imports what the models need once, outside of any test.
    yield planner
    patch.undo()


SIZES = [{"accept": n} for n in (1, 3, 50)]
ASKS = [*SIZES, {}, {"accept": 8, "max_candidates": 3}]


@pytest.mark.parametrize("change", ASKS, ids=str)
def test_low_is_at_most_expected_is_at_most_high(planned, change):
    found = planned(**change)
    assert [(line.stage, line.model) for line in found.lines] == [
        ("perturb", MODEL),
        ("jury", JUROR),
    ]
    for line in found.lines:
        for low, expected, high in (line.calls, line.tokens_in, line.tokens_out, line.usd):
            assert 0 < low <= expected <= high
    low, expected, high = found.usd()
    assert low <= expected <= high


@pytest.mark.parametrize(("smaller", "larger"), list(pairwise(SIZES)), ids=str)
def test_more_pairs_never_cost_less(planned, smaller, larger):
    one, other = planned(**smaller), planned(**larger)
    assert one.wanted <= other.wanted <= ROWS
    assert all(low <= high for low, high in zip(one.usd(), other.usd(), strict=True))
    for left, right in zip(one.lines, other.lines, strict=True):
        assert all(a <= b for a, b in zip(left.calls, right.calls, strict=True))


def test_a_ceiling_on_candidates_bounds_the_calls(planned):
    assert planned(accept=8, max_candidates=3).lines[0].calls[2] == 3


def test_all_that_can_be_had_is_planned_for_where_no_number_is_asked(planned):
    assert planned().wanted == ROWS
    assert planned().lines[0].calls == planned(accept=50).lines[0].calls


def test_rules_ask_no_model(planned):
    found = planned(model="rules", jury=())
    assert found.lines == []
    assert found.usd() == (0, 0, 0)


def test_the_price_is_the_tokens_at_the_prices_given(planned):
    for line in planned(accept=3).lines:
        for into, out, usd in zip(line.tokens_in, line.tokens_out, line.usd, strict=True):
            assert usd == pytest.approx((into * 1.0 + out * 2.0) / 1e6, rel=0.01)


def test_every_perturbation_counts_statements_and_the_most_frequent_is_first(planned):
    counts = list(planned().types.values())
    assert counts == sorted(counts, reverse=True)
    assert all(0 < count <= ROWS for count in counts)


NOTHING = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("prices", "whole"),
    [
        ([], (0, 0, 0)),
        ([(1, 2, 3)], (1, 2, 3)),
        ([(1, 2, 3), (10, 20, 30)], (11, 22, 33)),
        ([(1, 2, 3), None], None),
        ([None], None),
    ],
)
def test_the_whole_price_is_the_sum_or_unknown(prices, whole):
    lines = [Line("s", "m", NOTHING, NOTHING, NOTHING, usd) for usd in prices]
    assert Plan([], (1, 1), 1, {}, lines).usd() == whole
