"""What the engine costs: complete_all with the openai engine beside a bare aiohttp loop.

Both send the same requests to the same server (a separate process on loopback that answers after
50 ms) with the same number in flight, one after the other, in alternating rounds. Run it with
``python benchmarks/engine.py [ROWS] [IN_FLIGHT]``.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, TypeAlias

import aiohttp
from aiohttp import web

from halubench.models import open_model
from halubench.models.base import Completion, EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from multiprocessing.connection import Connection

Run: TypeAlias = "Callable[[str, int, int], Coroutine[None, None, int]]"
DELAY_S = 0.05
ROUNDS = 3
ANSWER = json.dumps(
    {
        "choices": [
            {"finish_reason": "stop", "message": {"content": '{"REASONING": [], "SCORE": "PASS"}'}}
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 12},
    }
).encode()


def serve(port: Connection) -> None:
    """Answer everything after DELAY_S, for ever."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        await asyncio.sleep(DELAY_S)
        return web.Response(body=ANSWER, content_type="application/json")

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        port.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())


def requests(rows: int) -> Iterator[tuple[int, Request]]:
    """(row, request) pairs with a passage of about 1,200 characters each."""
    for row in range(rows):
        passage = f"In year {row} the company sold {row * 7} units. " * 28
        yield row, Request((("user", f"DOCUMENT: {passage} Is it so?"),))


async def bare(url: str, rows: int, in_flight: int) -> int:
    """The least that can be done: render, send, read."""
    slots = asyncio.Semaphore(in_flight)
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(request: Request) -> object:
            messages = [{"role": role, "content": text} for role, text in request.messages]
            body = json.dumps({"model": "m", "messages": messages, "max_tokens": 600}).encode()
            async with (
                slots,
                session.post(
                    f"{url}/chat/completions",
                    data=body,
                    headers={"Content-Type": "application/json"},
                ) as response,
            ):
                return json.loads(await response.read())

        answers = await asyncio.gather(*(one(request) for _, request in requests(rows)))
    return len(answers)


async def ours(url: str, rows: int, in_flight: int) -> int:
    """The same through the scheduler, the engine and a fresh journal."""
    options = EngineOptions(window=in_flight)
    model = open_model(f"openai:m@{url}", options)
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        limits = Limits(window=in_flight)
        outcomes = complete_all(model, requests(rows), journal, limits)
        done = [key async for key, answer in outcomes if isinstance(answer, Completion)]
        journal.close()
    await model.aclose()
    return len(done)


def measure(run: Run, url: str, rows: int, in_flight: int) -> tuple[float, float]:
    """(rows a second, processor milliseconds a row)."""
    wall, cpu = perf_counter(), process_time()
    asyncio.run(run(url, rows, in_flight))
    return rows / (perf_counter() - wall), (process_time() - cpu) / rows * 1e3


def main() -> None:
    """Print both, medians of the rounds."""
    rows, in_flight = (int(text) for text in (*sys.argv[1:], "2000", "64")[:2])
    context = get_context("spawn")
    here, there = context.Pipe()
    server = context.Process(target=serve, args=(there,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{here.recv()}/v1"
    open_model(f"openai:m@{url}", EngineOptions())  # import everything before the clock starts
    rounds: dict[Run, list[tuple[float, float]]] = {bare: [], ours: []}
    for _ in range(ROUNDS):
        for run, figures in rounds.items():
            figures.append(measure(run, url, rows, in_flight))
    print(f"{rows} rows, {in_flight} in flight, ideal {in_flight / DELAY_S:.0f} rows/s")
    for run, figures in rounds.items():
        speed, cpu = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{run.__name__:>5}: {speed:6.0f} rows/s, {cpu:.2f} ms CPU a row")
    print(f"peak RSS {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    server.terminate()


if __name__ == "__main__":
    main()
