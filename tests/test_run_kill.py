"""kill -9 in the middle: only requests that were in flight are ever asked again."""

from __future__ import annotations

import subprocess
import sys
import threading

from scripted_server import ScriptedServer, chat

ROWS = 200
WINDOW = 8
JOB = """
import asyncio, sys
from pathlib import Path
from halubench.models import open_model
from halubench.models.base import EngineOptions, Request
from halubench.models.scheduler import Limits, complete_all
from halubench.run import RunFolder

async def main(url, folder, rows, window):
    model = open_model(f"openai:m@{url}", EngineOptions())
    requests = ((i, Request((("user", f"row {i}"),))) for i in range(int(rows)))
    with RunFolder.open(Path(folder), {}) as run:
        async for key, answer in complete_all(model, requests, run.journal, Limits(window=int(window))):
            print(key, answer.text, answer.cached, flush=True)
    await model.aclose()

asyncio.run(main(*sys.argv[1:]))
"""


def test_after_kill_9_only_requests_in_flight_are_asked_again(tmp_path):
    half = threading.Event()

    def script(seen):
        if seen.number == ROWS // 2:
            half.set()
        return chat(f"to {seen.prompt}", delay_s=0.02)

    with ScriptedServer(script) as server:
        command = [
            sys.executable,
            "-c",
            JOB,
            server.url,
            str(tmp_path / "run"),
            str(ROWS),
            str(WINDOW),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
            assert half.wait(60)
            first.kill()
            seen_first, _ = first.communicate()
        before = len(server.seen)
        second = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    lines = [line.split() for line in second.stdout.splitlines()]
    assert [line[:4] for line in lines] == [[str(i), "to", "row", str(i)] for i in range(ROWS)]
    asked_again = set(server.prompts()[:before]) & set(server.prompts()[before:])
    assert before < ROWS
    assert len(asked_again) <= WINDOW
    assert len(server.seen) == ROWS + len(asked_again)
    yielded = {f"row {line.split()[0]}" for line in seen_first.splitlines() if line.count(" ") == 4}
    assert yielded
    assert not yielded & asked_again
