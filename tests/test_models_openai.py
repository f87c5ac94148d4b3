"""The openai engine against a real server: what is sent, what is read, how faults are told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scripted_server import (
    DRIP,
    EMPTY,
    HANG,
    HTML,
    HUGE,
    RESET,
    TRUNCATED,
    ScriptedServer,
    chat,
    dead_url,
    error,
    in_turn,
    raw,
)

from halubench import content
from halubench.errors import EngineError, InputError
from halubench.models import open_model
from halubench.models.base import (
    EngineOptions,
    Quota,
    RefusedError,
    Request,
    RetryableError,
    Sampling,
    UnreachableError,
)

KEY = "sk-very-secret-0123456789"
SCHEMA = {"type": "object", "properties": {"SCORE": {"type": "string"}}, "required": ["SCORE"]}
ASK = Request((("system", "Be brief."), ("user", "Is it so?")))


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def ask(url, *requests, options=None):
    """Answer the requests one after the other; returns (completions, model)."""

    async def main():
        model = open_model(f"openai:m@{url}", options or EngineOptions(timeout_s=20))
        try:
            return [await model.complete(request) for request in requests], model
        finally:
            await model.aclose()

    return asyncio.run(main())


def test_decoding_is_always_explicit_and_the_answer_is_read():
    with ScriptedServer(in_turn(chat("FAIL", tokens=(1000, 500)))) as server:
        options = EngineOptions(price_in=2.0, price_out=8.0)
        (answer,), model = ask(server.url, ASK, options=options)
    seen = server.seen[0]
    assert seen.body == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Is it so?"},
        ],
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 600,
    }
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert (answer.text, answer.finish_reason) == ("FAIL", "stop")
    assert answer.cost_usd == pytest.approx(1000 * 2e-6 + 500 * 8e-6)
    assert 0 < answer.latency_s < 20
    assert '"completion_tokens": 500' in answer.body
    assert model.notes == []
    assert KEY not in str(model.identity()) + model.uri


def test_schema_and_logprobs_are_asked_for_and_read():
    reply = chat('{"SCORE": "PASS"}', top_logprobs={"PASS": -0.1, "FAIL": -2.5})
    request = Request(ASK.messages, Sampling(seed=7), SCHEMA, top_logprobs=2, sample=1)
    with ScriptedServer(in_turn(reply)) as server:
        (answer,), model = ask(server.url, request)
    body = server.seen[0].body
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (body["logprobs"], body["top_logprobs"], body["seed"]) == (True, 2, 8)
    assert answer.first_logprobs == (("PASS", -0.1), ("FAIL", -2.5))
    assert model.notes == []


def forms(server):
    return [seen.body.get("response_format", {}).get("type") for seen in server.seen]


def test_a_form_that_is_silently_ignored_is_given_up_after_the_first_answer():
    request = Request(ASK.messages, schema=SCHEMA, top_logprobs=2)
    with ScriptedServer(in_turn(chat("It is so."))) as server:
        answers, model = ask(server.url, *[request] * 4)
    assert forms(server) == ["json_schema", "json_object", None, None]
    assert [answer.text for answer in answers] == ["It is so."] * 4
    assert [note.split("/v1 ")[1] for note in model.notes] == [
        "gave no log probabilities though asked to.",
        "ignores a JSON schema; asked for any JSON object instead.",
        "ignores response_format; the prompt alone asks for JSON.",
    ]


@pytest.mark.parametrize(
    "reply",
    [
        chat('{"SCORE": "FAIL"}'),
        chat('So it is:\n```json\n{"SCORE": "FAIL"}\n```'),
        chat('{"SCO', finish="length"),
        raw(b'{"choices": [{"finish_reason": "stop", "message": {"refusal": "I cannot."}}]}'),
    ],
    ids=["kept", "fenced", "cut off", "refused"],
)
def test_a_form_that_is_kept_or_that_an_answer_says_nothing_of_stands(reply):
    request = Request(ASK.messages, schema=SCHEMA)
    with ScriptedServer(in_turn(reply)) as server:
        _, model = ask(server.url, request, request)
    assert forms(server) == ["json_schema", "json_schema"]
    assert model.notes == []


def test_an_object_without_the_schemas_names_ends_the_search_at_any_object():
    def script(seen):
        return chat('{"answer": 1}')

    with ScriptedServer(script) as server:
        ask(server.url, *[Request(ASK.messages, schema=SCHEMA)] * 3)
    assert forms(server) == ["json_schema", "json_object", "json_object"]


def test_the_limits_a_minute_are_read_from_the_headers():
    told = {"x-ratelimit-limit-requests": "500", "x-ratelimit-limit-tokens": "-1"}
    reply = replace(chat("PASS"), headers=told)
    with ScriptedServer(in_turn(reply, chat("PASS"))) as server:
        (first, second), _ = ask(server.url, ASK, ASK)
    assert first.quota == Quota(rpm=500.0, tpm=None)
    assert second.quota is None


def test_the_proxy_of_the_environment_is_used_except_where_it_is_not_for(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer(in_turn(chat("PASS"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        ask("http://model.invalid/v1", ASK)
        assert proxy.seen[0].headers["Host"] == "model.invalid"
        monkeypatch.setenv("no_proxy", "model.invalid")
        with pytest.raises(UnreachableError):
            ask("http://model.invalid/v1", ASK)


def test_max_completion_tokens_is_learnt_once():
    def script(seen):
        if "max_tokens" in seen.body:
            return error(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
        return chat("PASS")

    with ScriptedServer(script) as server:
        ask(server.url, ASK, ASK)
    assert [seen.body.get("max_completion_tokens") for seen in server.seen] == [None, 600, 600]


def test_response_format_falls_back_to_any_object_then_to_text():
    def script(seen):
        if "response_format" in seen.body:
            return error(400, f"response_format {seen.body['response_format']['type']} unsupported")
        return chat('{"SCORE": "PASS"}')

    with ScriptedServer(script) as server:
        (answer, _), model = ask(server.url, *[Request(ASK.messages, schema=SCHEMA)] * 2)
    assert forms(server) == ["json_schema", "json_object", None, None]
    assert answer.text == '{"SCORE": "PASS"}'
    assert len(model.notes) == 2


def test_bounds_of_length_are_left_out_where_refused_and_the_schema_is_kept():
    text = {"type": "string", "maxLength": 9, "enum": ["PASS"]}
    many = {"type": "array", "items": text, "maxItems": 3}
    request = Request(ASK.messages, schema={**SCHEMA, "properties": {"SCORE": text, "WHY": many}})

    def script(seen):
        if "maxLength" in str(seen.body):
            return error(400, "Invalid schema for response_format: 'maxLength' is not permitted.")
        return chat('{"SCORE": "PASS"}')

    with ScriptedServer(script) as server:
        _, model = ask(server.url, request, request)
    sent = [seen.body["response_format"]["json_schema"]["schema"] for seen in server.seen]
    plain = {"type": "string", "enum": ["PASS"]}
    kept = {"SCORE": plain, "WHY": {"type": "array", "items": plain}}
    assert [schema["properties"] for schema in sent[1:]] == [kept, kept]
    assert sent[1]["required"] == ["SCORE"]
    assert len(model.notes) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("smollm2", True),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", True),
        ("SmolLM2-360M", False),
        ("smollm2:1.7b", False),
        ("gpt-4o", False),
    ],
)
def test_a_model_known_to_be_at_chance_says_so_however_it_is_served(name, told):
    model = open_model(f"openai:{name}@http://127.0.0.1:9/v1", EngineOptions())
    assert any("at chance" in note for note in model.notes) is told


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_job_and_is_never_shown(status):
    with (
        ScriptedServer(in_turn(error(status, f"Incorrect API key: {KEY}"))) as server,
        pytest.raises(EngineError, match="OPENAI_API_KEY") as caught,
    ):
        ask(server.url, ASK)
    assert KEY not in str(caught.value)


def test_an_echoed_key_is_hidden_in_other_messages():
    with (
        ScriptedServer(in_turn(error(400, f"bad header {KEY}"))) as server,
        pytest.raises(RefusedError, match=r"bad header \*\*\*"),
    ):
        ask(server.url, ASK)


def test_an_unknown_model_is_named_with_the_address():
    with (
        ScriptedServer(in_turn(error(404))) as server,
        pytest.raises(EngineError, match=f"Model m is unknown at {server.url}"),
    ):
        ask(server.url, ASK)


@pytest.mark.parametrize(
    "reply",
    [
        *[error(408), error(429), error(500), error(503), TRUNCATED, EMPTY, HTML, RESET, raw(b"")],
        *[raw(b"[" * 100_000), raw(b"null"), raw(b'{"choices": [7]}'), raw(b'{"choices": 7}')],
    ],
)
def test_passing_faults_can_be_retried(reply):
    with ScriptedServer(in_turn(reply)) as server, pytest.raises(RetryableError) as caught:
        ask(server.url, ASK)
    assert not isinstance(caught.value, UnreachableError)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (error(400, "This model's maximum context length is 8192 tokens."), "context overflow"),
        (error(400, "too long", code="context_length_exceeded"), "context overflow"),
        (error(413), "context overflow"),
        (error(400, "content policy"), "refused.*content policy"),
        (HUGE, "longer than 8 MB"),
    ],
)
def test_a_hopeless_request_is_refused_without_retry(reply, reason):
    with ScriptedServer(in_turn(reply)) as server, pytest.raises(RefusedError, match=reason):
        ask(server.url, ASK)
    assert len(server.seen) == 1


def test_retry_after_is_read_as_seconds_and_as_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    waits = []
    for value in ("7", soon, "soon", "inf"):
        with (
            ScriptedServer(in_turn(error(429, retry_after=value))) as server,
            pytest.raises(RetryableError) as caught,
        ):
            ask(server.url, ASK)
        waits.append(caught.value.retry_after_s)
    assert waits[0] == 7.0
    assert 20 < waits[1] <= 40
    assert waits[2:] == [None, None]


def test_an_exhausted_account_stops_the_job():
    reply = error(429, "You exceeded your quota", code="insufficient_quota")
    with ScriptedServer(in_turn(reply)) as server, pytest.raises(EngineError, match="no quota"):
        ask(server.url, ASK)


@pytest.mark.parametrize("reply", [HANG, DRIP])
def test_an_endpoint_that_does_not_finish_is_timed_out(reply):
    with ScriptedServer(in_turn(reply)) as server, pytest.raises(UnreachableError, match="within"):
        ask(server.url, ASK, options=EngineOptions(timeout_s=0.3))


def test_a_dead_endpoint_is_unreachable():
    with pytest.raises(UnreachableError, match="connection failed"):
        ask(dead_url(), ASK)


def test_any_unicode_goes_there_and_back():
    text = "数字 \u202e \u0000 🜲 \ud83d e\u0301 " + "é" * 5000
    with ScriptedServer(in_turn(chat(text))) as server:
        (answer,), _ = ask(server.url, Request((("user", text),)))
    assert server.seen[0].prompt == text
    assert answer.text == text.replace("\ud83d", "?")


def test_a_missing_text_is_an_empty_answer_and_a_refusal_is_its_text():
    refusal = raw(b'{"choices": [{"message": {"content": null, "refusal": "I cannot."}}]}')
    with ScriptedServer(in_turn(chat(None, finish="length"), refusal)) as server:
        (empty, refused), _ = ask(server.url, ASK, ASK)
    assert (empty.text, empty.finish_reason) == ("", "length")
    assert refused.text == "I cannot."


@pytest.mark.parametrize(
    "uri", ["openai:", "gpt-4o", "nosuch:x", "openai:m@http://a:b@h/v1", "openai:m@http:///v1"]
)
def test_a_uri_that_names_no_engine_is_one_sentence(uri):
    with pytest.raises(InputError):
        open_model(uri, EngineOptions())


def test_an_engine_of_the_users_own_is_found_by_its_file_name(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.py").write_text("def open_model(spec, options): return spec")
    (tmp_path / "models" / "bare.py").write_text("")
    content.add_folder(tmp_path)
    assert open_model("mine:a:b", EngineOptions()) == "a:b"
    with pytest.raises(InputError, match="'bare' has no function open_model"):
        open_model("bare:x", EngineOptions())
    with pytest.raises(
        InputError, match="Known: bare, batch, embedded, hf, mine, openai, replay, vllm"
    ):
        open_model("nosuch:x", EngineOptions())


def test_without_a_key_a_named_endpoint_is_needed(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(EngineError, match="OPENAI_API_KEY is not set"):
        open_model("openai:gpt-4o", EngineOptions())
    with ScriptedServer(in_turn(chat("PASS"))) as server:
        ask(server.url, ASK)
    assert server.seen[0].headers["Authorization"] == "Bearer not-needed"


def test_one_model_serves_several_event_loops():
    with ScriptedServer(in_turn(chat("PASS"))) as server:
        model = open_model(f"openai:m@{server.url}", EngineOptions())

        async def once():
            return (await model.complete(ASK)).text

        assert [asyncio.run(once()), asyncio.run(once())] == ["PASS", "PASS"]
        asyncio.run(model.aclose())
