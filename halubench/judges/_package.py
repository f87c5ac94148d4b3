"""What judges of other packages share: importing them late, and asking them row by row."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
from typing import TYPE_CHECKING, Any

from halubench.errors import InputError, MissingExtraError
from halubench.judges.modes import verdict_of
from halubench.records import ENDPOINT, Prediction, Unscored

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from halubench.models.base import EngineOptions
    from halubench.records import Overflow, Row

NO_KEY = "not-needed"
"""What is sent as a key to an endpoint that was given none."""


def package(name: str, remedy: str) -> Any:  # noqa: ANN401  (an optional package)
    """An optional package, or a module of one. Raises MissingExtraError."""
    outer = name.partition(".")[0]
    if importlib.util.find_spec(outer) is None or importlib.util.find_spec(name) is None:
        raise MissingExtraError(f"This judge needs the package {outer}.", remedy)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"{outer} is there and cannot be imported: {error}.", remedy
        ) from None


def endpoint(scheme: str, spec: str) -> tuple[str, str | None, str]:
    """(model, base URL or None, key) of ``MODEL`` or ``MODEL@URL``; the key is OPENAI_API_KEY.

    Raises InputError for no model, or no key where OpenAI itself is asked.
    """
    model, at, rest = spec.partition("@http")
    url = f"http{rest}" if at else os.environ.get("OPENAI_BASE_URL") or None
    key = os.environ.get("OPENAI_API_KEY") or (NO_KEY if url else "")
    if not model or not key:
        raise InputError(
            f"{scheme}:{spec} cannot be asked.",
            f"Write {scheme}:MODEL@URL, or {scheme}:MODEL with OPENAI_API_KEY set.",
        )
    return model, url, key


def scored(row: Row, p_fail: float, overflow: Overflow = "") -> Prediction:
    """What a model of this machine says of a row by its probability."""
    return Prediction(
        row.id, "", verdict_of(p_fail), p_fail, cost_usd=0.0, attempts=1, overflow=overflow
    )


class RowScorer:
    """Asks for each row at once, ``engine.window`` rows at a time.

    ``ask`` makes what scores one row, within the event loop of a batch; ``read`` makes a
    prediction of what it gave. What it raises makes the row unscored, and is asked again by a
    later run where an endpoint is to blame.
    """

    def __init__(
        self,
        ask: Callable[[], Callable[[Row], Awaitable[Any]]],
        read: Callable[[Row, Any], Prediction],
        engine: EngineOptions,
    ) -> None:
        self.batch = engine.window
        self._ask = ask
        self._read = read
        self._timeout = engine.timeout_s

    def check(self, rows: Sequence[Row]) -> None:
        """These judges cut no passage: what is too long for their model, their endpoint refuses."""

    def score(self, rows: Sequence[Row]) -> list[Prediction]:
        return asyncio.run(self._all(rows))

    async def _all(self, rows: Sequence[Row]) -> list[Prediction]:
        ask = self._ask()
        asked = (asyncio.wait_for(ask(row), self._timeout) for row in rows)
        found = await asyncio.gather(*asked, return_exceptions=True)
        return [
            self._failed(row, result)
            if isinstance(result, BaseException)
            else self._read(row, result)
            for row, result in zip(rows, found, strict=True)
        ]

    def _failed(self, row: Row, error: BaseException) -> Prediction:
        if not isinstance(error, Exception):
            raise error
        said = " ".join(str(error).split())[:120]
        reason = f"{type(error).__name__}: {said}" if said else type(error).__name__
        blamed = ENDPOINT if _is_of_endpoint(error) else ""
        return Prediction(row.id, "", Unscored(blamed + reason), attempts=1)


def _is_of_endpoint(error: BaseException | None) -> bool:
    """Whether a time-out, or an error of the openai package, is at the bottom of it."""
    openai = importlib.import_module("openai")
    while error is not None:
        if isinstance(error, openai.APIError | TimeoutError):
            return True
        error = error.__cause__ or error.__context__
    return False
