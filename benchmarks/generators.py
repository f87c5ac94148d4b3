"""An edit proposed for each of many rows: ours beside a bare aiohttp loop, distilabel, curator and
NeMo Data Designer, all asking one scripted server on loopback.

    python benchmarks/generators.py distilabel=ENV/bin/python curator=ENV/bin/python \
        designer=ENV/bin/python [rows=2000]

with the Pythons of environments that hold ``distilabel[openai]``, ``bespokelabs-curator`` and
``data-designer``; those that are not named are left out. The server answers after 50 ms, 64
requests are in flight. What is timed goes from rows to answers, imports not counted: with us, the
prompt, the schema, the scheduler, a fresh journal and the reading of the answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import aiohttp
from generator_peers import IN_FLIGHT, filled
from loopback import served

from halubench.models import open_model
from halubench.models.base import Completion, EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.perturb.base import Statement
from halubench.perturb.definitions import load_all
from halubench.perturb.prompted import Author, Manner, Task, apply, request, tasks
from halubench.prompt import load_prompt
from halubench.records import Item
from halubench.run import Journal
from halubench.verify.checks import check

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Run = Callable[[str, list[dict[str, str]]], Coroutine[None, None, int]]

ROUNDS = 5
DELAY_S = 0.05
KIND = "number-swap"


def rows_of(count: int) -> list[dict[str, str]]:
    """Passages of some 1,200 characters, all different, that all answer the question alike: one
    answer of the server suits them all."""
    return [
        {
            "id": f"r{row}",
            "passage": f"The ferry carries 50 cars. In year {row} it crossed {row * 7 + 311} times. " * 20,
            "question": "How many cars does the ferry carry?",
            "answer": "50 cars",
        }
        for row in range(count)
    ]  # fmt: skip


EDIT = {
    "old": "50", "new_fail": "60", "new_pass": "50",
    "evidence": "The ferry carries 50 cars", "change_made": "50 -> 60",
}  # fmt: skip
_SAID = {
    "id": "c", "object": "chat.completion", "created": 0, "model": "m",
    "choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": json.dumps(EDIT)},
    }],
    "usage": {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340},
}  # fmt: skip
_BODY = json.dumps(_SAID).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


def respond(_: bytes) -> bytes:
    """The same edit for every row."""
    return RESPONSE


async def bare(url: str, rows: list[dict[str, str]]) -> int:
    """The least that can be done: fill in, send, read."""
    slots = asyncio.Semaphore(IN_FLIGHT)
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    kind = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=connector) as session:

        async def one(row: dict[str, str]) -> bool:
            messages = [{"role": "user", "content": filled(row)}]
            body = json.dumps({"model": "m", "messages": messages}).encode()
            asked = session.post(f"{url}/chat/completions", data=body, headers=kind)
            async with slots, asked as response:
                said = json.loads(await response.read())
            return bool(said["choices"][0]["message"]["content"])

        return sum(await asyncio.gather(*map(one, rows)))


async def asking(url: str, rows: list[dict[str, str]]) -> int:
    """The same prompts through our scheduler, engine and a fresh journal."""
    requests = ((row["id"], Request((("user", filled(row)),))) for row in rows)
    return await _answered(url, requests, lambda _, text: bool(text))


async def edits(url: str, rows: list[dict[str, str]]) -> int:
    """What ``generate`` does a row: its own prompt with a schema, the answer made a pair and checked."""
    prompt, manner, author = load_prompt("perturb", "edit"), Manner(0, None), Author("openai:m")
    kind = {KIND: load_all()[KIND]}
    found = (task for row in rows for task in tasks(_statement(row), kind))
    requests = ((task, request(task, prompt, manner)) for task in found)

    def usable(task: Task, text: str) -> bool:
        made = apply(task, text, author)
        return not isinstance(made, str) and check(made) is None

    return await _answered(url, requests, usable)


def _statement(row: dict[str, str]) -> Statement:
    text = f"The number of cars that the ferry carries is {row['answer'].split()[0]}."
    start = text.index("50")
    names = ("id", "passage", "question", "answer")
    name, passage, question, answer = (row[each] for each in names)
    item = Item("made", name, "general", passage, question, answer, (answer,))
    return Statement(item, text, start, start + 2)


async def _answered(
    url: str, requests: Iterator[tuple[Any, Request]], usable: Callable[[Any, str], bool]
) -> int:
    model = open_model(f"openai:m@{url}", EngineOptions(window=IN_FLIGHT))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "journal.sqlite")
        limits, good = Limits(window=IN_FLIGHT), 0
        async for key, answer in complete_all(model, requests, journal, limits):
            good += isinstance(answer, Completion) and usable(key, answer.text)
        journal.close()
    await model.aclose()
    return good


def timed(run: Run, url: str, rows: list[dict[str, str]]) -> dict[str, float]:
    """One run in this process."""
    wall, cpu = perf_counter(), process_time()
    answers = asyncio.run(run(url, rows))
    return {"seconds": perf_counter() - wall, "cpu": process_time() - cpu, "answers": answers}


def peer(name: str, python: str, url: str, rows: list[dict[str, str]]) -> dict[str, float] | str:
    """One run of a peer in an environment of its own, or the end of what it said when it failed."""
    quiet = {
        "HF_HUB_OFFLINE": "1", "TELEMETRY_ENABLED": "false", "NEMO_TELEMETRY_ENABLED": "false",
        "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url, "CURATOR_VIEWER": "0",
    }  # fmt: skip
    own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        here, there = os.pipe()
        script = Path(__file__).with_name("generator_peers.py")
        argv = ["bash", "-c", f'exec "$@" 3>&{there}', "-", python, str(script), name, url]
        done = subprocess.run(
            [*argv, str(path), folder], env=own | quiet | {"HOME": folder}, cwd=folder,
            capture_output=True, pass_fds=[there], check=False,
        )  # fmt: skip
        os.close(there)
        with os.fdopen(here) as told:
            said = told.read()
    return dict(json.loads(said)) if said else done.stderr.decode()[-1500:]


def show(
    name: str, count: int, runs: list[dict[str, float]], least: list[dict[str, float]]
) -> None:
    """A line: medians of the rounds, and the medians of each round's ratio to the bare loop."""
    rate, cpu = median(count / one["seconds"] for one in runs), median(one["cpu"] for one in runs)
    share = median(b["seconds"] / one["seconds"] for one, b in zip(runs, least, strict=False))
    over = median(one["cpu"] - b["cpu"] for one, b in zip(runs, least, strict=False))
    print(
        f"{name:<12}{rate:>8.0f} rows/s {share:>6.2f} of bare {cpu / count * 1e3:>7.2f} ms CPU a row "
        f"{over / count * 1e3:>7.2f} over bare; answers {min(one['answers'] for one in runs):.0f} of {count}",
        flush=True,
    )


def main() -> None:
    """See the module."""
    asked = dict(part.split("=", 1) for part in sys.argv[1:])
    count = int(asked.pop("rows", "2000"))
    rows = rows_of(count)
    found: dict[str, list[dict[str, float]]] = {"bare": [], "asking": [], "edits": []}
    with served(DELAY_S, respond) as url:
        for run in (bare, asking, edits):  # Once for the imports.
            timed(run, url, rows[:IN_FLIGHT])
        for _ in range(ROUNDS):
            for run in (bare, asking, edits):
                found[run.__name__].append(timed(run, url, rows))
        for name, runs in found.items():
            show(name, count, runs, found["bare"])
        for name, python in asked.items():
            told = peer(name, python, url, rows)
            if isinstance(told, str):
                print(f"{name:<12}failed: {told}", flush=True)
            else:
                show(name, count, [told], [timed(bare, url, rows)])


if __name__ == "__main__":
    main()
