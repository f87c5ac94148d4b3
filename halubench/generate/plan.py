"""What a run would read, ask and cost, before it does. Spends nothing and writes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from halubench import content
from halubench.errors import HalubenchError
from halubench.generate.ask import RULES, Ask, Progress, silent
from halubench.generate.flow import PER_PAIR, prepare
from halubench.models import open_model
from halubench.perturb import prompted
from halubench.perturb.definitions import load_all
from halubench.prompt import load_prompt
from halubench.verify.jury import check_jury

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halubench.generate.ledger import Ledger
    from halubench.models.base import Prices
    from halubench.perturb.base import Statement
    from halubench.sources import SourceRead

CHARS_PER_TOKEN = 4
"""A rule of thumb for English (https://platform.openai.com/tokenizer)."""
_SAMPLE = 50
_JUROR_PROMPT_TOKENS = 300
Range = tuple[float, float, float]
"""Low, expected, high."""


@dataclass(frozen=True, slots=True)
class Line:
    """The calls of one stage to one model; tokens in all, US dollars (None: price unknown)."""

    stage: str
    model: str
    calls: Range
    tokens_in: Range
    tokens_out: Range
    usd: Range | None


@dataclass(frozen=True, slots=True)
class Plan:
    """``types`` counts the statements that offer a span for each perturbation."""

    reads: list[SourceRead]
    ledger: Ledger
    wanted: int
    types: dict[str, int]
    lines: list[Line]

    def usd(self) -> Range | None:
        """The price of all stages together; None when one is unknown."""
        known = [line.usd for line in self.lines if line.usd is not None]
        if len(known) < len(self.lines):
            return None
        low, expected, high = (sum(usd[place] for usd in known) for place in range(3))
        return low, expected, high


def plan(ask: Ask, progress: Progress = silent) -> Plan:
    """The plan of a run.

    Low: every candidate is accepted. Expected: every second one is. High: the ceiling on candidates
    is reached and every answer is as long as it may be. Raises InputError as the run would.
    """
    ask.check()
    check_jury(ask.jury, ask.model)
    prepared = prepare(ask, progress)
    statements, wanted = prepared.statements, prepared.wanted(ask.accept)
    lines = [] if ask.model == RULES else [_edits(ask, statements, wanted)]
    lines += [_votes(ask, uri, statements, wanted) for uri in ask.jury]
    return Plan(prepared.reads, prepared.ledger, wanted, _types(statements), lines)


def _types(statements: Sequence[Statement]) -> dict[str, int]:
    known = load_all().values()
    found = Counter(name for one in statements for name in prompted.legal(one, known))
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _edits(ask: Ask, statements: Sequence[Statement], wanted: int) -> Line:
    ceiling = ask.max_candidates or PER_PAIR * wanted
    most = min(ceiling, len(statements) * len(prompted.TEMPERATURES))
    calls = (min(wanted, most), min(2 * wanted, most), most)
    size = _mean([_prompt_chars(ask, one) for one in _some(statements)]) / CHARS_PER_TOKEN
    return _line("perturb", ask, ask.model, calls, (size, (60, 80, prompted.MAX_TOKENS)))


def _prompt_chars(ask: Ask, statement: Statement) -> int:
    prompt = load_prompt("perturb", ask.prompt)
    for task in prompted.tasks(statement, load_all()):
        messages = prompted.request(task, prompt, ask.seed).messages
        return sum(len(text) for _, text in messages)
    return 0


def _votes(ask: Ask, uri: str, statements: Sequence[Statement], wanted: int) -> Line:
    calls = (2 * wanted, min(3 * wanted, 2 * len(statements)), 2 * len(statements))
    chars = [
        len(one.item.passage) + len(one.item.question) + len(one.text) for one in _some(statements)
    ]
    size = _mean(chars) / CHARS_PER_TOKEN + _JUROR_PROMPT_TOKENS
    return _line("jury", ask, uri, calls, (size, (100, 150, 600)))


def _some(statements: Sequence[Statement]) -> Sequence[Statement]:
    return statements[:: max(1, len(statements) // _SAMPLE)]


def _mean(numbers: Sequence[int]) -> float:
    seen = [number for number in numbers if number]
    return fmean(seen) if seen else 0.0


def _line(
    stage: str,
    ask: Ask,
    uri: str,
    calls: tuple[int, int, int],
    tokens: tuple[float, tuple[int, int, int]],
) -> Line:
    size, answers = tokens
    prices = asyncio.run(_prices(ask, uri))
    low, expected, high = (
        (count, count * size, count * answer) for count, answer in zip(calls, answers, strict=True)
    )
    by_field = list(zip(low, expected, high, strict=True))
    line = Line(stage, uri, by_field[0], by_field[1], by_field[2], None)
    if prices is None:
        return line
    usd = [prices.cost(round(into), round(out)) for _, into, out in (low, expected, high)]
    return replace(line, usd=(usd[0], usd[1], usd[2]))


async def _prices(ask: Ask, uri: str) -> Prices | None:
    content.module("models", uri.partition(":")[0])
    try:
        model = open_model(uri, ask.engine)
    except HalubenchError:  # A plan needs no key.
        return ask.engine.prices()
    try:
        return model.prices()
    finally:
        await model.aclose()
