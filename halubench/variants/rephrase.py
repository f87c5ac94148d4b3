"""The question in other words, by the model that ``--rephraser`` names.

Code accepts the model's question only where it has the numbers and the negation of the old one.
Every question is asked once, whatever the number of rows and judges; the answers are kept in a run
folder of their own, whose ``questions.json`` shows old and new.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from halubench.errors import InputError
from halubench.models import open_model
from halubench.models.base import CallFailure, Completion, Request, Sampling
from halubench.models.scheduler import Limits, complete_all
from halubench.prompt import load_prompt
from halubench.records import ENDPOINT
from halubench.run import RunFolder
from halubench.text import digest, normalise, squeeze, words
from halubench.variants.base import Unvaried

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from halubench.prompt import Prompt
    from halubench.records import Json, Row
    from halubench.variants.base import VariantOptions, Varied

    _Answers = AsyncGenerator[tuple[str, Completion | CallFailure], None]

SAMPLING = Sampling(max_tokens=200)
TELL_S = 10.0
SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {"question": {"type": "string"}},
    "required": ["question"],
    "additionalProperties": False,
}
_NEGATION = re.compile(r"\b(?:not|no|never|neither|nor|without|except)\b|n['’]t\b", re.IGNORECASE)


def vary(rows: Sequence[Row], options: VariantOptions) -> list[Varied]:
    """Raises InputError (no model named), EngineError, BudgetError, OutputError."""
    if not options.rephraser:
        raise InputError(
            "The variant 'rephrase' needs a model.", "Name it with --rephraser, as for --model."
        )
    prompt = load_prompt("rephrase", "question")
    questions = list(dict.fromkeys(row.question for row in rows))
    ask: dict[str, Json] = {
        "command": "rephrase", "model": options.rephraser, "prompt": prompt.hash,
    }  # fmt: skip
    path = options.out / f"rephrase-{digest(options.rephraser, prompt.hash)[:8]}"
    with RunFolder.open(path, ask) as folder:
        said = asyncio.run(_asked(questions, prompt, folder, options))
        new = {old: text for old, text in said.items() if isinstance(text, str)}
        folder.write_json("questions.json", new)
    return [_row(row, said[row.question]) for row in rows]


def _row(row: Row, said: str | Unvaried) -> Varied:
    return said if isinstance(said, Unvaried) else replace(row, question=said)


async def _asked(
    questions: Sequence[str], prompt: Prompt, folder: RunFolder, options: VariantOptions
) -> dict[str, str | Unvaried]:
    model = open_model(options.rephraser, options.engine)
    limits = Limits.of(options.engine, options.retries, options.max_usd)
    requests = (
        (question, Request(prompt.messages(question=question), SAMPLING, SCHEMA))
        for question in questions
    )
    try:
        answers = complete_all(model, requests, folder.journal, limits)
        async with aclosing(cast("_Answers", answers)) as answers:
            return await _told(answers, len(questions), options)
    finally:
        await model.aclose()


async def _told(
    answers: _Answers, total: int, options: VariantOptions
) -> dict[str, str | Unvaried]:
    """What was answered, by question; says every TELL_S seconds how far that is."""
    read: dict[str, str | Unvaried] = {}
    start = last = time.monotonic()
    async for question, said in answers:
        read[question] = _read(question, said)
        now = time.monotonic()
        if now - last >= TELL_S:
            left = (now - start) / len(read) * (total - len(read))
            options.engine.tell(f"Rephrased {len(read)} of {total} questions, {left:.0f} s to go")
            last = now
    return read


def _read(question: str, said: Completion | CallFailure) -> str | Unvaried:
    if isinstance(said, CallFailure):
        return Unvaried(ENDPOINT + said.reason)
    try:
        found, _ = json.JSONDecoder().raw_decode(said.text, max(said.text.find("{"), 0))
    except json.JSONDecodeError:
        return Unvaried("the reply is not JSON")
    new = found.get("question") if isinstance(found, dict) else None
    if not isinstance(new, str) or not words(new):
        return Unvaried("the reply has no question")
    return _unlike(question, new) or squeeze(new)


def _unlike(old: str, new: str) -> Unvaried | None:
    """Why the new question may ask for something else, as far as code can tell."""
    if normalise(old) == normalise(new):
        return Unvaried("the reply has the same words")
    if _numbers(old) != _numbers(new):
        return Unvaried("the reply has other numbers")
    if bool(_NEGATION.search(old)) != bool(_NEGATION.search(new)):
        return Unvaried("the reply turns the question round")
    return None


def _numbers(text: str) -> Counter[str]:
    return Counter(word for word in words(text) if word[0].isdigit())
