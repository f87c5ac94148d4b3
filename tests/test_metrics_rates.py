"""The metrics agree with scikit-learn, count every row, and are undefined rather than 0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from halubench.columns import FAIL, PASS, UNSCORED
from halubench.metrics import rates

CODES = ["PASS", "FAIL", "UNSCORED"]
LABELS = st.sampled_from([PASS, FAIL])
VERDICTS = st.sampled_from([PASS, FAIL, UNSCORED])
ROWS = st.lists(st.tuples(LABELS, VERDICTS), min_size=1, max_size=60)


def _arrays(rows):
    labels, verdicts = (np.array(part, dtype=np.int64) for part in zip(*rows, strict=True))
    return labels, verdicts, rates.confusion(labels, verdicts)


def matthews(truth: list[str], said: list[str]) -> float:
    """scikit-learn's, which is 0 where it is not defined."""
    if len(set(truth)) == 1 or len(set(said)) == 1:
        return np.nan
    return sk.matthews_corrcoef(truth, said)


@given(ROWS)
def test_rates_agree_with_scikit_learn(rows) -> None:
    labels, verdicts, table = _arrays(rows)
    truth, said = [CODES[label] for label in labels], [CODES[verdict] for verdict in verdicts]
    assert float(rates.accuracy(table)) == pytest.approx(sk.accuracy_score(truth, said), abs=1e-9)
    assert float(rates.mcc(table)) == pytest.approx(matthews(truth, said), abs=1e-9, nan_ok=True)
    precision, recall, f1, _ = sk.precision_recall_fscore_support(
        truth, said, labels=["FAIL"], average=None, zero_division=np.nan
    )
    expected = {"fail_precision": precision, "fail_recall": recall, "fail_f1": f1}
    for name, value in expected.items():
        assert float(rates.RATES[name](table)) == pytest.approx(value[0], abs=1e-9, nan_ok=True)


@given(ROWS)
def test_balanced_accuracy_is_the_mean_of_both_recalls(rows) -> None:
    labels, verdicts, table = _arrays(rows)
    got = float(rates.balanced_accuracy(table))
    if len(set(labels.tolist())) < 2:
        assert np.isnan(got)
        return
    recalls = sk.recall_score(labels, verdicts, labels=[0, 1], average=None, zero_division=0)
    assert got == pytest.approx(recalls.mean(), abs=1e-9)


@given(ROWS)
def test_accuracy_of_the_scored_leaves_out_the_unscored_and_nothing_else(rows) -> None:
    labels, verdicts, table = _arrays(rows)
    scored = verdicts != UNSCORED
    assert float(rates.coverage(table)) == pytest.approx(scored.mean())
    got = float(rates.accuracy_scored(table))
    if not scored.any():
        assert np.isnan(got)
        return
    assert got == pytest.approx(sk.accuracy_score(labels[scored], verdicts[scored]), abs=1e-9)


@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(rows, random) -> None:
    shuffled = random.sample(rows, len(rows))
    assert np.array_equal(_arrays(rows)[2], _arrays(shuffled)[2])


def test_an_unscored_row_is_wrong_but_neither_pass_nor_fail() -> None:
    _, _, table = _arrays([(0, 0), (0, 2), (1, 1), (1, 2)])
    assert float(rates.accuracy(table)) == 0.5
    assert float(rates.accuracy_scored(table)) == 1.0
    assert float(rates.fail_precision(table)) == 1.0
    assert float(rates.fail_recall(table)) == 0.5


def test_what_is_undefined_is_not_zero() -> None:
    _, _, nothing_scored = _arrays([(0, 2), (1, 2)])
    assert np.isnan(rates.fail_precision(nothing_scored))
    assert np.isnan(rates.accuracy_scored(nothing_scored))
    _, _, no_fail = _arrays([(0, 0)])
    assert np.isnan(rates.fail_recall(no_fail))
    assert np.isnan(rates.fail_f1(no_fail))
