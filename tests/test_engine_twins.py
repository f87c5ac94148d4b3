"""The order in which rows are learnt: twins side by side, each epoch anew, the same when gone on."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
import engine_world as world
from test_engine_run import Heard

from halubench.train import load
from halubench.train import recipe as recipes
from halubench.train.engine import causal, data
from halubench.train.engine.job import Job
from halubench.train.engine.twins import Twins

pytestmark = pytest.mark.torch


def _rows(prepared: data.Prepared) -> list[data.Row]:
    """Each row and its twin under the other label, in an order of chance."""
    twin = {"PASS": "FAIL", "FAIL": "PASS"}
    twins = [
        replace(row, example=replace(row.example, id=f"{row.id}t", label=twin[row.example.label]))
        for row in prepared.train
    ]
    rows = [*prepared.train, *twins]
    random.Random(1).shuffle(rows)
    return rows


@pytest.fixture
def prepared(tmp_path: Path) -> data.Prepared:
    found = data.read(world.prepared(tmp_path / "data", train=8))
    return replace(found, train=_rows(found))


def test_twins_stand_side_by_side_and_every_row_comes_once_an_epoch(prepared) -> None:
    sampler = Twins(prepared.train, seed=17)
    orders = []
    for epoch in (0, 1):
        sampler.epoch = epoch
        order = list(sampler)
        assert sorted(order) == list(range(len(prepared.train)))
        passages = [prepared.train[at].example.passage for at in order]
        assert passages[::2] == passages[1::2]
        orders.append(order)
    assert orders[0] != orders[1]
    again = Twins(prepared.train, seed=17)
    again.epoch = 1
    assert list(again) == orders[1]
    assert list(Twins(prepared.train, seed=18)) != orders[0]


def test_the_trainer_reads_both_twins_in_one_batch(tmp_path: Path, prepared) -> None:
    llama = world.tiny_llama(tmp_path / "llama")
    recipe = recipes.load(world.recipe(tmp_path, device_microbatch_size=4))
    trainer = causal.build(Job(recipe, str(llama), prepared, tmp_path / "run", validate=0), Heard())
    seen = [row.tolist() for batch in trainer.get_train_dataloader() for row in batch["input_ids"]]
    assert len(seen) == len(prepared.train)
    assert seen[::2] == seen[1::2]  # Of these twins the chats are the same.
    assert seen[0] != seen[2]


def _packed(tmp_path: Path, prepared, length: int):
    llama = world.tiny_llama(tmp_path / "llama")
    values = {"packing": True, "device_microbatch_size": 1, "sequence_length": length}
    recipe = recipes.load(world.recipe(tmp_path, **values))
    heard = Heard()
    trainer = causal.build(Job(recipe, str(llama), prepared, tmp_path / "run", validate=0), heard)
    documents = []
    for batch in trainer.get_train_dataloader():
        lengths = causal.document_lengths(batch)
        documents.append([part.tolist() for part in batch["input_ids"][0].split(lengths)])
    return recipe, documents, heard.said


def test_twins_are_packed_into_one_sequence(tmp_path: Path, prepared) -> None:
    recipe, sequences, said = _packed(tmp_path, prepared, 512)
    assert sum(map(len, sequences)) == len(prepared.train)
    assert all(documents.count(one) == 2 for documents in sequences for one in documents)
    assert len(sequences) > 1
    assert not any("more than one sequence" in line for line in said)
    keys = [row.example.passage for row in prepared.train]
    tokens = [len(documents[0]) for documents in sequences for _ in documents]
    planned = load.load(recipe, load.Lengths(tokens, counted=True, keys=sorted(keys)))
    assert planned.sequences == len(sequences)


def test_twins_that_fit_into_no_sequence_are_told(tmp_path: Path, prepared) -> None:
    _, sequences, said = _packed(tmp_path, prepared, 150)
    assert all(len(documents) == 1 for documents in sequences)
    told = "8 of 8 questions have answers in more than one sequence: together they are longer"
    assert any(line.startswith(told) for line in said)
