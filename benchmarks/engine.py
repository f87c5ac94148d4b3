"""What the engine costs: complete_all with the openai engine beside a bare aiohttp loop.

Both send the same requests to the same server, a separate process on loopback, with the same number
in flight, one after the other, in alternating rounds: every run has its peer beside it. The server
does nothing but wait, so that it is not what is measured. Run ``python benchmarks/engine.py``, with
``rows=2000`` to change the number of rows, or ``memory`` for the peak memory at 2,000 and at
100,000 rows, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine
from itertools import product
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, TypeAlias

import aiohttp
from loopback import served

from halubench.models import open_model
from halubench.models.base import Completion, EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

Run: TypeAlias = Callable[[str, int, int, Path], Coroutine[None, None, int]]
ROUNDS = 5
ANSWER = json.dumps(
    {
        "choices": [
            {"finish_reason": "stop", "message": {"content": '{"REASONING": [], "SCORE": "PASS"}'}}
        ],
        "usage": {"prompt_tokens": 300, "completion_tokens": 12},
    }
).encode()


RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)


def respond(_: bytes) -> bytes:
    """The same answer to every request."""
    return RESPONSE


def requests(rows: int) -> Iterator[tuple[int, Request]]:
    """(row, request) pairs with a passage of about 1,200 characters each."""
    for row in range(rows):
        passage = f"In year {row} the company sold {row * 7} units. " * 28
        yield row, Request((("user", f"DOCUMENT: {passage} Is it so?"),))


async def bare(url: str, rows: int, in_flight: int, _: Path) -> int:
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


async def ours(url: str, rows: int, in_flight: int, folder: Path) -> int:
    """The same through the scheduler, the engine and a fresh journal."""
    options = EngineOptions(window=in_flight)
    model = open_model(f"openai:m@{url}", options)
    journal = Journal(folder / "journal.sqlite")
    limits = Limits(window=in_flight)
    outcomes = complete_all(model, requests(rows), journal, limits)
    done = 0
    async for _, answer in outcomes:
        done += isinstance(answer, Completion)
    journal.close()
    await model.aclose()
    return done


def measure(run: Run, url: str, rows: int, in_flight: int) -> tuple[float, float]:
    """(rows a second, processor milliseconds a row)."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = perf_counter(), process_time()
        asyncio.run(run(url, rows, in_flight, Path(folder)))
        return rows / (perf_counter() - wall), (process_time() - cpu) / rows * 1e3


def compare(rows: int, delay_s: float, in_flight: int) -> None:
    """Print both, medians of the rounds."""
    rounds: dict[Run, list[tuple[float, float]]] = {bare: [], ours: []}
    with served(delay_s, respond) as url:
        open_model(f"openai:m@{url}", EngineOptions())  # import everything before the clock starts
        for _ in range(ROUNDS):
            for run, figures in rounds.items():
                figures.append(measure(run, url, rows, in_flight))
    middle = {
        run.__name__: [statistics.median(column) for column in zip(*figures, strict=True)]
        for run, figures in rounds.items()
    }
    shares = [mine[0] / peer[0] for mine, peer in zip(rounds[ours], rounds[bare], strict=True)]
    print(
        f"{delay_s * 1e3:3.0f} ms, {in_flight:3d} in flight: bare {middle['bare'][0]:5.0f} rows/s "
        f"{middle['bare'][1]:.3f} ms CPU a row, ours {middle['ours'][0]:5.0f} rows/s "
        f"{middle['ours'][1]:.3f} ms; ours/bare rows/s {statistics.median(shares):.2f}, "
        f"CPU over bare {middle['ours'][1] - middle['bare'][1]:.3f} ms",
        flush=True,
    )


def peak(rows: int) -> None:
    """Print the peak memory of one run."""
    with served(0.0, respond) as url:
        measure(ours, url, rows, 64)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows} rows: peak RSS {used:.0f} MB", flush=True)


def main() -> None:
    """See the module."""
    asked = sys.argv[1:] or ["rows=2000"]
    if asked[0] == "memory":
        for rows in ("2000", "100000"):
            subprocess.run([sys.executable, __file__, f"peak={rows}"], check=True)
        return
    name, _, rows = asked[0].partition("=")
    if name == "peak":
        peak(int(rows))
        return
    for delay_s, in_flight in product((0.05, 0.0), (64, 256)):
        compare(int(rows), delay_s, in_flight)


if __name__ == "__main__":
    main()
