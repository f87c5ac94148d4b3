"""Where batches are sent from, looked after and collected, so that none is ever paid twice.

Each step is noted in the journal before the next one is taken: the batch with the keys it is to
answer, its id, and that its answers were collected. A batch bears the name of its note as metadata,
so that one whose creation was not heard of is found again among the endpoint's batches.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from time import time
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import uuid4

from halubench.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator

    import openai
    from openai.types import Batch

    from halubench.run import Journal

T = TypeVar("T")

MOST_LINES = 50_000
LARGEST_FILE = 190_000_000
"""Bytes; with :data:`MOST_LINES`, a little under what the API takes
(https://platform.openai.com/docs/api-reference/batch/create)."""
FIRST_POLL_S, POLL_S = 1.0, 60.0
"""Seconds between the first two looks at a batch, and at most between later ones."""
MARK = "halubench"
_FINAL = frozenset({"completed", "failed", "expired", "cancelled"})
_SKEW_S = 3600.0
"""By how much the endpoint's clock may be behind ours."""
_NOTE = "batch/"


@dataclass(slots=True)
class Sent:
    """A batch as the journal notes it; ``id`` is empty until it is known to exist."""

    mark: str
    engine: str
    since: float
    keys: list[str] = field(default_factory=list[str])
    id: str = ""
    collected: bool = False


class Desk:
    """The batches of one engine at one endpoint, as a journal knows them."""

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        journal: Journal,
        engine: str,
        refuse: Callable[[openai.APIError], EngineError],
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._journal = journal
        self._engine = engine
        self._refuse = refuse
        self._tell = tell

    async def outstanding(self) -> list[Sent]:
        """The batches that exist and are not collected; a note of one that was never created is
        closed."""
        noted = (Sent(**cast("Any", one)) for one in self._journal.notes(_NOTE).values())
        mine = [one for one in noted if one.engine == self._engine and not one.collected]
        for one in mine:
            if not one.id:
                one.id = await self._found(one)
                one.collected = not one.id
                self._keep(one)
        return [one for one in mine if one.id]

    async def send(self, lines: Iterable[tuple[str, bytes]]) -> None:
        """Put (key, line) pairs into as few batches as may be."""
        for part in _parts(lines):
            sent = Sent(uuid4().hex, self._engine, time(), [key for key, _ in part])
            self._keep(sent)
            content = b"\n".join(line for _, line in part)
            files = self._client.files
            made = await self._ask(
                files.create(file=(f"{sent.mark}.jsonl", content), purpose="batch")
            )
            sent.id = await self._created(sent, made.id)
            self._keep(sent)
            self._tell(f"Batch {sent.id} of {len(part)} requests is sent.")

    async def finished(self, sent: Sent) -> Batch:
        """Wait for the end of a batch, which may take a day."""
        pause, shown = FIRST_POLL_S, ""
        while True:
            batch = await self._ask(self._client.batches.retrieve(sent.id))
            counts = batch.request_counts
            done = f", {counts.completed + counts.failed} of {counts.total}" if counts else ""
            state = f"Batch {sent.id}: {batch.status.replace('_', ' ')}{done}."
            if state != shown:
                self._tell(state)
                shown = state
            if batch.status in _FINAL:
                return batch
            await asyncio.sleep(pause)
            pause = min(2 * pause, POLL_S)

    async def answers(self, batch: Batch) -> AsyncGenerator[dict[str, Any]]:
        """The lines of a batch's files of answers and of errors; what is no JSON object is left
        out, as an answer that did not come."""
        for name in (batch.output_file_id, batch.error_file_id):
            if name:
                content = await self._ask(self._client.files.content(name))
                for line in content.text.splitlines():
                    try:
                        answer = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(answer, dict):
                        yield answer

    def close(self, sent: Sent) -> None:
        """Note that the answers of a batch are in the journal."""
        sent.collected = True
        self._keep(sent)

    def _keep(self, sent: Sent) -> None:
        self._journal.note(_NOTE + sent.mark, asdict(sent))

    async def _found(self, sent: Sent) -> str:
        """The id of a batch with that mark; empty where there is none."""
        import openai

        try:
            async for batch in self._client.batches.list(limit=100):
                if (batch.metadata or {}).get(MARK) == sent.mark:
                    return batch.id
                if batch.created_at < sent.since - _SKEW_S:
                    break
        except openai.APIError as error:
            raise self._refuse(error) from None
        return ""

    async def _created(self, sent: Sent, file: str) -> str:
        """Create a batch, once: where the answer is lost, it is looked for before another try."""
        batches = self._client.with_options(max_retries=0).batches
        try:
            made = await self._ask(
                batches.create(
                    input_file_id=file,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                    metadata={MARK: sent.mark},
                )
            )
        except EngineError:
            found = await self._found(sent)
            if not found:
                raise
            return found
        return made.id

    async def _ask(self, call: Awaitable[T]) -> T:
        import openai

        try:
            return await call
        except openai.APIError as error:
            raise self._refuse(error) from None


def _parts(lines: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Lines in files that the API takes."""
    part: list[tuple[str, bytes]] = []
    size = 0
    for key, line in lines:
        if part and (len(part) >= MOST_LINES or size + len(line) + 1 > LARGEST_FILE):
            yield part
            part, size = [], 0
        part.append((key, line))
        size += len(line) + 1
    if part:
        yield part
