"""The whole of generate by rules: counts add up, the same seed gives the same bytes."""

import json
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
import yaml
from generate_world import ask, row, source
from hypothesis import given, settings
from hypothesis import strategies as st

from halubench import dataset
from halubench.errors import HalubenchError, InputError, OutputError
from halubench.generate import generate, plan
from halubench.generate.ledger import Ledger
from halubench.records import Rejected


def hashes(out):
    files = sorted(out.glob("*/*.parquet"))
    return {str(path.relative_to(out)): sha256(path.read_bytes()).hexdigest() for path in files}


def manifest(out):
    return json.loads((out / "manifest.json").read_text("utf-8"))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run of 20 pairs, and what it returned."""
    folder = tmp_path_factory.mktemp("made")
    wanted = ask(folder, source(folder, 40), accept=20)
    return wanted, generate(wanted)


def test_every_row_is_either_a_pair_or_rejected_with_a_reason(made):
    wanted, outcome = made
    stages = manifest(wanted.out)["stages"]
    assert stages[0]["entered"] == 40
    assert stages[-1]["kept"] == outcome.pairs == 20
    for before, after in pairwise(stages):
        assert after["entered"] == before["kept"]
    for stage in stages:
        assert stage["entered"] == stage["kept"] + sum(stage["rejected"].values())
    assert len(lines(wanted.out / "rejected.jsonl")) == 40 - 20


def test_rows_are_pairs_of_the_six_columns(made):
    wanted, _ = made
    data = dataset.load(str(wanted.out))
    pairs = {}
    for example in data.examples:
        pairs.setdefault(data.provenance[example.id].pair_id, []).append(example)
    assert len(data.examples) == 40
    assert data.sha256 == manifest(wanted.out)["data"]["sha256"]
    for twins in pairs.values():
        assert sorted(one.label for one in twins) == ["FAIL", "PASS"]
        assert len({(one.passage, one.question, data.splits[one.id]) for one in twins}) == 1


def test_the_same_seed_gives_the_same_bytes_and_another_another_sample(made, tmp_path):
    wanted, _ = made
    generate(replace(wanted, out=tmp_path / "again"))
    generate(replace(wanted, out=tmp_path / "other", seed=1))
    assert hashes(tmp_path / "again") == hashes(wanted.out)
    assert hashes(tmp_path / "other") != hashes(wanted.out)


def test_each_stage_leaves_a_file_that_people_can_read(made):
    wanted, _ = made
    names = sorted(path.name for path in (wanted.out / "stages").iterdir())
    assert [name[0] for name in names] == list("123456")
    assert len(lines(wanted.out / "stages" / "1-ingest.jsonl")) == 40
    assert len(lines(wanted.out / "stages" / "6-choose.jsonl")) == 20


def test_too_few_items_are_said_and_are_no_failure(tmp_path):
    outcome = generate(ask(tmp_path, source(tmp_path, 6), accept=50))
    assert outcome.pairs <= 6
    assert any("Asked 50, honest yield" in one for one in outcome.warnings)
    assert manifest(tmp_path / "out")["warnings"] == list(outcome.warnings)
    assert not outcome.incomplete


def test_a_run_may_grow_but_not_become_another(made, tmp_path):
    wanted = ask(tmp_path, source(tmp_path, 30), accept=4)
    generate(wanted)
    assert generate(replace(wanted, accept=8)).pairs == 8
    with pytest.raises(OutputError, match="seed"):
        generate(replace(wanted, seed=5))


def test_excluded_passages_are_dropped_and_the_match_is_told(made, tmp_path):
    known = tmp_path / "known.jsonl"
    seen = {**row(3), "label": "PASS"}
    known.write_text(json.dumps(seen) + "\n", encoding="utf-8")
    generate(ask(tmp_path, source(tmp_path, 12), exclude=(str(known),)))
    (hit,) = lines(tmp_path / "out" / "stages" / "2-exclude.jsonl")
    assert hit["item_id"] == "q3"
    assert hit["shared_text"] in " ".join(seen["passage"].lower().replace(".", "").split())
    data = dataset.load(str(tmp_path / "out"))
    assert all(one.item_id != "q3" for one in data.provenance.values())
    assert manifest(tmp_path / "out")["stages"][1]["rejected"] == {f"passage is in {known}": 1}


def test_bare_gold_answers_stay_possible_and_are_warned_of(tmp_path):
    outcome = generate(ask(tmp_path, source(tmp_path, 20), control="none", accept=5))
    data = dataset.load(str(tmp_path / "out"))
    golds = {row(n)["answer"] for n in range(20)}
    assert all(one.answer in golds for one in data.examples if one.label == "PASS")
    assert any("--control none" in one for one in outcome.warnings)


def test_several_sources_share_the_pairs_evenly_and_clashing_ids_stay_apart(tmp_path):
    first = source(tmp_path, 20, "one", source_ds="one")
    second = source(tmp_path, 20, "two", source_ds="two", license="MIT")
    text = second.read_text("utf-8").replace("ferry", "tram").replace("harbour", "square")
    second.write_text(text, encoding="utf-8")
    generate(ask(tmp_path, first, second, accept=10))
    found = manifest(tmp_path / "out")
    assert [one["pairs"] for one in found["sources"]] == [5, 5]
    assert found["licenses"] == {"CC-BY-4.0": 5, "MIT": 5}


def test_a_window_can_be_found_again_in_its_document(tmp_path):
    told = [
        f"Sentence {n} says that cohort {n} had {n * 7} cases in ward {n + 900}."
        for n in range(300)
    ]
    whole = "On cohorts\n\n" + " ".join(told)
    asked = [
        {
            "id": n,
            "question": f"How many cases did cohort {n} have?",
            "answers": [{"text": f"{n * 7} cases", "answer_start": whole.index(f"{n * 7} cases")}],
        }
        for n in range(20, 280, 20)
    ]
    path = tmp_path / "articles.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": whole, "qas": asked}]}]}))
    generate(ask(tmp_path, path, source(tmp_path, 12)))
    data = dataset.load(str(tmp_path / "out"))
    cut = {row: data.provenance[row.id] for row in data.examples if row.source_ds == "covidQA"}
    assert len(cut) > 4
    for one, origin in cut.items():
        start, end = map(int, origin.window.split(":"))
        assert one.passage == whole[start:end] != whole
        assert origin.document == sha256(whole.encode()).hexdigest()
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "| [covidQA](https://github.com/deepset-ai/COVID-QA) | medical |" in card
    assert "| ferries | general |" in card
    assert "model `rules`, seed 0." in card
    others = [one for one in data.provenance.values() if one not in cut.values()]
    assert {(one.document, one.window) for one in others} == {("", "")}


def test_a_plan_writes_nothing(tmp_path):
    planned = plan(ask(tmp_path, source(tmp_path, 10), accept=5))
    assert planned.wanted == 5
    assert planned.types
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"accept": 0},
        {"control": "some"},
        {"splits": (("a", 0.5), ("b", 0.4))},
        {"splits": (("a", 0.5), ("a", 0.5))},
        {"model": "nobody:x"},
        {"model": "nobody"},
        {"domain": "cooking"},
        {"jury": ("nobody:x",)},
        {"model": "openai:m@http://127.0.0.1:1/v1", "jury": ("openai:m",)},
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, change):
    with pytest.raises(InputError):
        generate(ask(tmp_path, source(tmp_path, 3), **change))
    assert not (tmp_path / "out").exists()


def test_rows_of_which_nothing_can_be_made_are_an_error_that_says_why(tmp_path):
    path = source(tmp_path, 3, answer="a purple giraffe")
    with pytest.raises(InputError, match="No pair could be made of 3 rows"):
        generate(ask(tmp_path, path))
    assert len(lines(tmp_path / "out" / "rejected.jsonl")) == 3


def test_the_card_is_read_by_datasets(made, tmp_path):
    datasets = pytest.importorskip("datasets")
    wanted, _ = made
    card = (wanted.out / "README.md").read_text("utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "cc-by-4.0"
    assert front["size_categories"] == ["n<1K"]
    for name, columns in (("rows", 6), ("provenance", 22)):
        found = datasets.load_dataset(str(wanted.out), name, cache_dir=str(tmp_path))
        assert sum(part.num_rows for part in found.values()) == 40
        assert all(len(part.column_names) == columns for part in found.values())
    for warning in manifest(wanted.out)["warnings"]:
        assert warning in card


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from("abc")), max_size=6))
def test_a_ledger_adds_up_whatever_is_rejected(losses):
    rows = 200
    ledger, left = Ledger(), rows
    for number, (lost, reason) in enumerate(losses):
        gone = [Rejected("s", str(n), "x", f"{reason} ({n})") for n in range(lost)]
        ledger.close(str(number), left, left - lost, gone)
        left -= lost
    assert rows == (ledger.left() if losses else rows) + len(ledger.rejected)
    assert sum(sum(stage.rejected.values()) for stage in ledger.stages) == len(ledger.rejected)
    assert all(len(stage.rejected) <= 1 for stage in ledger.stages)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_ledger_refuses_counts_that_do_not_add_up(entered, kept, lost):
    gone = [Rejected("s", str(n), "x", "y") for n in range(lost)]
    if entered == kept + lost:
        Ledger().close("one", entered, kept, gone)
        return
    with pytest.raises(HalubenchError, match="do not add up"):
        Ledger().close("one", entered, kept, gone)


@settings(max_examples=5)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 3))
def test_any_size_adds_up(tmp_path_factory, count, accept, seed):
    folder = tmp_path_factory.mktemp("any")
    outcome = generate(ask(folder, source(folder, count), accept=accept, seed=seed))
    assert outcome.pairs <= min(count, accept)
    assert outcome.ledger.rows() == count == outcome.pairs + len(outcome.ledger.rejected)
