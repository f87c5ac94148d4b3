"""Planted shortcuts are found, absent ones are not, and passages are never split."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from audit_twins import planted, twins
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from halubench import audit
from halubench.audit import auc, probes, rules
from halubench.audit import rows as audit_rows
from halubench.audit.rows import Rows, fold_ranks, out_of_fold
from halubench.records import Example

if TYPE_CHECKING:
    from halubench.audit.report import Probe

SPECS = {spec.name: spec for spec in probes.PROBES}


def measure(name: str, examples: list[Example], seed: int = 0) -> Probe:
    return probes.measure(SPECS[name], Rows.of(examples, seed))


@pytest.mark.parametrize("name", list(SPECS))
def test_clean_twins_stay_inside_every_gate(name: str) -> None:
    probe = measure(name, twins())
    assert probe.auroc is not None
    assert probe.low is not None
    assert probe.high is not None
    assert probe.low <= probe.auroc <= probe.high
    assert probe.auroc <= SPECS[name].high or probe.low <= 0.5
    assert probe.auroc >= SPECS[name].low or probe.high >= 0.5


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        (
            "length",
            {"answer": "{e.answer} in that year"},
            "answer longer than 24 characters is FAIL",
        ),
        ("format", {"answer": "['{e.answer}']"}, "answer with list marks such as [' is FAIL"),
        (
            "format",
            {"answer": "{e.answer} 56, 56"},
            "answer with repeated spans such as '56, 56' is FAIL",
        ),
        ("answer", {"answer": "However, {e.answer}"}, 'answer with "however'),
        ("question_answer", {"answer": "however {e.answer}"}, ""),
        (
            "overlap",
            {"answer": "{e.answer} Sources say otherwise"},
            "found in the passage of at most",
        ),
        (
            "numbers",
            {"answer": "{e.answer} 31415"},
            "numbers found in the passage of at most 0.5 is FAIL",
        ),
        ("ids", {"id": "{e.id}-perturbed"}, 'id that ends in "-perturbed" is FAIL'),
    ],
)
def test_planted_shortcut_is_found_and_named(name: str, change: dict[str, str], rule: str) -> None:
    probe = measure(name, planted(change, twins()))
    assert probe.auroc is not None
    assert probe.low is not None
    assert probe.auroc > 0.9
    assert probe.low > SPECS[name].high
    if rule:
        assert probe.rule is not None
        assert rule in probe.rule.text
        assert probe.rule.accuracy > 0.9


def test_shorter_fail_answers_put_length_below_its_gate() -> None:
    shorter = [replace(e, answer=e.answer + " As said." * (e.label == "PASS")) for e in twins()]
    probe = measure("length", shorter)
    assert probe.auroc == 0.0
    assert probe.rule is not None
    assert probe.rule.text.startswith("answer of at most 24 characters")


def test_alternating_rows_and_blocks_are_found() -> None:
    by_label = sorted(twins(), key=lambda e: e.label)
    half = len(by_label) // 2
    alternating = [
        row for pair in zip(by_label[:half], by_label[half:], strict=True) for row in pair
    ]
    for rows, words in ((by_label, "every row up to row 120"), (alternating, "every second row")):
        probe = measure("order", rows)
        assert probe.auroc is not None
        assert probe.auroc > 0.9
        assert probe.rule is not None
        assert probe.rule.text.startswith(words)
        assert probe.rule.accuracy == 1.0


def test_a_label_hidden_in_one_character_of_hashed_ids_is_found() -> None:
    hidden = [
        replace(e, id=e.id[:5] + random.Random(e.id).choice("13579bdf" if e.label == "FAIL" else "02468ace") + e.id[6:])
        for e in twins()
    ]  # fmt: skip
    probe = measure("ids", hidden)
    assert probe.auroc is not None
    assert probe.auroc > 0.9
    assert probe.rule is not None
    assert probe.rule.text == "id with one of 1 3 5 7 9 b d f as its character 6 is FAIL"


def topical(passages: int = 60, each: int = 5) -> list[Example]:
    """Answers hold words of their passage alone, and a passage's rows share one label."""
    rng = random.Random(3)
    labels = rng.sample(["PASS", "FAIL"] * (passages // 2), passages)
    topics = ["".join(rng.choices("bcdfghklmnprst", k=9)) for _ in labels]
    return [
        Example(f"{topic}{i}", f"On {topic}: {topic * 2}", "What?", f"{topic} it is", label, "s")
        for topic, label in zip(topics, labels, strict=True)
        for i in range(each)
    ]


def test_random_folds_would_inflate_what_grouped_folds_do_not() -> None:
    grouped = Rows.of(topical(), 0)
    alone = replace(grouped, groups=np.array([str(i) for i in range(len(grouped.fail))]))
    leaky = auc.auroc(probes.answer_scores(alone), alone.fail)
    honest = auc.auroc(fold_ranks(probes.answer_scores(grouped), grouped), grouped.fail)
    assert leaky > 0.95
    assert honest < 0.65


def test_no_passage_group_is_in_train_and_test() -> None:
    rows = Rows.of([replace(e, passage=e.passage.upper()) for e in twins()] + twins(), 0)
    tested: list[int] = []
    for train, test in rows.folds:
        assert not set(rows.groups[train]) & set(rows.groups[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(rows.fail)))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
        lambda rows: len({fail for _, fail in rows}) == 2
    )
)
def test_auroc_equals_scikit_learn_ties_included(rows: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in rows], dtype=float)
    fail = np.array([fail for _, fail in rows])
    assert auc.auroc(scores, fail) == pytest.approx(float(roc_auc_score(fail, scores)))


def test_interval_is_wider_when_rows_hang_together() -> None:
    rng = np.random.default_rng(0)
    fail = np.tile([True, False], 100)
    scores = rng.normal(size=20).repeat(10) * np.where(fail, 1, -1) + rng.normal(size=200) * 0.1
    apart = np.array([str(i) for i in range(200)])
    together = np.array([str(i // 10) for i in range(200)])
    narrow, wide = auc.interval(scores, fail, apart, 0), auc.interval(scores, fail, together, 0)
    assert wide[1] - wide[0] > narrow[1] - narrow[0]
    assert narrow[0] <= auc.auroc(scores, fail) <= narrow[1]


def test_interval_covers_chance_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    fail = np.tile([True, False], 60)
    groups = np.array([str(i // 2) for i in range(120)])
    bounds = [auc.interval(rng.normal(size=120), fail, groups, seed) for seed in range(60)]
    covered = sum(low <= 0.5 <= high for low, high in bounds)
    assert 50 <= covered <= 60


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_threshold_rule_is_the_best_of_all_cuts(rows: list[tuple[int, bool]]) -> None:
    values = np.array([value for value, _ in rows], dtype=float)
    fail = np.array([fail for _, fail in rows])
    found = rules.threshold_rule(values, fail, rules.quantity("x"))
    every = [rules.rule("", values > cut, fail) for cut in values]
    every += [rules.rule("", values <= cut, fail) for cut in values]
    assert found.balanced_accuracy == pytest.approx(max(rule.balanced_accuracy for rule in every))


def test_a_fold_whose_training_rows_have_one_label_scores_chance() -> None:
    rows = Rows.of(twins(20), 0)
    rows = replace(rows, groups=np.where(rows.fail, "only", rows.groups))
    scores = out_of_fold(np.arange(len(rows.fail), dtype=float)[:, None], rows)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (scores[rows.fail] == 0.5).all()


@pytest.mark.parametrize(
    ("examples", "reason"),
    [
        (twins(10), "20 rows"),
        ([replace(e, label="PASS") for e in twins()], "0 FAIL rows"),
        ([replace(e, passage=f"p {i % 5}") for i, e in enumerate(twins())], "5 distinct passages"),
    ],
)
def test_too_few_rows_are_said_and_not_measured(examples: list[Example], reason: str) -> None:
    probe = measure("answer", examples)
    assert probe.auroc is None
    assert reason in probe.note


def test_answers_without_any_repeated_term_are_at_chance() -> None:
    probe = measure("answer", [replace(e, answer=chr(0x4E00 + i)) for i, e in enumerate(twins())])
    assert probe.auroc == pytest.approx(0.5, abs=0.1)


def test_telling_is_high_on_fail_rows_that_give_themselves_away() -> None:
    leaky = planted({"answer": "Indeed {e.answer}"}, twins(60))
    scores = np.array(audit.telling(leaky, seed=1))
    fail = np.array([e.label == "FAIL" for e in leaky])
    assert scores.shape == (120,)
    assert scores[fail].mean() > 0.7
    assert scores[~fail].mean() < 0.3
    assert audit.telling(leaky, seed=1) == scores.tolist()


def test_telling_does_not_guess_on_too_few_rows() -> None:
    assert audit.telling(twins(5)) == [0.5] * 10


def test_ngrams_name_the_planted_word_and_count_its_rows() -> None:
    found = audit.ngrams(planted({"answer": "Indeed {e.answer}"}, twins(60)), top=3)
    first = found[0]
    assert "indeed" in first.text
    assert (first.label, first.n_fail, first.n_pass) == ("FAIL", 60, 0)
    assert {ngram.label for ngram in found} == {"FAIL", "PASS"}
    assert all((ngram.weight > 0) == (ngram.label == "FAIL") for ngram in found)


@given(st.integers(1, 200), st.integers(0, 3))
def test_a_sample_is_whole_passages_and_no_more_than_enough(most: int, seed: int) -> None:
    rows = Rows.of(twins(40), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit_rows, "MOST_ROWS", most)
        sample = rows.sample
    sizes = {group: int((rows.groups == group).sum()) for group in sample.groups}
    assert len(sample.fail) == sum(sizes.values())
    assert min(most, len(rows.fail)) <= len(sample.fail) < most + max(sizes.values())
    assert [rows.examples[i] for i in sample.index] == list(sample.examples)


def test_of_many_rows_a_probe_takes_a_sample_and_the_order_takes_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audit_rows, "MOST_ROWS", 100)
    told = planted({"answer": "However, {e.answer}"}, twins(100))
    found = {name: measure(name, told) for name in SPECS}
    assert {name for name, probe in found.items() if probe.rows == len(told)} == {"order"}
    assert all(100 <= probe.rows < 110 for name, probe in found.items() if name != "order")
    assert (found["answer"].auroc or 0) > 0.9
    every_second = [replace(e, label=("PASS", "FAIL")[i % 2]) for i, e in enumerate(twins(100))]
    assert measure("order", every_second).auroc == 1.0
