"""Engines that hold the weights in this process, on a real checkpoint where one is named.

``HALUBENCH_CHECKPOINT`` names a folder with a small instruction model; tests skip without it.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from pathlib import Path

import pytest

from halubench.errors import EngineError, InputError, MissingExtraError
from halubench.models import open_model
from halubench.models._local import LocalModel
from halubench.models.base import (
    CallFailure,
    Completion,
    EngineOptions,
    MeasuringModel,
    Request,
    Sampling,
)
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

CHECKPOINT = os.environ.get("HALUBENCH_CHECKPOINT", "")
ENGINES = [
    pytest.param(
        scheme,
        marks=[
            pytest.mark.torch,
            pytest.mark.skipif(
                not CHECKPOINT or importlib.util.find_spec(package) is None,
                reason=f"needs {package} and HALUBENCH_CHECKPOINT",
            ),
        ],
    )
    for scheme, package in (("hf", "transformers"), ("vllm", "vllm"))
]
SCHEMA = {
    "type": "object",
    "properties": {"SCORE": {"type": "string", "enum": ["PASS", "FAIL"]}},
    "required": ["SCORE"],
    "additionalProperties": False,
}


class Words(LocalModel):
    """Counts words for tokens and answers with the last one."""

    scheme = "words"

    def __init__(self, spec="m", options=None):
        super().__init__(spec, options or EngineOptions(window=1))
        self.parts = []

    loads = 0

    def open(self):
        self.opened = True

    def load(self):
        self.loads += 1

    def context(self):
        return 6

    def tokens(self, request):
        return list(range(self.count(request.messages[-1][1])))

    def count(self, text):
        return len(text.split())

    def run(self, part):
        self.parts.append([request.messages[-1][1] for _, request in part])
        return [Completion(request.messages[-1][1].split()[-1]) for _, request in part]


def run(model, requests, folder):
    journal = Journal(folder / "journal.sqlite")

    async def main():
        try:
            outcomes = complete_all(model, enumerate(requests), journal, Limits())
            return [outcome async for _, outcome in outcomes]
        finally:
            await model.aclose()

    try:
        return asyncio.run(main())
    finally:
        journal.close()


def ask(text, **more):
    return Request((("user", text),), Sampling(max_tokens=more.pop("max_tokens", 8)), **more)


def test_rows_of_one_beginning_run_together_and_come_back_in_input_order(tmp_path):
    texts = [f"passage {passage} row {row}" for row in range(4) for passage in "ab"]
    model = Words()
    outcomes = run(model, map(ask, texts), tmp_path)
    assert [outcome.text for outcome in outcomes] == [text.split()[-1] for text in texts]
    assert model.parts == [[f"passage {one} row {row}" for row in range(4)] for one in "ab"]
    assert model.loads == 1
    again = Words()
    assert all(outcome.cached for outcome in run(again, map(ask, texts), tmp_path))
    assert again.parts == []
    assert again.loads == 0


def test_a_prompt_beyond_the_context_is_told_and_the_others_are_answered(tmp_path):
    outcomes = run(Words(), [ask("a b"), ask("a b c d e f"), ask("a c")], tmp_path)
    assert [getattr(one, "text", one) for one in outcomes] == [
        "b",
        CallFailure("context overflow", 1),
        "c",
    ]


def test_lengths_are_known_without_the_weights():
    async def lengths(model):
        ruler = await model.measure()
        told = ruler.context, await ruler.count("a b c")
        await model.aclose()
        return told

    model = Words()
    assert asyncio.run(lengths(model)) == (6, 3)
    assert model.opened
    assert model.loads == 0


@pytest.mark.parametrize(
    ("spec", "settings"),
    [
        ("m", {}),
        ("m?tensor_parallel_size=8&dtype=float32&eager=true", None),
        ("org/m?x=1", {"x": 1}),
    ],
)
def test_what_follows_the_question_mark_goes_to_the_library(spec, settings):
    model = Words(spec)
    expected = {"tensor_parallel_size": 8, "dtype": "float32", "eager": True}
    assert model.settings == (expected if settings is None else settings)
    assert model.identity() == {"engine": "words", "model": model.name, **model.settings}


@pytest.mark.parametrize("uri", ["vllm:?x=1", "hf:?x=1", "hf:m?x"])
def test_a_spec_that_cannot_be_read_is_one_sentence(uri):
    with pytest.raises(InputError):
        open_model(uri, EngineOptions())


def test_a_folder_is_known_by_what_is_in_it_not_by_where_it_is(tmp_path):
    def made(place, text):
        folder = tmp_path / place / "model"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(text)
        return Words(str(folder)).identity()

    assert made("here", "{}") == made("there", "{}") != made("elsewhere", '{"a": 1}')
    assert str(tmp_path) not in str(made("again", "{}"))


@pytest.mark.parametrize(("uri", "package"), [("hf:m", "transformers"), ("vllm:m", "vllm")])
def test_a_missing_package_is_one_sentence(uri, package, tmp_path):
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is here")
    with pytest.raises(MissingExtraError, match=package):
        run(open_model(uri, EngineOptions()), [ask("a")], tmp_path)


@pytest.mark.parametrize("scheme", ENGINES)
def test_a_real_model_answers_alike_alone_and_in_batches(scheme, tmp_path):
    texts = ["What is the capital of France?", "Name a colour.", "Say yes."]
    requests = [ask(text, top_logprobs=5, max_tokens=6) for text in texts]
    model = open_model(f"{scheme}:{CHECKPOINT}?dtype=float32", EngineOptions())
    assert isinstance(model, MeasuringModel)
    together = run(model, [*requests, ask("word " * 9000)], tmp_path)
    assert together[3] == CallFailure("context overflow", 1)
    (tmp_path / "alone").mkdir()
    alone = open_model(f"{scheme}:{CHECKPOINT}?dtype=float32", EngineOptions(window=1))
    single = run(alone, requests[:2], tmp_path / "alone")
    assert [one.text for one in single] == [one.text for one in together[:2]]
    for one in together[:3]:
        values = [value for _, value in one.first_logprobs]
        assert len(values) == 5
        assert values == sorted(values, reverse=True)
        assert values[0] <= 0
        assert one.first_logprobs[0][0].strip() in one.text
        assert one.prompt_tokens > 10
        assert 0 < one.completion_tokens <= 6
    assert Path(CHECKPOINT).name in str(model.identity())


@pytest.mark.parametrize("scheme", ENGINES)
def test_a_run_with_nothing_left_to_ask_loads_no_weights(scheme, tmp_path, monkeypatch):
    requests = [ask("Name a colour.", max_tokens=2), ask("word " * 9000)]
    first = run(open_model(f"{scheme}:{CHECKPOINT}", EngineOptions()), requests, tmp_path)
    again = open_model(f"{scheme}:{CHECKPOINT}", EngineOptions())
    monkeypatch.setattr(again, "load", lambda: pytest.fail("the weights were loaded"))
    assert asyncio.run(again.measure()).context > 100
    assert [getattr(one, "text", one) for one in run(again, requests, tmp_path)] == [
        getattr(one, "text", one) for one in first
    ]


@pytest.mark.parametrize("scheme", ENGINES)
def test_a_schema_is_kept_or_its_want_is_said(scheme, tmp_path):
    model = open_model(f"{scheme}:{CHECKPOINT}", EngineOptions())
    (answer,) = run(model, [ask("Is it so?", schema=SCHEMA, max_tokens=20)], tmp_path)
    if scheme == "vllm":
        assert answer.text.replace(" ", "") in {'{"SCORE":"PASS"}', '{"SCORE":"FAIL"}'}
    else:
        assert any("constrains no answer" in note for note in model.notes)


@pytest.mark.parametrize("scheme", ENGINES)
def test_what_cannot_be_loaded_is_one_sentence(scheme, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EngineError, match="cannot load"):
        run(open_model(f"{scheme}:{tmp_path}/empty", EngineOptions()), [ask("a")], tmp_path)
