"""Jurors: a model behind the prompts of ``prompts/verify/``, or any other judge as it is."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from halubench import content
from halubench.judges.parse import parse_verdict_text
from halubench.models.base import CallFailure, Completion, Request, Sampling, size
from halubench.models.scheduler import Limits, complete_all
from halubench.perturb.prompted import quoted
from halubench.prompt import load_prompt
from halubench.records import ENDPOINT, Unscored
from halubench.text import digest
from halubench.verify.ballot import Vote

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence

    from halubench.judges.base import Judge
    from halubench.models.base import Model
    from halubench.prompt import Prompt
    from halubench.records import Json, Prediction, Row
    from halubench.run import Journal

    _Answers = AsyncGenerator[tuple[tuple[Row, int], Completion | CallFailure], None]

MAX_TOKENS = 600
_TEXT: dict[str, Json] = {"type": "string"}
_CLAIM: dict[str, Json] = {
    "type": "object",
    "properties": {"claim": _TEXT, "quote": _TEXT},
    "required": ["claim", "quote"],
    "additionalProperties": False,
}
SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "claims": {"type": "array", "items": _CLAIM, "minItems": 1, "maxItems": 6},
        "SCORE": {"type": "string", "enum": ["PASS", "FAIL"]},
    },
    "required": ["claims", "SCORE"],
    "additionalProperties": False,
}
_CUT = re.compile(r"\s*(?:\.\.\.|…|\[…\])\s*")


def wordings() -> list[Prompt]:
    """The prompts of ``prompts/verify/``, by name."""
    return [load_prompt("verify", path.stem) for path in content.files("prompts/verify", ".jinja")]


@dataclass(frozen=True, slots=True)
class Seat:
    """What a juror's answers are kept in and limited by; ``pay`` books each, with the characters of
    its request."""

    journal: Journal
    limits: Callable[[], Limits]
    pay: Callable[[Completion, int], None]
    seed: int


class PromptJuror:
    """A model; each row is put to it in the wording that the seed, its name and the row choose."""

    rewords = True

    def __init__(self, model: Model, seat: Seat) -> None:
        self._model = model
        self._seat = seat
        self._wordings = wordings()

    async def hear(self, rows: Sequence[Row], turn: int) -> AsyncIterator[tuple[str, Vote]]:
        """Raises EngineError when the endpoint refuses every request, BudgetError at the ceiling."""
        seat = self._seat
        asked = (((row, size(one)), one) for row in rows for one in [self.request(row, turn)])
        answers = complete_all(self._model, asked, seat.journal, seat.limits())
        async with aclosing(cast("_Answers", answers)) as answers:
            async for (row, chars), answer in answers:
                if isinstance(answer, CallFailure):
                    yield row.id, Vote(Unscored(ENDPOINT + answer.reason))
                    continue
                seat.pay(answer, chars)
                yield row.id, read(answer, row.passage)

    def request(self, row: Row, turn: int) -> Request:
        """The request for one row."""
        drawn = int(digest(str(self._seat.seed), self._model.uri.partition("@")[0], row.id)[:8], 16)
        return ask(self._wordings[(drawn + turn) % len(self._wordings)], row, turn)


def ask(prompt: Prompt, row: Row, turn: int = 0) -> Request:
    """The request that puts a row in that wording: greedy."""
    messages = prompt.messages(question=row.question, passage=row.passage, answer=row.answer)
    return Request(messages, Sampling(max_tokens=MAX_TOKENS), SCHEMA, sample=turn)


def read(answer: Completion, passage: str) -> Vote:
    """The vote of an answer. A quote that the passage does not have, and a PASS that no quote bears
    out, make it unread: it is not known what the juror looked at."""
    verdict, _ = parse_verdict_text(answer.text)
    if isinstance(verdict, Unscored):
        cut = f" (cut off at {MAX_TOKENS} tokens)" if answer.finish_reason == "length" else ""
        return Vote(Unscored(verdict.reason + cut))
    quotes = _quotes(answer.text)
    told = [quote for quote in quotes if quote.strip()]
    if not all(quoted(part, passage) for quote in told for part in _CUT.split(quote) if part):
        return Vote(Unscored("a quote is not in the passage"))
    if verdict == "PASS" and (not told or len(told) < len(quotes)):
        return Vote(Unscored("PASS without a quote for each claim"))
    return Vote(verdict, " … ".join(told))


def _quotes(text: str) -> list[str]:
    """The quote of each claim of an answer; none where it is no JSON of that shape."""
    try:
        said: Any = json.JSONDecoder().raw_decode(text, max(text.find("{"), 0))[0]
        return [str(one["quote"]) for one in said["claims"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []


class PluginJuror:
    """A judge that is no prompted model (a classifier, another toolkit's): its verdict is its vote."""

    rewords = False

    def __init__(self, judge: Judge, pay: Callable[[Prediction], None]) -> None:
        self._judge = judge
        self._pay = pay

    async def hear(self, rows: Sequence[Row], turn: int) -> AsyncIterator[tuple[str, Vote]]:  # noqa: ARG002
        """As the judge says."""
        async for said in self._judge.predict(rows):
            self._pay(said)
            yield said.id, Vote(said.verdict)
