"""Recipes of composition: parts generated and imported, put together, with what they lack said."""

import json
from collections import Counter

import pytest
import yaml
from generate_world import ask, row, source

from halubench import content, dataset
from halubench.errors import InputError
from halubench.generate import upstream
from halubench.generate.compose import compose
from halubench.generate.recipe import Recipe, load
from halubench.reading import Record

SHIPPED = ("halubench", "halubench-clean")


def labelled(folder, count, name="native"):
    """Rows with labels of their own: both answers to each question."""
    path = folder / f"{name}.jsonl"
    rows = [
        {**row(number), "answer": answer, "label": label, "id": f"{number}-{label}"}
        for number in range(count)
        for label, answer in (("PASS", "yes"), ("FAIL", "no"))
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def small(**change):
    parts = [
        {"name": "made", "source_ds": "Made", "how": "generate", "pass": 6, "fail": 6},
        {
            "name": "own",
            "source_ds": "Own",
            "how": "import",
            "pass": 5,
            "fail": 3,
            "note": "Native.",
        },
    ]
    parts = [{"hub": "a/b", "license": "MIT", **one} for one in parts]
    told = {"name": "small", "title": "Small", "about": "Two parts.", "control": "restate"}
    return Recipe.model_validate({**told, "splits": {"test": 1.0}, "parts": parts, **change})


def test_the_published_composition_is_the_shipped_recipe():
    recipe = load("halubench")
    assert recipe.rows() == (7730, 7170)
    counts = {one.source_ds: (one.passed, one.failed) for one in recipe.parts}
    assert counts == {
        "halueval": (4990, 5010),
        "DROP": (500, 500),
        "covidQA": (500, 500),
        "pubmedQA": (500, 500),
        "FinanceBench": (500, 500),
        "RAGTruth": (740, 160),
    }
    clean = load("halubench-clean")
    assert sum(clean.rows()) == 14_900
    assert [one.source_ds for one in clean.parts] == [one.source_ds for one in recipe.parts]
    assert {one.how for one in clean.parts} == {"generate"}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_part_that_is_not_pinned_says_so(name):
    for part in load(name).parts:
        assert (part.revision is None) == ("not pinned" in part.origin)
        assert part.revision is None or len(part.revision) == 40


def test_parts_are_put_together_and_what_lacks_is_said(tmp_path):
    files = {"made": str(source(tmp_path, 12)), "own": str(labelled(tmp_path, 7))}
    outcome = compose(small(), ask(tmp_path), files)
    data = dataset.load(str(tmp_path / "out"))
    counts = Counter((one.source_ds, one.label) for one in data.examples)
    assert counts == {
        ("Made", "PASS"): 6, ("Made", "FAIL"): 6, ("Own", "PASS"): 5, ("Own", "FAIL"): 3,
    }  # fmt: skip
    native = [one for one in data.examples if data.provenance[one.id].generator == "native"]
    assert {one.source_ds for one in native} == {"Own"}
    assert outcome.pairs == 6
    assert not any("of the recipe" in one for one in outcome.warnings)
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "imported with its own labels" in text
    assert "Native." in text


def test_too_few_rows_are_a_warning_with_both_numbers(tmp_path):
    files = {"made": str(source(tmp_path, 3)), "own": str(labelled(tmp_path, 2))}
    outcome = compose(small(), ask(tmp_path), files)
    told = [one for one in outcome.warnings if "of the recipe" in one]
    assert len(told) == 2
    assert any(one.startswith("Own has 2 PASS and 2 FAIL rows of the 5 and 3") for one in told)


def test_composing_twice_gives_the_same_bytes(tmp_path):
    files = {"made": str(source(tmp_path, 12)), "own": str(labelled(tmp_path, 7))}
    compose(small(), ask(tmp_path), files)
    first = (tmp_path / "out" / "data" / "test.parquet").read_bytes()
    compose(small(), ask(tmp_path), files)
    assert (tmp_path / "out" / "data" / "test.parquet").read_bytes() == first


def test_a_file_for_no_part_is_refused_with_the_parts(tmp_path):
    with pytest.raises(InputError, match="no part of small") as told:
        compose(small(), ask(tmp_path), {"mad": "x.jsonl"})
    assert "made, own" in told.value.remedy


def test_a_question_is_drawn_twice_only_for_want_of_others(tmp_path):
    part = small().parts[1]
    rows = upstream.draw(part, str(labelled(tmp_path, 8)), 0)
    assert len({one.question for one in rows}) == 8 == len(rows)
    few = upstream.draw(part, str(labelled(tmp_path, 4, "few")), 0)
    assert Counter(one.label for one in few) == {"PASS": 4, "FAIL": 3}


HUB = {
    "halueval": {
        "knowledge": "A is 1.", "question": "A?", "right_answer": "1", "hallucinated_answer": "2",
    },
    "drop": {
        "query_id": "q", "passage": "A is 1.", "question": "A?", "answers_spans": {"spans": ["1"]},
    },
    "pubmedqa": {
        "pubid": 7, "context": {"contexts": ["A.", "B."]}, "question": "A?", "long_answer": "Yes.",
    },
    "covidqa": {
        "id": 1, "context": "A is 1.", "question": "A?", "answers": {"text": ["1"]},
    },
    "ragtruth": {
        "task_type": "QA", "context": "A is 1.", "query": "A?", "output": "2",
        "hallucination_labels": '[{"start": 0}]',
    },
}  # fmt: skip
"""One row of each Hub dataset, in its columns."""


@pytest.mark.parametrize("name", HUB)
def test_a_row_of_the_hub_is_read_by_the_recipe_s_fields(name, monkeypatch):
    part = next(one for one in load("halubench").parts if one.name == name)
    record = Record(upstream.HubId(part.hub), 1, HUB[name])
    monkeypatch.setattr(upstream, "scan_hub", lambda hub, split: [(split, record)])
    rows = list(upstream.rows_of(part, None))
    assert {one.question for one in rows} == {"A?"}
    labels = {"halueval": ["PASS", "FAIL"], "ragtruth": ["FAIL"]}
    assert [one.label for one in rows] == labels.get(name, ["PASS"])
    assert rows[0].passage in ("A is 1.", "A.\nB.")


def test_other_tasks_of_a_dataset_are_left_out(monkeypatch):
    part = next(one for one in load("halubench").parts if one.name == "ragtruth")
    record = Record(upstream.HubId(part.hub), 1, {**HUB["ragtruth"], "task_type": "Summary"})
    monkeypatch.setattr(upstream, "scan_hub", lambda hub, split: [(split, record)])
    assert list(upstream.rows_of(part, None)) == []


def test_a_broken_recipe_names_its_file_and_key(tmp_path, monkeypatch):
    monkeypatch.setattr(content, "LOCAL", tmp_path)
    folder = tmp_path / "perturbations" / "recipes"
    folder.mkdir(parents=True)
    told = {
        "name": "mine",
        "title": "t",
        "about": "a",
        "control": "some",
        "splits": {},
        "parts": [],
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml: control"):
        load("mine")
