"""Recipes of composition: parts generated and imported, put together, with what they lack said."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from generate_world import ask, propose, row, source
from scripted_server import ScriptedServer, error

from halubench import content, dataset, sources
from halubench.errors import InputError
from halubench.generate import card, upstream
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
    assert "| general | MIT | 14 | 8 | 0 |" in text


def test_too_few_rows_are_a_warning_with_both_numbers(tmp_path):
    files = {"made": str(source(tmp_path, 3)), "own": str(labelled(tmp_path, 2))}
    outcome = compose(small(), ask(tmp_path), files)
    told = [one for one in outcome.warnings if "of the recipe" in one]
    assert len(told) == 2
    assert any(one.startswith("Own has 2 PASS and 2 FAIL rows of the 5 and 3") for one in told)


def two(**change):
    """A recipe of two parts that are both generated."""
    part = {"how": "generate", "pass": 4, "fail": 4}
    one, other = (
        {"name": name, "source_ds": name, "hub": "a/b", "license": "MIT"} for name in "xy"
    )
    return small(parts=[{**one, **part}, {**other, **part}], **change)


def halves(folder):
    """A file for each part of :func:`two`."""
    lines = source(folder, 24).read_text("utf-8").splitlines(keepends=True)
    for name, start in (("x", 0), ("y", 12)):
        (folder / f"{name}.jsonl").write_text("".join(lines[start : start + 12]), encoding="utf-8")
    return {name: str(folder / f"{name}.jsonl") for name in "xy"}


def test_the_cost_of_all_parts_is_told_and_the_budget_is_one_command_s(tmp_path):
    files = halves(tmp_path)
    with ScriptedServer(propose) as server:
        wanted = ask(tmp_path, model=f"openai:pen@{server.url}")
        first = compose(two(), wanted, files)
        again = compose(two(), replace(wanted, max_usd=first.cost_usd / 2), files)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["cost"]["calls"] == len(server.seen)
    assert first.cost_usd == again.cost_usd == manifest["cost"]["cost_usd"] > 0
    assert first.spent_usd == pytest.approx(first.cost_usd)
    assert again.spent_usd == 0
    assert (first.pairs, first.rows, first.asked) == (8, 16, 8)
    assert "No jury has read" in " ".join(first.warnings)


def test_the_card_s_examples_are_of_different_sources_where_there_are_such(tmp_path):
    files = {"x": "examples/documents/general.jsonl", "y": "examples/documents/finance.jsonl"}
    root = Path(__file__).parents[1]
    compose(two(), ask(tmp_path), {name: str(root / file) for name, file in files.items()})
    data = dataset.load(str(tmp_path / "out"))
    apart = tuple(sorted(data.examples, key=lambda row: row.source_ds))
    shown = list(card._examples(replace(data, examples=apart)))
    assert {one["source"] for one in shown} == {"x", "y"}
    assert len({one["perturbation"] for one in shown}) == len(shown)


def test_a_part_without_all_its_answers_makes_the_whole_incomplete(tmp_path):
    files = halves(tmp_path)

    def some(seen):
        return error(500) if seen.number % 2 else propose(seen)

    with ScriptedServer(some) as server:
        wanted = ask(tmp_path, model=f"openai:pen@{server.url}", retries=0, max_candidates=4)
        outcome = compose(two(), wanted, files)
    assert outcome.incomplete.count("got no answer") == 2


def test_answers_that_are_no_gold_are_counted(tmp_path):
    fields = {"passage": "knowledge", "question": "q", "answer": "right", "wrong": "wrong"}
    part = {
        "name": "made",
        "source_ds": "Made",
        "how": "generate",
        "pass": 4,
        "fail": 4,
        "hub": "a/b",
    }
    rows = [{"knowledge": r["passage"], "q": r["question"], "right": r["answer"], "wrong": "no"}
            for r in map(row, range(8))]  # fmt: skip
    path = tmp_path / "own.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    recipe = small(parts=[{**part, "license": "MIT", "fields": fields}])
    outcome = compose(recipe, ask(tmp_path), {"made": str(path)})
    ingest = outcome.ledger.stages[0]
    assert (ingest.entered, ingest.kept) == (16, 8)
    assert ingest.rejected == {"labelled FAIL: not a gold answer": 8}
    assert outcome.pairs == 4


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
    rows = upstream.draw(part, upstream.rows_of(part, str(labelled(tmp_path, 8))), 0)
    assert len({one.question for one in rows}) == 8 == len(rows)
    few = upstream.draw(part, upstream.rows_of(part, str(labelled(tmp_path, 4, "few"))), 0)
    assert Counter(one.label for one in few) == {"PASS": 4, "FAIL": 3}


HUB = {
    "halueval": {
        "knowledge": "A is 1.", "question": "A?", "right_answer": "1", "hallucinated_answer": "2",
    },
    "ragtruth": {
        "task_type": "QA", "context": "A is 1.", "query": "A?", "output": "2",
        "hallucination_labels": '[{"start": 0}]',
    },
    "drop": {
        "section_id": "s", "query_id": "q", "passage": "A is 1.", "question": "A?",
        "answers_spans": {"spans": ["1", "1"], "types": ["number", "number"]},
    },
    "pubmedqa": {
        "pubid": 7, "context": {"contexts": ["A is 1.", "B."], "labels": ["X", "Y"]},
        "question": "A?", "long_answer": "A is 1.", "final_decision": "yes",
    },
    "covidqa": {
        "document_id": 5, "id": 1, "context": "A is 1.", "question": "A?", "is_impossible": False,
        "answers": {"text": ["1"], "answer_start": [5]},
    },
}  # fmt: skip
"""One row of each Hub dataset, in its columns."""


@pytest.fixture
def hub(monkeypatch):
    """Serves these rows as the Hub dataset of any part."""

    def serve(part, *rows):
        told = [(None, Record(upstream.HubId(part.hub), n, one)) for n, one in enumerate(rows, 1)]
        monkeypatch.setattr(upstream, "scan_hub", lambda hub, split: iter(told))

    return serve


def part_of(name):
    return next(one for one in load("halubench").parts if one.name == name)


@pytest.mark.parametrize(
    ("name", "labels"), [("halueval", ["PASS", "FAIL"]), ("ragtruth", ["FAIL"])]
)
def test_a_row_of_the_hub_is_read_by_the_recipe_s_fields(name, labels, hub):
    part = part_of(name)
    hub(part, HUB[name])
    rows = list(upstream.rows_of(part, None))
    assert {(one.passage, one.question) for one in rows} == {("A is 1.", "A?")}
    assert [one.label for one in rows] == labels


@pytest.mark.parametrize(
    ("name", "answer", "meta"),
    [
        ("drop", "1", {"answer_type": "number"}),
        ("pubmedqa", "A is 1.", {"answer_type": "conclusion", "final_decision": "yes"}),
        ("covidqa", "1", {"window": [0, 7], "support": [5, 6]}),
    ],
)
def test_a_row_of_the_hub_is_read_as_the_publisher_s_own(name, answer, meta, hub, tmp_path):
    part = part_of(name)
    hub(part, HUB[name])
    found = sources.read(upstream.gold(part, None, tmp_path), sources.SourceOptions())
    (item,) = found.items
    assert (item.passage.splitlines()[0], item.question, item.answer) == ("A is 1.", "A?", answer)
    assert meta.items() <= item.meta.items()
    assert found.name == part.source_ds


def test_drop_s_rows_of_the_hub_with_several_spans_are_counted_and_left(hub, tmp_path):
    part = part_of("drop")
    several = {**HUB["drop"], "question": "B?", "answers_spans": {"spans": ["1", "2"], "types": []}}
    hub(part, HUB["drop"], several)
    found = sources.read(upstream.gold(part, None, tmp_path), sources.SourceOptions())
    assert [one.question for one in found.items] == ["A?"]
    assert [one.reason for one in found.rejected] == [
        "several spans: one answer or several, not told"
    ]


def test_an_answer_with_both_labels_or_twice_is_drawn_once(hub):
    part = part_of("ragtruth")
    right = {**HUB["ragtruth"], "hallucination_labels": "[]"}
    hub(part, HUB["ragtruth"], right, right, HUB["ragtruth"])
    rows = upstream.draw(part, upstream.rows_of(part, None), 0)
    assert len(rows) == 1


def test_other_tasks_of_a_dataset_are_left_out(hub):
    part = part_of("ragtruth")
    hub(part, {**HUB["ragtruth"], "task_type": "Summary"})
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
