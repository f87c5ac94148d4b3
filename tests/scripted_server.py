"""A real HTTP server on loopback that answers as a test's script says, and records what it saw.

Use it wherever a test needs an OpenAI-compatible endpoint::

    with ScriptedServer(lambda seen: chat("PASS")) as server:
        model = open_model(f"openai:any@{server.url}", EngineOptions())

The script is called with a :class:`Seen` for every request, in the server's thread, and returns a
:class:`Reply`: :func:`chat` (a good answer), :func:`error` (a status with a message),
:func:`raw` (any bytes), or one of the ready-made faults ``HANG``, ``DRIP``, ``RESET``, ``EMPTY``,
``TRUNCATED``, ``HTML`` and ``HUGE``. ``Reply.delay_s`` waits first. ``server.seen`` lists every
request received, in order; ``server.answered`` the numbers of those whose reply was sent whole.
:func:`dead_url` is an address where nobody listens.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Seen:
    """One request: its number (from 0), JSON body and headers."""

    number: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def prompt(self) -> str:
        """The last message's content."""
        return self.body["messages"][-1]["content"]


@dataclass(frozen=True)
class Reply:
    """What is sent back. ``cut_at``: reset the connection after so many bytes of the body;
    ``drip_s``: wait so long between its bytes."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut_at: int | None = None
    drip_s: float = 0.0


Script = Callable[[Seen], Reply]


def chat(
    text: str | None,
    *,
    finish: str = "stop",
    tokens: tuple[int, int] = (10, 5),
    top_logprobs: Mapping[str, float] | None = None,
    delay_s: float = 0.0,
) -> Reply:
    """A chat completion with that text, and the first token's log probabilities if given."""
    choice: dict[str, Any] = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text},
    }
    if top_logprobs is not None:
        top = [{"token": token, "logprob": value} for token, value in top_logprobs.items()]
        choice["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    usage = {
        "prompt_tokens": tokens[0],
        "completion_tokens": tokens[1],
        "total_tokens": sum(tokens),
    }
    body = {"object": "chat.completion", "choices": [choice], "usage": usage}
    return Reply(body=json.dumps(body).encode(), delay_s=delay_s)


def error(status: int, message: str = "no", retry_after: str | None = None, **more: str) -> Reply:
    """An error in OpenAI's shape; ``more`` are further fields (code, param, type)."""
    body = json.dumps({"error": {"message": message, **more}}).encode()
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Reply(status=status, body=body, headers=headers)


def raw(body: bytes, content_type: str = "application/json") -> Reply:
    """Any bytes with status 200."""
    return Reply(body=body, content_type=content_type)


HANG = Reply(delay_s=3600.0)
DRIP = replace(chat("PASS"), drip_s=0.05)
RESET = replace(chat("PASS" * 100), cut_at=40)
EMPTY = raw(b'{"choices": []}')
TRUNCATED = raw(b'{"choices": [{"message": {"content": "PA')
HTML = raw(b"<html>Bad gateway</html>", "text/html")
HUGE = raw(b'{"choices": [' + b" " * (9 * 2**20) + b"]}")


def in_turn(*replies: Reply) -> Script:
    """A script that gives these replies one after the other, the last for ever."""
    return lambda seen: replies[min(seen.number, len(replies) - 1)]


def dead_url() -> str:
    """The address of a port that was just closed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


class ScriptedServer:
    """The server; a context manager. ``url`` ends in ``/v1``."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.seen: list[Seen] = []
        self.answered: list[int] = []
        self.most_in_flight = 0
        self.url = ""
        self.models: object = None
        """What ``GET /v1/models`` answers; None: 404."""
        self.tokenize: Callable[[str], Sequence[object]] | None = None
        """What ``POST /tokenize`` cuts a prompt into; None: 404."""
        self._in_flight = 0
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def prompts(self) -> list[str]:
        """The last message of every request, in the order received."""
        return [seen.prompt for seen in self.seen]

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        assert self._ready.wait(10), "the scripted server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self) -> None:
        self._loop.run_until_complete(self._main())
        self._loop.close()

    def routes(self, router: web.UrlDispatcher) -> None:
        """What is served; others may serve more."""
        router.add_post("/v1/chat/completions", self._handle)

    async def _main(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        self.routes(app.router)
        app.router.add_get("/v1/models", self._tell_models)
        app.router.add_post("/tokenize", self._tell_tokens)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _tell_models(self, _: web.Request) -> web.Response:
        return web.Response(status=404) if self.models is None else web.json_response(self.models)

    async def _tell_tokens(self, request: web.Request) -> web.Response:
        if self.tokenize is None:
            return web.Response(status=404)
        cut = self.tokenize((await request.json())["prompt"])
        return web.json_response({"tokens": list(range(len(cut)))})

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(len(self.seen), await request.json(), dict(request.headers))
        self.seen.append(seen)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            reply = self.script(seen)
            if reply.delay_s:
                await asyncio.sleep(reply.delay_s)
            return await self._send(request, reply, seen.number)
        except ConnectionResetError:  # Whoever asked was killed: nothing to be said to nobody.
            return web.Response()
        finally:
            self._in_flight -= 1

    async def _send(self, request: web.Request, reply: Reply, number: int) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=reply.headers)
        response.content_type = reply.content_type
        response.content_length = len(reply.body)
        await response.prepare(request)
        await self._write(response, reply)
        if reply.cut_at is not None:
            assert request.transport is not None
            request.transport.abort()
            return response
        await response.write_eof()
        self.answered.append(number)
        return response

    async def _write(self, response: web.StreamResponse, reply: Reply) -> None:
        body = reply.body[: reply.cut_at]
        step = 1 if reply.drip_s else max(1, len(body))
        for start in range(0, len(body), step):
            await response.write(body[start : start + step])
            await asyncio.sleep(reply.drip_s)
