"""Judges that run in this process, a batch of rows at a time: what is scored is journalled."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from halubench.records import ENDPOINT, Prediction, Unscored, parse_verdict, render_verdict
from halubench.results import JudgeInfo
from halubench.run import Journal, request_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from halubench.judges.base import JudgeOptions
    from halubench.records import Json, Row

_KEPT = [field.name for field in fields(Prediction) if field.name not in {"id", "judge"}]


class Scorer(Protocol):
    """What scores rows, in a thread; ``batch`` of them at a time."""

    batch: int

    def check(self, rows: Sequence[Row]) -> None:
        """Raise InputError for rows that it will not score, before any is."""
        ...

    def score(self, rows: Sequence[Row]) -> list[Prediction]:
        """One prediction a row, in order. Never raises for a single row."""
        ...


@dataclass(frozen=True)
class LocalJudge:
    """A :class:`Scorer` as a judge. ``folder`` holds the journal; ``known`` is :meth:`info`.

    A row is known by the judge's identity and prompt hash and by the texts of the row, so a
    stopped run goes on behind its last whole batch.
    """

    known: JudgeInfo
    scorer: Scorer
    folder: Path

    def info(self) -> JudgeInfo:
        return self.known

    async def predict(self, rows: Sequence[Row]) -> AsyncIterator[Prediction]:
        """One prediction a row, in row order. Raises InputError from the scorer's check."""
        with closing(Journal(self.folder / "journal.sqlite")) as journal:
            await asyncio.to_thread(self.scorer.check, rows)
            for start in range(0, len(rows), self.scorer.batch):
                for said in await self._batch(rows[start : start + self.scorer.batch], journal):
                    yield said

    async def _batch(self, rows: Sequence[Row], journal: Journal) -> list[Prediction]:
        keys = [self._key(row) for row in rows]
        kept = {key: payload for key in keys if (payload := journal.get(key)) is not None}
        todo = {key: row for key, row in zip(keys, rows, strict=True) if key not in kept}
        scored = dict(zip(todo, await self._score(list(todo.values())), strict=True))
        new = {key: _payload(said) for key, said in scored.items() if not _unanswered(said)}
        journal.put_all(list(new.items()))
        kept |= new
        name = self.known.uri
        return [
            replace(_read(kept[key]) if key in kept else scored[key], id=row.id, judge=name)
            for key, row in zip(keys, rows, strict=True)
        ]

    async def _score(self, rows: list[Row]) -> list[Prediction]:
        if not rows:
            return []
        start = perf_counter()
        scored = await asyncio.to_thread(self.scorer.score, rows)
        each = (perf_counter() - start) / len(rows)
        return [replace(said, latency_s=said.latency_s or each) for said in scored]

    def _key(self, row: Row) -> str:
        texts = [row.passage, row.question, row.answer]
        return request_key(self.known.identity, [self.known.prompt_hash, *texts])


def of_package(
    uri: str, identity: dict[str, Json], scorer: Scorer, options: JudgeOptions
) -> LocalJudge:
    """The judge of another package."""
    info = JudgeInfo(name=uri, uri=uri, kind="package", identity={**identity})
    return LocalJudge(info, scorer, options.folder)


def _unanswered(said: Prediction) -> bool:
    return isinstance(said.verdict, Unscored) and said.verdict.reason.startswith(ENDPOINT)


def _payload(said: Prediction) -> str:
    kept = {name: getattr(said, name) for name in _KEPT}
    return json.dumps({**kept, "verdict": render_verdict(said.verdict)})


def _read(payload: str) -> Prediction:
    kept = json.loads(payload)
    return Prediction("", "", parse_verdict(kept.pop("verdict")), **kept)
