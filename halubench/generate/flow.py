"""Gold QA in, an audited benchmark out: the stages one after the other, each in its own file."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from halubench.generate import stages, write
from halubench.generate.ask import RULES, Ask, Outcome, Progress, Tick, silent
from halubench.generate.finish import finish
from halubench.generate.job import Job, Made, Prepared
from halubench.generate.ledger import Ledger
from halubench.generate.propose import Pen, PromptProposer, RuleProposer
from halubench.generate.select import Jury, select
from halubench.generate.spend import Purse, Votes
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.models import open_model
from halubench.models.scheduler import Limits
from halubench.perturb.definitions import load_all
from halubench.prompt import load_prompt
from halubench.run import RunFolder
from halubench.verify.jury import check_jury

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from halubench.generate.propose import Proposer
    from halubench.judges.base import Judge
    from halubench.perturb.base import Statement
    from halubench.records import Prediction

PER_PAIR = 20
"""Candidates that may be asked for each pair wanted, where no ceiling is given."""


def generate(ask: Ask, progress: Progress = silent) -> Outcome:
    """Make a benchmark of pairs out of gold QA documents, and audit it.

    Writes into ``ask.out``: ``data/`` and ``provenance/`` (parquet), ``README.md`` (the card),
    ``manifest.json``, ``audit/``, ``rejected.jsonl`` and ``stages/``. The same ask gives the same
    bytes; a run that was stopped goes on where it was and pays for nothing twice.

    Raises InputError, OutputError, EngineError, and BudgetError when ``max_usd`` is reached.
    """
    ask.check()
    check_jury(ask.jury, ask.model)
    with RunFolder.open(ask.out, ask.claim()) as folder:
        job = Job(ask, folder, Purse(ask.max_usd), progress)
        prepared = prepare(ask, progress)
        write.prepared(folder, prepared)
        jury = _jury(job)
        made = asyncio.run(_make(job, prepared, jury))
        _book(prepared.ledger, made)
        write.made(folder, made, jury)
        return finish(job, prepared, made, jury)


def prepare(ask: Ask, progress: Progress = silent) -> Prepared:
    """Ingest, group, exclude and anchor; spends nothing and writes nothing."""
    ledger = Ledger()
    reads = stages.ingest(ask, _counter(progress, "ingest", len(ask.sources)))
    items = [item for read in reads for item in read.items]
    rejected = [one for read in reads for one in read.rejected]
    ledger.close("ingest", sum(read.rows for read in reads), len(items), rejected)
    progress(Tick("group", 0, len(items)))
    groups = stages.group(items)
    progress(Tick("group", len(items), len(items)))
    hits = stages.exclude(items, ask.exclude)
    gone = {hit.item.id for hit in hits}
    ledger.close("exclude", len(items), len(items) - len(gone), stages.excluded(hits))
    tell = _counter(progress, "anchor", len(items) - len(gone))
    anchored = [
        stages.anchor([item for item in read.items if item.id not in gone], ask.control, tell)
        for read in reads
    ]
    statements = [kept for kept, _ in anchored]
    unsupported = [one for _, lost in anchored for one in lost]
    ledger.close("anchor", len(items) - len(gone), sum(map(len, statements)), unsupported)
    return Prepared(reads, groups, hits, statements, ledger)


def _counter(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    done = count(1)
    progress(Tick(stage, 0, total))
    return lambda: progress(Tick(stage, next(done), total))


async def _make(job: Job, prepared: Prepared, jury: Jury) -> list[Made]:
    made: list[Made] = []
    shares = prepared.shares(job.ask.accept)
    async with _pen(job) as pen:
        for statements, share in zip(prepared.statements, shares, strict=True):
            proposer = _proposer(job, pen, statements, share)
            selection = await select(proposer, share, job.ask.seed, jury)
            made.append(Made(statements, proposer.pool, selection))
    return made


@asynccontextmanager
async def _pen(job: Job) -> AsyncIterator[Pen | None]:
    """The model behind the prompt, closed again; None for the rules."""
    ask = job.ask
    if ask.model == RULES:
        yield None
        return
    model = open_model(ask.model, ask.engine)
    limits = Limits(ask.engine.window, ask.retries)
    prompt = load_prompt("perturb", ask.prompt)
    try:
        yield Pen(model, prompt, load_all(), job.folder.journal, job.purse, limits, ask.seed)
    finally:
        await model.aclose()


def _proposer(job: Job, pen: Pen | None, statements: list[Statement], share: int) -> Proposer:
    ask = job.ask
    if pen is None:
        return RuleProposer(statements, ask.seed, _teller(job, "perturb", len(statements)))
    ceiling = ask.max_candidates or PER_PAIR * share
    return PromptProposer(statements, pen, ceiling, _teller(job, "perturb", share))


def _teller(job: Job, stage: str, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        note = "" if job.ask.model == RULES else f"{job.purse.calls} calls, {job.purse.told()}"
        job.progress(Tick(stage, done, total, note))

    return tell


class _Court:
    """Opens each juror when its turn comes, with what the purse still holds, and books its votes."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._votes = Votes(job.folder.journal, 0)
        self._cast = 0

    def open(self, uri: str) -> Judge:
        """Raises InputError for what is no judge, BudgetError when nothing may be spent."""
        job = self._job
        self.settle()
        options = JudgeOptions(
            job.ask.engine, job.folder.path, max_usd=job.purse.left(), retries=job.ask.retries
        )
        return open_judge(uri, options)

    def hear(self, vote: Prediction) -> None:
        """Book one vote."""
        self._votes.add(vote)
        self._cast += 1
        self._job.purse.pay(vote, free=True)
        self._job.progress(Tick("jury", self._cast, 0, f"votes, {self._job.purse.told()}"))

    def settle(self) -> None:
        """The last juror is done."""
        self._job.purse.settle(self._votes)
        self._votes = Votes(self._job.folder.journal, len(self._job.folder.journal))


def _jury(job: Job) -> Jury:
    """Raises InputError for a juror that cannot be opened, before anything is spent."""
    court = _Court(job)
    jurors = {uri: partial(court.open, uri) for uri in job.ask.jury}
    for opened in jurors.values():
        opened().info()
    return Jury(jurors, job.ask.seed, court.hear, court.settle)


def _book(ledger: Ledger, made: Sequence[Made]) -> None:
    """Close the stages after the preparation: each item that left, left at one of them."""
    for stage in ("perturb", "gate"):
        lost = [one for m in made for one in m.pool.rejected(m.statements, stage)]
        ledger.close(stage, ledger.left(), ledger.left() - len(lost), lost)
    passed = sum(len(m.pool.passed) for m in made)
    by_jury = [one for m in made for one in m.selection.by_jury]
    by_choice = [one for m in made for one in m.selection.by_choice]
    ledger.close("jury", passed, passed - len(by_jury), by_jury)
    pairs = sum(len(m.selection.kept) for m in made)
    ledger.close("choose", passed - len(by_jury), pairs, by_choice)
