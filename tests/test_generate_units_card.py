"""The card and what it says: licences joined, figures formatted, counts equal to the manifest's."""

import itertools
import json
import re
from collections import Counter

import pytest
import yaml
from generate_world import ask, source
from hypothesis import given
from hypothesis import strategies as st

from halubench import dataset
from halubench.generate import card, generate
from halubench.generate.ledger import kind
from halubench.licences import hub_ids, sentence, strictest

STRICT_FIRST = [
    "own terms",
    "CC-BY-NC-ND-4.0",
    "CC-BY-NC-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "GPL-3.0",
    "CC-BY-SA-4.0",
    "ODbL",
    "CC-BY-4.0",
    "MIT",
]
"""One licence of every kind, in the order of how strict their terms are."""
EVERY = [
    combination for size in (1, 2, 3) for combination in itertools.combinations(STRICT_FIRST, size)
]


@pytest.mark.parametrize("named", EVERY, ids="+".join)
def test_every_combination_names_each_licence_and_the_strictest(named):
    told = sentence(reversed(named))
    assert all(one in told for one in named)
    assert strictest(reversed(named)) == named[0]
    if len(named) > 1:
        assert f"strictest is {named[0]}:" in told
    assert ("other" in hub_ids(named)) == ("own terms" in named)
    assert len(hub_ids(named)) == len(named)


@pytest.mark.parametrize(
    ("named", "part"),
    [
        ([], "No source names a licence"),
        ([""], "No source names a licence"),
        (["", ""], "No source names a licence"),
        (["own"], "not a standard one"),
        (["MIT"], "All rows are derived from texts under MIT"),
        (["MIT", "MIT"], "All rows are derived from texts under MIT"),
        (["MIT", ""], "(unknown, MIT)"),
        (["MIT", ""], "The strictest is unknown:"),
        (["MIT", "own"], "The strictest is own:"),
    ],
)
def test_the_sentence_for_what_is_known_and_what_is_not(named, part):
    assert part in sentence(named)


@pytest.mark.parametrize(
    ("named", "ids"),
    [
        ([], []),
        (["MIT", "mit", " Mit "], ["mit"]),
        (["own", "other", ""], ["other"]),
        (["CC-BY-4.0", "own"], ["cc-by-4.0", "other"]),
        (["CC-BY-4.0", "CC-BY-3.0"], ["cc-by-3.0", "cc-by-4.0"]),
        (["CC-BY-4.1"], ["other"]),
    ],
)
def test_the_identifiers_of_the_hub(named, ids):
    assert hub_ids(named) == ids


def test_blanks_around_a_licence_do_not_make_it_unknown():
    assert strictest([" MIT ", "CC-BY-NC-4.0"]) == "CC-BY-NC-4.0"


@given(st.lists(st.sampled_from(STRICT_FIRST), min_size=1), st.randoms(use_true_random=False))
def test_the_order_and_number_of_sources_do_not_matter(named, chance):
    mixed = named * 2
    chance.shuffle(mixed)
    assert (sentence(mixed), strictest(mixed), hub_ids(mixed)) == (
        sentence(named),
        strictest(named),
        hub_ids(named),
    )


@pytest.mark.parametrize(
    ("value", "told"), [(None, "not measured"), (0.0, "0.000"), (0.51249, "0.512"), (1.0, "1.000")]
)
def test_a_figure_has_three_places_or_is_not_measured(value, told):
    assert card._figure(value) == told


@pytest.mark.parametrize(
    ("text", "told"), [("a|b", r"a\|b"), ("a\n b", "a b"), ("", ""), ("||", r"\|\|")]
)
def test_no_text_breaks_a_table(text, told):
    assert card._cell(text) == told


@given(st.text(max_size=900), st.text(max_size=5))
def test_an_excerpt_is_a_part_of_the_passage_and_not_long(passage, told):
    shown = card._excerpt(passage, told)
    part = shown.removeprefix("… ").removesuffix(" …")
    assert part in " ".join(passage.split())
    assert len(part) <= 400


def test_an_excerpt_is_where_most_of_the_answer_stands():
    line = "The mill of Calne ground 40 sacks. "
    passage = 30 * "The town lies on a river. " + line + 30 * "It has mills. "
    assert line.strip() in card._excerpt(passage, "The number of sacks that the mill ground is 40.")


@pytest.mark.parametrize("place", [0, 100, 390, 700, 1500])
def test_an_excerpt_shows_what_it_is_about(place):
    passage = ("word " * 400)[:place] + "NEEDLE" + " word" * 200
    shown = card._excerpt(passage, "NEEDLE")
    assert "NEEDLE" in shown
    assert shown.endswith(" …")


@pytest.mark.parametrize(
    ("one", "other", "left", "right"),
    [
        ("a b c", "a x c", "a **b** c", "a **x** c"),
        ("a b", "a b c", "a b **∅**", "a b **c**"),
        ("b", "x", "**b**", "**x**"),
        ("a b c d", "a x y d", "a **b c** d", "a **x y** d"),
        ("it is so", "it is not so", "it is **∅** so", "it is **not** so"),
    ],
)
def test_what_differs_is_bold(one, other, left, right):
    assert card.marked(one, other) == (left, right)


ASKS = {
    "plain": {"accept": 6},
    "bare": {"accept": 4, "control": "none", "seed": 3},
    "one split": {"accept": 5, "splits": (("test", 1.0),)},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three small runs: the manifest, the dataset, the card and the folder of each."""
    found = {}
    for name, change in ASKS.items():
        folder = tmp_path_factory.mktemp("card")
        generate(ask(folder, source(folder, 12), **change))
        out = folder / "out"
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
        text = (out / "README.md").read_text("utf-8")
        found[name] = (manifest, dataset.load(str(out)), text, out)
    return found


NAMES = pytest.mark.parametrize("name", ASKS)


def cells(text, heading):
    """The rows of the first table whose head starts with ``heading``, as lists of cells."""
    after = text.partition(f"| {heading} |")[2]
    table = after.partition("\n\n")[0].splitlines()[2:]
    return [[one.strip() for one in line.strip("|").split(" | ")] for line in table]


@NAMES
def test_the_metadata_is_yaml_that_names_the_files_there_are(runs, name):
    _, data, text, out = runs[name]
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc-by-4.0"
    assert front["pretty_name"] == "Hallucination pairs from ferries"
    assert [one["config_name"] for one in front["configs"]] == ["rows", "provenance"]
    assert [one.get("default", False) for one in front["configs"]] == [True, False]
    for config in front["configs"]:
        assert {one["split"] for one in config["data_files"]} == set(data.splits.values())
        assert all((out / one["path"]).is_file() for one in config["data_files"])


@NAMES
def test_the_counts_of_the_card_are_those_of_the_manifest_and_of_the_rows(runs, name):
    manifest, data, text, _ = runs[name]
    told = manifest["data"]
    assert f"{told['pairs']} pairs, {told['rows']} rows" in text
    assert told["rows"] == len(data.examples) == 2 * told["pairs"]
    assert told["splits"] == dict(Counter(data.splits.values()))
    assert {one: int(n) for one, n in cells(text, "split")} == told["splits"]


@NAMES
def test_the_table_of_perturbations_adds_up_to_the_pairs(runs, name):
    manifest, _, text, _ = runs[name]
    table = cells(text, "perturbation")
    assert {row[0]: int(row[-1]) for row in table} == {
        one: counts["pairs"] for one, counts in manifest["perturbations"].items()
    }
    for row in table:
        assert sum(map(int, row[1:-1])) == int(row[-1])
    assert sum(int(row[-1]) for row in table) == manifest["data"]["pairs"]


@NAMES
def test_the_table_of_stages_is_the_manifests(runs, name):
    manifest, _, text, _ = runs[name]
    told = [(row[0], int(row[1]), int(row[2])) for row in cells(text, "stage")]
    assert told == [(one["stage"], one["entered"], one["kept"]) for one in manifest["stages"]]
    assert all(str(n) in text for one in manifest["stages"] for n in one["rejected"].values())


@NAMES
def test_every_count_of_the_manifest_adds_up(runs, name):
    manifest, _, _, out = runs[name]
    candidates = manifest["candidates"]
    assert candidates["proposed"] == candidates["passed"] + sum(candidates["refused"].values())
    assert sum(manifest["licenses"].values()) == manifest["data"]["pairs"]
    assert sum(one["pairs"] for one in manifest["sources"]) == manifest["data"]["pairs"]
    assert sum(one["rows"] for one in manifest["sources"]) == manifest["stages"][0]["entered"]
    left = [json.loads(one) for one in (out / "rejected.jsonl").read_text("utf-8").splitlines()]
    for stage in manifest["stages"]:
        here = [kind(one["reason"]) for one in left if one["stage"] == stage["stage"]]
        assert stage["rejected"] == dict(Counter(here))


@NAMES
def test_every_warning_and_licence_is_told(runs, name):
    manifest, _, text, _ = runs[name]
    assert all(one in text for one in manifest["warnings"])
    assert sentence(manifest["licenses"]) in text
    assert any("--control none" in one for one in manifest["warnings"]) == (name == "bare")


@NAMES
def test_the_pairs_shown_are_of_different_perturbations_and_differ_in_bold(runs, name):
    _, data, _, _ = runs[name]
    shown = list(card._examples(data))
    answers = {one.label: set() for one in data.examples}
    for one in data.examples:
        answers[one.label].add(one.answer)
    assert 1 <= len(shown) <= 3
    assert len({one["perturbation"] for one in shown}) == len(shown)
    for one in shown:
        assert one["passed"] != one["failed"]
        assert re.sub(r"\*\*", "", one["passed"]) in answers["PASS"]
        assert re.sub(r"\*\*", "", one["failed"]) in answers["FAIL"]


@NAMES
def test_every_stage_file_has_as_many_lines_as_the_manifest_counts(runs, name):
    manifest, _, _, out = runs[name]
    kept = {one["stage"]: one["kept"] for one in manifest["stages"]}
    for file, count in (
        ("1-ingest", kept["ingest"]),
        ("3-anchor", kept["anchor"]),
        ("4-perturb", manifest["candidates"]["proposed"]),
        ("5-jury", manifest["jury"]["pairs"]),
        ("6-choose", manifest["data"]["pairs"]),
    ):
        assert len((out / "stages" / f"{file}.jsonl").read_text("utf-8").splitlines()) == count


@NAMES
def test_a_pair_that_was_kept_is_what_its_edits_make_of_its_text(runs, name):
    _, _, _, out = runs[name]
    for line in (out / "stages" / "6-choose.jsonl").read_text("utf-8").splitlines():
        pair = json.loads(line)
        start, end, old, new = pair["fail_edit"]
        assert pair["fail_answer"][start : start + len(new)] == new != old
        if pair["pass_edit"] is None:
            assert pair["pass_answer"][start:end] == old
