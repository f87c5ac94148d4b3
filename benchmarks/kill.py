"""What a kill costs: ``halubench evaluate`` killed ten times at random points, then let finish.

Counts the requests that were asked more than once (at most those in flight at each kill) and
compares the result with that of a run nobody disturbed: all but the measured times must be the
same. Run ``python benchmarks/kill.py [ROWS] [KILLS]``.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
from aiohttp import web

WINDOW = 64
DELAY_S = 0.05


class Server:
    """Answers by the text of the prompt, and counts how often each was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.url = ""
        self.ready = threading.Event()
        threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True).start()
        self.ready.wait()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        self.ready.set()
        await asyncio.Event().wait()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = sha256(json.dumps(body["messages"]).encode()).hexdigest()
        self.asked[name] += 1
        await asyncio.sleep(DELAY_S)
        said = json.dumps({"REASONING": [name[:6]], "SCORE": "PASS" if name < "8" else "FAIL"})
        choice = {"finish_reason": "stop", "message": {"content": said}}
        return web.json_response({"choices": [choice], "usage": {}})


def command(server: Server, data: Path, out: Path) -> list[str]:
    """One evaluation."""
    program = [sys.executable, "-c", "from halubench.cli import main; main()", "evaluate"]
    model = ["--model", f"openai:m@{server.url}", "--window", str(WINDOW)]
    return [*program, *model, "--data", str(data), "--out", str(out)]


def figures(out: Path) -> object:
    """Everything of a result but how long it took."""
    (folder,) = (path for path in out.iterdir() if path.is_dir())
    table = pq.read_table(folder / "predictions.parquet")
    results = json.loads((folder / "results.json").read_text("utf-8"))
    results.pop("speed", None)
    results["usage"] = {n: v for n, v in results["usage"].items() if "latency" not in n}
    kept = [name for name in table.column_names if "latency" not in name]
    return results, table.select(kept).to_pydict()


def line(number: int) -> dict[str, str]:
    """One row, with a passage unlike any other."""
    words = random.Random(number)
    passage = " ".join(f"{words.getrandbits(24):x}" for _ in range(30))
    said = {"passage": passage, "question": "Which?", "answer": passage[:6], "source_ds": "words"}
    return {"id": str(number), **said, "label": "FAIL" if number % 2 else "PASS"}


def main() -> None:
    """Print the counts."""
    rows, kills = (int(text) for text in (*sys.argv[1:], "2000", "10")[:2])
    server, chance = Server(), random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.jsonl"
        lines = [line(i) for i in range(rows)]
        data.write_text("".join(json.dumps(one) + "\n" for one in lines), "utf-8")
        job = command(server, data, Path(folder) / "killed")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        done = 0
        for place in sorted(chance.sample(range(rows // 50, rows - WINDOW), kills)):
            with subprocess.Popen(job, **quiet) as child:  # type: ignore[call-overload]
                while len(server.asked) < place and child.poll() is None:
                    threading.Event().wait(0.002)
                done += child.poll() is None
                child.kill()
        subprocess.run(job, check=True, **quiet)  # type: ignore[call-overload]
        again = server.asked.total() - rows
        subprocess.run(command(server, data, Path(folder) / "whole"), check=True, **quiet)  # type: ignore[call-overload]
        same = figures(Path(folder) / "killed") == figures(Path(folder) / "whole")
    print(f"{rows} rows, {done} kills, {WINDOW} in flight: {again} requests asked again, at most")
    print(f"{done * WINDOW} could be; the result is {'the same' if same else 'ANOTHER'}")


if __name__ == "__main__":
    main()
