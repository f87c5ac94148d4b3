"""Baselines and recorded verdicts, the features they read, and the folder a judge gets."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from halubench import near, shortcuts
from halubench.errors import InputError
from halubench.evaluate import slug
from halubench.judges import expand, open_judge
from halubench.judges.baseline import FEATURES, FOLDS, BaselineJudge, deal, logistic
from halubench.judges.recorded import ABSENT, _p_fail
from halubench.records import Example, Row, Unscored


def row(answer: str, passage: str = "") -> Row:
    return Row("r", passage, "q", answer, "s")


def predicted(judge, rows: list[Row]):
    async def run():
        return [said async for said in judge.predict(rows)]

    return asyncio.run(run())


def recorded(uri: str, *ids: str):
    return predicted(open_judge(uri, None), [Row(name, "p", "q", "a", "s") for name in ids])


def noisy(passages: int) -> list[Example]:
    """Two rows a passage, FAIL answers longer on the whole, not always."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(passages):
        for side, label in enumerate(("PASS", "FAIL")):
            size = int(rng.integers(5, 25)) + 8 * side
            rows.append(
                Example(f"{number}-{side}", f"passage {number}", "q", "x" * size, label, "s")
            )
    return rows


FEATURE = st.lists(
    st.tuples(st.floats(-4, 4, width=16), st.integers(0, 1)), min_size=2, max_size=30
)


@settings(max_examples=100)
@given(FEATURE.filter(lambda rows: len({label for _, label in rows}) == 2))
def test_the_regression_is_scikit_learns(rows) -> None:
    feature, fails = (np.array(column) for column in zip(*rows, strict=True))
    theirs = LogisticRegression(tol=1e-10, max_iter=10_000).fit(feature[:, None], fails)
    ours = logistic(feature, fails)
    assert ours == pytest.approx([theirs.coef_[0, 0], theirs.intercept_[0]], abs=1e-5)


def test_the_regression_of_one_far_row_ends() -> None:
    weight, intercept = logistic(np.array([1e6, *[0.0] * 50]), np.array([0, *[1, 0] * 25]))
    assert weight < 0
    assert intercept == pytest.approx(0.0, abs=1e-6)


def verdicts(name: str, rows: list[Example]):
    judge = BaselineJudge(name)
    judge.fit(rows, [each.passage for each in rows])
    return predicted(judge, [each.blind() for each in rows])


@pytest.mark.parametrize("name", ["majority", *FEATURES])
def test_a_row_s_own_labels_and_those_of_its_passage_never_reach_it(name: str) -> None:
    rows = noisy(12)
    before = verdicts(name, rows)
    for passage in ("passage 0", "passage 7"):
        turned = [
            replace(each, label="PASS" if each.label == "FAIL" else "FAIL")
            if each.passage == passage
            else each
            for each in rows
        ]
        after = verdicts(name, turned)
        own = [i for i, each in enumerate(rows) if each.passage == passage]
        assert [after[i] for i in own] == [before[i] for i in own]


def test_the_labels_of_the_other_folds_do_reach_a_row() -> None:
    rows = noisy(12)
    turned = [replace(e, label="PASS" if e.label == "FAIL" else "FAIL") for e in rows]
    for one, other in zip(verdicts("length", rows), verdicts("length", turned), strict=True):
        assert one.p_fail == pytest.approx(1 - other.p_fail, abs=1e-4)


@pytest.mark.parametrize("passages", [2, 3, 5, 6, 23])
def test_folds_are_as_many_and_as_even_as_the_passages_allow(passages: int) -> None:
    rows = noisy(passages)
    folds = deal(rows, [each.passage for each in rows])
    sizes = np.bincount(folds)
    assert len(sizes) == min(FOLDS, passages)
    assert sizes.max() - sizes.min() <= 2
    assert (folds[::2] == folds[1::2]).all()


@pytest.mark.parametrize(
    ("labels", "verdict"), [("PPPF", "PASS"), ("FFFP", "FAIL"), ("PPPP", "PASS"), ("FFFF", "FAIL")]
)
def test_the_majority_of_the_other_passages_is_said(labels: str, verdict: str) -> None:
    rows = [
        Example(str(i), f"p{i}", "q", "a", "PASS" if each == "P" else "FAIL", "s")
        for i, each in enumerate(labels * 5)
    ]
    said = verdicts("majority", rows)
    assert {each.verdict for each in said} == {verdict}
    assert {each.p_fail for each in said} == {None}


@pytest.mark.parametrize("value", ["PASS", "pass", " Pass ", "FAIL", "fail\n", "\tFAIL"])
def test_recorded_words_are_read_in_any_case(tmp_path: Path, value: str) -> None:
    file = tmp_path / "v.jsonl"
    file.write_text(json.dumps({"id": "a", "verdict": value}) + "\n")
    assert recorded(f"recorded:{file}", "a")[0].verdict == value.strip().upper()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"verdict": None}, "recorded as empty"),
        ({"verdict": "  "}, "recorded as empty"),
        ({"verdict": "maybe"}, "recorded as 'maybe'"),
        ({"verdict": 1}, "recorded as '1'"),
        ({"verdict": "PASS FAIL"}, "recorded as 'PASS FAIL'"),
        ({"verdict": "x" * 90}, f"recorded as {'x' * 40!r}"),
        ({"verdict": None, "unscored_reason": "timed out"}, "timed out"),
        ({"verdict": "?", "unscored_reason": "timed out"}, "timed out"),
    ],
)
def test_what_was_recorded_without_a_verdict_says_what(tmp_path, fields, reason: str) -> None:
    file = tmp_path / "v.jsonl"
    file.write_text(json.dumps({"id": "a", **fields}) + "\n")
    said = recorded(f"recorded:{file}", "a", "b")
    assert [each.verdict for each in said] == [Unscored(reason), Unscored(ABSENT)]
    assert {each.judge for each in said} == {"v"}


TABLE = [
    {"id": "1", "verdict": "PASS", "p_fail": 0.25},
    {"id": "2", "verdict": "FAIL", "p_fail": 1.0},
]


def write(path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(TABLE), path)
    elif path.suffix == ".csv":
        path.write_text("id,verdict,p_fail\n1,PASS,0.25\n2,FAIL,1.0\n")
    elif path.suffix == ".json":
        path.write_text(json.dumps(TABLE))
    else:
        path.write_text("".join(json.dumps(each) + "\n" for each in TABLE))
    return path


@pytest.mark.parametrize("name", ["v.jsonl", "v.json", "v.csv", "v.parquet"])
def test_every_shape_of_file_gives_the_same_predictions(tmp_path: Path, name: str) -> None:
    said = recorded(f"recorded:{write(tmp_path / name)}", "2", "3", "1")
    assert [(each.id, each.verdict, each.p_fail) for each in said] == [
        ("2", "FAIL", 1.0),
        ("3", Unscored(ABSENT), None),
        ("1", "PASS", 0.25),
    ]


def test_judges_of_one_file_are_told_apart_and_an_unknown_one_lists_them(tmp_path: Path) -> None:
    file = tmp_path / "j.jsonl"
    lines = [
        {"id": "1", "judges": {"b": "PASS", "a": "FAIL"}},
        {"id": "2", "judges": {"a": "PASS"}},
    ]
    file.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert expand(f"recorded:{file}") == [f"recorded:{file}#a", f"recorded:{file}#b"]
    both = {name: recorded(f"recorded:{file}#{name}", "1", "2") for name in "ab"}
    assert [each.verdict for each in both["a"]] == ["FAIL", "PASS"]
    assert [each.verdict for each in both["b"]] == ["PASS", Unscored(ABSENT)]
    with pytest.raises(InputError, match="holds no judge 'c'"):
        open_judge(f"recorded:{file}#c", None)


def test_verdicts_that_no_row_uses_are_counted_in_a_warning(tmp_path: Path) -> None:
    judge = open_judge(f"recorded:{write(tmp_path / 'v.jsonl')}", None)
    predicted(judge, [Row("1", "p", "q", "a", "s")])
    assert judge.warnings() == ["1 recorded verdicts have ids that are not in the data."]
    predicted(judge, [Row(name, "p", "q", "a", "s") for name in "12"])
    assert judge.warnings() == []


@pytest.mark.parametrize(
    ("value", "number"), [(None, None), ("", None), (0, 0), ("0.5", 0.5), (1, 1)]
)
def test_p_fail_is_a_share_or_nothing(value, number) -> None:
    assert _p_fail(Path("v"), 3, value) == number


@pytest.mark.parametrize("value", [-0.1, 1.1, "nan", "inf", "high", "5 %", [0.5]])
def test_another_p_fail_is_refused_naming_the_row(value) -> None:
    with pytest.raises(InputError, match="v, row 3: p_fail"):
        _p_fail(Path("v"), 3, value)


SURFACE = [
    ("list marks such as ['", "['57', '54']", 1), ("list marks such as ['", "[a]", 0),
    ("repeated spans such as '56, 56'", "56, 56", 1), ("repeated spans such as '56, 56'", "56, 57", 0),
    ("repeated spans such as '56, 56'", "Tom and Tom", 1),
    ("characters", "añb", 3), ("words", "It is 1,577 tons.", 4), ("words", "", 0),
    ("characters per word", "ab cd", 2.5), ("characters per word", "…", 1),
    ("share of digits", "a1b2", 0.5), ("share of digits", "", 0),
    ("share of capitals", "AbCd", 0.5), ("share of non-ASCII characters", "é€ab", 0.5),
    ("capital at the start", "The", 1), ("capital at the start", "the", 0),
    ("capital at the start", "", 0),
    ("full stop at the end", "Yes. ", 1), ("full stop at the end", "Yes!", 1),
    ("full stop at the end", "Yes", 0),
    ("commas", "a, b, 1,577", 3), ("full stops", "It is 3.5. Yes.", 2),
    ("semicolons and colons", "a; b: c", 2), ("dashes", "a-b – c — d", 3),
    ("brackets", "(a) [b] {c}", 6), ("quotation marks", "“a” 'b' \"", 5),
    ("percent and currency signs", "5 % of $3, €2 or £1", 4),
    ("numbers", "1,577 and 3.5 or 57,54", 4), ("decimals", "3.5, 4. 5 and 0.25", 2),
    ("comma-grouped numbers", "1,577 and 12,34", 1), ("lines", "a\nb\n", 2),
    ("spaces doubled or at the ends", " a  b ", 3), ("spaces doubled or at the ends", "a b", 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer", "value"), SURFACE)
def test_surface_features_by_hand(name: str, answer: str, value: float) -> None:
    assert shortcuts.SURFACE[name](answer) == pytest.approx(value)
    place = list(shortcuts.SURFACE).index(name)
    assert shortcuts.surface_features([row("x"), row(answer)])[1, place] == pytest.approx(value)


def test_every_surface_feature_is_counted_by_hand_above() -> None:
    assert {name for name, _, _ in SURFACE} == set(shortcuts.SURFACE)


PASSAGE = "The plant made 1,577 tons in 1999. The mill closed."


@pytest.mark.parametrize(
    ("answer", "unigrams", "bigrams", "run"),
    [
        ("The plant made 1,577 tons", 1, 1, 1),
        ("the PLANT, made", 1, 1, 1),
        ("plant the", 1, 0, 0.5),
        ("made 1,577 bricks in 1999", 0.8, 0.5, 0.4),
        ("mill", 1, 1, 1),
        ("bricks", 0, 0, 0),
        ("plan", 0, 0, 0),
        ("", 0, 0, 0),
        ("in 1999 the mill closed today", 5 / 6, 0.8, 5 / 6),
        ("tons tons", 1, 0, 0.5),
    ],
)
def test_overlap_features_by_hand(answer: str, unigrams: float, bigrams: float, run: float) -> None:
    found = shortcuts.overlap_features([row(answer, PASSAGE)])
    assert found.tolist() == [pytest.approx([unigrams, bigrams, run])]
    assert shortcuts.overlap(row(answer, PASSAGE)) == pytest.approx(unigrams)


def test_features_of_no_rows_keep_their_width() -> None:
    assert shortcuts.overlap_features([]).shape == (0, 3)
    assert shortcuts.surface_features([]).shape == (0, len(shortcuts.SURFACE))


@pytest.mark.parametrize(
    ("one", "other", "jaccard"),
    [
        ("a b c d e f", "A b c, d e f!", 1.0),
        ("a b c d e f g h i j", "a b c d e f g h i z", 5 / 7),
        ("a b c d e f", "z b c d e f", 1 / 3),
        ("a b c", "a b c d", 0.0),
    ],
)
def test_overlap_is_the_share_of_five_word_runs(one: str, other: str, jaccard: float) -> None:
    found = near.overlapping([one], [other], threshold=0.3)
    assert [hit.share for hit in found] == ([pytest.approx(jaccard)] if jaccard else [])
    alike = len(set(near.groups([one, other], threshold=0.3))) == 1
    assert alike == bool(jaccard)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("baseline:majority", "baseline-majority"),
        ("openai:gpt-4o mini", "openai-gpt-4o-mini"),
        ("vllm:a/b:c?d=e", "vllm-a-b-c-d-e"),
        ("embedded:", "embedded"),
        ("openai:x/", "openai-x"),
        ("openai:é/ü", "openai"),
    ],
)
def test_slugs(uri: str, name: str) -> None:
    assert slug(uri) == name


@settings(max_examples=60)
@given(st.text(max_size=150))
def test_a_slug_is_one_bounded_file_name(spec: str) -> None:
    name = slug(f"openai:{spec}".replace("\0", ""))
    assert name.startswith("openai")
    assert len(name) <= 100
    assert all(char.isascii() and (char.isalnum() or char in "._-") for char in name)
