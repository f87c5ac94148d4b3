"""The loss covers exactly the completion; what a template or a length would spoil is refused."""

from pathlib import Path

import pytest

from halubench.errors import InputError

pytest.importorskip("transformers")
import engine_world as world

from halubench.train.engine import data, labels
from halubench.train.engine.causal import covered, load_tokenizer

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def tokenizer(model: Path):
    return load_tokenizer(str(model))


@pytest.fixture
def rows(tmp_path: Path):
    return data.read(world.prepared(tmp_path / "data")).train


def test_the_loss_covers_the_completion_and_the_token_that_ends_it(tokenizer, rows) -> None:
    for row, found in zip(rows, labels.encode(rows, tokenizer, 512), strict=True):
        kept = [token for token in found.labels if token != labels.IGNORED]
        assert tokenizer.decode(kept) == row.completion[0]["content"] + "<|eot_id|>"
        assert found.input_ids[: -len(kept)] == labels.prompt_ids(row, tokenizer)
        assert found.input_ids[-len(kept) :] == kept


def test_what_is_covered_is_shown(tokenizer, rows) -> None:
    told = covered(labels.encode(rows[:1], tokenizer, 512)[0], tokenizer)
    assert told.endswith("""tokens of row r0: '{"SCORE": "FAIL"}<|eot_id|>'""")


def test_a_text_begins_once(tokenizer, rows) -> None:
    ids = labels.encode(rows, tokenizer, 512)[0].input_ids
    assert ids.count(tokenizer.bos_token_id) == 1
    # Whereas tokenizing the template's text by itself begins it twice.
    text = tokenizer.apply_chat_template(rows[0].prompt, tokenize=False)
    assert tokenizer(text)["input_ids"].count(tokenizer.bos_token_id) == 2


def test_a_row_that_is_too_long_is_refused_by_name(tokenizer, rows) -> None:
    longest = max(len(row.input_ids) for row in labels.encode(rows, tokenizer, 512))
    with pytest.raises(InputError, match=rf"of 24 rows are longer .* {longest - 1}.* r\d+ \(") as e:
        labels.encode(rows, tokenizer, longest - 1)
    assert f"the longest: {longest} tokens" in str(e.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: setattr(t, "chat_template", None), "has no chat template"),
        (lambda t: _template(t, "{{ bos_token }}", "{{ bos_token }}{{ bos_token }}"), "twice"),
        (lambda t: _template(t, "<|eot_id|>", ""), "ends an answer with none"),
        (lambda t: _template(t, "assistant<|end", "judge<|end"), "renders the prompt alone"),
    ],
)
def test_a_template_that_spoils_training_is_refused(tokenizer, rows, change, told) -> None:
    change(tokenizer)
    with pytest.raises(InputError, match=told):
        labels.encode(rows, tokenizer, 512)


def _template(tokenizer, old: str, new: str) -> None:
    assert old in tokenizer.chat_template
    tokenizer.chat_template = tokenizer.chat_template.replace(old, new)


def test_data_that_was_changed_since_is_refused(tmp_path: Path) -> None:
    folder = world.prepared(tmp_path / "data")
    chats = folder / "prompt_completion" / "train.jsonl"
    chats.write_text("".join(chats.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(InputError, match="split train: 23 chats, 24 examples and 24 rows"):
        data.read(folder)


def test_a_folder_that_was_not_prepared_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no prepared training data"):
        data.read(tmp_path)
