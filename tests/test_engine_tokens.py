"""Lengths that `train prepare` counts are those that the engine reads, of judges and of encoders."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("trl")
import engine_world as world
from train_world import pairs, written
from transformers import AutoTokenizer

from halubench.errors import InputError
from halubench.train.engine import classifier, data, labels
from halubench.train.prepare import Ask, prepare

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A judge's tokenizer, and the same without a chat template."""
    place = tmp_path_factory.mktemp("tokens")
    world.tiny_llama(place / "judge")
    tokenizer = AutoTokenizer.from_pretrained(place / "judge")
    tokenizer.chat_template = None
    tokenizer.save_pretrained(place / "encoder")
    return {"judge": place / "judge", "encoder": place / "encoder"}


def _ask(place: Path, tokenizer: Path, length: int | None = None) -> Ask:
    source = written(place / "rows.jsonl", pairs(6))
    return Ask((source,), place / "out", "direct", tokenizer=str(tokenizer), sequence_length=length)


@pytest.mark.parametrize("kind", ["judge", "encoder"])
def test_counted_is_what_is_read(tmp_path: Path, folders: dict[str, Path], kind: str) -> None:
    made = prepare(_ask(tmp_path, folders[kind]), lambda *_: None)
    counted = {row.example.id: row.tokens for found in made.splits.values() for row in found}
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    ready = data.read(tmp_path / "out")
    rows = [*ready.train, *ready.validation]
    encode = labels.encode if kind == "judge" else classifier.encode
    read = encode(rows, tokenizer, 100_000)
    lengths = [len(one.input_ids if kind == "judge" else one["input_ids"]) for one in read]
    assert counted == dict(zip([row.id for row in rows], lengths, strict=True))


def test_a_length_that_leaves_no_row_is_an_error(tmp_path: Path, folders: dict[str, Path]) -> None:
    ask = replace(_ask(tmp_path, folders["encoder"], length=3), over_long="drop")
    with pytest.raises(
        InputError, match="No row is left to train on, of 12 read: 12 longer than 3"
    ):
        prepare(ask, lambda *_: None)
