"""What an engine is: the contract between those who ask a model and those who serve it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from halubench.errors import InputError
from halubench.run import canonical

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping

    from halubench.records import Json
    from halubench.run import Journal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sampling:
    """Decoding, always sent explicitly: some models sample unless told not to."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 600
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One chat request. ``schema`` asks for JSON of that shape; ``sample`` tells repeats apart."""

    messages: tuple[tuple[str, str], ...]
    """(role, content) pairs."""
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Json] | None = None
    top_logprobs: int = 0
    sample: int = 0


def size(request: Request) -> int:
    """Characters of a request: its messages and its schema."""
    told = sum(len(text) for _, text in request.messages)
    return told + (len(canonical(request.schema)) if request.schema else 0)


@dataclass(frozen=True, slots=True)
class Quota:
    """What an endpoint says of its limits: requests and tokens a minute."""

    rpm: float | None = None
    tpm: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer. ``latency_s`` counts the last attempt only; ``cached``: it came from the journal."""

    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_logprobs: tuple[tuple[str, float], ...] = ()
    """(token, natural log probability) of the likeliest first tokens, where asked and given."""
    cost_usd: float | None = None
    latency_s: float = 0.0
    attempts: int = 1
    cached: bool = False
    body: str = ""
    """The response as received, where the engine has one: a later reader re-pays nothing."""
    quota: Quota | None = None
    """What the endpoint said of its limits beside the answer; not journalled."""


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A request that got no usable answer within its retries. It is not journalled: a later run
    asks again."""

    reason: str
    attempts: int


class RetryableError(Exception):
    """Raised by an engine for a passing fault (429, 5xx, time-out, cut connection, broken body)."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s


class ThrottledError(RetryableError):
    """The endpoint asks to be asked less (429, or 5xx with a time to wait): the pace slows down."""


class UnreachableError(RetryableError):
    """The endpoint could not be connected to, or sent nothing within the time-out."""


class RefusedError(Exception):
    """Raised by an engine for a request that no retry can save (context overflow, refused content).

    The request becomes a :class:`CallFailure`; the job goes on.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens."""

    tokens_in: float
    tokens_out: float

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """US dollars of one answer."""
        return (prompt_tokens * self.tokens_in + completion_tokens * self.tokens_out) / 1e6


def batches(
    inputs: Iterable[T], length: Callable[[T], int], tokens: int, rows: float = math.inf
) -> Iterator[list[T]]:
    """Inputs that stand in order of their length, as many together as ``tokens`` allow once each is
    padded to the last, and at most ``rows``. One that is longer stands alone."""
    batch: list[T] = []
    for one in inputs:
        if batch and (len(batch) == rows or length(one) * (len(batch) + 1) > tokens):
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


_TINY = re.compile(r"smollm2(?!.*(?:360m|1\.7b))", re.IGNORECASE)


def caveats(model: str) -> list[str]:
    """What is to be said with every figure of a model of that name, for an engine's first notes.

    SmolLM2 is taken for the 135M one unless its name says another size.
    """
    if _TINY.search(model):
        return ["SmolLM2-135M judges at chance: it proves the plumbing, never quality."]
    return []


class Model(Protocol):
    """An engine: a :class:`ChatModel` or a :class:`BulkModel`.

    A module in ``halubench/models`` (or a user's ``models/`` folder, or an entry point in
    ``halubench.models``) offers ``open_model(spec: str, options: EngineOptions) -> Model``; its
    file name is the URI scheme and ``spec`` what follows the colon.
    """

    uri: str
    notes: list[str]
    """What the endpoint did not do as asked (no logprobs, no schema ...), each said once."""

    def prices(self) -> Prices | None:
        """What a token costs (zero for local engines); None where that is unknown."""
        ...

    def identity(self) -> dict[str, Json]:
        """What, besides the request, decides the answer (endpoint, model name): a journal key part.

        Never holds a secret.
        """
        ...

    async def aclose(self) -> None:
        """Release connections and memory."""
        ...


class ChatModel(Model, Protocol):
    """An engine that answers one request at a time; the scheduler runs many of them."""

    async def complete(self, request: Request) -> Completion:
        """Answer one request.

        Raises RetryableError (asked again), RefusedError (this request fails) or EngineError (the
        job stops). Bounds itself by ``EngineOptions.timeout_s``.
        """
        ...


@runtime_checkable
class BulkModel(Model, Protocol):
    """An engine that is given many requests together and has its own way to run them."""

    group: int
    """How many requests it wants together, at most."""

    def complete_many(
        self, asked: Mapping[str, Request], journal: Journal, retries: int
    ) -> AsyncGenerator[tuple[str, Completion | CallFailure]]:
        """Answer requests by their journal keys, each once, in any order.

        Every answer is journalled as soon as it is yielded; ``journal`` is for what the engine
        itself must remember (:meth:`halubench.run.Journal.note`). ``retries`` bounds further
        attempts after passing faults. Raises EngineError when the job cannot go on.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ruler:
    """What an engine knows of lengths: ``context``, the most tokens of prompt and answer together,
    and ``count``, the tokens of a text as its model cuts them (None: it cannot tell)."""

    context: int | None = None
    count: Callable[[str], Awaitable[int | None]] | None = None


@runtime_checkable
class MeasuringModel(Model, Protocol):
    """An engine that can tell its model's context and count its tokens."""

    async def measure(self) -> Ruler:
        """What is known; never raises for an endpoint that does not tell."""
        ...


def _silent(_: str) -> None:
    """For those who do not watch."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a user may set of an engine. Prices in US dollars per million tokens; ``rpm`` and
    ``tpm``: requests and tokens a minute (None: as the endpoint's headers say)."""

    timeout_s: float = 120.0
    window: int = 64
    price_in: float | None = None
    price_out: float | None = None
    rpm: float | None = None
    tpm: float | None = None
    tell: Callable[[str], None] = _silent
    """Is told, by engines that work for hours on one group of requests, how that goes."""

    def __post_init__(self) -> None:
        """Raise InputError for what cannot be meant; a NaN is not positive."""
        if not self.timeout_s > 0:
            raise InputError(f"A --timeout of {self.timeout_s:g} s is none.", "Use 1 or more.")
        if self.window < 1:
            raise InputError(f"A --window of {self.window} asks for nothing.", "Use 1 or more.")
        for price in (self.price_in, self.price_out):
            if price is not None and not price >= 0:
                what = f"A price of {price:g} US dollars is none."
                raise InputError(what, "Give --price-in and --price-out of 0 or more.")
        if (self.price_in is None) != (self.price_out is None):
            raise InputError("One price alone tells no cost.", "Give --price-in and --price-out.")
        for rate, name in ((self.rpm, "--rpm"), (self.tpm, "--tpm")):
            if rate is not None and not rate > 0:
                raise InputError(f"A {name} of {rate:g} a minute is none.", "Use more than 0.")

    def prices(self) -> Prices | None:
        """Both prices, or None where either is unknown."""
        if self.price_in is None or self.price_out is None:
            return None
        return Prices(self.price_in, self.price_out)
