"""A server on loopback that costs as little as one can, in a process of its own, for the benchmarks."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from multiprocessing.connection import Connection

    Respond = Callable[[bytes], bytes]

_LENGTH = re.compile(rb"(?i)content-length: (\d+)")


class Answering(asyncio.Protocol):
    """Answers each request so many seconds after it came."""

    def __init__(self, delay_s: float, respond: Respond) -> None:
        self._delay_s, self._respond = delay_s, respond
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._later = asyncio.get_running_loop().call_later

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while (end := self._heard.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._heard, 0, end)
            whole = end + 4 + int(length[1] if length else 0)
            if len(self._heard) < whole:
                return
            body, self._heard = self._heard[end + 4 : whole], self._heard[whole:]
            said = self._respond(body)
            if self._delay_s:
                self._later(self._delay_s, self._transport.write, said)  # type: ignore[attr-defined]
            else:
                self._transport.write(said)  # type: ignore[attr-defined]


@contextmanager
def served(delay_s: float, respond: Respond) -> Generator[str]:
    """The address of a server that answers by what ``respond`` makes of a request's body.

    ``respond`` is a function of a module: the other process imports it.
    """
    here, there = get_context("spawn").Pipe()
    told = (there, delay_s, respond)
    server = get_context("spawn").Process(target=_serve, args=told, daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/v1"
    finally:
        server.kill()


def _serve(port: Connection, delay_s: float, respond: Respond) -> None:
    """Answer everything, for ever."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Answering(delay_s, respond), "127.0.0.1", backlog=1024
        )
        port.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(main())
