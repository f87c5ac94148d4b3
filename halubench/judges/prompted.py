"""Any model behind a prompt: the question, the document and the answer in, a verdict out."""

from __future__ import annotations

from contextlib import aclosing, closing
from dataclasses import asdict, replace
from statistics import median
from typing import TYPE_CHECKING, cast

from halubench.judges.lengths import Fitter
from halubench.judges.modes import open_mode, said
from halubench.judges.overflow import NO_ROOM, any_supports
from halubench.models import open_model
from halubench.models.base import CallFailure, Completion, MeasuringModel, Ruler
from halubench.models.scheduler import Limits, complete_all
from halubench.prompt import load_prompt
from halubench.records import ENDPOINT, Prediction, Unscored
from halubench.results import JudgeInfo
from halubench.run import Journal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from halubench.judges.base import JudgeOptions
    from halubench.records import Overflow, Row

    _Answers = AsyncGenerator[tuple[int, Completion | CallFailure], None]

OVERFLOW = "context overflow (--context and --overflow say what to do)"
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
            decoding={**asdict(self._mode.sampling), "samples": self._mode.samples},
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
        """One prediction a row, in row order. Raises InputError for rows that do not fit the
        context (policy ``error``), EngineError when the endpoint refuses every request,
        BudgetError at the cost ceiling; what was answered is in the journal."""
        options = self._options
        limits = Limits.of(options.engine, options.retries, options.max_usd)
        mark: Overflow = "truncated" if options.length.overflow == "truncate" else "windowed"
        try:
            cut = await self._fitter(await self._ruler()).fit(rows)
            requests = (
                (place, request)
                for place, row in enumerate(rows)
                for part in cut.get(place, [row])
                for request in self._mode.requests(self._messages(part))
            )
            with closing(Journal(options.folder / "journal.sqlite")) as journal:
                answers = complete_all(self._model, requests, journal, limits)
                async with aclosing(cast("_Answers", answers)) as answers:
                    for place, row in enumerate(rows):
                        parts = cut.get(place, [row])
                        held = [
                            (await anext(answers))[1]
                            for _ in range(len(parts) * self._mode.samples)
                        ]
                        yield self._prediction(row, held, mark if place in cut else "")
        finally:
            await self._model.aclose()

    def _fitter(self, ruler: Ruler) -> Fitter:
        def render(row: Row) -> str:
            return "\n".join(content for _, content in self._messages(row))

        reserved = self._mode.sampling.max_tokens
        return Fitter(self._model.uri, render, reserved, ruler, self._options.length)

    async def _ruler(self) -> Ruler:
        model = self._model
        return await model.measure() if isinstance(model, MeasuringModel) else Ruler()

    def _messages(self, row: Row) -> tuple[tuple[str, str], ...]:
        return self._prompt.messages(question=row.question, passage=row.passage, answer=row.answer)

    def _prediction(
        self, row: Row, outcomes: list[Completion | CallFailure], cut: Overflow
    ) -> Prediction:
        """The verdict in the answers to all samples of all windows of a row."""
        attempts = sum(each.attempts for each in outcomes)
        blank = Prediction(row.id, self._model.uri, Unscored(NO_ROOM), overflow=cut)
        if not outcomes:
            return blank
        failed = next((each for each in outcomes if isinstance(each, CallFailure)), None)
        if failed is not None:
            return replace(blank, verdict=_failed(failed.reason), attempts=attempts)
        answers = [each for each in outcomes if isinstance(each, Completion)]
        samples = self._mode.samples
        reading = any_supports(
            [
                self._mode.read(answers[start : start + samples])
                for start in range(0, len(answers), samples)
            ]
        )
        self._masses += [] if reading.mass is None else [reading.mass]
        costs = [each.cost_usd for each in answers]
        return replace(
            blank,
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


def _failed(reason: str) -> Unscored:
    """An overflow that the endpoint found is final; any other failure is asked again later."""
    return Unscored(OVERFLOW if reason.startswith("context overflow") else ENDPOINT + reason)
