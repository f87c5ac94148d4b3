"""Endpoints that answer what no endpoint should."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from scripted_server import Reply, ScriptedServer, chat, error, raw

from halubench.errors import EngineError
from halubench.models import open_model
from halubench.models.base import EngineOptions, Request, RetryableError

if TYPE_CHECKING:
    from halubench.models.base import Completion

KEY = "sk-secret-canary-0123456789"


def answer(server: ScriptedServer) -> Completion:
    async def asked() -> Completion:
        model = open_model(f"openai:m@{server.url}", EngineOptions(10.0, price_in=1, price_out=1))
        try:
            return await model.complete(Request((("user", "as application/json"),)))
        finally:
            await model.aclose()

    return asyncio.run(asked())


@pytest.mark.parametrize("tokens", ["1e999", "-5", "1e30", '"many"', "NaN"])
def test_impossible_usage_is_a_passing_fault(tokens: str) -> None:
    body = (
        f'{{"choices":[{{"message":{{"content":"PASS"}}}}],"usage":{{"prompt_tokens":{tokens}}}}}'
    )
    with pytest.raises(RetryableError, match="no chat completion"):
        answer_of(body)


def answer_of(body: str) -> Completion:
    with ScriptedServer(lambda _: raw(body.encode())) as server:
        return answer(server)


def test_key_that_the_endpoint_echoes_is_kept_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(lambda seen: chat(f"PASS {json.dumps(dict(seen.headers))}")) as server:
        said = answer(server)
        assert KEY in server.seen[0].headers["Authorization"]
    assert KEY not in said.text + said.body
    assert "application/json" in said.text


def test_key_in_a_refusal_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    refusal = pytest.raises(EngineError, match=r"HTTP 418: I am no teapot for \*\*\*")
    with ScriptedServer(lambda _: error(418, f"I am no teapot for {KEY}")) as server, refusal:
        answer(server)


def test_placeholder_for_a_key_is_left_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    with ScriptedServer(lambda _: chat("The cell is EMPTY.")) as server:
        assert answer(server).text == "The cell is EMPTY."


def test_redirect_is_told_as_its_status() -> None:
    refusal = pytest.raises(EngineError, match=r"answers HTTP 302\.")
    redirect = Reply(302, headers={"Location": "http://[::1]/"})
    with ScriptedServer(lambda _: redirect) as server, refusal:
        answer(server)
