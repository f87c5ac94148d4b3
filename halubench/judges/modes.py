"""How a model is asked to judge: with its reasons, for one word, or several times.

``reason`` asks for JSON of REASONING and SCORE, as the Lynx paper does (Ravi et al. 2024, arXiv
2407.08488). ``direct`` asks for one word and reads P(FAIL) off the first token. ``vote`` samples
``reason`` several times (self-consistency, Wang et al. 2022, arXiv 2203.11171).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from halubench.errors import InputError
from halubench.judges.parse import parse_verdict_text
from halubench.models.base import Request, Sampling
from halubench.records import Unscored, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halubench.models.base import Completion
    from halubench.records import Json

    Messages = tuple[tuple[str, str], ...]

ModeName = Literal["reason", "direct", "vote"]
MODES: tuple[ModeName, ...] = get_args(ModeName)
NO_WORD = "neither PASS nor FAIL among the likeliest first tokens"

GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=600)
"""As in the Lynx paper, and always sent: the released 70B samples unless told not to."""
WORD = replace(GREEDY, max_tokens=4)
"""Enough to spell PASS or FAIL in any tokenizer; a model that obeys stops by itself."""
TOP_LOGPROBS = 20
"""The most that OpenAI gives, and vLLM by default."""

SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "properties": {
        "REASONING": {
            "type": "array",
            "items": {"type": "string", "maxLength": 300},
            "maxItems": 6,
        },
        "SCORE": {"type": "string", "enum": ["PASS", "FAIL"]},
    },
    "required": ["REASONING", "SCORE"],
    "additionalProperties": False,
}
"""Bounded so that SCORE is reached within :data:`GREEDY`'s tokens."""

_TOKEN = re.compile(r"[^A-Za-z0-9]*([A-Za-z]+)[^A-Za-z0-9]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the answers of one prompt say; the fields are those of a Prediction."""

    verdict: Verdict
    p_fail: float | None = None
    reasoning: str = ""
    mass: float | None = None


@dataclass(frozen=True, slots=True)
class ModeOptions:
    """``samples`` and ``temperature`` are of ``vote`` alone."""

    name: ModeName = "reason"
    samples: int = 5
    temperature: float = 0.7

    def __post_init__(self) -> None:
        """Raise InputError for a vote that cannot be one."""
        if self.name not in MODES:
            known = ", ".join(MODES)
            raise InputError(f"There is no mode {self.name!r}.", f"Known: {known}.")
        if self.samples < 1 or not self.temperature > 0:
            raise InputError(
                f"{self.samples} samples at temperature {self.temperature:g} are no vote.",
                "Give --samples 1 or more and a --temperature above 0.",
            )


class Mode(Protocol):
    """A way to ask; ``prompt`` is the file of ``prompts/judge`` that goes with it."""

    prompt: str
    samples: int
    """Requests a prompt."""
    sampling: Sampling

    def requests(self, messages: Messages) -> list[Request]:
        """``samples`` requests for one rendered prompt."""
        ...

    def read(self, answers: Sequence[Completion]) -> Reading:
        """The verdict in the answers to :meth:`requests`, in their order."""
        ...


def open_mode(options: ModeOptions) -> Mode:
    """The mode of that name."""
    if options.name == "vote":
        return Vote(options.samples, options.temperature)
    return Direct() if options.name == "direct" else Reason()


class Reason:
    """One greedy answer in JSON; it gives no probability."""

    prompt = "lynx"
    samples = 1
    sampling = GREEDY

    def requests(self, messages: Messages) -> list[Request]:
        return [Request(messages, GREEDY, SCHEMA)]

    def read(self, answers: Sequence[Completion]) -> Reading:
        return _reason(answers[0])


class Direct:
    """One word, greedy. P(FAIL) is the first token's, as if the decoder were held to two words.

    Each likely first token that begins PASS or FAIL (in any case, after white space or quotes)
    counts for that word, since their first letters tell them apart; P(FAIL) is FAIL's share of
    what falls on the two, and ``mass`` is how much that is. A word that is not among the
    :data:`TOP_LOGPROBS` likeliest counts as none. Where an engine gives no probabilities the
    text is read instead.
    """

    prompt = "direct"
    samples = 1
    sampling = WORD

    def requests(self, messages: Messages) -> list[Request]:
        return [Request(messages, WORD, top_logprobs=TOP_LOGPROBS)]

    def read(self, answers: Sequence[Completion]) -> Reading:
        answer = answers[0]
        passing, failing = _masses(answer.first_logprobs)
        mass = passing + failing
        if mass > 0:
            p_fail = failing / mass
            return Reading(verdict_of(p_fail), p_fail, mass=min(mass, 1.0))
        read = _cut_off(parse_verdict_text(answer.text)[0], answer, WORD)
        if isinstance(read, Unscored) and answer.first_logprobs:
            return Reading(Unscored(NO_WORD), mass=0.0)
        return Reading(read)


class Vote:
    """Several sampled answers in JSON. P(FAIL) is the share of FAIL among those that could be
    read; the verdict is FAIL where that is more than half."""

    prompt = "lynx"

    def __init__(self, samples: int, temperature: float) -> None:
        self.samples = samples
        self.sampling = replace(GREEDY, temperature=temperature, seed=0)

    def requests(self, messages: Messages) -> list[Request]:
        return [Request(messages, self.sampling, SCHEMA, sample=i) for i in range(self.samples)]

    def read(self, answers: Sequence[Completion]) -> Reading:
        readings = [_reason(answer) for answer in answers]
        scored = [each for each in readings if not isinstance(each.verdict, Unscored)]
        if not scored:
            return readings[0]
        p_fail = sum(each.verdict == "FAIL" for each in scored) / len(scored)
        verdict = verdict_of(p_fail)
        reasoning = next(each.reasoning for each in scored if each.verdict == verdict)
        return Reading(verdict, p_fail, reasoning)


def verdict_of(p_fail: float, threshold: float = 0.5) -> Verdict:
    """FAIL above the threshold."""
    return "FAIL" if p_fail > threshold else "PASS"


def said(answers: Sequence[Completion]) -> str:
    """The text of an answer; of several, a JSON list of the texts."""
    texts = [answer.text for answer in answers]
    return texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False)


def _reason(answer: Completion) -> Reading:
    verdict, reasoning = parse_verdict_text(answer.text)
    return Reading(_cut_off(verdict, answer, GREEDY), reasoning=reasoning)


def _cut_off(verdict: Verdict, answer: Completion, sampling: Sampling) -> Verdict:
    if isinstance(verdict, Unscored) and answer.finish_reason == "length":
        return Unscored(f"{verdict.reason} (cut off at {sampling.max_tokens} tokens)")
    return verdict


def _masses(logprobs: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """What falls on PASS and on FAIL of the probabilities of the likeliest first tokens."""
    masses = {"PASS": 0.0, "FAIL": 0.0}
    for token, logprob in logprobs:
        found = _TOKEN.fullmatch(token)
        begun = found[1].upper() if found else ""
        for word in masses:
            if begun and word.startswith(begun):
                masses[word] += math.exp(logprob)
    return masses["PASS"], masses["FAIL"]
