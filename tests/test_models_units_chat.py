"""The chat format: bodies, what refusals teach, replies, tokens and what they cost."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halubench.errors import InputError
from halubench.models._chat import (
    Dialect,
    _count,
    complaint_of,
    is_overflow,
    keeps_form,
    read_reply,
)
from halubench.models.base import (
    Completion,
    EngineOptions,
    Prices,
    Request,
    RetryableError,
    Sampling,
    batches,
)

SCHEMA = {
    "type": "object",
    "properties": {"A": {"type": "string", "maxLength": 9}, "B": {"minItems": 1, "items": [{}]}},
    "required": ["A"],
}
ASK = Request((("system", "s"), ("user", "u")), Sampling(0.5, 0.9, 77, 10), SCHEMA, 3, 2)


def reply(content: object = "PASS", usage: object = None, **choice: object) -> str:
    first = {"message": {"content": content}, "finish_reason": "stop", **choice}
    return json.dumps({"choices": [first], "usage": usage})


def test_a_body_says_everything_that_was_asked() -> None:
    body = Dialect().body("m", ASK)
    wrapped = body.pop("response_format")
    assert wrapped == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
    }
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 77,
        "seed": 12,
        "logprobs": True,
        "top_logprobs": 3,
    }


def test_a_body_says_no_more_than_was_asked() -> None:
    body = Dialect().body("m", Request(()))
    assert set(body) == {"model", "messages", "temperature", "top_p", "max_tokens"}


@given(st.integers(0, 10**6), st.integers(0, 50))
def test_repeats_have_seeds_of_their_own(seed: int, sample: int) -> None:
    request = replace(ASK, sampling=Sampling(seed=seed), sample=sample)
    assert Dialect().body("m", request)["seed"] == seed + sample


def test_bounds_are_left_out_at_every_depth_and_the_asked_schema_stays() -> None:
    before = json.dumps(SCHEMA)
    body = json.dumps(Dialect(bounded=False).body("m", ASK))
    assert "maxLength" not in body
    assert "minItems" not in body
    assert '"required": ["A"]' in body
    assert json.dumps(SCHEMA) == before


@pytest.mark.parametrize(
    ("complaint", "change", "note"),
    [
        ("use max_completion_tokens instead", {"token_field": "max_completion_tokens"}, ""),
        ("maxLength is not permitted", {"bounded": False}, "bounds of length"),
        ("'minItems' is not permitted", {"bounded": False}, "bounds of length"),
        ("response_format is unknown", {"structured": "json_object"}, "any JSON object"),
        ("json_schema is unknown", {"structured": "json_object"}, "any JSON object"),
        ("seed is unknown", {"dropped": {"seed", "top_seed"}}, "refuses seed"),
        ("logprobs no", {"dropped": {"logprobs", "top_logprobs"}}, "refuses logprobs"),
        ("top_logprobs no", {"dropped": {"logprobs", "top_logprobs"}}, "refuses logprobs"),
        ("temperature must be 1", {"dropped": {"temperature", "top_temperature"}}, "temperature"),
    ],
)
def test_a_dialect_learns_one_thing_from_a_complaint(complaint, change, note) -> None:
    learnt = Dialect().learn(complaint)
    assert learnt is not None
    assert learnt[0] == replace(Dialect(), **change)
    assert note in learnt[1]


@pytest.mark.parametrize("complaint", ["", "no", "the model is busy", "max_tokens is too large"])
def test_nothing_is_learnt_from_other_complaints(complaint: str) -> None:
    assert Dialect().learn(complaint) is None


@pytest.mark.parametrize(
    "complaint", ["max_completion_tokens", "maxLength", "json_schema", "seed", "top_p", "logprobs"]
)
def test_a_dialect_ends_learning_from_the_same_complaint(complaint: str) -> None:
    dialect, lessons = Dialect(), []
    while (learnt := dialect.learn(complaint)) is not None:
        lessons.append(dialect)
        dialect = learnt[0]
        assert dialect not in lessons
    assert 1 <= len(lessons) <= 3


@pytest.mark.parametrize(
    ("dialect", "absent"),
    [
        (Dialect(dropped=frozenset({"seed"})), {"seed"}),
        (Dialect(dropped=frozenset({"logprobs", "top_logprobs"})), {"logprobs", "top_logprobs"}),
        (Dialect(structured="text"), {"response_format"}),
        (Dialect(token_field="max_completion_tokens"), {"max_tokens"}),
    ],
)
def test_what_a_dialect_leaves_out_and_nothing_else(dialect: Dialect, absent: set[str]) -> None:
    assert set(Dialect().body("m", ASK)) - set(dialect.body("m", ASK)) == absent


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ('{"error": {"message": "bad", "param": "seed", "code": 400}}', "bad seed 400"),
        ('{"error": {"message": null, "type": "t"}}', "t"),
        ('{"error": "plain"}', "plain"),
        ('{"message": "top level"}', "top level"),
        ('{"detail": "not\\n found"}', "not found"),
        ("<html>  Bad \n gateway</html>", "<html> Bad gateway</html>"),
        ("[1, 2]", "[1, 2]"),
        ("", ""),
        ('{"error": {}}', ""),
        ("[" * 100_000, "[" * 300),
    ],
    ids=range(10),
)
def test_complaint_of_an_error_body(body: str, complaint: str) -> None:
    assert complaint_of(body) == complaint


@given(st.text())
def test_a_complaint_is_short_and_one_line(body: str) -> None:
    complaint = complaint_of(json.dumps({"error": {"message": body}}))
    assert complaint == " ".join(body.split())[:300]
    assert len(complaint_of(body)) <= 300


@pytest.mark.parametrize(
    ("complaint", "overflow"),
    [
        ("maximum context length is 4096 tokens", True),
        ("code context_length_exceeded", True),
        ("exceed_context_size_error", True),
        ("the request exceeds the available context size", True),
        ("prompt does not fit the context window", True),
        ("max_tokens is too large", False),
        ("the contents are refused", False),
        ("", False),
    ],
)
def test_overflow_is_told_from_other_complaints(complaint: str, overflow: bool) -> None:
    assert is_overflow(complaint) is overflow


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 12, "completion_tokens": 3}, (12, 3)),
        ({"prompt_tokens": 12}, (12, 0)),
        ({"prompt_tokens": "12", "completion_tokens": 3.0}, (12, 3)),
        ({"prompt_tokens": None, "completion_tokens": 0}, (0, 0)),
        ({}, (0, 0)),
        (None, (0, 0)),
    ],
)
def test_usage_is_counted_and_costs_what_it_says(usage: object, tokens: tuple[int, int]) -> None:
    completion = read_reply(reply(usage=usage), Prices(2.0, 8.0))
    assert (completion.prompt_tokens, completion.completion_tokens) == tokens
    assert completion.cost_usd == pytest.approx((2 * tokens[0] + 8 * tokens[1]) / 1e6)
    assert read_reply(reply(usage=usage), None).cost_usd is None


@pytest.mark.parametrize("tokens", [-1, "many", float("nan"), float("inf"), 2**40, [3], {"a": 1}])
def test_a_number_of_tokens_that_is_none_is_refused(tokens: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        _count(tokens)
    with pytest.raises(RetryableError, match="no chat completion"):
        read_reply(reply(usage={"prompt_tokens": tokens}), None)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "3",
        "[]",
        "{}",
        '{"choices": null}',
        '{"choices": []}',
        '{"choices": [3]}',
        '{"choices": [{}]}',
        '{"choices": [{"message": null}]}',
        '{"choices": [{"message": {"content": ["PASS"]}}]}',
        '{"choices": [{"message": {"content": "PASS"}}], "usage": [3]}',
        reply(logprobs={"content": [{"top_logprobs": [{"token": "a"}]}]}),
        reply(logprobs={"content": [{"top_logprobs": [{"token": "a", "logprob": "x"}]}]}),
        reply()[:-1],
        "[" * 100_000,
    ],
    ids=range(16),
)
def test_a_body_that_is_no_answer_can_be_asked_again(body: str) -> None:
    with pytest.raises(RetryableError, match=r"the answer"):
        read_reply(body, None)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "PASS"}, "PASS"),
        ({"content": None, "refusal": "I will not."}, "I will not."),
        ({"content": "", "refusal": None}, ""),
        ({}, ""),
        ({"content": "a\ud800b"}, "a?b"),
    ],
)
def test_the_text_of_a_reply(message: dict[str, object], text: str) -> None:
    assert read_reply(reply(message=message), None).text == text


@given(st.text(st.characters(codec="utf-8")), st.sampled_from(("stop", "length")))
def test_a_reply_is_read_as_it_was_written(text: str, reason: str) -> None:
    body = reply(text, finish_reason=reason)
    completion = read_reply(body, None)
    assert (completion.text, completion.finish_reason, completion.body) == (text, reason, body)


@pytest.mark.parametrize(
    ("logprobs", "first"),
    [
        (None, ()),
        ({}, ()),
        ({"content": None}, ()),
        ({"content": []}, ()),
        ({"content": [{}]}, ()),
        ({"content": [{"top_logprobs": None}]}, ()),
        ({"content": [{"top_logprobs": [{"token": "a", "logprob": -1}]}, {}]}, (("a", -1.0),)),
        (
            {
                "content": [
                    {
                        "top_logprobs": [
                            {"token": "a", "logprob": -0.5},
                            {"token": "b", "logprob": float("-inf")},
                            {"token": 3, "logprob": "-2"},
                        ]
                    }
                ]
            },
            (("a", -0.5), ("3", -2.0)),
        ),
    ],
    ids=range(8),
)
def test_first_log_probabilities(logprobs: object, first: tuple[tuple[str, float], ...]) -> None:
    assert read_reply(reply(logprobs=logprobs), None).first_logprobs == first


@pytest.mark.parametrize(
    ("form", "answer", "kept"),
    [
        ("json_schema", Completion('{"A": 1}'), True),
        ("json_schema", Completion('Well: {"A": {"B": 1}}.'), True),
        ("json_schema", Completion('{"B": 1}'), False),
        ("json_schema", Completion("[1]"), False),
        ("json_schema", Completion("PASS"), False),
        ("json_schema", Completion('{"A"', "length"), True),
        ("json_schema", Completion("I cannot.", "refusal"), True),
        ("json_object", Completion('{"B": 1}'), True),
        ("json_object", Completion("PASS"), False),
        ("text", Completion("PASS"), True),
    ],
)
def test_whether_an_answer_keeps_the_form_it_was_asked_in(form, answer, kept) -> None:
    assert keeps_form(Dialect(structured=form), ASK, answer) is kept
    assert keeps_form(Dialect(structured=form), replace(ASK, schema=None), answer)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.floats(0, 1000), st.floats(0, 1000))
def test_cost_is_linear_in_the_tokens(tokens_in: int, tokens_out: int, one: float, two: float):
    prices = Prices(one, two)
    apart = prices.cost(tokens_in, 0) + prices.cost(0, tokens_out)
    assert prices.cost(tokens_in, tokens_out) == pytest.approx(apart)
    assert prices.cost(10**6, 0) == pytest.approx(one)
    assert prices.cost(0, 10**6) == pytest.approx(two)


@pytest.mark.parametrize(("price", "prices"), [(None, None), (0.0, Prices(0.0, 0.0))])
def test_prices_are_known_together_or_not_at_all(price, prices) -> None:
    assert EngineOptions(price_in=price, price_out=price).prices() == prices
    for one in ("price_in", "price_out"):
        with pytest.raises(InputError, match="One price alone"):
            EngineOptions(**{one: 1.0})


@pytest.mark.parametrize(
    "options",
    [
        {"timeout_s": 0},
        {"timeout_s": -1},
        {"timeout_s": float("nan")},
        {"window": 0},
        {"price_in": -0.01},
        {"price_out": float("nan")},
        {"rpm": 0},
        {"tpm": float("nan")},
    ],
    ids=str,
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError) as caught:
        EngineOptions(**options)  # type: ignore[arg-type]
    assert caught.value.remedy


@given(st.lists(st.text(max_size=9)), st.integers(1, 40), st.integers(1, 5))
def test_batches_keep_order_and_stay_within_tokens_and_rows(texts, tokens, rows) -> None:
    ordered = sorted(texts, key=len)
    found = list(batches(ordered, len, tokens, rows))
    assert [text for batch in found for text in batch] == ordered
    for batch in found:
        assert 0 < len(batch) <= rows
        assert len(batch) == 1 or len(batch) * len(batch[-1]) <= tokens
    for batch, (first, *_) in pairwise(found):
        assert len(batch) == rows or (len(batch) + 1) * len(first) > tokens
