"""Intervals: reproducible, invariant to order, clustered by passage, and covering the truth."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics_world import Part, rows_of, score

from halubench.columns import UNSCORED
from halubench.metrics.summary import summarise

ROW = st.tuples(
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from([0.2, 0.5, 0.9, np.nan]),
    st.integers(0, 9),
)
SOURCES = st.dictionaries(
    st.sampled_from(["DROP", "covidQA", "halueval"]),
    st.lists(ROW, min_size=1, max_size=25),
    min_size=1,
)


def _slice(rows) -> Part:
    labels, verdicts, p_fail, clusters = zip(*rows, strict=True)
    return Part(
        np.array(labels, dtype=np.int64),
        np.array(verdicts, dtype=np.int64),
        np.array(p_fail, dtype=np.float64),
        np.array([f"g{number}" for number in clusters]),
    )


def _random(rng: np.random.Generator, clusters: int, size: int, accuracy: float) -> Part:
    """``clusters`` passages of ``size`` rows; a judge is right or wrong on a whole passage."""
    n = clusters * size
    labels = rng.integers(0, 2, n)
    right = np.repeat(rng.random(clusters) < accuracy, size)
    names = np.repeat([f"g{number:04}" for number in range(clusters)], size)
    p_fail = np.where(right, labels, 1 - labels) * 0.5 + rng.random(n) * 0.5
    return Part(labels, np.where(right, labels, 1 - labels), p_fail, names)


@settings(max_examples=40)
@given(SOURCES, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_sources_does_not_matter(sources, random) -> None:
    rows = rows_of({name: _slice(told) for name, told in sources.items()})
    shuffled = random.sample(rows, len(rows))
    assert summarise(shuffled, resamples=50) == summarise(rows, resamples=50)


@settings(max_examples=40)
@given(SOURCES)
def test_counts_add_up_and_intervals_hold_their_value_s_range(sources) -> None:
    scored = score({name: _slice(rows) for name, rows in sources.items()}, resamples=50)
    every = [*scored.sources.values()]
    for name in ("n", "n_pass", "n_fail", "unscored"):
        assert getattr(scored.overall, name) == sum(getattr(part, name) for part in every)
    assert scored.overall.n == scored.overall.n_pass + scored.overall.n_fail
    for name, part in scored.sources.items():
        low, high = part.accuracy.low, part.accuracy.high
        if len({cluster for *_, cluster in sources[name]}) == 1:
            assert (low, high) == (None, None)
        else:
            assert low is not None
            assert high is not None
            assert 0 <= low <= high <= 1


@settings(max_examples=40)
@given(SOURCES)
def test_macro_accuracy_is_the_unweighted_mean_of_the_sources(sources) -> None:
    scored = score({name: _slice(rows) for name, rows in sources.items()}, resamples=10)
    values = [part.accuracy.value for part in scored.sources.values()]
    assert scored.macro_accuracy.value == pytest.approx(np.mean(values))
    balanced = [part.balanced_accuracy.value for part in scored.sources.values()]
    if None in balanced:
        assert scored.macro_balanced_accuracy.value is None
    else:
        assert scored.macro_balanced_accuracy.value == pytest.approx(np.mean(balanced))


def test_seed_decides_the_interval_and_nothing_else() -> None:
    part = {"a": _random(np.random.default_rng(1), 60, 2, 0.7)}
    one, same, other = score(part, 0), score(part, 0), score(part, 1)
    assert one == same
    assert one.overall.accuracy.value == other.overall.accuracy.value
    assert one.overall.auroc != other.overall.auroc


def test_a_source_s_interval_does_not_depend_on_the_other_sources() -> None:
    rng = np.random.default_rng(2)
    first, second = _random(rng, 30, 2, 0.7), _random(rng, 40, 2, 0.9)
    both = score({"a": first, "b": second}).sources["a"]
    alone = score({"a": first}).sources["a"]
    assert both.accuracy == alone.accuracy
    assert both.fail_f1 == alone.fail_f1


def test_one_passage_has_values_but_no_intervals() -> None:
    lone = _slice([(0, 0, 0.1, 7), (1, 1, 0.9, 7)])
    many = _random(np.random.default_rng(6), 30, 2, 0.7)
    scored = score({"lone": lone, "many": many})
    for estimate in (scored.sources["lone"].accuracy, scored.sources["lone"].auroc):
        assert (estimate.value, estimate.low, estimate.high) == (1.0, None, None)
    assert scored.macro_accuracy.low is None
    assert scored.macro_accuracy.value is not None
    assert scored.overall.accuracy.low is not None


def test_a_passage_in_two_sources_is_one_cluster_of_all_rows() -> None:
    one = _random(np.random.default_rng(7), 200, 1, 0.7)
    apart = replace(one, clusters=np.char.add(one.clusters, "b"))
    joint = score({"a": one, "b": one}).overall.accuracy
    separate = score({"a": one, "b": apart}).overall.accuracy
    assert joint.high - joint.low > 1.2 * (separate.high - separate.low)


def test_rows_that_share_a_passage_widen_the_interval() -> None:
    part = _random(np.random.default_rng(3), 100, 4, 0.7)
    names = np.array([str(number) for number in range(len(part.labels))])
    alone = Part(part.labels, part.verdicts, part.p_fail, names)
    for metric in ("accuracy", "auroc"):
        clustered = getattr(score({"a": part}).overall, metric)
        single = getattr(score({"a": alone}).overall, metric)
        assert clustered.high - clustered.low > 1.5 * (single.high - single.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """200 samples of 80 passages of 3 rows: 95 % nominal, the percentile bootstrap a bit below."""
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        sample = replace(_random(rng, 80, 3, 0.7), p_fail=np.full(240, np.nan))
        estimate = score({"a": sample}, resamples=400).overall.accuracy
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 0.7 <= estimate.high
    assert 0.88 <= covered / 200 <= 0.99


def test_what_is_undefined_has_no_value_and_no_interval() -> None:
    rows = _slice([(0, UNSCORED, np.nan, 0), (1, UNSCORED, np.nan, 1)])
    scored = score({"a": rows}, resamples=20).overall
    for name in ("accuracy_scored", "fail_precision", "auroc"):
        estimate = getattr(scored, name)
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
    assert scored.accuracy.value == 0.0
    assert scored.coverage == 0.0


def test_auroc_of_the_scored_covers_only_rows_with_a_score() -> None:
    part = _random(np.random.default_rng(5), 50, 2, 0.8)
    half = np.where(np.arange(100) % 2, np.nan, part.p_fail)
    values = {field.name: getattr(part, field.name) for field in fields(part)}
    given_ = Part(**{name: array[::2] for name, array in values.items()})
    with_gaps = score({"a": Part(**{**values, "p_fail": half})}).overall
    assert with_gaps.auroc_scored.value == score({"a": given_}).overall.auroc.value
    assert with_gaps.auroc.value < with_gaps.auroc_scored.value
    assert with_gaps.p_rows == 50
    assert with_gaps.n == 100
