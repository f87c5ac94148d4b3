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
from halubench.generate.propose import Pen, Pool, PromptProposer, RuleProposer
from halubench.generate.select import Jury, select
from halubench.generate.spend import Purse, Votes
from halubench.judges import open_judge
from halubench.judges.base import JudgeOptions
from halubench.models import open_model
from halubench.models.scheduler import Limits
from halubench.perturb.definitions import load_all
from halubench.prompt import load_prompt
from halubench.reading import resolve
from halubench.run import RunFolder
from halubench.verify.jury import check_jury

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

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
    _check_plugins(ask)
    with RunFolder.open(ask.out, ask.claim()) as folder:
        job = Job(ask, folder, Purse(ask.max_usd), progress)
        prepared = prepare(ask, progress)
        write.prepared(folder, prepared)
        jury = _jury(job)
        made = asyncio.run(_make(job, prepared, jury))
        _book(prepared, made)
        write.made(folder, made, jury)
        return finish(job, prepared, made, jury)


def _check_plugins(ask: Ask) -> None:
    """Open all that the run will need once, before the folder is taken and anything is read."""
    check_jury(ask.jury, ask.model)
    load_all()
    if ask.model != RULES:
        open_model(ask.model, ask.engine)
        load_prompt("perturb", ask.prompt)
    for uri in ask.jury:
        open_judge(uri, JudgeOptions(ask.engine, ask.out)).info()


def prepare(ask: Ask, progress: Progress = silent) -> Prepared:
    """Ingest, group, exclude and anchor; spends nothing and writes nothing."""
    for ref in ask.exclude:  # Told before the work, not after it.
        resolve(ref)
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
    left = [item for item in items if item.id not in gone]
    tell = _counter(progress, "anchor", len(left))
    statements, unsupported = stages.anchor(left, ask.control, tell)
    ledger.close("anchor", len(left), len(statements), unsupported)
    return Prepared(reads, groups, hits, statements, ledger)


def _counter(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    done = count(1)
    progress(Tick(stage, 0, total))
    return lambda: progress(Tick(stage, next(done), total))


async def _make(job: Job, prepared: Prepared, jury: Jury) -> Made:
    wanted = prepared.wanted(job.ask.accept)
    async with _pen(job) as pen:
        proposer = _proposer(job, pen, prepared.statements, wanted)
        selection = await select(proposer, wanted, job.ask.seed, jury)
        return Made(proposer.pool, selection, list(pen.model.notes) if pen else [])


@asynccontextmanager
async def _pen(job: Job) -> AsyncGenerator[Pen | None]:
    """The model behind the prompt, closed again; None for the rules."""
    ask = job.ask
    if ask.model == RULES:
        yield None
        return
    model = open_model(ask.model, ask.engine)
    limits = Limits.of(ask.engine, ask.retries)
    prompt = load_prompt("perturb", ask.prompt)
    try:
        yield Pen(model, prompt, load_all(), job.folder.journal, job.purse, limits, ask.seed)
    finally:
        await model.aclose()


def _proposer(job: Job, pen: Pen | None, statements: list[Statement], wanted: int) -> Proposer:
    ask = job.ask
    pool = Pool(bare=ask.control == "none")
    if pen is None:
        return RuleProposer(pool, statements, ask.seed, _teller(job, "perturb", len(statements)))
    ceiling = ask.max_candidates or PER_PAIR * wanted
    return PromptProposer(pool, statements, pen, ceiling, _teller(job, "perturb", wanted))


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
    court = _Court(job)
    jurors = {uri: partial(court.open, uri) for uri in job.ask.jury}
    return Jury(jurors, job.ask.seed, court.hear, court.settle)


def _book(prepared: Prepared, made: Made) -> None:
    """Close the stages after the preparation: each item that left, left at one of them."""
    ledger, pool, found = prepared.ledger, made.pool, made.selection
    for stage in ("perturb", "gate"):
        lost = pool.rejected(prepared.statements, stage)
        ledger.close(stage, ledger.left(), ledger.left() - len(lost), lost)
    passed = len(pool.passed)
    ledger.close("jury", passed, passed - len(found.by_jury), found.by_jury)
    ledger.close("choose", ledger.left(), len(found.kept), found.by_choice)
