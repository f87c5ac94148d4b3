"""``openai:NAME`` and ``openai:NAME@http://127.0.0.1:8000/v1``: any OpenAI-compatible endpoint.

Address, key, organisation and project are those that the ``openai`` package reads in
``OPENAI_API_KEY``, ``OPENAI_BASE_URL``, ``OPENAI_ORG_ID`` and ``OPENAI_PROJECT_ID``; the request
itself is one POST by aiohttp, which costs an eighth of the package's processor time a row.
"""

from __future__ import annotations

import asyncio
import math
import os
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import perf_counter
from typing import TYPE_CHECKING, NoReturn
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from halubench.errors import EngineError, InputError
from halubench.models._chat import Dialect, complaint_of, is_overflow, keeps_form, read_reply
from halubench.models._measure import server_ruler
from halubench.models.base import (
    Quota,
    RefusedError,
    RetryableError,
    ThrottledError,
    UnreachableError,
    caveats,
)
from halubench.run import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halubench.models.base import Completion, EngineOptions, Model, Prices, Request, Ruler
    from halubench.records import Json

NO_KEY = "not-needed"
"""What is sent as a key to an endpoint that was given none."""
SHORTEST_KEY = 8
"""Characters; what is shorter is a placeholder (x, EMPTY) that an answer may well hold."""
LARGEST_ANSWER = 8 * 2**20
"""Bytes of one answer; a longer one is refused."""
_OPENAI = "https://api.openai.com/v1"
_HEADERS = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
_PASSING = frozenset({408, 409, 425, 429})
_THROTTLING = frozenset({429, 529})
_LESSONS = 8
"""Most refusals of a parameter that one request learns from."""


def open_model(spec: str, options: EngineOptions) -> Model:
    """The engine of ``NAME`` or ``NAME@URL``. Raises InputError (address) or EngineError (no key)."""
    return OpenAIModel(*endpoint("openai", spec), options)


def endpoint(scheme: str, spec: str) -> tuple[str, str, dict[str, str]]:
    """The model's name, its endpoint's address and the headers that ``SCHEME:SPEC`` means."""
    name, at, rest = spec.partition("@http")
    url = f"http{rest}" if at else ""
    if not name or "://" in name:
        what = f"{scheme}:{spec} names no model at an address of http."
        raise InputError(what, f"Write {scheme}:NAME or {scheme}:NAME@http://HOST:PORT/v1.")
    return name, *_configuration(name, url)


def _configuration(name: str, url: str) -> tuple[str, dict[str, str]]:
    """The endpoint's address (no final slash) and the headers that hold key and organisation."""
    given = url or os.environ.get("OPENAI_BASE_URL", "")
    key = _variable("OPENAI_API_KEY") or (NO_KEY if given else "")
    if not key:
        raise EngineError(
            "OPENAI_API_KEY is not set.",
            f"Set it, or name an endpoint: openai:{name}@http://HOST:PORT/v1.",
        )
    parsed = URL(given) if given else None
    if parsed is not None and (not parsed.host or parsed.user or parsed.query_string):
        raise InputError(
            f"The address of openai:{name} is not a plain http(s)://HOST/PATH.",
            "Leave out user, password and query; give a key in OPENAI_API_KEY.",
        )
    told = {name: _variable(variable) for name, variable in _HEADERS.items()}
    headers = {name: value for name, value in told.items() if value}
    return str(parsed or _OPENAI).rstrip("/"), {**headers, "Authorization": f"Bearer {key}"}


def _variable(name: str) -> str:
    """What the environment says, without the line break that a file ends in. Raises EngineError for
    what no header can hold."""
    value = os.environ.get(name, "").strip()
    if not value.isprintable():
        raise EngineError(
            f"{name} holds a line break or another control character.", "Set it anew."
        )
    return value


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
        key = headers.get("Authorization", "").removeprefix("Bearer ")
        self._secret = key if len(key) >= SHORTEST_KEY and key != NO_KEY else ""
        self._options = options
        self._prices = options.prices()
        self._proxy = _proxy(address)
        self._url = URL(f"{address}/chat/completions")
        self._dialect = Dialect()
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._checked: set[str] = set()

    def prices(self) -> Prices | None:
        """The prices given in the options."""
        return self._prices

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
                took, quota = perf_counter() - start, _quota(headers)
                completion = read_reply(body, self._prices, latency_s=took, quota=quota)
                self._check(dialect, request, completion)
                return completion
            complaint = complaint_of(body)
            if status not in {400, 422} or is_overflow(complaint.lower()):
                self.refuse(status, complaint, headers)
            self._learn(dialect, complaint)
        raise RefusedError("the endpoint refuses every form of the request")

    async def measure(self) -> Ruler:
        """The context and the tokens of a text, where the server tells them."""
        return await server_ruler(self._connected(), self._address, self._name)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, body: dict[str, Json]) -> tuple[int, str, Mapping[str, str]]:
        try:
            async with self._connected().post(
                self._url, data=to_json(body), allow_redirects=False
            ) as response:
                content = await _read(response)
                kind = response.headers.get("Content-Type", "untyped")
                if response.status == 200 and "json" not in kind:
                    raise RetryableError(f"the answer is {kind.partition(';')[0]}, not JSON")
                return response.status, self.hide(content), response.headers
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
            self._loop = loop
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.window),
                headers=self._headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=self._options.timeout_s),
                proxy=self._proxy,
            )
        return self._session

    def refuse(self, status: int, complaint: str, headers: Mapping[str, str]) -> NoReturn:
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
            wait = _retry_after(headers)
            kind = ThrottledError if status in _THROTTLING or wait is not None else RetryableError
            raise kind(f"HTTP {status}", wait)
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
            self.refuse(400, complaint, {})
        if self._dialect is asked:
            self._dialect, note = learnt
            self.note(note)

    def _check(self, asked: Dialect, request: Request, completion: Completion) -> None:
        """Hold the first answer to each form against what was asked: an endpoint may ignore what it
        does not know, and what follows is then asked in a weaker form."""
        wanted = request.top_logprobs and "logprobs" not in asked.dropped
        if wanted and not completion.first_logprobs:
            self.note("gave no log probabilities though asked to")
        if request.schema is None or asked.structured in self._checked:
            return
        if completion.finish_reason == "stop":
            self._checked.add(asked.structured)
        weaker = None if keeps_form(asked, request, completion) else asked.weaker("ignores")
        if weaker is not None and self._dialect is asked:
            self._dialect, note = weaker
            self.note(note)

    def note(self, text: str) -> None:
        """Say once what the endpoint did not do as asked."""
        note = f"{self.uri} {text}."
        if text and note not in self.notes:
            self.notes.append(note)

    def hide(self, text: str) -> str:
        """The text without the key, which some endpoints echo, and what is echoed is kept."""
        return text.replace(self._secret, "***") if self._secret else text


def _proxy(address: str) -> str | None:
    """The proxy that the environment names for an address (HTTPS_PROXY, NO_PROXY ...)."""
    url = URL(address)
    return None if proxy_bypass(url.host or "") else getproxies().get(url.scheme)


async def _read(response: aiohttp.ClientResponse) -> str:
    content = bytearray()
    while chunk := await response.content.readany():
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


def _quota(headers: Mapping[str, str]) -> Quota | None:
    """The limits a minute that an answer's headers tell
    (https://platform.openai.com/docs/guides/rate-limits); None where they tell none."""
    if "x-ratelimit-limit-requests" not in headers and "x-ratelimit-limit-tokens" not in headers:
        return None
    return Quota(*(_rate(headers, name) for name in ("requests", "tokens")))


def _rate(headers: Mapping[str, str], name: str) -> float | None:
    try:
        rate = float(headers.get(f"x-ratelimit-limit-{name}", ""))
    except ValueError:
        return None
    return rate if 0 < rate < math.inf else None  # Azure says -1 for none.
