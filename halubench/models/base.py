"""What an engine is: the contract between those who ask a model and those who serve it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.records import Json


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


class Model(Protocol):
    """An engine that answers one request at a time; the scheduler runs many of them.

    A module in ``halubench/models`` (or a user's ``models/`` folder, or an entry point in
    ``halubench.models``) offers ``open_model(spec: str, options: EngineOptions) -> Model``; its
    file name is the URI scheme and ``spec`` what follows the colon.
    """

    uri: str

    def identity(self) -> dict[str, Json]:
        """What, besides the request, decides the answer (endpoint, model name): a journal key part.

        Never holds a secret.
        """
        ...

    async def complete(self, request: Request) -> Completion:
        """Answer one request. Raises RetryableError (asked again) or EngineError (the job stops)."""
        ...

    async def aclose(self) -> None:
        """Release connections and memory."""
        ...


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What a user may set of an engine. Prices in US dollars per million tokens."""

    timeout_s: float = 120.0
    window: int = 64
    price_in: float | None = None
    price_out: float | None = None
