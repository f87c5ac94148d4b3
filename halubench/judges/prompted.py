"""Any model behind a prompt: the question, the document and the answer in, a verdict out."""

from __future__ import annotations

from contextlib import aclosing, closing
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, cast

from halubench.judges.modes import open_mode, said
from halubench.models import open_model
from halubench.models.base import CallFailure, Completion
from halubench.models.scheduler import Limits, complete_all
from halubench.prompt import load_prompt
from halubench.records import ENDPOINT, Prediction, Unscored
from halubench.results import JudgeInfo
from halubench.run import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.models.base import Request
    from halubench.records import Row

    _Answers = AsyncGenerator[tuple[Row, Completion | CallFailure], None]

LEAST_MASS = 0.5
"""Below it a direct judge is said to have been held to words it would not have chosen."""


class PromptedJudge:
    """The model of ``uri`` behind a prompt, asked as ``options.mode`` says.

    The prompt is given ``question``, ``passage`` and ``answer``. Paid answers are kept in
    ``journal.sqlite`` of ``options.folder``.
    """

    def __init__(self, uri: str, options: JudgeOptions) -> None:
        """Raises InputError for an unknown model or prompt."""
        self._options = options
        self._mode = open_mode(options.mode)
        self._prompt_name = options.prompt or self._mode.prompt
        self._prompt = load_prompt("judge", self._prompt_name)
        self._model = open_model(uri, options.engine)
        self._known = tuple(self._model.notes)
        self._masses: list[float] = []

    def info(self) -> JudgeInfo:
        uri = self._model.uri
        mode, prompt = self._options.mode.name, self._prompt_name
        told = [mode] * (mode != "reason") + [prompt] * (prompt != self._mode.prompt)
        return JudgeInfo(
            name=f"{uri} ({', '.join(told)})" if told else uri,
            uri=uri,
            kind="prompted",
            note=" ".join(self._known),
            mode=mode,
            prompt=prompt,
            decoding={**asdict(self._mode.requests(())[0].sampling), "samples": self._mode.samples},
            prompt_hash=self._prompt.hash,
            identity=self._model.identity(),
        )

    def warnings(self) -> list[str]:
        found = [note for note in self._model.notes if note not in self._known]
        if self._masses and (held := median(self._masses)) < LEAST_MASS:
            found.append(
                f"PASS and FAIL together held a median of {held:.2g} of the first token's "
                "probability: the model would mostly have said something else."
            )
        return found

    async def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """One prediction a row, in row order. Raises EngineError when the endpoint refuses every
        request, BudgetError at the cost ceiling; what was answered is in the journal."""
        options = self._options
        limits = Limits.of(options.engine, options.retries, options.max_usd)
        requests = ((row, request) for row in rows for request in self._requests(row))
        held: list[Completion | CallFailure] = []
        try:
            with closing(Journal(options.folder / "journal.sqlite")) as journal:
                answers = complete_all(self._model, requests, journal, limits)
                async with aclosing(cast("_Answers", answers)) as answers:
                    async for row, answer in answers:
                        held.append(answer)
                        if len(held) == self._mode.samples:
                            yield self._prediction(row, held)
                            held = []
        finally:
            await self._model.aclose()

    def _requests(self, row: Row) -> list[Request]:
        messages = self._prompt.messages(
            question=row.question, passage=row.passage, answer=row.answer
        )
        return self._mode.requests(messages)

    def _prediction(self, row: Row, outcomes: list[Completion | CallFailure]) -> Prediction:
        attempts = sum(each.attempts for each in outcomes)
        failed = next((each for each in outcomes if isinstance(each, CallFailure)), None)
        if failed is not None:
            unscored = Unscored(ENDPOINT + failed.reason)
            return Prediction(row.id, self._model.uri, unscored, attempts=attempts)
        answers = [each for each in outcomes if isinstance(each, Completion)]
        reading = self._mode.read(answers)
        self._masses += [] if reading.mass is None else [reading.mass]
        costs = [each.cost_usd for each in answers]
        return Prediction(
            id=row.id,
            judge=self._model.uri,
            verdict=reading.verdict,
            p_fail=reading.p_fail,
            reasoning=reading.reasoning,
            raw=said(answers),
            prompt_tokens=sum(each.prompt_tokens for each in answers),
            completion_tokens=sum(each.completion_tokens for each in answers),
            cost_usd=None if None in costs else sum(cost or 0.0 for cost in costs),
            latency_s=max(each.latency_s for each in answers),
            attempts=attempts,
            mass=reading.mass,
        )
