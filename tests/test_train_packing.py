"""Rows packed into sequences: none cut, none lost, twins in the same one wherever they fit."""

from hypothesis import given
from hypothesis import strategies as st
from train_world import pairs, written
from typer.testing import CliRunner

from halubench.cli.train import app
from halubench.text import pair_key
from halubench.train import load
from halubench.train.packing import apart, groups, pack
from halubench.train.recipe import find

MOST = 100


@given(st.lists(st.tuples(st.integers(1, MOST), st.integers(0, 9)), min_size=1, max_size=60))
def test_every_row_is_packed_once_and_groups_that_fit_stay_together(rows):
    lengths, kindred = [length for length, _ in rows], groups(str(key) for _, key in rows)
    sequences = pack(lengths, MOST, kindred)
    sizes = [sum(lengths[at] for at in sequence) for sequence in sequences]
    assert sorted(at for sequence in sequences for at in sequence) == list(range(len(rows)))
    assert max(sizes) <= MOST
    longer = [group for group in kindred if sum(lengths[at] for at in group) > MOST]
    assert apart(sequences, kindred) == len(longer)


@given(st.lists(st.integers(1, MOST), min_size=1, max_size=60))
def test_rows_without_twins_fill_more_than_half(lengths):
    sequences = pack(lengths, MOST, [[at] for at in range(len(lengths))])
    assert len(sequences) == 1 or sum(lengths) > MOST / 2 * (len(sequences) - 1)


def test_answers_too_long_for_one_sequence_share_as_many_as_they_fill():
    assert pack([40, 40, 40, 30], MOST, [[0, 1, 2], [3]]) == [[0, 1], [2, 3]]


def test_twins_are_told_by_source_passage_and_question():
    same = pair_key("a", "passage", "question")
    assert same == pair_key("a", "passage", "question")
    others = [("b", "passage", "question"), ("a", "passag", "equestion"), ("a", "passage", "q")]
    assert same not in {pair_key(*other) for other in others}


def test_a_plan_packs_the_twins_of_a_training_set(tmp_path):
    """Of rows of 40 % of a sequence two fill it."""
    rows = written(tmp_path / "d.jsonl", pairs(20))
    asked = ["prepare", rows, "--target", "direct", "--out", str(tmp_path / "set")]
    assert CliRunner().invoke(app, asked).exit_code == 0
    lengths = load.read(tmp_path / "set")
    kindred = groups(lengths.keys)
    assert kindred
    assert {len(group) for group in kindred} == {2}
    recipe = find("lynx-8b-packed").model_copy(update={"sequence_length": MOST})
    forty = load.Lengths([40] * len(lengths.tokens), counted=True, keys=lengths.keys)
    assert load.load(recipe, forty).sequences == len(kindred)
