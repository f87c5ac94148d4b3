"""``batch:NAME`` and ``batch:NAME@URL``: the OpenAI Batch API, for half the price within a day.

Address and key are read as for ``openai:``, and the answers of both are the same in a journal. An
expired, cancelled or partly failed batch keeps what it finished; the rest goes into another one.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError
from halubench.models import _desk
from halubench.models._chat import Dialect, complaint_of, is_overflow, read_reply
from halubench.models._desk import MOST_LINES, Desk
from halubench.models.base import CallFailure, Completion, RefusedError, RetryableError
from halubench.models.openai import OpenAIModel, endpoint
from halubench.run import identity_id, to_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    import openai
    from openai.types import Batch

    from halubench.models.base import EngineOptions, Model, Prices, Request
    from halubench.records import Json
    from halubench.run import Journal

_CROWDED = ("token_limit_exceeded", "rate_limit_exceeded")


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of ``NAME`` or ``NAME@URL``; raises as ``openai:`` does."""
    return BatchModel(*endpoint("batch", spec), options)


class BatchModel:
    """One model behind the Batch API of one endpoint. Its prices are those of batches."""

    group = 2 * MOST_LINES

    def __init__(
        self, name: str, address: str, headers: Mapping[str, str], options: EngineOptions
    ) -> None:
        self._chat = OpenAIModel(name, address, headers, options)
        self._name, self._address, self._headers = name, address, headers
        self._options = options
        self._dialect = Dialect()
        self.uri = f"batch:{name}@{address}"
        self.notes = self._chat.notes

    def prices(self) -> Prices | None:
        """The prices given in the options."""
        return self._chat.prices()

    def identity(self) -> dict[str, Json]:
        """That of ``openai:``; the model is the same."""
        return self._chat.identity()

    async def aclose(self) -> None:
        """Nothing is held between two calls."""

    async def complete_many(
        self, asked: Mapping[str, Request], journal: Journal, retries: int
    ) -> AsyncGenerator[tuple[str, Completion | CallFailure]]:
        """Collect what earlier batches hold and send the rest, until each has an outcome."""
        waiting, reasons, rounds = dict(asked), dict[str, str](), 0
        async with self._client(retries) as client:
            engine = identity_id(self.identity())
            desk = Desk(client, journal, engine, self._refusal, self._options.tell)
            sent = await desk.outstanding()
            while sent or (waiting and rounds <= retries):
                on_the_way = {key for one in sent for key in one.keys}
                new = {key: one for key, one in waiting.items() if key not in on_the_way}
                await desk.send(self._lines(new))
                rounds += 1
                async for key, outcome in self._collected(desk, rounds):
                    if isinstance(outcome, str):
                        reasons[key] = outcome
                    elif waiting.pop(key, None) or isinstance(outcome, Completion):
                        yield key, outcome
                sent = []
        for key in waiting:
            yield key, CallFailure(reasons.get(key, "the batch ended without an answer"), rounds)

    async def _collected(
        self, desk: Desk, round_: int
    ) -> AsyncGenerator[tuple[str, Completion | CallFailure | str]]:
        """What each line of the batches gave, batch after batch as they end."""
        for sent in await desk.outstanding():
            batch = await desk.finished(sent)
            if batch.status != "failed":
                async for answer in desk.answers(batch):
                    yield self._outcome(answer, round_)
            desk.close(sent)
            if batch.status == "failed":
                await self._refused(batch)

    def _client(self, retries: int) -> openai.AsyncOpenAI:
        import openai

        key = self._headers["Authorization"].removeprefix("Bearer ")
        limit = self._options.timeout_s
        return openai.AsyncOpenAI(
            api_key=key, base_url=self._address, timeout=limit, max_retries=retries
        )

    def _lines(self, asked: Mapping[str, Request]) -> Iterator[tuple[str, bytes]]:
        for key, request in asked.items():
            line = {"custom_id": key, "method": "POST", "url": "/v1/chat/completions"}
            yield key, to_json({**line, "body": self._dialect.body(self._name, request)})

    def _outcome(
        self, answer: dict[str, Any], round_: int
    ) -> tuple[str, Completion | CallFailure | str]:
        """The key of a line and its answer, its last word, or the reason to send it again."""
        key, response = str(answer.get("custom_id")), answer.get("response") or {}
        status = response.get("status_code")
        body = self._chat.hide(json.dumps(response.get("body")))
        if status == 200:
            try:
                return key, read_reply(body, self.prices())
            except RetryableError as error:
                return key, error.reason
        if status is None:
            return key, complaint_of(json.dumps(answer)) or "no answer"
        complaint = complaint_of(body)
        learnt = None if is_overflow(complaint.lower()) else self._dialect.learn(complaint)
        if learnt is not None and status in {400, 422}:
            self._dialect, note = learnt
            self._chat.note(note)
            return key, note
        try:
            self._chat.refuse(status, complaint, {})
        except RetryableError as error:
            return key, error.reason
        except RefusedError as error:
            return key, CallFailure(error.reason, round_)

    async def _refused(self, batch: Batch) -> None:
        """Wait where the queue was full; raise EngineError for a batch refused otherwise."""
        errors = (batch.errors.data if batch.errors else None) or []
        if errors and all(error.code in _CROWDED for error in errors):
            await asyncio.sleep(_desk.POLL_S)
            return
        told = "; ".join(str(error.message) for error in errors[:3]) or "no reason given"
        raise EngineError(
            f"Batch {batch.id} was refused as a whole: {self._chat.hide(told)}.",
            "Mend that and run the same command again.",
        )

    def _refusal(self, error: openai.APIError) -> EngineError:
        """What an error of the endpoint means for the job, which can always be gone on with."""
        import openai

        reason = f"connection failed ({type(error).__name__})"
        if isinstance(error, openai.APIStatusError):
            complaint = complaint_of(self._chat.hide(error.response.text))
            reason = f"HTTP {error.status_code}: {complaint}"
            try:
                self._chat.refuse(error.status_code, complaint, error.response.headers)
            except EngineError as told:
                return told
            except (RetryableError, RefusedError):
                pass
        return EngineError(
            f"{self.uri} cannot be asked: {reason}.",
            "Run the same command again: nothing is lost, and nothing is sent twice.",
        )
