"""``openai:NAME`` and ``openai:NAME@http://127.0.0.1:8000/v1``: any OpenAI-compatible endpoint.

Address, key and organisation are read as the ``openai`` package reads them (``OPENAI_API_KEY``,
``OPENAI_BASE_URL``, ``OPENAI_ORG_ID``); the request itself is one POST by aiohttp, which costs an
eighth of the package's processor time a row.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import TYPE_CHECKING, NoReturn

import aiohttp
from yarl import URL

from halubench.errors import EngineError, InputError
from halubench.models._chat import Dialect, complaint_of, is_overflow, read_reply, shortfalls
from halubench.models.base import RefusedError, RetryableError, UnreachableError, caveats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.models.base import Completion, EngineOptions, Model, Prices, Request
    from halubench.records import Json

NO_KEY = "not-needed"
"""What is sent as a key to an endpoint that was given none."""
SHORTEST_KEY = 8
"""Characters; what is shorter is a placeholder (x, EMPTY) that an answer may well hold."""
LARGEST_ANSWER = 8 * 2**20
"""Bytes of one answer; a longer one is refused."""
_PASSING = frozenset({408, 409, 425, 429})
_LESSONS = 6
"""Most refusals of a parameter that one request learns from."""


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of ``NAME`` or ``NAME@URL``. Raises InputError (address) or EngineError (no key)."""
    name, at, rest = spec.partition("@http")
    url = f"http{rest}" if at else ""
    if not name:
        raise InputError(f"openai:{spec} names no model.", "Write openai:NAME or openai:NAME@URL.")
    address, headers = _configuration(name, url)
    return OpenAIModel(name, address, headers, options)


def _configuration(name: str, url: str) -> tuple[str, dict[str, str]]:
    """The endpoint's address (no final slash) and the headers that hold key and organisation."""
    import openai

    given = url or os.environ.get("OPENAI_BASE_URL", "")
    key = os.environ.get("OPENAI_API_KEY") or (NO_KEY if given else "")
    if not key:
        raise EngineError(
            "OPENAI_API_KEY is not set.", f"Set it, or name an endpoint: openai:{name}@URL."
        )
    parsed = URL(given) if given else None
    if parsed is not None and (not parsed.host or parsed.user or parsed.query_string):
        raise InputError(
            f"The address of openai:{name} is not a plain http(s)://HOST/PATH.",
            "Leave out user, password and query; give a key in OPENAI_API_KEY.",
        )
    client = openai.AsyncOpenAI(api_key=key, base_url=given or None)
    own = {name: value for name, value in client.default_headers.items() if isinstance(value, str)}
    headers = {name: value for name, value in own.items() if name.startswith("OpenAI-")}
    return str(client.base_url).rstrip("/"), {**headers, **client.auth_headers}


class OpenAIModel:
    """One model at one endpoint; connections are kept open up to ``options.window``."""

    def __init__(
        self, name: str, address: str, headers: Mapping[str, str], options: EngineOptions
    ) -> None:
        self.uri = f"openai:{name}@{address}"
        self.notes = caveats(name)
        self._name = name
        self._address = address
        self._headers = {**headers, "Content-Type": "application/json"}
        self._options = options
        self._dialect = Dialect()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._checked = False

    def prices(self) -> Prices | None:
        """The prices given in the options."""
        return self._options.prices()

    def identity(self) -> dict[str, Json]:
        """Engine, model name and address."""
        return {"engine": "openai", "model": self._name, "endpoint": self._address}

    async def complete(self, request: Request) -> Completion:
        """Answer one request, learning once from an endpoint that refuses a parameter."""
        for _ in range(_LESSONS):
            dialect = self._dialect
            start = perf_counter()
            status, body, headers = await self._post(dialect.body(self._name, request))
            if status == 200:
                completion = read_reply(body, self.prices())
                self._check(request, completion)
                return replace(completion, latency_s=perf_counter() - start)
            complaint = complaint_of(body)
            if status not in {400, 422} or is_overflow(complaint.lower()):
                self._refuse(status, complaint, headers)
            self._learn(dialect, complaint)
        raise RefusedError("the endpoint refuses every form of the request")

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: dict[str, Json]) -> tuple[int, str, Mapping[str, str]]:
        url = f"{self._address}/chat/completions"
        try:
            async with self._connected().post(
                url, data=json.dumps(body).encode(), headers=self._headers, allow_redirects=False
            ) as response:
                content = await _read(response)
                if response.status == 200 and "json" not in response.content_type:
                    raise RetryableError(f"the answer is {response.content_type}, not JSON")
                return response.status, self._hide(content), response.headers
        except TimeoutError:
            limit = f"{self._options.timeout_s:g} s"
            raise UnreachableError(f"no answer within {limit}") from None
        except aiohttp.ClientPayloadError:
            raise RetryableError("the connection was cut within the answer") from None
        except aiohttp.ClientError as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise UnreachableError(f"connection failed ({reason})") from None

    def _connected(self) -> aiohttp.ClientSession:
        """The session of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            limit = self._options.timeout_s
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.window),
                timeout=aiohttp.ClientTimeout(total=limit, sock_read=limit, sock_connect=limit),
            )
        return self._session

    def _refuse(self, status: int, complaint: str, headers: Mapping[str, str]) -> NoReturn:
        """Turn a status other than 200 into the error that says what to do about it."""
        if status in {401, 403}:
            raise EngineError(
                f"{self.uri} refuses the key (HTTP {status}).", "Check OPENAI_API_KEY."
            )
        if status == 404:
            raise EngineError(
                f"Model {self._name} is unknown at {self._address} (HTTP 404).",
                "Check the model's name and the address, which usually ends in /v1.",
            )
        if status == 429 and "insufficient_quota" in complaint:
            raise EngineError(f"The account at {self._address} has no quota left.", "Top it up.")
        if status in _PASSING or status >= 500:
            raise RetryableError(f"HTTP {status}", _retry_after(headers))
        if is_overflow(complaint.lower()) or status == 413:
            raise RefusedError("context overflow")
        if status in {400, 422}:
            raise RefusedError(f"refused (HTTP {status}): {complaint}")
        said = f": {complaint}" if complaint else ""
        raise EngineError(f"{self.uri} answers HTTP {status}{said}.", "Check the address.")

    def _learn(self, asked: Dialect, complaint: str) -> None:
        """Change how the endpoint is asked, once for all requests in flight."""
        learnt = asked.learn(complaint)
        if learnt is None:
            self._refuse(400, complaint, {})
        if self._dialect is asked:
            self._dialect, note = learnt
            self._note(note)

    def _check(self, request: Request, completion: Completion) -> None:
        if self._checked or completion.finish_reason != "stop":
            return
        self._checked = True
        for shortfall in shortfalls(request, completion):
            self._note(shortfall)

    def _note(self, text: str) -> None:
        if text:
            self.notes.append(f"{self.uri} {text}.")

    def _hide(self, text: str) -> str:
        """The text without the key, which some endpoints echo, and what is echoed is kept."""
        key = self._headers.get("Authorization", "").removeprefix("Bearer ")
        return text.replace(key, "***") if len(key) >= SHORTEST_KEY and key != NO_KEY else text


async def _read(response: aiohttp.ClientResponse) -> str:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > LARGEST_ANSWER:
            response.close()
            raise RefusedError(f"the answer is longer than {LARGEST_ANSWER >> 20} MB")
    return content.decode("utf-8", "replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from a Retry-After of seconds or of an HTTP date (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
