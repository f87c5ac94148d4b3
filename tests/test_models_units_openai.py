"""The openai engine without a server: statuses to errors, waiting times, addresses and keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import openai
import pytest

from halubench.errors import EngineError, InputError
from halubench.models._budget import Budget
from halubench.models.base import (
    EngineOptions,
    RefusedError,
    Request,
    RetryableError,
    Sampling,
    ThrottledError,
)
from halubench.models.openai import OpenAIModel, _configuration, _retry_after, open_model

if TYPE_CHECKING:
    from halubench.models.base import Model

KEY = "sk-0123456789abcdef"


def model(key: str = KEY) -> OpenAIModel:
    headers = {"Authorization": f"Bearer {key}"}
    return OpenAIModel("m", "http://127.0.0.1:1/v1", headers, EngineOptions())


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_ORG_ID", raising=False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (" 3 ", 3.0),
        ("-4", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert _retry_after({"Retry-After": value}) == seconds
    assert _retry_after({}) is None


@pytest.mark.parametrize("minutes", [1, 60, 60 * 24])
def test_retry_after_of_a_date_to_come(minutes: int) -> None:
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    seconds = _retry_after({"Retry-After": format_datetime(then, usegmt=True)})
    assert seconds is not None
    assert 60 * minutes - 30 < seconds <= 60 * minutes


@pytest.mark.parametrize(
    ("status", "complaint", "kind", "told"),
    [
        (401, "no", EngineError, "refuses the key"),
        (403, "no", EngineError, "refuses the key"),
        (404, "no", EngineError, "Model m is unknown"),
        (429, "insufficient_quota", EngineError, "no quota left"),
        (429, "slow down", ThrottledError, "HTTP 429"),
        (408, "", RetryableError, "HTTP 408"),
        (409, "", RetryableError, "HTTP 409"),
        (425, "", RetryableError, "HTTP 425"),
        (500, "", RetryableError, "HTTP 500"),
        (503, "context length", RetryableError, "HTTP 503"),
        (529, "", ThrottledError, "HTTP 529"),
        (400, "This model's maximum Context Length is 8", RefusedError, "context overflow"),
        (422, "exceed_context_size_error", RefusedError, "context overflow"),
        (413, "", RefusedError, "context overflow"),
        (400, "content filter", RefusedError, "HTTP 400.*content filter"),
        (422, "odd", RefusedError, "HTTP 422.*odd"),
        (301, "", EngineError, "answers HTTP 301"),
        (402, "pay", EngineError, "answers HTTP 402: pay"),
        (405, "", EngineError, "answers HTTP 405"),
    ],
)
def test_a_status_is_the_error_that_says_what_to_do(status, complaint, kind, told) -> None:
    with pytest.raises(kind, match=told) as caught:
        model().refuse(status, complaint, {})
    assert caught.type is kind
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_fault_takes_the_asked_wait_along(status: int) -> None:
    with pytest.raises(RetryableError) as caught:
        model().refuse(status, "", {"Retry-After": "9"})
    assert caught.value.retry_after_s == 9.0
    assert isinstance(caught.value, ThrottledError)


@pytest.mark.parametrize(
    ("key", "echoed", "shown"),
    [
        (KEY, f"bad key {KEY}, {KEY}", "bad key ***, ***"),
        (KEY, "no key here", "no key here"),
        ("EMPTY", "the answer is EMPTY", "the answer is EMPTY"),
        ("not-needed", "a key is not-needed", "a key is not-needed"),
        ("12345678", "12345678", "***"),
    ],
)
def test_a_key_is_hidden_and_a_placeholder_is_not(key: str, echoed: str, shown: str) -> None:
    assert model(key).hide(echoed) == shown


def test_a_lesson_is_learnt_once_for_all_that_asked_alike() -> None:
    engine = model()
    first = engine._dialect
    engine._learn(first, "seed is unknown")
    second = engine._dialect
    engine._learn(first, "temperature is unknown")
    assert engine._dialect is second
    assert len(engine.notes) == 1
    assert engine.notes[0] == f"{engine.uri} refuses seed; not sent."
    with pytest.raises(RefusedError, match="nothing to learn"):
        engine._learn(second, "nothing to learn")


@pytest.mark.parametrize(
    ("spec", "name", "address"),
    [
        ("m@http://127.0.0.1:8000/v1", "m", "http://127.0.0.1:8000/v1"),
        ("m@http://127.0.0.1:8000/v1/", "m", "http://127.0.0.1:8000/v1"),
        ("org/m:7b@https://example.org/api", "org/m:7b", "https://example.org/api"),
        ("m@2024@http://example.org", "m@2024", "http://example.org"),
        ("gpt-4o", "gpt-4o", "https://api.openai.com/v1"),
    ],
)
def test_a_spec_is_a_name_and_an_address(spec: str, name: str, address: str) -> None:
    engine = open_model(spec, EngineOptions())
    assert engine.identity() == {"engine": "openai", "model": name, "endpoint": address}
    assert engine.uri == f"openai:{name}@{address}"


@pytest.mark.parametrize(
    "spec",
    [
        "@http://h/v1",
        "m@http://",
        "m@http://me:secret@h/v1",
        "m@http://me@h/v1",
        "m@http://h/v1?k=v",
    ],
)
def test_an_address_that_is_not_plain_is_refused_without_repeating_it(spec: str) -> None:
    with pytest.raises(InputError) as caught:
        open_model(spec, EngineOptions())
    assert "secret" not in str(caught.value)


def test_the_address_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1/")
    assert _configuration("m", "")[0] == "http://127.0.0.1:9/v1"
    assert _configuration("m", "http://127.0.0.1:8/v1")[0] == "http://127.0.0.1:8/v1"


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:9/v1/", "https://API.example.com/a b/v1"])
def test_address_and_headers_are_those_of_the_openai_package(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-7")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-9")
    if url:
        monkeypatch.setenv("OPENAI_BASE_URL", url)
    client = openai.AsyncOpenAI()
    address, headers = _configuration("m", "")
    assert address == str(client.base_url).rstrip("/")
    sent = {**client.default_headers, **client.auth_headers}
    named = ("Authorization", "OpenAI-Organization", "OpenAI-Project")
    assert headers == {name: sent[name] for name in named}


def test_a_key_from_a_file_may_end_in_a_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    assert _configuration("m", "http://h/v1")[1]["Authorization"] == f"Bearer {KEY}"
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX-Other: 1")
    with pytest.raises(EngineError, match="OPENAI_API_KEY holds a line break") as caught:
        _configuration("m", "http://h/v1")
    assert KEY not in str(caught.value)


def test_the_key_goes_into_the_header_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-7")
    address, headers = _configuration("m", "http://127.0.0.1:8/v1")
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["OpenAI-Organization"] == "org-7"
    assert KEY not in address
    monkeypatch.delenv("OPENAI_API_KEY")
    assert _configuration("m", "http://h/v1")[1]["Authorization"] == "Bearer not-needed"
    with pytest.raises(EngineError, match="OPENAI_API_KEY is not set"):
        _configuration("m", "")


def priced(price_in: float, price_out: float) -> Model:
    return OpenAIModel("m", "a", {}, EngineOptions(price_in=price_in, price_out=price_out))


@pytest.mark.parametrize("text", ["", "plain words", "é" * 50, "漢字" * 20, "\ud800", "a b c"])
def test_the_bound_of_a_request_covers_a_token_for_every_byte(text: str) -> None:
    budget = Budget(priced(1e6, 0.0), 1.0)
    size = len(text.encode("utf-8", "replace"))
    assert budget.bound(Request((("user", text),))) >= size
    two = Request((("system", text), ("user", text)))
    assert budget.bound(two) == pytest.approx(2 * budget.bound(Request((("user", text),))))
    assert budget.bound(Request(two.messages, schema={"type": "object"})) > budget.bound(two)


@pytest.mark.parametrize("tokens", [1, 600, 4096])
def test_the_bound_counts_the_most_tokens_that_may_come_back(tokens: int) -> None:
    budget = Budget(priced(0.0, 1e6), 1.0)
    request = Request((("user", "u"),), Sampling(max_tokens=tokens))
    assert budget.bound(request) == pytest.approx(tokens)


def test_a_ceiling_without_prices_is_refused() -> None:
    with pytest.raises(InputError, match="cost ceiling needs the prices of openai:m@"):
        Budget(model(), 1.0)
