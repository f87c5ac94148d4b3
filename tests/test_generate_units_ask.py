"""What may be asked: each value that cannot be meant is refused by the name of its option."""

from dataclasses import replace
from pathlib import Path

import pytest
from generate_world import ask
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError, OutputError
from halubench.generate import write
from halubench.generate.ask import DEFAULT_SPLITS, Ask
from halubench.models.base import EngineOptions

GOOD = Ask(("a.jsonl",), "rules", Path("out"))
NAN = float("nan")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"sources": ()}, "No source"),
        ({"accept": 0}, "--accept 0"),
        ({"accept": -3}, "--accept -3"),
        ({"max_candidates": 0}, "--max-candidates 0"),
        ({"max_candidates": -1}, "--max-candidates -1"),
        ({"max_usd": -0.01}, "--max-usd -0.01"),
        ({"max_usd": NAN}, "--max-usd nan"),
        ({"retries": -1}, "--retries -1"),
        ({"control": "some"}, "--control some"),
        ({"control": ""}, "--control "),
        ({"domain": "cooking"}, "--domain cooking"),
        ({"domain": ""}, "--domain "),
        ({"model": "gpt"}, "--model gpt"),
        ({"model": ""}, "--model "),
        ({"model": "Rules"}, "--model Rules"),
        ({"splits": (("a/b", 1.0),)}, "--split names a split 'a/b'"),
        ({"splits": (("", 1.0),)}, "--split names a split ''"),
        ({"splits": (("..", 1.0),)}, "--split"),
        ({"splits": (("a b", 0.5), ("c", 0.5))}, "--split names a split 'a b'"),
        ({"splits": (("test\n", 1.0),)}, "--split"),
        ({"splits": (("a", 0.5), ("a", 0.5))}, "--split names a split twice"),
        ({"splits": (("a", 1.0), ("b", 0.0))}, "no share"),
        ({"splits": (("a", 1.5), ("b", -0.5))}, "no share"),
        ({"splits": (("a", NAN),)}, "--split"),
        ({"splits": (("a", 0.5), ("b", 0.4))}, "sum to 0.9"),
        ({"splits": ()}, "sum to 0"),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_meant_names_its_option_and_a_remedy(change, named):
    with pytest.raises(InputError) as told:
        replace(GOOD, **change).check()
    assert named in told.value.what
    assert told.value.remedy
    assert told.value.exit_code == 2


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"accept": 1},
        {"accept": None},
        {"max_candidates": 1},
        {"max_usd": 0.0},
        {"retries": 0},
        {"control": "none"},
        {"domain": "general"},
        {"domain": "finance"},
        {"domain": "medical"},
        {"model": "openai:m"},
        {"splits": (("test", 1.0),)},
        {"splits": (("a", 0.1), ("b", 0.2), ("c_1-x", 0.7))},
    ],
    ids=str,
)
def test_what_can_be_meant_is_let_through(change):
    assert replace(GOOD, **change).check() is None


@given(st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_shares_that_are_parts_of_a_whole_are_let_through_and_others_are_not(parts):
    whole = sum(parts)
    shares = tuple((f"s{n}", part / whole) for n, part in enumerate(parts))
    replace(GOOD, splits=shares).check()
    with pytest.raises(InputError, match="sum to"):
        replace(GOOD, splits=tuple((name, share * 1.01) for name, share in shares)).check()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"timeout_s": 0.0}, "--timeout"),
        ({"timeout_s": NAN}, "--timeout"),
        ({"window": 0}, "--window"),
        ({"price_in": -1.0}, "price"),
        ({"price_out": NAN}, "price"),
    ],
)
def test_an_engine_option_that_cannot_be_meant_is_refused(change, part):
    with pytest.raises(InputError, match=part):
        EngineOptions(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"model": "openai:m"},
        {"sources": ("b.jsonl",)},
        {"domain": "finance"},
        {"control": "none"},
        {"jury": ("openai:j",)},
        {"exclude": ("c.jsonl",)},
        {"mapping": {"question": "q"}},
        {"splits": (("test", 1.0),)},
        {"license": "MIT"},
        {"prompt": "other"},
    ],
    ids=str,
)
def test_what_decides_the_dataset_decides_whose_folder_it_is(change):
    assert replace(GOOD, **change).claim() != GOOD.claim()


@pytest.mark.parametrize("change", [{"accept": 9}, {"max_candidates": 9}], ids=str)
def test_a_run_may_grow_in_its_folder(change):
    other = replace(GOOD, **change)
    assert other.claim() == GOOD.claim()
    assert other.asked() != GOOD.asked()


@pytest.mark.parametrize(
    "change",
    [{"out": Path("b")}, {"max_usd": 1.0}, {"retries": 0}, {"engine": EngineOptions(1.0, 1)}],
    ids=["out", "max_usd", "retries", "engine"],
)
def test_folders_and_limits_of_time_and_money_are_not_in_the_manifest(change):
    assert replace(GOOD, **change).asked() == GOOD.asked()


def test_the_default_splits_are_whole(tmp_path):
    assert sum(share for _, share in DEFAULT_SPLITS) == pytest.approx(1)
    assert ask(tmp_path, "a.jsonl").asked()["splits"] == dict(DEFAULT_SPLITS)


class Folder:
    """As much of a run folder as the writer of lines needs."""

    def __init__(self, path):
        self.path = path

    def write_parts(self, name, parts):
        (self.path / name).write_text("".join(parts), encoding="utf-8")


def test_lines_make_their_folder_and_keep_every_letter(tmp_path):
    write.lines(Folder(tmp_path), "stages/x.jsonl", [{"b": "é ≤ |", "a": 1}, {"b": None}])
    found = (tmp_path / "stages" / "x.jsonl").read_text("utf-8")
    assert found == '{"b": "é ≤ |", "a": 1}\n{"b": null}\n'


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "stages").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="stages cannot be made"):
        write.lines(Folder(tmp_path), "stages/x.jsonl", [])
