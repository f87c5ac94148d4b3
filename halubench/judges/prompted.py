"""Any model behind a prompt: the question, the document and the answer in, a SCORE out."""

from __future__ import annotations

from contextlib import aclosing, closing
from typing import TYPE_CHECKING, cast

from halubench.judges.parse import parse_verdict_text
from halubench.models import open_model
from halubench.models.base import CallFailure, Completion, Request, Sampling
from halubench.models.scheduler import Limits, complete_all
from halubench.prompt import load_prompt
from halubench.records import Prediction, Unscored
from halubench.results import JudgeInfo
from halubench.run import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.records import Json, Row

    _Answers = AsyncGenerator[tuple[Row, Completion | CallFailure], None]

ENDPOINT = "endpoint: "
"""Starts the reason of a row that got no answer; such a row is asked again by a later run."""

GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=600)
"""As in the Lynx paper, and always sent: the released 70B samples unless told not to."""

SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "REASONING": {"type": "array", "items": {"type": "string"}},
        "SCORE": {"type": "string", "enum": ["PASS", "FAIL"]},
    },
    "required": ["REASONING", "SCORE"],
    "additionalProperties": False,
}


class PromptedJudge:
    """The model of ``uri`` behind ``prompts/judge/<options.prompt>.jinja``.

    The prompt is given ``question``, ``passage`` and ``answer``. Paid answers are kept in
    ``journal.sqlite`` of ``options.folder``.
    """

    def __init__(self, uri: str, options: JudgeOptions) -> None:
        """Raises InputError for an unknown model or prompt."""
        self._options = options
        self._prompt = load_prompt("judge", options.prompt)
        self._model = open_model(uri, options.engine)
        self._known = tuple(self._model.notes)

    def info(self) -> JudgeInfo:
        uri = self._model.uri
        prompt = self._options.prompt
        return JudgeInfo(
            name=uri if prompt == "lynx" else f"{uri} ({prompt})",
            uri=uri,
            kind="prompted",
            note=" ".join(self._known),
            prompt_hash=self._prompt.hash,
            identity=self._model.identity(),
        )

    def warnings(self) -> list[str]:
        return [note for note in self._model.notes if note not in self._known]

    async def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """One prediction a row, in row order. Raises EngineError when the endpoint refuses every
        request, BudgetError at the cost ceiling; what was answered is in the journal."""
        options = self._options
        limits = Limits(options.engine.window, options.retries, options.max_usd)
        requests = ((row, self._request(row)) for row in rows)
        try:
            with closing(Journal(options.folder / "journal.sqlite")) as journal:
                answers = complete_all(self._model, requests, journal, limits)
                async with aclosing(cast("_Answers", answers)) as answers:
                    async for row, answer in answers:
                        yield self._prediction(row, answer)
        finally:
            await self._model.aclose()

    def _request(self, row: Row) -> Request:
        messages = self._prompt.messages(
            question=row.question, passage=row.passage, answer=row.answer
        )
        return Request(messages, GREEDY, SCHEMA)

    def _prediction(self, row: Row, answer: Completion | CallFailure) -> Prediction:
        if isinstance(answer, CallFailure):
            unscored = Unscored(ENDPOINT + answer.reason)
            return Prediction(row.id, self._model.uri, unscored, attempts=answer.attempts)
        verdict, reasoning = parse_verdict_text(answer.text)
        if isinstance(verdict, Unscored) and answer.finish_reason == "length":
            verdict = Unscored(f"{verdict.reason} (cut off at {GREEDY.max_tokens} tokens)")
        return Prediction(
            id=row.id,
            judge=self._model.uri,
            verdict=verdict,
            reasoning=reasoning,
            raw=answer.text,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cost_usd=answer.cost_usd,
            latency_s=answer.latency_s,
            attempts=answer.attempts,
        )
