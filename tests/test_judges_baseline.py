"""Baselines learn the shortcut they are named for, never from a row's own passage."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench import content
from halubench.errors import InputError
from halubench.judges import expand, open_judge
from halubench.judges.base import FittedJudge
from halubench.judges.baseline import FEATURES, FOLDS, ONE_PASSAGE, BaselineJudge, deal
from halubench.records import Example, Unscored

LABELS = st.sampled_from(["PASS", "FAIL"])


def _example(number: int, label: str, passage: str, answer: str = "x", source: str = "a"):
    return Example(f"row-{number}", passage, "Who?", answer, label, source)


def _judged(name: str, examples, groups=None):
    judge = BaselineJudge(name)
    judge.fit(examples, groups or [example.passage for example in examples])

    async def run():
        return [said async for said in judge.predict([e.blind() for e in examples])]

    return asyncio.run(run())


def _pairs(count: int, source: str = "a", start: int = 0):
    """Twins on one passage each: the FAIL answer is the longer one."""
    rows = []
    for number in range(start, start + count):
        passage = f"passage {number} tells of item {number * 7}"
        rows.append(_example(2 * number, "PASS", passage, "short", source))
        rows.append(_example(2 * number + 1, "FAIL", passage, "a much longer answer", source))
    return rows


def test_length_finds_a_length_shortcut_and_majority_does_not() -> None:
    rows = _pairs(20)
    right = [
        said.verdict == row.label for said, row in zip(_judged("length", rows), rows, strict=True)
    ]
    assert all(right)
    right = [
        said.verdict == row.label for said, row in zip(_judged("majority", rows), rows, strict=True)
    ]
    assert sum(right) == len(rows) / 2


def test_a_shortcut_is_learned_source_by_source() -> None:
    rows = _pairs(15, "a")
    flip = {"PASS": "FAIL", "FAIL": "PASS"}
    for row in _pairs(15, "b", start=100):
        rows.append(Example(row.id, row.passage, row.question, row.answer, flip[row.label], "b"))
    assert all(
        said.verdict == row.label for said, row in zip(_judged("length", rows), rows, strict=True)
    )


def test_majority_is_that_of_the_source() -> None:
    rows = [_example(i, "FAIL", f"one {i}", source="a") for i in range(20)]
    rows += [_example(50 + i, "PASS", f"two {i}", source="b") for i in range(30)]
    said = _judged("majority", rows, [row.passage for row in rows])
    assert [each.verdict for each in said] == [row.label for row in rows]
    assert {each.p_fail for each in said} == {None}


def test_a_row_never_learns_from_its_own_passage() -> None:
    """The lone passage of odd labels is judged as the others teach, not as its own rows say."""
    rows = [_example(i, "PASS", f"passage {i}", "short") for i in range(40)]
    rows += [_example(100 + i, "FAIL", "odd one out", "long " * 20) for i in range(10)]
    said = _judged("length", rows, [row.passage for row in rows])
    assert {each.verdict for each in said[40:]} == {"PASS"}


@pytest.mark.parametrize("name", ["majority", *FEATURES])
def test_one_passage_leaves_nothing_to_learn_from(name: str) -> None:
    rows = [_example(1, "PASS", "same"), _example(2, "FAIL", "same")]
    assert {each.verdict for each in _judged(name, rows)} == {Unscored(ONE_PASSAGE)}


def test_a_source_of_one_passage_learns_from_the_other_sources() -> None:
    rows = [*_pairs(10), _example(900, "FAIL", "elsewhere", "a much longer answer", "b")]
    assert _judged("length", rows)[-1].verdict == "FAIL"


@settings(max_examples=50)
@given(st.lists(st.tuples(LABELS, st.integers(0, 12)), min_size=1, max_size=40), st.randoms())
def test_folds_keep_groups_whole_whatever_the_order(rows, random) -> None:
    examples = [_example(i, label, f"p{group}") for i, (label, group) in enumerate(rows)]
    groups = [example.passage for example in examples]
    folds = deal(examples, groups)
    of_group = dict(zip(groups, folds.tolist(), strict=True))
    assert [of_group[group] for group in groups] == folds.tolist()
    assert len(set(folds.tolist())) == min(FOLDS, len(set(groups)))
    order = random.sample(range(len(rows)), len(rows))
    again = deal([examples[i] for i in order], [groups[i] for i in order])
    assert np.array_equal(again, folds[order])


def test_folds_are_alike_in_labels() -> None:
    rows = [_example(i, "FAIL" if i % 2 else "PASS", f"p{i}") for i in range(100)]
    folds = deal(rows, [row.passage for row in rows])
    for fold in range(FOLDS):
        labels = [row.label for row, its in zip(rows, folds, strict=True) if its == fold]
        assert labels.count("FAIL") == labels.count("PASS") == 10


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.sampled_from(["majority", *FEATURES]))
def test_row_order_does_not_change_a_verdict(random, name) -> None:
    rows = _pairs(8)
    shuffled = random.sample(rows, len(rows))
    assert {s.id: s.verdict for s in _judged(name, rows)} == {
        s.id: s.verdict for s in _judged(name, shuffled)
    }


def test_p_fail_and_verdict_agree() -> None:
    for said in _judged("overlap", _pairs(10)):
        assert said.p_fail is not None
        assert 0 <= said.p_fail <= 1
        assert (said.p_fail > 0.5) == (said.verdict == "FAIL")


def test_an_unknown_baseline_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="majority, length, overlap, numbers"):
        open_judge("baseline:foo", None)


@pytest.mark.parametrize("uri", ["nosuch:x", "openai", "", "baseline:", ":x"])
def test_a_uri_that_names_no_judge_lists_the_schemes(uri: str) -> None:
    for ask in (expand, lambda it: open_judge(it, None)):
        with pytest.raises(InputError, match=r"Known schemes: .*baseline.*openai.*recorded"):
            ask(uri)


def test_a_judge_is_one_new_file_in_a_folder_of_one_s_own(tmp_path) -> None:
    folder = tmp_path / "judges"
    folder.mkdir()
    (folder / "my_own.py").write_text("def open_judge(spec, options):\n    return 'mine ' + spec\n")
    content.add_folder(tmp_path)
    assert open_judge("my-own:thing", None) == "mine thing"
    assert expand("my-own:thing") == ["my-own:thing"]


def test_only_baselines_ask_to_be_fitted() -> None:
    assert isinstance(open_judge("baseline:length", None), FittedJudge)
