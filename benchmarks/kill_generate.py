"""A run of generate with a model and a jury, killed (-9) at random points, resumed, and compared.

``python benchmarks/kill_generate.py SOURCE [PAIRS] [KILLS]``: asks for PAIRS (500) pairs out of SOURCE
from a scripted server on loopback that answers as a strong model would, kills the command KILLS (10)
times at points drawn from the number of requests, lets the last one finish, and runs the whole once
more without a kill. It prints how many requests were paid twice, against those in flight at a kill,
and whether both datasets are the same bytes.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from scripted_server import ScriptedServer
from strong_server import Strong

from halubench import sources

WINDOW = 64
RUN = [sys.executable, "-c", "from halubench.cli import main; main()", "generate"]


def command(source: Path, out: Path, pairs: int, url: str) -> list[str]:
    """The run's command line."""
    asked = ["--model", f"openai:pen@{url}", "--accept", str(pairs), "--window", str(WINDOW)]
    jury = [f"openai:{name}@{url}" for name in ("one", "two")]
    return [*RUN, str(source), "--out", str(out), *asked, "--jury", jury[0], "--jury", jury[1]]


def bodies(server: ScriptedServer, start: int = 0) -> list[str]:
    """The requests from number ``start`` on, as text that tells them apart."""
    return [json.dumps(seen.body, sort_keys=True) for seen in server.seen[start:]]


def hashes(out: Path) -> dict[str, str]:
    """The sha256 of every file of the dataset, its card and its manifest."""
    names = [
        *out.glob("data/*"),
        *out.glob("provenance/*"),
        out / "README.md",
        out / "manifest.json",
    ]
    return {str(one.relative_to(out)): sha256(one.read_bytes()).hexdigest() for one in names}


def killed(server: ScriptedServer, line: list[str], point: int) -> bool:
    """Run until ``point`` requests are answered in all, then kill; whether it was still running."""
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while len(server.answered) < point and running.poll() is None:
            time.sleep(0.005)
        alive = running.poll() is None
        running.kill()
    time.sleep(0.3)  # What was in flight lands at the server.
    return alive


def main(source: Path, pairs: int, kills: int) -> None:
    """Run, kill, resume, compare, print."""
    items = sources.read(str(source), sources.SourceOptions()).items
    script = Strong(items, delay_s=0.05)
    with tempfile.TemporaryDirectory() as folder, ScriptedServer(script) as server:
        whole, broken = Path(folder) / "whole", Path(folder) / "killed"
        # One name for both: the address is part of what is asked.
        subprocess.run(command(source, whole, pairs, server.url), check=True, capture_output=True)
        asked = bodies(server)
        print(f"uninterrupted: {len(asked)} requests, {len(set(asked))} different")
        start, draw = len(asked), random.Random(0)
        points = sorted(start + draw.randrange(1, len(asked)) for _ in range(kills))
        line = command(source, broken, pairs, server.url)
        hits = sum(killed(server, line, point) for point in points)
        subprocess.run(line, check=True, capture_output=True)
        seen = Counter(bodies(server, start))
        twice = sum(count - 1 for count in seen.values())
        print(f"killed {hits} of {kills} times at {[point - start for point in points]} answers")
        print(f"asked twice: {twice}; in flight at the kills, at most: {hits * WINDOW}")
        print(f"asked in all the same: {set(seen) == set(asked)}")
        manifest = json.loads((broken / "manifest.json").read_text("utf-8"))
        print(f"pairs: {manifest['data']['pairs']}, jury: {manifest['jury']['verdicts']}")
        same = {
            name: value for name, value in hashes(whole).items() if hashes(broken)[name] != value
        }
        print(f"files that differ: {sorted(same) or 'none'}")
        before = len(server.seen)
        subprocess.run(line, check=True, capture_output=True)
        print(f"requests of one run more: {len(server.seen) - before}")


if __name__ == "__main__":
    _, path, *numbers = sys.argv
    count, times = (*map(int, numbers), *(500, 10)[len(numbers) :])
    main(Path(path), count, times)
