"""What engines that hold the weights in this process share: their name, their thread, their order."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl

import yaml

from halubench.errors import EngineError, InputError
from halubench.models.base import CallFailure, Completion, Prices, Ruler, caveats

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from halubench.models.base import EngineOptions, Request
    from halubench.records import Json
    from halubench.run import Journal

Part: TypeAlias = "Sequence[tuple[list[int], Request]]"
"""Requests with their tokens."""
OVERFLOW = "context overflow"


class LocalModel:
    """Weights of a Hub repository or a folder, asked from one thread, a part of the rows at a time.

    ``SPEC`` is ``REPO_OR_DIR`` or ``REPO_OR_DIR?NAME=VALUE&...``; what is named goes to the
    library as it is. Requests are run in the order of their texts, so that equal beginnings
    (a shared passage) stand together.
    """

    scheme: str
    part: int
    """Requests that are answered, and then journalled, together."""
    group = 4096

    def __init__(self, spec: str, options: EngineOptions) -> None:
        """Raises InputError for a spec that names no model."""
        self.name, _, query = spec.partition("?")
        if not self.name:
            what = f"{self.scheme}:{spec} names no model."
            raise InputError(what, f"Write {self.scheme}:REPO_OR_DIR.")
        self.settings = _settings(query, f"{self.scheme}:{spec}")
        self.uri = f"{self.scheme}:{spec}"
        self.notes = caveats(self.name)
        self.part = 4 * options.window
        self._thread = ThreadPoolExecutor(1, self.scheme)
        self._opened = self._loaded = False

    def prices(self) -> Prices:
        """Nothing."""
        return Prices(0.0, 0.0)

    def identity(self) -> dict[str, Json]:
        """The weights (a folder's by its name and what is in it) and the settings."""
        model = _fingerprint(Path(self.name)) if Path(self.name).is_dir() else self.name
        return {"engine": self.scheme, "model": model, **self.settings}

    async def measure(self) -> Ruler:
        """The model's context, and its own tokenizer."""

        async def count(text: str) -> int:
            return int(await self.in_thread(self.count, text))

        return Ruler(await self.in_thread(self.context), count)

    async def complete_many(
        self,
        asked: Mapping[str, Request],
        journal: Journal,  # noqa: ARG002
        retries: int,  # noqa: ARG002
    ) -> AsyncGenerator[tuple[str, Completion | CallFailure]]:
        """Answer part after part; there is nothing to retry."""
        order = sorted(asked.items(), key=lambda pair: pair[1].messages)
        for start in range(0, len(order), self.part):
            part = order[start : start + self.part]
            outcomes = await self.in_thread(self.outcomes, [request for _, request in part])
            for (key, _), outcome in zip(part, outcomes, strict=True):
                yield key, outcome

    async def aclose(self) -> None:
        """Wait for the part in work, and free the memory."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)
        self.unload()

    def open(self) -> None:
        """Read configuration and tokenizer, which is all that a run with nothing left to ask
        needs. Raises EngineError, MissingExtraError."""
        raise NotImplementedError

    def load(self) -> None:
        """Load the weights. Raises EngineError."""
        raise NotImplementedError

    def unload(self) -> None:
        """Let the weights go."""

    def context(self) -> int:
        """The most tokens of prompt and answer together."""
        raise NotImplementedError

    def tokens(self, request: Request) -> list[int]:
        """The prompt's tokens, by the model's own chat template."""
        raise NotImplementedError

    def count(self, text: str) -> int:
        """The tokens of a text without any template."""
        raise NotImplementedError

    def run(self, part: Part) -> list[Completion]:
        """Answer requests that fit the context, in their order."""
        raise NotImplementedError

    def outcomes(self, requests: Sequence[Request]) -> list[Completion | CallFailure]:
        """Answer requests in the order given, in the engine's thread."""
        encoded = [(self.tokens(request), request) for request in requests]
        fitting = [pair for pair in encoded if len(pair[0]) < self.context()]
        if fitting and not self._loaded:
            self.load()
            self._loaded = True
        answers = iter(self.run(fitting) if fitting else [])
        return [
            next(answers) if len(tokens) < self.context() else CallFailure(OVERFLOW, 1)
            for tokens, _ in encoded
        ]

    async def in_thread(self, work: Any, *args: Any) -> Any:  # noqa: ANN401
        """Do a piece of work in the engine's thread, the tokenizer being read."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work, *args)

    def _do(self, work: Any, *args: Any) -> Any:  # noqa: ANN401
        if not self._opened:
            self.open()
            self._opened = True
        return work(*args)


def _settings(query: str, uri: str) -> dict[str, Any]:
    """``NAME=VALUE&...`` with values as YAML reads them. Raises InputError."""
    try:
        pairs = parse_qsl(query, strict_parsing=bool(query))
        return {name: yaml.safe_load(value) for name, value in pairs}
    except (ValueError, yaml.YAMLError):
        what = f"The settings of {uri} cannot be read."
        raise InputError(what, "Write REPO_OR_DIR?NAME=VALUE&NAME=VALUE.") from None


def chat_tokens(tokenizer: Any, request: Request, name: str) -> list[int]:  # noqa: ANN401
    """The tokens of a request by a transformers tokenizer. Raises EngineError: no template."""
    messages = [{"role": role, "content": text} for role, text in request.messages]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except ValueError:
        raise EngineError(
            f"{name} has no chat template.", "Name a model that was tuned for instructions."
        ) from None
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def likeliest(pairs: Sequence[tuple[str, float]], most: int) -> tuple[tuple[str, float], ...]:
    """The ``most`` likeliest of (token, natural log probability), likeliest first."""
    return tuple(sorted(pairs, key=lambda pair: -pair[1])[:most])


def _fingerprint(folder: Path) -> str:
    """A folder's name with a digest of its files' names and sizes, and of its configuration."""
    files = sorted((path.name, path.stat().st_size) for path in folder.iterdir() if path.is_file())
    config = folder / "config.json"
    known = repr(files).encode() + (config.read_bytes() if config.is_file() else b"")
    return f"{folder.resolve().name}#{sha256(known).hexdigest()[:12]}"
