"""What the engines that speak OpenAI's chat format share: the request's body and its answer."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import orjson

from halubench.models.base import Completion, RetryableError

if TYPE_CHECKING:
    from halubench.models.base import Prices, Quota, Request
    from halubench.records import Json

_OVERFLOW = ("context_length", "context length", "context size", "exceed_context", "context window")
_BOUNDS = ("minLength", "maxLength", "minItems", "maxItems")
_MOST_TOKENS = 2**40
_FORM_WORDS = ("response_format", "response format", "json_schema", "structured output")
_DROPPABLE = ("logprobs", "seed", "top_p", "temperature")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one endpoint wants to be asked, as its refusals teach."""

    token_field: str = "max_tokens"  # noqa: S105  (a field name)
    structured: Literal["json_schema", "json_object", "text"] = "json_schema"
    bounded: bool = True
    """Whether a schema may bound lengths; OpenAI's strict mode has refused to."""
    dropped: frozenset[str] = field(default_factory=frozenset[str])

    def body(self, model: str, request: Request) -> dict[str, Json]:
        """The JSON body of a request; decoding is always explicit."""
        sampling = request.sampling
        asked: dict[str, Json] = {
            "model": model,
            "messages": [{"role": role, "content": text} for role, text in request.messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self.token_field: sampling.max_tokens,
        }
        if sampling.seed is not None:
            asked["seed"] = sampling.seed + request.sample
        if request.top_logprobs:
            asked |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if request.schema is not None and self.structured == "json_schema":
            schema: Json = dict(request.schema)
            if not self.bounded:
                schema = _unbounded(schema)
            wrapped: Json = {"name": "answer", "strict": True, "schema": schema}
            asked["response_format"] = {"type": "json_schema", "json_schema": wrapped}
        elif request.schema is not None and self.structured == "json_object":
            asked["response_format"] = {"type": "json_object"}
        return {name: value for name, value in asked.items() if name not in self.dropped}

    def learn(self, complaint: str) -> tuple[Dialect, str] | None:
        """The dialect that avoids a complaint, and a note; None where there is none."""
        if self.token_field == "max_tokens" and "max_completion_tokens" in complaint:  # noqa: S105
            return replace(self, token_field="max_completion_tokens"), ""  # noqa: S106
        if self.bounded and any(name in complaint for name in _BOUNDS):
            return replace(self, bounded=False), "refuses bounds of length in a schema; not sent"
        if any(name in complaint for name in _FORM_WORDS):
            weaker = self.weaker("refuses")
            if weaker is not None:
                return weaker
        for name in _DROPPABLE:
            if name in complaint and name not in self.dropped:
                gone = {name, f"top_{name}"}
                return replace(self, dropped=self.dropped | gone), f"refuses {name}; not sent"
        return None

    def weaker(self, why: str) -> tuple[Dialect, str] | None:
        """The next weaker way to ask for JSON, and a note; None where only the prompt is left."""
        if self.structured == "json_schema":
            note = f"{why} a JSON schema; asked for any JSON object instead"
            return replace(self, structured="json_object"), note
        if self.structured == "json_object":
            note = f"{why} response_format; the prompt alone asks for JSON"
            return replace(self, structured="text"), note
        return None


def _unbounded(schema: Json) -> Json:
    if isinstance(schema, dict):
        return {name: _unbounded(each) for name, each in schema.items() if name not in _BOUNDS}
    return [_unbounded(each) for each in schema] if isinstance(schema, list) else schema


def is_overflow(complaint: str) -> bool:
    """Whether an error message says that the request is longer than the context."""
    return any(name in complaint for name in _OVERFLOW)


def complaint_of(body: str) -> str:
    """The message of an error body, with the parameter it names, in at most 300 characters."""
    try:
        error: Any = json.loads(body)
        error = error.get("error", error)
        if isinstance(error, dict):
            parts = (error.get(name) for name in ("message", "param", "type", "code", "detail"))
            body = " ".join(str(part) for part in parts if part)
        else:
            body = str(error)
    except (ValueError, AttributeError, RecursionError):
        pass
    return " ".join(body.split())[:300]


def read_reply(
    body: str, prices: Prices | None, *, latency_s: float = 0.0, quota: Quota | None = None
) -> Completion:
    """The answer in a chat completion. Raises RetryableError for a body that is none.

    The text of a refusal stands where there is no other; its ``finish_reason`` is then "refusal".
    """
    try:
        reply = _parsed(body)
        choices = reply["choices"]
        if not choices:
            raise RetryableError("the answer has empty choices")
        message, usage = choices[0]["message"], reply.get("usage") or {}
        text, finish = message.get("content"), choices[0].get("finish_reason")
        if not text and message.get("refusal"):
            text, finish = message["refusal"], "refusal"
        text = text or ""
        if not isinstance(text, str):
            raise RetryableError("the answer's content is not text")
        tokens = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        return Completion(
            # A lone surrogate, which JSON can hold, could not be written to any file.
            text=text.encode("utf-8", "replace").decode(),
            finish_reason=str(finish or ""),
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            first_logprobs=_first_logprobs(choices[0].get("logprobs")),
            cost_usd=None if prices is None else prices.cost(*tokens),
            latency_s=latency_s,
            body=body,
            quota=quota,
        )
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise RetryableError(f"the answer is no chat completion ({type(error).__name__})") from None


def _parsed(body: str) -> Any:  # noqa: ANN401
    """JSON, and what only Python takes for it (NaN, half a character). Raises ValueError."""
    try:
        return orjson.loads(body)
    except ValueError:
        return json.loads(body)


def _count(tokens: Any) -> int:  # noqa: ANN401
    """A number of tokens. Raises ValueError for what is none."""
    number = float(tokens or 0)
    if not 0 <= number < _MOST_TOKENS:
        raise ValueError(tokens)
    return int(number)


def _first_logprobs(logprobs: Any) -> tuple[tuple[str, float], ...]:  # noqa: ANN401
    content = (logprobs or {}).get("content") or []
    likeliest = content[0].get("top_logprobs") or [] if content else []
    pairs = ((str(entry["token"]), float(entry["logprob"])) for entry in likeliest)
    return tuple((token, value) for token, value in pairs if math.isfinite(value))


def keeps_form(asked: Dialect, request: Request, completion: Completion) -> bool:
    """Whether the answer has the form in which it was asked for; one that was cut off or refused
    shows nothing and passes."""
    if request.schema is None or asked.structured == "text" or completion.finish_reason != "stop":
        return True
    text = completion.text
    try:
        answer = json.loads(text[text.find("{") : text.rfind("}") + 1])
    except (ValueError, RecursionError):
        return False
    required = request.schema.get("required") if asked.structured == "json_schema" else None
    names = required if isinstance(required, list) else []
    return isinstance(answer, dict) and all(name in answer for name in names)
