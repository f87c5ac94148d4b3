"""Gold QA in, an audited benchmark out: the stages one after the other, each in its own file."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING

from halubench.generate import anchor, stages, write
from halubench.generate.ask import RULES, Ask, Outcome, Progress, Tick, silent
from halubench.generate.court import Court
from halubench.generate.finish import finish
from halubench.generate.job import Job, Made, Prepared
from halubench.generate.ledger import Ledger
from halubench.generate.pen import Pen, PromptProposer
from halubench.generate.propose import Pool, RuleProposer
from halubench.generate.refine import refine
from halubench.generate.select import Wanted
from halubench.generate.spend import FILE, Purse
from halubench.judges import is_module, open_judge
from halubench.judges.base import JudgeOptions
from halubench.models import open_model
from halubench.models.scheduler import Limits
from halubench.perturb.definitions import for_model, load_all
from halubench.perturb.prompted import Manner
from halubench.prompt import load_prompt
from halubench.reading import resolve
from halubench.run import RunFolder
from halubench.shelf import Picked, Shelf
from halubench.verify.juror import wordings
from halubench.verify.jury import check_jury

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from halubench.generate.propose import Proposer

PER_PAIR = 20
"""Candidates that may be asked for each pair wanted, where no ceiling is given."""


def generate(ask: Ask, progress: Progress = silent) -> Outcome:
    """Make a benchmark of pairs out of gold QA documents, and audit it.

    Writes into ``ask.out``: ``data/`` and ``provenance/`` (parquet), ``README.md`` (the card),
    ``manifest.json``, ``audit/``, ``rejected.jsonl``, ``aside.jsonl`` and ``stages/``. The same ask
    gives the same bytes; a run that was stopped goes on where it was and pays for nothing twice.

    Raises InputError, OutputError, EngineError, and BudgetError when ``max_usd`` is reached.
    """
    ask.check()
    check_plugins(ask)
    with RunFolder.open(ask.out, ask.claim()) as folder:
        job = Job(ask, folder, Purse(ask.max_usd), progress)
        found = prepare(ask, progress)
        write.prepared(folder, found)
        prepared, made, court = asyncio.run(_make(job, found))
        _book(prepared, made)
        write.made(folder, made, court, ask.seed)
        made.pool.forget()
        return finish(job, prepared, made, court)


def check_plugins(ask: Ask) -> None:
    """Open all that the run will need once, before the folder is taken and anything is read."""
    check_jury(ask.jury, ask.model)
    load_all()
    if ask.model != RULES:
        open_model(ask.model, ask.engine)
        load_prompt("perturb", ask.prompt)
    for uri in ask.jury:
        if is_module(uri):
            open_judge(uri, JudgeOptions(ask.engine, ask.out)).info()
        else:
            wordings()
            open_model(uri, ask.engine)


def prepare(ask: Ask, progress: Progress = silent) -> Prepared:
    """Ingest, group, exclude and anchor by code; spends nothing and writes nothing."""
    for ref in ask.exclude:  # Told before the work, not after it.
        resolve(ref)
    ledger = Ledger()
    reads = stages.ingest(ask, counter(progress, "ingest", len(ask.sources)))
    items = Shelf(item for read in reads for item in read.items)
    rejected = [one for read in reads for one in read.rejected]
    ledger.close("ingest", sum(read.rows for read in reads), len(items), rejected)
    progress(Tick("group", 0, len(items)))
    groups = stages.group(items)
    progress(Tick("group", len(items), len(items)))
    hits = stages.exclude(items, ask.exclude)
    gone = {hit.item.id for hit in hits}
    ledger.close("exclude", len(items), len(items) - len(gone), stages.excluded(hits))
    left = Picked(items, (place for place, item in enumerate(items) if item.id not in gone))
    tell = counter(progress, "anchor", len(left))
    statements, unanchored = stages.anchor(left, ask.control, tell, ask.workers)
    return Prepared(reads, groups, hits, statements, unanchored, ledger)


def counter(progress: Progress, stage: str, total: int) -> Callable[[], None]:
    """What tells ``progress`` of one more of ``total`` each time it is called."""
    done = count(1)
    progress(Tick(stage, 0, total))
    return lambda: progress(Tick(stage, next(done), total))


async def _make(job: Job, found: Prepared) -> tuple[Prepared, Made, Court]:
    async with opened(job) as pen, Court(job) as court:
        prepared = await anchored(job, pen, found)
        write.anchored(job.folder, prepared.statements)
        accept = prepared.wanted(job.ask.accept)
        maker = proposer(job, pen, prepared, accept)
        wanted = Wanted(accept, job.ask.seed)
        try:
            selection, rounds = await refine(maker, wanted, court, prepared.groups)
        finally:
            tried = {"tried": maker.pool.tried, "passed": len(maker.pool.passed)}
            job.folder.write_json(FILE, job.purse.json() | tried)
        notes = [*(pen.model.notes if pen else ()), *court.notes()]
        return prepared, Made(maker.pool, selection, rounds, notes), court


@asynccontextmanager
async def opened(job: Job) -> AsyncGenerator[Pen | None]:
    """The model behind the prompt, closed again; None for the rules."""
    ask = job.ask
    if ask.model == RULES:
        yield None
        return
    model = open_model(ask.model, ask.engine)
    limits = Limits.of(ask.engine, ask.retries)
    prompt = load_prompt("perturb", ask.prompt)
    manner, read = Manner(ask.seed, ask.temperature), bool(ask.jury)
    known = for_model(read=read)
    try:
        yield Pen(model, prompt, known, job.folder.journal, job.purse, limits, manner, read)
    finally:
        await model.aclose()


async def anchored(job: Job, pen: Pen | None, found: Prepared) -> Prepared:
    """With the statements of the model, where it is to anchor what code could not."""
    if pen is None or job.ask.anchor == "code":
        return found.anchored([rejected for _, rejected in found.unanchored])
    tell = counter(job.progress, "anchor by model", len(found.unanchored))
    return found.anchored(await anchor.by_model(found.unanchored, pen, tell))


def proposer(job: Job, pen: Pen | None, prepared: Prepared, wanted: int) -> Proposer:
    """What fills the pool of the run."""
    ask = job.ask
    pool = Pool(bare=ask.control == "none")
    statements = prepared.statements
    if pen is None:
        tell = _teller(job, "perturb", len(statements))
        return RuleProposer(pool, statements, ask.seed, tell, ask.workers)
    ceiling = ask.max_candidates or PER_PAIR * wanted
    return PromptProposer(pool, statements, pen, ceiling, _teller(job, "perturb", wanted))


def _teller(job: Job, stage: str, total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        note = "" if job.ask.model == RULES else f"{job.purse.calls} calls, {job.purse.told()}"
        job.progress(Tick(stage, done, total, note))

    return tell


def _book(prepared: Prepared, made: Made) -> None:
    """Close the stages after the preparation: each item that left, left at one of them."""
    ledger, pool, found = prepared.ledger, made.pool, made.selection
    for stage in ("perturb", "gate"):
        lost = pool.rejected(prepared.statements, stage)
        ledger.close(stage, ledger.left(), ledger.left() - len(lost), lost)
    passed = len(pool.passed)
    ledger.close("jury", passed, passed - len(found.by_jury), found.by_jury)
    ledger.close("choose", ledger.left(), len(found.kept), found.by_choice)
