"""What a run would read, ask and cost, before it does. Spends nothing and writes nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from halubench import content
from halubench.errors import HalubenchError
from halubench.generate.anchor import PROMPT
from halubench.generate.ask import RULES, Ask, Progress, silent
from halubench.generate.flow import PER_PAIR, prepare
from halubench.generate.measured import Measured
from halubench.generate.pen import order
from halubench.judges import is_module
from halubench.models import open_model
from halubench.models.base import size
from halubench.perturb import anchored, prompted
from halubench.perturb.definitions import for_model
from halubench.prompt import load_prompt
from halubench.records import Row
from halubench.verify import juror
from halubench.verify.jury import check_jury

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halubench.generate.job import Prepared
    from halubench.generate.spend import Stage
    from halubench.models.base import Prices
    from halubench.perturb.base import Statement
    from halubench.records import Item
    from halubench.sources import SourceRead

CHARS_PER_TOKEN = 4
"""A rule of thumb for English (https://platform.openai.com/tokenizer)."""
PER_PAIR_EXPECTED = 1.5
VOTES_EXPECTED = 2.5
"""Votes a juror casts for each pair wanted: two, and some more on what is split or replaced."""
PASSES = 2
_SAMPLE = 200
T = TypeVar("T")
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
    measured: bool = False
    """Whether tokens are those that an earlier run of the same folder used a character and call."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``supported``: of how many items code sees that their passage supports them, and of how many.
    ``types`` counts the statements that offer a span for each perturbation."""

    reads: list[SourceRead]
    supported: tuple[int, int]
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

    Low: every candidate is accepted. Expected: as many as were in an earlier run into ``ask.out``,
    whose tokens are then the measure as well; without one, two of three. High: the ceiling on
    candidates is reached and every answer is as long as it may be. Raises InputError as the run
    would.
    """
    ask.check()
    check_jury(ask.jury, ask.model)
    prepared = prepare(ask, progress)
    statements, wanted = prepared.statements, prepared.wanted(ask.accept)
    lines = list(_lines(ask, prepared))
    supported = len(statements), prepared.ledger.left()
    return Plan(prepared.reads, supported, wanted, _types(ask, statements), lines)


def _types(ask: Ask, statements: Sequence[Statement]) -> dict[str, int]:
    known = for_model(read=bool(ask.jury)).values()
    found = Counter(name for one in statements for name in prompted.legal(one, known))
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _lines(ask: Ask, prepared: Prepared) -> Iterator[Line]:
    before = Measured.read(ask)
    statements, wanted = prepared.statements, prepared.wanted(ask.accept)
    if ask.anchor == "model":
        unanchored = [item for item, _ in prepared.unanchored]
        yield _line(ask, "anchor", ask.model, _anchors(ask, unanchored), before)
    if ask.model != RULES:
        yield _line(ask, "perturb", ask.model, _edits(ask, statements, wanted, before), before)
    for uri in ask.jury:
        yield _line(ask, "jury", uri, _votes(ask, uri, prepared, before), before)


@dataclass(frozen=True, slots=True)
class Load:
    """Requests of one stage: their number, the mean characters of one, the tokens of one answer."""

    calls: Range
    chars: float
    answer: Range


def _anchors(ask: Ask, items: Sequence[Item]) -> Load:
    prompt = load_prompt("anchor", PROMPT)
    sizes = [size(anchored.request(item, prompt, ask.seed)) for item in _some(items)]
    calls = float(len(items))
    return Load((calls, calls, calls), _mean(sizes), (40, 80, anchored.MAX_TOKENS))


def _edits(ask: Ask, statements: Sequence[Statement], wanted: int, before: Measured) -> Load:
    ceiling = ask.max_candidates or PER_PAIR * wanted
    most = min(ceiling, len(statements) * len(prompted.TEMPERATURES))
    expected = before.calls(wanted, len(statements)) or PER_PAIR_EXPECTED * wanted
    calls = (min(wanted, most), min(expected, most), most)
    chars = _mean([_prompt_chars(ask, one) for one in _some(statements)])
    return Load(calls, chars, (60, 80, prompted.MAX_TOKENS))


def _prompt_chars(ask: Ask, statement: Statement) -> int:
    known = for_model(read=bool(ask.jury))
    names = order(statement, known, ask.seed)
    if not names:
        return 0
    sites = prompted.legal(statement, [known[names[0]]])[names[0]]
    task = prompted.Task(statement, known[names[0]], sites)
    manner = prompted.Manner(ask.seed, ask.temperature)
    return size(prompted.request(task, load_prompt("perturb", ask.prompt), manner))


def _votes(ask: Ask, uri: str, prepared: Prepared, before: Measured) -> Load:
    statements, wanted = prepared.statements, prepared.wanted(ask.accept)
    most = 2 * len(statements) * PASSES
    expected = before.votes(wanted, len(statements), len(ask.jury)) or VOTES_EXPECTED * wanted
    calls = (2 * wanted, min(expected, most), most)
    if is_module(uri):
        return Load(calls, 0.0, (0, 0, 0))
    rows = [
        Row("", one.item.passage, one.item.question, one.text, one.item.source_ds)
        for one in _some(statements)
    ]
    sizes = [size(juror.ask(prompt, row)) for prompt in juror.wordings() for row in rows]
    return Load(calls, _mean(sizes), (60, 100, juror.MAX_TOKENS))


def _some(found: Sequence[T]) -> Sequence[T]:
    return found[:: max(1, len(found) // _SAMPLE)]


def _mean(numbers: Sequence[int]) -> float:
    seen = [number for number in numbers if number]
    return fmean(seen) if seen else 0.0


def _line(ask: Ask, stage: Stage, uri: str, load: Load, before: Measured) -> Line:
    ratio = before.tokens_per_char(stage) or 1 / CHARS_PER_TOKEN
    answer = before.answer(stage)
    answers = load.answer if answer is None else (answer, answer, max(answer, load.answer[2]))
    size = load.chars * ratio
    into = _times(load.calls, (size, size, size))
    out = _times(load.calls, answers)
    prices = asyncio.run(_prices(ask, uri))
    usd = None
    if prices is not None:
        low, expected, high = (
            prices.cost(round(a), round(b)) for a, b in zip(into, out, strict=True)
        )
        usd = (low, expected, high)
    return Line(stage, uri, load.calls, into, out, usd, measured=answer is not None)


def _times(one: Range, other: Range) -> Range:
    return one[0] * other[0], one[1] * other[1], one[2] * other[2]


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
