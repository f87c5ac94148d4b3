"""One job in parts: each part asks about its share of the items, and a merge makes the dataset.

The parts share nothing but the ask. A part fills its own journal, choosing nothing for good; the
merge gathers the journals and runs the whole job on them, so that it is, byte for byte, what one
machine would have made. What the whole needs beyond the parts' answers (few pairs, if any, where
``accept`` bounds them) the merge asks for itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from halubench.errors import InputError
from halubench.generate import write
from halubench.generate.ask import RULES, Ask, Outcome, Progress, silent
from halubench.generate.court import Court
from halubench.generate.flow import anchored, check_plugins, generate, opened, prepare, proposer
from halubench.generate.job import Job
from halubench.generate.select import upheld
from halubench.generate.spend import FILE, Purse
from halubench.records import Rejected
from halubench.run import RunFolder
from halubench.shelf import Shelf
from halubench.text import digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from halubench.generate.job import Prepared
    from halubench.generate.propose import Proposer
    from halubench.models.base import EngineOptions
    from halubench.records import Item

MANIFEST = "shard.json"
FORMAT = "halubench/shard/1"


@dataclass(frozen=True, slots=True)
class Worked:
    """What a part did: items asked about, items with a candidate that passed the gate, items with
    one that the jury upheld too, and why some requests have no answer (empty: all have)."""

    part: tuple[int, int]
    tried: int
    passed: int
    upheld: int
    told: str
    unanswered: str


def work(ask: Ask, progress: Progress = silent) -> Worked:
    """Do part ``ask.shard`` of a job: propose, check and put to the jury; choose nothing.

    Raises InputError, OutputError, EngineError, and BudgetError when ``max_usd`` is reached.
    """
    ask.check()
    part = ask.shard or (1, 1)
    if ask.model == RULES and not ask.jury:
        raise InputError(
            "--shard shares out what models are asked, and rules ask none.", "Run it in one part."
        )
    check_plugins(ask)
    with RunFolder.open(ask.out, ask.claim()) as folder:
        job = Job(ask, folder, Purse(ask.max_usd), progress)
        maker, court = asyncio.run(_work(job, mine(prepare(ask, progress), part)))
        write.heard(folder, maker.pool, court)
        splits = [list(split) for split in ask.splits]  # In order: it decides where a row falls.
        asked = {**ask.asked(), "splits": splits}
        folder.write_json(MANIFEST, {"format": FORMAT, "asked": asked, "part": list(part)})
        unheld = maker.pool.unanswered + court.unanswered()
        told = ", ".join(f"{count:,} × {why}" for why, count in unheld.most_common(3))
        return Worked(
            part,
            tried=maker.pool.tried,
            passed=len(maker.pool.passed),
            upheld=_standing(maker, court),
            told=job.purse.told(),
            unanswered=f"{unheld.total():,} requests got no answer ({told})." if told else "",
        )


def mine(found: Prepared, part: tuple[int, int]) -> Prepared:
    """The items of one part, told by a hash of their id; the others are booked as another part's."""
    number, parts = part

    def is_mine(item: Item) -> bool:
        return int(digest("shard", item.id)[:12], 16) % parts == number - 1

    items = chain((one.item for one in found.statements), (item for item, _ in found.unanchored))
    others = [
        Rejected(item.source_ds, item.id, "part", "in another part")
        for item in items
        if not is_mine(item)
    ]
    entered = len(found.statements) + len(found.unanchored)
    found.ledger.close("part", entered, entered - len(others), others)
    return replace(
        found,
        statements=Shelf(one for one in found.statements if is_mine(one.item)),
        unanchored=Shelf(one for one in found.unanchored if is_mine(one[0])),
    )


async def _work(job: Job, found: Prepared) -> tuple[Proposer, Court]:
    async with opened(job) as pen, Court(job) as court:
        prepared = await anchored(job, pen, found)
        wanted = prepared.wanted(_share(job.ask))
        maker = proposer(job, pen, prepared, wanted)
        target = wanted
        try:
            while True:
                await maker.grow(target)
                await court.hear(maker.pool.read(chain.from_iterable(maker.pool.passed.values())))
                lacking = wanted - _standing(maker, court)
                if lacking <= 0 or maker.exhausted:
                    return maker, court
                target = len(maker.pool.passed) + lacking
        finally:
            tried = {"tried": maker.pool.tried, "passed": len(maker.pool.passed)}
            job.folder.write_json(FILE, job.purse.json() | tried)


def _share(ask: Ask) -> int | None:
    """Pairs that a part has to have, rounded up; None: all that can be had."""
    _, parts = ask.shard or (1, 1)
    return None if ask.accept is None else -(-ask.accept // parts)


def _standing(maker: Proposer, court: Court) -> int:
    pool = maker.pool
    return sum(bool(upheld(pool, lots, court)) for lots in pool.passed.values())


@dataclass(frozen=True, slots=True)
class Rest:
    """How the merge asks for what the parts lack."""

    engine: EngineOptions
    max_usd: float | None = None
    retries: int = 6


def merge(parts: Sequence[Path], out: Path, rest: Rest, progress: Progress = silent) -> Outcome:
    """Put the parts of one job together; the same bytes as the job in one.

    Raises InputError for a folder that is no part, a part of another job, twice or missing; else as
    :func:`halubench.generate.flow.generate`.
    """
    ask = _whole(parts, out, rest)
    with RunFolder.open(ask.out, ask.claim()) as folder:
        for part in parts:
            folder.journal.absorb(part / "journal.sqlite")
    return generate(ask, progress)


def _whole(parts: Sequence[Path], out: Path, rest: Rest) -> Ask:
    found = [(path, _read(path)) for path in parts]
    path, first = found[0]
    known: dict[int, Path] = {}
    for other, told in found:
        if (told["asked"], told["part"][1]) != (first["asked"], first["part"][1]):
            raise InputError(f"{other} and {path} are parts of different jobs.", _SAME)
        if told["part"][0] in known:
            twice = known[told["part"][0]]
            raise InputError(f"{other} and {twice} are the same part.", "Name each part once.")
        known[told["part"][0]] = other
    missing = sorted(set(range(1, first["part"][1] + 1)) - set(known))
    if missing:
        listed = ", ".join(f"{number}/{first['part'][1]}" for number in missing)
        raise InputError(f"The parts {listed} are not among those named.", "Name all parts.")
    return _ask(first["asked"], out, rest)


_SAME = "Merge folders of the same command that differ in --shard and --out alone."


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads((path / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        told = {}
    if told.get("format") != FORMAT:
        raise InputError(f"{path} is no finished part of a job.", "Run halubench generate --shard.")
    return dict(told)


def _ask(asked: dict[str, Any], out: Path, rest: Rest) -> Ask:
    given: dict[str, Any] = {**asked}
    given |= {name: tuple(asked[name]) for name in ("sources", "jury", "exclude")}
    given["splits"] = tuple((str(name), float(share)) for name, share in asked["splits"])
    return Ask(
        **given,
        out=out,
        max_usd=rest.max_usd,
        retries=rest.retries,
        engine=rest.engine,
    )
