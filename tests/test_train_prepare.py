"""``train prepare``: every row accounted for, none of the benchmark, the score last."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from train_world import GOOD, asked, example, pairs, teacher, written
from typer.testing import CliRunner

from halubench import content, dataset
from halubench.cli.train import app
from halubench.errors import BudgetError, HalubenchError, InputError
from halubench.judges.parse import parse_verdict_text
from halubench.train import rows
from halubench.train.prepare import Ask, prepare
from halubench.train.teacher import Teacher


def silent(stage: str, done: int, total: int) -> None:
    assert done <= total


def direct(folder: Path, data: list, **changed):
    told = {"target": "direct", "validation": 0.25, **changed}
    return prepare(Ask((written(folder / "d.jsonl", data),), folder / "out", **told), silent)


def taught(folder: Path, data: list, *replies: str, **changed):
    content.add_folder(folder)
    by = Teacher(teacher(folder, *replies), max_usd=changed.pop("max_usd", None))
    return prepare(
        Ask((written(folder / "d.jsonl", data),), folder / "out", teacher=by, **changed), silent
    )


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_both_forms_say_the_same_and_end_at_the_score(tmp_path):
    done = direct(tmp_path, pairs(20))
    for name, made in done.splits.items():
        chats = lines(tmp_path / "out/messages" / f"{name}.jsonl")
        parts = lines(tmp_path / "out/prompt_completion" / f"{name}.jsonl")
        assert [chat["messages"] for chat in chats] == [
            part["prompt"] + part["completion"] for part in parts
        ]
        for row, part in zip(made, parts, strict=True):
            assert row.example.answer in part["prompt"][-1]["content"]
            (said,) = part["completion"]
            assert said["content"].endswith(f'"SCORE": "{row.example.label}"}}')
            assert parse_verdict_text(said["content"])[0] == row.example.label


def test_the_prepared_folder_is_a_dataset_that_evaluate_reads(tmp_path):
    done = direct(tmp_path, pairs(20))
    read = dataset.load(str(tmp_path / "out"), split="validation")
    assert list(read.examples) == [row.example for row in done.splits["validation"]]


def test_splits_share_no_passage_and_every_row_is_accounted_for(tmp_path):
    data = [*pairs(40), example(3, id="again")]
    done = direct(tmp_path, data)
    passages = {n: {row.example.passage for row in made} for n, made in done.splits.items()}
    assert not passages["train"] & passages["validation"]
    assert min(map(len, passages.values())) > 3
    assert done.read == len(data) == sum(map(len, done.splits.values())) + len(done.rejected)
    assert done.reasons()["duplicates"] == {"same row as another": 1}
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    counts = [part["rows"] for part in manifest["splits"].values()]
    left = sum(sum(reasons.values()) for reasons in manifest["rejected"].values())
    assert sum(counts) + left == manifest["rows_read"] == len(data)
    assert [one["id"] for one in lines(tmp_path / "out/rejected.jsonl")] == ["again"]


def test_a_split_made_by_hash_is_split_afresh(tmp_path):
    """A benchmark's own validation split lies in one corner of the hash."""
    from halubench.assemble import split_of
    from halubench.near import groups

    data = [one for n in range(200) for one in [example(n)]]
    keys = groups([row.passage for row in data])
    corner = [r for r, k in zip(data, keys, strict=True) if split_of(k, {"a": 0.2, "b": 1}) == "a"]
    found = rows.split(corner, 0.5)
    assert min(map(len, found.values())) > len(corner) / 4


def test_twins_that_differ_by_a_currency_alone_are_kept():
    right = example(50, answer="It cost €40.", label="PASS")
    wrong = example(50, id="other", answer="It cost £40.", label="FAIL")
    assert rows.distinct([right, wrong]) == ([right, wrong], [])


def test_a_row_under_both_labels_is_left_out_whole(tmp_path):
    data = [
        *pairs(10),
        example(50),
        example(50, id="other", label="FAIL", answer=example(50).answer),
    ]
    done = direct(tmp_path, data)
    assert done.reasons()["duplicates"] == {"stands under both labels": 2}


def near_copy(row):
    return row.passage.replace("metres long", "meters long")


def test_rows_of_the_benchmark_are_refused_by_name_exact_and_near(tmp_path):
    long = " ".join(f"word{n}" for n in range(60))
    data = [example(n, passage=f"{long} {example(n).passage} {n}") for n in range(3)]
    other = [example(0, id="b0"), example(1, id="b1", passage=near_copy(data[1]))]
    bench = written(tmp_path / "b.jsonl", [other[0], other[1]])
    with pytest.raises(InputError, match="benchmark") as caught:
        direct(tmp_path, data, benchmarks=(bench,))
    assert "DROP-1-P: passage is in" in caught.value.what
    assert "b1" in caught.value.what
    assert "DROP-0-P" not in caught.value.what
    assert not (tmp_path / "out").exists()


def test_rows_of_the_benchmark_are_dropped_and_counted_where_that_is_asked(tmp_path):
    data = pairs(20)
    bench = written(tmp_path / "b.jsonl", data[:4])
    done = direct(tmp_path, data, benchmarks=(bench,), contaminated="drop")
    assert sum(done.reasons()["benchmark"].values()) == 4
    kept = {row.example.passage for made in done.splits.values() for row in made}
    assert not kept & {row.passage for row in data[:4]}


@pytest.mark.shared
def test_real_rows_of_a_benchmark_are_found(tmp_path):
    from conftest import SHARED

    folder = SHARED / "halubench_dev"
    ask = Ask(
        (str(folder / "halubench_pubmedqa.jsonl.gz"),),
        tmp_path / "out",
        "direct",
        benchmarks=(str(folder / "halubench_sample_other_sources.jsonl.gz"),),
    )
    with pytest.raises(InputError, match=r"\d+ of 511 rows are in the benchmark\. pubmedqa-\d+-"):
        prepare(ask, silent)


def test_a_mix_draws_as_many_of_each_source_half_of_each_label_pairs_whole(tmp_path):
    data = [*pairs(60, "DROP"), *pairs(60, "covidQA", 100), *pairs(5, "other", 200)]
    done = direct(tmp_path, data, mix={"drop": 20, "covidQA": 40}, validation=0.25)
    train = Counter((r.example.source_ds, r.example.label) for r in done.splits["train"])
    assert train == {
        ("DROP", "PASS"): 10,
        ("DROP", "FAIL"): 10,
        ("covidQA", "PASS"): 20,
        ("covidQA", "FAIL"): 20,
    }
    passages = Counter(row.example.passage for row in done.splits["train"])
    assert set(passages.values()) == {2}
    assert done.reasons()["mix"]["no part"] == 10
    assert done.read == sum(map(len, done.splits.values())) + len(done.rejected)


@pytest.mark.parametrize(
    ("mix", "words"),
    [({"drop": 500}, "DROP has"), ({"ragtruth": 5}, "no row has that source_ds")],
)
def test_a_mix_that_cannot_be_had_is_refused(tmp_path, mix, words):
    with pytest.raises(InputError, match=words):
        direct(tmp_path, pairs(20), mix=mix)


@given(st.integers(1, 12), st.integers(0, 5))
def test_a_mix_adds_up_for_any_size_and_seed(count, seed):
    splits = {"train": pairs(12), "validation": pairs(6, start=50)}
    kept, gone = rows.mix(splits, {"DROP": count}, {}, seed)
    assert len(kept["train"]) == count
    labels = Counter(row.label for row in kept["validation"])
    assert labels["PASS"] == labels["FAIL"]
    assert sum(map(len, kept.values())) + len(gone) == 36
    assert {row.id for part in kept.values() for row in part}.isdisjoint(one.id for one in gone)


def test_the_teacher_is_told_the_label_and_the_gold_answer_of_fail_rows_alone(tmp_path):
    done = taught(tmp_path, pairs(8), GOOD)
    assert sum(map(len, done.splits.values())) == 16
    for _, message in asked(tmp_path):
        fail = "The right verdict is FAIL" in message
        assert ("a faithful answer: Bridge" in message) == fail
    row = done.splits["train"][0]
    assert json.loads(row.completion)["REASONING"] == [
        "The document says so.",
        "They agree or not.",
    ]


BAD = {
    "gives the change away": ["The original answer was 101 metres."],
    "ends at another score": None,
    "names the verdict before its end": ["So this is a FAIL."],
    "no reasoning": [],
}


@pytest.mark.parametrize("reason", BAD)
def test_a_reply_that_does_not_serve_is_asked_for_again_and_counted(tmp_path, reason):
    said = BAD[reason]
    bad = json.dumps({"REASONING": said if said is not None else ["x"], "SCORE": "LABEL"})
    if said is None:
        bad = bad.replace("LABEL", "PASS")
    done = taught(tmp_path, pairs(8), bad, GOOD)
    assert not done.rejected
    only_fail = reason in {"gives the change away", "ends at another score"}
    assert done.lesson.tries == {reason: 8 if only_fail else 16}
    assert {sample for sample, _ in asked(tmp_path)} == {0, 1}


def test_a_row_whose_replies_never_serve_is_left_out_with_its_reason(tmp_path):
    bad = json.dumps({"REASONING": ["The change was made."], "SCORE": "LABEL"})
    done = taught(tmp_path, pairs(8), bad)
    assert done.reasons()["reasoning"] == {"gives the change away": 8}
    assert {r.example.label for made in done.splits.values() for r in made} == {"PASS"}
    assert done.lesson.tries == {"gives the change away": 24}


def test_the_same_command_pays_for_nothing_twice(tmp_path):
    taught(tmp_path, pairs(8), GOOD)
    before = (tmp_path / "out/manifest.json").read_bytes()
    calls = len(asked(tmp_path))
    taught(tmp_path, pairs(8), GOOD)
    assert len(asked(tmp_path)) == calls == 16
    assert (tmp_path / "out/manifest.json").read_bytes() == before


def test_the_ceiling_stops_and_the_same_command_goes_on(tmp_path):
    with pytest.raises(BudgetError):
        taught(tmp_path, pairs(8), GOOD, max_usd=0.9)
    paid = len(asked(tmp_path))
    assert 0 < paid < 16
    done = taught(tmp_path, pairs(8), GOOD)
    assert (len(asked(tmp_path)), done.lesson.calls) == (16, 16)


def test_a_tokenizer_that_cannot_be_had_is_found_before_a_teacher_is_paid(tmp_path):
    with pytest.raises(HalubenchError):
        taught(tmp_path, pairs(8), GOOD, tokenizer=str(tmp_path / "none"))
    assert not asked(tmp_path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"target": "reasoning"}, "needs a teacher"),
        ({"validation": 1.0}, "is no share"),
        ({"sequence_length": 100}, "without the judge's tokenizer"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, changed, words):
    with pytest.raises(InputError, match=words):
        direct(tmp_path, pairs(4), **changed)


def test_one_id_in_two_files_is_refused(tmp_path):
    files = [written(tmp_path / f"{n}.jsonl", pairs(4)) for n in "ab"]
    with pytest.raises(InputError, match="'DROP-0-P' is in"):
        prepare(Ask(tuple(files), tmp_path / "out", "direct"), silent)


@pytest.mark.parametrize(("labels", "told"), [("PASS", True), ("PASS FAIL", False)])
def test_a_set_of_one_label_is_told(tmp_path, labels, told):
    data = [row for row in pairs(8) if row.label in labels.split()]
    words = ["prepare", written(tmp_path / "d.jsonl", data), "--target", "direct"]
    done = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "set")])
    assert done.exit_code == 0
    assert ("No training row is FAIL" in done.output) == told
